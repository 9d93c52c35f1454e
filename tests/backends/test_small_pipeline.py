"""The embedded diariser's own pipeline: chunks heard in the loudness around them, their voices given to speakers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("pyannote.audio", reason="the extra diarise is not installed")

import torch

from tests.small_corpus import read_case
from transcribe import embedded
from transcribe.backends.pipeline_folder import load_pipeline
from transcribe.backends.pyannote_diariser import PyannoteDiariser
from transcribe.backends.small_nets import Bands
from transcribe.backends.small_pipeline import (
    DiarizationInContext,
    InferenceInContext,
    _cut_chunks,
    count_votes,
    match_voices,
    mean_around,
)
from transcribe.backends.voted_pipeline import bridge_breaks, choose_active
from transcribe.protocols import SAMPLE_RATE_HZ

#: Samples of the chunks that the embedded networks hear.
CHUNK = 5 * SAMPLE_RATE_HZ

loudnesses = st.lists(st.floats(0, 1e6), min_size=1, max_size=50).map(np.array)


@pytest.fixture(scope="module")
def shipped() -> DiarizationInContext:
    pipeline = load_pipeline(embedded.diariser())
    assert isinstance(pipeline, DiarizationInContext)
    return pipeline


@given(loudnesses, st.integers(0, 60))
def test_a_mean_around_lies_between_the_least_and_the_greatest(values: np.ndarray, reach: int) -> None:
    around = mean_around(values, reach)
    assert len(around) == len(values)
    assert np.all(around >= values.min() - 1e-6 * (1 + values.max()))
    assert np.all(around <= values.max() + 1e-6 * (1 + values.max()))


@given(loudnesses)
def test_a_mean_around_is_the_value_without_reach_and_the_mean_of_all_with_enough(values: np.ndarray) -> None:
    assert mean_around(values, 0) == pytest.approx(values, abs=1e-6 * (1 + values.max()))
    assert mean_around(values, len(values)) == pytest.approx(np.full(len(values), values.mean()))


@given(st.integers(1, 500), st.integers(1, 90), st.integers(1, 90))
def test_every_sample_is_in_a_chunk_and_none_too_many(samples: int, size: int, step: int) -> None:
    step = min(step, size)
    waveform = torch.arange(1, samples + 1)[None]
    chunks = _cut_chunks(waveform, size, step)
    assert chunks.shape[1:] == (1, size)
    assert set(chunks.unique().tolist()) - {0} == set(waveform[0].tolist())
    assert len(chunks) == 1 or (len(chunks) - 2) * step + size < samples
    assert all(chunk[0, 0] == number * step + 1 for number, chunk in enumerate(chunks))


def test_a_chunk_alone_is_heard_in_its_own_loudness() -> None:
    bands = Bands(64, SAMPLE_RATE_HZ)
    hiss = torch.from_numpy(np.random.default_rng(1).normal(0, 0.01, (2, 1, CHUNK)).astype(np.float32))
    loudness = bands.energies(hiss).mean(dim=(1, 2))
    assert torch.allclose(bands(hiss), bands(hiss, loudness))


def test_what_is_soft_beside_the_sound_around_it_has_no_shape() -> None:
    bands = Bands(64, SAMPLE_RATE_HZ)
    hiss = torch.from_numpy(np.random.default_rng(1).normal(0, 0.01, (1, 1, CHUNK)).astype(np.float32))
    loud = 1e6 * bands.energies(hiss).mean(dim=(1, 2))
    assert bands(hiss, loud).std() < 0.1 * bands(hiss).std()


def test_turns_of_a_lone_chunk_are_those_of_the_library(shipped: DiarizationInContext) -> None:
    from pyannote.audio import Inference

    inference = shipped._segmentation
    assert isinstance(inference, InferenceInContext)
    plain = Inference(inference.model, duration=inference.duration, step=inference.step, skip_aggregation=True)
    case = read_case("en-scotland-dev-01")
    waveform = torch.from_numpy(case.samples[:CHUNK].astype(np.float32) / 32_768)[None]
    file = {"waveform": waveform, "sample_rate": SAMPLE_RATE_HZ}
    assert np.array_equal(inference(file).data, plain(file).data)


def test_soft_babble_after_loud_speech_is_nobodys_turn() -> None:
    case = read_case("en-scotland-dev-01")
    speech = case.samples[: 15 * SAMPLE_RATE_HZ].astype(np.float32)
    echo = np.roll(speech, 7 * SAMPLE_RATE_HZ) * 10 ** (-45 / 20)
    diariser = PyannoteDiariser(embedded.diariser(), device="cpu", threads=1)
    turns = diariser.diarise(np.concatenate([speech, echo]).astype(np.int16)).turns
    after = sum(max(0, turn.end - max(turn.start, 15_000)) for turn in turns)
    assert sum(turn.end - turn.start for turn in turns) - after > 5_000
    assert after < 1_000


shares = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).integers(0, 9, (3, 4)).astype(float))


@given(shares)
def test_local_voices_that_share_frames_with_their_speakers_never_get_one_speaker(shared: np.ndarray) -> None:
    whose = match_voices(shared + 1)
    assert len(set(whose)) == len(whose)


@given(st.integers(0, 2**32 - 1), st.permutations(range(3)))
def test_the_order_of_local_voices_changes_no_vote(seed: int, order: list[int]) -> None:
    rng = np.random.default_rng(seed)
    # Of no two voices the shares are equal: between equal ones any choice is right.
    local, speakers = rng.random((5, 50, 3)), rng.random((90, 4))
    assert count_votes(local, speakers, 10) == pytest.approx(count_votes(local[:, :, order], speakers, 10))


@given(shares, st.lists(st.integers(0, 3), min_size=3, max_size=3).map(np.array))
def test_so_many_speak_as_are_counted_and_nobody_whom_none_heard(scores: np.ndarray, at_once: np.ndarray) -> None:
    chosen = choose_active(scores, at_once)
    assert np.array_equal(chosen.sum(axis=1), np.minimum(at_once, (scores > 0).sum(axis=1)))
    assert not chosen[scores == 0].any()


@given(st.lists(st.integers(-1, 2), min_size=1, max_size=60), st.integers(0, 6))
def test_bridging_takes_nobodys_frames_but_in_breaks_and_leaves_one_at_a_time(owners: list[int], longest: int) -> None:
    alone = (np.array(owners)[:, None] == np.arange(3)).astype(float)
    bridged_frames = bridge_breaks(alone, longest)
    assert bridged_frames.sum(axis=1).max(initial=0) <= 1
    assert bridged_frames.any(axis=1).sum() >= alone.any(axis=1).sum()
    assert np.array_equal(bridge_breaks(alone, 0), alone)
