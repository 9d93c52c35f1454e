"""TextGrid, through praatio: an interval tier for each speaker."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from transcribe.exchange.files import replacing
from transcribe.exchange.records import TimedText, refusal, single
from transcribe.exchange.tiers import lay_out, speaker_of
from transcribe.records import Milliseconds

#: Name of the tier for texts without a speaker.
UNKNOWN: Final = "speech"
#: End of the name of a tier with words, as forced aligners write it.
WORDS: Final = " - words"

_QUOTED: Final = re.compile(r'"((?:[^"]|"")*)"')
#: Strings that the parser has to see as they are.
_STRUCTURE: Final = frozenset({"ooTextFile", "ooTextFile short", "TextGrid", "IntervalTier", "TextTier"})


def read_textgrid(path: Path, *, recording: str | None = None) -> Iterator[TimedText]:
    """
    The labelled intervals of *path* ordered by start, each with its tier as speaker. Word tiers are passed over.

    Args:
        recording: What the intervals belong to; default is the file's name without suffix.

    Raises:
        InputError: E_FORMAT if the file cannot be read.
    """
    tiers = _tiers(path)
    names = {tier["name"] for tier in tiers}
    found = [
        TimedText(
            recording=recording or path.stem,
            start=_milliseconds(path, start),
            end=_milliseconds(path, end),
            speaker=speaker_of(tier["name"], names, unknown=UNKNOWN),
            text=label,
        )
        for tier in tiers
        if tier["class"] == "IntervalTier" and not _holds_words(tier["name"], names)
        for start, end, label in tier["entries"]
        if label
    ]
    yield from sorted(found, key=lambda item: (item.start, item.end, item.speaker or ""))


def write_textgrid(items: Iterable[TimedText], path: Path, *, duration: Milliseconds | None = None) -> int:
    """
    Write the *items* that have a text and a length, a tier for each speaker; how many. They are of one recording.

    What a speaker says at the same time as something else of his own goes to a further tier, since intervals of a
    tier cannot overlap. Words with times get tiers of their own. Praat has no interval without a label, so that
    items without a text are left out.

    Args:
        duration: Length of the recording; default is the last end.
    """
    from praatio import textgrid

    said = [item for item in single(items, "a TextGrid") if (item.text or "").strip() and item.end > item.start]
    length = max(duration or 0, *(item.end for item in said), 1) if said else duration or 1
    grid = textgrid.Textgrid(0, length / 1000)
    for name, row in lay_out(said, unknown=UNKNOWN):
        _add_tier(grid, name, [(item.start, item.end, (item.text or "").strip()) for item in row], length)
        words = [(word.start, word.end, word.text.strip()) for item in row for word in item.words]
        if words:
            _add_tier(grid, f"{name}{WORDS}", _apart(words), length)
    if not said:
        _add_tier(grid, UNKNOWN, [], length)
    with replacing(path) as draft:
        grid.save(str(draft), format="long_textgrid", includeBlankSpaces=True, reportingMode="silence")
    return len(said)


def _add_tier(
    grid: Any, name: str, entries: Sequence[tuple[Milliseconds, Milliseconds, str]], length: Milliseconds
) -> None:
    from praatio import textgrid

    intervals = [(start / 1000, end / 1000, label) for start, end, label in entries]
    grid.addTier(textgrid.IntervalTier(name, intervals, 0, length / 1000), reportingMode="silence")


def _apart(
    words: Iterable[tuple[Milliseconds, Milliseconds, str]],
) -> list[tuple[Milliseconds, Milliseconds, str]]:
    """*words* without overlap: each ends where the next begins, and what has no length left is left out."""
    kept: list[tuple[Milliseconds, Milliseconds, str]] = []
    for start, end, text in sorted(words):
        if kept and kept[-1][1] > start:
            before = kept.pop()
            kept.extend([(before[0], start, before[2])] if start > before[0] else [])
        if text and end > start:
            kept.append((start, end, text))
    return kept


def _holds_words(tier: str, names: set[str]) -> bool:
    return tier.endswith(WORDS) and tier.removesuffix(WORDS) in names


def _tiers(path: Path) -> list[dict[str, Any]]:
    """
    The tiers as praatio parses them.

    It looks for its landmarks in labels too, so that labels are numbers while it works.
    """
    from praatio.utilities import textgrid_io

    labels: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found[1] in _STRUCTURE:
            return found[0]
        labels.append(found[1].replace('""', '"'))
        return f'"{len(labels) - 1}"'

    def restored(label: str) -> str:
        return label if label in _STRUCTURE else labels[int(label)]

    try:
        grid = textgrid_io.parseTextgridStr(_QUOTED.sub(number, _text(path)), includeEmptyIntervals=True)
        tiers: list[dict[str, Any]] = grid["tiers"]
        for tier in tiers:
            tier["name"] = restored(tier["name"])
            tier["entries"] = [(*times, restored(label).strip()) for *times, label in tier["entries"]]
    except Exception as error:  # the parser fails in as many ways as a file can be wrong
        what = f"{path.name} cannot be read as a TextGrid: {type(error).__name__} {error}"
        raise refusal(what, "open it in Praat and save it as a text file", item=str(path)) from error
    return tiers


def _text(path: Path) -> str:
    raw = path.read_bytes()
    return raw.decode("utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig").replace("\r\n", "\n")


def _milliseconds(path: Path, seconds: Any) -> Milliseconds:
    from transcribe.ingest.lines import from_seconds

    try:
        return from_seconds(str(seconds))
    except ValueError as error:
        raise refusal(
            f"{path.name} has a time that cannot be read: {error}", "mend it in Praat", item=str(path)
        ) from None
