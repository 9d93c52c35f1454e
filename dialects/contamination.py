"""
Train/test contamination: speakers or sentences of the test that a model was trained on.

A model makes fewer errors on a speaker that it was trained on, and hardly any on such a sentence. So the report is over
unseen pairs, and the rates of the others stand beside it, or the report is refused.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dialects.errors import DialectError
from dialects.report.grouping import Grouping, group_pairs_by
from dialects.scoring.prepare import Preparer
from dialects.scoring.rows import Method
from dialects.scoring.word_errors import Pair
from dialects.tables import Table
from dialects.text.code_switching import remove_language_marks
from dialects.text.normalise import Normaliser

#: Least number of words of a sentence that is compared: shorter ones recur wherever people talk.
SHORTEST = 4
_TEXTS = ("text", "reference")
#: Jaccard index of the pairs of neighbouring words from which two sentences are nearly the same: a word of five.
NEARLY: Final = 0.5
#: Bands of hashes. Of sentences at the limit 98.6 % share a band, of those at 0.6 all but one in two thousand.
_BANDS: Final = 32
_ROWS: Final = 3
_PRIME: Final = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class Training:
    """The speakers and sentences that a model was trained on."""

    speakers: frozenset[str]
    #: As written.
    sentences: frozenset[str]


def read_training(path: Path) -> Training:
    """
    Read the speakers and sentences of a train manifest: a table.

    The columns ``speaker`` and ``text`` (or ``reference``) are read, at least one of them must be there; an empty cell
    is nobody, or nothing.

    Raises:
        DialectError: E_TRAIN for a file or row that cannot be taken, E_JSON for one that is no JSON object.
    """
    speakers: set[str] = set()
    sentences: set[str] = set()
    table = Table(file=path, any_of=("speaker", *_TEXTS), code="E_TRAIN", is_typed=True)
    columns: set[str] = set()
    for row in table.rows():
        columns.update(row.cells)
        speakers.add(str(row.cells.get("speaker") or ""))
        sentences.update(str(row.cells.get(name) or "") for name in _TEXTS)
    if columns and not columns.intersection(table.any_of):
        raise table.fault(1, "neither a speaker nor a text", hint="name the columns speaker and text")
    return Training(speakers=frozenset(speakers - {""}), sentences=frozenset(sentences - {""}))


@dataclass(frozen=True, kw_only=True)
class Contamination:
    """The pairs of a test, parted by what the training held of them."""

    unseen: tuple[Pair, ...]
    #: The speaker is in the training.
    speaker: tuple[Pair, ...]
    #: The speaker was not, and the sentence was.
    sentence: tuple[Pair, ...]

    @property
    def summary(self) -> str:
        """The contaminated pairs in words, with examples."""
        parts = []
        if self.speaker:
            names = sorted({pair.speaker for pair in self.speaker})
            parts.append(f"{len(self.speaker)} segments of {len(names)} speakers heard in training, as {names[0]!r}")
        if self.sentence:
            parts.append(f"{len(self.sentence)} segments whose sentence is in the training, as {self.sentence[0].id!r}")
        return " and ".join(parts)

    def refuse(self) -> None:
        """
        Refuse any contaminated pair.

        Raises:
            DialectError: E_SEEN.
        """
        if self.speaker or self.sentence:
            message = f"speech that no training knew was to be scored; found {self.summary}"
            hint = "take them out, or let --allow-seen print them as rows of their own"
            raise DialectError("E_SEEN", message, hint=hint)

    def group(self, prepare: Preparer, *, method: Method | None = None) -> Grouping:
        """Count errors of unseen pairs, of those of seen speakers and of those with seen sentences, a row each."""
        parts = ((0, "unseen", self.unseen), (1, "speaker seen", self.speaker), (2, "sentence seen", self.sentence))
        value_by_pair = {id(pair): (position, name) for position, name, pairs in parts for pair in pairs}
        every = (pair for _, _, pairs in parts for pair in pairs)
        return group_pairs_by(
            every, prepare, lambda pair, _: (value_by_pair[id(pair)],), keys=("training",), method=method
        )


def find_contamination(pairs: Iterable[Pair], training: Training, prepare: Preparer) -> Contamination:
    """Part *pairs* by what *training* holds of them; sentences are compared normalised, from four words on."""
    sentences_by_normaliser: dict[str, frozenset[str]] = {}
    unseen: list[Pair] = []
    speaker: list[Pair] = []
    sentence: list[Pair] = []
    for pair in pairs:
        normalise = prepare.rules(pair).normaliser
        if normalise.id not in sentences_by_normaliser:
            sentences_by_normaliser[normalise.id] = _sentences(training.sentences, normalise)
        if pair.speaker in training.speakers:
            speaker.append(pair)
        elif " ".join(prepare(pair).reference) in sentences_by_normaliser[normalise.id]:
            sentence.append(pair)
        else:
            unseen.append(pair)
    return Contamination(unseen=tuple(unseen), speaker=tuple(speaker), sentence=tuple(sentence))


def _sentences(texts: Iterable[str], normalise: Normaliser) -> frozenset[str]:
    sentences: Iterable[Sequence[str]] = (normalise(remove_language_marks(text)).split() for text in texts)
    return frozenset(" ".join(sentence) for sentence in sentences if len(sentence) >= SHORTEST)


class NearDuplicates:
    """
    An index of sentences that finds those nearly equal to another, in time linear in all of them.

    Each sentence is the set of its pairs of neighbouring words, its ends among them. Sentences whose sets may be alike
    are found by MinHash in bands (Broder 1997; Indyk and Motwani 1998) with fixed coefficients, and then compared.

    >>> index = NearDuplicates()
    >>> index.add("the bus to the market leaves at nine".split())
    >>> index.find("the bus to the market leaves at ten".split()), index.find("the bus is late".split())
    ([0], [])
    """

    def __init__(self) -> None:
        generator = np.random.Generator(np.random.PCG64(1))
        self._factors = generator.integers(1, _PRIME, size=(_BANDS * _ROWS, 1), dtype=np.int64)
        self._addends = generator.integers(0, _PRIME, size=(_BANDS * _ROWS, 1), dtype=np.int64)
        self._sentences: list[frozenset[int]] = []
        self._by_band: dict[tuple[int, bytes], list[int]] = {}

    def add(self, words: Sequence[str]) -> None:
        """Add the next sentence; its number is how many came before."""
        pairs = _hash_pairs(words)
        for band in self._list_bands(pairs):
            self._by_band.setdefault(band, []).append(len(self._sentences))
        self._sentences.append(pairs)

    def find(self, words: Sequence[str]) -> list[int]:
        """Return the numbers of the sentences nearly equal to *words*, equal ones among them."""
        pairs = _hash_pairs(words)
        numbers = {number for band in self._list_bands(pairs) for number in self._by_band.get(band, ())}
        return sorted(number for number in numbers if _jaccard(pairs, self._sentences[number]) >= NEARLY)

    def _list_bands(self, pairs: frozenset[int]) -> list[tuple[int, bytes]]:
        codes: NDArray[np.int64] = np.fromiter(pairs, dtype=np.int64, count=len(pairs))
        # Below 2 ** 31 each, so that products fit 63 bits.
        lowest = ((codes * self._factors + self._addends) % _PRIME).min(axis=1)
        return [(band, part.tobytes()) for band, part in enumerate(lowest.reshape(_BANDS, _ROWS))]


def _hash_pairs(words: Sequence[str]) -> frozenset[int]:
    neighbours = (f"{first} {second}" for first, second in pairwise(["", *words, ""]))
    return frozenset(zlib.crc32(pair.encode("utf-8", "surrogatepass")) >> 1 for pair in neighbours)


def _jaccard(first: frozenset[int], second: frozenset[int]) -> float:
    shared = len(first & second)
    return shared / (len(first) + len(second) - shared)
