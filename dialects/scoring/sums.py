"""
The counts of one pair, new or from a cache, and their sums for each dialect and speaker.

They are all that rates, intervals and tests need; no text is kept.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias

from dialects.dialect import Dialect
from dialects.scoring.prepare import Prepared, Preparer
from dialects.scoring.word_errors import (
    ErrorCount,
    Pair,
    PairRecount,
    Recount,
    character_errors,
    count,
    from_counts,
    grapheme_errors,
    recount,
    total_of,
)
from dialects.text.normalise import Normaliser
from dialects.text.variants import least_edits

#: Pairs that are counted together.
_BATCH = 10_000
#: Words of the reference, and the allowed spelling that a hypothesis had instead.
Forgiven: TypeAlias = tuple[str, str]


class PairCounts(NamedTuple):
    """The counts of one pair."""

    hits: int
    substitutions: int
    deletions: int
    insertions: int
    #: Code points without spaces, and the least edits between them.
    characters: int
    character_errors: int
    hypothesis_characters: int
    #: Extended grapheme clusters, likewise.
    graphemes: int
    grapheme_errors: int
    #: Reference words and errors of the texts as they came.
    raw_words: int
    raw_errors: int
    #: The same after the lossy steps too.
    lossy_words: int
    lossy_errors: int
    #: Errors where allowed spellings are free, over the same words as ever.
    variant_errors: int
    #: Words of both texts that were folded as numbers.
    folded: int
    #: Errors, words and aligned places that the second engine counts; zeros where it was not run.
    recount: PairRecount
    forgiven: tuple[Forgiven, ...]

    @property
    def words(self) -> int:
        """The number of reference words."""
        return self.hits + self.substitutions + self.deletions

    @property
    def errors(self) -> int:
        """The least number of word edits."""
        return self.substitutions + self.deletions + self.insertions


class CountCache(Protocol):
    """A cache of counts of earlier reports, by the keys of :meth:`~dialects.scoring.prepare.Preparer.key`."""

    def lookup(self, keys: Sequence[bytes]) -> Mapping[bytes, PairCounts]:
        """Return the counts of those of *keys* that are known."""
        ...

    def keep(self, counts: Mapping[bytes, PairCounts]) -> None:
        """Add *counts* to the cache."""
        ...


_NO_RECOUNT = PairRecount(errors=0, words=0, places=0)


def count_all(
    pairs: Sequence[Pair], prepare: Preparer, *, with_recount: bool = True, cache: CountCache | None = None
) -> Iterator[PairCounts]:
    """
    Count each of *pairs*, in their order.

    Args:
        with_recount: Let jiwer count the same words; about doubles the time.
        cache: May hold counts of the same texts already. Missing ones are counted, by jiwer too, and added.
    """
    keys = [prepare.key(pair) for pair in pairs] if cache is not None else []
    cached = cache.lookup(keys) if cache is not None else {}
    prepared = [prepare(pair) for index, pair in enumerate(pairs) if not keys or keys[index] not in cached]
    words = ((ready.reference, ready.hypothesis) for ready in prepared)
    recounts = recount(words) if with_recount or cache is not None else (_NO_RECOUNT for _ in prepared)
    counts = [_count_pair(ready, recounted) for ready, recounted in zip(prepared, recounts, strict=True)]
    if cache is None:
        yield from counts
        return
    unknown = [key for key in keys if key not in cached]
    fresh_counts = dict(zip(unknown, counts, strict=True))
    cache.keep(fresh_counts)
    yield from (cached[key] if key in cached else fresh_counts[key] for key in keys)


def count_pair(ready: Prepared) -> PairCounts:
    """Count one pair, without a second engine."""
    return _count_pair(ready, _NO_RECOUNT)


def _count_pair(ready: Prepared, cross_check: PairRecount) -> PairCounts:
    hits, substitutions, deletions, insertions = count(ready.reference, ready.hypothesis)
    errors = substitutions + deletions + insertions
    edited_characters, characters = character_errors(ready.reference, ready.hypothesis)
    edited_graphemes, graphemes = edited_characters, characters
    # Without line ends, which no word holds, each ASCII character is a cluster of its own.
    if not all(map(str.isascii, ready.reference + ready.hypothesis)):
        edited_graphemes, graphemes = grapheme_errors(ready.reference, ready.hypothesis)
    raw_reference, raw_hypothesis = ready.reference_text.split(), ready.hypothesis_text.split()
    unchanged = raw_reference == ready.reference and raw_hypothesis == ready.hypothesis
    lossy_words, lossy_errors = _count_after_lossy_steps(ready, errors)
    variant_errors, forgiven = _count_with_variants(ready, errors)
    return PairCounts(
        hits=hits,
        substitutions=substitutions,
        deletions=deletions,
        insertions=insertions,
        characters=characters,
        character_errors=edited_characters,
        hypothesis_characters=sum(map(len, ready.hypothesis)),
        graphemes=graphemes,
        grapheme_errors=edited_graphemes,
        raw_words=len(raw_reference),
        raw_errors=errors if unchanged else sum(count(raw_reference, raw_hypothesis)[1:]),
        lossy_words=lossy_words,
        lossy_errors=lossy_errors,
        variant_errors=variant_errors,
        folded=ready.folded,
        recount=cross_check,
        forgiven=forgiven,
    )


def _count_with_variants(ready: Prepared, errors: int) -> tuple[int, tuple[Forgiven, ...]]:
    hypothesis_words = set(ready.hypothesis)
    # Words that the hypothesis lacks can only help where they are fewer than those of the reference.
    spans = [
        span
        for span in ready.spans
        if len(span.words) < span.end - span.start or hypothesis_words.intersection(span.words)
    ]
    if not (errors and spans):
        return errors, ()
    best = least_edits(ready.reference, spans, ready.hypothesis)
    return best.errors, tuple((" ".join(canonical), " ".join(variant)) for canonical, variant in best.used)


def _count_after_lossy_steps(ready: Prepared, errors: int) -> tuple[int, int]:
    """Count words and errors after the lossy steps too."""
    if not (errors and ready.normaliser.lossy):
        return len(ready.reference), errors
    reference = ready.normaliser.with_lossy_words(ready.reference)
    hypothesis = ready.normaliser.with_lossy_words(ready.hypothesis)
    if reference == ready.reference and hypothesis == ready.hypothesis:
        return len(reference), errors
    return len(reference), sum(count(reference, hypothesis)[1:])


@dataclass(kw_only=True, slots=True)
class Tally:
    """The sums of one speaker of one dialect. Whole numbers, so that any order of adding gives the same."""

    segments: int = 0
    hits: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    #: Code points without spaces, and the least edits between them.
    characters: int = 0
    character_errors: int = 0
    hypothesis_characters: int = 0
    #: Extended grapheme clusters, likewise.
    graphemes: int = 0
    grapheme_errors: int = 0
    #: Reference words and errors of the texts as they came.
    raw_words: int = 0
    raw_errors: int = 0
    #: The same after the lossy steps too.
    lossy_words: int = 0
    lossy_errors: int = 0
    #: Errors where allowed spellings are free, over the same words as ever, and how often each one was needed.
    variant_errors: int = 0
    forgiven: Counter[Forgiven] = field(default_factory=Counter)
    #: Words of both texts that were folded as numbers.
    folded: int = 0
    #: Segments whose reference is empty after normalisation, and the words a model put there.
    empty_references: int = 0
    silence_insertions: int = 0
    missing_hypotheses: int = 0
    #: Length of the segments that state one.
    milliseconds: int = 0
    untimed_segments: int = 0
    #: Sums over segments, from which the variance over segments follows.
    errors_squared: int = 0
    errors_times_words: int = 0
    words_squared: int = 0
    sessions: set[str] = field(default_factory=set)

    @property
    def counts(self) -> ErrorCount:
        """The word errors."""
        return from_counts((self.hits, self.substitutions, self.deletions, self.insertions))

    def add(self, pair: Pair, counts: PairCounts) -> None:
        """Add one more pair."""
        words, errors = counts.words, counts.errors
        self.hits += counts.hits
        self.substitutions += counts.substitutions
        self.deletions += counts.deletions
        self.insertions += counts.insertions
        self.characters += counts.characters
        self.character_errors += counts.character_errors
        self.hypothesis_characters += counts.hypothesis_characters
        self.graphemes += counts.graphemes
        self.grapheme_errors += counts.grapheme_errors
        self.raw_words += counts.raw_words
        self.raw_errors += counts.raw_errors
        self.lossy_words += counts.lossy_words
        self.lossy_errors += counts.lossy_errors
        self.variant_errors += counts.variant_errors
        self.folded += counts.folded
        self.segments += 1
        self.missing_hypotheses += pair.missing
        if not words:
            self.empty_references += 1
            self.silence_insertions += counts.insertions
        if counts.forgiven:
            self.forgiven.update(counts.forgiven)
        self.errors_squared += errors * errors
        self.errors_times_words += errors * words
        self.words_squared += words * words
        if pair.duration_s is None:
            self.untimed_segments += 1
        else:
            self.milliseconds += round(pair.duration_s * 1000)
        if pair.session is not None:
            self.sessions.add(pair.session)

    def __add__(self, other: Tally) -> Tally:
        sums = {name: getattr(self, name) + getattr(other, name) for name in _NUMBERS}
        return Tally(**sums, forgiven=self.forgiven + other.forgiven, sessions=self.sessions | other.sessions)


_NUMBERS = tuple(name for name in Tally.__slots__ if name not in ("forgiven", "sessions"))


@dataclass(frozen=True, kw_only=True)
class Tallies:
    """The sums of one model's pairs."""

    #: By canonical dialect tag, then by speaker, both in alphabetical order.
    by_dialect: Mapping[str, Mapping[str, Tally]]
    dialects: Mapping[str, Dialect]
    #: For each dialect the normalisers that its pairs went through, nearly always one.
    normalisers: Mapping[str, tuple[Normaliser, ...]]
    #: The cross-check by another engine on the same words; ``None`` if it was not run.
    recount: Recount | None
    #: ``W_…`` lines of the dialects that only inherit.
    warnings: tuple[str, ...]
    #: Hash over ids, references, dialects and speakers in any order: two models with the same one can be compared.
    references: str

    @property
    def everyone(self) -> dict[str, Tally]:
        """The sums of all speakers in alphabetical order, those of several dialects together."""
        speakers: dict[str, Tally] = {}
        for parts in self.by_dialect.values():
            for speaker, part in parts.items():
                speakers[speaker] = speakers.get(speaker, Tally()) + part
        return dict(sorted(speakers.items()))


def tally(
    pairs: Iterable[Pair], prepare: Preparer, *, with_recount: bool = True, cache: CountCache | None = None
) -> Tallies:
    """
    Sum over *pairs*, which may be a stream: memory grows with speakers, not with pairs.

    Args:
        with_recount: Let jiwer count the same words; about doubles the time.
        cache: Counts of earlier reports. A cached pair is not aligned again, and the sums are the same.
    """
    sums = _Sums(prepare)
    stream = iter(pairs)
    while batch := list(itertools.islice(stream, _BATCH)):
        sums.add(batch, list(count_all(batch, prepare, with_recount=with_recount, cache=cache)))
    return sums.finish(with_recount)


class _Sums:
    """The running sums of a stream of pairs."""

    def __init__(self, prepare: Preparer) -> None:
        self._prepare = prepare
        self._sums: dict[tuple[str, str], Tally] = {}
        self._dialects: dict[str, Dialect] = {}
        self._normalisers: dict[str, dict[str, Normaliser]] = {}
        self._mixed = _UnorderedHash()
        self._recount = PairRecount(errors=0, words=0, places=0)

    def add(self, pairs: Sequence[Pair], counts: Sequence[PairCounts]) -> None:
        for pair, pair_counts in zip(pairs, counts, strict=True):
            rules = self._prepare.rules(pair)
            tag = rules.dialect.tag
            self._dialects[tag] = rules.dialect
            self._normalisers.setdefault(tag, {})[rules.normaliser.id] = rules.normaliser
            key = (tag, pair.speaker)
            if key not in self._sums:
                self._sums[key] = Tally()
            self._sums[key].add(pair, pair_counts)
            self._mixed.add(pair.id, pair.reference, tag, pair.speaker)
        self._recount = _add_recounts([self._recount, *(pair_counts.recount for pair_counts in counts)])

    def finish(self, with_recount: bool) -> Tallies:
        by_dialect: dict[str, dict[str, Tally]] = {}
        for tag, speaker in sorted(self._sums):
            by_dialect.setdefault(tag, {})[speaker] = self._sums[tag, speaker]
        named = {tag: self._normalisers[tag] for tag in by_dialect}
        return Tallies(
            by_dialect=by_dialect,
            dialects={tag: self._dialects[tag] for tag in by_dialect},
            normalisers={tag: tuple(by_id[name] for name in sorted(by_id)) for tag, by_id in named.items()},
            recount=total_of([self._recount]) if with_recount else None,
            warnings=tuple(warning for tag in by_dialect if (warning := self._dialects[tag].warning)),
            references=self._mixed.hexdigest(),
        )


def _add_recounts(recounts: Sequence[PairRecount]) -> PairRecount:
    return PairRecount(*(sum(parts) for parts in zip(*recounts, strict=True)))


class _UnorderedHash:
    """The sum of the SHA-256 of each item, so that a stream needs no sorting and the order does not show."""

    def __init__(self) -> None:
        self._sum = 0

    def add(self, *parts: str) -> None:
        # Lengths first, so that no two lists of parts make one text.
        text = f"{','.join(str(len(part)) for part in parts)}:{''.join(parts)}"
        self._sum += int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())

    def hexdigest(self) -> str:
        return f"{self._sum % 2**256:064x}"
