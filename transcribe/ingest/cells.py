"""Read and check the cells of a row, column by column."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias, get_args

from transcribe.errors import InputError
from transcribe.records import ChannelMode, Split

#: Makes the error of a cell: column, what is wrong, what to do.
CellFault: TypeAlias = Callable[[str, str, str], InputError]

#: Facts that are kept as written.
FACTS: Final = ("dialect", "language", "speaker", "session", "consent", "licence", "source")
#: Columns with a meaning. Others are kept as facts.
COLUMNS: Final = frozenset({"path", *FACTS, "channel", "num_speakers", "text", "turns", "split"})
#: More people than a recording holds; a larger number is a slip.
MOST_SPEAKERS: Final = 1_000
#: Bytes of the longest value that a store can look up by.
LONGEST_KEY: Final = 2_000


def read_facts(cells: Mapping[str, str], fault: CellFault) -> dict[str, Any]:
    """
    Return the facts of *cells* under the names of ``Arrival``, without location, turns and group.

    Raises:
        InputError: As *fault* makes it.
    """
    _refuse_unfit(cells, fault)
    return {
        **{name: strip_cell(cells, name) for name in FACTS},
        "num_speakers": _read_speaker_count(cells, fault),
        "channel_mode": _read_choice(cells, "channel", get_args(ChannelMode), fault) or "mix",
        "split": _read_choice(cells, "split", get_args(Split), fault),
        "text": cells["text"] if cells.get("text", "").strip() else None,
        "facts": {name: value for name, value in cells.items() if name not in COLUMNS},
    }


def strip_cell(cells: Mapping[str, str], name: str) -> str | None:
    """Return a cell without the blanks around it, which would make two speakers of one; ``None`` if it is empty."""
    value = cells.get(name)
    return value.strip() or None if value else None


def _refuse_unfit(cells: Mapping[str, str], fault: CellFault) -> None:
    for name, value in cells.items():
        if "\0" in value and name not in ("path", "turns"):
            raise fault(name, "a NUL character", "remove it")
        if len(value) > LONGEST_KEY // 4 and name in FACTS and len(value.encode()) > LONGEST_KEY:
            raise fault(name, f"over {LONGEST_KEY:,} bytes", "shorten it, or give the column another name")


def _read_choice(cells: Mapping[str, str], column: str, choices: Sequence[str], fault: CellFault) -> str | None:
    value = strip_cell(cells, column)
    if value is not None and value not in choices:
        hint = f"write {', '.join(choices[:-1])} or {choices[-1]}, or leave it empty"
        raise fault(column, f"{value[:40]!r} is none of its words", hint)
    return value


def _read_speaker_count(cells: Mapping[str, str], fault: CellFault) -> int | None:
    value = strip_cell(cells, "num_speakers")
    if value is None:
        return None
    digits = value.removesuffix(".0")  # a column of whole numbers with a gap in it comes as floats
    if not (digits.isascii() and digits.isdigit() and 1 <= int(digits[:9]) <= MOST_SPEAKERS):
        hint = f"write a whole number from 1 to {MOST_SPEAKERS:,}, or leave it empty"
        raise fault("num_speakers", f"{value[:40]!r} was given", hint)
    return int(digits)
