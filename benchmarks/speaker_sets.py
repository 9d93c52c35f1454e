"""
Recordings of one, two or more people, for measuring who speaks when.

Tuning hears the training meetings, `FIRST_HALF` of speechocean762's speakers and the Malayalam clips; what is reported
is everything else.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.real_sets import lay_out, read_clips, read_dialogues, read_manifest, read_pcm, read_rttm
from transcribe.protocols import SAMPLE_RATE_HZ, LabelledSpan, Pcm

#: Shortest part of a pair that one person says.
SHORTEST_PART_S = 1.2


@dataclass(frozen=True, kw_only=True)
class Case:
    """A recording and its truth."""

    name: str
    #: int16 ``(samples,)`` at 16 kHz.
    samples: Pcm
    truth: tuple[LabelledSpan, ...]


def halves(folder: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Split the speakers of speechocean762 into those tuning may hear, five adults and five children, and the rest."""
    kinds: dict[str, set[str]] = defaultdict(set)
    for row in read_manifest(folder):
        kinds[row["dialect"].rpartition("-")[2]].add(row["speaker"])
    first = frozenset(speaker for speakers in kinds.values() for speaker in sorted(speakers)[:5])
    return first, frozenset().union(*kinds.values()) - first


def read_singles(folder: Path) -> Iterator[Case]:
    """Yield every clip of the manifest in *folder*; all of it counts as one person's."""
    for clip in read_clips(folder):
        whole = LabelledSpan(start=0, end=clip.duration, label="one")
        yield Case(name=clip.name, samples=clip.pcm, truth=(whole,))


def read_pairs(folder: Path, speakers: frozenset[str] | None, count: int, seed: int) -> Iterator[Case]:
    """Yield clips of 4 to 8 s in which two of *speakers* (all where ``None``) say a part of a sentence each."""
    chance = random.Random(seed)
    sentences: dict[str, list[Pcm]] = defaultdict(list)
    for row in read_manifest(folder):
        if speakers is None or row["speaker"] in speakers:
            sentences[row["speaker"]].append(_trim(read_pcm(folder / row["path"])))
    number = 0
    while number < count:
        people = chance.sample(sorted(sentences), 2)
        pause_s = chance.uniform(0.2, 0.5)
        longest_s = (chance.uniform(4, 8) - pause_s - 0.4) / 2
        parts = [_part(chance.choice(sentences[person]), longest_s, chance) for person in people]
        if min(map(len, parts)) < SHORTEST_PART_S * SAMPLE_RATE_HZ or sum(map(len, parts)) < 3.4 * SAMPLE_RATE_HZ:
            continue
        yield _pair(f"pair-{number}", people, parts, pause_s, seed + number)
        number += 1


def _trim(pcm: Pcm, floor: float = 0.01) -> Pcm:
    """Trim *pcm* to what is above *floor*, a share of its peak: 40 dB below it."""
    levels = np.abs(pcm.astype(np.float32))
    loud = np.flatnonzero(levels > floor * levels.max(initial=0))
    return pcm[loud[0] : loud[-1] + 1] if loud.size else pcm[:0]


def _part(pcm: Pcm, longest_s: float, chance: random.Random) -> Pcm:
    length = min(len(pcm), round(longest_s * SAMPLE_RATE_HZ))
    first = chance.randint(0, len(pcm) - length)
    return _trim(pcm[first : first + length])


def _pair(name: str, people: list[str], parts: list[Pcm], pause_s: float, seed: int) -> Case:
    lead_s = 0.2
    truth, start_s = [], lead_s
    for person, part in zip(people, parts, strict=True):
        end_s = start_s + len(part) / SAMPLE_RATE_HZ
        truth.append(LabelledSpan(start=round(start_s * 1_000), end=round(end_s * 1_000), label=person))
        start_s = end_s + pause_s
    sound = lay_out([(parts[0], pause_s), (parts[1], 0.2)], seed, lead_s=lead_s)
    return Case(name=name, samples=sound, truth=tuple(truth))


def _dialogue_cases(folder: Path) -> Iterator[Case]:
    for clip in read_dialogues(folder):
        yield Case(name=clip.name, samples=clip.pcm, truth=clip.turns)


def read_meetings(folder: Path) -> Iterator[Case]:
    """Yield the development meetings of AMI in *folder* as they lie there; all of each is annotated."""
    for name, turns in sorted(read_rttm(folder / "debug.development.rttm").items()):
        yield Case(name=name, samples=read_pcm(folder / f"{name}.wav"), truth=tuple(turns))


def read_demo(folder: Path, split: str) -> Iterator[Case]:
    """Yield the conversations of one *split* of the demo's corpus in *folder*."""
    for row in read_manifest(folder):
        if row["split"] == split:
            lines = (folder / row["turns"]).read_text(encoding="utf-8").splitlines()
            turns = [json.loads(line) for line in lines]
            truth = [LabelledSpan(start=turn["start_ms"], end=turn["end_ms"], label=turn["speaker"]) for turn in turns]
            yield Case(name=Path(row["path"]).stem, samples=read_pcm(folder / row["path"]), truth=tuple(truth))


def reported_sets(data: Path) -> dict[str, Callable[[], Iterator[Case]]]:
    """List the sets that no choice was made on; single clips of speechocean762 are all there are."""
    dialects = data / "dialects"
    return {
        "ami-mini dev": lambda: read_meetings(data / "ami-mini"),
        "timit-dialogues": lambda: _dialogue_cases(dialects / "timit-dialogues"),
        "single: speechocean762": lambda: read_singles(dialects / "speechocean762"),
        "single: timit-sample": lambda: read_singles(dialects / "timit-sample"),
        "single: duke-addresses": lambda: read_singles(dialects / "duke-addresses"),
        "pairs: speechocean762": lambda: read_pairs(
            dialects / "speechocean762", halves(dialects / "speechocean762")[1], 100, 11
        ),
        "pairs: timit-sample": lambda: read_pairs(dialects / "timit-sample", None, 50, 12),
    }
