"""
What one pair adds to a report, in whole numbers. No text but the spellings that were forgiven.

It follows from the two texts, the normaliser and the spelling rules alone. So it can be kept under a key made of these,
and a report over a million segments of which ten are new aligns ten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from dialects.preparing import Prepared, Preparer
from dialects.scoring import Again, Pair, character_errors, count, grapheme_errors, recounted
from dialects.variants import least_edits

#: Words of the reference, and the allowed spelling that a hypothesis had instead.
Forgiven: TypeAlias = tuple[str, str]


class Counted(NamedTuple):
    """The sums of one pair."""

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
    #: Errors, words and aligned places that the second engine finds; zeros where nobody asked it.
    again: Again
    forgiven: tuple[Forgiven, ...]

    @property
    def words(self) -> int:
        """Reference words."""
        return self.hits + self.substitutions + self.deletions

    @property
    def errors(self) -> int:
        """The least number of word edits."""
        return self.substitutions + self.deletions + self.insertions


class Kept(Protocol):
    """Counts of earlier reports, by the keys of :meth:`~dialects.preparing.Preparer.key`."""

    def lookup(self, keys: Sequence[bytes]) -> Mapping[bytes, Counted]:
        """Those of *keys* that are known."""
        ...

    def keep(self, counts: Mapping[bytes, Counted]) -> None:
        """Know *counts* from now on."""
        ...


_NOT_AGAIN = Again(errors=0, words=0, places=0)


def count_all(
    pairs: Sequence[Pair], prepare: Preparer, *, with_recount: bool = True, kept: Kept | None = None
) -> Iterator[Counted]:
    """
    The counts of each of *pairs*, in their order.

    Args:
        with_recount: Let jiwer count the same words; about doubles the time.
        kept: Where counts of the same texts may lie already. What it lacks is counted, by jiwer too, and kept.
    """
    keys = [prepare.key(pair) for pair in pairs] if kept is not None else []
    known = kept.lookup(keys) if kept is not None else {}
    fresh = [prepare(pair) for at, pair in enumerate(pairs) if not keys or keys[at] not in known]
    words = ((ready.reference, ready.hypothesis) for ready in fresh)
    again = recounted(words) if with_recount or kept is not None else (_NOT_AGAIN for _ in fresh)
    new = [_counted(ready, found) for ready, found in zip(fresh, again, strict=True)]
    if kept is None:
        yield from new
        return
    unknown = [key for key in keys if key not in known]
    made = dict(zip(unknown, new, strict=True))
    kept.keep(made)
    yield from (known[key] if key in known else made[key] for key in keys)


def counted(ready: Prepared) -> Counted:
    """The counts of one pair, without a second engine."""
    return _counted(ready, _NOT_AGAIN)


def _counted(ready: Prepared, again: Again) -> Counted:
    hits, substitutions, deletions, insertions = count(ready.reference, ready.hypothesis)
    errors = substitutions + deletions + insertions
    edited_characters, characters = character_errors(ready.reference, ready.hypothesis)
    edited_graphemes, graphemes = edited_characters, characters
    # Without line ends, which no word holds, each ASCII character is a cluster of its own.
    if not all(map(str.isascii, ready.reference + ready.hypothesis)):
        edited_graphemes, graphemes = grapheme_errors(ready.reference, ready.hypothesis)
    raw_reference, raw_hypothesis = ready.written.split(), ready.heard.split()
    unchanged = raw_reference == ready.reference and raw_hypothesis == ready.hypothesis
    lossy_words, lossy_errors = _lossy(ready, errors)
    variant_errors, forgiven = _forgiving(ready, errors)
    return Counted(
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
        again=again,
        forgiven=forgiven,
    )


def _forgiving(ready: Prepared, errors: int) -> tuple[int, tuple[Forgiven, ...]]:
    heard = set(ready.hypothesis)
    # Words that were not heard can only help where they are fewer than those of the reference.
    spans = [span for span in ready.spans if len(span.words) < span.end - span.start or heard.intersection(span.words)]
    if not (errors and spans):
        return errors, ()
    found = least_edits(ready.reference, spans, ready.hypothesis)
    return found.errors, tuple((" ".join(canonical), " ".join(variant)) for canonical, variant in found.used)


def _lossy(ready: Prepared, errors: int) -> tuple[int, int]:
    """Words and errors after the lossy steps too."""
    if not (errors and ready.normaliser.lossy):
        return len(ready.reference), errors
    reference = ready.normaliser.with_lossy_words(ready.reference)
    hypothesis = ready.normaliser.with_lossy_words(ready.hypothesis)
    if reference == ready.reference and hypothesis == ready.hypothesis:
        return len(reference), errors
    return len(reference), sum(count(reference, hypothesis)[1:])
