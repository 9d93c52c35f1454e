"""
Drafts that are taken for right without a person, as long as people who look at some of them agree. Pure.

Whisper's confidence alone does not find bad drafts, so the signs of a draft are weighed by what people wrote of all
dialects, and the doubt that they give is calibrated on each dialect's own texts, none of which its weighing has seen.
It stays one way of ordering, never a promise: what was accepted is looked at again, blindly, by lot.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dialects.calibration import Calibration
from dialects.scoring import ErrorCount
from dialects.statistics import Interval, jackknife_interval
from transcribe.records import Draft, Milliseconds, Segment

#: Milliseconds after which little is left of a neighbour's turn: nearer, a word of one is easily given to the other.
NEAR = 200
#: How far over the limit a single draft's expected rate may lie, while that of all together is within it.
SINGLE = 1.5


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a lead allows."""

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
    """How right the accepted texts of one dialect are, by those that people wrote again."""

    segments: int
    counts: ErrorCount
    interval: Interval | None
    #: Why nothing more is accepted; ``None`` while more may be.
    stopped: str | None

    @property
    def wer(self) -> float | None:
        """Errors over the words that people wrote."""
        return self.counts.rate


@dataclass(frozen=True, kw_only=True)
class Around:
    """Who else speaks where a segment lies, on its channel."""

    #: Share of the segment during which somebody else speaks too.
    overlap: float
    #: Milliseconds to the turn of somebody else before it and after it; ``None``: there is none.
    before: Milliseconds | None
    after: Milliseconds | None


def doubt(draft: Draft) -> float | None:
    """
    How little a draft can be relied on before anybody has written such ones, from 0 to 1; ``None``: not at all.

    One less the least word's probability times the mean word's times that of the tokens: each alone misses errors that
    another shows. A draft without words or with a flag is never relied on.
    """
    if not draft.words or draft.flags or draft.log_probability is None:
        return None
    sure = [word.probability for word in draft.words]
    return round(1 - min(sure) * (sum(sure) / len(sure)) * math.exp(min(draft.log_probability, 0.0)), 6)


def signs(segment: Segment, draft: Draft, around: Around) -> tuple[float, ...] | None:
    """
    What of a draft hints at errors, to be weighed; ``None`` for one that is never to be relied on, as for `doubt`.

    Most errors are words at the edges that were given to a neighbour: who speaks how near, and how sure the first and
    the last word are, count beside the probabilities of all.
    """
    if not draft.words or draft.flags or draft.log_probability is None:
        return None
    sure = [word.probability for word in draft.words]
    seconds = max(segment.end - segment.start, 1) / 1000
    first, last = _odds(sure[0]), _odds(sure[-1])
    before, after = _nearness(around.before), _nearness(around.after)
    pace = len(sure) / seconds
    return (
        _odds(min(sure)),
        _odds(sum(sure) / len(sure)),
        math.exp(min(draft.log_probability, 0.0)),
        first,
        last,
        around.overlap,
        min(1.0, 4 * around.overlap),
        before,
        after,
        before * first,
        after * last,
        math.log(len(sure)),
        float(len(sure) <= 2),
        pace,
        pace**2,
        min(1.0, (draft.words[0].start - segment.start) / 1000),
        min(1.0, (segment.end - draft.words[-1].end) / 1000),
    )


def _odds(probability: float) -> float:
    """Its logarithm; at both ends it is bounded."""
    return math.log((probability + 0.01) / (1.01 - probability))


def _nearness(gap: Milliseconds | None) -> float:
    return 0.0 if gap is None else math.exp(-gap / NEAR)


def surroundings(segments: Sequence[Segment]) -> dict[str, Around]:
    """Who else speaks around each of *segments*, which are all of a recording, by id."""
    ordered = sorted(segments, key=lambda one: (one.start, one.end))
    found = {}
    for one in ordered:
        others = [other for other in ordered if other.speaker != one.speaker and other.channel == one.channel]
        shared = sum(max(0, min(one.end, other.end) - max(one.start, other.start)) for other in others)
        found[one.id] = Around(
            overlap=min(1.0, shared / max(one.end - one.start, 1)),
            before=min((max(0, one.start - other.end) for other in others if other.start <= one.start), default=None),
            after=min((max(0, other.start - one.end) for other in others if other.end >= one.end), default=None),
        )
    return found


def acceptable(
    drafts: Mapping[str, tuple[float | None, int]], calibration: Calibration, limits: Limits
) -> dict[str, tuple[float, float]]:
    """
    (doubt, risk) of the most reliable drafts whose words together are expected to be wrong within the limit, which is
    what an audit then measures; none of which is by itself expected to be `SINGLE` times over it.

    Args:
        drafts: Doubt and number of words of each segment.
    """
    ranked = sorted(
        (risk, one, segment, words)
        for segment, (one, words) in drafts.items()
        if one is not None and (risk := calibration.risk(one)) is not None and risk <= SINGLE * limits.limit
    )
    found: dict[str, tuple[float, float]] = {}
    wrong = said = 0.0
    for risk, one, segment, words in ranked:
        wrong, said = wrong + risk * words, said + words
        if wrong > limits.limit * said:
            break
        found[segment] = (one, risk)
    return found


def drawn(segments: Iterable[str], limits: Limits, draw: Callable[[], float]) -> frozenset[str]:
    """Those that people are to write again, each by a lot from 0 to 1."""
    return frozenset(segment for segment in sorted(segments) if draw() < limits.audit_share)


def audited(found: Mapping[str, Sequence[ErrorCount]], limits: Limits) -> Audit:
    """
    What those who looked again have found.

    Acceptance stops where enough was looked at and the rate is over the limit, or where it is surely over it however
    little was looked at.

    Args:
        found: The errors of each segment, by the block of speakers that it belongs to.
    """
    blocks = [sum(parts, ErrorCount()) for _, parts in sorted(found.items())]
    counts = sum(blocks, ErrorCount())
    segments = sum(map(len, found.values()))
    interval = jackknife_interval([one.errors for one in blocks], [one.words for one in blocks])
    stopped = None
    rate = counts.rate
    if rate is not None and rate > limits.limit:
        if segments >= limits.least_audited:
            stopped = f"{100 * rate:.1f} % of the words looked at again are wrong, {100 * limits.limit:g} % are allowed"
        elif interval is not None and interval[0] > limits.limit:
            stopped = f"surely more than {100 * limits.limit:g} % are wrong, after {segments} segments already"
    return Audit(segments=segments, counts=counts, interval=interval, stopped=stopped)
