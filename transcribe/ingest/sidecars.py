"""
Read turns that come beside a recording: RTTM, STM, or a table with ``start_ms, end_ms, speaker, dialect, text``.

Texts among them become corrections.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeAlias

from transcribe.errors import InputError
from transcribe.ingest.timed import Placed, line_fault, read_rttm, read_stm, read_table
from transcribe.records import Correction, DeclaredTurn, Milliseconds, content_id

#: Bytes of the longest sidecar: turns of one recording, or of a corpus of meetings.
LARGEST: Final = 64 << 20
#: How far the last turn may reach beyond the sound: annotators round, and players show whole seconds.
TOLERANCE: Final[Milliseconds] = 1_000

_READERS: Final[Mapping[str, Callable[[Path], Iterator[Placed]]]] = {
    ".rttm": read_rttm,
    ".stm": read_stm,
    ".jsonl": read_table,
    ".ndjson": read_table,
    ".csv": read_table,
    ".tsv": read_table,
}

_Turns: TypeAlias = tuple[tuple[DeclaredTurn, ...], tuple[str, ...]]


class Sidecars:
    """Reads sidecars and keeps the last few, since one file often holds the turns of many recordings."""

    def __init__(self) -> None:
        self._read = lru_cache(maxsize=4)(_read_by_recording)

    def turns(self, file: Path, recording: str, *, speaker: str | None = None) -> _Turns:
        """
        Return the turns of *file* about *recording*, and where each stands.

        A file about a single recording need not name it rightly; one about several is asked for the name of
        *recording*, with or without folder and suffix. Turns of no length are left out.

        Args:
            speaker: Taken where a line names nobody.

        Raises:
            InputError: E_SEGMENT with the line; E_JSON; E_PATH where *file* is no file.
        """
        by_recording = self._read(file)
        turns: list[DeclaredTurn] = []
        places: list[str] = []
        for placed in _choose_turns(file, by_recording, recording):
            stretch = placed.stretch
            if stretch.start == stretch.end:
                continue
            name = stretch.speaker or speaker
            if name is None:
                raise line_fault(file)(placed.line, "it names no speaker", "name who speaks")
            turns.append(
                DeclaredTurn(
                    start=stretch.start,
                    end=stretch.end,
                    speaker=unicodedata.normalize("NFC", name),
                    dialect=stretch.dialect,
                    text=stretch.text,
                )
            )
            places.append(f"{file.name} line {placed.line}")
        return tuple(turns), tuple(places)


def fit(turns: _Turns, duration: Milliseconds) -> tuple[DeclaredTurn, ...]:
    """
    Return the turns inside a recording of *duration*; an end at most a second beyond it is brought back.

    Raises:
        InputError: E_SEGMENT, naming the line that lies further out.
    """
    from dataclasses import replace

    fitted = []
    for turn, where in zip(*turns, strict=True):
        if turn.end > duration + TOLERANCE or turn.start >= duration:
            raise InputError(
                f"{where}: it goes from {turn.start} to {turn.end} ms, and the recording ends at {duration} ms",
                code="E_SEGMENT",
                hint="check that the turns belong to this recording and that times are in the right unit",
                item=where,
            )
        fitted.append(replace(turn, end=min(turn.end, duration)))
    return tuple(fitted)


def _read_by_recording(file: Path) -> dict[str, list[Placed]]:
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise _refusal(file, f"sidecars end in {', '.join(_READERS)}")
    if not file.is_file():
        raise _refusal(file, "no such file")
    if file.stat().st_size > LARGEST:
        raise _refusal(file, f"it is over {LARGEST >> 20} MiB")
    by_recording: dict[str, list[Placed]] = {}
    for placed in reader(file):
        # Names in one Unicode form: on other systems "é" is two characters.
        by_recording.setdefault(unicodedata.normalize("NFC", placed.stretch.recording), []).append(placed)
    return by_recording


def _refusal(file: Path, what: str) -> InputError:
    hint = "name an RTTM, STM, JSONL or CSV file in the column turns"
    return InputError(f"the sidecar {file.name} was asked for: {what}", code="E_PATH", hint=hint, item=str(file))


def _choose_turns(file: Path, by_recording: Mapping[str, list[Placed]], recording: str) -> list[Placed]:
    if len(by_recording) <= 1:
        return next(iter(by_recording.values()), [])
    recording = unicodedata.normalize("NFC", recording)
    path = Path(recording)
    for name in (recording, path.name, path.stem, str(path.with_suffix(""))):
        if name in by_recording:
            return by_recording[name]
    names = ", ".join(sorted(by_recording)[:3])
    raise InputError(
        f"{file.name} holds turns of {len(by_recording)} recordings ({names} …), and none of {path.stem}",
        code="E_SEGMENT",
        hint="name the recordings in the sidecar as the files are called",
        item=str(file),
    )


def make_correction(
    *,
    recording: str,
    start: Milliseconds,
    end: Milliseconds,
    text: str,
    speaker: str | None = None,
    dialect: str | None = None,
    segment: str | None = None,
    author: str | None = None,
    normalised: str | None = None,
) -> Correction:
    """
    Make a correction whose id is a hash of its content, so that importing it twice is a no-op.

    Args:
        author: Name of the file.
    """
    content = (recording, start, end, text, speaker, dialect, segment, author)
    return Correction(
        # What has one text has the id that it had before there were two.
        id=content_id("imported", *content, *([normalised] if normalised is not None else ())),
        recording=recording,
        start=start,
        end=end,
        text=text,
        speaker=speaker,
        dialect=dialect,
        segment=segment,
        author=author,
        normalised=normalised,
    )
