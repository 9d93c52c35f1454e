"""
Find whose voice each moment of speech is: short windows of pooled frames, clustered, then followed through time.

A window's vector hears one normalisation for half a minute, where a chunk's vector changes with who else is in the
chunk. The windows are followed by the Bayesian hidden Markov model of VBx (Landini et al. 2022, equations 17 to 24),
in which a voice rather goes on than changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Frames that one answer stands for (0.2 s), and such hops that a window reaches to either side (1.4 s in all).
HOP, REACH = 10, 3
#: Frames of speech that a window needs to tell a voice from (0.5 s).
FEWEST = 25
#: Chance that a voice goes on from one window to the next.
STAY = 0.99
#: Windows that are clustered at most, since all their distances are held at once; the rest joins the nearest cluster.
MOST_CLUSTERED = 2_000
ROUNDS = 15


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """The sums over the frames of speech of each hop or window."""

    #: ``(count,)``
    frames: Floats
    #: Sums of the features and of their squares, ``(count, width)``.
    sums: Floats
    squares: Floats

    def windows(self) -> Pooled:
        """Return a window around each hop, cut short at either end."""
        return Pooled(frames=_sum_around(self.frames), sums=_sum_around(self.sums), squares=_sum_around(self.squares))

    def statistics(self) -> Floats:
        """Return mean and unbiased standard deviation of each feature, ``(count, 2 * width)``; zeros without frames."""
        frames = self.frames[:, None]
        mean = self.sums / np.maximum(frames, 1)
        variance = np.maximum(self.squares - frames * mean**2, 0) / np.maximum(frames - 1, 1)
        return np.concatenate([mean, np.sqrt(variance)], axis=1)


def _sum_around(values: Floats) -> Floats:
    sums = np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
    indices = np.arange(len(values))
    return sums[np.minimum(indices + REACH + 1, len(values))] - sums[np.maximum(indices - REACH, 0)]


@dataclass(frozen=True, kw_only=True)
class Following:
    """The settings of how readily another voice is heard."""

    #: Cosine distance up to which clusters of windows are joined before they are followed.
    threshold: float
    #: Fa and Fb of VBx: what a window's evidence weighs, neighbours being much alike, and what a speaker costs.
    evidence: float
    cost: float


def follow(
    vectors: Floats, features: Floats, psi: Floats, following: Following, *, least: int = 1, most: float = np.inf
) -> NDArray[np.int64]:
    """
    Find the speaker of each window, ``(windows,)``, numbered from 0.

    Args:
        vectors: ``(windows, dimension)`` in order of time.
        features: The same in the space of the PLDA, where voices have the covariance *psi* and noise the unit one.
        psi: ``(dimension,)``
        least: Fewest speakers; fewer windows have a speaker each.
        most: Most speakers.
    """
    if most == 1 or len(vectors) < 2:
        return np.zeros(len(vectors), dtype=np.int64)
    speakers = refine(cluster(vectors, threshold=following.threshold), features, psi, following)
    count = speakers.max() + 1
    if count < least or count > most:
        return cluster(vectors, number=int(min(max(count, least), most)))
    return speakers


def cluster(vectors: Floats, *, threshold: float = 0.0, number: int | None = None) -> NDArray[np.int64]:
    """Cluster *vectors*: by the mean cosine distance up to *threshold*, or into *number* clusters by Ward's method."""
    from scipy.cluster.hierarchy import fcluster, linkage

    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    sample = unit[:: -(-len(unit) // MOST_CLUSTERED)]
    if len(sample) < 2:
        return np.zeros(len(unit), dtype=np.int64)
    if number is None:
        labels = fcluster(linkage(sample, "average", metric="cosine"), threshold, "distance") - 1
    else:
        labels = fcluster(linkage(sample, "ward"), number, "maxclust") - 1
    if len(sample) == len(unit):
        return _renumber(labels)
    centres = np.stack([sample[labels == label].mean(axis=0) for label in range(labels.max() + 1)])
    return _renumber((unit @ centres.T).argmax(axis=1))


def refine(labels: NDArray[np.int64], features: Floats, psi: Floats, following: Following) -> NDArray[np.int64]:
    """Refine *labels* by some rounds of variational Bayes; speakers whom no window needs are dropped."""
    belongs = np.eye(labels.max() + 1)[labels]
    scaled = features * np.sqrt(psi)
    ratio = following.evidence / following.cost
    for _ in range(ROUNDS):
        share = belongs.sum(axis=0)
        spread = 1 / (1 + ratio * share[:, None] * psi)
        voices = ratio * spread * (belongs.T @ scaled)
        evidence = following.evidence * (scaled @ voices.T - 0.5 * (spread + voices**2) @ psi)
        belongs = _smooth(evidence, share / share.sum())
        needed = belongs.sum(axis=0) > 1e-3
        belongs = belongs[:, needed] / belongs[:, needed].sum(axis=1, keepdims=True)
    return _renumber(belongs.argmax(axis=1))


def _smooth(evidence: Floats, prior: Floats) -> Floats:
    """
    Return the chance of each speaker at each window, by forward and backward passes of a chain that stays or starts
    anew.
    """
    likely = np.exp(evidence - evidence.max(axis=1, keepdims=True))
    ahead, behind = np.empty_like(likely), np.ones_like(likely)
    ahead[0] = prior * likely[0] / (prior @ likely[0])
    for index in range(1, len(likely)):
        ahead[index] = (STAY * ahead[index - 1] + (1 - STAY) * prior) * likely[index]
        ahead[index] /= ahead[index].sum()
    for index in range(len(likely) - 2, -1, -1):
        later = likely[index + 1] * behind[index + 1]
        behind[index] = STAY * later + (1 - STAY) * (prior @ later)
        behind[index] /= behind[index].sum()
    product = ahead * behind
    return product / product.sum(axis=1, keepdims=True)


def _renumber(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number *labels* without gaps, from 0, in order of their first window."""
    _, first, groups = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[groups]


def spread_to_hops(speakers: NDArray[np.int64], known_hops: NDArray[np.int64], hops: int) -> NDArray[np.int64]:
    """
    Spread the *speakers* of the ascending *known_hops* to all *hops*: each has the speaker of the nearest known hop.
    """
    nearest = np.rint(np.interp(np.arange(hops), known_hops, np.arange(len(known_hops)))).astype(np.int64)
    return speakers[nearest]
