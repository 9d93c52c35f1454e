"""
Spelling variants: the spellings that a dialect without a standard allows side by side.

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
from dialects.text.normalise import Normaliser, load_normaliser

#: The source that vouches for a variant. Proposals of a language model that no person has approved never count.
Source: TypeAlias = Literal["transcriber", "reviewer", "dictionary", "orthography", "llm"]

COLUMNS = ("canonical", "variant", "scope", "source", "added_by", "date")
#: Folds case and punctuation alone.
_PLAIN = "all-v1"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, kw_only=True)
class Variant:
    """An allowed spelling, one line of a variant file."""

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
        """The id of the only segment it holds for."""
        return self.scope.removeprefix("segment:") if self.scope.startswith("segment:") else None


@dataclass(frozen=True, kw_only=True)
class Span:
    """The words that may stand for reference words *start* to *end*, the end not included."""

    start: int
    end: int
    words: tuple[str, ...]


@dataclass(frozen=True)
class VariantSet:
    """The rules in force for one dialect."""

    rules: tuple[Variant, ...] = ()

    @functools.cached_property
    def _by_first_word(self) -> Mapping[str, tuple[Variant, ...]]:
        rules_by_word: dict[str, list[Variant]] = {}
        for rule in self.rules:
            rules_by_word.setdefault(rule.canonical[0], []).append(rule)
        return {word: tuple(rules) for word, rules in rules_by_word.items()}

    def spans(self, reference: Sequence[str], *, segment: str | None = None) -> tuple[Span, ...]:
        """Find where rules apply to the words of a *reference*; *segment* is its id, for rules of one segment."""
        # Nearly always no rule begins with any of the words.
        if self._by_first_word.keys().isdisjoint(reference):
            return ()
        spans: list[Span] = []
        for start, word in enumerate(reference):
            for rule in self._by_first_word.get(word, ()):
                end = start + len(rule.canonical)
                if rule.segment in (None, segment) and tuple(reference[start:end]) == rule.canonical:
                    spans.append(Span(start=start, end=end, words=rule.variant))
        return tuple(spans)

    def collisions(self, vocabulary: Mapping[str, int], *, frequent: int = 20) -> tuple[Variant, ...]:
        """
        Find rules that would make two frequent words of the dialect equal, so that real errors would vanish.

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
        """Return the set without *rules*."""
        removed = set(rules)
        return VariantSet(tuple(rule for rule in self.rules if rule not in removed))

    @property
    def hash(self) -> str:
        """The SHA-256 over the spellings and scopes of the rules; who added them and when does not matter."""
        lines = sorted(f"{' '.join(rule.canonical)}\t{' '.join(rule.variant)}\t{rule.scope}" for rule in self.rules)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def load_variants(dialect: str, normalise: Normaliser, *paths: Path) -> VariantSet:
    """
    Load the rules for *dialect*: those of its own file, and of its parents' files the ones with the scope ``global``.

    A file is ``<tag>.tsv`` with the columns canonical, variant, scope, source, added_by, date. One in *paths*, which
    are folders or such files (the last one wins), replaces the one of the package. Both sides are normalised like the
    texts. Rules with the source ``llm`` are left out: a person has to put their own name to them first.

    Raises:
        DialectError: E_VARIANTS with row and column for a line that cannot be taken.
    """
    dialect_tag = DialectTag.parse(dialect)
    rules: list[Variant] = []
    for tag in (dialect_tag, *dialect_tag.parents()):
        file = _file_of(str(tag), paths)
        if file is not None:
            rules += [rule for rule in read_variants(file, normalise) if tag == dialect_tag or rule.scope == "global"]
    trusted = (rule for rule in rules if rule.source != "llm")
    return VariantSet(tuple({(rule.canonical, rule.variant, rule.scope): rule for rule in trusted}.values()))


def read_variants(file: Path | Traversable, normalise: Normaliser) -> tuple[Variant, ...]:
    """
    Read a variant file, lines of language models too, but not those that the normaliser makes needless.

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
    for column, side in words.items():
        if not side:
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


def check_path(path: Path) -> None:
    """
    Refuse a path that no rule can come from, since a misspelt one would change nothing.

    Raises:
        DialectError: E_VARIANTS if *path* is neither a folder nor a file called by a dialect's tag.
    """
    if path.is_dir():
        return
    hint = "name it after its dialect: bho-Deva.tsv"
    if path.suffix != ".tsv" or not path.is_file():
        problem = "is not there" if not path.exists() else "is neither a folder nor a .tsv file"
        raise DialectError("E_VARIANTS", f"variants were to be read from {path.name}; it {problem}", hint=hint)
    try:
        DialectTag.parse(path.stem)
    except DialectError as error:
        message = f"variants were to be read from {path.name}; {error.message}"
        raise DialectError("E_VARIANTS", message, hint=hint) from None


def _file_of(tag: str, paths: Sequence[Path]) -> Path | Traversable | None:
    for path in reversed(paths):
        file = path / f"{tag}.tsv" if path.is_dir() else path
        if file.is_file() and file.stem.lower() == tag.lower():
            return file
    packaged = resources.files("dialects") / "catalogue" / "variants" / f"{tag}.tsv"
    return packaged if packaged.is_file() else None


@dataclass(frozen=True, kw_only=True)
class InlineReference:
    """A reference with inline alternatives."""

    #: Plain text and slots in turn; a slot is a tuple of alternatives, the first of which counts, ``""`` for nothing.
    pieces: tuple[str | tuple[str, ...], ...]

    @property
    def text(self) -> str:
        """The reference as it counts: the first alternative of each slot."""
        parts = (piece if isinstance(piece, str) else piece[0] for piece in self.pieces)
        return " ".join(part for part in parts if part)

    def words(self, normalise: Normaliser) -> tuple[list[str], tuple[Span, ...]]:
        """Return the normalised words of :attr:`text`, and the spans that may stand for some of them."""
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


def parse_inline(text: str) -> InlineReference:
    """
    Parse *text* into plain parts and slots. Braces without a slash inside are ordinary text.

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
    tail = unescape(text[done:]).strip()
    return InlineReference(pieces=(*pieces, tail) if tail else tuple(pieces))


def unescape(text: str) -> str:
    """Remove the backslash before characters that scoring tools read as marks; before any other one it stays."""
    return re.sub(r"\\([\\{}/@<>()*])", r"\1", text)


@dataclass(frozen=True, kw_only=True)
class LeastEdits:
    """The least edits where alternatives are free, and the alternatives that it took."""

    errors: int
    #: (reference words, words of the hypothesis), in order of the reference.
    used: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


#: Edits so far, alternatives used so far, and the last of them with those before.
_Cell: TypeAlias = tuple[int, int, "_Link | None"]
_Link: TypeAlias = tuple[Span, "_Link | None"]


def least_edits(reference: Sequence[str], spans: Sequence[Span], hypothesis: Sequence[str]) -> LeastEdits:
    """
    Find the least word edits between *hypothesis* and any way through *reference* and its *spans*.

    Never more than without spans. Among equally good ways the one with the fewest alternatives is taken.
    """
    by_start: dict[int, list[Span]] = {}
    for span in spans:
        by_start.setdefault(span.start, []).append(span)
    rows: list[list[_Cell] | None] = [None] * (len(reference) + 1)
    rows[0] = [(column, 0, None) for column in range(len(hypothesis) + 1)]
    for position in range(len(reference) + 1):
        row = _after_insertions(cast(list[_Cell], rows[position]))
        # Words that may be said where the reference has none lead back to the same place, so they come first.
        for span in sorted(by_start.get(position, ()), key=lambda span: span.end):
            beyond = _after_span(row, span, hypothesis)
            if span.end == position:
                row = _choose_cheaper(row, beyond)
            else:
                rows[span.end] = _choose_cheaper(rows[span.end], beyond)
        rows[position] = row
        if position < len(reference):
            rows[position + 1] = _choose_cheaper(rows[position + 1], _after_word(row, reference[position], hypothesis))
    edits, _, link = cast(list[_Cell], rows[-1])[-1]
    used: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    while link is not None:
        span, link = link
        used.append((tuple(reference[span.start : span.end]), span.words))
    return LeastEdits(errors=edits, used=tuple(reversed(used)))


def _after_span(row: Sequence[_Cell], span: Span, hypothesis: Sequence[str]) -> list[_Cell]:
    beyond: list[_Cell] = [(edits, used + 1, (span, link)) for edits, used, link in row]
    for word in span.words:
        beyond = _after_insertions(_after_word(beyond, word, hypothesis))
    return beyond


def _after_word(row: Sequence[_Cell], word: str, hypothesis: Sequence[str]) -> list[_Cell]:
    """Step along a reference word: it was deleted, or paired with a word of the hypothesis."""
    after: list[_Cell] = [(row[0][0] + 1, *row[0][1:])]
    for column, drafted in enumerate(hypothesis):
        deleted = (row[column + 1][0] + 1, *row[column + 1][1:])
        paired = (row[column][0] + (word != drafted), *row[column][1:])
        after.append(min(paired, deleted, key=_cost))
    return after


def _after_insertions(row: Sequence[_Cell]) -> list[_Cell]:
    after = [row[0]]
    for cell in row[1:]:
        inserted = (after[-1][0] + 1, *after[-1][1:])
        after.append(min(cell, inserted, key=_cost))
    return after


def _choose_cheaper(first: list[_Cell] | None, second: list[_Cell]) -> list[_Cell]:
    return second if first is None else [min(pair, key=_cost) for pair in zip(first, second, strict=True)]


def _cost(cell: _Cell) -> tuple[int, int]:
    return cell[:2]
