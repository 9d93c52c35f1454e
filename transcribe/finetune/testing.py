"""The dev part heard while tuning: errors by dialect, and which of two results is the better one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, TypeAlias

from dialects.dialect import load_catalogue
from dialects.normalise import Normaliser, load_normaliser
from dialects.scoring import ErrorCount, count, from_counts
from transcribe.finetune.hearing import Features, greedy, to_wave
from transcribe.finetune.script import Scribe
from transcribe.finetune.shards import Shards
from transcribe.passages import Cut, Passage, cuts, dialect_of
from transcribe.records import Milliseconds

#: Errors by word of each dialect.
Rates: TypeAlias = Mapping[str, float]

#: Windows heard together.
TOGETHER: Final = 16
#: Tokens a second of sound that an answer may have, and a few more.
TOKENS_A_SECOND: Final = 12
#: What a dialect that is only to be kept may lose, in errors by word, before it counts against the others' gain.
TOLERANCE: Final = 0.005


class Exam:
    """The dev part in windows as the drafter would cut them."""

    def __init__(
        self, found: Sequence[Passage], shards: Shards, scribe: Scribe, features: Features, *, longest: Milliseconds
    ) -> None:
        self._shards, self._scribe, self._features = shards, scribe, features
        whole = [(number, one) for number, passage in enumerate(found) for one in cuts(passage, longest)]
        # Windows of like length are heard together.
        self._cuts = sorted(whole, key=lambda each: each[1].end - each[1].start)
        self._passages = found
        self._normalisers: dict[str | None, Normaliser] = {}

    def sit(self, net: Any) -> dict[str, float]:
        """Errors by word of each dialect (``und``: nobody declared one); empty without a dev part."""
        counts: dict[str, ErrorCount] = defaultdict(ErrorCount.zero)
        for language in sorted({passage.language for passage in self._passages}):
            own = [one for one in self._cuts if self._passages[one[0]].language == language]
            for first in range(0, len(own), TOGETHER):
                batch = own[first : first + TOGETHER]
                for (_, cut), text in zip(batch, self._heard(net, batch, language), strict=True):
                    tag = dialect_of(cut.lines)
                    counts[tag or "und"] += self._errors(cut, text, tag)
        return {tag: round(found.rate, 4) for tag, found in sorted(counts.items()) if found.rate is not None}

    def _heard(self, net: Any, batch: Sequence[tuple[int, Cut]], language: str) -> list[str]:
        waves = []
        for number, cut in batch:
            start = self._passages[number].start
            waves.append(to_wave(self._shards.samples(number, cut.start - start, cut.end - start)))
        opening = self._scribe.opening(language, timed=False)
        room = net.config.max_target_positions - len(opening)
        most = min(room, 24 + TOKENS_A_SECOND * max(map(len, waves)) // 16_000)
        tokens = greedy(net, self._features(waves), [opening] * len(waves), end=self._scribe.end, most=most)
        return [self._scribe.text(row) for row in tokens]

    def _errors(self, cut: Cut, text: str, tag: str | None) -> ErrorCount:
        if tag not in self._normalisers:
            known = load_catalogue().find(tag).normaliser if tag else "all-v1"
            self._normalisers[tag] = load_normaliser(known)
        normalise = self._normalisers[tag]
        said = " ".join(line.text or "" for line in cut.lines)
        return from_counts(count(normalise(said).split(), normalise(text).split()))


def judged(rates: Rates, first: Rates, focus: Collection[str], *, alone: bool = False) -> float:
    """
    How bad *rates* are: the mean of the dialects in *focus*, and double the mean of what the others lost since *first*.

    With *alone* only the focus counts. Without a focus, the mean of all. A loss within TOLERANCE is none. The mean,
    because the dev part is small: of many dialects some always lose a word by chance.

    >>> round(judged({"a": 0.4, "b": 0.2}, {"a": 0.7, "b": 0.1}, ["a"]), 3)
    0.59
    """
    learned = [rate for tag, rate in rates.items() if tag in focus] or list(rates.values())
    lost = [max(0.0, rate - first.get(tag, rate) - TOLERANCE) for tag, rate in rates.items() if tag not in focus]
    forgotten = sum(lost) / len(lost) if focus and lost and not alone else 0.0
    return sum(learned) / max(1, len(learned)) + 2 * forgotten
