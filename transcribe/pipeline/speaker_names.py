"""Names and dialects for diarised turns: from the people who declared them, where somebody did."""

from __future__ import annotations

import bisect
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from transcribe.pipeline.same_voice import pack_vector
from transcribe.protocols import LabelledSpan
from transcribe.records import DeclaredTurn, Milliseconds, Recording, Turn, Voice


def name_turns(recording: Recording, spans: Iterable[LabelledSpan], *, channel: int | None = None) -> tuple[Turn, ...]:
    """
    Make turns of *recording* out of the diariser's labelled spans.

    A span takes speaker and dialect from the declared turn that it overlaps most. Where none overlaps it, the speaker
    is the recording's declared one, else ``<recording>/<label>`` (``<recording>/<channel>/<label>`` where channels are
    kept apart, since labels are local to what was diarised), and the dialect the recording's.

    Returns:
        Turns ordered by start, then speaker.
    """
    declared_turns = _DeclaredTurns(recording.declared)
    prefix = recording.id if channel is None else f"{recording.id}/{channel}"
    turns = []
    for span in spans:
        best = declared_turns.find_most_overlapping(span.start, span.end)
        turns.append(
            Turn(
                recording=recording.id,
                speaker=best.speaker if best else recording.speaker or f"{prefix}/{span.label}",
                start=span.start,
                end=span.end,
                dialect=(best.dialect if best else None) or recording.dialect,
                channel=channel,
                label=span.label if channel is None else f"{channel}/{span.label}",
            )
        )
    return tuple(sorted(turns, key=lambda turn: (turn.start, turn.speaker, turn.end)))


def name_voices(exclusive: Iterable[Turn], vectors: Mapping[str, Sequence[float]], *, maker: str) -> tuple[Voice, ...]:
    """
    Return the voices of one recording, or of one of its channels, under the names of its turns.

    A label whose turns have several names is the voice of the one that has most of its time. What has no turn, or a
    vector without a direction, is left out.

    Args:
        exclusive: Turns of one speaker at any moment: the speech that is the speaker's alone.
        vectors: Mean embeddings by the diariser's labels.
        maker: Id of the diariser.
    """
    turns: dict[str, list[Turn]] = defaultdict(list)
    for turn in exclusive:
        label = turn.label or ""
        turns[label if turn.channel is None else label.removeprefix(f"{turn.channel}/")].append(turn)
    voices = (_name_voice(turns[label], vectors[label], maker) for label in sorted(vectors) if label in turns)
    return tuple(voice for voice in voices if voice is not None)


def _name_voice(turns: Sequence[Turn], components: Sequence[float], maker: str) -> Voice | None:
    vector = pack_vector(components)
    if vector is None:
        return None
    time_by_speaker: Counter[str] = Counter()
    for turn in turns:
        time_by_speaker[turn.speaker] += turn.end - turn.start
    speaker, speech = min(time_by_speaker.items(), key=lambda speaker_time: (-speaker_time[1], speaker_time[0]))
    return Voice(
        recording=turns[0].recording,
        speaker=speaker,
        channel=turns[0].channel,
        vector=vector,
        speech=speech,
        maker=maker,
    )


class _DeclaredTurns:
    """Declared turns ordered by start, searched by bisection."""

    def __init__(self, turns: Sequence[DeclaredTurn]) -> None:
        self._turns = sorted(turns, key=lambda turn: (turn.start, turn.end, turn.speaker))
        self._starts = [turn.start for turn in self._turns]
        self._longest = max((turn.end - turn.start for turn in self._turns), default=0)

    def find_most_overlapping(self, start: Milliseconds, end: Milliseconds) -> DeclaredTurn | None:
        low = bisect.bisect_left(self._starts, start - self._longest)
        high = bisect.bisect_left(self._starts, end)
        touching = [turn for turn in self._turns[low:high] if turn.end > start]
        return max(touching, key=lambda turn: min(turn.end, end) - max(turn.start, start), default=None)
