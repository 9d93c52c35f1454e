"""Tiers, a line of intervals for each speaker: Praat's TextGrid and ELAN's EAF."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from transcribe.errors import InputError
from transcribe.formats.files import replace_file
from transcribe.formats.records import TimedText, is_visible, order_single_recording, refusal
from transcribe.formats.text_tiers import (
    AmbiguousTiersError,
    Tier,
    find_text_tiers,
    join_annotations,
    list_tiers,
    list_trees,
    name_speaker,
    pick_tiers,
)
from transcribe.ingest.timed import Refuse, raise_error
from transcribe.records import Milliseconds

#: Name of the tier for texts without a speaker.
UNKNOWN: Final = "speech"
#: Bytes of the largest file that is read; an hour of dense speech takes about 2 MB.
LARGEST: Final = 256 << 20

_MEDIA_TYPES: Final = {".wav": "audio/x-wav", ".mp3": "audio/mpeg", ".mp4": "video/mp4", ".m4a": "audio/mp4"}
#: Characters that XML 1.0 cannot hold (section 2.2).
_NO_XML: Final = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: End of the name of a tier with words, as forced aligners write it.
WORDS: Final = " - words"

#: Levels of elements in each other; an EAF has five.
DEEPEST: Final = 32
_QUOTED: Final = re.compile(r'"((?:[^"]|"")*)"')
#: Strings that the parser has to see as they are.
_STRUCTURE: Final = frozenset({"ooTextFile", "ooTextFile short", "TextGrid", "IntervalTier", "TextTier"})


def lay_out(items: Iterable[TimedText], *, unknown: str) -> list[tuple[str, list[TimedText]]]:
    """
    Return named rows of *items* in which nothing overlaps, in the order in which speakers begin.

    What overlaps something of the same speaker goes to a further row, ``Asha [2]``.

    Args:
        items: Of one recording, ordered by start.
        unknown: Name of the row for items without a speaker.
    """
    rows: dict[str, list[TimedText]] = {}
    for stretch in items:
        speaker = stretch.speaker or unknown
        number = 1
        name = speaker
        while rows.get(name) and rows[name][-1].end > stretch.start:
            number += 1
            name = f"{speaker} [{number}]"
        rows.setdefault(name, []).append(stretch)
    return list(rows.items())


def speaker_of(row: str, rows: Collection[str], *, unknown: str) -> str | None:
    """
    Return the speaker of the row called *row* among *rows*.

    >>> speaker_of("Asha [2]", ["Asha", "Asha [2]"], unknown="speech")
    'Asha'
    """
    base = re.sub(r" \[\d+\]$", "", row)
    name = base if base in rows else row
    return None if name in (unknown, "") else name


def read_eaf(
    path: Path, *, recording: str | None = None, tier: str | None = None, refuse: Refuse = raise_error
) -> Iterator[TimedText]:
    """
    Read the texts of *path* ordered by start. The speaker is the tier's participant, else told by the tier's name.

    Of the tiers that belong together one holds the texts, as `find_text_tiers` tells. Words that subdivide an
    annotation are joined to one text.

    Args:
        recording: The recording that they belong to; default is the file's name without suffix.
        tier: Name of the tiers with the texts, whole or before ``@``, or their linguistic type.

    Raises:
        InputError: E_FORMAT if the file cannot be read, or if it is in doubt which tiers hold the texts.
    """
    tiers = list_tiers(_parse(path))
    by_name = {entry.name: entry for entry in tiers}
    choices: Sequence[Tier | AmbiguousTiersError]
    try:
        choices = find_text_tiers(list_trees(tiers)) if tier is None else pick_tiers(tiers, tier)
    except AmbiguousTiersError as error:
        choices = [error]
    stretches = []
    for choice in choices:
        if isinstance(choice, AmbiguousTiersError):
            asked = "the texts may be on" if tier is None else f"no tier {tier!r} among"
            hint = "name the one with the texts: --tier NAME"
            refuse(refusal(f"{path.name}: {asked} {choice}", hint, item=str(path)))
            continue
        root = choice
        while root.depth and root.parent is not None:
            root = by_name[root.parent]
        speaker = name_speaker(choice, root)
        speaker = speaker_of(speaker, by_name, unknown=UNKNOWN) if speaker == root.name else speaker
        for annotation in join_annotations(choice, _find_anchors(choice, by_name)):
            start, end = annotation.start, annotation.end
            if start is None or end is None or not 0 <= start <= end:
                what = f"{path.name}: an annotation of the tier {choice.name} has no times of its own"
                refuse(refusal(what, "align it in ELAN", item=str(path)))
                continue
            stretches.append(
                TimedText(
                    recording=recording or path.stem,
                    start=start,
                    end=end,
                    speaker=speaker,
                    text=annotation.text,
                    where=f"{path.name}, tier {choice.name}, {annotation.id}",
                )
            )
    yield from sorted(stretches, key=lambda stretch: (stretch.start, stretch.end, stretch.speaker or ""))


def _find_anchors(
    tier: Tier, by_name: Mapping[str, Tier]
) -> dict[str, tuple[Milliseconds | None, Milliseconds | None]]:
    """Map the annotations that those of *tier* belong to, on the nearest tier above it with times, to their times."""
    above = by_name.get(tier.parent or "", tier)
    while above.depth and any(annotation.start is None for annotation in above.annotations):
        above = by_name[above.parent or ""]
    return {annotation.id: (annotation.start, annotation.end) for annotation in above.annotations}


def write_eaf(items: Iterable[TimedText], path: Path, *, media: str | None = None) -> int:
    """
    Write and count the *items* that have a length, a tier for each speaker. They are of one recording.

    What a speaker says at the same time as something else of his own goes to a further tier. Characters that XML
    cannot hold are left out.

    Args:
        media: Place of the sound, for ELAN to play.
    """
    from pympi.Elan import Eaf

    stretches = [stretch for stretch in order_single_recording(items, "an EAF file") if stretch.end > stretch.start]
    eaf = Eaf(author="boli")
    eaf.remove_tier("default")
    if media is not None:
        kind = _MEDIA_TYPES.get(PurePosixPath(media).suffix.lower(), "audio/*")
        media_url = Path(media).as_uri() if media.startswith("/") else _clean_text(media)
        eaf.add_linked_file(media_url, mimetype=kind)
    rows = lay_out(stretches, unknown=UNKNOWN)
    for name, row in rows or [(UNKNOWN, [])]:
        tier = _clean_text(name)
        eaf.add_tier(tier, part=_clean_text(row[0].speaker) if row and row[0].speaker else None)
        for stretch in row:
            eaf.add_annotation(tier, stretch.start, stretch.end, _clean_text(stretch.text or ""))
    with replace_file(path) as draft:
        draft.unlink()  # pympi would keep the empty file as a backup
        eaf.to_file(str(draft))
    return len(stretches)


def _clean_text(text: str) -> str:
    return _NO_XML.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _parse(path: Path) -> Any:
    from pympi.Elan import Eaf

    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"it is over {LARGEST >> 20} MiB")
        _refuse_entities(path)
        return Eaf(str(path), suppress_version_warning=True)
    except Exception as error:  # the parser fails in as many ways as a file can be wrong
        what = f"{path.name} cannot be read as EAF: {type(error).__name__} {error}"
        raise refusal(what, "open it in ELAN and save it again", item=str(path)) from error


def _refuse_entities(path: Path) -> None:
    """Refuse XML that declares entities, which may grow without end or name files, or that is nested like no EAF."""
    from xml.parsers import expat

    depth = 0

    def begin(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise ValueError("it is nested too deeply")

    def end(*_: object) -> None:
        nonlocal depth
        depth -= 1

    def refuse_declaration(*_: object) -> None:
        raise ValueError("it declares a document type, which no EAF has")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse_declaration
    with path.open("rb") as stream:
        parser.ParseFile(stream)


def read_textgrid(path: Path, *, recording: str | None = None, refuse: Refuse = raise_error) -> Iterator[TimedText]:
    """
    Read the labelled intervals of *path* ordered by start, each with its tier as speaker. Word tiers are passed over.

    Args:
        recording: The recording that the intervals belong to; default is the file's name without suffix.

    Raises:
        InputError: E_FORMAT if the file cannot be read.
    """
    tiers = _parse_tiers(path)
    names = {tier["name"] for tier in tiers}
    intervals = []
    for tier in tiers:
        if tier["class"] != "IntervalTier" or _holds_words(tier["name"], names):
            continue
        speaker = speaker_of(tier["name"], names, unknown=UNKNOWN)
        for number, (first, last, label) in enumerate(tier["entries"], 1):
            where = f"{path.name}, tier {tier['name']}, interval {number}"
            try:
                start, end = _time_of(path, first), _time_of(path, last)
                if start > end:
                    raise refusal(f"{where}: it starts after its end", "mend it in Praat", item=str(path))
            except InputError as error:
                refuse(error)
                continue
            if label:
                intervals.append(
                    TimedText(
                        recording=recording or path.stem, start=start, end=end, speaker=speaker, text=label, where=where
                    )
                )
    yield from sorted(intervals, key=lambda stretch: (stretch.start, stretch.end, stretch.speaker or ""))


def write_textgrid(items: Iterable[TimedText], path: Path, *, duration: Milliseconds | None = None) -> int:
    """
    Write and count the *items* that have a text and a length, a tier for each speaker. They are of one recording.

    What a speaker says at the same time as something else of his own goes to a further tier, since intervals of a
    tier cannot overlap. Words with times get tiers of their own. Praat has no interval without a label, so that
    items without a text are left out.

    Args:
        duration: Length of the recording; default is the last end.
    """
    from praatio import textgrid

    stretches = [
        stretch
        for stretch in order_single_recording(items, "a TextGrid")
        if is_visible(stretch.text) and stretch.end > stretch.start
    ]
    length = max(duration or 0, *(stretch.end for stretch in stretches), 1) if stretches else duration or 1
    grid = textgrid.Textgrid(0, length / 1000)
    for name, row in lay_out(stretches, unknown=UNKNOWN):
        _add_tier(grid, name, [(stretch.start, stretch.end, (stretch.text or "").strip()) for stretch in row], length)
        words = [
            (word.start, word.end, word.text.strip())
            for stretch in row
            for word in stretch.words
            if is_visible(word.text)
        ]
        if words:
            _add_tier(grid, f"{name}{WORDS}", _separate(words), length)
    if not stretches:
        _add_tier(grid, UNKNOWN, [], length)
    with replace_file(path) as draft:
        grid.save(str(draft), format="long_textgrid", includeBlankSpaces=True, reportingMode="silence")
    return len(stretches)


def _add_tier(
    grid: Any, name: str, entries: Sequence[tuple[Milliseconds, Milliseconds, str]], length: Milliseconds
) -> None:
    from praatio import textgrid

    intervals = [(start / 1000, end / 1000, label) for start, end, label in entries]
    grid.addTier(textgrid.IntervalTier(name, intervals, 0, length / 1000), reportingMode="silence")


def _separate(
    words: Iterable[tuple[Milliseconds, Milliseconds, str]],
) -> list[tuple[Milliseconds, Milliseconds, str]]:
    """Cut overlaps of *words*: each ends where the next begins, and what has no length left is left out."""
    separated: list[tuple[Milliseconds, Milliseconds, str]] = []
    for start, end, text in sorted(words):
        if separated and separated[-1][1] > start:
            previous = separated.pop()
            separated.extend([(previous[0], start, previous[2])] if start > previous[0] else [])
        if text and end > start:
            separated.append((start, end, text))
    return separated


def _holds_words(tier: str, names: set[str]) -> bool:
    return tier.endswith(WORDS) and tier.removesuffix(WORDS) in names


def _parse_tiers(path: Path) -> list[dict[str, Any]]:
    """
    Return the tiers as praatio parses them.

    It looks for its landmarks in labels too, so that labels are numbers while it works.
    """
    from praatio.utilities import textgrid_io

    labels: list[str] = []

    def replace_by_number(match: re.Match[str]) -> str:
        if match[1] in _STRUCTURE:
            return match[0]
        labels.append(match[1].replace('""', '"'))
        return f'"{len(labels) - 1}"'

    def restore(label: str) -> str:
        return label if label in _STRUCTURE else labels[int(label)]

    try:
        grid = textgrid_io.parseTextgridStr(_QUOTED.sub(replace_by_number, _decode(path)), includeEmptyIntervals=True)
        tiers: list[dict[str, Any]] = grid["tiers"]
        for tier in tiers:
            tier["name"] = restore(tier["name"])
            tier["entries"] = [(*times, restore(label).strip()) for *times, label in tier["entries"]]
    except Exception as error:  # the parser fails in as many ways as a file can be wrong
        what = f"{path.name} cannot be read as a TextGrid: {type(error).__name__} {error}"
        raise refusal(what, "open it in Praat and save it as a text file", item=str(path)) from error
    return tiers


def _decode(path: Path) -> str:
    if path.stat().st_size > LARGEST:
        raise ValueError(f"it is over {LARGEST >> 20} MiB")
    raw = path.read_bytes()
    return raw.decode("utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig").replace("\r\n", "\n")


def _time_of(path: Path, seconds: Any) -> Milliseconds:
    from transcribe.tables import from_seconds

    try:
        return from_seconds(str(seconds))
    except ValueError as error:
        raise refusal(
            f"{path.name} has a time that cannot be read: {error}", "mend it in Praat", item=str(path)
        ) from None
