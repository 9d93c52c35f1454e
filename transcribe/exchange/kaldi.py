"""Kaldi's data directory: ``wav.scp, segments, text, utt2spk, spk2utt``, each sorted by the bytes of its keys."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import groupby, islice
from pathlib import Path
from typing import Final, TextIO

from transcribe.exchange.files import write_lines
from transcribe.exchange.records import TimedText, refusal
from transcribe.exchange.rttm import seconds
from transcribe.ingest.lines import from_seconds
from transcribe.ingest.timed import escape, fields, line_fault, open_lines, span, unescape

#: Speaker of utterances whose speaker is unknown, a person of their own in each recording.
UNKNOWN: Final = "unknown"
#: Lines that are sorted in memory; longer files are merged from sorted parts.
SORTED_AT_ONCE: Final = 200_000

_FILES: Final = ("wav.scp", "segments", "text", "utt2spk", "utt2dialect")


def read_kaldi(folder: Path) -> Iterator[TimedText]:
    """
    The utterances of the data directory *folder*, in the order of ``segments``.

    Raises:
        InputError: E_SEGMENT or E_FORMAT with file and line; a directory without ``segments`` says no times.
    """
    if not (folder / "segments").is_file():
        raise refusal(f"{folder} has no file segments, which says the times", "make one", item=str(folder))
    texts, speakers, dialects = (_pairs(folder / name) for name in ("text", "utt2spk", "utt2dialect"))
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
    Write the *items* that have a text and a length as a data directory; how many.

    An utterance's name is speaker, recording and times, so that all of Kaldi's sorts agree.

    Args:
        audio_of: Place of a recording's sound.

    Raises:
        InputError: E_FORMAT for a place that Kaldi would run as a command.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _parts(folder) as parts:
        count = 0
        for item in items:
            if item.text is not None and item.end > item.start:
                _add(item, parts, audio_of)
                count += 1
        for name in _FILES:
            parts[name].seek(0)
            write_lines(_sorted_once(parts[name], folder), folder / name)
    with (folder / "utt2spk").open(encoding="utf-8") as stream:
        write_lines(_utterances_by_speaker(stream, folder), folder / "spk2utt")
    return count


def _add(item: TimedText, parts: dict[str, TextIO], audio_of: Callable[[str], str]) -> None:
    recording = escape(item.recording)
    speaker = escape(item.speaker) if item.speaker else f"{UNKNOWN}-{recording}"
    utterance = f"{speaker}-{recording}-{item.start:09d}-{item.end:09d}"
    parts["wav.scp"].write(f"{recording} {_sound(audio_of(item.recording))}\n")
    parts["segments"].write(f"{utterance} {recording} {seconds(item.start)} {seconds(item.end)}\n")
    parts["text"].write(f"{utterance} {' '.join((item.text or '').split())}".rstrip(" ") + "\n")
    parts["utt2spk"].write(f"{utterance} {speaker}\n")
    if item.dialect:
        parts["utt2dialect"].write(f"{utterance} {item.dialect}\n")


def _sound(place: str) -> str:
    if not place or "|" in place or "\n" in place or place.strip() != place:
        what = f"{place[:80]!r} was to be the place of a sound, and Kaldi runs what has a '|' as a command"
        raise refusal(what, "give the file another name")
    return place


def _pairs(file: Path) -> dict[str, str]:
    """First word to rest of each line; empty if there is no *file*."""
    if not file.is_file():
        return {}
    pairs = (fields(line, 2) for _, line in open_lines(file, line_fault(file, "E_FORMAT")))
    return {words[0]: words[1] if len(words) > 1 else "" for words in pairs}


@contextmanager
def _parts(folder: Path) -> Iterator[dict[str, TextIO]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(_scratch(folder)) for name in _FILES}


def _scratch(folder: Path) -> TextIO:
    return tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n", dir=folder)


def _sorted_once(lines: Iterable[str], folder: Path) -> Iterator[str]:
    """*lines* by their bytes, each once, without their ends."""
    lines = iter(lines)
    with ExitStack() as stack:
        runs = []
        while chunk := sorted(islice(lines, SORTED_AT_ONCE), key=str.encode):
            run = stack.enter_context(_scratch(folder))
            run.writelines(chunk)
            run.seek(0)
            runs.append(run)
        for line, _ in groupby(heapq.merge(*runs, key=str.encode)):
            yield line.rstrip("\n")


def _utterances_by_speaker(utt2spk: Iterable[str], folder: Path) -> Iterator[str]:
    """Lines of ``spk2utt``."""
    pairs = (line.rstrip("\n").split(" ") for line in utt2spk)
    turned = _sorted_once((f"{speaker} {utterance}\n" for utterance, speaker in pairs), folder)
    for speaker, own in groupby((line.split(" ") for line in turned), key=lambda pair: pair[0]):
        yield " ".join([speaker, *(utterance for _, utterance in own)])
