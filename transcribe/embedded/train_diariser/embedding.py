"""Train the network that gives one vector a voice, by telling apart everybody in the bank."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from transcribe.embedded.train_diariser import bank, models
from transcribe.embedded.train_diariser.mixing import STEPS, Chunk, Mixer
from transcribe.embedded.train_diariser.segmentation import pace

if TYPE_CHECKING:
    import torch

BATCH = 32
FASTEST = 3e-3
#: Fewest and most 10 ms steps of a voice that make one example: very short turns are wanted too.
LEAST, MOST = 35, 400
#: Sharpness and margin (radians) of the additive angular margin softmax (Deng et al. 2019).
SHARPNESS, MARGIN = 24.0, 0.15


def examples(
    chunks: Sequence[Chunk], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]:
    """
    The voices of *chunks* that can be learnt from.

    Speech under somebody else's is left out where enough remains, as the pipeline does. Half of the masks are cut to a
    random shorter length, and all are shifted a little, since the segmentation errs too.

    Returns:
        Which chunk each comes from ``(count,)``, its mask ``(count, STEPS)``, its class ``(count,)``.
    """
    rows, masks, classes = [], [], []
    for row, chunk in enumerate(chunks):
        single = chunk.active.sum(axis=1) < 2
        for column, voice in enumerate(chunk.voices):
            mask = chunk.active[:, column]
            mask = mask & single if (mask & single).sum() >= LEAST else mask
            if voice < 0 or mask.sum() < LEAST:
                continue
            mask = np.roll(mask, int(rng.integers(-4, 5)))
            if rng.random() < 0.5:
                mask = _cut(mask, int(rng.integers(LEAST, MOST)), rng)
            rows.append(row)
            masks.append(mask.astype(np.float32))
            classes.append(int(voice))
    return np.array(rows), np.stack(masks), np.array(classes)


def _cut(mask: NDArray[np.bool_], length: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """At most *length* active steps of *mask*, in one run."""
    places = np.flatnonzero(mask)
    if len(places) <= length:
        return mask
    first = int(rng.integers(0, len(places) - length))
    kept = np.zeros(STEPS, dtype=bool)
    kept[places[first : first + length]] = True
    return kept


def loss(vectors: torch.Tensor, prototypes: torch.Tensor, classes: torch.Tensor, margin: float) -> torch.Tensor:
    """Additive angular margin softmax: cross entropy of the angles, the right one widened by *margin* radians."""
    import torch
    from torch.nn import functional

    cosines = functional.normalize(vectors) @ functional.normalize(prototypes).T
    right = cosines.gather(1, classes[:, None]).clamp(-0.9999, 0.9999)
    widened = torch.cos(torch.acos(right) + margin)
    return functional.cross_entropy(SHARPNESS * cosines.scatter(1, classes[:, None], widened), classes)


def train(work: Path, steps: int, seed: int) -> None:
    """Fit from the checkpoint in *work*, or from nothing; progress to standard output, one line each 50 steps."""
    import torch

    torch.manual_seed(seed)
    model, gathered = models.embedder(), bank.load(work / "bank")
    path, heads = work / "embedding.pt", work / "prototypes.pt"
    prototypes = torch.nn.Parameter(0.1 * torch.randn(len(gathered.voices), model.dimension))
    if models.restore(model, path) and heads.is_file():
        prototypes.data = torch.load(heads)
        print(f"goes on from {path}", flush=True)
    mixer = Mixer(gathered, seed)
    optimiser = torch.optim.AdamW([*model.parameters(), prototypes], lr=FASTEST, weight_decay=1e-3)
    model.train()
    began, costs, hits = time.monotonic(), [], []
    for step in range(steps):
        chunks = [mixer.chunk() for _ in range(BATCH)]
        rows, masks, classes = (torch.from_numpy(array) for array in examples(chunks, mixer.rng))
        frames = model.frames(torch.from_numpy(np.stack([chunk.sound for chunk in chunks]))[:, None])
        vectors = model.embedding(model.pool(frames[rows], weights=masks))
        optimiser.param_groups[0]["lr"] = pace(step, steps, FASTEST)
        optimiser.zero_grad()
        cost = loss(vectors, prototypes, classes, MARGIN * min(1.0, 2 * step / steps))
        cost.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        costs.append(float(cost.detach()))
        with torch.no_grad():
            nearest = (torch.nn.functional.normalize(prototypes) @ vectors.T).argmax(dim=0)
        hits.append(float((nearest == classes).float().mean()))
        if (step + 1) % 50 == 0:
            print(
                f"step {step + 1} loss {np.mean(costs[-50:]):.3f} right {np.mean(hits[-50:]):.3f}"
                f" seconds {time.monotonic() - began:.0f}",
                flush=True,
            )
            models.save(model, path)
            torch.save(prototypes.data, heads)
    models.save(model, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder with bank/")
    parser.add_argument("--steps", type=int, default=3_000, help=f"batches of {BATCH} chunks")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=2)
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    train(options.work, options.steps, options.seed)


if __name__ == "__main__":
    main()
