"""Files of fields a line: RTTM and UEM (NIST Rich Transcription 2009, appendix A), STM and CTM, Kaldi's folders."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Final, TextIO

from transcribe.formats.files import write_lines
from transcribe.formats.records import TimedText, group_by_recording, refusal
from transcribe.ingest import timed
from transcribe.ingest.timed import (
    LABEL,
    NOT_AVAILABLE,
    Refuse,
    escape,
    fields,
    line_fault,
    open_lines,
    raise_error,
    span,
    unescape,
)
from transcribe.records import Milliseconds, Word
from transcribe.tables import from_seconds

#: Speaker of utterances whose speaker is unknown, a person of their own in each recording.
UNKNOWN: Final = "unknown"
#: Between the parts of an utterance's name: the first sign after the blank, and escaped within the parts.
SEPARATOR: Final = "!"
#: Lines that are sorted in memory; longer files are merged from sorted parts.
SORTED_AT_ONCE: Final = 200_000

_FILES: Final = ("wav.scp", "segments", "text", "utt2spk", "utt2dialect")


@dataclass(frozen=True, kw_only=True)
class Region:
    """A part of a recording that somebody annotated. Nothing is known of the rest."""

    recording: str
    start: Milliseconds
    end: Milliseconds


def read_rttm(path: Path, *, refuse: Refuse = raise_error) -> Iterator[TimedText]:
    """
    Read the speaker lines of *path*, as they stand.

    Raises:
        InputError: E_SEGMENT with the line.
    """
    return (placed.stretch for placed in timed.read_rttm(path, refuse=refuse))


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


def read_stm(path: Path, *, refuse: Refuse = raise_error) -> Iterator[TimedText]:
    """
    Read the lines of *path*, without comments and without stretches that are not scored.

    Raises:
        InputError: E_SEGMENT with the line.
    """
    return (placed.stretch for placed in timed.read_stm(path, refuse=refuse))


def write_stm(items: Iterable[TimedText], path: Path) -> int:
    """
    Write one line for each of *items* that has a text, and count them.

    The words stay, white space between them becomes one blank. A text that begins like a label gets an empty label
    before it.
    """
    return write_lines((_stm_line(stretch, stretch.text) for stretch in items if stretch.text is not None), path)


def read_ctm(path: Path, *, refuse: Refuse = raise_error) -> Iterator[TimedText]:
    """
    Read the words of *path*, one each, with their probability where it is given.

    Raises:
        InputError: E_SEGMENT with the line; alternatives are not read.
    """
    lines = timed.read_placed_lines(path, lambda line: _parse_ctm_word(fields(line)), refuse=refuse)
    return (placed.stretch for placed in lines)


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


def read_kaldi(folder: Path, *, refuse: Refuse = raise_error) -> Iterator[TimedText]:
    """
    Read the utterances of the data directory *folder*, in the order of ``segments``.

    Raises:
        InputError: E_SEGMENT or E_FORMAT with file and line; a directory without ``segments`` says no times.
    """
    if not (folder / "segments").is_file():
        raise refusal(f"{folder} has no file segments, which says the times", "make one", item=str(folder))
    texts, speakers, dialects = (_read_pairs(folder / name) for name in ("text", "utt2spk", "utt2dialect"))
    fault = line_fault(folder / "segments")
    for number, line in open_lines(folder / "segments", fault):
        words = fields(line)
        try:
            if len(words) != 4:
                raise ValueError(f"it has {len(words)} fields where 4 are wanted")
            start, end = span(from_seconds(words[2]), from_seconds(words[3]))
        except ValueError as error:
            refuse(fault(number, str(error), "mend the line or leave it out"))
            continue
        recording, speaker = unescape(words[1]), unescape(speakers.get(words[0], UNKNOWN))
        yield TimedText(
            recording=recording,
            start=start,
            end=end,
            speaker=None if speaker in (UNKNOWN, f"{UNKNOWN}-{recording}") else speaker,
            text=texts.get(words[0]),
            dialect=dialects.get(words[0]),
            where=f"segments line {number}",
        )


def write_kaldi(items: Iterable[TimedText], folder: Path, *, audio_of: Callable[[str], str] = str) -> int:
    """
    Write and count the *items* that have a text and a length, as a data directory.

    An utterance's name is speaker, recording and times, joined by a sign that sorts before all others in them: the
    order by utterance is then the one by speaker, as Kaldi checks it, also where one name begins another.

    Args:
        audio_of: Gives the path of a recording's sound.

    Raises:
        InputError: E_FORMAT for a place that Kaldi would run as a command.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _open_parts(folder) as parts:
        count = 0
        for stretch in items:
            if stretch.text is not None and stretch.end > stretch.start:
                _add(stretch, parts, audio_of)
                count += 1
        for name in _FILES:
            parts[name].seek(0)
            write_lines(_sort_unique(parts[name], folder), folder / name)
    with (folder / "utt2spk").open(encoding="utf-8") as stream:
        write_lines(_group_by_speaker(stream, folder), folder / "spk2utt")
    return count


def _add(stretch: TimedText, parts: dict[str, TextIO], audio_of: Callable[[str], str]) -> None:
    recording = _escape_id(stretch.recording)
    speaker = _escape_id(stretch.speaker) if stretch.speaker else f"{UNKNOWN}-{recording}"
    utterance = SEPARATOR.join([speaker, recording, f"{stretch.start:09d}", f"{stretch.end:09d}"])
    parts["wav.scp"].write(f"{recording} {_check_sound(audio_of(stretch.recording))}\n")
    parts["segments"].write(f"{utterance} {recording} {format_seconds(stretch.start)} {format_seconds(stretch.end)}\n")
    parts["text"].write(f"{utterance} {' '.join((stretch.text or '').split())}".rstrip(" ") + "\n")
    parts["utt2spk"].write(f"{utterance} {speaker}\n")
    if stretch.dialect:
        parts["utt2dialect"].write(f"{utterance} {stretch.dialect}\n")


def _escape_id(name: str) -> str:
    return escape(name).replace(SEPARATOR, f"%{ord(SEPARATOR):02X}")


def _check_sound(path: str) -> str:
    if not path or "|" in path or "\n" in path or path.strip() != path:
        what = f"{path[:80]!r} was to be the place of a sound, and Kaldi runs what has a '|' as a command"
        raise refusal(what, "give the file another name")
    return path


def _read_pairs(file: Path) -> dict[str, str]:
    """Map the first word of each line to its rest; empty if there is no *file*."""
    if not file.is_file():
        return {}
    pairs = (fields(line, 2) for _, line in open_lines(file, line_fault(file, "E_FORMAT")))
    return {words[0]: words[1] if len(words) > 1 else "" for words in pairs}


@contextmanager
def _open_parts(folder: Path) -> Iterator[dict[str, TextIO]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(_open_scratch(folder)) for name in _FILES}


def _open_scratch(folder: Path) -> TextIO:
    return tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n", dir=folder)


def _sort_unique(lines: Iterable[str], folder: Path) -> Iterator[str]:
    """Sort *lines* by their bytes, each once, and yield them without their ends."""
    lines = iter(lines)
    with ExitStack() as stack:
        runs = []
        while chunk := sorted(islice(lines, SORTED_AT_ONCE), key=str.encode):
            run = stack.enter_context(_open_scratch(folder))
            run.writelines(chunk)
            run.seek(0)
            runs.append(run)
        for line, _ in groupby(heapq.merge(*runs, key=str.encode)):
            yield line.rstrip("\n")


def _group_by_speaker(utt2spk: Iterable[str], folder: Path) -> Iterator[str]:
    """Yield the lines of ``spk2utt``."""
    pairs = (line.rstrip("\n").split(" ") for line in utt2spk)
    speaker_first = _sort_unique((f"{speaker} {utterance}\n" for utterance, speaker in pairs), folder)
    for speaker, pairs_of_speaker in groupby((line.split(" ") for line in speaker_first), key=lambda pair: pair[0]):
        yield " ".join([speaker, *(utterance for _, utterance in pairs_of_speaker)])
