"""
Turns to segments, and speech to windows: pure rules, no sound.

Two cuts of the same recording. A *segment* is what a person hears and corrects: one speaker, at most 28 s. A
*window* is what the recogniser hears: contiguous sound of all speakers, as full as it may be, because Whisper pays
for 30 s whatever it is given. Word times and exclusive turns bring the two together again.
"""

from __future__ import annotations

import bisect
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from transcribe.errors import InputError
from transcribe.protocols import LONGEST_WINDOW
from transcribe.records import Milliseconds, Segment, Turn, Word

#: Sound heard before and after the speech of a window, even where the neighbour speaks: onsets are soft, and of a word
#: that is cut in two neither half can be known.
WINDOW_MARGIN: Milliseconds = 400

#: How far apart two windows may put the middle of one word: attention is not exact.
SAME_WORD: Milliseconds = 250

#: Gives the moment between two others at which speech may best be cut, both included.
CutPoint = Callable[[Milliseconds, Milliseconds], Milliseconds]

#: A silence longer than this ends a window: inside one it invites invented text.
WIDEST_PAUSE: Milliseconds = 4_000


class MixedRecordings(InputError):
    """Turns of several recordings were given where one recording's were asked for."""

    default_code = "E_MIXED_RECORDINGS"


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A contiguous stretch of a recording, from the start of its first turn to the end of its last."""

    start: Milliseconds
    end: Milliseconds
    #: Tag spoken longest in it; ``None`` where nobody declared one.
    dialect: str | None = None


@dataclass(frozen=True, kw_only=True)
class Packed(Stretch):
    """The stretch that one window answers for, and what that window hears, which reaches into its neighbours."""

    heard_from: Milliseconds
    heard_to: Milliseconds


def halfway(start: Milliseconds, end: Milliseconds) -> Milliseconds:
    """The cut point of somebody who does not hear the sound."""
    return (start + end) // 2


def cut(
    turns: Sequence[Turn],
    *,
    join_gap: Milliseconds = 400,
    longest: Milliseconds = LONGEST_WINDOW,
    cut_point: CutPoint = halfway,
) -> list[Segment]:
    """
    Cut one recording's speaker turns into segments for drafting and correction.

    Turns of one speaker at most *join_gap* apart become one segment, unless another speaker talks in between, the
    dialect changes, or the whole would exceed *longest*. Speech that runs on for longer than *longest* is split into
    about even parts. Overlapping speech is kept once for each speaker.

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
    for speaker, own in _by_speaker(ordered).items():
        others = [turn for turn in ordered if turn.speaker != speaker]
        joined = _joined_turns(own, others, join_gap=join_gap, longest=longest)
        pieces += [part for piece in joined for part in _split(piece, longest, cut_point)]
    return sorted(pieces, key=lambda piece: (piece.start, piece.speaker, piece.end))


def _by_speaker(ordered: Iterable[Turn]) -> dict[str, list[Turn]]:
    own: dict[str, list[Turn]] = defaultdict(list)
    for turn in ordered:
        if turn.end > turn.start:
            own[turn.speaker].append(turn)
    return own


def _joined_turns(
    own: Sequence[Turn], others: Sequence[Turn], *, join_gap: Milliseconds, longest: Milliseconds
) -> list[Segment]:
    starts = [turn.start for turn in others]
    latest_end = _running_maximum(turn.end for turn in others)
    joined: list[Segment] = []
    for turn in own:
        piece = _segment(turn)
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
    before = bisect.bisect_left(starts, piece.start)
    interrupted = before > 0 and latest_end[before - 1] > last.end
    return piece.start - last.end <= join_gap and piece.end - last.start <= longest and not interrupted


def _running_maximum(values: Iterable[Milliseconds]) -> list[Milliseconds]:
    highest: list[Milliseconds] = []
    for value in values:
        highest.append(max(value, highest[-1]) if highest else value)
    return highest


def _segment(turn: Turn) -> Segment:
    return Segment(
        recording=turn.recording,
        speaker=turn.speaker,
        start=turn.start,
        end=turn.end,
        dialect=turn.dialect,
        channel=turn.channel,
    )


LongT = TypeVar("LongT", Segment, "Stretch")


def _split(piece: LongT, longest: Milliseconds, cut_point: CutPoint) -> list[LongT]:
    """As few parts of *piece* as *longest* allows, each cut a quarter of a part around where even parts would end."""
    edges: list[Milliseconds] = [piece.start]
    for left in range(-(-(piece.end - piece.start) // longest), 1, -1):
        even = (piece.end - edges[-1]) // left
        first = max(edges[-1] + even * 3 // 4, piece.end - (left - 1) * longest)
        last = min(edges[-1] + even * 5 // 4, edges[-1] + longest)
        edges.append(cut_point(first, last))
    return [replace(piece, start=a, end=b) for a, b in itertools.pairwise([*edges, piece.end])]


def pack(
    turns: Sequence[Turn],
    *,
    duration: Milliseconds,
    longest: Milliseconds = LONGEST_WINDOW,
    languages: Mapping[str | None, str | None] | None = None,
    cut_point: CutPoint = halfway,
) -> list[Packed]:
    """
    Pack one recording's turns into full windows of contiguous sound.

    Windows are cut in the widest pause that keeps them at least half full, at any silence over *WIDEST_PAUSE*, and
    where the language changes. Speech that runs on for longer than *longest* is split into about even parts. A margin
    of *WINDOW_MARGIN* is heard on both sides as far as the recording allows, and answered for up to half way to the
    neighbour.

    Args:
        turns: Turns of one recording, in any order, overlapping or not.
        duration: Length of the recording.
        longest: Upper bound of a window, margins included.
        languages: Language of each dialect tag; a change of language ends a window. ``None``: all alike.
        cut_point: Where to split, within the reach that even parts leave.

    Returns:
        Stretches ordered by start; they do not overlap, and together they hold every turn. `join` puts together what is
        heard for them.
    """
    room = longest - 2 * WINDOW_MARGIN
    known = languages or {}
    islands = [part for island in _islands(turns) for part in _split(island, room, cut_point)]
    groups: list[list[Stretch]] = []
    for island in islands:
        group = groups[-1] if groups else []
        if group and _continues(group[-1], island, known):
            if island.end - group[0].start <= room:
                group.append(island)
                continue
            groups[-1:] = _cut_at_widest_pause([*group, island], room)
        else:
            groups.append([island])
    return _with_margins([_span(group) for group in groups], duration)


def _islands(turns: Sequence[Turn]) -> list[Stretch]:
    """Union of the turns: stretches of unbroken speech. Two languages at once go to the longer one."""
    islands: list[tuple[Milliseconds, Milliseconds, Counter[str | None]]] = []
    for turn in sorted(turns, key=lambda turn: (turn.start, turn.end)):
        if turn.end <= turn.start:
            continue
        length = turn.end - turn.start
        if islands and turn.start < islands[-1][1]:
            start, end, tags = islands[-1]
            tags[turn.dialect] += length
            islands[-1] = (start, max(end, turn.end), tags)
        else:
            islands.append((turn.start, turn.end, Counter({turn.dialect: length})))
    return [Stretch(start=start, end=end, dialect=tags.most_common(1)[0][0]) for start, end, tags in islands]


def _continues(before: Stretch, after: Stretch, languages: Mapping[str | None, str | None]) -> bool:
    same = languages.get(before.dialect) == languages.get(after.dialect)
    return same and after.start - before.end <= WIDEST_PAUSE


def _cut_at_widest_pause(group: list[Stretch], room: Milliseconds) -> list[list[Stretch]]:
    """Two groups, the first at least half full where it can be, cut in the widest pause; both within *room*."""
    start, last = group[0].start, group[-1]
    cuts = [i for i in range(1, len(group)) if last.end - group[i].start <= room]
    full = [i for i in cuts if group[i - 1].end - start >= room // 2] or cuts[-1:]
    at = max(full, key=lambda i: (group[i].start - group[i - 1].end, i))
    return [group[:at], group[at:]]


def _span(group: Sequence[Stretch]) -> Stretch:
    tags: Counter[str | None] = Counter()
    for part in group:
        tags[part.dialect] += part.end - part.start
    return Stretch(start=group[0].start, end=max(part.end for part in group), dialect=tags.most_common(1)[0][0])


def _with_margins(spans: Sequence[Stretch], duration: Milliseconds) -> list[Packed]:
    edges = [(a.end + b.start) // 2 for a, b in itertools.pairwise(spans)]
    last = max([duration, *(span.end for span in spans)])
    packed = []
    for span, low, high in zip(spans, [0, *edges], [*edges, last], strict=False):
        first, end = max(0, span.start - WINDOW_MARGIN), min(last, span.end + WINDOW_MARGIN)
        packed.append(
            Packed(start=max(low, first), end=min(high, end), dialect=span.dialect, heard_from=first, heard_to=end)
        )
    return packed


def join(heard: Sequence[Sequence[Word]], stretches: Sequence[Stretch]) -> list[Word]:
    """
    Put together, each once, the words that were *heard* in the windows of *stretches*.

    A word belongs to the stretch that holds its middle. One at a cut may so be claimed by both sides, each with times
    of its own, or by neither: it is taken once all the same.
    """
    cuts = [before.end if before.end == after.start else None for before, after in itertools.pairwise(stretches)]
    kept = [
        [word for word in words if _between(low, word, high)]
        for words, low, high in zip(heard, [None, *cuts], [*cuts, None], strict=False)
    ]
    for number, cut_at in enumerate(cuts):
        left, right = kept[number], kept[number + 1]
        if cut_at is None:
            continue
        if left and right and _same(left[-1], right[0]):
            del right[0]
        else:
            left += _unclaimed(heard[number], heard[number + 1], cut_at)
    return list(itertools.chain.from_iterable(kept))


def _between(low: Milliseconds | None, word: Word, high: Milliseconds | None) -> bool:
    return (low is None or low <= _middle(word)) and (high is None or _middle(word) < high)


def _unclaimed(before: Sequence[Word], after: Sequence[Word], cut_at: Milliseconds) -> list[Word]:
    """Words that the window before a cut puts after it, and the window after it before."""
    early = [word for word in after if _middle(word) < cut_at]
    return [word for word in before if _middle(word) >= cut_at and any(_same(word, other) for other in early)]


def _same(one: Word, other: Word) -> bool:
    return one.text == other.text and abs(_middle(one) - _middle(other)) < SAME_WORD


def _middle(word: Word) -> Milliseconds:
    return (word.start + word.end) // 2


def fit_to_speech(words: Sequence[Word], turns: Sequence[Turn]) -> list[Word]:
    """
    Words cut to the speech that they lie in most, in time order.

    Whisper's word times come from attention and know no silence: the last word before a pause is drawn out over it,
    so that its middle lies where nobody speaks. A word that touches no speech stays as it is.
    """
    islands = _islands(turns)
    starts = [island.start for island in islands]
    fitted = []
    for word in sorted(words, key=lambda word: (word.start, word.end)):
        first = max(0, bisect.bisect_right(starts, word.start) - 1)
        touched = islands[first : bisect.bisect_left(starts, word.end)]
        home = max(touched, key=lambda island: min(island.end, word.end) - max(island.start, word.start), default=None)
        if home is not None and home.start < word.end and word.start < home.end:
            word = replace(word, start=max(word.start, home.start), end=min(word.end, home.end))
        fitted.append(word)
    return fitted


def attribute(
    words: Sequence[Word], exclusive: Sequence[Turn], segments: Sequence[Segment]
) -> dict[str, tuple[Word, ...]]:
    """
    Give each word to the segment of the speaker who talks at its middle.

    A word in nobody's turn goes to the nearest turn: the diariser's edges are rougher than the words'. Within the
    speaker, the segment that holds the middle of the word takes it, else the nearest.

    Args:
        words: Words of one recording, in any order.
        exclusive: Turns with one speaker at any moment, ordered by start.
        segments: Segments of the same recording.

    Returns:
        Words in time order for each segment id; every segment is there, every word is in exactly one, unless there
        is no segment at all.
    """
    given: dict[str, list[Word]] = {segment.id: [] for segment in segments}
    speakers: dict[str, list[Segment]] = defaultdict(list)
    for segment in sorted(segments, key=lambda segment: segment.start):
        speakers[segment.speaker].append(segment)
    everyone = _Line(sorted(segments, key=lambda segment: segment.start))
    turns = _Line(exclusive)
    lines = {speaker: _Line(own) for speaker, own in speakers.items()}
    for word in sorted(words, key=lambda word: (word.start, word.end)):
        middle = _middle(word)
        turn = turns.nearest(middle)
        home = (everyone if turn is None else lines.get(turn.speaker, everyone)).nearest(middle)
        if home is not None:
            given[home.id].append(word)
    return {segment: tuple(own) for segment, own in given.items()}


SpanT = TypeVar("SpanT", Turn, Segment)


class _Line(Generic[SpanT]):
    """Spans ordered by start that hardly overlap, so that the nearest to a moment is found by bisection."""

    def __init__(self, spans: Sequence[SpanT]) -> None:
        self._spans: Sequence[SpanT] = spans
        self._starts = [span.start for span in spans]

    def nearest(self, moment: Milliseconds) -> SpanT | None:
        at = bisect.bisect_right(self._starts, moment)
        around = self._spans[max(0, at - 2) : at + 1]
        return min(around, key=lambda span: (max(span.start - moment, moment - span.end, 0), span.start), default=None)
