"""Formats by name, each with the suffix of its files, its reader and its writer."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

from transcribe.errors import InputError, UsageError
from transcribe.formats.records import TimedText, group_by_recording

#: Name of the file that holds all recordings, without suffix.
ALL: Final = "boli"


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format. Its functions are imported when they are needed: some bring large libraries."""

    name: str
    #: How its files end; empty for a folder.
    suffix: str
    #: Module here with ``read_<stem>`` and ``write_<stem>``.
    module: str
    stem: str
    #: One file for all recordings, a file for each, or a folder of files.
    holds: Literal["all", "one", "folder"] = "all"
    #: The argument that takes the place of a recording's sound, where there is one.
    sound: str | None = None
    #: It holds times of words.
    word_times: bool = False

    def reader(self) -> Callable[..., Iterator[TimedText]]:
        function: Callable[..., Iterator[TimedText]] = self._load("read")
        return function

    def writer(self) -> Callable[..., int]:
        function: Callable[..., int] = self._load("write")
        return function

    def _load(self, verb: str) -> Any:
        return getattr(importlib.import_module(f"transcribe.formats.{self.module}"), f"{verb}_{self.stem}")


@dataclass(frozen=True, kw_only=True)
class Written:
    """The files that were written, and the count of their items."""

    files: tuple[Path, ...]
    #: Stretches, words or tasks, as the format counts them.
    items: int


FORMATS: Final = {
    form.name: form
    for form in (
        Format(name="rttm", suffix=".rttm", module="line_files", stem="rttm"),
        Format(name="stm", suffix=".stm", module="line_files", stem="stm"),
        Format(name="ctm", suffix=".ctm", module="line_files", stem="ctm", word_times=True),
        Format(name="srt", suffix=".srt", module="subtitles", stem="srt", holds="one"),
        Format(name="vtt", suffix=".vtt", module="subtitles", stem="vtt", holds="one"),
        Format(name="textgrid", suffix=".TextGrid", module="tiers", stem="textgrid", holds="one", word_times=True),
        Format(name="eaf", suffix=".eaf", module="tiers", stem="eaf", holds="one", sound="media"),
        Format(name="nemo", suffix=".jsonl", module="json_files", stem="nemo", sound="audio_of"),
        Format(name="kaldi", suffix="", module="line_files", stem="kaldi", holds="folder", sound="audio_of"),
        Format(name="label-studio", suffix=".json", module="json_files", stem="label_studio", sound="audio_of"),
        Format(name="seglst", suffix=".json", module="json_files", stem="seglst"),
        Format(name="csv", suffix=".csv", module="tables", stem="csv"),
        Format(name="jsonl", suffix=".jsonl", module="tables", stem="jsonl"),
    )
}


def get_format(name: str) -> Format:
    """
    Return the format called *name*.

    Raises:
        UsageError: There is none; the nearest is named.
    """
    if name in FORMATS:
        return FORMATS[name]
    near = difflib.get_close_matches(name, list(FORMATS), n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(FORMATS)}"
    raise UsageError(f"the format {name!r} was asked for and is not known", hint=hint)


def read_texts(path: Path, name: str) -> Iterator[TimedText]:
    """Read the stretches in *path*, a file or a folder of the format *name*."""
    return get_format(name).reader()(path)


def write_texts(
    items: Iterable[TimedText],
    out: Path,
    name: str,
    *,
    audio_of: Callable[[str], str] = str,
    overwrite: bool = False,
) -> Written:
    """
    Write *items*, which come recording by recording, as *name*.

    Args:
        out: File or folder. A format with a file for each recording makes a folder of it, and so does a path without
            a suffix.
        audio_of: Place of a recording's sound, for formats that name it.
        overwrite: Replace what is there.

    Raises:
        UsageError: No such format.
        InputError: E_EXISTS where something is there already, E_FORMAT for what the format cannot say.
        UnfitError: The place cannot be written.
    """
    form = get_format(name)
    if form.holds == "one":
        return _write_each(items, out, form, audio_of, overwrite=overwrite)
    target = out / f"{ALL}{form.suffix}" if form.holds == "all" and (out.is_dir() or not out.suffix) else out
    _check_free(target, overwrite=overwrite)
    extra = {form.sound: audio_of} if form.sound else {}
    return Written(items=form.writer()(items, target, **extra), files=(target,))


def _write_each(
    items: Iterable[TimedText], out: Path, form: Format, audio_of: Callable[[str], str], *, overwrite: bool
) -> Written:
    files: list[Path] = []
    names_in_use: set[str] = set()
    count = 0
    for recording, stretches in group_by_recording(items):
        target = out / _file_name(recording, form.suffix, names_in_use)
        _check_free(target, overwrite=overwrite)
        extra = {form.sound: audio_of(recording)} if form.sound else {}
        count += form.writer()(stretches, target, **extra)
        files.append(target)
    return Written(files=tuple(files), items=count)


def _file_name(recording: str, suffix: str, names_in_use: set[str]) -> str:
    """
    Return a path below the folder that tells the recording: its path without root and ``..``, the suffix replaced.

    Two recordings that differ in the suffix alone keep it, and a third gets a number.
    """
    parts = [part for part in PurePosixPath(recording.replace("\0", "")).parts if part not in ("/", "..", ".")]
    path = PurePosixPath(*parts) if parts else PurePosixPath("recording")
    names = [str(path.with_suffix(suffix)), f"{path}{suffix}"]
    names += [f"{path}-{number}{suffix}" for number in range(2, 1_000)]
    name = next(name for name in names if name.casefold() not in names_in_use)
    names_in_use.add(name.casefold())
    return name


def _check_free(target: Path, *, overwrite: bool) -> None:
    if not overwrite and target.exists() and not (target.is_dir() and not any(target.iterdir())):
        hint = "name another place, or allow it to be overwritten (--overwrite)"
        raise InputError(f"{target} is there already", code="E_EXISTS", hint=hint, item=str(target))
