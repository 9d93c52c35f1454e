"""
Training windows from transcribed speech: pure rules, no audio.

A *passage* is a stretch of a recording in which every word is transcribed. A *window* is cut from it as the drafter
will cut it: whole turns, as full as may be, long pauses shortened. Speech without a transcript is in no passage, or the
model would learn to keep silent there.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from transcribe.backends.whisper_words import longest_window
from transcribe.datasets.manifest import Example
from transcribe.pipeline.windows import (
    SURROUNDINGS,
    WINDOW_MARGIN,
    Stretch,
    group_parts,
    length_of_pause,
    shorten_pauses,
    widen,
)
from transcribe.protocols import Span
from transcribe.records import Milliseconds

#: A silence longer than this ends a passage, so that its audio need not be stored.
LONGEST_PAUSE: Milliseconds = 30_000

#: Whisper hears 30 s; an unbroken stretch of overlapping speech that is longer cannot be taught.
WHISPER_WINDOW: Milliseconds = 30_000


@dataclass(frozen=True, kw_only=True)
class UtteranceGroup(Span):
    """An unbroken stretch of speech: texts that overlap one another, in order of their start."""

    lines: tuple[Example, ...]


@dataclass(frozen=True, kw_only=True)
class Passage:
    """Utterance groups of one language that follow each other in one recording, with no other speech between them."""

    audio: str
    channel: int | None
    language: str
    #: Spoken longest in it; ``None`` where nobody declared one.
    dialect: str | None
    #: Where its audio starts and ends, margins included.
    start: Milliseconds
    end: Milliseconds
    groups: tuple[UtteranceGroup, ...]


@dataclass(frozen=True, kw_only=True)
class TrainingWindow:
    """A window of a passage: times from the start of the recording."""

    #: Stretches of audio, in order and apart.
    pieces: tuple[Span, ...]
    lines: tuple[Example, ...]

    @property
    def start(self) -> Milliseconds:
        """The start of its audio."""
        return self.pieces[0].start

    @property
    def end(self) -> Milliseconds:
        """The end of its audio."""
        return self.pieces[-1].end

    @property
    def duration(self) -> Milliseconds:
        """The length of its audio."""
        return self.offset(self.end)

    def offset(self, moment: Milliseconds) -> Milliseconds:
        """Return the length of its audio before *moment* of the recording."""
        return sum(min(max(moment - piece.start, 0), piece.end - piece.start) for piece in self.pieces)


def find_passages(examples: Iterable[Example]) -> list[Passage]:
    """
    Return the stretches of *examples* that can be trained on, in order of recording and time.

    A passage ends at speech that has no text or no language, at a very long silence, and where the language changes.
    """
    passages: list[Passage] = []
    ordered = sorted(examples, key=lambda line: (line.audio, -1 if line.channel is None else line.channel, line.start))
    for _, lines in itertools.groupby(ordered, key=lambda line: (line.audio, line.channel)):
        groups = list(_group_utterances(lines))
        passages += [
            _make_passage([groups[number] for number in numbers], *_measure_quiet(groups, numbers))
            for numbers in _join_groups(groups)
        ]
    return passages


def _group_utterances(ordered: Iterable[Example]) -> Iterable[UtteranceGroup]:
    lines: list[Example] = []
    end = 0
    for example in ordered:
        if example.end <= example.start:
            continue
        if lines and example.start >= end:
            yield UtteranceGroup(start=lines[0].start, end=end, lines=tuple(lines))
            lines = []
        end = max(end, example.end) if lines else example.end
        lines.append(example)
    if lines:
        yield UtteranceGroup(start=lines[0].start, end=end, lines=tuple(lines))


def find_language(group: UtteranceGroup) -> str | None:
    """Return the one language of a group whose every word is transcribed; ``None`` where it cannot be trained on."""
    languages = {line.language for line in group.lines}
    is_transcribed = all(line.text is not None for line in group.lines)
    fits = group.end - group.start <= WHISPER_WINDOW - 2 * WINDOW_MARGIN
    return languages.pop() if is_transcribed and fits and len(languages) == 1 else None


def _join_groups(groups: Sequence[UtteranceGroup]) -> Iterable[list[int]]:
    """Yield the numbers of the groups of each passage."""
    numbers: list[int] = []
    for number, group in enumerate(groups):
        language = find_language(group)
        last = groups[numbers[-1]] if numbers else None
        if last is not None and (language != find_language(last) or group.start - last.end > LONGEST_PAUSE):
            yield numbers
            numbers = []
        if language is not None:
            numbers.append(number)
        elif numbers:
            yield numbers
            numbers = []
    if numbers:
        yield numbers


def _measure_quiet(groups: Sequence[UtteranceGroup], numbers: Sequence[int]) -> tuple[Milliseconds, Milliseconds]:
    """Return the silence before and after the groups of *numbers* that is theirs: half of the way to other speech."""
    first, last = numbers[0], numbers[-1]
    quiet_before = groups[first].start if first == 0 else (groups[first].start - groups[first - 1].end) // 2
    quiet_after = SURROUNDINGS if last + 1 == len(groups) else (groups[last + 1].start - groups[last].end) // 2
    return min(quiet_before, SURROUNDINGS), min(quiet_after, SURROUNDINGS)


def _make_passage(groups: Sequence[UtteranceGroup], quiet_before: Milliseconds, quiet_after: Milliseconds) -> Passage:
    first = groups[0].lines[0]
    return Passage(
        audio=first.audio,
        channel=first.channel,
        language=first.language or "",
        dialect=find_dialect(line for group in groups for line in group.lines),
        start=groups[0].start - quiet_before,
        end=groups[-1].end + quiet_after,
        groups=tuple(groups),
    )


def find_dialect(lines: Iterable[Example]) -> str | None:
    """Return the dialect that is spoken longest in *lines*."""
    spoken: Counter[str | None] = Counter()
    for line in lines:
        spoken[line.dialect] += line.end - line.start
    return spoken.most_common(1)[0][0] if spoken else None


def cut_window(passage: Passage, first: int, longest: Milliseconds) -> TrainingWindow:
    """Cut the window that starts with group *first* and holds as many whole groups after it as *longest* allows."""
    groups, longest = passage.groups, longest_window(passage.language, longest)
    last = first
    room = longest - 2 * WINDOW_MARGIN - (groups[first].end - groups[first].start)
    while last + 1 < len(groups):
        following = groups[last + 1]
        room -= length_of_pause(following.start - groups[last].end) + following.end - following.start
        if room < 0:
            break
        last += 1
    return _make_window(passage, first, last, longest)


def cut_windows(passage: Passage, longest: Milliseconds) -> list[TrainingWindow]:
    """Cut all of *passage* into windows, one after another, as the drafter packs them and the dev part is measured."""
    longest = longest_window(passage.language, longest)
    parts = [Stretch(start=group.start, end=group.end) for group in passage.groups]
    windows: list[TrainingWindow] = []
    first = 0
    for group in group_parts(parts, longest - 2 * WINDOW_MARGIN, {}):
        windows.append(_make_window(passage, first, first + len(group) - 1, longest))
        first += len(group)
    return windows


def _make_window(passage: Passage, first: int, last: int, longest: Milliseconds) -> TrainingWindow:
    """Cut groups *first* to *last*, with the quiet around them that is nobody else's, as far as *longest* has room."""
    groups = passage.groups
    pieces = shorten_pauses(groups[first : last + 1])
    spare = (longest - sum(piece.end - piece.start for piece in pieces)) // 2
    reach = max(WINDOW_MARGIN, min(spare, SURROUNDINGS))
    earliest = passage.start if first == 0 else (groups[first - 1].end + groups[first].start) // 2
    latest = passage.end if last + 1 == len(groups) else (groups[last].end + groups[last + 1].start) // 2
    start, end = max(earliest, groups[first].start - reach), min(latest, groups[last].end + reach)
    return TrainingWindow(
        pieces=widen(pieces, start, end),
        lines=tuple(line for group in groups[first : last + 1] for line in group.lines),
    )
