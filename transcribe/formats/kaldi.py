"""Kaldi's data directory: ``wav.scp, segments, text, utt2spk, spk2utt``, each sorted by the bytes of its keys."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import groupby, islice
from pathlib import Path
from typing import Final, TextIO

from transcribe.formats.files import write_lines
from transcribe.formats.records import TimedText, refusal
from transcribe.formats.rttm import format_seconds
from transcribe.ingest.tables import from_seconds
from transcribe.ingest.timed import escape, fields, line_fault, open_lines, span, unescape

#: Speaker of utterances whose speaker is unknown, a person of their own in each recording.
UNKNOWN: Final = "unknown"
#: Lines that are sorted in memory; longer files are merged from sorted parts.
SORTED_AT_ONCE: Final = 200_000

_FILES: Final = ("wav.scp", "segments", "text", "utt2spk", "utt2dialect")


def read_kaldi(folder: Path) -> Iterator[TimedText]:
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
            raise fault(number, str(error), "mend the line or leave it out") from None
        recording, speaker = unescape(words[1]), unescape(speakers.get(words[0], UNKNOWN))
        yield TimedText(
            recording=recording,
            start=start,
            end=end,
            speaker=None if speaker in (UNKNOWN, f"{UNKNOWN}-{recording}") else speaker,
            text=texts.get(words[0]),
            dialect=dialects.get(words[0]),
        )


def write_kaldi(items: Iterable[TimedText], folder: Path, *, audio_of: Callable[[str], str] = str) -> int:
    """
    Write and count the *items* that have a text and a length, as a data directory.

    An utterance's name is speaker, recording and times, so that all of Kaldi's sorts agree.

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
    recording = escape(stretch.recording)
    speaker = escape(stretch.speaker) if stretch.speaker else f"{UNKNOWN}-{recording}"
    utterance = f"{speaker}-{recording}-{stretch.start:09d}-{stretch.end:09d}"
    parts["wav.scp"].write(f"{recording} {_check_sound(audio_of(stretch.recording))}\n")
    parts["segments"].write(f"{utterance} {recording} {format_seconds(stretch.start)} {format_seconds(stretch.end)}\n")
    parts["text"].write(f"{utterance} {' '.join((stretch.text or '').split())}".rstrip(" ") + "\n")
    parts["utt2spk"].write(f"{utterance} {speaker}\n")
    if stretch.dialect:
        parts["utt2dialect"].write(f"{utterance} {stretch.dialect}\n")


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
