"""A pipeline's folder comes from strangers: whatever it holds, nothing of it runs, and what is wrong is named."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.checkpoints import write_checkpoint
from transcribe import embedded
from transcribe.errors import InputError

pytest.importorskip("pyannote.audio", reason="the extra diarise is not installed")

import torch

from transcribe.backends import checkpoint, network_folder
from transcribe.backends.checkpoint import load_network
from transcribe.backends.network_folder import read_network, write_network
from transcribe.backends.pipeline_folder import PipelineDocument, read_configuration
from transcribe.backends.pyannote_diariser import PyannoteDiariser


class Touch:
    """A pickle of this makes a file when it is read by Python's own unpickler."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch '{self.canary}'",)


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("BOLI_MODELS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "canary"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "diariser"
    shutil.copytree(embedded.diariser(), copy)
    return copy


def configure(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    change(document)
    (folder / "config.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")


def pickled(folder: Path) -> Path:
    """Put the segmentation of *folder* back into a checkpoint as the library writes it."""
    network = load_network(folder / "segmentation")
    for file in (folder / "segmentation").iterdir():
        file.unlink()
    return write_checkpoint(network, folder / "segmentation" / "pytorch_model.bin")


def refused(folder: Path, canary: Path, named: str) -> str:
    """Load *folder* as `boli run` does; the message, once nothing ran and *named* stands in it."""
    with pytest.raises(InputError) as caught:
        PyannoteDiariser(folder, device="cpu")
    assert not canary.exists()
    assert caught.value.code == "E_MODEL"
    assert named in str(caught.value)
    return str(caught.value)


def test_a_preprocessor_of_the_configuration_never_runs(folder: Path, canary: Path) -> None:
    popen = {"name": "subprocess.Popen", "params": {"args": ["touch", str(canary)]}}
    configure(folder, lambda document: document.update(preprocessors={"audio": popen}))
    assert "preprocessors" in refused(folder, canary, str(folder / "config.yaml"))


@pytest.mark.parametrize("name", ["os.system", "subprocess.Popen", "subprocess.run", "SpeakerDiarization"])
def test_only_known_pipelines_are_built(folder: Path, canary: Path, name: str) -> None:
    configure(folder, lambda document: document["pipeline"].update(name=name))
    assert name in refused(folder, canary, "config.yaml")


@pytest.mark.parametrize(
    "part",
    ["$model/../elsewhere", "/etc", "$model/a/../../b", "pyannote/embedding", "$model/segmentation@main", "$model/.."],
)
def test_parts_outside_the_folder_are_refused(folder: Path, canary: Path, part: str) -> None:
    configure(folder, lambda document: document["pipeline"]["params"].update(embedding=part))
    assert "pipeline.params.embedding" in refused(folder, canary, "config.yaml")


def test_each_key_that_is_not_allowed_is_named(folder: Path, canary: Path) -> None:
    configure(folder, lambda document: document.update(freeze={}, device="cpu"))
    message = refused(folder, canary, "config.yaml")
    assert "freeze" in message
    assert "device" in message


def test_thresholds_of_speakers_are_refused_out_of_bounds_and_by_pipelines_that_know_none(
    folder: Path, canary: Path
) -> None:
    names = ("cut", "short", "apart", "same_track", "near", "near_s", "smallest_s", "smallest_share")
    grouping = dict.fromkeys(names, 0.1)
    configure(folder, lambda document: document["pipeline"]["params"].update(grouping=grouping))
    refused(folder, canary, "grouping")
    configure(folder, lambda document: document["pipeline"]["params"].update(grouping=grouping | {"cut": 7.0}))
    refused(folder, canary, "pipeline.params.grouping.cut")


def test_a_tag_of_python_in_the_configuration_never_runs(folder: Path, canary: Path) -> None:
    text = f'preprocessors: !!python/object/apply:os.system ["touch {canary}"]\n'
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    refused(folder, canary, "config.yaml")


def test_a_configuration_of_any_length_is_not_read(folder: Path, canary: Path) -> None:
    with (folder / "config.yaml").open("a", encoding="utf-8") as config:
        config.write("# " + "x" * 70_000)
    refused(folder, canary, "config.yaml")


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old format"])
def test_a_pickle_that_asks_for_code_is_refused_and_named(folder: Path, canary: Path, zipped: bool) -> None:
    file = pickled(folder)
    content = checkpoint.read_pickle(file)
    torch.save(content | {"callbacks": Touch(canary)}, file, _use_new_zipfile_serialization=zipped)
    assert "system" in refused(folder, canary, str(file))


def test_a_bare_pickle_is_refused_and_named(folder: Path, canary: Path) -> None:
    file = pickled(folder)
    file.write_bytes(pickle.dumps(Touch(canary)))
    refused(folder, canary, str(file))


def test_an_architecture_outside_the_list_is_never_imported(folder: Path, canary: Path) -> None:
    file = pickled(folder)
    content = checkpoint.read_pickle(file)
    content["pyannote.audio"]["architecture"] = {"module": "os", "class": "system"}
    torch.save(content, file)
    refused(folder, canary, str(file))


def test_a_known_class_of_a_module_that_is_not_its_own_is_refused(folder: Path, canary: Path) -> None:
    file = pickled(folder)
    content = checkpoint.read_pickle(file)
    content["pyannote.audio"]["architecture"]["module"] = "my.networks"
    torch.save(content, file)
    refused(folder, canary, str(file))


@pytest.mark.parametrize(("key", "value"), [("architecture", "os.system"), ("hyper_parameters", {"task": "x"})])
def test_a_description_of_another_network_is_refused(folder: Path, canary: Path, key: str, value: object) -> None:
    file = folder / "embedding" / "model.json"
    document = json.loads(file.read_text(encoding="utf-8")) | {key: value, "more": 1}
    file.write_text(json.dumps(document), encoding="utf-8")
    refused(folder, canary, str(file))


def test_a_plda_that_holds_objects_is_refused(folder: Path, canary: Path) -> None:
    objects = io.BytesIO()
    np.save(objects, np.array([Touch(canary)], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(folder / "plda" / "plda.npz", "w") as archive:
        for name in ("mu", "tr", "psi"):
            archive.writestr(f"{name}.npy", objects.getvalue())
    refused(folder, canary, "plda")


@pytest.mark.parametrize("name", ["model.safetensors", "model.json"])
def test_damaged_weights_are_named(folder: Path, canary: Path, name: str) -> None:
    (folder / "segmentation" / name).write_bytes(b"not weights")
    refused(folder, canary, str(folder / "segmentation" / name))


def test_a_pickle_gives_the_same_network_as_its_safetensors_and_is_read_once(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = load_network(folder / "segmentation").state_dict()
    pickled(folder)
    first = load_network(folder / "segmentation").state_dict()
    assert {file.name for file in cache.rglob("*") if file.is_file()} == {"model.json", "model.safetensors"}
    monkeypatch.setattr(checkpoint, "read_pickle", None)
    again = load_network(folder / "segmentation").state_dict()
    for state in (first, again):
        assert state.keys() == wanted.keys()
        assert all(torch.equal(state[name], wanted[name]) for name in wanted)


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pickled(folder)
    (tmp_path / "file").touch()
    monkeypatch.setenv("BOLI_MODELS_CACHE", str(tmp_path / "file" / "below"))
    assert load_network(folder / "segmentation").state_dict()


def test_no_pickle_ships() -> None:
    names = {file.name for file in embedded.diariser().rglob("*") if file.is_file()}
    assert network_folder.PICKLE_FILE not in names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".ckpt", ".pkl"))]


def test_the_libraries_large_pipeline_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        """
dependencies:
  pyannote.audio: 4.0.0
pipeline:
  name: pyannote.audio.pipelines.SpeakerDiarization
  params:
    clustering: VBxClustering
    segmentation: $model/segmentation
    segmentation_batch_size: 32
    embedding: $model/embedding
    embedding_batch_size: 32
    embedding_exclude_overlap: true
    plda: $model/plda
params:
  clustering: {threshold: 0.6, Fa: 0.07, Fb: 0.8}
  segmentation: {min_duration_off: 0.0}
""",
        encoding="utf-8",
    )
    assert read_configuration(tmp_path).pipeline.params.plda == "$model/plda"


def test_the_libraries_large_networks_load_from_its_own_checkpoints(tmp_path: Path) -> None:
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding import WeSpeakerResNet34

    network = WeSpeakerResNet34()
    network.specifications = Specifications(
        problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=5.0, min_duration=1.0
    )
    network.setup()
    write_checkpoint(network, tmp_path / "pytorch_model.bin")
    loaded = load_network(tmp_path)
    assert loaded.specifications == network.specifications
    assert all(torch.equal(loaded.state_dict()[name], value) for name, value in network.state_dict().items())


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    network = read_network(embedded.diariser() / "embedding")
    write_network(tmp_path / "again", network)
    for name in ("model.json", "model.safetensors"):
        assert (tmp_path / "again" / name).read_bytes() == (embedded.diariser() / "embedding" / name).read_bytes()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1, max_size=20), JSON, min_size=1, max_size=3))
def test_whatever_else_a_configuration_says_is_refused(more: dict[str, Any]) -> None:
    valid = yaml.safe_load((embedded.diariser() / "config.yaml").read_text(encoding="utf-8"))
    strange = {key: value for key, value in more.items() if key not in PipelineDocument.model_fields}
    PipelineDocument.model_validate(valid)
    if strange:
        with pytest.raises(ValueError, match="Extra inputs"):
            PipelineDocument.model_validate(valid | strange)
