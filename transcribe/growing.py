"""
Drafts that are taken for right without a person, as long as people who look at some of them agree. Pure.

Whisper's confidence alone does not find bad drafts, so doubt is one way of ordering, never a promise: what it is worth
is calibrated on what people wrote, each dialect apart, and what was accepted is looked at again, blindly, by lot.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dialects.calibration import Calibration
from dialects.scoring import ErrorCount
from dialects.statistics import Interval, jackknife_interval
from transcribe.records import Draft, Segment

#: How much doubt a share of overlap adds: from a quarter on nothing is left, since words of one are given to the other.
OVERLAP_WEIGHT = 4.0
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


def doubt(draft: Draft, *, overlap: float = 0.0) -> float | None:
    """
    How little a draft can be relied on, from 0 to 1; ``None`` for one that is not to be relied on at all.

    One less the least word's probability times the mean word's times that of the tokens, times what *overlap*, the
    share of the segment during which somebody else speaks too, leaves: each alone misses errors that another shows. A
    draft without words or with a flag is never accepted.
    """
    if not draft.words or draft.flags or draft.log_probability is None:
        return None
    sure = [word.probability for word in draft.words]
    clear = max(0.0, 1 - OVERLAP_WEIGHT * overlap)
    return round(1 - min(sure) * (sum(sure) / len(sure)) * math.exp(min(draft.log_probability, 0.0)) * clear, 6)


def overlaps(segments: Sequence[Segment]) -> dict[str, float]:
    """Share of each segment, by id, during which another speaker's segment of the same channel runs too."""
    ordered = sorted(segments, key=lambda one: (one.start, one.end))
    found = {}
    for one in ordered:
        shared = [
            (max(one.start, other.start), min(one.end, other.end))
            for other in ordered
            if other.speaker != one.speaker and other.channel == one.channel
        ]
        length = sum(end - start for start, end in shared if end > start)
        found[one.id] = min(1.0, length / max(one.end - one.start, 1))
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
