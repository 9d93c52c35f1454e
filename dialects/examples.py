"""The segments that show a frequent error of a dialect, word by word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dialects.breakdown import Breakdown
from dialects.preparing import Preparer
from dialects.scoring import Edit, Pair

#: Segments of a dialect that are shown.
MOST = 3


@dataclass(frozen=True, kw_only=True)
class Example:
    """A segment that shows a pattern of its dialect."""

    id: str
    path: tuple[Edit, ...]


def examples(
    pairs: Iterable[Pair], prepare: Preparer, breakdowns: Mapping[str, Breakdown], *, most: int = MOST
) -> dict[str, tuple[Example, ...]]:
    """
    Choose at most *most* segments of each dialect, one for each of its most frequent patterns that speakers share.

    Args:
        pairs: Those that *breakdowns* were made of.
    """
    wanted = {tag: _ids(breakdown, most) for tag, breakdown in breakdowns.items()}
    paths: dict[tuple[str, str], tuple[Edit, ...]] = {}
    for pair in pairs:
        tag = prepare.rules(pair).dialect.tag
        if pair.id in wanted[tag]:
            paths[tag, pair.id] = prepare(pair).path
    return {tag: tuple(Example(id=id, path=paths[tag, id]) for id in ids) for tag, ids in wanted.items()}


def _ids(breakdown: Breakdown, most: int) -> list[str]:
    ids: dict[str, None] = {}
    for pattern in breakdown.patterns:
        if len(ids) == most:
            break
        if pattern.of_the_dialect:
            ids[next((id for id in pattern.examples if id not in ids), pattern.examples[0])] = None
    return list(ids)
