"""The diariser: what it gives, what it says where something is missing, and that it talks to nobody."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.speaker_sets import Case
from tests.small_corpus import read_case
from transcribe import embedded
from transcribe.backends.diarisation_error import DiarisationError, der
from transcribe.errors import InputError, MissingError
from transcribe.protocols import Diarisation, LabelledSpan, SpeakerCount

pytest.importorskip("pyannote.audio", reason="the extra diarise is not installed")

from transcribe.backends.pipeline_folder import load_pipeline
from transcribe.backends.pyannote_diariser import PyannoteDiariser

HZ = 16_000


@pytest.fixture(scope="module")
def diariser() -> PyannoteDiariser:
    return PyannoteDiariser(embedded.diariser(), device="cpu", threads=1)


@pytest.fixture(scope="module")
def conversation() -> Case:
    return read_case("en-scotland-test-01")


@pytest.fixture(scope="module")
def diarisation(diariser: PyannoteDiariser, conversation: Case) -> Diarisation:
    return diariser.diarise(conversation.samples)


def span(start: int, end: int, label: str) -> LabelledSpan:
    return LabelledSpan(start=start, end=end, label=label)


def test_two_people_are_found_without_being_counted(diarisation: Diarisation) -> None:
    assert {turn.label for turn in diarisation.turns} == {"SPEAKER_00", "SPEAKER_01"}


def test_each_label_has_the_unit_vector_of_its_voice(diarisation: Diarisation) -> None:
    assert set(diarisation.voices) == {turn.label for turn in diarisation.turns}
    assert [np.linalg.norm(vector) for vector in diarisation.voices.values()] == pytest.approx([1, 1])


def test_exclusive_turns_never_overlap(diarisation: Diarisation) -> None:
    assert diarisation.exclusive
    for earlier, later in zip(diarisation.exclusive, diarisation.exclusive[1:], strict=False):
        assert earlier.end <= later.start


def test_exclusive_turns_only_use_labels_of_the_turns(diarisation: Diarisation) -> None:
    assert {turn.label for turn in diarisation.exclusive} <= {turn.label for turn in diarisation.turns}


def test_turns_are_ordered_and_end_with_the_recording(diariser: PyannoteDiariser, conversation: Case) -> None:
    # Cut inside speech: the network pads the last chunk with silence and may place a turn's end in it.
    cut = conversation.samples[: 7 * HZ + 123]
    turns = diariser.diarise(cut).turns
    assert list(turns) == sorted(turns, key=lambda turn: (turn.start, turn.label))
    assert max(turn.end for turn in turns) <= len(cut) * 1_000 // HZ


def test_the_same_sound_gives_the_same_turns(
    diariser: PyannoteDiariser, conversation: Case, diarisation: Diarisation
) -> None:
    assert diariser.diarise(conversation.samples) == diarisation


def test_a_known_number_of_speakers_is_kept(diariser: PyannoteDiariser, conversation: Case) -> None:
    diarisation = diariser.diarise(conversation.samples, speakers=SpeakerCount(exactly=1))
    three = diariser.diarise(conversation.samples, speakers=SpeakerCount(at_least=3))
    assert len({turn.label for turn in diarisation.turns}) == 1
    assert len({turn.label for turn in three.turns}) == 3


@pytest.mark.parametrize("length", [0, 1, 400, 3 * HZ])
def test_silence_of_any_length_has_no_turns(diariser: PyannoteDiariser, length: int) -> None:
    assert diariser.diarise(np.zeros(length, dtype=np.int16)) == Diarisation(turns=(), exclusive=())


def test_the_shared_trunk_gives_the_librarys_own_vectors(diariser: PyannoteDiariser, conversation: Case) -> None:
    import torch

    stock = load_pipeline(embedded.diariser())
    waveform = torch.from_numpy(conversation.samples.astype(np.float32) / 32_768)[None]
    file = {"waveform": waveform, "sample_rate": HZ}
    turns = stock.get_segmentations(file)
    expected, vectors = (
        pipeline.get_embeddings(file, turns, exclude_overlap=True) for pipeline in (stock, diariser._pipeline)
    )
    assert vectors == pytest.approx(expected, abs=1e-4)


def test_a_changed_setting_is_another_model_but_a_changed_card_is_not(
    diariser: PyannoteDiariser, tmp_path: Path
) -> None:
    copy = tmp_path / "diariser"
    shutil.copytree(embedded.diariser(), copy)
    (copy / "README.md").write_text("another card", encoding="utf-8")
    assert PyannoteDiariser(copy, device="cpu").id == diariser.id
    with (copy / "config.yaml").open("a", encoding="utf-8") as config:
        config.write("# another threshold\n")
    assert PyannoteDiariser(copy, device="cpu").id != diariser.id


def test_a_damaged_folder_is_named(tmp_path: Path) -> None:
    copy = tmp_path / "diariser"
    shutil.copytree(embedded.diariser(), copy)
    (copy / "embedding" / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(InputError, match="cannot be loaded") as caught:
        PyannoteDiariser(copy, device="cpu")
    assert str(copy) in str(caught.value)


def test_a_hub_id_that_is_not_here_names_the_command_that_fetches_it() -> None:
    with pytest.raises(MissingError) as caught:
        PyannoteDiariser("pyannote/not-on-this-machine")
    assert caught.value.exit_code == 5
    assert "hf download pyannote/not-on-this-machine" in str(caught.value)
    assert "https://hf.co/pyannote/not-on-this-machine" in str(caught.value)


def test_a_hub_out_of_reach_is_missing_and_not_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    # Port 9 (discard) of this machine: nothing listens there.
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(MissingError, match="hf download"):
        PyannoteDiariser("pyannote/not-on-this-machine", allow_download=True)


def test_what_was_fetched_before_is_there_without_the_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub import constants

    repository = tmp_path / "models--owner--pipeline"
    shutil.copytree(embedded.diariser(), repository / "snapshots" / ("a" * 40))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("a" * 40, encoding="utf-8")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    for allow_download in (False, True):
        assert PyannoteDiariser("owner/pipeline", device="cpu", allow_download=allow_download).id.endswith(
            "@" + "a" * 40
        )


@pytest.mark.parametrize("model", ["/no/such/folder", "a/b/c"])
def test_what_is_neither_folder_nor_hub_id_is_missing(model: str) -> None:
    with pytest.raises(MissingError, match="neither a folder here nor a hub id"):
        PyannoteDiariser(model)


def test_a_folder_without_a_pipeline_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"no config\.yaml"):
        PyannoteDiariser(tmp_path)


WATCHED = """
import json, os, socket, sys
os.environ.pop("PYANNOTE_METRICS_ENABLED", None)
os.environ.update(json.loads(sys.argv[1]))
tried = []
def refuse(*args, **kwargs):
    tried.append(repr(args[-1] if args else kwargs))
    raise OSError("no network in this test")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
import numpy as np
from transcribe import embedded
from transcribe.backends.pyannote_diariser import PyannoteDiariser
diariser = PyannoteDiariser(embedded.diariser(), device="cpu", threads=1)
diariser.diarise(np.random.default_rng(0).integers(-3_000, 3_000, 16_000 * 6).astype(np.int16))
from pyannote.audio.telemetry import metrics
metrics.provider.force_flush(3_000)
still = list(tried)
os.environ["PYANNOTE_METRICS_ENABLED"] = "true"
diariser._pipeline({"waveform": __import__("torch").zeros(1, 16_000), "sample_rate": 16_000})
metrics.provider.force_flush(3_000)
print(json.dumps({"still": still, "told": tried[len(still):]}))
"""


@pytest.fixture(scope="module", params=[{}, {"PYANNOTE_METRICS_ENABLED": "true"}], ids=["unset", "wanted"])
def tried(request: pytest.FixtureRequest) -> dict[str, list[str]]:
    """Where a process tried to connect to: while it loaded and ran the diariser, and once telemetry was switched on."""
    command = [sys.executable, "-W", "ignore", "-c", WATCHED, json.dumps(request.param)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    attempts: dict[str, list[str]] = json.loads(done.stdout)
    return attempts


def test_nothing_is_told_to_anybody_while_loading_and_running(tried: dict[str, list[str]]) -> None:
    assert tried["still"] == []


def test_the_watch_sees_the_librarys_telemetry_where_it_is_on(tried: dict[str, list[str]]) -> None:
    assert tried["told"] != []


def test_a_perfect_answer_has_no_error_whatever_the_labels() -> None:
    truth = [span(0, 1_000, "ann"), span(800, 2_000, "bob")]
    answer = [span(0, 1_000, "1"), span(800, 2_000, "0")]
    assert der(truth, answer) == DiarisationError(speech=2_200)


def test_each_kind_of_error_is_counted_as_itself() -> None:
    truth = [span(0, 1_000, "ann"), span(1_000, 2_000, "bob"), span(3_000, 4_000, "ann")]
    answer = [span(0, 1_000, "a"), span(1_000, 1_600, "b"), span(1_600, 2_000, "a"), span(4_000, 4_300, "b")]
    assert der(truth, answer) == DiarisationError(speech=3_000, missed=1_000, false_alarm=300, confusion=400)


def test_only_the_annotated_part_is_scored() -> None:
    truth = [span(0, 1_000, "ann")]
    assert der(truth, [span(0, 5_000, "a")], within=[(0, 1_500)]) == DiarisationError(speech=1_000, false_alarm=500)


def test_errors_add_up_and_no_speech_has_no_rate() -> None:
    error = DiarisationError(speech=1_000, missed=100, confusion=50)
    assert (error + error).rate == error.rate == 0.15
    assert DiarisationError().rate is None
