"""The dev part heard while tuning: errors by dialect, and which of two results is the better one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from dialects.dialect import load_catalogue
from dialects.normalise import Normaliser, load_normaliser
from dialects.scoring import ErrorCount, count, from_counts
from transcribe.backends.whisper_words import longest_answer
from transcribe.finetune.hearing import greedy
from transcribe.finetune.script import Scribe
from transcribe.finetune.sources import Pick, SoundSource
from transcribe.passages import Cut, Passage, dialect_of

#: Windows heard together.
TOGETHER: Final = 16
#: What a dialect that is only to be kept may lose, as a share of errors, before it counts against the others' gain.
TOLERANCE: Final = 0.005


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Errors of one dialect's dev part, as shares of what was said: in words, and in letters with their blanks."""

    wer: float
    cer: float

    @property
    def badness(self) -> float:
        """
        What a model is chosen by: the mean of both.

        Where a model cannot write a script at first, nearly every word stays wrong long after most letters are right,
        and a wrong word says nothing of how wrong; where it writes well, both fall together.
        """
        return (self.wer + self.cer) / 2


#: Errors of each dialect (``und``: nobody declared one).
ByDialect: TypeAlias = Mapping[str, Rates]


class Exam:
    """The dev part in windows as the drafter would cut them."""

    def __init__(
        self, found: Sequence[Passage], windows: Sequence[tuple[int, Cut]], source: SoundSource, scribe: Scribe
    ) -> None:
        """*windows* are cut from the passages of those numbers in *found*."""
        self._source, self._scribe, self._passages = source, scribe, found
        # Windows of like length are heard together.
        self._windows = sorted(windows, key=lambda each: each[1].duration)
        self._normalisers: dict[str | None, Normaliser] = {}

    def sit(self, net: Any) -> dict[str, Rates]:
        """Errors of each dialect; empty without a dev part."""
        words: dict[str, ErrorCount] = defaultdict(ErrorCount.zero)
        letters: dict[str, ErrorCount] = defaultdict(ErrorCount.zero)
        for language in sorted({passage.language for passage in self._passages}):
            own = [one for one in self._windows if self._passages[one[0]].language == language]
            for first in range(0, len(own), TOGETHER):
                batch = own[first : first + TOGETHER]
                for (_, cut), text in zip(batch, self._heard(net, batch, language), strict=True):
                    tag = dialect_of(cut.lines)
                    normalise = self._normaliser(tag)
                    said, heard = normalise(" ".join(line.text or "" for line in cut.lines)), normalise(text)
                    words[tag or "und"] += from_counts(count(said.split(), heard.split()))
                    letters[tag or "und"] += from_counts(count(list(said), list(heard)))
        return {
            tag: Rates(wer=round(counted.rate, 4), cer=round(letters[tag].rate or 0.0, 4))
            for tag, counted in sorted(words.items())
            if counted.rate is not None
        }

    def _heard(self, net: Any, batch: Sequence[tuple[int, Cut]], language: str) -> list[str]:
        opening = self._scribe.opening(language, timed=False)
        longest = max(cut.duration for _, cut in batch)
        most = min(net.config.max_target_positions - len(opening), longest_answer(longest, language))
        sound = self._source.batch([Pick(passage=number, cut=cut) for number, cut in batch])
        tokens = greedy(net, sound, [opening] * len(batch), end=self._scribe.end, most=most)
        return [self._scribe.text(row) for row in tokens]

    def _normaliser(self, tag: str | None) -> Normaliser:
        if tag not in self._normalisers:
            known = load_catalogue().find(tag).normaliser if tag else "all-v1"
            self._normalisers[tag] = load_normaliser(known)
        return self._normalisers[tag]


def judged(rates: ByDialect, first: ByDialect, focus: Collection[str], *, alone: bool = False) -> float:
    """
    How bad *rates* are: the mean of the dialects in *focus*, and double the mean of what the others lost since *first*.

    With *alone* only the focus counts. Without a focus, the mean of all. A loss within TOLERANCE is none. The mean,
    because the dev part is small: of many dialects some always lose a word by chance.

    >>> now = {"a": Rates(wer=0.5, cer=0.3), "b": Rates(wer=0.2, cer=0.2)}
    >>> round(judged(now, {"a": Rates(wer=0.7, cer=0.7), "b": Rates(wer=0.1, cer=0.1)}, ["a"]), 3)
    0.59
    """
    learned = [own.badness for tag, own in rates.items() if tag in focus] or [own.badness for own in rates.values()]
    lost = [
        max(0.0, own.badness - first.get(tag, own).badness - TOLERANCE)
        for tag, own in rates.items()
        if tag not in focus
    ]
    forgotten = sum(lost) / len(lost) if focus and lost and not alone else 0.0
    return sum(learned) / max(1, len(learned)) + 2 * forgotten
