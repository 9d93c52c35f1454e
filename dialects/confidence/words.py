"""
Mark a small share of a dialect's drafted words by confidence, those that are most likely wrong.

The recogniser's probability of a word is calibrated on words that people have checked since, each dialect apart. A
share of the words is marked at most; where the recogniser's probabilities tell nothing, no word is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from dialects.confidence.calibration import Calibration, CalibrationPoint, calibrate
from dialects.scoring.prepare import Prepared

Level: TypeAlias = Literal["sure", "doubtful", "very"]
#: (probability that the recogniser gave to a drafted word, people wrote something else).
LabelledWord: TypeAlias = tuple[float, bool]
#: Least number of checked words that a dialect is calibrated on.
LEAST_WORDS: Final = 500
#: Largest shares of a dialect's words that are marked, the very doubtful ones among the others.
SHARES: Final = {"doubtful": 0.15, "very": 0.05}
#: Decimals of a doubt: more would only make more steps.
_DIGITS: Final = 3


@dataclass(frozen=True, kw_only=True)
class WordConfidence:
    """The marks for the words of one dialect, and the errors among words that are marked and those that are not."""

    #: Words that people have checked.
    words: int
    calibration: Calibration
    #: Expected error from which a word is marked so; ``None``: none is.
    doubtful: float | None
    very: float | None
    #: Words and errors of those that are marked, and of the others.
    shaded: tuple[int, int]
    plain: tuple[int, int]

    @property
    def is_calibrated(self) -> bool:
        """``True`` once enough words were checked."""
        return self.words >= LEAST_WORDS

    def risk(self, probability: float) -> float:
        """Return the probability that a word is wrong; below the least checked probability it is that of the worst."""
        risk = self.calibration.risk(_doubt(probability))
        return risk if risk is not None else self.calibration.risks[-1]

    def level(self, probability: float) -> Level:
        """Return the mark of a word with *probability*."""
        risk = self.risk(probability)
        if self.very is not None and risk >= self.very:
            return "very"
        return "doubtful" if self.doubtful is not None and risk >= self.doubtful else "sure"


def fit_word_confidence(words: Iterable[LabelledWord] | Mapping[LabelledWord, int]) -> WordConfidence | None:
    """Fit the marks to *words* of one dialect by one model, or to how many there are of each; ``None`` without any."""
    counts: Counter[LabelledWord] = Counter()
    for (probability, wrong), count in Counter(words).items():
        counts[_doubt(probability), wrong] += count
    if not counts:
        return None
    points = [
        CalibrationPoint(doubt=doubt, errors=count if wrong else 0, words=count)
        for (doubt, wrong), count in counts.items()
    ]
    calibration = calibrate(points)
    words_by_risk: Counter[float] = Counter()
    errors_by_risk: Counter[float] = Counter()
    for point in points:
        risk = calibration.risk(point.doubt)
        assert risk is not None, "the calibration knows every doubt that it was fitted on"
        words_by_risk[risk] += point.words
        errors_by_risk[risk] += point.errors
    cuts = {level: _find_cut(words_by_risk, share * counts.total()) for level, share in SHARES.items()}
    edge = cuts["doubtful"]
    marked = [risk for risk in words_by_risk if edge is not None and risk >= edge]
    shaded = sum(words_by_risk[risk] for risk in marked), sum(errors_by_risk[risk] for risk in marked)
    return WordConfidence(
        words=counts.total(),
        calibration=calibration,
        doubtful=edge,
        very=cuts["very"],
        shaded=shaded,
        plain=(counts.total() - shaded[0], errors_by_risk.total() - shaded[1]),
    )


def label_words(ready: Prepared, drafted: Iterable[tuple[str, float]]) -> list[LabelledWord]:
    """
    Label the *drafted* words, each given with its probability, by whether people wrote them too.

    Words that the dialect's rules leave out are left out.

    Args:
        ready: The pair of the reference and the same drafted words as one text.
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


def _find_cut(words: Counter[float], most: float) -> float | None:
    """Return the least risk from which on there are *most* words at most."""
    cut, count = None, 0
    for risk in sorted(words, reverse=True):
        count += words[risk]
        if count > most:
            break
        cut = risk
    return cut


def _doubt(probability: float) -> float:
    return round(1 - probability, _DIGITS)
