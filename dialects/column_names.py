"""Our columns under other people's names for them: case, blanks, dashes, and the language of a spreadsheet."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Collection, Sequence
from functools import lru_cache
from importlib import resources
from typing import Final

import regex

#: Characters that differ between two spellings of one name: blanks, dashes, underscores, dots, brackets, marks of
#: direction.
_FILLERS: Final = regex.compile(r"[\s\p{Pd}\p{Pc}\p{Cf}.()/:]+")
#: Accents that people leave out. The marks of Indic scripts are letters.
_ACCENTS: Final = regex.compile(r"(?<=\p{Latin})\p{Mn}+")
#: Length from which a name may be two slips away from ours; shorter ones are other words by then.
_LONG: Final = 8
#: Letters of the shortest spelling of other people that a slip is looked for in; a shorter one is near too much.
_SHORTEST: Final = 5


def match_columns(names: Sequence[str], ours: Collection[str]) -> list[str]:
    """
    Return *names* of a table's head in which our columns are spelt as *ours*; others stay as they are.

    A name that is exactly ours counts before another spelling of it, which is then a column of its own.

    Raises:
        ValueError: With a sentence, where two names stand for one column, or one is near a column of ours.

    >>> match_columns(["Path", "SPEAKER-ID", "mood"], ["path", "speaker"])
    ['path', 'speaker', 'mood']
    """
    exact = {name for name in names if name in ours}
    matched: list[str] = []
    for name in names:
        known = name if name in ours else _find_column(name, ours)
        is_other_word = known in exact and fold_name(name) != fold_name(known or "")
        matched.append(name if known is None or is_other_word else known)
    filled = [name for name in matched if name]
    if repeated := next((name for name in filled if filled.count(name) > 1), None):
        raise ValueError(f"the column {repeated} is there twice")
    for name in filled:
        # Beside the column itself a name near it is another fact: speaker and speakers.
        if name not in ours and (near := _find_near(name, ours)) and near not in matched:
            raise ValueError(f"the column {name!r} is nearly {near}; call it {near}, or give it another name")
    return matched


def fold_name(name: str) -> str:
    """
    Return *name* without what differs between two spellings of it.

    >>> fold_name("Num. Speakers"), fold_name("Référence")
    ('numspeakers', 'reference')
    """
    text = _FILLERS.sub("", unicodedata.normalize("NFKC", name).casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", text)))


def _find_column(name: str, ours: Collection[str]) -> str | None:
    folded = fold_name(name)
    exact = next((column for column in ours if fold_name(column) == folded), None)
    if exact is not None:
        return exact
    column = _other_spellings().get(folded)
    return column if column in ours else None


def _find_near(name: str, ours: Collection[str]) -> str | None:
    """Find the column of *ours* that *name* is a slip away from, in our spelling or another one of five letters."""
    from rapidfuzz.distance import OSA

    folded = fold_name(name)
    if folded in _other_spellings() or len(folded) < 3:
        return None
    spellings = [(fold_name(column), column) for column in ours if len(column) > 2]
    spellings += [
        (other, column) for other, column in _other_spellings().items() if column in ours and len(other) >= _SHORTEST
    ]
    distances = [(OSA.distance(folded, spelling), column) for spelling, column in spellings]
    distance, column = min(distances, default=(len(folded), ""))
    return column if distance <= (2 if len(folded) >= _LONG else 1) else None


@lru_cache(maxsize=1)
def _other_spellings() -> dict[str, str]:
    file = resources.files("dialects") / "column_names.toml"
    table: dict[str, list[str]] = tomllib.loads(file.read_text(encoding="utf-8"))
    return {fold_name(spelling): column for column, spellings in table.items() for spelling in spellings}
