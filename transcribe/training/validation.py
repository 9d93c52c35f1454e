"""Validation on the dev part while tuning: error rates by dialect, and the score by which checkpoints are chosen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from dialects.dialect import load_catalogue
from dialects.scoring.word_errors import ErrorCount, count, from_counts
from dialects.text.normalise import Normaliser, load_normaliser
from transcribe.backends.whisper_words import longest_answer
from transcribe.training.collate import TargetEncoder
from transcribe.training.shards import FeatureSource, SourceWindow
from transcribe.training.whisper import greedy
from transcribe.training.windows import Passage, TrainingWindow, find_dialect

#: Windows decoded in one batch.
BATCH_SIZE: Final = 16
#: Rise of the error rate of a dialect outside the focus that does not count against the others' gain.
TOLERANCE: Final = 0.005


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Error rates of one dialect's dev part: by word, and by letter with blanks counted."""

    wer: float
    cer: float

    @property
    def mean_error(self) -> float:
        """
        The mean of both rates, by which a model is chosen.

        Where a model cannot write a script at first, nearly every word stays wrong long after most letters are right,
        and a wrong word says nothing of how wrong; where it writes well, both fall together.
        """
        return (self.wer + self.cer) / 2


#: Errors of each dialect (``und``: nobody declared one).
ByDialect: TypeAlias = Mapping[str, Rates]


class Validation:
    """The dev part in windows as the drafter would cut them."""

    def __init__(
        self,
        passages: Sequence[Passage],
        windows: Sequence[tuple[int, TrainingWindow]],
        source: FeatureSource,
        encoder: TargetEncoder,
    ) -> None:
        """Take *windows* that are cut from the passages of those numbers in *passages*."""
        self._source, self._encoder, self._passages = source, encoder, passages
        # Windows of like length share a batch.
        self._windows = sorted(windows, key=lambda numbered: numbered[1].duration)
        self._normalisers: dict[str | None, Normaliser] = {}

    def measure(self, net: Any) -> dict[str, Rates]:
        """Return the error rates of each dialect; empty without a dev part."""
        words: dict[str, ErrorCount] = defaultdict(ErrorCount.zero)
        letters: dict[str, ErrorCount] = defaultdict(ErrorCount.zero)
        for language in sorted({passage.language for passage in self._passages}):
            windows = [numbered for numbered in self._windows if self._passages[numbered[0]].language == language]
            for first in range(0, len(windows), BATCH_SIZE):
                batch = windows[first : first + BATCH_SIZE]
                for (_, window), text in zip(batch, self._transcribe(net, batch, language), strict=True):
                    tag = find_dialect(window.lines)
                    normalise = self._find_normaliser(tag)
                    reference = normalise(" ".join(line.text or "" for line in window.lines))
                    hypothesis = normalise(text)
                    words[tag or "und"] += from_counts(count(reference.split(), hypothesis.split()))
                    letters[tag or "und"] += from_counts(count(list(reference), list(hypothesis)))
        return {
            tag: Rates(wer=round(errors.rate, 4), cer=round(letters[tag].rate or 0.0, 4))
            for tag, errors in sorted(words.items())
            if errors.rate is not None
        }

    def _transcribe(self, net: Any, batch: Sequence[tuple[int, TrainingWindow]], language: str) -> list[str]:
        opening = self._encoder.encode_opening(language, timed=False)
        longest = max(window.duration for _, window in batch)
        most = min(net.config.max_target_positions - len(opening), longest_answer(longest, language))
        features = self._source.load_features([SourceWindow(passage=number, window=window) for number, window in batch])
        tokens = greedy(net, features, [opening] * len(batch), end=self._encoder.end, most=most)
        return [self._encoder.decode_text(row) for row in tokens]

    def _find_normaliser(self, tag: str | None) -> Normaliser:
        if tag not in self._normalisers:
            name = load_catalogue().find(tag).normaliser if tag else "all-v1"
            self._normalisers[tag] = load_normaliser(name)
        return self._normalisers[tag]


def score_checkpoint(rates: ByDialect, first: ByDialect, focus: Collection[str], *, alone: bool = False) -> float:
    """
    Return the mean error of the dialects in *focus*, plus double the mean of what the others lost since *first*.

    The lower the better. With *alone* only the focus counts. Without a focus, the mean of all. A loss within TOLERANCE
    is none. The mean, because the dev part is small: of many dialects some always lose a word by chance.

    >>> now = {"a": Rates(wer=0.5, cer=0.3), "b": Rates(wer=0.2, cer=0.2)}
    >>> round(score_checkpoint(now, {"a": Rates(wer=0.7, cer=0.7), "b": Rates(wer=0.1, cer=0.1)}, ["a"]), 3)
    0.59
    """
    errors = {tag: rate.mean_error for tag, rate in rates.items()}
    learned = [error for tag, error in errors.items() if tag in focus] or list(errors.values())
    losses = [
        max(0.0, error - first[tag].mean_error - TOLERANCE) if tag in first else 0.0
        for tag, error in errors.items()
        if tag not in focus
    ]
    forgotten = sum(losses) / len(losses) if focus and losses and not alone else 0.0
    return sum(learned) / max(1, len(learned)) + 2 * forgotten
