"""Choose how voices are clustered on held-out conversations, and gather the vectors that the PLDA is fitted on."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transcribe.backends.diarisation_error import DiarisationError, der
from transcribe.embedded.train_diariser import bank, cases, embedding, export, models
from transcribe.embedded.train_diariser.cases import Case
from transcribe.embedded.train_diariser.mixing import Mixer
from transcribe.protocols import LabelledSpan

#: Share of the average spread that every direction is given besides its own.
SLACK = 0.1
#: Step between chunks as a share of their length: a second, so that each moment is heard five times.
STEP = 0.2


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One way to cluster."""

    name: str
    params: Mapping[str, object]

    def written(self) -> dict[str, object]:
        """As `export` reads it."""
        return {"name": self.name, "params": dict(self.params), "step": STEP, "min_duration_off": 0.0}


def choices() -> Iterator[Choice]:
    """All that are tried."""
    for threshold in np.arange(0.3, 1.0, 0.05):
        for size in (3, 8):
            params = {"method": "average", "threshold": round(float(threshold), 2), "min_cluster_size": size}
            yield Choice(name="AgglomerativeClustering", params=params)
    for threshold in (0.6, 0.9):
        for tempering in (0.07, 0.2):
            for prior in (0.8, 3.0):
                params = {"threshold": threshold, "Fa": tempering, "Fb": prior}
                yield Choice(name="VBxClustering", params=params)


def write_vectors(work: Path, batches: int, seed: int) -> None:
    """
    Embed the voices of fresh chunks of the bank, and even out the vectors' directions.

    Writes ``evened.pt``, the network whose last layer centres its vectors and scales the spread within one voice to be
    alike in all directions, so that plain angles compare voices; and ``vectors.npz``, what it makes of the chunks.
    """
    import torch

    model = models.embedder()
    models.restore(model, work / "embedding.pt")
    model.eval()
    mixer = Mixer(bank.load(work / "bank"), seed)
    vectors, voices = [], []
    with torch.inference_mode():
        for _ in range(batches):
            chunks = [mixer.chunk() for _ in range(embedding.BATCH)]
            rows, masks, classes = embedding.examples(chunks, mixer.rng)
            frames = model.frames(torch.from_numpy(np.stack([chunk.sound for chunk in chunks]))[:, None])
            vectors.append(model.embedding(model.pool(frames[rows], weights=torch.from_numpy(masks))).numpy())
            voices.append(classes)
    found, whose = np.concatenate(vectors).astype(np.float64), np.concatenate(voices)
    mean, scaling = evening(found, whose)
    with torch.no_grad():
        last = model.embedding
        last.bias.copy_(torch.from_numpy(scaling @ (last.bias.numpy() - mean)))
        last.weight.copy_(torch.from_numpy(scaling @ last.weight.numpy()))
    models.save(model, work / "evened.pt")
    np.savez(work / "vectors.npz", vectors=(found - mean) @ scaling.T, voices=whose)


def evening(vectors: NDArray[np.float64], voices: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Mean, and the matrix that makes the covariance within voices nearly spherical (WCCN, Hatch et al. 2006).

    A tenth of the average variance is added in each direction: voices that nobody heard spread more than those of the
    training do.
    """
    within, _ = export.scatter(vectors, voices)
    spread, directions = np.linalg.eigh(within)
    return vectors.mean(axis=0), directions @ np.diag((spread + SLACK * spread.mean()) ** -0.5) @ directions.T


def pipeline(work: Path, choice: Choice) -> Any:
    """The library's pipeline with the networks of *work* and this *choice*; it keeps what it computes in the file."""
    from pyannote.audio import Pipeline

    (work / "clustering.json").write_text(json.dumps(choice.written(), indent=1), encoding="utf-8")
    folder = work / "trial" / choice.name
    export.write(folder, work)
    made = Pipeline.from_pretrained(str(folder))
    made.training = True
    return made


def file_of(case: Case) -> dict[str, Any]:
    """*case* as the library takes it, with room for what it keeps."""
    import torch

    waveform = torch.from_numpy(case.samples.astype(np.float32) / 32_768)[None]
    return {"uri": case.name, "waveform": waveform, "sample_rate": models.SAMPLE_RATE_HZ}


def error(ready: Any, file: dict[str, Any], case: Case) -> DiarisationError:
    """What *ready* gets wrong in *case*."""
    found = ready(file).speaker_diarization
    spans = [
        LabelledSpan(start=round(turn.start * 1_000), end=round(turn.end * 1_000), label=str(label))
        for turn, _, label in found.itertracks(yield_label=True)
    ]
    return der(case.truth, spans, within=[(0, len(case.samples) * 1_000 // models.SAMPLE_RATE_HZ)])


def tune(work: Path, groups: Mapping[str, Sequence[Case]]) -> None:
    """Try all choices on all cases and leave the one with the least mean error over *groups* in ``clustering.json``."""
    files = {group: [(case, file_of(case)) for case in members] for group, members in groups.items()}
    ready: dict[str, Any] = {}
    best, least = None, np.inf
    for choice in choices():
        if choice.name not in ready:
            ready[choice.name] = pipeline(work, choice)
        ready[choice.name].instantiate({"segmentation": {"min_duration_off": 0.0}, "clustering": dict(choice.params)})
        rates = {}
        for group, members in files.items():
            parts = [error(ready[choice.name], file, case) for case, file in members]
            rates[group] = sum(parts, DiarisationError()).rate or 0.0
        mean = float(np.mean(list(rates.values())))
        print(f"{mean:.4f} {choice.params} { ({group: round(rate, 4) for group, rate in rates.items()}) }", flush=True)
        if mean < least:
            best, least = choice, mean
    if best is not None:
        (work / "clustering.json").write_text(json.dumps(best.written(), indent=1), encoding="utf-8")
        print(f"chosen: {best.name} {best.params} mean error {least:.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder of the earlier stages")
    parser.add_argument("--data", type=Path, default=bank.TEST_DATA, help="folder with fsdd/ and ami-mini/")
    parser.add_argument("--count", type=int, default=12, help="conversations of each kind")
    parser.add_argument("--batches", type=int, default=120, help="batches of chunks that the PLDA is fitted on")
    parser.add_argument("--seed", type=int, default=1_000)
    options = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    write_vectors(options.work, options.batches, options.seed)
    tune(
        options.work,
        {
            "synthetic": list(cases.synthetic(options.count, options.seed)),
            "digits": list(cases.fast_digits(options.data / "fsdd", options.count, options.seed)),
            "meetings": list(cases.held_out_meetings(options.data / "ami-mini")),
        },
    )


if __name__ == "__main__":
    main()
