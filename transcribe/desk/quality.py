"""Quality of texts: agreement of two people, errors on gold segments, decisions of reviewers. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from dialects.dialect import Catalogue
from dialects.scoring.agreement import HumanBaseline, human_baselines
from dialects.scoring.prepare import Preparer
from dialects.scoring.word_errors import Pair
from transcribe.desk.priority import UNKNOWN
from transcribe.store.submissions import Differ
from transcribe.store.work_items import WorkItem

DEFINITIONS = {
    "disagreement": "errors between two people's blind texts over the mean number of words, by the dialect's rules",
    "gold_error": "the same between a person's text and the known one, averaged over segments",
    "sent_back": "segments whose text a reviewer sent back at least once",
}


def quality(
    pieces: Sequence[WorkItem], pairs: Iterable[tuple[WorkItem, WorkItem]], catalogue: Catalogue, differ: Differ
) -> dict[str, Any]:
    """
    Report quality by dialect, sorted by tag. Numbers of single people are left out: they are for a talk, not a table.

    Args:
        pieces: Work of a period.
        pairs: The two hands of every segment that was written twice, of any time: agreement needs them all.
    """
    floor_by_tag = human_baselines(pair_hands(pairs), Preparer(catalogue))
    by_dialect: dict[str, list[WorkItem]] = defaultdict(list)
    for piece in pieces:
        by_dialect[piece.dialect].append(piece)
    tags = sorted(floor_by_tag.keys() | by_dialect.keys())
    return {
        "dialects": [_row(tag, by_dialect[tag], floor_by_tag.get(tag), differ) for tag in tags],
        "definitions": DEFINITIONS,
    }


def pair_hands(pairs: Iterable[tuple[WorkItem, WorkItem]]) -> Iterator[Pair]:
    """Yield the two hands of each segment as texts to compare, if its dialect was named and so has rules."""
    return (
        Pair(
            id=first.segment,
            reference=first.text,
            hypothesis=second.text,
            dialect=first.dialect,
            speaker=first.speaker,
            session=first.session or first.recording,
        )
        for first, second in pairs
        if first.dialect != UNKNOWN
    )


def _row(tag: str, pieces: Sequence[WorkItem], floor: HumanBaseline | None, differ: Differ) -> dict[str, Any]:
    reviewed = [piece for piece in pieces if piece.verdicts]
    low, high = floor.interval if floor is not None and floor.interval is not None else (None, None)
    golds = [
        rate
        for piece in pieces
        if piece.gold is not None and (rate := differ(piece.dialect, piece.gold, piece.text)) is not None
    ]
    return {
        "dialect": tag,
        "pairs": floor.segments if floor is not None else 0,
        "disagreement": floor.rate if floor is not None else None,
        "ci_low": low,
        "ci_high": high,
        "state": floor.state if floor is not None else "suppressed",
        "gold_segments": len(golds),
        "gold_error": round(sum(golds) / len(golds), 4) if golds else None,
        "reviewed": len(reviewed),
        "accepted_first_time": sum(piece.verdicts[0] == "accept" and not piece.reworded for piece in reviewed),
        "reworded": sum(piece.reworded for piece in reviewed),
        "sent_back": sum("send_back" in piece.verdicts for piece in reviewed),
        "reasons": dict(sorted(Counter(reason for piece in reviewed for reason in piece.reasons).items())),
    }
