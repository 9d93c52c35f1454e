"""Thresholds are searched for on conversations whose speakers are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("pyannote.audio", reason="the extra diarise is not installed")

from transcribe.backends.diarisation_error import der
from transcribe.backends.grouping_search import (
    HeardConversation,
    Thresholds,
    close_pauses,
    diarise,
    error_rate,
    loss,
    search,
)
from transcribe.backends.tracked_voices import TrackedVoices
from transcribe.backends.voice_grouping import Grouping, Voice
from transcribe.backends.voice_tracks import Chunks
from transcribe.protocols import LabelledSpan

FRAME_MS = 20


def spans_of(frames: np.ndarray) -> list[LabelledSpan]:
    """Turns of a matrix of frames, one a run of ones."""
    spans = []
    for speaker in range(frames.shape[1]):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], frames[:, speaker].astype(int), [0]])))
        spans += [
            LabelledSpan(start=int(first) * FRAME_MS, end=int(last) * FRAME_MS, label=f"s{speaker}")
            for first, last in edges.reshape(-1, 2)
        ]
    return spans


matrices = st.integers(0, 2**32 - 1).map(
    lambda seed: np.repeat(np.random.default_rng(seed).random((12, 3)) > 0.6, 5, axis=0)
)


@given(matrices, matrices)
def test_the_error_by_frames_is_that_of_the_diarisation_error_rate(truth: np.ndarray, hypothesis: np.ndarray) -> None:
    expected = der(spans_of(truth), spans_of(hypothesis), within=[(0, len(truth) * FRAME_MS)]).rate
    if expected is not None:
        assert error_rate(truth, hypothesis) == pytest.approx(expected, abs=1e-6)


def test_pauses_longer_than_allowed_end_a_turn() -> None:
    spoken = np.array([[1, 0], [0, 0], [1, 0], [0, 1], [0, 1], [1, 0]], dtype=bool)
    assert close_pauses(spoken, 1)[:, 0].tolist() == [True, True, True, False, False, True]
    assert close_pauses(spoken, 2)[:, 0].all()
    assert (close_pauses(spoken, 2)[:, 1] == spoken[:, 1]).all()


def conversation(likeness: float, people: int, seed: int) -> HeardConversation:
    """Eight tracks of three seconds each in turn, of voices that are as like as *likeness*."""
    draws = np.random.default_rng(seed)
    common, *directions = np.linalg.qr(draws.normal(size=(40, people + 1)))[0].T
    scores, tracks, voices, turns = [], [], [], []
    for number in range(8):
        person = number % people
        centre = np.sqrt(likeness) * common + np.sqrt(1 - likeness) * directions[person]
        vectors = centre + draws.normal(scale=0.05, size=(15, 40))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        spectra = np.arange(number * 300, number * 300 + 300)
        voices.append(Voice(spectra=spectra, starts=np.arange(15) * 10, vectors=vectors, width=160))
        scores.append(np.ones((150, 1), dtype=np.float32))
        tracks.append([number])
        turns.append(LabelledSpan(start=number * 3_000, end=number * 3_000 + 3_000, label=f"p{person}"))
    chunks = Chunks(scores=np.stack(scores), starts=np.arange(8) * 150, frame_s=0.02, threshold=0.5)
    tracked = TrackedVoices(chunks=chunks, tracks=np.array(tracks), voices=tuple(voices), separate_s={})
    return HeardConversation(name=str(seed), tracked={0.5: tracked}, turns=turns, scored=[(0, 24_000)])


PRESENT = Thresholds(grouping=Grouping(), pause_s=0.1, speech=0.5)


def test_speakers_who_sound_alike_are_told_apart_after_the_search() -> None:
    conversations = [conversation(0.5, 2, seed) for seed in range(3)]
    assert diarise(conversations[0], PRESENT).shape[1] == 1
    trials = search(conversations, PRESENT, trials=60, seed=1)
    assert len(trials) == 61
    assert trials[0].thresholds == PRESENT
    best = min(trials, key=lambda trial: trial.mean)
    assert best.mean < 0.01 < trials[0].mean
    assert loss(conversation(0.5, 2, 9), best.thresholds) < 0.01


def test_the_same_seed_gives_the_same_search() -> None:
    conversations = [conversation(0.5, 2, 0)]
    first, second = (search(conversations, PRESENT, trials=8, seed=4) for _ in range(2))
    assert [trial.thresholds for trial in first] == [trial.thresholds for trial in second]


def test_what_is_not_judged_costs_nothing_and_a_speaker_too_few_costs_something() -> None:
    talk = conversation(0.5, 2, 0)
    silent = HeardConversation(name="x", tracked=talk.tracked, turns=talk.turns[:1], scored=[(0, 3_000)])
    assert loss(silent, PRESENT) == 0
    lost = loss(talk, PRESENT)
    assert lost == pytest.approx(0.5 + 0.02)
