"""Sums over pairs for each dialect and speaker: all that rates, intervals and tests are made of. No text is kept."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from dialects.dialect import Dialect
from dialects.normalise import Normaliser
from dialects.preparing import Prepared
from dialects.scoring import (
    ErrorCount,
    Pair,
    Recount,
    character_errors,
    count,
    from_counts,
    grapheme_errors,
    recount,
)
from dialects.variants import least_edits

#: Words of the reference, and the allowed spelling that a hypothesis had instead.
Forgiven: TypeAlias = tuple[str, str]


@dataclass(kw_only=True, slots=True)
class Tally:
    """What one speaker of one dialect contributes. Whole numbers, so that any order of adding gives the same."""

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
    #: What another engine counted on the same words; ``None`` if nobody asked.
    recount: Recount | None
    #: ``W_…`` lines of the dialects that only inherit.
    warnings: tuple[str, ...]
    #: Hash over ids, references, dialects and speakers in any order: two models with the same one can be compared.
    references: str

    @property
    def everyone(self) -> dict[str, Tally]:
        """All speakers in alphabetical order, those of several dialects summed."""
        speakers: dict[str, Tally] = {}
        for parts in self.by_dialect.values():
            for speaker, part in parts.items():
                speakers[speaker] = speakers.get(speaker, Tally()) + part
        return dict(sorted(speakers.items()))


def tally(pairs: Iterable[Pair], prepare: Callable[[Pair], Prepared], *, with_recount: bool = True) -> Tallies:
    """
    The sums of *pairs*, which may be a stream: memory grows with speakers, not with pairs.

    Args:
        with_recount: Let jiwer count the same words; about doubles the time.
    """
    sums: dict[tuple[str, str], Tally] = {}
    dialects: dict[str, Dialect] = {}
    normalisers: dict[str, dict[str, Normaliser]] = {}

    mixed = _UnorderedHash()

    def added() -> Iterator[tuple[list[str], list[str]]]:
        for pair in pairs:
            ready = prepare(pair)
            tag = ready.dialect.tag
            dialects[tag] = ready.dialect
            normalisers.setdefault(tag, {})[ready.normaliser.id] = ready.normaliser
            key = (tag, pair.speaker)
            if key not in sums:
                sums[key] = Tally()
            _add(sums[key], ready)
            mixed.add(pair.id, pair.reference, tag, pair.speaker)
            yield ready.reference, ready.hypothesis

    checked = recount(added()) if with_recount else None
    if not with_recount:
        for _ in added():
            pass
    by_dialect: dict[str, dict[str, Tally]] = {}
    for tag, speaker in sorted(sums):
        by_dialect.setdefault(tag, {})[speaker] = sums[tag, speaker]
    return Tallies(
        by_dialect=by_dialect,
        dialects={tag: dialects[tag] for tag in by_dialect},
        normalisers={tag: tuple(normalisers[tag][name] for name in sorted(normalisers[tag])) for tag in by_dialect},
        recount=checked,
        warnings=tuple(dialects[tag].warning or "" for tag in by_dialect if dialects[tag].warning),
        references=mixed.hexdigest(),
    )


class _UnorderedHash:
    """The sum of the SHA-256 of each item: a stream needs no sorting, and the order does not show."""

    def __init__(self) -> None:
        self._sum = 0

    def add(self, *parts: str) -> None:
        # Lengths first, so that no two lists of parts make one text.
        text = f"{','.join(str(len(part)) for part in parts)}:{''.join(parts)}"
        self._sum += int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())

    def hexdigest(self) -> str:
        return f"{self._sum % 2**256:064x}"


def _add(total: Tally, ready: Prepared) -> None:
    pair = ready.pair
    hits, substitutions, deletions, insertions = count(ready.reference, ready.hypothesis)
    words, errors = len(ready.reference), substitutions + deletions + insertions
    total.segments += 1
    total.hits += hits
    total.substitutions += substitutions
    total.deletions += deletions
    total.insertions += insertions
    total.missing_hypotheses += pair.missing
    if not words:
        total.empty_references += 1
        total.silence_insertions += insertions
    total.errors_squared += errors * errors
    total.errors_times_words += errors * words
    total.words_squared += words * words
    if pair.duration_s is None:
        total.untimed_segments += 1
    else:
        total.milliseconds += round(pair.duration_s * 1000)
    if pair.session is not None:
        total.sessions.add(pair.session)
    _add_variants(total, ready, errors)
    _add_characters(total, ready)
    _add_other_rates(total, ready, errors)


def _add_variants(total: Tally, ready: Prepared, errors: int) -> None:
    heard = set(ready.hypothesis)
    # Words that were not heard can only help where they are fewer than those of the reference.
    spans = [span for span in ready.spans if len(span.words) < span.end - span.start or heard.intersection(span.words)]
    if errors and spans:
        forgiving = least_edits(ready.reference, spans, ready.hypothesis)
        errors = forgiving.errors
        total.forgiven.update((" ".join(canonical), " ".join(variant)) for canonical, variant in forgiving.used)
    total.variant_errors += errors


def _add_characters(total: Tally, ready: Prepared) -> None:
    edits, length = character_errors(ready.reference, ready.hypothesis)
    total.character_errors += edits
    total.characters += length
    total.hypothesis_characters += sum(map(len, ready.hypothesis))
    if not all(map(str.isascii, ready.reference + ready.hypothesis)):
        edits, length = grapheme_errors(ready.reference, ready.hypothesis)
    # Without line ends, which no word holds, each ASCII character is a cluster of its own.
    total.grapheme_errors += edits
    total.graphemes += length


def _add_other_rates(total: Tally, ready: Prepared, errors: int) -> None:
    raw_reference, raw_hypothesis = ready.written.split(), ready.pair.hypothesis.split()
    total.raw_words += len(raw_reference)
    total.raw_errors += sum(count(raw_reference, raw_hypothesis)[1:])
    reference, hypothesis = ready.reference, ready.hypothesis
    if errors and ready.normaliser.lossy:
        reference = ready.normaliser.with_lossy(ready.written).split()
        hypothesis = ready.normaliser.with_lossy(ready.pair.hypothesis).split()
        errors = sum(count(reference, hypothesis)[1:])
    total.lossy_words += len(reference)
    total.lossy_errors += errors
