"""SRT and WebVTT, through pysubs2."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Literal

from transcribe.formats.files import open_replacement
from transcribe.formats.records import TimedText, order_single_recording, refusal

#: Stands in for the backslash while pysubs2 has the text: it would take ``\N`` for a line end.
_BACKSLASH: Final = "\ue05c"
#: Marks that only format. Others, such as ``<noise>``, are text in SRT.
_SRT_MARKS: Final = re.compile(r"</?(?:[bius]|font[^<>]*)>|\{\\an?\d+\}", re.IGNORECASE)
_VOICE: Final = re.compile(r"<v(?:\.[^\s>]*)?[ \t]+([^>]*)>")
_TAG: Final = re.compile(r"</?[a-z0-9.:]*(?:[ \t][^>]*)?>", re.IGNORECASE)


def read_srt(path: Path, *, recording: str | None = None) -> Iterator[TimedText]:
    """
    Read the cues of *path* in their order, without formatting. SRT names no speakers.

    Args:
        recording: The recording that the cues belong to; default is the file's name without suffix.

    Raises:
        InputError: E_FORMAT if the file cannot be read.
    """
    for event in _parse_events(path, "srt", _read_text(path)):
        text = _SRT_MARKS.sub("", _restore(event.text))
        yield TimedText(recording=recording or path.stem, start=event.start, end=event.end, text=text.strip())


def write_srt(items: Iterable[TimedText], path: Path) -> int:
    """
    Write and count the *items* that have a text, as cues. They are of one recording.

    Lines of a text stay lines; empty ones go, since they would end the cue. SRT names no speakers.
    """
    return _write(order_single_recording(items, "SRT"), path, "srt")


def read_vtt(path: Path, *, recording: str | None = None) -> Iterator[TimedText]:
    """
    Read the cues of *path* in their order, without formatting. The voice of a cue is its speaker.

    Args and Raises as for ``read_srt``.
    """
    for event in _parse_events(path, "vtt", _keep_cues(_read_text(path))):
        marked = _restore(event.text)
        voices = _VOICE.findall(marked)
        text = html.unescape(_TAG.sub("", marked))
        yield TimedText(
            recording=recording or path.stem,
            start=event.start,
            end=event.end,
            speaker=html.unescape(voices[0]).strip() or None if len(set(voices)) == 1 else None,
            text=text.strip(),
        )


def write_vtt(items: Iterable[TimedText], path: Path) -> int:
    """Write and count the *items* that have a text, as cues with the speaker as voice. They are of one recording."""
    return _write(order_single_recording(items, "WebVTT"), path, "vtt")


def _write(items: list[TimedText], path: Path, kind: Literal["srt", "vtt"]) -> int:
    import pysubs2

    subtitles = pysubs2.SSAFile()
    for stretch in items:
        if stretch.text is None:
            continue
        text = "\n".join(line for line in stretch.text.splitlines() if line.strip())
        cue = _add_voice(text, stretch.speaker) if kind == "vtt" else text
        escaped = cue.replace("\\", _BACKSLASH).replace("\n", "\\N")
        subtitles.append(pysubs2.SSAEvent(start=stretch.start, end=stretch.end, text=escaped))
    with open_replacement(path) as stream:
        stream.write(subtitles.to_string(kind, keep_ssa_tags=True).replace(_BACKSLASH, "\\"))
    return len(subtitles)


def _add_voice(text: str, speaker: str | None) -> str:
    """Escape *text* and put it into the speaker's voice mark (WebVTT, section 3.4)."""
    escaped = html.escape(text, quote=False)
    return escaped if speaker is None else f"<v {html.escape(' '.join(speaker.split()), quote=False)}>{escaped}</v>"


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise refusal(f"{path.name} is not UTF-8", "save it as UTF-8", item=str(path)) from error
    except OSError as error:
        raise refusal(
            f"{path} cannot be read: {error.strerror}", "check the path and the rights", item=str(path)
        ) from error


def _parse_events(path: Path, kind: str, text: str) -> list[Any]:
    """
    Return the cues as pysubs2 reads them.

    It takes a last line of digits for the number of a next cue, so one is put there for it to take.
    """
    import pysubs2

    try:
        subtitles = pysubs2.SSAFile.from_string(
            f"{text.replace(chr(92), _BACKSLASH)}\n\n0\n", format_=kind, keep_html_tags=True
        )
    except (pysubs2.Pysubs2Error, ValueError) as error:
        raise refusal(
            f"{path.name} cannot be read: {error}", "check that it is a subtitle file", item=str(path)
        ) from error
    if "-->" in text and not len(subtitles):
        raise refusal(f"{path.name} holds no cue that can be read", "check its time stamps", item=str(path))
    for number, event in enumerate(subtitles, 1):
        if event.start > event.end:
            what = f"{path.name}, cue {number}: it starts at {event.start} ms, after its end at {event.end} ms"
            raise refusal(what, "mend its time stamps", item=f"{path.name}:{number}")
    return list(subtitles)


def _restore(text: str) -> str:
    return text.replace("\\N", "\n").replace(_BACKSLASH, "\\")


def _keep_cues(text: str) -> str:
    """
    Strip a WebVTT file of notes, styles, regions and names of cues, and number its cues.

    pysubs2 would take all of these for text of the cue before them.
    """
    cues: list[str] = []
    for block in re.split(r"\n[ \t]*\n", re.sub(r"\r\n?", "\n", text)):
        lines = block.strip("\n").split("\n")
        time_line = next((number for number, line in enumerate(lines[:2]) if "-->" in line), None)
        if time_line is not None:
            cues.append("\n".join([str(len(cues) + 1), *lines[time_line:]]))
    return "\n\n".join(["WEBVTT", *cues])
