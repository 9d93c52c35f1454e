"""
Which drafted words of a dialect are to be doubted: a small share, chosen by what the recogniser's own doubt is worth.

The recogniser's probability of a word is calibrated on words that people have looked at since, each dialect apart. A
share of the words is marked at most; where the recogniser's doubt tells nothing, no word is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from dialects.calibration import Calibration, Looked, calibrate
from dialects.preparing import Prepared

Level: TypeAlias = Literal["sure", "doubtful", "very"]
#: A drafted word: what the recogniser gave for it, and whether people wrote something else.
Judged: TypeAlias = tuple[float, bool]
#: Words that people have looked at before a dialect's doubts are calibrated.
LEAST_WORDS: Final = 500
#: Largest shares of a dialect's words that are marked, the very doubtful ones among the others.
SHARES: Final = {"doubtful": 0.15, "very": 0.05}
#: Decimals of a doubt: more would only make more steps.
_DIGITS: Final = 3


@dataclass(frozen=True, kw_only=True)
class Shading:
    """How the words of one dialect are marked, and what was wrong among those that are and those that are not."""

    #: Words that people have looked at.
    words: int
    calibration: Calibration
    #: Expected error from which a word is marked so; ``None``: none is.
    doubtful: float | None
    very: float | None
    #: Words and errors of those that are marked, and of the others.
    shaded: tuple[int, int]
    plain: tuple[int, int]

    @property
    def calibrated(self) -> bool:
        """Whether enough was looked at."""
        return self.words >= LEAST_WORDS

    def risk(self, probability: float) -> float:
        """How likely a word is wrong; more doubt than anybody has looked at is as bad as the worst that was."""
        found = self.calibration.risk(_doubt(probability))
        return found if found is not None else self.calibration.risks[-1]

    def level(self, probability: float) -> Level:
        """How a word is marked."""
        risk = self.risk(probability)
        if self.very is not None and risk >= self.very:
            return "very"
        return "doubtful" if self.doubtful is not None and risk >= self.doubtful else "sure"


def shading(judged: Iterable[Judged] | Mapping[Judged, int]) -> Shading | None:
    """What *judged* words of one dialect by one model teach, or how many there are of each; ``None`` without any."""
    seen: Counter[Judged] = Counter()
    for (probability, wrong), count in Counter(judged).items():
        seen[_doubt(probability), wrong] += count
    if not seen:
        return None
    looked = [Looked(doubt=doubt, errors=count if wrong else 0, words=count) for (doubt, wrong), count in seen.items()]
    calibration = calibrate(looked)
    words: Counter[float] = Counter()
    errors: Counter[float] = Counter()
    for one in looked:
        risk = calibration.risk(one.doubt)
        assert risk is not None, "every doubt was looked at"
        words[risk] += one.words
        errors[risk] += one.errors
    cuts = {level: _cut(words, share * seen.total()) for level, share in SHARES.items()}
    edge = cuts["doubtful"]
    marked = [risk for risk in words if edge is not None and risk >= edge]
    shaded = sum(words[risk] for risk in marked), sum(errors[risk] for risk in marked)
    return Shading(
        words=seen.total(),
        calibration=calibration,
        doubtful=edge,
        very=cuts["very"],
        shaded=shaded,
        plain=(seen.total() - shaded[0], errors.total() - shaded[1]),
    )


def judged(ready: Prepared, drafted: Iterable[tuple[str, float]]) -> list[Judged]:
    """
    Which of the *drafted* words, with their probabilities, people wrote too. Words that the dialect's rules leave out
    are left out.

    Args:
        ready: The pair of what people wrote and the same drafted words as one text.
    """
    parts = list(drafted)
    words = ready.normaliser.split_parts(text for text, _ in parts)
    hits = [edit.kind == "hit" for edit in ready.path if edit.hypothesis is not None]
    if len(words) != len(hits):
        # The rules join words or part them by their neighbours: nobody knows which is which.
        return []
    hits_by_part: dict[int, list[bool]] = {}
    for word, hit in zip(words, hits, strict=True):
        for part in range(word.first, word.last + 1):
            hits_by_part.setdefault(part, []).append(hit)
    return [(parts[part][1], not all(part_hits)) for part, part_hits in sorted(hits_by_part.items())]


def _cut(words: Counter[float], most: float) -> float | None:
    """The least risk from which on there are *most* words at most."""
    found, count = None, 0
    for risk in sorted(words, reverse=True):
        count += words[risk]
        if count > most:
            break
        found = risk
    return found


def _doubt(probability: float) -> float:
    return round(1 - probability, _DIGITS)
