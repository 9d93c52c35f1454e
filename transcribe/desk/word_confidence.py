"""Word-confidence calibration per dialect, fitted on what was accepted so far."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dialects.confidence.words import LabelledWord, WordConfidence, fit_word_confidence, label_words
from dialects.dialect import Catalogue
from dialects.errors import DialectError
from dialects.scoring.prepare import Preparer
from dialects.scoring.word_errors import HIDDEN, Pair
from transcribe.records import ScoringSpan, Word
from transcribe.store import Store


@dataclass(frozen=True, kw_only=True)
class Shadings:
    """The marking of words that one model drafted, by dialect as the desk has it."""

    #: ``None``: nothing was calibrated yet.
    model: str | None = None
    dialects: Mapping[str, WordConfidence] = field(default_factory=dict)


class Shader:
    """Calibrates from accepted texts; each is aligned once for each model."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store, self._prepare = store, Preparer(catalogue)
        self._points: dict[tuple[str, str], list[LabelledWord]] = {}
        #: One of each, however many words are alike: a million words take some megabytes.
        self._unique: dict[LabelledWord, LabelledWord] = {}

    def calibrate(self) -> Shadings:
        """Fit the calibration of the promoted model, per dialect."""
        model = self._store.models.find_promoted()
        if model is None:
            return Shadings()
        by_dialect: dict[str, Counter[LabelledWord]] = defaultdict(Counter)
        for span, words in self._store.corrections.fetch_scored_words(model.id):
            if span.dialect is None:
                continue
            key = (model.id, span.id)
            if key not in self._points:
                self._points[key] = self._judge(span, words)
            by_dialect[span.dialect].update(self._points[key])
        markings = {dialect: fit_word_confidence(points) for dialect, points in by_dialect.items()}
        return Shadings(
            model=model.id, dialects={tag: marking for tag, marking in markings.items() if marking is not None}
        )

    def _judge(self, span: ScoringSpan, words: Sequence[Word]) -> list[LabelledWord]:
        # What is masked was looked at by nobody.
        if HIDDEN in span.reference or HIDDEN in span.hypothesis:
            return []
        pair = Pair(
            id=span.id, reference=span.reference, hypothesis=span.hypothesis, dialect=str(span.dialect), speaker=""
        )
        try:
            points = label_words(self._prepare(pair), [(word.text, round(word.probability, 3)) for word in words])
            return [self._unique.setdefault(point, point) for point in points]
        except DialectError:
            return []
