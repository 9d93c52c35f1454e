"""
The counts of one pair, in whole numbers. No text but the spellings that were forgiven.

They follow from the two texts, the normaliser and the spelling rules alone. So they can be cached by a key of these,
and a report over a million segments of which ten are new aligns ten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from dialects.preparing import Prepared, Preparer
from dialects.scoring import Pair, PairRecount, character_errors, count, grapheme_errors, recount
from dialects.variants import least_edits

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
    """A cache of counts of earlier reports, by the keys of :meth:`~dialects.preparing.Preparer.key`."""

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
