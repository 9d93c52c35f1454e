"""
Cut the voices of tracks where the voice changes, and join the stretches into speakers.

All likenesses are products of mean unit vectors. A mean over few windows is noisy and therefore shorter, so that the
expected product of two means does not depend on how much speech they stand for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]

#: Spectra of speech between two candidates of a cut (0.1 s), on either side of one (0.8 s), and that a window may
#: reach over it (0.25 s).
CANDIDATE, SHORTEST_SIDE, TOLERANCE = 10, 80, 25
#: Spectra of silence that make a pause (80 ms), and what a pause is worth in likeness.
PAUSE, PAUSE_WORTH = 8, 0.05
#: Stretches are cut at least so often, in spectra of speech (60 s), to bound the work.
LONGEST = 6_000
#: Stretches that are joined by all their pairs, at most; the shorter others join the nearest speaker.
MOST_JOINED = 1_500


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """The thresholds of `cut_track` and `group_stretches`; likenesses from -1 to 1."""

    #: Two sides of a cut are less alike than this.
    cut: float = 0.55
    #: Stretches of one speaker are at least so alike.
    join: float = 0.23
    #: Short stretches join more readily: likeness forgiven, times the seconds of the shorter.
    short: float = 0.05
    #: Likeness that stretches lack which the segmentation told apart for a second or more.
    apart: float = 0.1
    #: Likeness that stretches of one track gain.
    same_track: float = 0.03
    #: Likeness that neighbouring stretches lack, since one person sounds more alike there.
    near: float = 0.1
    near_s: float = 1.5
    #: A speaker has this many seconds of speech or this share of all.
    smallest_s: float = 3.0
    smallest_share: float = 0.15


@dataclass(frozen=True, kw_only=True, eq=False)
class Voice:
    """The windows of one track's speech."""

    #: Spectra of speech in the recording, ascending, ``(spectra,)``; 100 a second.
    spectra: Numbers
    #: First place in *spectra* of each window, ``(windows,)``.
    starts: Numbers
    #: Unit vectors, ``(windows, size)``.
    vectors: Floats
    #: Spectra of a window.
    width: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Stretch:
    """Speech of a track between two cuts."""

    track: int
    start_s: float
    end_s: float
    #: Seconds of speech.
    speech_s: float
    #: Mean of unit vectors, ``(size,)``.
    vector: Floats


def cut_track(voice: Voice, track: int, below: float) -> list[Stretch]:
    """Cut *voice* at changes: where both sides are less alike than *below*, the least alike first."""
    bounds = [*range(0, len(voice.spectra), LONGEST), len(voice.spectra)]
    if len(bounds) > 2 and bounds[-1] - bounds[-2] < SHORTEST_SIDE:
        del bounds[-2]
    sums = np.concatenate([np.zeros_like(voice.vectors[:1]), np.cumsum(voice.vectors, axis=0)])
    open_parts = list(pairwise(bounds))
    whole: list[tuple[int, int]] = []
    while open_parts:
        first, last = open_parts.pop()
        middle = _find_change(voice, sums, first, last, below)
        if middle is None:
            whole.append((first, last))
        else:
            open_parts += [(first, middle), (middle, last)]
    return [_make_stretch(voice, sums, track, first, last) for first, last in sorted(whole)]


def _find_change(voice: Voice, sums: Floats, first: int, last: int, below: float) -> int | None:
    """Find the best cut between *first* and *last*; ``None`` where the sides are too alike."""
    if len(voice.vectors) < 3:
        return None
    lowest, change = np.inf, None
    # Beside a short side the window reaches over the cut, which makes cuts there rarer.
    for middle in range(first + SHORTEST_SIDE, last - SHORTEST_SIDE + 1, CANDIDATE):
        earlier = _average_windows(voice, sums, first, middle, nearest=first)
        later = _average_windows(voice, sums, middle, last, nearest=last - voice.width)
        likeness = float(earlier @ later)
        pause = voice.spectra[middle] - voice.spectra[middle - 1] > PAUSE
        if likeness - PAUSE_WORTH * pause < lowest:
            lowest, change = likeness - PAUSE_WORTH * pause, (middle, likeness)
    return change[0] if change is not None and change[1] < below else None


def _average_windows(voice: Voice, sums: Floats, first: int, last: int, *, nearest: float) -> Floats:
    """
    Average the vectors of the windows between two spectra; where none lies there, take the one that begins *nearest*.
    """
    begin = np.searchsorted(voice.starts, first - TOLERANCE)
    stop = np.searchsorted(voice.starts, last + TOLERANCE - voice.width, "right")
    if stop > begin:
        return np.asarray((sums[stop] - sums[begin]) / (stop - begin))
    return np.asarray(voice.vectors[np.abs(voice.starts - nearest).argmin()])


def _make_stretch(voice: Voice, sums: Floats, track: int, first: int, last: int) -> Stretch:
    return Stretch(
        track=track,
        start_s=float(voice.spectra[first]) / 100,
        end_s=float(voice.spectra[last - 1]) / 100,
        speech_s=(last - first) / 100,
        vector=_average_windows(voice, sums, first, last, nearest=(first + last - voice.width) / 2),
    )


def group_stretches(
    stretches: Sequence[Stretch],
    separate_s: Mapping[tuple[int, int], float],
    grouping: Grouping,
    *,
    least: int = 1,
    most: float = np.inf,
) -> Numbers:
    """
    Give each of *stretches* a speaker, numbered from 0.

    Args:
        stretches: At least one.
        separate_s: Seconds for which the segmentation told two tracks apart, the smaller number first.
        grouping: The thresholds.
        least: Fewest speakers; fewer stretches have a speaker each.
        most: Most speakers.
    """
    seconds = np.array([stretch.speech_s for stretch in stretches])
    vectors = np.stack([stretch.vector for stretch in stretches])
    longest = np.sort(np.argsort(-seconds, kind="stable")[:MOST_JOINED])
    bonus = _weigh_pairs([stretches[number] for number in longest], separate_s, grouping)
    labels = np.full(len(stretches), -1, dtype=np.int64)
    labels[longest] = _join_pairs(vectors[longest], seconds[longest], bonus, grouping, least=least, most=most)
    return _dissolve_small(labels, vectors, seconds, grouping, least=least)


def _weigh_pairs(
    stretches: Sequence[Stretch], separate_s: Mapping[tuple[int, int], float], grouping: Grouping
) -> NDArray[np.float64]:
    """Weigh what is known of each pair besides the voices, in likeness, ``(stretches, stretches)``."""
    tracks = np.array([stretch.track for stretch in stretches])
    begin = np.array([stretch.start_s for stretch in stretches])
    end = np.array([stretch.end_s for stretch in stretches])
    members = {track: np.flatnonzero(tracks == track) for track in np.unique(tracks)}
    apart = np.zeros((len(tracks), len(tracks)))
    for (first, second), seconds in separate_s.items():
        if first in members and second in members:
            apart[np.ix_(members[first], members[second])] = min(1.0, seconds)
    apart = np.maximum(apart, apart.T)
    same = tracks[:, None] == tracks[None]
    pause_s = np.maximum(begin[:, None] - end[None], begin[None] - end[:, None])
    near = (pause_s < grouping.near_s) & (same | (apart > 0))
    return np.asarray(grouping.same_track * same - grouping.apart * apart - grouping.near * near)


def _join_pairs(
    vectors: Floats, seconds: Floats, bonus: Floats, grouping: Grouping, *, least: int, most: float
) -> Numbers:
    """Join the pair with the highest score until none is above zero: average linkage, weighted by speech."""
    labels = np.arange(len(vectors))
    means, weights, extra = vectors.copy(), seconds.copy(), bonus * np.outer(seconds, seconds)
    alive = np.ones(len(vectors), dtype=bool)

    def score_rows(rows: Numbers) -> Floats:
        known_bonus = extra[rows] / (weights[rows, None] * weights)
        short = grouping.short / np.minimum(weights[rows, None], weights)
        table = means[rows] @ means.T - grouping.join + short + known_bonus
        table[:, ~alive] = -np.inf
        table[np.arange(len(rows)), rows] = -np.inf
        return np.asarray(table)

    table = score_rows(labels)
    for count in range(len(vectors), least, -1):
        first, second = np.unravel_index(table.argmax(), table.shape)
        if table[first, second] < 0 and count <= most:
            break
        means[first] = np.average(means[[first, second]], axis=0, weights=weights[[first, second]])
        weights[first] += weights[second]
        extra[first] += extra[second]
        extra[:, first] += extra[:, second]
        alive[second] = False
        labels[labels == second] = first
        table[second] = table[:, second] = -np.inf
        table[first] = score_rows(np.array([first]))[0]
        table[:, first] = table[first]
    return labels


def _dissolve_small(labels: Numbers, vectors: Floats, seconds: Floats, grouping: Grouping, *, least: int) -> Numbers:
    """Move the stretches of small speakers, and those with none yet (-1), to the large speaker they are most like."""
    speakers = np.unique(labels[labels >= 0])
    spoken_s = np.array([seconds[labels == speaker].sum() for speaker in speakers])
    limit_s = min(grouping.smallest_s, grouping.smallest_share * spoken_s.sum())
    ranks = np.argsort(np.argsort(-spoken_s, kind="stable"))
    large = speakers[(spoken_s >= limit_s) | (ranks < least)]
    means = {
        label: np.average(vectors[labels == label], axis=0, weights=seconds[labels == label])
        for label in speakers.tolist()
    }
    centres = np.stack([means[label] / max(1e-9, float(np.linalg.norm(means[label]))) for label in large.tolist()])
    moved_labels = labels.copy()
    for label in np.setdiff1d(speakers, large):
        moved_labels[labels == label] = large[(centres @ means[label]).argmax()]
    nobodys = labels < 0
    moved_labels[nobodys] = large[(vectors[nobodys] @ centres.T).argmax(axis=1)]
    return np.asarray(np.unique(moved_labels, return_inverse=True)[1])
