"""The model that drafts: the promoted one, unless the settings name a base that the workspace has not seen."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from transcribe import embedded, workspace
from transcribe.backends import by_dialect, model_cache, model_catalogue
from transcribe.backends.by_dialect import DialectRecogniser, Routes
from transcribe.backends.identity import folder_id
from transcribe.backends.model_cache import folder_of
from transcribe.backends.model_catalogue import CatalogueEntry, need_entry
from transcribe.backends.model_manifest import write_manifest
from transcribe.errors import InputError, MissingError
from transcribe.pipeline import recipe
from transcribe.pipeline.recipe import Lever
from transcribe.records import Model
from transcribe.store import Store
from transcribe.wiring import Wiring

REAL = need_entry("diariser-real")

BEAMS = {size: Lever(beam_size=size) for size in (2, 3)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return workspace.create(tmp_path / "w")


def drafter(root: Path, model: str | None = None) -> str:
    with Wiring.open(root, {"recogniser.model": model}) as wiring:
        wiring.recipe()
        promoted = wiring.store.models.find_promoted()
        assert promoted is not None
        return promoted.place


def test_the_first_run_promotes_the_model_of_the_settings(root: Path) -> None:
    assert drafter(root) == "embedded"


def test_a_base_model_that_is_new_to_the_workspace_becomes_the_promoted_one(root: Path, tmp_path: Path) -> None:
    drafter(root)
    other = tmp_path / "other"
    shutil.copytree(embedded.whisper(), other)
    (other / "boli.json").write_text('{"window_ms": 8000, "prompt": false}')
    assert drafter(root, str(other)) == str(other)


def test_a_promoted_model_goes_before_a_base_that_is_known_already(root: Path, tmp_path: Path) -> None:
    drafter(root)
    tuned = tmp_path / "tuned"
    shutil.copytree(embedded.whisper(), tuned)
    (tuned / "boli.json").write_text('{"window_ms": 9000, "prompt": false}')
    with Wiring.open(root) as wiring:
        wiring.store.models.add(Model(id=folder_id(tuned), place=str(tuned), name="tuned"))
        wiring.store.models.promote(folder_id(tuned))
    assert drafter(root, "embedded") == str(tuned)


def test_a_second_model_gives_a_second_opinion_and_changes_the_drafts_key(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(embedded.whisper(), other)
    (other / "boli.json").write_text('{"window_ms": 8000, "prompt": false}')
    keys = set()
    for settings in ({}, {"recogniser.second_pass": True}, {"recogniser.second_model": str(other)}):
        with Wiring.open(root, settings) as wiring:
            made = wiring.recipe()
        keys.add(made.settings)
    assert made.second is not None
    assert (made.second.recogniser.id, made.second.window) == (folder_id(other), 8_000)
    assert made.recogniser.id == folder_id(embedded.whisper())
    assert len(keys) == 3


def test_a_model_by_dialect_drafts_with_its_parts_and_keeps_the_levers_of_each(root: Path) -> None:
    drafter(root)
    tuned, routed = root / "models" / "tuned" / "ct2", root / "models" / "tuned"
    shutil.copytree(embedded.whisper(), tuned)
    (tuned / "boli.json").write_text('{"window_ms": 5000, "prompt": false}')
    by_dialect.write_routes(routed, Routes(others="embedded", by_dialect={"hi": "models/tuned/ct2"}))
    with Wiring.open(root) as wiring:
        routed_model = by_dialect.look("models/tuned", wiring.model_folder)
        wiring.store.models.add(
            Model(id=routed_model.id, place="models/tuned", name="tuned", window=routed_model.window)
        )
        wiring.store.models.promote(routed_model.id)
        recipe.write_levers(
            wiring.levers_file, folder_id(embedded.whisper()), {"hi": Lever(beam_size=1), "ta": BEAMS[2]}
        )
        recipe.write_levers(wiring.levers_file, folder_id(tuned), {"hi": BEAMS[3], "ta": Lever(beam_size=1)})
        made = wiring.recipe()

    assert isinstance(made.recogniser, DialectRecogniser)
    assert (made.recogniser.id, made.window) == (routed_model.id, 5_000)
    assert dict(made.levers) == {"hi": BEAMS[3], "ta": BEAMS[2]}


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv(model_cache.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def base(cache: Path, monkeypatch: pytest.MonkeyPatch) -> CatalogueEntry:
    """An entry whose files are those of the embedded Whisper, one byte apart, so that it loads and is another model."""
    entry = dataclasses.replace(need_entry("whisper-base"), files=())
    others = tuple(other for other in model_catalogue.catalogue() if other.name != entry.name)
    for module in (model_catalogue, model_cache):
        monkeypatch.setattr(module, "catalogue", lambda: (*others, entry))
    return entry


def put_in_cache(entry: CatalogueEntry, source: Path) -> Path:
    folder = folder_of(entry)
    shutil.copytree(source, folder)
    (folder / "note.json").write_text("{}", encoding="utf-8")
    write_manifest(folder, entry.name)
    return folder


def sentence(root: Path, **overrides: str) -> str:
    with Wiring.open(root, {name.replace("__", "."): value for name, value in overrides.items()}) as wiring:
        wiring.recipe()
        return wiring.drafting_sentence()


def test_without_a_real_model_the_small_ones_serve_and_it_is_said_how_to_get_real_ones(root: Path) -> None:
    text = sentence(root)
    assert text.startswith("embedded drafts, embedded tells speakers apart; the small embedded models serve")
    assert "boli models get whisper-base" in text
    assert "boli models get diariser-real" in text


def test_a_workspace_that_the_small_model_drafted_takes_the_real_one_once_it_is_here(
    root: Path, base: CatalogueEntry
) -> None:
    assert drafter(root) == "embedded"
    put_in_cache(base, embedded.whisper())
    assert drafter(root) == "whisper-base"
    assert sentence(root).startswith("whisper-base drafts, embedded tells speakers apart")


def test_a_real_model_that_drafts_stays_whatever_comes_to_the_machine_later(root: Path, base: CatalogueEntry) -> None:
    put_in_cache(base, embedded.whisper())
    assert drafter(root, str(embedded.whisper())) == str(embedded.whisper())
    assert drafter(root) == str(embedded.whisper())


def test_a_workspace_that_names_the_small_model_keeps_it(root: Path, base: CatalogueEntry) -> None:
    put_in_cache(base, embedded.whisper())
    assert drafter(root, "embedded") == "embedded"


def test_the_small_model_drafts_again_after_a_rollback(root: Path, base: CatalogueEntry) -> None:
    drafter(root)
    put_in_cache(base, embedded.whisper())
    drafter(root)
    with Wiring.open(root) as wiring:
        wiring.store.models.roll_back()
    assert drafter(root) == "embedded"


def test_the_first_real_diariser_of_a_workspace_stays(root: Path, cache: Path) -> None:
    assert "embedded tells speakers apart" in sentence(root)
    put_in_cache(REAL, embedded.diariser())
    assert "diariser-real tells speakers apart" in sentence(root)
    put_in_cache(need_entry("pyannote/speaker-diarization-community-1"), embedded.diariser())
    assert "diariser-real tells speakers apart" in sentence(root)
    assert "embedded tells speakers apart" in sentence(root, diariser__model="embedded")


def test_a_model_that_drafted_and_is_gone_is_missing_with_the_command_that_fetches_it(root: Path, cache: Path) -> None:
    folder = put_in_cache(REAL, embedded.diariser())
    sentence(root)
    shutil.rmtree(folder)
    with pytest.raises(MissingError, match="boli models get diariser-real"):
        sentence(root)


def test_a_fetched_model_whose_file_differs_is_refused_and_named(root: Path, cache: Path) -> None:
    folder = put_in_cache(REAL, embedded.diariser())
    (folder / "config.yaml").write_text("pipeline: {}", encoding="utf-8")
    with pytest.raises(InputError, match=r"config\.yaml") as caught:
        sentence(root)
    assert caught.value.code == "E_MODEL_CHECKSUM"


def test_the_whisper_that_was_fetched_drafts_by_its_name(fetched_models: Path, root: Path) -> None:
    whisper = need_entry("whisper-base")
    if not model_cache.is_here(whisper):
        pytest.skip(f"Whisper base is not here (run: {whisper.command})")
    assert drafter(root) == "whisper-base"
    with Wiring.open(root) as wiring:
        promoted = wiring.store.models.find_promoted()
    assert promoted is not None
    assert promoted.id == folder_id(folder_of(whisper))


def tuned_diariser(root: Path) -> Model:
    """A diariser that was tuned in the workspace and promoted over the embedded one."""
    folder = root / "models" / "voices-1"
    shutil.copytree(embedded.diariser(), folder)
    (folder / "more.yaml").write_text("a: 1")
    base = Model(id=folder_id(embedded.diariser()), place="embedded", name="base", kind="diariser")
    tuned = Model(id=folder_id(folder), place="models/voices-1", name="voices-1", kind="diariser")
    with Wiring.open(root) as wiring:
        for model in (base, tuned):
            wiring.store.models.add(model)
            wiring.store.models.promote(model.id)
    return tuned


def test_a_diariser_that_was_tuned_here_and_promoted_tells_speakers_apart(root: Path, cache: Path) -> None:
    tuned_diariser(root)
    assert "models/voices-1 tells speakers apart" in sentence(root)
    assert "models/voices-1 tells speakers apart" in sentence(root, diariser__model="embedded")
    put_in_cache(REAL, embedded.diariser())
    # A name that is new to the workspace goes first, as a recogniser's does.
    assert "diariser-real tells speakers apart" in sentence(root, diariser__model="diariser-real")
    with Wiring.open(root) as wiring:
        wiring.store.models.roll_back("diariser")
    assert "embedded tells speakers apart" in sentence(root)


def test_a_tuned_diariser_whose_files_are_others_is_refused_before_it_is_read(root: Path, cache: Path) -> None:
    tuned = tuned_diariser(root)
    with Wiring.open(root) as wiring:
        assert wiring.diariser.id == tuned.id
    (root / tuned.place / "more.yaml").write_text("a: 2")
    with Wiring.open(root) as wiring, pytest.raises(InputError, match="files are others") as refused:
        _ = wiring.diariser
    assert refused.value.code == "E_MODEL_CHECKSUM"
    shutil.rmtree(root / tuned.place)
    with Wiring.open(root) as wiring, pytest.raises(InputError, match="folder is gone"):
        _ = wiring.diariser


def test_the_state_of_a_workspace_is_shown_without_what_takes_long_to_import(tmp_path: Path) -> None:
    place = workspace.create(tmp_path / "w", {})
    script = f"""
import sys
import cli
try:
    cli.main(["status", "--workspace", {str(place)!r}])
except SystemExit as end:
    assert end.code == 0
heavy = ("numpy", "pandas", "regex", "fastapi", "sqlalchemy.dialects.postgresql", "transcribe.store.submissions")
print([name for name in heavy if name in sys.modules])
"""
    Store.open(f"sqlite:///{place / 'boli.db'}").close()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
