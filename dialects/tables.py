"""
The one reader of tables: CSV with any usual separator and encoding, JSON Lines and Parquet, a row at a time.

Manifests, corrections, pairs, glossaries, rates and lists of training speech are read here. Rows are counted as a
spreadsheet shows them. A bad row comes as an error in its place, so that the caller decides if the rest counts.
"""

from __future__ import annotations

import csv
import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final

from dialects.column_names import match_columns
from dialects.errors import DialectError
from dialects.text_files import LONGEST_LINE, parse_json, read_lines

#: Rows of a Parquet file that are in memory at a time.
BATCH_ROWS: Final = 4_096
_HEAD: Final = 64
_DELIMITERS: Final = (",", ";", "\t", "|")
#: A cell that a spreadsheet would compute, wide forms included, with the apostrophes that say that it is a text. A
#: cell of blanks alone holds nothing to compute, and stays blank: an apostrophe would make a row of blanks count.
_FORMULA: Final = re.compile("(?s)(?=.*\\S)'*[ \n\u00a0]*[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_QUOTES: Final = "a cell with a separator, a quote or a line end stands in quotes, its own quotes doubled"


@dataclass(frozen=True, slots=True)
class Row:
    """One row; a cell that is missing, empty or null is not in *cells*."""

    #: Row of the spreadsheet, from 1, the head and empty rows included; line of a JSON Lines file; row of Parquet.
    line: int
    cells: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A file with rows, the columns that are known in it, and the error code of its faults."""

    file: Path
    #: Columns of which one has to be there: what tells a header from data and a comma from a semicolon.
    any_of: tuple[str, ...]
    #: Columns with a meaning, beside *any_of*. Names near them are refused, other names are kept.
    columns: tuple[str, ...] = ()
    #: Columns that all have to be there.
    required: tuple[str, ...] = ()
    #: Code of a row or a file that cannot be read; bad JSON is E_JSON in any table.
    code: str = "E_TABLE"
    #: Keep values of JSON and Parquet as they are, null and empty texts among them, and read known columns alone;
    #: else all become text.
    is_typed: bool = False
    #: Take rows that end before the last column, as editors leave them.
    may_end_early: bool = False
    #: Letter of each column in a spreadsheet, once the head was read.
    _letters: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def rows(self) -> Iterator[Row]:
        """
        Yield the rows; the format follows from the file's name, else from its first bytes.

        CSV is UTF-8, UTF-16 or, where nothing else fits, Windows-1252; its separator comma, semicolon, tab or bar; any
        line end; rows of nothing but separators are passed over.

        Raises:
            Exception: As `fault` makes it, for the first row or file that cannot be read.
        """
        for row in self.entries():
            if isinstance(row, Exception):
                raise row
            yield row

    def entries(self) -> Iterator[Row | Exception]:
        """Yield the rows as `rows` does, and for one that cannot be read its error, in its place."""
        try:
            with self.file.open("rb") as stream:
                head = stream.read(_HEAD)
                stream.seek(0)
                yield from self._choose_reader(head)(stream)
        except OSError as error:
            what = f"{self.file} cannot be read: {error.strerror or error}"
            raise self.file_fault(what, hint="check the path and the rights") from error

    def fault(
        self, line: int, what: str, *, column: str | None = None, hint: str | None, code: str | None = None
    ) -> Exception:
        """Return the error about one row, for the caller to raise or to hand over."""
        message = f"{self.locate(line, column)}: {what}"
        return DialectError(code or self.code, message, hint=hint, row=line, column=column)

    def file_fault(self, what: str, *, hint: str) -> Exception:
        """Return the error about the file as a whole."""
        return DialectError(self.code, what, hint=hint)

    def locate(self, line: int, column: str | None = None) -> str:
        """Return the place of a row or cell in words, as whoever has the file open finds it."""
        letter = f" ({self._letters[column]})" if column in self._letters else ""
        return f"{self.file.name} {self.unit} {line}" + (f", column {column}{letter}" if column else "")

    @property
    def unit(self) -> str:
        """The word for what a row is counted by."""
        return "row" if self.file.suffix.lower() in ("", ".csv", ".tsv", ".txt", ".parquet") else "line"

    def _line_fault(self, line: int, what: str, hint: str) -> Exception:
        return self.fault(line, what, hint=hint)

    def _choose_reader(self, head: bytes) -> Callable[[BinaryIO], Iterator[Row | Exception]]:
        suffix = self.file.suffix.lower()
        if suffix == ".parquet" or head.startswith(b"PAR1"):
            return self._read_parquet
        if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
            raise self.file_fault(f"{self.file.name} is a workbook, no table", hint="save its sheet as CSV UTF-8")
        if suffix in (".jsonl", ".ndjson", ".json") or head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
            return self._read_json
        return self._read_csv

    def _read_csv(self, stream: BinaryIO) -> Iterator[Row | Exception]:
        csv.field_size_limit(LONGEST_LINE)
        lines = read_lines(stream, self._line_fault)
        blank = 0
        for header in lines:
            if header.strip(" \t\r\n,;|"):
                break
            blank += 1
        else:
            raise self.fault(1, "the file is empty", hint=f"its first row names the columns: {self._name_wanted()}")
        delimiter = self._guess_delimiter(header)
        records = _Records(chain([header], lines), delimiter, blank)
        names: list[str] | None = None
        for line, cells in records:
            if isinstance(cells, str):
                error = self.fault(line, cells, hint=_QUOTES)
                if names is None:
                    raise error
                yield error
            elif names is None:
                names = self._read_header(line, cells)
            elif any(cell.strip() for cell in cells):
                yield self._pair_cells(line, names, cells)

    def _guess_delimiter(self, header: str) -> str:
        known = self._ours

        def rank(delimiter: str) -> tuple[bool, int, int]:
            try:
                names = [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
                matched = _match(tuple(names), known)
            except (csv.Error, ValueError):
                return False, 0, header.count(delimiter)
            return any(name in self.any_of for name in matched), len(set(known).intersection(matched)), len(names)

        return max(_DELIMITERS, key=rank)

    def _read_header(self, line: int, cells: list[str]) -> list[str]:
        names = [cell.strip() for cell in cells]
        try:
            names = list(_match(tuple(names), self._ours))
        except ValueError as error:
            raise self.fault(line, str(error), hint="each column has a name of its own") from None
        self._letters.update({name: _letter_of(number) for number, name in enumerate(names) if name})
        self._require(line, names)
        return names

    def _require(self, line: int, names: Sequence[str]) -> None:
        listed = ", ".join(filter(None, names))[:200] or "nothing"
        if missing := next((name for name in self.required if name not in names), None):
            hint = f"needed are {', '.join(self.required)}"
            raise self.fault(line, f"no column {missing!r}; its head has {listed}", column=missing, hint=hint)
        if self.any_of and not any(name in self.any_of for name in names):
            what = f"no column {self._name_wanted()} among {listed}"
            raise self.fault(line, what, hint="the first row names the columns")

    def _pair_cells(self, line: int, names: list[str], cells: list[str]) -> Row | Exception:
        while len(cells) > len(names) and not cells[-1].strip():
            cells = cells[:-1]
        if self.may_end_early:
            cells = [*cells, *[""] * (len(names) - len(cells))]
        if len(cells) != len(names):
            hint = "put a cell that holds the separator in quotes; keep empty cells at the end"
            return self.fault(line, f"{len(cells)} cells under {len(names)} columns", hint=hint)
        pairs = [(name, _unescape_formula(cell)) for name, cell in zip(names, cells, strict=True)]
        if stray := next((cell for name, cell in pairs if cell.strip() and not name), None):
            return self.fault(line, f"{stray[:40]!r} stands under no column", hint="name the column in the first row")
        return Row(line, {name: cell for name, cell in pairs if name and (cell or self.is_typed)})

    def _read_json(self, stream: BinaryIO) -> Iterator[Row | Exception]:
        for number, text in enumerate(read_lines(stream, self._line_fault), 1):
            if not text.strip():
                continue
            try:
                value = parse_json(text)
                if not isinstance(value, dict):
                    raise ValueError(f"a {type(value).__name__} where an object should be")
                yield self._convert_row(number, value)
            except ValueError as error:
                yield self.fault(number, str(error), hint="write one plain JSON object a line", code="E_JSON")

    def _read_parquet(self, stream: BinaryIO) -> Iterator[Row | Exception]:
        import pyarrow
        from pyarrow import parquet

        number = 0
        try:
            # Threads and read-ahead would hold several row groups at a time.
            file = parquet.ParquetFile(stream, pre_buffer=False)
            columns = self._choose_columns(file.schema_arrow)
            for batch in file.iter_batches(batch_size=BATCH_ROWS, use_threads=False, columns=columns):
                for record in batch.to_pylist():
                    number += 1
                    yield self._convert_row(number, record)
        except (pyarrow.ArrowException, OSError) as error:
            raise self.fault(number + 1, f"not readable as Parquet: {error}", hint="write the file again") from error

    def _convert_row(self, line: int, record: Mapping[str, Any]) -> Row | Exception:
        try:
            names = _match(tuple(record), self._ours)
        except ValueError as error:
            return self.fault(line, str(error), hint="each column has a name of its own")
        if missing := next((name for name in self.required if name not in names), None):
            hint = f"needed are {', '.join(self.required)}"
            return self.fault(line, f"{missing!r} is missing", column=missing, hint=hint)
        pairs = zip(names, record.values(), strict=True)
        if self.is_typed:
            return Row(line, dict(pairs))
        cells: dict[str, str] = {}
        for name, value in pairs:
            try:
                if text := _format_cell(value):
                    cells[name] = text
            except ValueError as error:
                return self.fault(line, str(error), column=name, hint="leave the column out, or write it as text")
        return Row(line, cells)

    def _choose_columns(self, schema: Any) -> list[str]:
        """Choose the columns of a Parquet file that are read; of sound with its path, as of Hugging Face, the path."""
        try:
            matched = _match(tuple(schema.names), self._ours)
        except ValueError as error:
            raise self.fault(1, str(error), hint="each column has a name of its own") from None
        self._require(1, matched)
        return [
            f"{column.name}.path" if is_sound(column.type) else column.name
            for column, known in zip(schema, matched, strict=True)
            if known in self._ours or not self.is_typed
        ]

    @property
    def _ours(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.required, *self.any_of, *self.columns)))

    def _name_wanted(self) -> str:
        return " or ".join(self.any_of)


class _Records:
    """
    The records of a CSV file with their rows; a text says why one cannot be read.

    After a quote that never ends the reader goes on in the next line: else it would take the rest for one cell.
    """

    def __init__(self, lines: Iterator[str], delimiter: str, blank: int) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._row = blank
        self._again: deque[str] = deque()

    def __iter__(self) -> Iterator[tuple[int, list[str] | str]]:
        while True:
            record: list[str] = []
            try:
                cells = next(csv.reader(self._take(record), delimiter=self._delimiter, strict=True), None)
            except csv.Error as error:
                self._row += 1
                self._again.extendleft(reversed(record[1:]))
                # Between tabs many programs write quotes as they are.
                is_plain = self._delimiter == "\t" and len(record[0]) <= LONGEST_LINE
                yield self._row, record[0].rstrip("\r\n").split("\t") if is_plain else str(error)
                continue
            if cells is None:
                return
            self._row += 1
            yield self._row, cells

    def _take(self, record: list[str]) -> Iterator[str]:
        while (line := self._again.popleft() if self._again else next(self._lines, None)) is not None:
            record.append(line)
            yield line


@lru_cache(maxsize=1_024)
def _match(names: tuple[str, ...], ours: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(match_columns(names, ours))


def _letter_of(number: int) -> str:
    letters = ""
    while number >= 0:
        letters = chr(ord("A") + number % 26) + letters
        number = number // 26 - 1
    return letters


def is_sound(kind: Any) -> bool:
    """Tell if a column of Parquet is of sounds with their paths, as Hugging Face's datasets have them."""
    from pyarrow import types

    return bool(types.is_struct(kind)) and {field.name for field in kind} == {"bytes", "path"}


def _format_cell(value: Any) -> str:
    """
    Format a value of JSON or Parquet as text; a nested one becomes JSON again.

    Raises:
        ValueError: It is not text.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and value.keys() == {"path"}:
        return str(value["path"] or "")
    if isinstance(value, bytes):
        raise ValueError("bytes, not text")
    if not isinstance(value, bool | list | dict):
        return str(value)
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        raise ValueError("something that is not text") from None


def escape_formula(cell: str) -> str:
    """
    Return *cell* with an apostrophe before what a spreadsheet would compute; `Table` takes it away again.

    >>> escape_formula("=1+1"), escape_formula("a-b")
    ("'=1+1", 'a-b')
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _unescape_formula(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def write_rows(rows: Iterable[Iterable[object]], stream: Any, *, is_raw: bool = False) -> int:
    """
    Write *rows* as CSV to the text *stream*, so that no spreadsheet computes a cell, and count them.

    Args:
        is_raw: Leave texts as they are, for programs that read the file.
    """
    writer = csv.writer(stream)
    count = 0
    for row in rows:
        cells = ["" if cell is None else cell for cell in row]
        writer.writerow(
            cells if is_raw else [escape_formula(cell) if isinstance(cell, str) else cell for cell in cells]
        )
        count += 1
    return count
