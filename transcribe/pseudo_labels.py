"""
Choose drafts that count without a person, as long as people who audit some of them agree; pure.

Whisper's confidence alone does not find bad drafts, so the signs of a draft are weighed by what people wrote of all
dialects, and the doubt that they give is calibrated on each dialect's own texts, none of which its weighing has seen.
It stays one way of ordering, never a promise: what was accepted is looked at again, blindly, by lot.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dialects.confidence.calibration import Calibration
from dialects.scoring.statistics import Interval, jackknife_interval
from dialects.scoring.word_errors import ErrorCount
from transcribe.records import Draft, Milliseconds, Segment

#: Milliseconds after which little is left of a neighbour's turn: nearer, a word of one is easily given to the other.
NEAR = 200
#: How far over the limit a single draft's expected rate may lie, while that of all together is within it.
SINGLE = 1.5


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits that a lead sets."""

    #: Highest error rate to expect of a text that is accepted, and highest one to be found in those looked at.
    limit: float = 0.05
    #: Share of what is accepted that people write again without seeing it.
    audit_share: float = 0.2
    #: Segments of a dialect that people have written before anything of it is accepted.
    least_reviewed: int = 30
    #: Segments looked at again from which their rate alone stops acceptance.
    least_audited: int = 20


@dataclass(frozen=True, kw_only=True)
class Audit:
    """The errors in the accepted texts of one dialect, by those that people wrote again."""

    segments: int
    counts: ErrorCount
    interval: Interval | None
    #: Why nothing more is accepted; ``None`` while more may be.
    stopped: str | None

    @property
    def wer(self) -> float | None:
        """The errors over the words that people wrote; ``None`` without words."""
        return self.counts.rate


@dataclass(frozen=True, kw_only=True)
class Around:
    """The speech of others where a segment lies, on its channel."""

    #: Share of the segment during which somebody else speaks too.
    overlap: float
    #: Milliseconds to the turn of somebody else before it and after it; ``None``: there is none.
    gap_before: Milliseconds | None
    gap_after: Milliseconds | None


def doubt(draft: Draft) -> float | None:
    """
    Measure how little a draft can be relied on before anybody has written such ones, from 0 to 1; ``None``: not at all.

    One less the least word's probability times the mean word's times that of the tokens: each alone misses errors that
    another shows. A draft without words or with a flag is never relied on.
    """
    if not draft.words or draft.flags or draft.log_probability is None:
        return None
    sure = [word.probability for word in draft.words]
    return round(1 - min(sure) * (sum(sure) / len(sure)) * math.exp(min(draft.log_probability, 0.0)), 6)


def signs(segment: Segment, draft: Draft, around: Around) -> tuple[float, ...] | None:
    """
    Return the features of a draft that hint at errors; ``None`` for one that is never to be relied on, as for `doubt`.

    Most errors are words at the edges that were given to a neighbour: who speaks how near, and how sure the first and
    the last word are, count beside the probabilities of all.
    """
    if not draft.words or draft.flags or draft.log_probability is None:
        return None
    sure = [word.probability for word in draft.words]
    seconds = max(segment.end - segment.start, 1) / 1000
    first, last = _log_odds(sure[0]), _log_odds(sure[-1])
    near_before, near_after = _measure_nearness(around.gap_before), _measure_nearness(around.gap_after)
    pace = len(sure) / seconds
    return (
        _log_odds(min(sure)),
        _log_odds(sum(sure) / len(sure)),
        math.exp(min(draft.log_probability, 0.0)),
        first,
        last,
        around.overlap,
        min(1.0, 4 * around.overlap),
        near_before,
        near_after,
        near_before * first,
        near_after * last,
        math.log(len(sure)),
        float(len(sure) <= 2),
        pace,
        pace**2,
        min(1.0, (draft.words[0].start - segment.start) / 1000),
        min(1.0, (segment.end - draft.words[-1].end) / 1000),
    )


def _log_odds(probability: float) -> float:
    """Return the logarithm of the odds of *probability*, bounded at both ends."""
    return math.log((probability + 0.01) / (1.01 - probability))


def _measure_nearness(gap: Milliseconds | None) -> float:
    return 0.0 if gap is None else math.exp(-gap / NEAR)


def surroundings(segments: Sequence[Segment]) -> dict[str, Around]:
    """Find who else speaks around each of *segments*, which are all of a recording, by id."""
    ordered = sorted(segments, key=lambda segment: (segment.start, segment.end))
    around_by_id = {}
    for segment in ordered:
        others = [other for other in ordered if other.speaker != segment.speaker and other.channel == segment.channel]
        shared = sum(max(0, min(segment.end, other.end) - max(segment.start, other.start)) for other in others)
        around_by_id[segment.id] = Around(
            overlap=min(1.0, shared / max(segment.end - segment.start, 1)),
            gap_before=min(
                (max(0, segment.start - other.end) for other in others if other.start <= segment.start), default=None
            ),
            gap_after=min(
                (max(0, other.start - segment.end) for other in others if other.end >= segment.end), default=None
            ),
        )
    return around_by_id


def choose_acceptable(
    drafts: Mapping[str, tuple[float | None, int]], calibration: Calibration, limits: Limits
) -> dict[str, tuple[float, float]]:
    """
    Choose the most reliable drafts, by id with (doubt, risk).

    Their words together are expected to be wrong within the limit, which is what an audit then measures; no draft by
    itself is expected to be `SINGLE` times over it.

    Args:
        drafts: Doubt and number of words of each segment.
    """
    ranked = sorted(
        (risk, draft_doubt, segment, words)
        for segment, (draft_doubt, words) in drafts.items()
        if draft_doubt is not None
        and (risk := calibration.risk(draft_doubt)) is not None
        and risk <= SINGLE * limits.limit
    )
    chosen: dict[str, tuple[float, float]] = {}
    wrong = word_count = 0.0
    for risk, draft_doubt, segment, words in ranked:
        wrong, word_count = wrong + risk * words, word_count + words
        if wrong > limits.limit * word_count:
            break
        chosen[segment] = (draft_doubt, risk)
    return chosen


def draw_audits(segments: Iterable[str], limits: Limits, draw: Callable[[], float]) -> frozenset[str]:
    """Draw the segments that people are to write again, each by a lot from 0 to 1."""
    return frozenset(segment for segment in sorted(segments) if draw() < limits.audit_share)


def audit_texts(errors_by_block: Mapping[str, Sequence[ErrorCount]], limits: Limits) -> Audit:
    """
    Judge the accepted texts by what those who wrote some again have found.

    Acceptance stops where enough was looked at and the rate is over the limit, or where it is surely over it however
    little was looked at.

    Args:
        errors_by_block: The errors of each segment, by the block of speakers that it belongs to.
    """
    blocks = [sum(parts, ErrorCount()) for _, parts in sorted(errors_by_block.items())]
    counts = sum(blocks, ErrorCount())
    segments = sum(map(len, errors_by_block.values()))
    interval = jackknife_interval([block.errors for block in blocks], [block.words for block in blocks])
    stopped = None
    rate = counts.rate
    if rate is not None and rate > limits.limit:
        if segments >= limits.least_audited:
            stopped = f"{100 * rate:.1f} % of the words looked at again are wrong, {100 * limits.limit:g} % are allowed"
        elif interval is not None and interval[0] > limits.limit:
            stopped = f"surely more than {100 * limits.limit:g} % are wrong, after {segments} segments already"
    return Audit(segments=segments, counts=counts, interval=interval, stopped=stopped)
