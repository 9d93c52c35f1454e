"""Train the network that says who of three voices speaks when within five seconds."""

from __future__ import annotations

import argparse
import itertools
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from transcribe.embedded.train_diariser import bank, models
from transcribe.embedded.train_diariser.mixing import STEP, STEPS, Chunk, Mixer

if TYPE_CHECKING:
    import torch

    from transcribe.backends.small_nets import TurnNet

BATCH = 32
FASTEST, WARMING = 2e-3, 100
#: Layers that this network shares with the embedding, and begins with: they tell voices apart already.
HEARING = ("bands.", "first.", "norm.", "blocks.")


def frame_steps(model: TurnNet) -> NDArray[np.int64]:
    """Which 10 ms step of the truth lies in the middle of each frame, ``(frames,)``."""
    centres = np.array([model.receptive_field_center(frame) for frame in range(model.num_frames(models.CHUNK))])
    return np.minimum(centres // STEP, STEPS - 1)


def powerset_targets(active: NDArray[np.bool_]) -> NDArray[np.int64]:
    """
    The class of each frame under every naming of the voices, since the network may name them as it likes.

    Args:
        active: ``(chunks, frames, voices)``.

    Returns:
        ``(namings, chunks, frames)``. Classes are in the library's order: nobody, each voice alone, each pair.
    """
    sets = [
        frozenset(chosen)
        for size in range(models.AT_ONCE + 1)
        for chosen in itertools.combinations(range(models.VOICES), size)
    ]
    table = np.zeros(2**models.VOICES, dtype=np.int64)
    for place, chosen in enumerate(sets):
        table[sum(1 << voice for voice in chosen)] = place
    bits = 1 << np.arange(models.VOICES)
    namings = itertools.permutations(range(models.VOICES))
    return np.stack([table[(active[:, :, list(naming)] * bits).sum(axis=2)] for naming in namings])


def loss(scores: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """
    Cross entropy under the kindest naming of each chunk (Kolbæk et al. 2017), mean over chunks.

    Args:
        scores: Log-probabilities ``(chunks, frames, classes)``.
        targets: ``(namings, chunks, frames)``.
    """
    import torch

    costs = torch.stack([-scores.gather(2, naming.unsqueeze(2)).squeeze(2).mean(dim=1) for naming in targets])
    return costs.min(dim=0).values.mean()


def batch(mixer: Mixer, steps: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
    """Sounds ``(BATCH, 1, CHUNK)`` and targets of the next chunks."""
    import torch

    chunks: list[Chunk] = [mixer.chunk() for _ in range(BATCH)]
    sounds = torch.from_numpy(np.stack([chunk.sound for chunk in chunks]))[:, None]
    return sounds, torch.from_numpy(powerset_targets(np.stack([chunk.active[steps] for chunk in chunks])))


def pace(step: int, steps: int, fastest: float) -> float:
    """Learning rate at *step*: a short rise, then half a cosine down to a hundredth."""
    rise = min(1.0, (step + 1) / WARMING)
    return fastest * rise * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def train(work: Path, steps: int, seed: int) -> None:
    """Fit from the checkpoint in *work*, or from nothing; progress to standard output, one line each 50 steps."""
    import torch

    torch.manual_seed(seed)
    model = models.segmenter()
    path = work / "segmentation.pt"
    if models.restore(model, path):
        print(f"goes on from {path}", flush=True)
    elif models.restore(model, work / "embedding.pt", parts=HEARING):
        print("begins with what the embedding has learnt to hear", flush=True)
    mixer, frames = Mixer(bank.load(work / "bank"), seed), frame_steps(model)
    optimiser = torch.optim.AdamW(model.parameters(), lr=FASTEST, weight_decay=1e-3)
    model.train()
    began, costs = time.monotonic(), []
    for step in range(steps):
        sounds, targets = batch(mixer, frames)
        optimiser.param_groups[0]["lr"] = pace(step, steps, FASTEST)
        optimiser.zero_grad()
        cost = loss(model(sounds), targets)
        cost.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        costs.append(float(cost.detach()))
        if (step + 1) % 50 == 0:
            print(f"step {step + 1} loss {np.mean(costs[-50:]):.4f} seconds {time.monotonic() - began:.0f}", flush=True)
            models.save(model, path)
    models.save(model, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder with bank/")
    parser.add_argument("--steps", type=int, default=3_000, help=f"batches of {BATCH} chunks")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    train(options.work, options.steps, options.seed)


if __name__ == "__main__":
    main()
