"""
Read timed lines: RTTM, STM and tables with times, as they come beside a recording or out of another tool.

RTTM and STM have one blank between fields and no quoting. What would break a field is written as ``%20`` and the
like: white space, a semicolon at the start (a comment), and the per cent sign itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeAlias

from dialects.text_files import LineFault, read_lines
from transcribe.errors import InputError
from transcribe.records import Milliseconds, Word
from transcribe.tables import Row, Table, from_milliseconds, from_seconds

#: What RTTM and its kin write for "nothing is known".
NOT_AVAILABLE: Final = "<NA>"

#: Speakers of STM lines that are no speech: what a scorer leaves out.
UNSCORED_SPEAKERS: Final = frozenset({"inter_segment_gap", "excluded_region"})
UNSCORED_TEXT: Final = "ignore_time_segment_in_scoring"

#: sclite's label before the text: ``<o,f0,male>``. A tag such as ``<noise>`` is text.
LABEL: Final = re.compile(r"<(o|na|[^<>,]*,[^<>]*)>", re.IGNORECASE)

#: Columns of a table of stretches.
COLUMNS: Final = ("recording", "start_ms", "end_ms", "speaker", "dialect", "text", "normalised")

_ESCAPED: Final = re.compile(r"(?:%[0-9A-F]{2})+")
_UNSAFE: Final = re.compile(r"[\s%\x00-\x1f\x7f-\x9f]")
_BLANKS: Final = re.compile(r"[ \t\r\n\f\v]+")


@dataclass(frozen=True, kw_only=True)
class TimedText:
    """A stretch of one recording: its speaker, dialect and text, as far as the format states them."""

    #: As the file names it: a path, a name without suffix, or a hash.
    recording: str
    start: Milliseconds
    end: Milliseconds
    speaker: str | None = None
    #: ``None`` where nothing is known of the words; an empty text says that there are none.
    text: str | None = None
    words: tuple[Word, ...] = ()
    dialect: str | None = None
    #: The normalised tier of *text*, where somebody wrote one.
    normalised: str | None = None
    #: It is about the recording from its start to its end, which the file does not say.
    is_whole: bool = False
    #: Where it stands in its file, for messages.
    where: str = field(default="", compare=False, repr=False)


#: Takes the error about an entry of a file: raises it, or writes it down, so that the rest is read.
Refuse: TypeAlias = Callable[[InputError], None]


def raise_error(error: InputError) -> None:
    """Refuse a file for one of its entries."""
    raise error


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A stretch with the line it stands on."""

    line: int
    stretch: TimedText


def read_rttm(file: Path, *, refuse: Refuse = raise_error) -> Iterator[Placed]:
    """
    Yield the SPEAKER lines of an RTTM file; other kinds of lines are passed over.

    Raises:
        InputError: E_SEGMENT with the line.
    """
    yield from read_placed_lines(file, _parse_rttm, refuse=refuse)


def read_stm(file: Path, *, refuse: Refuse = raise_error) -> Iterator[Placed]:
    """
    Yield the lines of an STM file, without comments and without stretches that are not scored.

    A label before the text is left out: it groups lines for a scorer.

    Raises:
        InputError: E_SEGMENT with the line.
    """
    yield from read_placed_lines(file, _parse_stm, refuse=refuse)


def read_table(file: Path, *, refuse: Refuse = raise_error) -> Iterator[Placed]:
    """
    Yield the rows of a table with ``start_ms, end_ms`` and optionally ``recording, speaker, dialect,
    text``.

    Raises:
        InputError: E_SEGMENT with the line; E_JSON.
    """
    table = Table(file=file, any_of=("start_ms",), columns=COLUMNS, code="E_SEGMENT")
    for row in table.entries():
        try:
            if isinstance(row, InputError):
                raise row
            yield Placed(line=row.line, stretch=_parse_row(table, row))
        except InputError as error:
            refuse(error)


def span(start: Milliseconds, end: Milliseconds) -> tuple[Milliseconds, Milliseconds]:
    """
    Return *start* and *end* as they are, once their order is checked.

    Raises:
        ValueError: The end comes before the start.
    """
    if start > end:
        raise ValueError(f"it starts at {start} ms, after its end at {end} ms")
    return start, end


def escape(field: str) -> str:
    """
    Escape *field* as one word, for formats that separate fields by blanks; ``unescape`` reverses it.

    Controls are escaped too: they sort before the signs that part fields, and act on terminals.

    >>> escape("Asha Devi")
    'Asha%20Devi'
    """
    text = _UNSAFE.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), field)
    return f"%3B{text[1:]}" if text.startswith(";") else text


def unescape(field: str) -> str:
    """Reverse ``escape``; other per cent signs stay, since not every tool escapes."""

    def decode(match: re.Match[str]) -> str:
        try:
            text = bytes.fromhex(match[0].replace("%", "")).decode()
        except UnicodeDecodeError:
            return match[0]
        return text if all(_UNSAFE.match(c) or c in ";!" for c in text) else match[0]

    return _ESCAPED.sub(decode, field)


def line_fault(file: Path, code: str = "E_SEGMENT") -> Callable[[int, str, str], InputError]:
    """Return a function that makes the errors of *file*'s lines."""

    def fault(line: int, what: str, hint: str) -> InputError:
        return InputError(f"{file.name} line {line}: {what}", code=code, hint=hint, item=f"{file.name}:{line}")

    return fault


def open_lines(file: Path, fault: LineFault) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines of *file* without their ends, without empty lines and ``;;`` comments."""
    try:
        with file.open("rb") as stream:
            for number, line in enumerate(read_lines(stream, fault), 1):
                text = line.strip()
                if text and not text.startswith(";"):
                    yield number, text
    except OSError as error:
        hint = "check the path and the rights"
        raise InputError(f"{file} cannot be read: {error.strerror}", hint=hint, item=str(file)) from error


def fields(line: str, at_most: int = -1) -> list[str]:
    """Split *line* into words; the last one takes the rest if *at_most* is given."""
    return _BLANKS.split(line, at_most - 1 if at_most > 0 else 0)


def read_placed_lines(
    file: Path, parse: Callable[[str], TimedText | None], *, refuse: Refuse = raise_error
) -> Iterator[Placed]:
    """Yield what *parse* makes of the lines of *file*; a sentence that it raises as ValueError refuses the line."""
    fault = line_fault(file)
    for number, line in open_lines(file, fault):
        try:
            stretch = parse(line)
        except ValueError as error:
            refuse(fault(number, str(error), "mend the line or leave it out"))
            continue
        if stretch is not None:
            yield Placed(line=number, stretch=replace(stretch, where=f"{file.name} line {number}"))


def _parse_rttm(line: str) -> TimedText | None:
    words = fields(line)
    if words[0] != "SPEAKER":
        return None
    if len(words) not in (9, 10):
        raise ValueError(f"an RTTM line has 9 or 10 fields, this one has {len(words)}")
    start = from_seconds(words[3])
    return TimedText(
        recording=unescape(words[1]),
        start=start,
        end=start + from_seconds(words[4]),
        speaker=None if words[7] == NOT_AVAILABLE else unescape(words[7]),
    )


def _parse_stm(line: str) -> TimedText | None:
    words = fields(line, 6)
    if len(words) < 5:
        raise ValueError(f"an STM line has 5 fields before its text, this one has {len(words)}")
    start, end = span(from_seconds(words[3]), from_seconds(words[4]))
    text = words[5] if len(words) > 5 else ""
    if words[2] in UNSCORED_SPEAKERS or text.lower() == UNSCORED_TEXT:
        return None
    return TimedText(
        recording=unescape(words[0]),
        start=start,
        end=end,
        speaker=None if words[2] == NOT_AVAILABLE else unescape(words[2]),
        text=_strip_label(text),
    )


def _strip_label(text: str) -> str:
    label, _, remainder = text.partition(" ")
    return remainder.lstrip() if LABEL.fullmatch(label) else text


def _parse_row(table: Table, row: Row) -> TimedText:
    cells = row.cells
    times = [_read_time(table, row, column) for column in ("start_ms", "end_ms")]
    try:
        start, end = span(*times)
    except ValueError as error:
        raise table.fault(row.line, str(error), hint="mend the row or leave it out") from None
    return TimedText(
        recording=cells.get("recording", ""),
        start=start,
        end=end,
        speaker=cells.get("speaker", "").strip() or None,
        text=cells.get("text"),
        dialect=cells.get("dialect", "").strip() or None,
        normalised=cells.get("normalised") or None,
        where=table.locate(row.line),
    )


def _read_time(table: Table, row: Row, column: str) -> Milliseconds:
    if column not in row.cells:
        raise table.fault(row.line, "no time", column=column, hint="each row needs start_ms and end_ms")
    try:
        return from_milliseconds(row.cells[column])
    except ValueError as error:
        raise table.fault(row.line, str(error), column=column, hint="write whole milliseconds") from None
