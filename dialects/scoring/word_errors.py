"""
Word errors between two texts: hits, substitutions, deletions and insertions, counted the same way everywhere.

Minimum edits do not fix S, D and I: tools agree on the total and differ in its parts (jiwer has 15 % more
substitutions than sclite at 47 % WER). The rule here: minimum edits, then maximum hits. It makes the four counts
unique, because deletions minus insertions is the difference of the lengths. Reports name it ``min-edit/max-hit/1``.

Words are what white space separates; texts come normalised.
"""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import regex
from rapidfuzz.distance import Levenshtein

#: Name of the counting rule, for reports.
ALIGNMENT = "min-edit/max-hit/1"
#: Stands in a text for redacted speech. It is no word: what it hides is neither right nor wrong.
HIDDEN = "[masked]"


#: (hits, substitutions, deletions, insertions): the plain form of a count, for a million of them.
Counts: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """The reference and one model's hypothesis of the same speech."""

    #: Names the segment; (model, id) is unique.
    id: str
    reference: str
    hypothesis: str
    #: BCP 47 tag of the reference speaker's dialect.
    dialect: str
    speaker: str
    model: str | None = None
    #: Conversation: speakers who share one are not independent.
    session: str | None = None
    #: Length of the speech in seconds.
    duration_s: float | None = None
    #: Signal to noise ratio in dB, as the source estimated it.
    snr_db: float | None = None
    #: Language, where it is not the primary subtag of *dialect*.
    language: str | None = None
    #: Where it was said, in the words of the manifest: clinic, bank, street.
    context: str | None = None
    #: Somebody else speaks at the same time; ``None`` where it is unknown.
    overlapped: bool | None = None
    #: True where the model gave nothing for this id: its words count as deletions.
    missing: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorCount:
    """
    The word errors of any amount of text. Counts add; the rate follows from the sum and is never averaged.

    >>> ErrorCount(hits=4, substitutions=1, deletions=1, insertions=1).rate
    0.5
    """

    hits: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    def __post_init__(self) -> None:
        if min(self.hits, self.substitutions, self.deletions, self.insertions) < 0:
            raise ValueError(f"counts cannot be negative: {self!r}")

    @classmethod
    def zero(cls) -> ErrorCount:
        """Return the count of no text at all."""
        return cls()

    @property
    def words(self) -> int:
        """The number of reference words: hits + substitutions + deletions."""
        return self.hits + self.substitutions + self.deletions

    @property
    def hypothesis_words(self) -> int:
        """The number of hypothesis words: hits + substitutions + insertions."""
        return self.hits + self.substitutions + self.insertions

    @property
    def errors(self) -> int:
        """The least number of edits: substitutions + deletions + insertions."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float | None:
        """The word error rate, *errors* over *words*. ``None`` without reference words."""
        return self.errors / self.words if self.words else None

    @property
    def match_error_rate(self) -> float | None:
        """The errors over all aligned places (Morris et al. 2004): at most 1. ``None`` where both sides are empty."""
        places = self.words + self.insertions
        return self.errors / places if places else None

    def __add__(self, other: ErrorCount) -> ErrorCount:
        return ErrorCount(
            hits=self.hits + other.hits,
            substitutions=self.substitutions + other.substitutions,
            deletions=self.deletions + other.deletions,
            insertions=self.insertions + other.insertions,
        )


def count(reference: Sequence[str], hypothesis: Sequence[str]) -> Counts:
    """
    Count (hits, substitutions, deletions, insertions) of two word lists, by minimum edits, then maximum hits.

    One weighted edit distance gives both: with costs M for an insertion or a deletion, M + 1 for a substitution and M
    above the sum of the lengths, the quotient by M is the number of edits and the remainder that of substitutions.
    Words are compared by rapidfuzz through their 64-bit hashes.
    """
    if reference == hypothesis:
        return len(reference), 0, 0, 0
    weight = len(reference) + len(hypothesis) + 1
    cost = Levenshtein.distance(reference, hypothesis, weights=(weight, weight, weight + 1))
    edits, substitutions = divmod(cost, weight)
    longer = len(reference) - len(hypothesis)
    deletions = (edits - substitutions + longer) // 2
    return len(reference) - substitutions - deletions, substitutions, deletions, deletions - longer


def score(pairs: Iterable[Pair]) -> ErrorCount:
    """Count the word errors of all *pairs* together, split at white space and compared as they are: normalise first."""
    hits = substitutions = deletions = insertions = 0
    for pair in pairs:
        counts = count(pair.reference.split(), pair.hypothesis.split())
        hits += counts[0]
        substitutions += counts[1]
        deletions += counts[2]
        insertions += counts[3]
    return from_counts((hits, substitutions, deletions, insertions))


def total_edits(pairs: Iterable[Pair]) -> int:
    """Count the least number of word edits of all *pairs*, where their kinds do not matter."""
    distance = Levenshtein.distance
    return sum(
        distance(pair.reference.split(), pair.hypothesis.split()) for pair in pairs if pair.reference != pair.hypothesis
    )


def from_counts(counts: Counts) -> ErrorCount:
    """Return the :class:`ErrorCount` of (hits, substitutions, deletions, insertions)."""
    hits, substitutions, deletions, insertions = counts
    return ErrorCount(hits=hits, substitutions=substitutions, deletions=deletions, insertions=insertions)


class Edit(NamedTuple):
    """A place of an alignment. A side is ``None`` where it has no word."""

    kind: Literal["hit", "substitution", "deletion", "insertion"]
    reference: str | None
    hypothesis: str | None


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[Edit, ...]:
    """
    Align two word lists by a path with the counts of :func:`count`, from the first word to the last.

    Nearly always rapidfuzz's, which has the least edits. Where another one has more hits, it is looked for in the whole
    table: read from the end, a pair goes before a deletion before an insertion. That takes a byte of memory for each
    combination of the words that differ, 100 MB for 10,000 by 10,000.
    """
    if reference == hypothesis:
        return tuple(map(_hit, reference))
    edits: list[Edit] = []
    replaced = 0
    for step in Levenshtein.opcodes(reference, hypothesis):
        spoken = reference[step.src_start : step.src_end]
        if step.tag == "equal":
            edits += map(_hit, spoken)
            continue
        drafted = hypothesis[step.dest_start : step.dest_end]
        if step.tag == "replace":
            replaced += len(spoken)
            edits += [Edit("substitution", first, second) for first, second in zip(spoken, drafted, strict=True)]
        else:
            edits += [Edit("deletion", word, None) for word in spoken]
            edits += [Edit("insertion", None, word) for word in drafted]
    # Hits come in the place of two substitutions, by a deletion and an insertion; of fewer there is nothing to gain.
    if replaced < 2 or replaced == count(reference, hypothesis)[1]:
        return tuple(edits)
    prefix, suffix = _shared_ends(reference, hypothesis)
    middle = _middle(reference[prefix : len(reference) - suffix], hypothesis[prefix : len(hypothesis) - suffix])
    return (*map(_hit, reference[:prefix]), *middle, *map(_hit, reference[len(reference) - suffix :]))


@functools.lru_cache(maxsize=100_000)
def _hit(word: str) -> Edit:
    """Return the same hit for the same word: most places are hits, and words recur."""
    return Edit("hit", word, word)


def _shared_ends(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[int, int]:
    """Return the lengths of the shared beginning and end. Pairing these words is free, so some best path does it."""
    shorter = min(len(reference), len(hypothesis))
    first = 0
    while first < shorter and reference[first] == hypothesis[first]:
        first += 1
    last = 0
    while last < shorter - first and reference[-1 - last] == hypothesis[-1 - last]:
        last += 1
    return first, last


_PAIR, _DELETE, _INSERT = 0, 1, 2


def _middle(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Edit]:
    steps = _directions(reference, hypothesis)
    edits: list[Edit] = []
    row, column = len(reference), len(hypothesis)
    while row or column:
        step = steps[row, column]
        if step == _PAIR:
            row, column = row - 1, column - 1
            kind: Literal["hit", "substitution"] = "hit" if reference[row] == hypothesis[column] else "substitution"
            edits.append(Edit(kind, reference[row], hypothesis[column]))
        elif step == _DELETE:
            row -= 1
            edits.append(Edit("deletion", reference[row], None))
        else:
            column -= 1
            edits.append(Edit("insertion", None, hypothesis[column]))
    return edits[::-1]


def _directions(reference: Sequence[str], hypothesis: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """The step into each cell of the edit matrix, shape (reference + 1, hypothesis + 1)."""
    numbers: dict[str, int] = {}
    rows = [numbers.setdefault(word, len(numbers)) for word in reference]
    columns = np.array([numbers.setdefault(word, len(numbers)) for word in hypothesis], dtype=np.int64)
    weight = len(reference) + len(hypothesis) + 1
    steps = np.full((len(rows) + 1, len(columns) + 1), _INSERT, dtype=np.uint8)
    steps[:, 0] = _DELETE
    across = np.arange(len(columns) + 1, dtype=np.int64) * weight
    above = across
    for row, number in enumerate(rows, start=1):
        paired = above[:-1] + np.where(columns == number, 0, weight + 1)
        deleted = above + weight
        best = deleted.copy()
        np.minimum(best[1:], paired, out=best[1:])
        # A run of insertions from the left is a running minimum once each cell's share of them is taken off.
        best = np.minimum.accumulate(best - across) + across
        steps[row][best == deleted] = _DELETE
        steps[row, 1:][best[1:] == paired] = _PAIR
        above = best
    return steps


def character_errors(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[int, int]:
    """Count (edits, reference length) in Unicode code points of two word lists, spaces left out."""
    reference_text, hypothesis_text = "".join(reference), "".join(hypothesis)
    return Levenshtein.distance(reference_text, hypothesis_text), len(reference_text)


def grapheme_errors(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[int, int]:
    """Count (edits, reference length) in extended grapheme clusters (UAX 29) of two word lists, spaces left out."""
    memory = _clusters()
    memory.make_room()
    reference_codes, hypothesis_codes = memory.encode(reference), memory.encode(hypothesis)
    return Levenshtein.distance(reference_codes, hypothesis_codes), len(reference_codes)


def graphemes(text: str) -> list[str]:
    """Split *text* into its extended grapheme clusters, in order."""
    clusters: list[str] = _CLUSTER.findall(text)
    return clusters


_CLUSTER = regex.compile(r"\X")


class _Clusters(dict[str, str]):
    """A cache of words as strings of one code a cluster: the words of a language recur, and strings compare quickly."""

    _MOST = 500_000

    def __init__(self) -> None:
        super().__init__()
        self._codes: dict[str, str] = {}

    def __missing__(self, word: str) -> str:
        codes = self._codes
        self[word] = encoded = "".join(codes.setdefault(cluster, chr(len(codes))) for cluster in graphemes(word))
        return encoded

    def make_room(self) -> None:
        if len(self) > self._MOST or len(self._codes) > self._MOST:
            self.clear()
            self._codes.clear()

    def encode(self, words: Sequence[str]) -> str:
        return "".join(map(self.__getitem__, words))


@functools.cache
def _clusters() -> _Clusters:
    return _Clusters()


@dataclass(frozen=True, kw_only=True)
class Recount:
    """The cross-check by jiwer. Its total must be ours; its parts differ, so its MER stands here alone."""

    version: str
    errors: int
    words: int
    match_error_rate: float | None


class RecountError(RuntimeError):
    """The error of two engines that disagree on the least number of edits: a bug, never an input."""


class PairRecount(NamedTuple):
    """The cross-check of one pair by jiwer."""

    errors: int
    words: int
    #: Hits, substitutions, deletions and insertions together: what its MER divides by.
    places: int


def recount(pairs: Iterable[tuple[Sequence[str], Sequence[str]]], *, batch: int = 10_000) -> Iterator[PairRecount]:
    """Count errors of each (reference words, hypothesis words) by jiwer, *batch* at a time to bound its memory."""
    import jiwer

    for references, hypotheses in _batches(pairs, batch):
        output = jiwer.process_words(references, hypotheses)
        for words, chunks in zip(output.references, output.alignments, strict=True):
            inserted = replaced = 0
            for chunk in chunks:
                if chunk.type == "insert":
                    inserted += chunk.hyp_end_idx - chunk.hyp_start_idx
                elif chunk.type != "equal":
                    replaced += chunk.ref_end_idx - chunk.ref_start_idx
            yield PairRecount(errors=replaced + inserted, words=len(words), places=len(words) + inserted)


def total_of(recounts: Iterable[PairRecount]) -> Recount:
    """Sum the *recounts* of pairs, and add the version of jiwer."""
    errors, words, places = (sum(parts) for parts in zip((0, 0, 0), *recounts, strict=True))
    rate = errors / places if places else None
    return Recount(version=importlib.metadata.version("jiwer"), errors=errors, words=words, match_error_rate=rate)


def check(ours: ErrorCount, theirs: Recount) -> None:
    """
    Compare the totals of two engines.

    Raises:
        RecountError: If edits or reference words differ.
    """
    if (ours.errors, ours.words) != (theirs.errors, theirs.words):
        raise RecountError(
            f"counted {ours.errors} errors in {ours.words} words; "
            f"jiwer {theirs.version} counts {theirs.errors} in {theirs.words}"
        )


def _batches(pairs: Iterable[tuple[Sequence[str], Sequence[str]]], size: int) -> Iterator[tuple[list[str], list[str]]]:
    references: list[str] = []
    hypotheses: list[str] = []
    for reference, hypothesis in pairs:
        references.append(" ".join(reference))
        hypotheses.append(" ".join(hypothesis))
        if len(references) == size:
            yield references, hypotheses
            references, hypotheses = [], []
    if references:
        yield references, hypotheses
