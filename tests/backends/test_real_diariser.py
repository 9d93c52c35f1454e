"""The real diariser: its folder is built from two files of weights and holds no pickle."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("pyannote.audio", reason="the extra diarise is not installed")

import torch

from benchmarks.speaker_sets import read_meetings
from transcribe.backends.checkpoint import load_network
from transcribe.backends.diarisation_error import DiarisationError, der
from transcribe.backends.ge2e import SHORTEST, Ge2eEncoder
from transcribe.backends.model_cache import is_here, verify_folder
from transcribe.backends.model_catalogue import need_entry
from transcribe.backends.network_folder import Network, NetworkDocument, TaskDocument, write_network
from transcribe.backends.pyannote_diariser import PyannoteDiariser
from transcribe.backends.real_diariser import build_diariser
from transcribe.errors import InputError


@pytest.fixture
def encoder(tmp_path: Path) -> Ge2eEncoder:
    torch.manual_seed(0)
    task = TaskDocument(problem="REPRESENTATION", resolution="CHUNK", duration=5.0)
    document = NetworkDocument(architecture="Ge2eEncoder", hyper_parameters={}, specifications=task)
    write_network(tmp_path / "embedding", Network(document=document, weights=Ge2eEncoder().state_dict()))
    network = load_network(tmp_path / "embedding")
    assert isinstance(network, Ge2eEncoder)
    return network


def test_a_voice_is_a_unit_vector_of_what_its_mask_marks(encoder: Ge2eEncoder) -> None:
    sound = torch.randn(1, 1, 64_000) * 0.1
    half = torch.cat([torch.ones(1, 100), torch.zeros(1, 100)], dim=1)
    with torch.inference_mode():
        marked, alone = encoder(sound, weights=half), encoder(sound[..., :32_000])
    assert marked.norm(dim=1).item() == pytest.approx(1, abs=1e-5)
    assert torch.allclose(marked, alone, atol=1e-5)


def test_a_voice_of_less_than_the_shortest_speech_has_no_vector(encoder: Ge2eEncoder) -> None:
    sound = torch.randn(1, 1, 64_000)
    with torch.inference_mode():
        assert encoder(sound, weights=torch.zeros(1, 100)).isnan().all()
    with pytest.raises(ValueError, match=str(SHORTEST)):
        encoder(sound[..., : SHORTEST - 1])


def test_a_file_without_an_encoder_is_named(tmp_path: Path) -> None:
    torch.save({"weights": {}}, tmp_path / "encoder.pt")
    with pytest.raises(InputError, match=r"encoder\.pt"):
        build_diariser(tmp_path / "encoder.pt", tmp_path / "encoder.pt", tmp_path / "made")


def test_the_fetched_diariser_tells_people_in_real_meetings_apart(fetched_models: Path, speech: Path) -> None:
    entry = need_entry("diariser-real")
    if not is_here(entry):
        pytest.skip(f"the real diariser is not here (run: {entry.command})")
    folder = verify_folder(entry)
    assert {file.suffix for file in folder.rglob("*") if file.is_file()} == {".json", ".safetensors", ".yaml"}
    diariser = PyannoteDiariser(folder, device="cpu", threads=1)
    total = DiarisationError()
    for meeting in read_meetings(speech / "ami-mini"):
        turns = diariser.diarise(meeting.samples).turns
        total += der(meeting.truth, list(turns), within=[(0, len(meeting.samples) // 16)])
    assert total.rate is not None
    assert total.rate < 0.45
