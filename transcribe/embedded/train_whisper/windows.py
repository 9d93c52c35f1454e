"""Random windows of conversation laid out of the bank's utterances, with the text in order of start."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from transcribe.embedded.train_whisper.augment import colour, resized
from transcribe.embedded.train_whisper.bank import Utterance
from transcribe.embedded.voices import RATE_HZ

#: Longest window that training lays out, in ms.
LONGEST = 10_000

#: Longest window that the exported model asks for (boli.json beside it): measured best, as fewer turns are skipped.
ASKED = 6_000

#: English has six dialects, Tamil the longest words
LANGUAGE_SHARE = {"en": 3.0, "hi": 1.0, "ta": 1.5}


@dataclass(frozen=True, kw_only=True)
class Word:
    """One word of a window and when it is said, in ms from its start."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Phone:
    """One phone of a window, in ms from its start, and the number of its turn."""

    name: str
    start: int
    end: int
    turn: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """What the network hears at once."""

    #: float32 (samples,) at 16 kHz
    samples: NDArray[np.float32]
    #: turn by turn in order of their start; a turn is kept whole where the next one interrupts it
    turns: tuple[tuple[Word, ...], ...]
    phones: tuple[Phone, ...]
    language: str


@dataclass(frozen=True, kw_only=True)
class Mix:
    """Shares of the kinds of windows; the rest is synthetic sentences."""

    digits: float = 0.15
    recorded: float = 0.0
    empty: float = 0.15
    overlapping: float = 0.5
    #: windows that get neither noise nor room
    clean: float = 0.5


class Shelf:
    """The bank sorted for drawing: by language, by speaker, by digit."""

    def __init__(self, bank: Sequence[Utterance]) -> None:
        self.speech: dict[str, dict[str, list[Utterance]]] = defaultdict(lambda: defaultdict(list))
        self.digits: dict[str, list[Utterance]] = defaultdict(list)
        self.recorded: dict[str, list[Utterance]] = defaultdict(list)
        for utterance in bank:
            if utterance.kind == "speech":
                self.speech[utterance.language][utterance.speaker].append(utterance)
            elif utterance.kind == "digits":
                self.digits[utterance.speaker].append(utterance)
            else:
                self.recorded[utterance.speaker].append(utterance)

    def turns(self, rng: random.Random, mix: Mix) -> tuple[str, list[list[Utterance]]]:
        """Draw a language and up to four speakers' utterances to alternate between."""
        draw = rng.random()
        if draw < mix.recorded and self.recorded:
            return "en", _some(rng, self.recorded, rng.choice((1, 2, 2, 2, 3)))
        if draw < mix.recorded + mix.digits and self.digits:
            return "en", _some(rng, self.digits, rng.choice((1, 2, 2, 3)))
        language = rng.choices(list(self.speech), [LANGUAGE_SHARE[name] for name in self.speech])[0]
        return language, _some(rng, self.speech[language], rng.choice((1, 2, 2, 3)))


def _some(rng: random.Random, speakers: dict[str, list[Utterance]], count: int) -> list[list[Utterance]]:
    return [speakers[name] for name in rng.sample(list(speakers), min(count, len(speakers)))]


def lay_out(rng: random.Random, shelf: Shelf, mix: Mix, length: int) -> Window:
    """A window of at most *length* ms with the words that it holds; a few hold no speech at all."""
    if rng.random() < mix.empty:
        empty = np.zeros(rng.randint(500, length) * RATE_HZ // 1000, np.float32)
        noise = colour(empty, rng, quiet=False) * np.float32(10 ** rng.uniform(-3, 0))
        return Window(samples=noise, turns=(), phones=(), language=rng.choice(list(shelf.speech)))
    language, people = shelf.turns(rng, mix)
    track = np.zeros(length * RATE_HZ // 1000, np.float32)
    turns: list[tuple[Word, ...]] = []
    phones: list[Phone] = []
    end = rng.choice((0, 20, rng.randint(0, 400)))
    last_speaker, free_from, heard_to = -1, end, end
    while True:
        speaker = rng.randrange(len(people))
        start = free_from + _pause(rng)
        if not turns:
            start = end
        elif speaker != last_speaker and rng.random() < mix.overlapping:
            half = (turns[-1][0].start + turns[-1][-1].end) // 2
            start = max(half, end, free_from - rng.randint(50, 900))
        placed = _speak(rng, people[speaker], track, start, length)
        if placed is None:
            break
        turns.append(placed[0])
        phones += [replace(phone, turn=len(turns)) for phone in placed[2]]
        # no third voice may start before the turn before the last one is over
        end, free_from = free_from, max(free_from, placed[1])
        heard_to, last_speaker = free_from, speaker
        if rng.random() < 0.08:
            break
    tail = min(length, heard_to + rng.choice((0, 50, rng.randint(0, 500))))
    samples = colour(track[: tail * RATE_HZ // 1000], rng, quiet=rng.random() < mix.clean)
    return Window(samples=samples, turns=tuple(turns), phones=tuple(phones), language=language)


def _pause(rng: random.Random) -> int:
    return rng.randint(30, 300) if rng.random() < 0.4 else rng.randint(200, 1000)


def _speak(
    rng: random.Random, own: Sequence[Utterance], track: NDArray[np.float32], start: int, length: int
) -> tuple[tuple[Word, ...], int, list[Phone]] | None:
    """Add one turn of a speaker to *track* at *start*; None where it would not end before *length*."""
    first = rng.choice(own)
    pieces = [first]
    if first.kind == "recorded":
        pieces += [rng.choice(own) for _ in range(rng.choice((0, 0, 1, 2, 2, 3, 3, 4, 5)))]
    # Recorded people are few: each at many speeds stands for more of them.
    slow, fast = (0.8, 1.25) if first.kind == "recorded" else (0.87, 1.15)
    speed, level = rng.choice((1.0, rng.uniform(slow, fast))), 10 ** rng.uniform(-0.4, 0)
    gap = rng.choice(((30, 120), (50, 300), (200, 700)))
    words: list[Word] = []
    phones: list[Phone] = []
    at = start
    for piece in pieces:
        samples = resized(piece.samples, speed)
        end = at + len(samples) * 1000 // RATE_HZ
        if end > length:
            break
        place = at * RATE_HZ // 1000
        track[place : place + len(samples)] += samples[: len(track) - place] * level
        starts = [at + round(ms / speed) for ms in piece.starts]
        for text, begin, stop in zip(piece.words, starts, [*starts[1:], end], strict=True):
            words.append(Word(text=text, start=begin, end=max(stop, begin + 20)))
        begins = [at + round(ms / speed) for ms, _ in piece.phones]
        for (_, name), begin, stop in zip(piece.phones, begins, [*begins[1:], end], strict=True):
            phones.append(Phone(name=name, start=begin, end=stop, turn=0))
        at = end + rng.randint(*gap)
    return (tuple(words), words[-1].end, phones) if words else None
