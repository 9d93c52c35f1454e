"""Word error rates and word times of the exported model, heard through faster-whisper as the product hears it."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transcribe.backends.faster_whisper_recogniser import FasterWhisperRecogniser
from transcribe.embedded import texts, voices
from transcribe.embedded.conversations import Clip, Conversation, converse
from transcribe.embedded.train_whisper import bank
from transcribe.embedded.train_whisper.listen import distance
from transcribe.embedded.train_whisper.windows import ASKED
from transcribe.embedded.voices import RATE_HZ
from transcribe.protocols import Window
from transcribe.records import Milliseconds, Turn, Word, join_words
from transcribe.windows import pack, unite_speech


@dataclass(frozen=True, kw_only=True)
class Count:
    """Errors and reference words; adds up."""

    errors: int = 0
    words: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(errors=self.errors + other.errors, words=self.words + other.words)

    @property
    def rate(self) -> float | None:
        """Errors by word; None without words."""
        return round(self.errors / self.words, 4) if self.words else None


class Engine:
    """The CTranslate2 folder as the product hears with it."""

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        from faster_whisper import WhisperModel

        self._folder, self._threads = folder, threads
        self._recognisers: dict[int, FasterWhisperRecogniser] = {}
        #: The library's own object, for what the product does not ask.
        self.library = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads)

    def hear(
        self, samples: NDArray[Any], windows: Sequence[tuple[int, int]], language: str, *, beam: int = 5
    ) -> list[Word]:
        """The words in *windows* (ms) of *samples*, int16 or float."""
        if beam not in self._recognisers:
            self._recognisers[beam] = FasterWhisperRecogniser(
                self._folder, device="cpu", compute_type="int8", beam_size=beam, threads=self._threads
            )
        pcm = samples if samples.dtype == np.int16 else (samples * 32_767).astype(np.int16)
        wanted = [Window(start=start, end=end, language=language) for start, end in windows]
        return [word for answer in self._recognisers[beam].recognise(pcm, wanted) for word in answer.words]


def packed(conversation: Conversation, longest: Milliseconds = ASKED) -> list[tuple[Milliseconds, Milliseconds]]:
    """Windows of at most *longest* ms as drafting packs them, from the true turns; nothing is heard beyond a cut."""
    turns = [
        Turn(recording=conversation.name, speaker=turn.speaker, start=turn.start, end=turn.end)
        for turn in conversation.spoken
    ]
    plans = pack(unite_speech(turns), duration=conversation.duration, longest=longest)
    return [(plan.start, plan.end) for plan in plans]


def conversation_errors(engine: Engine, conversation: Conversation, language: str, *, beam: int = 5) -> Count:
    """Errors of *conversation*, all its words in order of their turns."""
    heard = join_words(engine.hear(conversation.samples, packed(conversation), language, beam=beam))
    reference = " ".join(turn.text for turn in conversation.spoken).split()
    return Count(errors=distance(reference, heard.split()), words=len(reference))


def spoken_conversation(
    dialect: str, rng: random.Random, people: Sequence[voices.Voice], *, overlap: float = 0.1
) -> Conversation:
    """A two-voice conversation of eight turns in *dialect*, *overlap* of its speech by two at once."""
    clips: list[Clip] = []
    while len(clips) < 8:
        voice, text = people[len(clips) % 2], texts.sentence(dialect, rng)
        with contextlib.suppress(ValueError):  # some variants stay silent at some texts
            samples = voices.speak(voice, text)
            clips.append(Clip(speaker=voice.name, dialect=dialect, text=text, samples=samples))
    return converse(clips, rng, overlap=overlap)


def digit_conversation(
    people: Sequence[Sequence[bank.Utterance]], rng: random.Random, *, overlap: float = 0.1
) -> Conversation:
    """A conversation of ten turns of one to five recorded digits, *overlap* of its speech by two at once."""
    clips: list[Clip] = []
    for place in range(10):
        own = people[place % len(people)]
        digits = [rng.choice(own) for _ in range(rng.randint(1, 5))]
        pieces: list[NDArray[np.float32]] = []
        for digit in digits:
            pieces += [
                digit.samples.astype(np.float32) / np.float32(32768),
                np.zeros(rng.randint(480, 4800), np.float32),
            ]
        text = " ".join(digit.words[0] for digit in digits)
        samples = np.concatenate(pieces[:-1])
        clips.append(Clip(speaker=own[0].speaker, dialect="en-US", text=text, samples=samples))
    return converse(clips, rng, overlap=overlap)


def dialect_rates(
    engine: Engine, *, conversations: int = 6, seed: int = 11, overlap: float = 0.1
) -> dict[str, float | None]:
    """Word error rate of each dialect, Scots included, by demo voices that no training has heard."""
    rates: dict[str, float | None] = {}
    for dialect in (*bank.DIALECTS, "en-scotland"):
        rng = random.Random(f"{dialect} {seed}")
        total = Count()
        for _ in range(conversations):
            people = voices.demo_voices(dialect, 2, rng.getrandbits(16))
            made = spoken_conversation(dialect, rng, people, overlap=overlap)
            total += conversation_errors(engine, made, dialect.split("-")[0])
        rates[dialect] = total.rate
    return rates


def digit_rates(
    engine: Engine,
    data: Path,
    *,
    conversations: int = 24,
    seed: int = 12,
    recordings: range = range(bank.FIRST_TEST_RECORDING, 50),
    only: Collection[str] = (),
) -> dict[str, float | None]:
    """
    Word error rate of two-speaker conversations of recorded digits, overlapped and not, and of each speaker alone.

    With *only*, every conversation holds one of these speakers, and the rates are theirs.
    """
    own: dict[str, list[bank.Utterance]] = {}
    for utterance in bank.recorded_digits(data, recordings=recordings):
        own.setdefault(utterance.speaker, []).append(utterance)
    rates: dict[str, float | None] = {}
    for speaker in only or own:
        rng = random.Random(f"{speaker} {seed}")
        made = [digit_conversation([own[speaker]], rng) for _ in range(conversations // 4)]
        rates[speaker] = sum((conversation_errors(engine, one, "en") for one in made), Count()).rate
    for name, overlap in (("two speakers", 0.0), ("two speakers, overlap", 0.1)):
        rng, total = random.Random(seed), Count()
        for _ in range(conversations):
            pair = rng.sample(sorted(own), 2)
            if only and not set(pair) & set(only):
                pair[0] = rng.choice(sorted(set(only) - set(pair)))
            total += conversation_errors(engine, digit_conversation([own[p] for p in pair], rng, overlap=overlap), "en")
        rates[name] = total.rate
    return rates


def word_start_error(engine: Engine, utterances: Sequence[bank.Utterance]) -> float:
    """Median distance in ms between the told and the true start of words, over *utterances* heard without error."""
    gaps: list[float] = []
    for utterance in utterances:
        silence = np.zeros(RATE_HZ // 2, np.int16)
        samples = np.concatenate([silence, utterance.samples, silence])
        words = engine.hear(samples, [(0, len(samples) * 1000 // RATE_HZ)], utterance.language)
        if [word.text for word in words] == list(utterance.words):
            gaps += [abs(word.start - 500 - true) for word, true in zip(words, utterance.starts, strict=True)]
    return round(float(np.median(gaps)), 1) if gaps else float("nan")
