"""
A strict reader of pairs from tables.

An empty CSV cell is an empty text, and the words NA, null and nan stay words. Whatever cannot be taken is refused with
its row and column, since a skipped row is a wrong rate.
"""

from __future__ import annotations

import dataclasses
import math
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import regex

from dialects.dialect import Catalogue
from dialects.errors import DialectError
from dialects.scoring.word_errors import Pair
from dialects.tables import Table

REQUIRED = ("id", "reference", "hypothesis", "dialect", "speaker")
OPTIONAL = ("model", "session", "duration_s", "snr_db", "language", "context")
#: Characters of a text: twelve hours of talk have some 650,000. More is a file that lost its line ends.
LONGEST = 999_999

#: Scripts with letters that look alike, and these letters.
_ALIKE = {script: regex.compile(rf"\p{{Script={script}}}") for script in ("Latin", "Cyrillic", "Greek")}
_TWINS = frozenset("aceopxyiABCEHIKMOPTXYZ" + "асеорхуіАВСЕНІКМОРТХУ" + "ονικρχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ")
#: A number as half of the world writes it; one thousand and a thousandth of one look alike, and stay refused.
_DECIMAL_COMMA = regex.compile(r"^(\s*-?\d+),(\d{1,2}|\d{4,})(?=\s*$)")
_WORD = regex.compile(r"[\p{L}\p{M}]+")


def read_pairs(path: Path, *, catalogue: Catalogue | None = None, strict_dialects: bool = False) -> Iterator[Pair]:
    """
    Read the pairs of *path*, in its order, one at a time: CSV, JSON Lines or Parquet, as `dialects.tables` reads them.

    Columns: id, reference, hypothesis, dialect, speaker, optionally model, session, duration_s, snr_db, language,
    context. Others are not read. An empty dialect is unknown (``und``); an empty optional cell is unknown too.

    Args:
        catalogue: Where given, each dialect is looked up, so that an unknown one is refused with its row.
        strict_dialects: Refuse dialects without an entry of their own.

    Raises:
        DialectError: E_PAIRS for a file, row or cell that cannot be taken, or a (model, id) that stands twice;
            E_DIALECT from the catalogue. Row and column are set.
    """
    looked_up: set[str] = set()
    keys: set[tuple[str | None, str]] = set()
    table = Table(file=path, any_of=("id",), required=REQUIRED, columns=OPTIONAL, code="E_PAIRS", is_typed=True)
    for row in table.rows():
        number = row.line
        pair = _read_pair(number, row.cells)
        if (pair.model, pair.id) in keys:
            of_model = f" of model {pair.model!r}" if pair.model else ""
            raise _refuse(number, "id", f"the id {pair.id!r}{of_model} stands twice; (model, id) is the key")
        keys.add((pair.model, pair.id))
        if catalogue is not None and pair.dialect not in looked_up:
            _look_up(catalogue, pair.dialect, number, strict=strict_dialects)
            looked_up.add(pair.dialect)
        yield pair


def by_model(pairs: Iterable[Pair]) -> dict[str | None, tuple[Pair, ...]]:
    """
    Sort *pairs* by model, all over the same ids; models in order of first appearance.

    An id that only other models have is added with an empty hypothesis and ``missing``: its words count as deletions.

    Raises:
        DialectError: E_PAIRS if one id has two references, dialects or speakers.
    """
    models: dict[str | None, dict[str, Pair]] = {}
    first: dict[str, Pair] = {}
    for pair in pairs:
        other = first.setdefault(pair.id, pair)
        for name in ("reference", "dialect", "speaker"):
            if getattr(pair, name) != getattr(other, name):
                reason = f"the id {pair.id!r} has one {name} with model {other.model!r}, another with {pair.model!r}"
                raise DialectError("E_PAIRS", reason, hint="models are compared on the same segments", column=name)
        models.setdefault(pair.model, {})[pair.id] = pair
    return {
        model: tuple(
            pair_by_id.get(name) or dataclasses.replace(other, model=model, hypothesis="", missing=True)
            for name, other in first.items()
        )
        for model, pair_by_id in models.items()
    }


def _read_pair(number: int, cells: Mapping[str, Any]) -> Pair:
    # Interned: names recur in every row, and a million rows would hold a million copies.
    return Pair(
        id=_read_name(number, cells, "id"),
        reference=_read_one_script(number, cells, "reference"),
        hypothesis=_read_text(number, cells, "hypothesis"),
        dialect=sys.intern(_read_text(number, cells, "dialect").strip() or "und"),
        speaker=sys.intern(_read_one_script(number, cells, "speaker", name=True)),
        model=_read_optional(number, cells, "model"),
        session=_read_optional(number, cells, "session"),
        duration_s=_read_number(number, cells, "duration_s", least=0.0),
        snr_db=_read_number(number, cells, "snr_db", least=-math.inf),
        language=_read_optional(number, cells, "language"),
        context=_read_optional(number, cells, "context"),
    )


def _read_text(number: int, cells: Mapping[str, Any], column: str) -> str:
    cell = cells[column]
    if not isinstance(cell, str):
        content = "null" if cell is None else f"{cell!r}"
        raise _refuse(number, column, f"{content} was found where a text is needed; an empty text is written as ''")
    if len(cell) > LONGEST:
        raise _refuse(number, column, f"{len(cell):,} characters were found, {LONGEST:,} are the most")
    return cell


def _read_one_script(number: int, cells: Mapping[str, Any], column: str, *, name: bool = False) -> str:
    """Return a text in which no word mixes scripts that look alike: what looks like one word or name would be two."""
    text = _read_name(number, cells, column) if name else _read_text(number, cells, column)
    if text.isascii() or sum(letters.search(text) is not None for letters in _ALIKE.values()) < 2:
        return text
    for word in _WORD.findall(text):
        letters_by_script = {script: pattern.findall(word) for script, pattern in _ALIKE.items()}
        mixed = {script: letters for script, letters in letters_by_script.items() if letters}
        # A stem in one script with an ending in another is how some people write; a single borrowed twin is a slip.
        if len(mixed) > 1 and any(_TWINS.issuperset(letters) for letters in mixed.values()):
            reason = f"{word[:40]!r} mixes {' and '.join(mixed)} letters, which look alike"
            raise _refuse(number, column, f"{reason}; write it in one script")
    return text


def _read_name(number: int, cells: Mapping[str, Any], column: str) -> str:
    """
    Return a text that is not empty, without blanks around it and in Unicode's form NFC; whole numbers are names too.
    """
    cell = cells[column]
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    text = unicodedata.normalize("NFC", _read_text(number, cells, column).strip())
    if not text:
        raise _refuse(number, column, f"the {column} is empty")
    return text


def _read_optional(number: int, cells: Mapping[str, Any], column: str) -> str | None:
    cell = cells.get(column)
    is_empty = cell is None or (isinstance(cell, str) and not cell.strip())
    return None if is_empty else sys.intern(_read_name(number, cells, column))


def _read_number(number: int, cells: Mapping[str, Any], column: str, *, least: float) -> float | None:
    cell = cells.get(column)
    if cell is None or cell == "":
        return None
    try:
        measure = float(_DECIMAL_COMMA.sub(r"\1.\2", cell) if isinstance(cell, str) else cell)
    except (TypeError, ValueError):
        raise _refuse(number, column, f"{cell!r} is no number") from None
    if not math.isfinite(measure) or measure < least:
        raise _refuse(number, column, f"{cell!r} is no number from {least:g} on")
    return measure


def _look_up(catalogue: Catalogue, dialect: str, number: int, *, strict: bool) -> None:
    try:
        catalogue.find(dialect, strict=strict)
    except DialectError as error:
        message = f"row {number}, dialect: {error.message}"
        raise DialectError(error.code, message, hint=error.hint, row=number, column="dialect") from None


def _refuse(row: int, column: str | None, reason: str) -> DialectError:
    position = f"row {row}, {column}" if column else f"row {row}"
    return DialectError("E_PAIRS", f"{position}: {reason}", row=row, column=column)
