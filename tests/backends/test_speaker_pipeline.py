"""Chunks vote who speaks, and an encoder hears windows of one voice."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pyannote.audio", reason="the extra diarise is not installed")

import torch

from transcribe.backends.ge2e import HOP, Ge2eEncoder
from transcribe.backends.tracked_voices import TrackedVoices, vote
from transcribe.backends.voice_grouping import Stretch
from transcribe.backends.voice_tracks import Chunks


def test_a_track_that_was_cut_has_two_speakers_who_change_midway() -> None:
    scores = np.ones((1, 100, 1), dtype=np.float32)
    chunks = Chunks(scores=scores, starts=np.array([0]), frame_s=0.02, threshold=0.5)
    parts = [
        Stretch(track=0, start_s=start, end_s=end, speech_s=end - start, vector=np.ones(2))
        for start, end in ((0.0, 0.9), (1.1, 2.0))
    ]
    tracked = TrackedVoices(chunks=chunks, tracks=np.array([[0]]), voices=(), separate_s={})
    votes, at_once = vote(tracked, parts, np.array([0, 1]))
    assert votes[:, 0].tolist() == [1.0] * 50 + [0.0] * 50
    assert votes[:, 1].tolist() == [0.0] * 50 + [1.0] * 50
    assert at_once.tolist() == [1] * 100


def test_windows_hear_only_the_speech_and_not_how_loud_it_is() -> None:
    torch.manual_seed(0)
    encoder = Ge2eEncoder().eval()
    sound = torch.randn(4 * 16_000) * 0.1
    spoken = torch.zeros(len(sound) // HOP + 1, dtype=torch.bool)
    spoken[:250] = True
    louder = torch.cat([sound[: 270 * HOP] * 3, torch.randn(len(sound) - 270 * HOP)])
    with torch.inference_mode():
        vectors, others = encoder.windows(sound, spoken, 20), encoder.windows(louder, spoken, 20)
    assert vectors.shape == (5, 256)
    assert torch.allclose(vectors, others, atol=1e-4)


def test_a_projection_that_was_learnt_is_a_part_of_the_encoder() -> None:
    torch.manual_seed(0)
    plain, projected = Ge2eEncoder().eval(), Ge2eEncoder(projected=True).eval()
    projected.load_state_dict(plain.state_dict() | {"projection": torch.diag(torch.linspace(0.1, 2, 256))})
    sound = torch.randn(2 * 16_000) * 0.1
    spoken = torch.ones(len(sound) // HOP + 1, dtype=torch.bool)
    with torch.inference_mode():
        plain_vectors, projected_vectors = plain.windows(sound, spoken, 20), projected.windows(sound, spoken, 20)
    stretched = plain_vectors * torch.linspace(0.1, 2, 256)
    assert torch.allclose(projected_vectors, stretched / stretched.norm(dim=1, keepdim=True), atol=1e-5)
