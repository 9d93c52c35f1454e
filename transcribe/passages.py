"""
Written speech to what training hears: pure rules, no sound.

A *passage* is a stretch of a recording in which every word is written down. A *window* is cut from it as the drafter
will cut it: whole turns, as full as may be, long pauses shortened. Where somebody speaks and nobody wrote it down is no
passage, or the model would learn to keep silent there.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from transcribe.backends.whisper_words import longest_window
from transcribe.frozen import Example
from transcribe.protocols import Span
from transcribe.records import Milliseconds
from transcribe.windows import (
    SURROUNDINGS,
    WINDOW_MARGIN,
    Stretch,
    group_parts,
    length_of_pause,
    shorten_pauses,
    widen,
)

#: A silence longer than this ends a passage, so that its sound need not be kept.
WIDEST_PAUSE: Milliseconds = 30_000

#: Whisper hears 30 s; an unbroken stretch of overlapping speech that is longer cannot be taught.
HEARD_AT_ONCE: Milliseconds = 30_000


@dataclass(frozen=True, kw_only=True)
class Island(Span):
    """Unbroken speech: texts that overlap one another, in order of their start."""

    lines: tuple[Example, ...]


@dataclass(frozen=True, kw_only=True)
class Passage:
    """Islands of one language that follow each other in one recording, with nothing unwritten between them."""

    audio: str
    channel: int | None
    language: str
    #: Spoken longest in it; ``None`` where nobody declared one.
    dialect: str | None
    #: Where its sound starts and ends, margins included.
    start: Milliseconds
    end: Milliseconds
    islands: tuple[Island, ...]


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A window of a passage: times from the start of the recording."""

    #: Sound that is heard, in order and apart.
    pieces: tuple[Span, ...]
    lines: tuple[Example, ...]

    @property
    def start(self) -> Milliseconds:
        """Where its sound begins."""
        return self.pieces[0].start

    @property
    def end(self) -> Milliseconds:
        """Where its sound ends."""
        return self.pieces[-1].end

    @property
    def duration(self) -> Milliseconds:
        """Length of the sound that is heard."""
        return self.offset(self.end)

    def offset(self, moment: Milliseconds) -> Milliseconds:
        """How much of the sound is heard before *moment* of the recording."""
        return sum(min(max(moment - piece.start, 0), piece.end - piece.start) for piece in self.pieces)


def passages(examples: Iterable[Example]) -> list[Passage]:
    """
    Stretches of *examples* that can be taught, in order of sound and time.

    A passage ends at speech that has no text or no language, at a very long silence, and where the language changes.
    """
    found: list[Passage] = []
    ordered = sorted(examples, key=lambda one: (one.audio, -1 if one.channel is None else one.channel, one.start))
    for _, recording in itertools.groupby(ordered, key=lambda one: (one.audio, one.channel)):
        islands = list(_islands(recording))
        found += [_passage([islands[i] for i in own], *_neighbours(islands, own)) for own in _groups(islands)]
    return found


def _islands(ordered: Iterable[Example]) -> Iterable[Island]:
    lines: list[Example] = []
    end = 0
    for one in ordered:
        if one.end <= one.start:
            continue
        if lines and one.start >= end:
            yield Island(start=lines[0].start, end=end, lines=tuple(lines))
            lines = []
        end = max(end, one.end) if lines else one.end
        lines.append(one)
    if lines:
        yield Island(start=lines[0].start, end=end, lines=tuple(lines))


def language_of(island: Island) -> str | None:
    """The one language of an island whose every word is written; ``None`` where it cannot be taught."""
    languages = {line.language for line in island.lines}
    written = all(line.text is not None for line in island.lines)
    fits = island.end - island.start <= HEARD_AT_ONCE - 2 * WINDOW_MARGIN
    return languages.pop() if written and fits and len(languages) == 1 else None


def _groups(islands: Sequence[Island]) -> Iterable[list[int]]:
    """Numbers of islands that make a passage together."""
    group: list[int] = []
    for number, island in enumerate(islands):
        language = language_of(island)
        last = islands[group[-1]] if group else None
        if last is not None and (language != language_of(last) or island.start - last.end > WIDEST_PAUSE):
            yield group
            group = []
        if language is not None:
            group.append(number)
        elif group:
            yield group
            group = []
    if group:
        yield group


def _neighbours(islands: Sequence[Island], group: Sequence[int]) -> tuple[Milliseconds, Milliseconds]:
    """Silence before and after the islands of *group* that is theirs: half of the way to the next speech."""
    first, last = group[0], group[-1]
    before = islands[first].start if first == 0 else (islands[first].start - islands[first - 1].end) // 2
    after = SURROUNDINGS if last + 1 == len(islands) else (islands[last + 1].start - islands[last].end) // 2
    return min(before, SURROUNDINGS), min(after, SURROUNDINGS)


def _passage(islands: Sequence[Island], before: Milliseconds, after: Milliseconds) -> Passage:
    first = islands[0].lines[0]
    return Passage(
        audio=first.audio,
        channel=first.channel,
        language=first.language or "",
        dialect=dialect_of(line for island in islands for line in island.lines),
        start=islands[0].start - before,
        end=islands[-1].end + after,
        islands=tuple(islands),
    )


def dialect_of(lines: Iterable[Example]) -> str | None:
    """The dialect that is spoken longest in *lines*."""
    spoken: Counter[str | None] = Counter()
    for line in lines:
        spoken[line.dialect] += line.end - line.start
    return spoken.most_common(1)[0][0] if spoken else None


def cut(passage: Passage, first: int, longest: Milliseconds) -> Cut:
    """The window that starts with island *first* and holds as many whole islands after it as *longest* lets it."""
    islands, longest = passage.islands, longest_window(passage.language, longest)
    last = first
    room = longest - 2 * WINDOW_MARGIN - (islands[first].end - islands[first].start)
    while last + 1 < len(islands):
        following = islands[last + 1]
        room -= length_of_pause(following.start - islands[last].end) + following.end - following.start
        if room < 0:
            break
        last += 1
    return _window(passage, first, last, longest)


def cuts(passage: Passage, longest: Milliseconds) -> list[Cut]:
    """All of *passage* in windows, one after another, as the drafter packs them: what the dev part is heard in."""
    longest = longest_window(passage.language, longest)
    parts = [Stretch(start=island.start, end=island.end) for island in passage.islands]
    windows: list[Cut] = []
    first = 0
    for group in group_parts(parts, longest - 2 * WINDOW_MARGIN, {}):
        windows.append(_window(passage, first, first + len(group) - 1, longest))
        first += len(group)
    return windows


def _window(passage: Passage, first: int, last: int, longest: Milliseconds) -> Cut:
    """Islands *first* to *last*, with the quiet around them that is nobody else's, as far as *longest* has room."""
    islands = passage.islands
    pieces = shorten_pauses(islands[first : last + 1])
    spare = (longest - sum(piece.end - piece.start for piece in pieces)) // 2
    reach = max(WINDOW_MARGIN, min(spare, SURROUNDINGS))
    before = passage.start if first == 0 else (islands[first - 1].end + islands[first].start) // 2
    after = passage.end if last + 1 == len(islands) else (islands[last].end + islands[last + 1].start) // 2
    start, end = max(before, islands[first].start - reach), min(after, islands[last].end + reach)
    return Cut(
        pieces=widen(pieces, start, end),
        lines=tuple(line for island in islands[first : last + 1] for line in island.lines),
    )
