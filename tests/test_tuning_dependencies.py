"""The base that tuning starts from: the folder that is named, or one derived from the drafter's own files, once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="tuning belongs to the train extra")
pytest.importorskip("transformers", reason="tuning belongs to the train extra")

from transcribe import embedded, workspace
from transcribe.backends.identity import folder_id
from transcribe.records import Model
from transcribe.tuning_dependencies import DERIVED, build_dependencies
from transcribe.wiring import Wiring


@pytest.fixture(scope="module")
def drafting(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A workspace that a Whisper drafts of which only CTranslate2's files are here."""
    folder = tmp_path_factory.mktemp("improving")
    drafter, root = folder / "drafter", workspace.create(folder / "w")
    shutil.copytree(embedded.whisper(), drafter)
    model = Model(id=folder_id(drafter), place=str(drafter), name="drafter", window=6_000)
    with Wiring.open(root) as wiring:
        wiring.store.models.add(model)
        wiring.store.models.promote(model.id)
    return root, str(drafter)


def test_the_base_is_derived_from_the_drafters_files_once(drafting: tuple[Path, str]) -> None:
    root, drafter = drafting
    with Wiring.open(root) as wiring:
        first = build_dependencies(wiring).base_of(drafter)
        written = (first / "model.safetensors").stat().st_mtime_ns
        again = build_dependencies(wiring).base_of(drafter)

    assert first == again == root / "models" / f"{DERIVED}{folder_id(Path(drafter))[:12]}"
    assert (first / "model.safetensors").stat().st_mtime_ns == written
    assert sorted(path.name for path in (root / "models").iterdir()) == [first.name]


def test_other_files_have_another_base(drafting: tuple[Path, str], tmp_path: Path) -> None:
    root, drafter = drafting
    other = tmp_path / "other"
    shutil.copytree(drafter, other)
    (other / "boli.json").write_text('{"window_ms": 5000, "prompt": false}')
    with Wiring.open(root) as wiring:
        base_of = build_dependencies(wiring).base_of
        assert base_of(str(other)) != base_of(drafter)


def test_a_folder_that_the_settings_name_comes_first(drafting: tuple[Path, str]) -> None:
    root, drafter = drafting
    with Wiring.open(root, {"improve.base": "elsewhere"}) as wiring:
        assert build_dependencies(wiring).base_of(drafter) == root / "elsewhere"


def test_the_embedded_model_knows_its_own(drafting: tuple[Path, str]) -> None:
    with Wiring.open(drafting[0]) as wiring:
        assert build_dependencies(wiring).base_of(embedded.NAME) == embedded.whisper_for_training()
