"""Embed fresh chunks of the bank, even out the directions of the vectors, and keep them for the PLDA."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from transcribe.embedded.train_diariser import bank, embedding, export, models
from transcribe.embedded.train_diariser.mixing import Mixer

#: Share of the average spread that every direction is given besides its own: voices that nobody heard spread more than
#: those of the training do.
SLACK = 0.1


def evening(
    vectors: NDArray[np.float64], voices: NDArray[np.int64], sources: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Centre, and the matrix after which plain angles compare voices.

    It makes the covariance within voices nearly spherical (WCCN, Hatch et al. 2006), and flattens the directions in
    which whole *sources* differ: people recorded in one way would otherwise all look alike, so that no single threshold
    fits two ways of recording.

    Args:
        vectors: ``(count, dimension)``.
        voices: Whose each is, ``(count,)``.
        sources: Where each comes from, ``count`` names.
    """
    names = np.array(sources)
    middles = np.stack([vectors[names == name].mean(axis=0) for name in sorted(set(sources))])
    centre = middles.mean(axis=0)
    _, strengths, apart = np.linalg.svd(middles - centre)
    apart = apart[: int(np.sum(strengths > 1e-9))]
    within, _ = export.scatter(vectors, voices)
    spread, directions = np.linalg.eigh(within)
    scaling = directions @ np.diag((spread + SLACK * spread.mean()) ** -0.5) @ directions.T
    return centre, scaling @ (np.eye(len(within)) - apart.T @ apart)


def write(work: Path, batches: int, seed: int) -> None:
    """
    Write ``evened.pt``, the embedding with `evening` folded into its last layer, and ``vectors.npz``.

    The arrays are ``vectors``, what the evened network makes of *batches* of chunks, and ``voices``, whose they are.
    """
    import torch

    model, gathered = models.embedder(), bank.load(work / "bank")
    models.restore(model, work / "embedding.pt")
    model.eval()
    mixer = Mixer(gathered, seed)
    vectors, voices = [], []
    with torch.inference_mode():
        for _ in range(batches):
            chunks = [mixer.chunk() for _ in range(embedding.BATCH)]
            rows, masks, classes = embedding.examples(chunks, mixer.rng)
            frames = model.frames(torch.from_numpy(np.stack([chunk.sound for chunk in chunks]))[:, None])
            vectors.append(model.embedding(model.pool(frames[rows], weights=torch.from_numpy(masks))).numpy())
            voices.append(classes)
    found, whose = np.concatenate(vectors).astype(np.float64), np.concatenate(voices)
    names = gathered.voices
    centre, scaling = evening(found, whose, [names[voice].split()[0] for voice in whose])
    with torch.no_grad():
        last = model.embedding
        last.bias.copy_(torch.from_numpy(scaling @ (last.bias.numpy() - centre)))
        last.weight.copy_(torch.from_numpy(scaling @ last.weight.numpy()))
    models.save(model, work / "evened.pt")
    np.savez(work / "vectors.npz", vectors=(found - centre) @ scaling.T, voices=whose)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder with bank/ and embedding.pt")
    parser.add_argument("--batches", type=int, default=120, help=f"batches of {embedding.BATCH} chunks")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1_000)
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    write(options.work, options.batches, options.seed)


if __name__ == "__main__":
    main()
