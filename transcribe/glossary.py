"""A project's own names: how they are spelt, in which dialect, and how a recogniser misspells them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from dialects.dialect import Catalogue
from dialects.errors import DialectError
from transcribe.records import Word, content_id
from transcribe.redaction import affixes, fold_word
from transcribe.tables import Row, Table

FILE: Final = "glossary.tsv"
COLUMNS: Final = ("term", "dialect", "spoken")
CODE: Final = "E_GLOSSARY"

#: Tokens of a recogniser's prompt that names may take: of Whisper's 223, what leaves room for the dialect's own prompt.
PROMPT_ROOM: Final = 100


@dataclass(frozen=True, kw_only=True)
class Term:
    """A name of the project."""

    #: As it is written.
    text: str
    #: Canonical tag; it holds for narrower dialects too. ``None``: in all.
    dialect: str | None = None
    #: How a recogniser writes it down, or people misspell it.
    spoken: str | None = None

    def holds_in(self, dialect: str | None) -> bool:
        """
        Say if the name is one of *dialect*.

        >>> Term(text="Ravi", dialect="hi").holds_in("hi-x-awadhi"), Term(text="Ravi", dialect="hi").holds_in(None)
        (True, False)
        """
        if self.dialect is None:
            return True
        wider, narrower = self.dialect.casefold(), (dialect or "").casefold()
        return narrower == wider or narrower.startswith(f"{wider}-")


@dataclass(frozen=True, kw_only=True)
class Glossary:
    """The names of a project, in the order of the file: the first ones matter most."""

    terms: tuple[Term, ...] = ()

    @property
    def hash(self) -> str:
        """The content hash of the terms."""
        return content_id([[term.text, term.dialect, term.spoken] for term in self.terms])

    @property
    def dialects(self) -> tuple[str | None, ...]:
        """The tags that names are given for, each once."""
        return tuple(dict.fromkeys(term.dialect for term in self.terms))

    def of(self, dialect: str | None) -> tuple[Term, ...]:
        """Return the names of *dialect*, those of wider ones and of all dialects among them."""
        return tuple(term for term in self.terms if term.holds_in(dialect))

    def spell(self, words: Sequence[Word], dialect: str | None) -> tuple[Word, ...]:
        """
        Replace in *words*, in order, the spoken forms of names of *dialect* by the names; signs around a name stay.

        >>> rao = Glossary(terms=(Term(text="Rao", spoken="row how"),))
        >>> drafted = [Word(text=t, start=n, end=n + 1, probability=0.5) for n, t in enumerate(["Row", "how,", "hm"])]
        >>> [(word.text, word.start, word.end) for word in rao.spell(drafted, None)]
        [('Rao,', 0, 2), ('hm', 2, 3)]
        """
        spelt: list[Word] = []
        position = 0
        while position < len(words):
            phrase, term = self._find_phrase(words, position, dialect)
            spelt += [words[position]] if term is None else _spell_term(words[position : position + len(phrase)], term)
            position += max(len(phrase), 1)
        return tuple(spelt)

    def _find_phrase(
        self, words: Sequence[Word], position: int, dialect: str | None
    ) -> tuple[tuple[str, ...], Term | None]:
        """Return the longest spoken form that begins at *position*, with its name."""
        for phrase, term in self._by_first_word.get(fold_word(words[position].text), ()):
            candidate = tuple(fold_word(word.text) for word in words[position : position + len(phrase)])
            if candidate == phrase and term.holds_in(dialect):
                return phrase, term
        return (), None

    @cached_property
    def _by_first_word(self) -> Mapping[str, list[tuple[tuple[str, ...], Term]]]:
        """Spoken forms with their names by the first word, the longest first."""
        phrases: dict[str, list[tuple[tuple[str, ...], Term]]] = defaultdict(list)
        for term in self.terms:
            phrase = tuple(filter(None, map(fold_word, (term.spoken or "").split())))
            if phrase:
                phrases[phrase[0]].append((phrase, term))
        return {first: sorted(pairs, key=lambda pair: -len(pair[0])) for first, pairs in phrases.items()}


def fit(
    terms: Sequence[Term], count_tokens: Callable[[str], int], *, room: int = PROMPT_ROOM
) -> tuple[tuple[str, ...], int]:
    """
    Return the names that fit *room*, in tokens, in order and each once, and how many are left out.

    >>> fit([Term(text="Ravi"), Term(text="Kozhikode"), Term(text="Ravi")], len, room=8)
    (('Ravi',), 1)
    """
    names = tuple(dict.fromkeys(term.text for term in terms))
    taken = 0
    for number, name in enumerate(names):
        taken += count_tokens(f"{name}, ")
        if taken > room:
            return names[:number], len(names) - number
    return names, 0


def count_bytes(text: str) -> int:
    """Return the most tokens that *text* can have: a token holds a byte or more."""
    return len(text.encode())


def read_glossary(file: Path, catalogue: Catalogue) -> Glossary:
    """
    Read the names in *file*, a table; none where there is no such file.

    Raises:
        InputError: E_GLOSSARY with the row, E_DIALECT for a tag that is none, with the nearest one.
    """
    if not file.is_file() or not file.stat().st_size:
        return Glossary()
    table = Table(file=file, any_of=("term",), columns=COLUMNS, code=CODE, may_end_early=True)
    return Glossary(terms=tuple(_parse_term(table, row, catalogue) for row in table.rows()))


def _parse_term(table: Table, row: Row, catalogue: Catalogue) -> Term:
    cells = {name: cell.strip() for name, cell in row.cells.items()}
    if unknown := next((name for name in cells if name not in COLUMNS), None):
        what = f"a column {unknown}, which is none of {', '.join(COLUMNS)}"
        raise table.fault(row.line, what, column=unknown, hint="leave it out")
    if not cells.get("term"):
        raise table.fault(row.line, "no term", column="term", hint="write the name as it is spelt, or remove the row")
    try:
        tag = catalogue.find(cells["dialect"]).tag if cells.get("dialect") else None
    except DialectError as error:
        hint = error.hint or "write a BCP 47 tag"
        raise table.fault(row.line, error.message, column="dialect", hint=hint, code=error.code) from None
    return Term(text=" ".join(cells["term"].split()), dialect=tag, spoken=cells.get("spoken") or None)


def _spell_term(words: Sequence[Word], term: Term) -> list[Word]:
    """Return the words of *term* in the time of *words*, with the signs around the first and the last of these."""
    parts = term.text.split()
    parts[0] = affixes(words[0].text)[0] + parts[0]
    parts[-1] += affixes(words[-1].text)[1]
    if len(parts) == len(words):
        return [replace(word, text=part) for word, part in zip(words, parts, strict=True)]
    start, end = words[0].start, max(word.end for word in words)
    edges = [start + (end - start) * number // len(parts) for number in range(len(parts) + 1)]
    probability = min(word.probability for word in words)
    return [
        Word(
            text=part,
            start=edges[number],
            end=edges[number + 1],
            probability=probability,
            blank=words[0].blank if number == 0 else True,
        )
        for number, part in enumerate(parts)
    ]
