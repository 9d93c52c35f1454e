"""
Read rows of CSV, JSON Lines and Parquet, one at a time, each with the line it stands on.

Beneath them: lines of UTF-8 text, numbers of their fields, and JSON from strangers, parsed strictly.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final, Never, TypeAlias

from transcribe.errors import InputError
from transcribe.records import Milliseconds

#: Rows of a Parquet file that are in memory at a time.
BATCH_ROWS: Final = 4_096
#: Bytes looked at to tell the encoding.
_HEAD: Final = 4_096
_DELIMITERS: Final = (",", ";", "\t")
#: Bytes of the longest line. A file without line ends must not fill the memory.
LONGEST_LINE: Final = 1 << 20

#: Makes the error of a line: its number, what is wrong, what to do.
Fault: TypeAlias = Callable[[int, str, str], InputError]

#: Seconds as programs print them. At most 9 digits before the point: 30 years.
_SECONDS: Final = re.compile(r"[+-]?(\d{1,9}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,2})?")
_WHOLE: Final = re.compile(r"[+-]?\d{1,12}(\.0{1,30})?")
#: Digits of the longest integer that is taken. 64-bit numbers have at most 19.
LONGEST_INTEGER: Final = 19
#: Levels of objects and lists within each other. What people hand in has three or four.
DEEPEST: Final = 64


def parse_json(text: str) -> Any:
    """
    Parse *text* as ``json.loads`` does, without what only an attack or a bug would write.

    Refused: duplicate keys, nesting beyond 64 levels, integers of over 19 digits, numbers that
    do not fit a float, NaN and infinities, and half surrogates, which no database can store.

    Raises:
        ValueError: With a sentence that begins in lower case and names what is wrong.

    >>> parse_json('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ...
    ValueError: the key 'a' is there twice
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_build_object,
            parse_int=_parse_integer,
            parse_float=_parse_float,
            parse_constant=_refuse_constant,
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at character {error.pos + 1}") from None
    _check_text(value, depth=0)
    return value


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {repeated!r} is there twice")
    return members


def _parse_integer(digits: str) -> int:
    if len(digits.lstrip("-")) > LONGEST_INTEGER:
        raise ValueError(f"an integer of {len(digits)} digits")
    return int(digits)


def _parse_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"the number {digits[:20]} does not fit")
    return value


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not a number that JSON has")


def _check_text(value: Any, *, depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError("it is nested too deeply")
    if isinstance(value, str):
        _refuse_surrogates(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            _refuse_surrogates(key)
            _check_text(inner, depth=depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check_text(inner, depth=depth + 1)


def _refuse_surrogates(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("half a surrogate pair, which is no character") from None


def read_lines(stream: BinaryIO, fault: Fault) -> Iterator[str]:
    """
    Yield the lines of *stream* with their ends, the first without byte order mark.

    Raises:
        InputError: As *fault* makes it, for a line over 1 MiB or bytes that are not UTF-8.
    """
    number = 0
    while raw := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(raw) > LONGEST_LINE:
            raise fault(number, f"it is over {LONGEST_LINE:,} bytes long", "put each row on a line of its own")
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            what = f"byte {error.start + 1} ({raw[error.start]:#04x}) is not UTF-8"
            raise fault(number, what, "save the file as UTF-8") from None
        yield text.removeprefix("\ufeff") if number == 1 else text


def refuse_utf16(head: bytes, fault: Fault) -> None:
    """Raise what *fault* makes if *head*, the first bytes of a file, is UTF-16: half of them are zero."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or head.count(0) > len(head) // 5:
        raise fault(1, "the file is UTF-16", "save it as UTF-8 (spreadsheets call it 'CSV UTF-8')")


def from_seconds(text: str) -> Milliseconds:
    """
    Convert seconds in decimal notation to milliseconds, rounded half to even.

    Raises:
        ValueError: With a sentence, for a comma, NaN, infinity, a negative or anything else.

    >>> from_seconds("1.2345")
    1234
    """
    if not _SECONDS.fullmatch(text):
        raise _number_error(text, "1.5")
    value = Decimal(text)
    if value < 0:
        raise ValueError(f"{text} is before the recording begins")
    return int((value * 1000).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def from_milliseconds(text: str) -> Milliseconds:
    """
    Parse a whole number of milliseconds; ``1500.0``, as spreadsheets write it, is whole.

    Raises:
        ValueError: With a sentence, for anything else and for negative numbers.
    """
    text = text.strip()
    if not _WHOLE.fullmatch(text):
        raise _number_error(text, "1500")
    value = int(text.partition(".")[0])
    if value < 0:
        raise ValueError(f"{text} is before the recording begins")
    return value


def _number_error(text: str, right: str) -> ValueError:
    if "," in text:
        return ValueError(f"{text[:40]!r} has a comma where a number such as {right} is wanted")
    return ValueError(f"{text[:40]!r} is no number such as {right}")


@dataclass(frozen=True, slots=True)
class Row:
    """One row; a cell that is missing, empty or null is not in *cells*."""

    #: Line of the file, from 1, on which the row begins; for Parquet the number of the row.
    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A file with rows, and the error code of its faults."""

    file: Path
    #: Columns of which one has to be there: what tells a header from data and a comma from a semicolon.
    any_of: tuple[str, ...]
    #: Code of a row or a file that cannot be read; bad JSON is E_JSON in any table.
    code: str = "E_MANIFEST"

    def rows(self) -> Iterator[Row]:
        """
        Yield the rows; the format follows from the file's name, else from its first bytes.

        CSV is UTF-8 with or without BOM; comma, semicolon or tab; any line end; empty lines are passed over.

        Raises:
            InputError: Not readable, another encoding, a broken quote, more cells than columns, a trick in JSON.
        """
        try:
            with self.file.open("rb") as stream:
                head = stream.read(_HEAD)
                stream.seek(0)
                yield from self._choose_reader(head)(stream)
        except OSError as error:
            raise InputError(
                f"{self.file} cannot be read: {error.strerror}",
                hint="check the path and the rights",
                item=str(self.file),
            ) from error

    def fault(
        self, line: int, what: str, *, column: str | None = None, hint: str, code: str | None = None
    ) -> InputError:
        """Return the error about one row, for the caller to raise."""
        where = f", column {column}" if column else ""
        return InputError(
            f"{self.file.name} line {line}{where}: {what}",
            code=code or self.code,
            hint=hint,
            item=f"{self.file.name}:{line}",
        )

    def _line_fault(self, line: int, what: str, hint: str) -> InputError:
        return self.fault(line, what, hint=hint)

    def _choose_reader(self, head: bytes) -> Callable[[BinaryIO], Iterator[Row]]:
        suffix = self.file.suffix.lower()
        if suffix == ".parquet" or head.startswith(b"PAR1"):
            return self._read_parquet
        refuse_utf16(head, self._line_fault)
        if suffix in (".jsonl", ".ndjson", ".json") or head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
            return self._read_json
        return self._read_csv

    def _read_csv(self, stream: BinaryIO) -> Iterator[Row]:
        lines = read_lines(stream, self._line_fault)
        blank = 0
        for header in lines:
            if header.strip():
                break
            blank += 1
        else:
            raise self.fault(1, "the file is empty", hint=f"its first line names the columns: {self._name_wanted()}")
        reader = csv.reader(chain([header], lines), delimiter=self._guess_delimiter(header), strict=True)
        yield from self._read_csv_rows(reader, blank)

    def _read_csv_rows(self, reader: Any, blank: int) -> Iterator[Row]:
        names: list[str] | None = None
        while True:
            line = blank + reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                hint = "a cell with a comma, a quote or a line end stands in quotes, its own quotes doubled"
                raise self.fault(line, str(error), hint=hint) from None
            if cells is None:
                return
            if names is None:
                names = self._read_header(line, cells)
            elif any(cell.strip() for cell in cells):
                yield Row(line, self._pair_cells(line, names, cells))

    def _guess_delimiter(self, header: str) -> str:
        def columns(delimiter: str) -> list[str]:
            try:
                return [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
            except csv.Error:
                return []

        return max(_DELIMITERS, key=lambda d: (any(name in self.any_of for name in columns(d)), len(columns(d))))

    def _read_header(self, line: int, cells: list[str]) -> list[str]:
        names = [cell.strip() for cell in cells]
        filled = [name for name in names if name]
        if repeated := next((name for name in filled if filled.count(name) > 1), None):
            raise self.fault(line, f"the column {repeated} is there twice", hint="leave one of them out")
        if not any(name in self.any_of for name in names):
            what = f"no column {self._name_wanted()} among {', '.join(filled)[:200]}"
            raise self.fault(line, what, hint="the first line names the columns")
        return names

    def _pair_cells(self, line: int, names: list[str], cells: list[str]) -> dict[str, str]:
        if len(cells) != len(names):
            hint = "put a cell that holds the separator in quotes; keep empty cells at the end"
            raise self.fault(line, f"{len(cells)} cells under {len(names)} columns", hint=hint)
        if stray := next((cell for name, cell in zip(names, cells, strict=True) if cell.strip() and not name), None):
            raise self.fault(line, f"{stray[:40]!r} stands under no column", hint="name the column in the first line")
        return {name: cell for name, cell in zip(names, cells, strict=True) if cell}

    def _read_json(self, stream: BinaryIO) -> Iterator[Row]:
        for number, text in enumerate(read_lines(stream, self._line_fault), 1):
            if not text.strip():
                continue
            try:
                value = parse_json(text)
            except ValueError as error:
                raise self.fault(number, str(error), hint="write one plain JSON object a line", code="E_JSON") from None
            if not isinstance(value, dict):
                what = f"a {type(value).__name__} where an object should be"
                raise self.fault(number, what, hint="write one JSON object a line", code="E_JSON")
            yield Row(number, self._convert_cells(number, value.items()))

    def _read_parquet(self, stream: BinaryIO) -> Iterator[Row]:
        import pyarrow
        from pyarrow import parquet

        number = 0
        try:
            # Threads and read-ahead would hold several row groups at a time.
            file = parquet.ParquetFile(stream, pre_buffer=False)
            for batch in file.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
                for record in batch.to_pylist():
                    number += 1
                    yield Row(number, self._convert_cells(number, record.items()))
        except (pyarrow.ArrowException, OSError) as error:
            raise self.fault(number + 1, f"not readable as Parquet: {error}", hint="write the file again") from error

    def _convert_cells(self, line: int, pairs: Iterable[tuple[str, Any]]) -> dict[str, str]:
        """Convert cells to text; a nested value becomes JSON text again."""
        cells: dict[str, str] = {}
        for name, value in pairs:
            if isinstance(value, str):
                text = value
            elif value is None:
                continue
            elif isinstance(value, bool | list | dict):
                text = self._dump_json(line, name, value)
            elif isinstance(value, bytes):
                raise self.fault(line, "bytes, not text", column=name, hint="leave the column out")
            else:
                text = str(value)
            if text:
                cells[name] = text
        return cells

    def _dump_json(self, line: int, name: str, value: object) -> str:
        try:
            return json.dumps(value, ensure_ascii=False)
        except (TypeError, ValueError):
            hint = "leave the column out, or write it as text"
            raise self.fault(line, "something that is not text", column=name, hint=hint) from None

    def _name_wanted(self) -> str:
        return " or ".join(self.any_of)
