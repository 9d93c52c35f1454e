"""RTTM, turns of speakers, and UEM, annotated parts of recordings (NIST Rich Transcription 2009, appendix A)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from transcribe.formats.files import write_lines
from transcribe.formats.records import TimedText, refusal
from transcribe.ingest import timed
from transcribe.ingest.tables import from_seconds
from transcribe.ingest.timed import NOT_AVAILABLE, escape, fields, open_lines, unescape
from transcribe.records import Milliseconds


@dataclass(frozen=True, kw_only=True)
class Region:
    """A part of a recording that somebody annotated. Nothing is known of the rest."""

    recording: str
    start: Milliseconds
    end: Milliseconds


def read_rttm(path: Path) -> Iterator[TimedText]:
    """
    Read the speaker lines of *path*, as they stand.

    Raises:
        InputError: E_SEGMENT with the line.
    """
    return (placed.stretch for placed in timed.read_rttm(path))


def write_rttm(items: Iterable[TimedText], path: Path) -> int:
    """Write one line for each of *items*, and count them. Times are exact to the millisecond; words are left out."""
    return write_lines(map(_rttm_line, items), path)


def read_uem(path: Path) -> Iterator[Region]:
    """
    Read the annotated regions of *path*.

    Raises:
        InputError: E_SEGMENT with the line.
    """
    fault = timed.line_fault(path)
    for number, line in open_lines(path, fault):
        words = fields(line)
        try:
            if len(words) != 4:
                raise ValueError(f"a UEM line has 4 fields, this one has {len(words)}")
            start, end = timed.span(from_seconds(words[2]), from_seconds(words[3]))
        except ValueError as error:
            raise fault(number, str(error), "mend the line or leave it out") from None
        yield Region(recording=unescape(words[0]), start=start, end=end)


def write_uem(regions: Iterable[Region], path: Path) -> int:
    """Write *regions*, a line each, and count them."""
    return write_lines(
        (
            f"{format_name(region.recording)} 1 {format_seconds(region.start)} {format_seconds(region.end)}"
            for region in regions
        ),
        path,
    )


def format_seconds(time: Milliseconds) -> str:
    """
    Format *time* in seconds, exactly.

    >>> format_seconds(61_005)
    '61.005'
    """
    return f"{time // 1000}.{time % 1000:03d}"


def format_name(text: str | None) -> str:
    """
    Format a speaker or a recording as one field.

    Raises:
        InputError: E_FORMAT for a name that stands for "unknown" here.
    """
    if text is None:
        return NOT_AVAILABLE
    if text in ("", NOT_AVAILABLE):
        raise refusal(f"the name {text!r} says 'unknown' in this format", "give speakers and recordings other names")
    return escape(text)


def _rttm_line(stretch: TimedText) -> str:
    times = f"{format_seconds(stretch.start)} {format_seconds(stretch.end - stretch.start)}"
    return f"SPEAKER {format_name(stretch.recording)} 1 {times} <NA> <NA> {format_name(stretch.speaker)} <NA> <NA>"
