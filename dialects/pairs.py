"""
Strict readers of pairs from CSV, JSONL and Parquet files.

An empty CSV cell is an empty text, and the words NA, null and nan stay words. Whatever cannot be taken is refused with
its row and column, since a skipped row is a wrong rate.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import regex

from dialects.dialect import Catalogue
from dialects.errors import DialectError
from dialects.scoring.word_errors import Pair

REQUIRED = ("id", "reference", "hypothesis", "dialect", "speaker")
OPTIONAL = ("model", "session", "duration_s", "snr_db", "language", "context")
#: Characters of a text: twelve hours of talk have some 650,000. More is a file that lost its line ends.
LONGEST = 999_999
#: Bytes that the csv module may read before we can say which cell it was; it stops at 128 KiB by itself.
_CSV_LIMIT = 256 * 1024 * 1024

#: Row number as an editor shows it, and the cells by column.
Cells: TypeAlias = tuple[int, Mapping[str, Any]]

#: Scripts with letters that look alike, and these letters.
_ALIKE = {script: regex.compile(rf"\p{{Script={script}}}") for script in ("Latin", "Cyrillic", "Greek")}
_TWINS = frozenset("aceopxyiABCEHIKMOPTXYZ" + "асеорхуіАВСЕНІКМОРТХУ" + "ονικρχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ")
_WORD = regex.compile(r"[\p{L}\p{M}]+")


def read_pairs(path: Path, *, catalogue: Catalogue | None = None, strict_dialects: bool = False) -> Iterator[Pair]:
    """
    Read the pairs of *path*, in its order, one at a time; ``.csv``, ``.jsonl`` (or ``.ndjson``) and ``.parquet``.

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
    for number, cells in read_rows(path, required=REQUIRED):
        pair = _read_pair(number, cells)
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


def read_rows(path: Path, *, required: Sequence[str] = ()) -> Iterator[Cells]:
    """
    Read the rows of *path* with their numbers, one at a time; ``.csv``, ``.jsonl`` (or ``.ndjson``) and ``.parquet``.

    Raises:
        DialectError: E_PAIRS for a file that is none of these, or lacks a *required* column.
    """
    readers = {".csv": _csv_rows, ".jsonl": _json_rows, ".ndjson": _json_rows, ".parquet": _parquet_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        ending = path.suffix or "no ending"
        message = f"{path.name} was given as a table; its ending is {ending}"
        raise DialectError("E_PAIRS", message, hint=f"use one of {', '.join(readers)}")
    try:
        if reader is not _parquet_rows:
            _refuse_utf16(path)
        yield from reader(path, required)
    except UnicodeDecodeError:
        raise _utf8_error(path) from None
    except OSError as error:
        message = f"{path} was to be read as a table; {error.strerror or error}"
        raise DialectError("E_PAIRS", message, hint="check the path") from None


def _refuse_utf16(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(64)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in start:
        message = f"{path.name} is not UTF-8 but UTF-16 or UTF-32, as some spreadsheets write it"
        raise DialectError("E_PAIRS", message, hint="save it as UTF-8", row=1)


def _utf8_error(path: Path) -> DialectError:
    """Return the error that names the first row that is no UTF-8."""
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            message = f"{path.name} is not UTF-8: row {number} has the byte 0x{line[error.start]:02x}"
            return DialectError("E_PAIRS", message, hint="save it as UTF-8", row=number)
    return DialectError("E_PAIRS", f"{path.name} is not UTF-8", hint="save it as UTF-8")


def _csv_rows(path: Path, required: Sequence[str]) -> Iterator[Cells]:
    csv.field_size_limit(_CSV_LIMIT)
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        try:
            header = next(reader, [])
            _require(path, header, required)
            line_end = reader.line_num
            for row in reader:
                number, line_end = line_end + 1, reader.line_num
                if not row:
                    continue
                if len(row) != len(header):
                    raise _refuse(number, None, f"{len(row)} cells were found, the header has {len(header)}")
                yield number, dict(zip(header, row, strict=True))
        except csv.Error as error:
            raise _refuse(reader.line_num, None, f"no CSV: {error}") from None


def _json_rows(path: Path, required: Sequence[str]) -> Iterator[Cells]:
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line, object_pairs_hook=partial(_build_object, number))
            except json.JSONDecodeError as error:
                raise _refuse(number, None, f"no JSON: {error.msg} at character {error.pos + 1}") from None
            if not isinstance(row, dict):
                raise _refuse(number, None, "each line must be one JSON object")
            for name in required:
                if name not in row:
                    raise _refuse(number, name, f"{name!r} is missing; needed are {', '.join(required)}")
            yield number, row


def _build_object(number: int, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Build a JSON object whose keys stand once: of two values nobody can say which one counts."""
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise _refuse(number, repeated, f"the key {repeated!r} stands twice")
    return row


def _parquet_rows(path: Path, required: Sequence[str]) -> Iterator[Cells]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            _require(path, names, required)
            wanted = [name for name in (*REQUIRED, *OPTIONAL) if name in names] if required else None
            number = 0
            for batch in file.iter_batches(batch_size=10_000, columns=wanted):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except pa.ArrowInvalid as error:
        raise DialectError("E_PAIRS", f"{path.name} was to be read as Parquet; {error}") from None


def _require(path: Path, header: Sequence[str], required: Sequence[str]) -> None:
    for name in required:
        if name not in header:
            columns = ", ".join(header) or "nothing"
            message = f"{path.name} has no column {name!r}; its header has {columns}"
            raise DialectError("E_PAIRS", message, hint=f"needed are {', '.join(required)}", row=1, column=name)
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise DialectError("E_PAIRS", f"{path.name} has the column {repeated[0]!r} twice", row=1, column=repeated[0])


def _read_pair(number: int, cells: Mapping[str, Any]) -> Pair:
    # Interned: names recur in every row, and a million rows would hold a million copies.
    return Pair(
        id=_read_name(number, cells, "id"),
        reference=_read_one_script(number, cells, "reference"),
        hypothesis=_read_text(number, cells, "hypothesis"),
        dialect=sys.intern(_read_text(number, cells, "dialect") or "und"),
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
    """Return a text that is not empty; whole numbers are names too."""
    cell = cells[column]
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    text = _read_text(number, cells, column)
    if not text:
        raise _refuse(number, column, f"the {column} is empty")
    return text


def _read_optional(number: int, cells: Mapping[str, Any], column: str) -> str | None:
    cell = cells.get(column)
    return None if cell is None or cell == "" else sys.intern(_read_name(number, cells, column))


def _read_number(number: int, cells: Mapping[str, Any], column: str, *, least: float) -> float | None:
    cell = cells.get(column)
    if cell is None or cell == "":
        return None
    try:
        measure = float(cell)
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
