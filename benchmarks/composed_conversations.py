"""
Conversations of two people, composed of strangers' sentences, half of them as over a telephone.

Who speaks when is known to the sample; people of the test are heard nowhere else.
"""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.making.sound import audible
from benchmarks.real_sets import HISS, read_manifest, read_pcm
from transcribe.protocols import SAMPLE_RATE_HZ, LabelledSpan, Pcm

#: Length from which a conversation ends, in seconds.
LENGTH_S = 40.0
#: Silence between two turns, in seconds; below zero they overlap.
PAUSES_S = (-0.4, 1.2)
#: Edges of a telephone's band.
TELEPHONE_HZ = (300, 3_400)


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """Something that one person says."""

    speaker: str
    text: str
    pcm: Pcm


@dataclass(frozen=True, kw_only=True)
class ComposedConversation:
    """A conversation with its truth."""

    name: str
    dialect: str
    pcm: Pcm
    turns: tuple[LabelledSpan, ...]
    #: What is said in each of the turns.
    texts: tuple[str, ...]
    telephone: bool


def read_sentences(folder: Path) -> dict[str, list[Sentence]]:
    """Read the sentences of the manifest in *folder* without the silence around them, by speaker."""
    by_speaker: dict[str, list[Sentence]] = defaultdict(list)
    for row in read_manifest(folder):
        pcm = read_pcm(folder / row["path"])
        first, last = audible(pcm.astype("float32") / 32_768)
        sentence = Sentence(speaker=row["speaker"], text=row["text"], pcm=pcm[first:last])
        by_speaker[row["speaker"]].append(sentence)
    return dict(by_speaker)


def part_speakers(speakers: Sequence[str], shares: Mapping[str, int]) -> dict[str, list[str]]:
    """Give each part as many of *speakers* as *shares* says, neighbours by id to different parts."""
    order = [part for part, count in shares.items() for _ in range(count)]
    random.Random(5).shuffle(order)
    parts: dict[str, list[str]] = {part: [] for part in shares}
    for speaker, part in zip(sorted(speakers), order, strict=False):
        parts[part].append(speaker)
    return parts


def compose_conversations(
    sentences: Mapping[str, Sequence[Sentence]],
    prefix: str,
    dialect: str,
    count: int,
    seed: int,
    length_s: float = LENGTH_S,
) -> Iterator[ComposedConversation]:
    """Yield *count* conversations of two of the speakers of *sentences*, every second one over a telephone."""
    chance = random.Random(seed)
    for number in range(count):
        pair = chance.sample(sorted(sentences), 2)
        name = f"{prefix}-{number:02}"
        yield _compose(name, dialect, {who: sentences[who] for who in pair}, number % 2 == 1, length_s, chance)


def _compose(
    name: str,
    dialect: str,
    sentences: Mapping[str, Sequence[Sentence]],
    telephone: bool,
    length_s: float,
    chance: random.Random,
) -> ComposedConversation:
    sound = np.zeros(round((length_s + 30) * SAMPLE_RATE_HZ))
    turns: list[LabelledSpan] = []
    texts: list[str] = []
    at, speaker = round(0.3 * SAMPLE_RATE_HZ), chance.choice(sorted(sentences))
    while at < length_s * SAMPLE_RATE_HZ:
        sentence = chance.choice(sentences[speaker])
        end = at + len(sentence.pcm)
        sound[at:end] += sentence.pcm
        to_ms = SAMPLE_RATE_HZ // 1_000
        turns.append(LabelledSpan(start=at // to_ms, end=end // to_ms, label=speaker))
        texts.append(sentence.text)
        change = chance.random() < 0.8
        pause_s = chance.uniform(*PAUSES_S) if change else chance.uniform(0.2, PAUSES_S[1])
        at = end + round(pause_s * SAMPLE_RATE_HZ)
        speaker = next(who for who in sentences if (who != speaker) == change)
    sound = sound[: max(turn.end for turn in turns) * to_ms + SAMPLE_RATE_HZ // 2]
    if telephone:
        sound = pass_telephone(sound)
    sound += np.random.default_rng(chance.randrange(2**32)).normal(0, HISS * 32_767, len(sound))
    pcm: Pcm = sound.clip(-32_768, 32_767).astype(np.int16)
    return ComposedConversation(
        name=name, dialect=dialect, pcm=pcm, turns=tuple(turns), texts=tuple(texts), telephone=telephone
    )


def pass_telephone(sound: np.ndarray) -> np.ndarray:
    """Keep a telephone's band of *sound* at 16 kHz, in the 8 bits of mu-law."""
    from scipy.signal import butter, sosfiltfilt

    band = butter(6, TELEPHONE_HZ, btype="band", fs=SAMPLE_RATE_HZ, output="sos")
    narrow = np.clip(sosfiltfilt(band, sound) / 32_768, -1, 1)
    steps = np.rint(np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256) * 127) / 127
    # The noise of the steps is within the band too, as it is at 8 kHz.
    return np.asarray(sosfiltfilt(band, np.sign(steps) * (256 ** np.abs(steps) - 1) / 255 * 32_768))


def deal_speakers(spans: Sequence[tuple[int, int, str]], seed: int) -> list[str]:
    """
    Return the speakers of *spans* (start, end, speaker) dealt out by lot, but so that nobody speaks over themself.

    >>> deal_speakers([(0, 10, "a"), (5, 15, "b")], 0) in (["a", "b"], ["b", "a"])
    True
    """
    chance, speakers = random.Random(seed), [speaker for _, _, speaker in spans]
    is_possible = False
    while not is_possible:
        chance.shuffle(speakers)
        dealt = sorted((speaker, start, end) for speaker, (start, end, _) in zip(speakers, spans, strict=True))
        is_possible = all(one[0] != other[0] or one[2] <= other[1] for one, other in itertools.pairwise(dealt))
    return speakers
