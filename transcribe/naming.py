"""Names and dialects for diarised turns: from the people who declared them, where somebody did."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence

from transcribe.protocols import LabelledSpan
from transcribe.records import DeclaredTurn, Milliseconds, Recording, Turn


def name_turns(recording: Recording, spans: Iterable[LabelledSpan], *, channel: int | None = None) -> tuple[Turn, ...]:
    """
    Turns of *recording* out of the diariser's labelled spans.

    A span takes speaker and dialect from the declared turn that it overlaps most. Where none overlaps it, the speaker
    is the recording's declared one, else ``<recording>/<label>`` (``<recording>/<channel>/<label>`` where channels are
    kept apart, since labels are local to what was diarised), and the dialect the recording's.

    Returns:
        Turns ordered by start, then speaker.
    """
    declared = _Declared(recording.declared)
    place = recording.id if channel is None else f"{recording.id}/{channel}"
    turns = []
    for span in spans:
        best = declared.most_overlapping(span.start, span.end)
        turns.append(
            Turn(
                recording=recording.id,
                speaker=best.speaker if best else recording.speaker or f"{place}/{span.label}",
                start=span.start,
                end=span.end,
                dialect=(best.dialect if best else None) or recording.dialect,
                channel=channel,
                label=span.label if channel is None else f"{channel}/{span.label}",
            )
        )
    return tuple(sorted(turns, key=lambda turn: (turn.start, turn.speaker, turn.end)))


class _Declared:
    """Declared turns ordered by start; those that can touch a span are found without looking at all."""

    def __init__(self, turns: Sequence[DeclaredTurn]) -> None:
        self._turns = sorted(turns, key=lambda turn: (turn.start, turn.end, turn.speaker))
        self._starts = [turn.start for turn in self._turns]
        self._longest = max((turn.end - turn.start for turn in self._turns), default=0)

    def most_overlapping(self, start: Milliseconds, end: Milliseconds) -> DeclaredTurn | None:
        low = bisect.bisect_left(self._starts, start - self._longest)
        high = bisect.bisect_left(self._starts, end)
        touching = [turn for turn in self._turns[low:high] if turn.end > start]
        return max(touching, key=lambda turn: min(turn.end, end) - max(turn.start, start), default=None)
