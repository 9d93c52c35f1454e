"""
Cut turns into segments, and give words to the people who said them: pure rules, no sound.

A *segment* is what a person hears and corrects: one speaker, at most 28 s, and long enough to be worth a person's time.
"""

from __future__ import annotations

import bisect
import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, Generic, TypeVar

from transcribe.errors import InputError
from transcribe.pipeline.windows import CutPoint, halfway, middle_of, split
from transcribe.protocols import LONGEST_SEGMENT, Span
from transcribe.records import Milliseconds, Segment, Turn, Word

#: Nobody is given less to write; and how far away the rest of a speaker's words may be to take it in.
SHORTEST_SEGMENT: Final[Milliseconds] = 300
ABSORBED_GAP: Final[Milliseconds] = 1_000

#: How far from where the diariser hears another speaker begin the first word of theirs may lie.
CHANGE_REACH: Final[Milliseconds] = 600

#: A pause is where a speaker changes, up to this one; the end of a sentence, or of a part of one, is worth as much as
#: a pause of so long.
WIDEST_CHANGE: Final[Milliseconds] = 500
SENTENCE_END: Final[Milliseconds] = 400
PHRASE_END: Final[Milliseconds] = 150


class MixedRecordings(InputError):
    """The error of turns of several recordings where one recording's were asked for."""

    default_code = "E_MIXED_RECORDINGS"


def cut_segments(
    turns: Sequence[Turn],
    *,
    join_gap: Milliseconds = 400,
    longest: Milliseconds = LONGEST_SEGMENT,
    cut_point: CutPoint = halfway,
) -> list[Segment]:
    """
    Cut one recording's speaker turns into segments for drafting and correction.

    Turns of one speaker at most *join_gap* apart become one segment, unless another speaker talks in between, the
    dialect changes, or the whole would exceed *longest*. Speech that runs on for longer than *longest* is split into
    about even parts. Overlapping speech is kept once for each speaker. What is shorter than *SHORTEST_SEGMENT* joins
    the nearest of the same speaker, or goes; but the longest stays where there is nothing else.

    Args:
        turns: Turns of a single recording, in any order.
        join_gap: Widest silence that still joins.
        longest: Upper bound of a segment.
        cut_point: Where to split, within the reach that even parts leave.

    Returns:
        Segments ordered by start, then speaker. Empty if *turns* is.

    Raises:
        MixedRecordings: If the turns belong to more than one recording.
    """
    recordings = {turn.recording for turn in turns}
    if len(recordings) > 1:
        raise MixedRecordings(f"one recording's turns were asked for, found {len(recordings)} recordings")
    ordered = sorted(turns, key=lambda turn: (turn.start, -turn.end, turn.speaker, turn.dialect or ""))
    pieces: list[Segment] = []
    for speaker, speaker_turns in _group_by_speaker(ordered).items():
        others = [turn for turn in ordered if turn.speaker != speaker]
        pieces += _absorb_short(_join_turns(speaker_turns, others, join_gap=join_gap, longest=longest), longest)
    parts = [part for piece in _drop_short(pieces) for part in split(piece, longest, cut_point)]
    return sorted(parts, key=lambda part: (part.start, part.speaker, part.end))


def _absorb_short(pieces: Sequence[Segment], longest: Milliseconds) -> list[Segment]:
    """Join the short ones of one speaker's *pieces* to the nearest neighbour that they fit."""
    absorbed: list[Segment] = []
    for piece in pieces:
        last = absorbed[-1] if absorbed else None
        if last is not None and min(_length(piece), _length(last)) < SHORTEST_SEGMENT and _fits(last, piece, longest):
            absorbed[-1] = replace(last, end=max(last.end, piece.end))
        else:
            absorbed.append(piece)
    return absorbed


def _fits(last: Segment, piece: Segment, longest: Milliseconds) -> bool:
    alike = (last.dialect, last.channel) == (piece.dialect, piece.channel)
    return alike and piece.start - last.end <= ABSORBED_GAP and piece.end - last.start <= longest


def _drop_short(pieces: Sequence[Segment]) -> list[Segment]:
    enough = [piece for piece in pieces if _length(piece) >= SHORTEST_SEGMENT]
    return enough or sorted(pieces, key=_length)[-1:]


def _length(piece: Segment | Turn | Span) -> Milliseconds:
    return piece.end - piece.start


def _group_by_speaker(ordered: Iterable[Turn]) -> dict[str, list[Turn]]:
    turns_by_speaker: dict[str, list[Turn]] = defaultdict(list)
    for turn in ordered:
        if turn.end > turn.start:
            turns_by_speaker[turn.speaker].append(turn)
    return turns_by_speaker


def _join_turns(
    turns: Sequence[Turn], others: Sequence[Turn], *, join_gap: Milliseconds, longest: Milliseconds
) -> list[Segment]:
    starts = [turn.start for turn in others]
    latest_end = _running_maximum(turn.end for turn in others)
    joined: list[Segment] = []
    for turn in turns:
        piece = _make_segment(turn)
        last = joined[-1] if joined else None
        if last is not None and _joins(last, piece, join_gap, longest, starts, latest_end):
            joined[-1] = replace(last, end=max(last.end, piece.end))
        else:
            joined.append(piece)
    return joined


def _joins(
    last: Segment,
    piece: Segment,
    join_gap: Milliseconds,
    longest: Milliseconds,
    starts: Sequence[Milliseconds],
    latest_end: Sequence[Milliseconds],
) -> bool:
    if piece.start < last.end:
        return True
    if (last.dialect, last.channel) != (piece.dialect, piece.channel):
        return False
    earlier_count = bisect.bisect_left(starts, piece.start)
    interrupted = earlier_count > 0 and latest_end[earlier_count - 1] > last.end
    return piece.start - last.end <= join_gap and piece.end - last.start <= longest and not interrupted


def _running_maximum(values: Iterable[Milliseconds]) -> list[Milliseconds]:
    highest: list[Milliseconds] = []
    for value in values:
        highest.append(max(value, highest[-1]) if highest else value)
    return highest


def _make_segment(turn: Turn) -> Segment:
    return Segment(
        recording=turn.recording,
        speaker=turn.speaker,
        start=turn.start,
        end=turn.end,
        dialect=turn.dialect,
        channel=turn.channel,
    )


def adopt_speech(turns: Sequence[Turn], speech: Iterable[Span], nobody: Turn) -> list[Turn]:
    """
    Make turns for the *speech* in which the diariser heard nobody: of the speaker who talks nearest to it.

    Args:
        turns: All turns of one recording, in order of their start.
        speech: Stretches in order and apart.
        nobody: What such a turn is like where there are no *turns* at all; its times do not matter.

    Returns:
        The turns that are new, of *SHORTEST_SEGMENT* or more, in order.
    """
    everybody = _Line(turns)
    adopted = []
    for part in _find_outside(speech, turns):
        nearest = everybody.nearest((part.start + part.end) // 2) or nobody
        if _length(part) >= SHORTEST_SEGMENT:
            adopted.append(replace(nearest, start=part.start, end=part.end))
    return adopted


def _find_outside(speech: Iterable[Span], turns: Sequence[Turn]) -> list[Span]:
    """Find the parts of *speech* in nobody's turn."""
    parts = []
    latest = _running_maximum(turn.end for turn in turns)
    for stretch in speech:
        position = stretch.start
        for turn in turns[bisect.bisect_right(latest, stretch.start) :]:
            if turn.start >= stretch.end:
                break
            parts.append(Span(start=position, end=turn.start))
            position = max(position, turn.end)
        parts.append(Span(start=position, end=stretch.end))
    return [part for part in parts if part.end > part.start]


def attribute(
    words: Sequence[Word], exclusive: Sequence[Turn], segments: Sequence[Segment]
) -> dict[str, tuple[Word, ...]]:
    """
    Give each word to the segment of the speaker who talks at its middle.

    A word in nobody's turn goes to the nearest turn: the diariser's edges are rougher than the words'. For the same
    reason one speaker's words end at the pause or the end of a sentence that is nearest to the edge, within
    *CHANGE_REACH* of it. Within the speaker, the segment that holds the middle of the word takes it, else the nearest.

    Args:
        words: Words of one recording, in any order.
        exclusive: Turns with one speaker at any moment, ordered by start.
        segments: Segments of the same recording.

    Returns:
        Words in time order for each segment id; every segment is there, every word is in exactly one, unless there
        is no segment at all.
    """
    words_by_segment: dict[str, list[Word]] = {segment.id: [] for segment in segments}
    everyone, lines = _make_lines(segments)
    ordered = sorted(words, key=lambda word: (word.start, word.end))
    for word, speaker in zip(ordered, name_speakers(ordered, exclusive), strict=True):
        home = (everyone if speaker is None else lines.get(speaker, everyone)).nearest(middle_of(word))
        if home is not None:
            words_by_segment[home.id].append(word)
    return {segment: tuple(segment_words) for segment, segment_words in words_by_segment.items()}


def _make_lines(segments: Sequence[Segment]) -> tuple[_Line[Segment], dict[str, _Line[Segment]]]:
    """Make a line of all segments, and one of each speaker's."""
    ordered = sorted(segments, key=lambda segment: segment.start)
    speakers: dict[str, list[Segment]] = defaultdict(list)
    for segment in ordered:
        speakers[segment.speaker].append(segment)
    return _Line(ordered), {speaker: _Line(speaker_segments) for speaker, speaker_segments in speakers.items()}


def name_speakers(words: Sequence[Word], exclusive: Sequence[Turn]) -> list[str | None]:
    """Name the speaker of each of *words*, which are in time order; ``None`` where nobody has a turn at all."""
    turns = _Line(exclusive)
    at_middle = [turns.nearest(middle_of(word)) for word in words]
    speakers = [None if turn is None else turn.speaker for turn in at_middle]
    runs = [len(list(run)) for _, run in itertools.groupby(speakers)]
    changes = list(itertools.accumulate(runs))[:-1]
    for number, change in enumerate(changes):
        # Each side keeps a word: a short answer is easily lost to whom it answers.
        low, high = change - runs[number] + 1, change + runs[number + 1] - 1
        best = _choose_change(words, change, range(low, high + 1))
        speakers[min(best, change) : max(best, change)] = [speakers[change if best < change else change - 1]] * abs(
            best - change
        )
        runs[number] += best - change
        runs[number + 1] -= best - change
    return speakers


def _choose_change(words: Sequence[Word], change: int, choices: range) -> int:
    """Choose the first word of the next speaker out of *choices*, near the one at *change*."""
    edge = (words[change - 1].end + words[change].start) // 2
    near = [index for index in choices if abs(_middle_of_gap(words, index) - edge) <= CHANGE_REACH]
    return max(near, key=lambda index: _rate_change(words, index, edge), default=change)


def _middle_of_gap(words: Sequence[Word], index: int) -> Milliseconds:
    return (words[index - 1].end + words[index].start) // 2


def _rate_change(words: Sequence[Word], index: int, edge: Milliseconds) -> tuple[int, int]:
    """Rate how well a speaker may change before the word at *index*, in milliseconds of pause; nearer ones first."""
    distance = abs(_middle_of_gap(words, index) - edge)
    pause = min(max(words[index].start - words[index - 1].end, 0), WIDEST_CHANGE)
    last_character = words[index - 1].text[-1:]
    end = SENTENCE_END if last_character in ".!?।॥؟。！？…" else PHRASE_END if last_character in ",;:،、，" else 0
    return (pause + end - distance, -distance)


SpanT = TypeVar("SpanT", Turn, Segment)


class _Line(Generic[SpanT]):
    """A line of spans ordered by start that hardly overlap, so that the nearest to a moment is found by bisection."""

    def __init__(self, spans: Sequence[SpanT]) -> None:
        self._spans: Sequence[SpanT] = spans
        self._starts = [span.start for span in spans]

    def nearest(self, moment: Milliseconds) -> SpanT | None:
        index = bisect.bisect_right(self._starts, moment)
        around = self._spans[max(0, index - 2) : index + 1]
        return min(around, key=lambda span: (max(span.start - moment, moment - span.end, 0), span.start), default=None)
