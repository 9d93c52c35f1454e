"""Formats by name, each with the suffix of its files, its reader and its writer."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

from transcribe.errors import InputError, UsageError
from transcribe.formats.cues import CueRules
from transcribe.formats.records import TimedText, group_by_recording, is_visible

_DROPS: Final = {
    "rttm": "texts, times of words, dialects, the second tier",
    "stm": "times of words, dialects, the second tier, blanks beyond one; stretches without a text",
    "ctm": "speakers, dialects, the second tier, bounds of stretches; what has no times of words",
    "srt": "times of words, dialects, the second tier, line ends; stretches without a text; it cuts long ones and their"
    " speakers' names",
    "vtt": "times of words, dialects, the second tier, line ends; stretches without a text; it cuts long ones",
    "textgrid": "dialects, the second tier, how sure a word is; stretches without a text",
    "eaf": "times of words, dialects, the second tier, controls; stretches of no length",
    "nemo": "times of words, the second tier; stretches without a text or a length",
    "kaldi": "times of words, the second tier, blanks beyond one; stretches without a text or a length",
    "label-studio": "times of words, the second tier",
    "seglst": "times of words, the second tier",
    "csv": "times of words",
    "jsonl": "times of words",
}

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

    @property
    def drops(self) -> str:
        """The facts that it has no room for, as said at export and in docs/formats.md."""
        return _DROPS[self.name]

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
        Format(name="label-studio", suffix=".json", module="label_studio", stem="label_studio", sound="audio_of"),
        Format(name="seglst", suffix=".json", module="json_files", stem="seglst"),
        Format(name="csv", suffix=".csv", module="tables", stem="csv"),
        Format(name="jsonl", suffix=".jsonl", module="tables", stem="jsonl"),
    )
}

#: Formats that are read and not written.
READ_ONLY: Final = {"lhotse": Format(name="lhotse", suffix=".jsonl.gz", module="json_files", stem="lhotse")}
#: Format of files by their suffix, in lower case; ``table``: one that tells by its columns what it is.
_BY_SUFFIX: Final = {
    form.suffix.lower(): form.name for form in FORMATS.values() if form.suffix not in ("", ".json")
} | {
    **dict.fromkeys((".csv", ".tsv", ".txt", ".parquet"), "table"),
    ".gz": "lhotse",
}


def detect_format(path: Path) -> str:
    """
    Return the name of the format of *path* by its suffix and first entry; ``table`` for tables of texts.

    A folder is Kaldi's where it has a file ``segments``, else it is searched for files of one format.

    Raises:
        InputError: E_FORMAT where nothing fits.
    """
    if path.is_dir():
        if (path / "segments").is_file():
            return "kaldi"
        suffixes = {file.suffix.lower() for file in path.rglob("*") if file.is_file()}
        kinds = [form.name for form in FORMATS.values() if form.holds == "one" and form.suffix.lower() in suffixes]
        if len(kinds) == 1:
            return kinds[0]
        raise InputError(
            f"{path} holds files of {' and '.join(kinds) or 'no format that is known'}",
            code="E_FORMAT",
            hint=f"name one with --format: {', '.join(FORMATS)}",
            item=str(path),
        )
    suffix = path.suffix.lower()
    if suffix in (".json", ".jsonl", ".ndjson"):
        return _detect_json(path)
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    hint = f"name its format with --format: {', '.join((*FORMATS, *READ_ONLY))}"
    raise InputError(f"{path.name} ends in {suffix or 'nothing'}", code="E_FORMAT", hint=hint, item=str(path))


def _detect_json(path: Path) -> str:
    """Tell JSON apart by the keys at its start, which is enough: what is in doubt fails when it is read."""
    try:
        with path.open("rb") as stream:
            head = stream.read(1 << 16).decode("utf-8", "ignore").removeprefix("\ufeff").lstrip()
    except OSError as error:
        hint = "check the path and the rights"
        raise InputError(f"{path} cannot be read: {error.strerror}", hint=hint, item=str(path)) from error
    if head.startswith("["):
        return "seglst" if '"session_id"' in head else "label-studio"
    if '"audio_filepath"' in head:
        return "nemo"
    is_lhotse = '"supervisions"' in head or ('"recording_id"' in head and '"duration"' in head)
    return "lhotse" if is_lhotse else "table"


def get_format(name: str, *, reading: bool = False) -> Format:
    """
    Return the format called *name*.

    Args:
        reading: Formats that are read and not written are meant, too.

    Raises:
        UsageError: There is none; the nearest is named.
    """
    forms = FORMATS | READ_ONLY if reading else FORMATS
    if name in forms:
        return forms[name]
    near = difflib.get_close_matches(name, list(forms), n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(forms)}"
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
    rules: CueRules | None = None,
) -> Written:
    """
    Write *items*, which come recording by recording, as *name*.

    Args:
        out: File or folder. A format with a file for each recording makes a folder of it, and so does a path without
            a suffix.
        audio_of: Place of a recording's sound, for formats that name it.
        overwrite: Replace what is there.
        rules: Limits of cues, for subtitles.

    Raises:
        UsageError: No such format.
        InputError: E_EXISTS where something is there already, E_FORMAT for what the format cannot say.
        UnfitError: The place cannot be written.
    """
    form = get_format(name)
    items = map(_blank_invisible, items)
    if form.holds == "one":
        extra = {"rules": rules} if rules is not None and form.module == "subtitles" else {}
        return _write_each(items, out, form, audio_of, overwrite=overwrite, extra=extra)
    target = out / f"{ALL}{form.suffix}" if form.holds == "all" and (out.is_dir() or not out.suffix) else out
    _check_free(target, overwrite=overwrite)
    places = {form.sound: audio_of} if form.sound else {}
    return Written(items=form.writer()(items, target, **places), files=(target,))


def _blank_invisible(stretch: TimedText) -> TimedText:
    """Empty a text that nobody can see, and leave out such words, as no format has a use for them."""
    text = "" if stretch.text and not is_visible(stretch.text) else stretch.text
    words = tuple(word for word in stretch.words if is_visible(word.text))
    return (
        stretch
        if (text, len(words)) == (stretch.text, len(stretch.words))
        else replace(stretch, text=text, words=words)
    )


def _write_each(
    items: Iterable[TimedText],
    out: Path,
    form: Format,
    audio_of: Callable[[str], str],
    *,
    overwrite: bool,
    extra: Mapping[str, Any],
) -> Written:
    files: list[Path] = []
    names_in_use: set[str] = set()
    count = 0
    for recording, stretches in group_by_recording(items):
        target = out / _file_name(recording, form.suffix, names_in_use)
        _check_free(target, overwrite=overwrite)
        places = {form.sound: audio_of(recording)} if form.sound else {}
        count += form.writer()(stretches, target, **places, **extra)
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
