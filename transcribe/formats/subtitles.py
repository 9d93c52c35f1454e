"""SRT and WebVTT, through pysubs2."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import count as count_from
from pathlib import Path
from typing import Any, Final, Literal

from dialects.text_files import read_lines
from transcribe.formats.cues import CueRules, shorten, split_cues
from transcribe.formats.files import open_replacement
from transcribe.formats.records import TimedText, order_single_recording, refusal
from transcribe.ingest.timed import Refuse, line_fault, raise_error
from transcribe.speaker_links import recording_of_unnamed

#: Stands in for the backslash while pysubs2 has the text: it would take ``\N`` for a line end.
_BACKSLASH: Final = "\ue05c"
#: Marks that only format. Others, such as ``<noise>``, are text in SRT.
_SRT_MARKS: Final = re.compile(r"</?(?:[bius]|font[^<>]*)>|\{\\an?\d+\}", re.IGNORECASE)
_VOICE: Final = re.compile(r"<v(?:\.[^\s>]*)?[ \t]+([^>]*)>")
#: The speaker before a cue of SRT, as it is written here: ``[Asha]: yes``.
_NAMED: Final = re.compile(r"\[([^\[\]\n]*)\]:[ \n]?")
#: Bytes of the largest file that is read.
LARGEST: Final = 64 << 20
_TAG: Final = re.compile(r"</?[a-z0-9.:]*(?:[ \t][^>]*)?>", re.IGNORECASE)


def read_srt(path: Path, *, recording: str | None = None, refuse: Refuse = raise_error) -> Iterator[TimedText]:
    """
    Read the cues of *path* in their order, without formatting. A name in brackets before a cue is its speaker.

    Args:
        recording: The recording that the cues belong to; default is the file's name without suffix.

    Raises:
        InputError: E_FORMAT if the file cannot be read.
    """
    for number, event in _parse_events(path, "srt", _read_text(path), refuse):
        text = _SRT_MARKS.sub("", _restore(event.text)).strip()
        named = _NAMED.match(text)
        yield TimedText(
            recording=recording or path.stem,
            start=event.start,
            end=event.end,
            speaker=named[1].strip() or None if named else None,
            text=text[named.end() :] if named else text,
            where=f"{path.name}, cue {number}",
        )


def write_srt(items: Iterable[TimedText], path: Path, *, rules: CueRules = CueRules()) -> int:
    """
    Write and count the *items* that have a text, in cues by *rules*. They are of one recording.

    The speaker stands in brackets before each cue; brackets within a name become round, a name longer than a line is
    shortened, and speakers that nobody named are numbered.
    """
    return _write(order_single_recording(items, "SRT"), path, "srt", rules)


def read_vtt(path: Path, *, recording: str | None = None, refuse: Refuse = raise_error) -> Iterator[TimedText]:
    """
    Read the cues of *path* in their order, without formatting. The voice of a cue is its speaker.

    Args and Raises as for ``read_srt``.
    """
    for number, event in _parse_events(path, "vtt", _keep_cues(_read_text(path)), refuse):
        marked = _restore(event.text)
        voices = _VOICE.findall(marked)
        text = html.unescape(_TAG.sub("", marked))
        yield TimedText(
            recording=recording or path.stem,
            start=event.start,
            end=event.end,
            speaker=html.unescape(voices[0]).strip() or None if len(set(voices)) == 1 else None,
            text=text.strip(),
            where=f"{path.name}, cue {number}",
        )


def write_vtt(items: Iterable[TimedText], path: Path, *, rules: CueRules = CueRules()) -> int:
    """
    Write and count the *items* that have a text, in cues by *rules* with the speaker as voice. They are of one
    recording.
    """
    return _write(order_single_recording(items, "WebVTT"), path, "vtt", rules)


def _write(items: list[TimedText], path: Path, kind: Literal["srt", "vtt"], rules: CueRules) -> int:
    import pysubs2

    subtitles = pysubs2.SSAFile()
    count = 0
    names = _name_speakers(items)
    if kind == "srt" and not rules.is_whole:
        names = _shorten_names(names, rules)
    for stretch in items:
        stretch = replace(stretch, speaker=stretch.speaker and names[stretch.speaker])
        label = _label(stretch) if kind == "srt" and rules.has_speakers else ""
        cues = list(split_cues(stretch, rules, label=label))
        count += bool(cues)
        for cue in cues:
            text = cue.text or ""
            if kind == "vtt":
                text = _add_voice(text, cue.speaker if rules.has_speakers else None)
            escaped = text.replace("\\", _BACKSLASH).replace("\n", "\\N")
            subtitles.append(pysubs2.SSAEvent(start=cue.start, end=cue.end, text=escaped))
    subtitles.sort()
    with open_replacement(path) as stream:
        stream.write(subtitles.to_string(kind, keep_ssa_tags=True).replace(_BACKSLASH, "\\"))
    return count


def _name_speakers(items: Iterable[TimedText]) -> dict[str, str]:
    """Map speakers to their names: ``Speaker 1``, in the order in which they begin, for those that nobody declared."""
    speakers = list(dict.fromkeys(stretch.speaker for stretch in items if stretch.speaker))
    numbered = (name for number in count_from(1) if (name := f"Speaker {number}") not in speakers)
    return {name: next(numbered) if recording_of_unnamed(name) else name for name in speakers}


def _shorten_names(names: Mapping[str, str], rules: CueRules) -> dict[str, str]:
    """Shorten *names* so that a label fits a line, or half of it where a cue has no other; no two become one."""
    room = (rules.line_length if rules.lines > 1 else rules.line_length // 2) - len("[]: ")
    short: dict[str, str] = {}
    for speaker, name in names.items():
        endings = (f" {number}" if number > 1 else "" for number in count_from(1))
        label = " ".join(name.split())
        choices = (f"{shorten(label, room - len(ending))}{ending}" for ending in endings)
        short[speaker] = next(choice for choice in choices if choice not in short.values())
    return short


def _label(stretch: TimedText) -> str:
    """Return what stands before a cue of SRT; empty brackets keep a text that looks like a speaker's name."""
    if stretch.speaker is None:
        return "[]: " if _NAMED.match((stretch.text or "").lstrip()) else ""
    return f"[{' '.join(stretch.speaker.split()).replace('[', '(').replace(']', ')')}]: "


def _add_voice(text: str, speaker: str | None) -> str:
    """Escape *text* and put it into the speaker's voice mark (WebVTT, section 3.4)."""
    escaped = html.escape(text, quote=False)
    return escaped if speaker is None else f"<v {html.escape(' '.join(speaker.split()), quote=False)}>{escaped}</v>"


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise refusal(f"{path.name} is over {LARGEST >> 20} MiB", "split it", item=str(path))
        with path.open("rb") as stream:
            text = "".join(read_lines(stream, line_fault(path, "E_FORMAT")))
    except OSError as error:
        raise refusal(
            f"{path} cannot be read: {error.strerror}", "check the path and the rights", item=str(path)
        ) from error
    if text.strip() and "-->" not in text and not text.startswith("WEBVTT"):
        raise refusal(f"{path.name} holds no cue", "check that it is a subtitle file", item=str(path))
    return text


def _parse_events(path: Path, kind: str, text: str, refuse: Refuse) -> Iterator[tuple[int, Any]]:
    """
    Yield the cues with their numbers as pysubs2 reads them.

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
            refuse(refusal(what, "mend its time stamps", item=f"{path.name}:{number}"))
        else:
            yield number, event


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
