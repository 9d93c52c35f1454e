"""
The order in which a person is asked for dialects: those that they know, the neediest first.

Beside minutes the widths of the dialects' intervals decide, which are measured here over what was accepted so far.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from dialects.dialect import Catalogue
from dialects.errors import DialectError
from dialects.scoring.prepare import Preparer
from dialects.scoring.statistics import blocks_of, standard_error, t_quantile
from dialects.scoring.word_errors import Pair, count
from transcribe.desk_records import DialectProgress
from transcribe.store import Store

#: What stands where nobody named a dialect.
UNKNOWN = "und"
_CONFIDENCE = 0.95


def knows(tags: Collection[str], dialect: str) -> bool:
    """
    Check that somebody who knows *tags* is asked for *dialect*: for one of them, anything below it, or any if nobody
    said what they know. A dialect that nobody named is for everybody.

    >>> knows(["bho"], "bho-Deva-x-maur1239"), knows(["bho-Deva"], "bho"), knows([], "ta"), knows(["hi"], "hil")
    (True, False, True, False)
    """
    if not tags or dialect == UNKNOWN:
        return True
    lowered = dialect.casefold()
    return any(lowered == tag.casefold() or lowered.startswith(f"{tag.casefold()}-") for tag in tags)


def order_dialects(
    progress: Sequence[DialectProgress],
    tags: Collection[str],
    *,
    wanted: Collection[str] | None = None,
    widths: Mapping[str, float] | None = None,
) -> tuple[str, ...]:
    """
    Return the dialects that somebody is asked for: first those whose error rate is known least, to a point, then the
    one with the least accepted sound; ties by tag. Segments without a dialect narrow no interval and come last.

    Args:
        tags: The dialects that the person knows.
        wanted: Only these and those below them.
        widths: Half the width of the interval by dialect; one that is missing is as wide as any.

    >>> facts = {"segments": {}, "sound": 9, "oldest": {}}
    >>> rows = [DialectProgress(dialect=tag, accepted=n, **facts) for n, tag in enumerate("abc")]
    >>> order_dialects(rows, [], widths={"a": 0.031, "b": 0.034})
    ('c', 'a', 'b')
    >>> order_dialects(rows, ["b", "a"], widths={"a": 0.01, "b": 0.2})
    ('b', 'a')
    """
    rows = [row for row in progress if knows(tags, row.dialect)]
    if wanted:
        rows = [row for row in rows if row.dialect != UNKNOWN and knows(wanted, row.dialect)]

    def need(row: DialectProgress) -> tuple[bool, float, int, str]:
        width = (widths or {}).get(row.dialect, math.inf)
        return row.dialect == UNKNOWN, -round(width, 2), row.accepted, row.dialect

    return tuple(row.dialect for row in sorted(rows, key=need))


class Widths:
    """Half the width of each dialect's interval, over what was accepted so far. Counts of a text are made once."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store, self._prepare = store, Preparer(catalogue)
        #: By model and correction: errors and reference words.
        self._counts: dict[tuple[str, str], tuple[int, int]] = {}

    def measure(self) -> Mapping[str, float]:
        """Return the half widths by tag as the desk has it, without dialects of too few texts for an interval."""
        model = self._store.models.find_promoted()
        if model is None:
            return {}
        counts_by_speaker: dict[str, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
        sessions: dict[str, set[str]] = defaultdict(set)
        for span in self._store.corrections.fetch_scoring_spans(model.id):
            if span.dialect is None:
                continue
            speaker = span.speaker or span.recording
            sessions[speaker].add(span.session or span.recording)
            key = (model.id, span.id)
            if key not in self._counts:
                self._counts[key] = self._count_errors(span.dialect, span.reference, span.hypothesis)
            counts_by_speaker[span.dialect][speaker].append(self._counts[key])
        blocks = blocks_of(sessions)
        widths = {dialect: _half_width(by_speaker, blocks) for dialect, by_speaker in counts_by_speaker.items()}
        return {dialect: width for dialect, width in widths.items() if width is not None}

    def _count_errors(self, dialect: str, reference: str, hypothesis: str) -> tuple[int, int]:
        pair = Pair(id="", reference=reference, hypothesis=hypothesis, dialect=dialect, speaker="")
        try:
            prepared = self._prepare(pair)
            reference_words, hypothesis_words = prepared.reference, prepared.hypothesis
        except DialectError:
            reference_words, hypothesis_words = reference.split(), hypothesis.split()
        _, substitutions, deletions, insertions = count(reference_words, hypothesis_words)
        return substitutions + deletions + insertions, len(reference_words)


def _half_width(by_speaker: Mapping[str, list[tuple[int, int]]], blocks: Mapping[str, str]) -> float | None:
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for speaker, counts in by_speaker.items():
        for errors, words in counts:
            sums[blocks[speaker]][0] += errors
            sums[blocks[speaker]][1] += words
    error = standard_error([errors for errors, _ in sums.values()], [words for _, words in sums.values()])
    return None if error is None else t_quantile((1 + _CONFIDENCE) / 2, len(sums) - 1) * error
