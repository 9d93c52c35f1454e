"""
Spellings that a dialect without a standard allows side by side: loaded, checked, and compared against.

A rule is directed: where the reference says *canonical*, a hypothesis may say *variant*. The other direction is another
rule, and rules never chain, since both would merge words silently. The number of reference words is always that of the
reference as written: a rate with variants and the strict one share their denominator, for every model.

References may also carry alternatives inline, in the notation of sclite: ``{ white paper / whitepaper } here``, where
``@`` stands for nothing and the first alternative is what counts. A backslash makes the next character an ordinary one.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal, TypeAlias, cast, get_args

from dialects.dialect import DialectTag
from dialects.errors import DialectError
from dialects.normalise import Normaliser, load_normaliser

#: Who vouches for a variant. What a language model proposed and no person has approved never counts.
Source: TypeAlias = Literal["transcriber", "reviewer", "dictionary", "orthography", "llm"]

COLUMNS = ("canonical", "variant", "scope", "source", "added_by", "date")
#: Folds case and punctuation alone.
_PLAIN = "all-v1"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One allowed spelling, one line of a variant file."""

    #: Words of the reference, normalised.
    canonical: tuple[str, ...]
    #: Words that a hypothesis may have instead; may be more or fewer.
    variant: tuple[str, ...]
    #: ``dialect`` (that of the file), ``global`` (its children too) or ``segment:ID``.
    scope: str
    source: Source
    added_by: str
    #: ISO 8601 day.
    date: str

    @property
    def segment(self) -> str | None:
        """Id of the only segment it holds for."""
        return self.scope.removeprefix("segment:") if self.scope.startswith("segment:") else None


@dataclass(frozen=True, kw_only=True)
class Span:
    """Words that may stand for reference words *start* to *end*, the end not included."""

    start: int
    end: int
    words: tuple[str, ...]


@dataclass(frozen=True)
class VariantSet:
    """The rules in force for one dialect."""

    rules: tuple[Variant, ...] = ()

    @functools.cached_property
    def _by_first_word(self) -> Mapping[str, tuple[Variant, ...]]:
        found: dict[str, list[Variant]] = {}
        for rule in self.rules:
            found.setdefault(rule.canonical[0], []).append(rule)
        return {word: tuple(rules) for word, rules in found.items()}

    def spans(self, reference: Sequence[str], *, segment: str | None = None) -> tuple[Span, ...]:
        """Where rules apply to the words of a *reference*; *segment* is its id, for rules of one segment."""
        # Nearly always no rule begins with any of the words.
        if self._by_first_word.keys().isdisjoint(reference):
            return ()
        found: list[Span] = []
        for start, word in enumerate(reference):
            for rule in self._by_first_word.get(word, ()):
                end = start + len(rule.canonical)
                if rule.segment in (None, segment) and tuple(reference[start:end]) == rule.canonical:
                    found.append(Span(start=start, end=end, words=rule.variant))
        return tuple(found)

    def collisions(self, vocabulary: Mapping[str, int], *, frequent: int = 20) -> tuple[Variant, ...]:
        """
        Rules that would make two frequent words of the dialect equal, so that real errors would vanish.

        Args:
            vocabulary: How often each word stands in the references of the dialect.
            frequent: From how many times on a word is a word of the dialect and not a slip.

        Returns:
            Rules of one word on each side, both frequent. Those of an orthography are trusted: where two spellings are
            both correct, both are frequent.
        """
        return tuple(
            rule
            for rule in self.rules
            if rule.source != "orthography"
            and len(rule.canonical) == len(rule.variant) == 1
            and min(vocabulary.get(rule.canonical[0], 0), vocabulary.get(rule.variant[0], 0)) >= frequent
        )

    def without(self, rules: Iterable[Variant]) -> VariantSet:
        """The other rules."""
        gone = set(rules)
        return VariantSet(tuple(rule for rule in self.rules if rule not in gone))

    @property
    def hash(self) -> str:
        """SHA-256 over what the rules say; who added them and when does not matter."""
        lines = sorted(f"{' '.join(one.canonical)}\t{' '.join(one.variant)}\t{one.scope}" for one in self.rules)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def load_variants(dialect: str, normalise: Normaliser, *places: Path) -> VariantSet:
    """
    The rules for *dialect*: those of its own file, and of its parents' files the ones with the scope ``global``.

    A file is ``<tag>.tsv`` with the columns canonical, variant, scope, source, added_by, date. One in *places*, which
    are folders or such files (the last one wins), replaces the one of the package. Both sides are normalised like the
    texts. Rules with the source ``llm`` are left out: a person has to put their own name to them first.

    Raises:
        DialectError: E_VARIANTS with row and column for a line that cannot be taken.
    """
    own = DialectTag.parse(dialect)
    found: list[Variant] = []
    for tag in (own, *own.parents()):
        file = _file_of(str(tag), places)
        if file is not None:
            found += [rule for rule in read_variants(file, normalise) if tag == own or rule.scope == "global"]
    trusted = (rule for rule in found if rule.source != "llm")
    return VariantSet(tuple({(rule.canonical, rule.variant, rule.scope): rule for rule in trusted}.values()))


def read_variants(file: Path | Traversable, normalise: Normaliser) -> tuple[Variant, ...]:
    """
    Every line of a variant file, those of language models too, but those that the normaliser makes needless.

    Raises:
        DialectError: E_VARIANTS, naming file, row and column.
    """
    with file.open(encoding="utf-8") as lines:
        rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    if not rows or tuple(rows[0]) != COLUMNS:
        hint = f"the first line must be {' TAB '.join(COLUMNS)}"
        raise DialectError(
            "E_VARIANTS", f"{file.name} was read as a variant file; its header differs", hint=hint, row=1
        )
    rules = (_variant(file.name, number, row, normalise) for number, row in enumerate(rows[1:], start=2) if row)
    return tuple(rule for rule in rules if rule.canonical != rule.variant)


def _variant(file: str, number: int, row: Sequence[str], normalise: Normaliser) -> Variant:
    def refuse(column: str, reason: str) -> DialectError:
        message = f"{file}, line {number}, {column}: {reason}"
        return DialectError("E_VARIANTS", message, row=number, column=column)

    if len(row) != len(COLUMNS):
        raise refuse(
            COLUMNS[min(len(row), len(COLUMNS) - 1)], f"{len(row)} cells were found, {len(COLUMNS)} are needed"
        )
    canonical, variant, scope, source, added_by, date = (cell.strip() for cell in row)
    words = {"canonical": tuple(normalise(canonical).split()), "variant": tuple(normalise(variant).split())}
    for column, found in words.items():
        if not found:
            raise refuse(column, "nothing is left after normalising; write @ inline in the reference for a free gap")
    plain = load_normaliser(_PLAIN)
    # A line whose spellings the dialect's own normaliser folds by now was right when it was written.
    if words["canonical"] == words["variant"] and plain(canonical) == plain(variant):
        raise refuse("variant", "both sides are the same after normalising, so the line does nothing")
    if scope not in ("dialect", "global") and not re.fullmatch(r"segment:\S+", scope):
        raise refuse("scope", f"{scope!r} was found; write dialect, global or segment:ID")
    if source not in get_args(Source):
        raise refuse("source", f"{source!r} was found; write one of {', '.join(get_args(Source))}")
    if not added_by:
        raise refuse("added_by", "nobody vouches for the line")
    if not _DATE.fullmatch(date):
        raise refuse("date", f"{date!r} was found; write a day as 2026-03-31")
    return Variant(**words, scope=scope, source=cast(Source, source), added_by=added_by, date=date)


def check_place(place: Path) -> None:
    """
    Refuse a place that no rule can come from, since a misspelt one would change nothing.

    Raises:
        DialectError: E_VARIANTS if *place* is neither a folder nor a file called by a dialect's tag.
    """
    if place.is_dir():
        return
    hint = "name it after its dialect: bho-Deva.tsv"
    if place.suffix != ".tsv" or not place.is_file():
        found = "is not there" if not place.exists() else "is neither a folder nor a .tsv file"
        raise DialectError("E_VARIANTS", f"variants were to be read from {place.name}; it {found}", hint=hint)
    try:
        DialectTag.parse(place.stem)
    except DialectError as error:
        message = f"variants were to be read from {place.name}; {error.message}"
        raise DialectError("E_VARIANTS", message, hint=hint) from None


def _file_of(tag: str, places: Sequence[Path]) -> Path | Traversable | None:
    for place in reversed(places):
        file = place / f"{tag}.tsv" if place.is_dir() else place
        if file.is_file() and file.stem.lower() == tag.lower():
            return file
    packaged = resources.files("dialects") / "catalogue" / "variants" / f"{tag}.tsv"
    return packaged if packaged.is_file() else None


@dataclass(frozen=True, kw_only=True)
class Marked:
    """A reference with inline alternatives."""

    #: Plain text and slots in turn; a slot is a tuple of alternatives, the first of which counts, ``""`` for nothing.
    pieces: tuple[str | tuple[str, ...], ...]

    @property
    def text(self) -> str:
        """The reference as it counts: the first alternative of each slot."""
        parts = (piece if isinstance(piece, str) else piece[0] for piece in self.pieces)
        return " ".join(part for part in parts if part)

    def words(self, normalise: Normaliser) -> tuple[list[str], tuple[Span, ...]]:
        """The normalised words of :attr:`text`, and what may stand for some of them."""
        words: list[str] = []
        spans: list[Span] = []
        for piece in self.pieces:
            alternatives = (piece,) if isinstance(piece, str) else piece
            start = len(words)
            words += normalise(alternatives[0]).split()
            others = (tuple(normalise(other).split()) for other in alternatives[1:])
            spans.extend(Span(start=start, end=len(words), words=other) for other in others)
        return words, tuple(spans)


_SLOT = re.compile(r"(?<!\\)\{((?:[^{}\\]|\\.)*)\}")
_SLASH = re.compile(r"(?<!\\)/")
#: What other scoring tools read as marks, on top of our own braces, slash and backslash.
_SPECIAL = re.compile(r"([\\{}/@<>()*])")


def parse_inline(text: str) -> Marked:
    """
    The plain parts and slots of *text*. Braces without a slash inside are ordinary text.

    >>> parse_inline("i've { um / uh / @ } as far").pieces
    ("i've", ('um', 'uh', ''), 'as far')
    """
    pieces: list[str | tuple[str, ...]] = []
    plain, done = "", 0
    for slot in _SLOT.finditer(text):
        alternatives = [part.strip() for part in _SLASH.split(slot[1])]
        if len(alternatives) == 1:
            continue
        plain = unescape(text[done : slot.start()]).strip()
        if plain:
            pieces.append(plain)
        pieces.append(tuple("" if part == "@" else unescape(part) for part in alternatives))
        done = slot.end()
    rest = unescape(text[done:]).strip()
    return Marked(pieces=(*pieces, rest) if rest else tuple(pieces))


def write_inline(marked: Marked) -> str:
    """The notation of :func:`parse_inline`, which reads it back, for STM and TRN files."""
    written: list[str] = []
    for piece in marked.pieces:
        if isinstance(piece, str):
            written.append(escape(piece))
        else:
            written.append("{ " + " / ".join(escape(part) or "@" for part in piece) + " }")
    return " ".join(written)


def escape(text: str) -> str:
    """*text* with a backslash before each character that scoring tools read as a mark."""
    return _SPECIAL.sub(r"\\\1", text)


def unescape(text: str) -> str:
    """What :func:`escape` was given. A backslash before any other character stays."""
    return re.sub(r"\\([\\{}/@<>()*])", r"\1", text)


@dataclass(frozen=True, kw_only=True)
class Forgiving:
    """The least edits where alternatives are free, and the alternatives that it took."""

    errors: int
    #: (reference words, words of the hypothesis), in order of the reference.
    used: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


#: Edits so far, alternatives used so far, and the last of them with those before.
_Cell: TypeAlias = tuple[int, int, "_Link | None"]
_Link: TypeAlias = tuple[Span, "_Link | None"]


def least_edits(reference: Sequence[str], spans: Sequence[Span], hypothesis: Sequence[str]) -> Forgiving:
    """
    The least word edits between *hypothesis* and any way through *reference* and its *spans*.

    Never more than without spans. Among equally good ways the one with the fewest alternatives is taken.
    """
    by_start: dict[int, list[Span]] = {}
    for span in spans:
        by_start.setdefault(span.start, []).append(span)
    rows: list[list[_Cell] | None] = [None] * (len(reference) + 1)
    rows[0] = [(column, 0, None) for column in range(len(hypothesis) + 1)]
    for at in range(len(reference) + 1):
        row = _after_insertions(cast(list[_Cell], rows[at]))
        # Words that may be said where the reference has none lead back to the same place, so they come first.
        for span in sorted(by_start.get(at, ()), key=lambda span: span.end):
            beyond = _after_span(row, span, hypothesis)
            if span.end == at:
                row = _better(row, beyond)
            else:
                rows[span.end] = _better(rows[span.end], beyond)
        rows[at] = row
        if at < len(reference):
            rows[at + 1] = _better(rows[at + 1], _after_word(row, reference[at], hypothesis))
    edits, _, link = cast(list[_Cell], rows[-1])[-1]
    used: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    while link is not None:
        span, link = link
        used.append((tuple(reference[span.start : span.end]), span.words))
    return Forgiving(errors=edits, used=tuple(reversed(used)))


def _after_span(row: Sequence[_Cell], span: Span, hypothesis: Sequence[str]) -> list[_Cell]:
    beyond: list[_Cell] = [(edits, used + 1, (span, link)) for edits, used, link in row]
    for word in span.words:
        beyond = _after_insertions(_after_word(beyond, word, hypothesis))
    return beyond


def _after_word(row: Sequence[_Cell], word: str, hypothesis: Sequence[str]) -> list[_Cell]:
    """One step along a reference word: it was deleted, or paired with a word of the hypothesis."""
    after: list[_Cell] = [(row[0][0] + 1, *row[0][1:])]
    for column, heard in enumerate(hypothesis):
        deleted = (row[column + 1][0] + 1, *row[column + 1][1:])
        paired = (row[column][0] + (word != heard), *row[column][1:])
        after.append(min(paired, deleted, key=_cost))
    return after


def _after_insertions(row: Sequence[_Cell]) -> list[_Cell]:
    after = [row[0]]
    for cell in row[1:]:
        inserted = (after[-1][0] + 1, *after[-1][1:])
        after.append(min(cell, inserted, key=_cost))
    return after


def _better(one: list[_Cell] | None, other: list[_Cell]) -> list[_Cell]:
    return other if one is None else [min(pair, key=_cost) for pair in zip(one, other, strict=True)]


def _cost(cell: _Cell) -> tuple[int, int]:
    return cell[:2]
