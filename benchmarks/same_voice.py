"""
How many speakers of several recordings are proposed as one person, and how many of the proposals are wrong?

    python -m benchmarks.same_voice --encoder FILE [--also msc-ml,timit-sample]

Each speaker's clips of speechocean762 are laid into two recordings, in eight draws; the mean embedding of a recording's
speech (Silero's detector, the GE2E encoder) is kept under an unnamed speaker and put through `find_likely_pairs` and
`choose_proposals` as `boli speakers` does. The calibration was fitted on every second speaker by id, from the first:
figures of those and of the others stand apart, beside those of all together, and by clips a recording. Other sets
can be put beside them: nothing was fitted on them. The constants of `Calibration` are found anew and stand in the
result beside those that are used.
"""

from __future__ import annotations

import argparse
import hashlib
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.measuring import write
from benchmarks.real_sets import DATA, lay_out, read_manifest, read_pcm
from transcribe.pipeline.same_voice import Calibration, choose_proposals, find_likely_pairs, pack_vector
from transcribe.protocols import SAMPLE_RATE_HZ, Pcm
from transcribe.records import Voice

TUNED: Final = "speechocean762"
DRAWS: Final = 8
#: Clips laid into each of a speaker's two recordings.
CLIPS: Final = (1, 2, 4)
#: Quiet between two clips, in seconds.
PAUSE_S: Final = 0.5

Embed = Callable[[Pcm], tuple[npt.NDArray[np.float32], int]]


@dataclass(frozen=True, kw_only=True)
class Laid:
    """One of the two recordings that a speaker's clips were laid into."""

    speaker: str
    draw: int
    side: int
    clips: int
    voice: Voice


def ge2e(encoder: Path) -> Embed:
    """Make what gives the mean embedding of all speech in a recording, and its length in milliseconds."""
    import torch

    from transcribe.backends.checkpoint import read_pickle
    from transcribe.backends.ge2e import Ge2eEncoder
    from transcribe.backends.voice_activity import SileroDetector

    torch.set_num_threads(1)
    state = read_pickle(encoder)["model_state"]
    network, detector = Ge2eEncoder().eval(), SileroDetector()
    network.load_state_dict({name: state[name] for name in state if name.startswith(("lstm.", "linear."))})
    samples = SAMPLE_RATE_HZ // 1_000

    def embed(pcm: Pcm) -> tuple[npt.NDArray[np.float32], int]:
        spans = detector.detect(pcm)
        speech = np.concatenate([pcm[span.start * samples : span.end * samples] for span in spans])
        with torch.inference_mode():
            vector = network(torch.from_numpy(speech.astype(np.float32) / 32_768)[None, None])[0]
        return vector.numpy(), len(speech) // samples

    return embed


def lay_speakers(folder: Path, embed: Embed, maker: str) -> Iterator[Laid]:
    """Every speaker of the set in *folder* with clips enough, in two recordings a draw and a count of clips."""
    clips: dict[str, list[Pcm]] = defaultdict(list)
    for row in sorted(read_manifest(folder), key=lambda row: row["path"]):
        clips[row["speaker"]].append(read_pcm(folder / row["path"]))
    for speaker, sounds in sorted(clips.items()):
        for draw in range(DRAWS):
            shuffled = random.Random(f"{speaker} {draw}").sample(sounds, len(sounds))
            for count in (count for count in CLIPS if 2 * count <= len(shuffled)):
                for side in range(2):
                    parts = shuffled[side::2][:count]
                    pcm = lay_out([(part, PAUSE_S) for part in parts], draw)
                    voice = _voice(f"{speaker} {draw} {count} {side}", pcm, embed, maker)
                    yield Laid(speaker=speaker, draw=draw, side=side, clips=count, voice=voice)


def _voice(name: str, pcm: Pcm, embed: Embed, maker: str) -> Voice:
    vector, speech = embed(pcm)
    packed = pack_vector(vector.tolist())
    if packed is None:
        raise ValueError(f"{name} has no voice")
    recording = hashlib.sha256(name.encode()).hexdigest()
    return Voice(recording=recording, speaker=f"{recording}/SPEAKER_00", vector=packed, speech=speech, maker=maker)


def measure(laid: Iterable[Laid]) -> dict[str, Any]:
    """Count true pairs and proposals over the draws, each draw a workspace of its own."""
    by_draw: dict[int, list[Laid]] = defaultdict(list)
    for recording in laid:
        by_draw[recording.draw].append(recording)
    true_pairs = hits = proposals = 0
    seconds: list[float] = []
    for group in by_draw.values():
        who = {each.voice.speaker: each.speaker for each in group}
        pairs = choose_proposals(find_likely_pairs([each.voice for each in group], names={}))
        true_pairs += len(set(who.values()))
        proposals += len(pairs)
        hits += sum(who[pair.first] == who[pair.second] for pair in pairs)
        seconds += [each.voice.speech / 1_000 for each in group]
    return {
        "true_pairs": true_pairs,
        "proposed": hits,
        "proposals": proposals,
        "false": proposals - hits,
        "true_pairs_proposed": round(hits / true_pairs, 4),
        "proposals_false": round((proposals - hits) / max(proposals, 1), 4),
        "mean_speech_s": round(float(np.mean(seconds)), 1),
    }


def halves(laid: Sequence[Laid]) -> dict[str, list[Laid]]:
    """Part speakers by id, alternating: those that the calibration was fitted on, and the others."""
    speakers = sorted({each.speaker for each in laid})
    return {
        "tuned half": [each for each in laid if each.speaker in speakers[0::2]],
        "other half": [each for each in laid if each.speaker in speakers[1::2]],
        "all": list(laid),
    }


def fit(laid: Iterable[Laid]) -> Calibration:
    """Find the calibration with the least cross-entropy on pairs of *laid*, both classes weighed alike."""
    from scipy.optimize import minimize

    rows = np.array(list(_pairs(laid)), dtype=np.float32)
    cosines, first, second, same = rows.T

    def loss(values: npt.NDArray[np.float64]) -> float:
        half_s, boundary, width = np.abs(values)
        ratios = Calibration(half_s=half_s, boundary=boundary, width=width).log_ratio(cosines, first, second)
        signed = np.where(same > 0, -ratios, ratios)
        costs = np.logaddexp(0, signed)
        return float(costs[same > 0].mean() + costs[same == 0].mean())

    values = np.abs(minimize(loss, [0.65, 0.9, 0.05], method="Nelder-Mead", options={"maxiter": 2_000}).x)
    return Calibration(half_s=float(values[0]), boundary=float(values[1]), width=float(values[2]))


def _pairs(laid: Iterable[Laid]) -> Iterator[tuple[float, float, float, bool]]:
    """Cosine, seconds of both, and whether it is one person, of recordings of one draw that share no clip."""
    by_draw: dict[int, list[Laid]] = defaultdict(list)
    for recording in laid:
        by_draw[recording.draw].append(recording)
    for group in by_draw.values():
        for left, right in combinations(group, 2):
            same = left.speaker == right.speaker
            if not same or left.side != right.side:
                vectors = [np.frombuffer(each.voice.vector, dtype="<f4") for each in (left, right)]
                lengths = [each.voice.speech / 1_000 for each in (left, right)]
                yield float(vectors[0] @ vectors[1]), lengths[0], lengths[1], same


def report(name: str, parts: Mapping[str, Sequence[Laid]]) -> dict[str, Any]:
    """Measure each of *parts* by clips a recording, and print a line for each."""
    figures: dict[str, Any] = {}
    for part, laid in parts.items():
        for count in sorted({each.clips for each in laid}):
            row = measure([each for each in laid if each.clips == count])
            figures.setdefault(part, {})[f"{count} clips"] = row
            shares = f"{row['true_pairs_proposed']:.1%} of {row['true_pairs']} true pairs proposed, "
            shares += f"{row['proposals_false']:.1%} of {row['proposals']} proposals false"
            print(f"{name:15} {part:10} {count} clips, {row['mean_speech_s']:4.1f} s: {shares}")
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, required=True, help="the weights of Resemblyzer's encoder")
    parser.add_argument("--also", default="", help="further sets of ../shared/data/dialects, separated by commas")
    given = parser.parse_args()
    maker = hashlib.sha256(given.encoder.read_bytes()).hexdigest()
    embed = ge2e(given.encoder)
    laid = list(lay_speakers(DATA / "dialects" / TUNED, embed, maker))
    fitted = fit(halves(laid)["tuned half"])
    print(f"fitted anew: {fitted}")
    figures = {TUNED: report(TUNED, halves(laid))}
    for name in filter(None, given.also.split(",")):
        figures[name] = report(name, {"all": list(lay_speakers(DATA / "dialects" / name, embed, maker))})
    facts = {"calibration": vars(Calibration()), "fitted_anew": vars(fitted)}
    write("same_voice", figures, encoder_sha256=maker, draws=DRAWS, **facts)


if __name__ == "__main__":
    main()
