"""STM, texts with speakers and times, and CTM, words with times (sclite's formats)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from transcribe.formats.files import write_lines
from transcribe.formats.records import TimedText, group_by_recording
from transcribe.formats.rttm import format_name, format_seconds
from transcribe.ingest import timed
from transcribe.ingest.tables import from_seconds
from transcribe.ingest.timed import LABEL, fields, open_lines, unescape
from transcribe.records import Word


def read_stm(path: Path) -> Iterator[TimedText]:
    """
    Read the lines of *path*, without comments and without stretches that are not scored.

    Raises:
        InputError: E_SEGMENT with the line.
    """
    return (placed.stretch for placed in timed.read_stm(path))


def write_stm(items: Iterable[TimedText], path: Path) -> int:
    """
    Write one line for each of *items* that has a text, and count them.

    The words stay, white space between them becomes one blank. A text that begins like a label gets an empty label
    before it.
    """
    return write_lines((_stm_line(stretch, stretch.text) for stretch in items if stretch.text is not None), path)


def read_ctm(path: Path) -> Iterator[TimedText]:
    """
    Read the words of *path*, one each, with their probability where it is given.

    Raises:
        InputError: E_SEGMENT with the line; alternatives are not read.
    """
    fault = timed.line_fault(path)
    for number, line in open_lines(path, fault):
        try:
            yield _parse_ctm_word(fields(line))
        except ValueError as error:
            raise fault(number, str(error), "mend the line or leave it out") from None


def write_ctm(items: Iterable[TimedText], path: Path) -> int:
    """
    Write one line for each word of *items*, which come recording by recording, and count them.

    The words of a recording are ordered by time, as sclite wants them, whoever speaks. Items without word times are
    left out. A word with a blank in it becomes several that share its time evenly.
    """
    return write_lines(
        (line for recording, stretches in group_by_recording(items) for line in _ctm_lines(recording, stretches)), path
    )


def _stm_line(stretch: TimedText, text: str) -> str:
    words = " ".join(text.split())
    label = "<o> " if LABEL.fullmatch(words.partition(" ")[0]) else ""
    times = f"{format_seconds(stretch.start)} {format_seconds(stretch.end)}"
    return f"{format_name(stretch.recording)} 1 {format_name(stretch.speaker)} {times} {label}{words}".rstrip(" ")


def _parse_ctm_word(words: list[str]) -> TimedText:
    if len(words) not in (5, 6):
        raise ValueError(f"a CTM line has 5 or 6 fields, this one has {len(words)}")
    if words[4] in ("<ALT_BEGIN>", "<ALT>", "<ALT_END>"):
        raise ValueError("it offers alternatives, which are not read")
    start = from_seconds(words[2])
    end = start + from_seconds(words[3])
    scored = (
        (Word(text=words[4], start=start, end=end, probability=_parse_probability(words[5])),) if len(words) > 5 else ()
    )
    return TimedText(recording=unescape(words[0]), start=start, end=end, text=words[4], words=scored)


def _parse_probability(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{text[:20]!r} is no probability")
    return value


def _ctm_lines(recording: str, items: Iterable[TimedText]) -> Iterator[str]:
    words = sorted((word for stretch in items for word in stretch.words), key=lambda word: (word.start, word.end))
    for word in words:
        parts = word.text.split()
        length = word.end - word.start
        for number, part in enumerate(parts):
            start = word.start + length * number // len(parts)
            end = word.start + length * (number + 1) // len(parts)
            times = f"{format_seconds(start)} {format_seconds(end - start)}"
            yield f"{format_name(recording)} 1 {times} {part} {word.probability:.4f}"
