"""Interval widths of each dialect's error rate: they decide, beside minutes, which dialect is asked for first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from dialects.dialect import Catalogue
from dialects.errors import DialectError
from dialects.scoring.prepare import Preparer
from dialects.scoring.statistics import blocks_of, standard_error, t_quantile
from dialects.scoring.word_errors import Pair, count
from transcribe.store import Store

_CONFIDENCE = 0.95


class Widths:
    """Half the width of each dialect's interval, over what was accepted so far. Counts of a text are made once."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store, self._prepare = store, Preparer(catalogue)
        #: By model and correction: errors and reference words.
        self._counts: dict[tuple[str, str], tuple[int, int]] = {}

    def measure(self) -> Mapping[str, float]:
        """Return the half widths by tag as the desk has it, without dialects of too few texts for an interval."""
        model = self._store.promoted_model()
        if model is None:
            return {}
        counts_by_speaker: dict[str, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
        sessions: dict[str, set[str]] = defaultdict(set)
        for span in self._store.scoring_spans(model.id):
            if span.dialect is None:
                continue
            speaker = span.speaker or span.recording
            sessions[speaker].add(span.session or span.recording)
            key = (model.id, span.id)
            if key not in self._counts:
                self._counts[key] = self._count_errors(span.dialect, span.reference, span.hypothesis)
            counts_by_speaker[span.dialect][speaker].append(self._counts[key])
        blocks = blocks_of(sessions)
        widths = {dialect: _half_width(by_speaker, blocks) for dialect, by_speaker in counts_by_speaker.items()}
        return {dialect: width for dialect, width in widths.items() if width is not None}

    def _count_errors(self, dialect: str, reference: str, hypothesis: str) -> tuple[int, int]:
        pair = Pair(id="", reference=reference, hypothesis=hypothesis, dialect=dialect, speaker="")
        try:
            prepared = self._prepare(pair)
            reference_words, hypothesis_words = prepared.reference, prepared.hypothesis
        except DialectError:
            reference_words, hypothesis_words = reference.split(), hypothesis.split()
        _, substitutions, deletions, insertions = count(reference_words, hypothesis_words)
        return substitutions + deletions + insertions, len(reference_words)


def _half_width(by_speaker: Mapping[str, list[tuple[int, int]]], blocks: Mapping[str, str]) -> float | None:
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for speaker, counts in by_speaker.items():
        for errors, words in counts:
            sums[blocks[speaker]][0] += errors
            sums[blocks[speaker]][1] += words
    error = standard_error([errors for errors, _ in sums.values()], [words for _, words in sums.values()])
    return None if error is None else t_quantile((1 + _CONFIDENCE) / 2, len(sums) - 1) * error
