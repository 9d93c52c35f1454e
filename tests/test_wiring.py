"""Which model drafts: the promoted one, unless the settings name a base that the workspace has not seen."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from transcribe import embedded, levers, workspace
from transcribe.backends import by_dialect, model_cache, model_catalogue
from transcribe.backends.by_dialect import DialectRecogniser, Routes
from transcribe.backends.identity import folder_id
from transcribe.backends.model_cache import folder_of, write_manifest
from transcribe.backends.model_catalogue import CatalogueEntry, need_entry
from transcribe.errors import InputError, MissingError
from transcribe.levers import Lever
from transcribe.records import Model
from transcribe.wiring import Wiring

REAL = need_entry("diariser-real")

BEAMS = {size: Lever(beam_size=size) for size in (2, 3)}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return workspace.create(tmp_path / "w")


def drafter(place: Path, model: str | None = None) -> str:
    with Wiring.open(place, {"recogniser.model": model}) as wiring:
        wiring.recipe()
        promoted = wiring.store.promoted_model()
        assert promoted is not None
        return promoted.place


def test_the_first_run_promotes_the_model_of_the_settings(place: Path) -> None:
    assert drafter(place) == "embedded"


def test_a_base_model_that_is_new_to_the_workspace_becomes_the_promoted_one(place: Path, tmp_path: Path) -> None:
    drafter(place)
    other = tmp_path / "other"
    shutil.copytree(embedded.whisper(), other)
    (other / "boli.json").write_text('{"window_ms": 8000, "prompt": false}')
    assert drafter(place, str(other)) == str(other)


def test_a_promoted_model_goes_before_a_base_that_is_known_already(place: Path, tmp_path: Path) -> None:
    drafter(place)
    tuned = tmp_path / "tuned"
    shutil.copytree(embedded.whisper(), tuned)
    (tuned / "boli.json").write_text('{"window_ms": 9000, "prompt": false}')
    with Wiring.open(place) as wiring:
        wiring.store.add_model(Model(id=folder_id(tuned), place=str(tuned), name="tuned"))
        wiring.store.promote(folder_id(tuned))
    assert drafter(place, "embedded") == str(tuned)


def test_a_second_model_gives_a_second_opinion_and_changes_the_drafts_key(place: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(embedded.whisper(), other)
    (other / "boli.json").write_text('{"window_ms": 8000, "prompt": false}')
    keys = set()
    for settings in ({}, {"recogniser.second_pass": True}, {"recogniser.second_model": str(other)}):
        with Wiring.open(place, settings) as wiring:
            made = wiring.recipe()
        keys.add(made.settings)
    assert made.second is not None
    assert (made.second.recogniser.id, made.second.window) == (folder_id(other), 8_000)
    assert made.recogniser.id == folder_id(embedded.whisper())
    assert len(keys) == 3


def test_a_model_by_dialect_drafts_with_its_parts_and_keeps_the_levers_of_each(place: Path) -> None:
    drafter(place)
    tuned, routed = place / "models" / "tuned" / "ct2", place / "models" / "tuned"
    shutil.copytree(embedded.whisper(), tuned)
    (tuned / "boli.json").write_text('{"window_ms": 5000, "prompt": false}')
    by_dialect.write(routed, Routes(others="embedded", by_dialect={"hi": "models/tuned/ct2"}))
    with Wiring.open(place) as wiring:
        found = by_dialect.look("models/tuned", wiring.model_folder)
        wiring.store.add_model(Model(id=found.id, place="models/tuned", name="tuned", window=found.window))
        wiring.store.promote(found.id)
        levers.write(wiring.levers_file, folder_id(embedded.whisper()), {"hi": Lever(beam_size=1), "ta": BEAMS[2]})
        levers.write(wiring.levers_file, folder_id(tuned), {"hi": BEAMS[3], "ta": Lever(beam_size=1)})
        made = wiring.recipe()

    assert isinstance(made.recogniser, DialectRecogniser)
    assert (made.recogniser.id, made.window) == (found.id, 5_000)
    assert dict(made.levers) == {"hi": BEAMS[3], "ta": BEAMS[2]}


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv(model_cache.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def base(cache: Path, monkeypatch: pytest.MonkeyPatch) -> CatalogueEntry:
    """An entry whose files are those of the embedded Whisper, one byte apart, so that it loads and is another model."""
    entry = dataclasses.replace(need_entry("whisper-base"), files=())
    others = tuple(one for one in model_catalogue.catalogue() if one.name != entry.name)
    for module in (model_catalogue, model_cache):
        monkeypatch.setattr(module, "catalogue", lambda: (*others, entry))
    return entry


def put_in_cache(entry: CatalogueEntry, source: Path) -> Path:
    folder = folder_of(entry)
    shutil.copytree(source, folder)
    (folder / "note.json").write_text("{}", encoding="utf-8")
    write_manifest(folder, entry)
    return folder


def sentence(place: Path, **overrides: str) -> str:
    with Wiring.open(place, {name.replace("__", "."): value for name, value in overrides.items()}) as wiring:
        wiring.recipe()
        return wiring.drafting_sentence()


def test_without_a_real_model_the_small_ones_serve_and_it_is_said_how_to_get_real_ones(place: Path) -> None:
    said = sentence(place)
    assert said.startswith("embedded drafts, embedded tells speakers apart; the small embedded models serve")
    assert "boli models get whisper-base" in said
    assert "boli models get diariser-real" in said


def test_a_workspace_that_the_small_model_drafted_takes_the_real_one_once_it_is_here(
    place: Path, base: CatalogueEntry
) -> None:
    assert drafter(place) == "embedded"
    put_in_cache(base, embedded.whisper())
    assert drafter(place) == "whisper-base"
    assert sentence(place).startswith("whisper-base drafts, embedded tells speakers apart")


def test_a_real_model_that_drafts_stays_whatever_comes_to_the_machine_later(place: Path, base: CatalogueEntry) -> None:
    put_in_cache(base, embedded.whisper())
    assert drafter(place, str(embedded.whisper())) == str(embedded.whisper())
    assert drafter(place) == str(embedded.whisper())


def test_a_workspace_that_names_the_small_model_keeps_it(place: Path, base: CatalogueEntry) -> None:
    put_in_cache(base, embedded.whisper())
    assert drafter(place, "embedded") == "embedded"


def test_the_small_model_drafts_again_after_a_rollback(place: Path, base: CatalogueEntry) -> None:
    drafter(place)
    put_in_cache(base, embedded.whisper())
    drafter(place)
    with Wiring.open(place) as wiring:
        wiring.store.roll_back()
    assert drafter(place) == "embedded"


def test_the_first_real_diariser_of_a_workspace_stays(place: Path, cache: Path) -> None:
    assert "embedded tells speakers apart" in sentence(place)
    put_in_cache(REAL, embedded.diariser())
    assert "diariser-real tells speakers apart" in sentence(place)
    put_in_cache(need_entry("pyannote/speaker-diarization-community-1"), embedded.diariser())
    assert "diariser-real tells speakers apart" in sentence(place)
    assert "embedded tells speakers apart" in sentence(place, diariser__model="embedded")


def test_a_model_that_drafted_and_is_gone_is_missing_with_the_command_that_fetches_it(place: Path, cache: Path) -> None:
    folder = put_in_cache(REAL, embedded.diariser())
    sentence(place)
    shutil.rmtree(folder)
    with pytest.raises(MissingError, match="boli models get diariser-real"):
        sentence(place)


def test_a_fetched_model_whose_file_differs_is_refused_and_named(place: Path, cache: Path) -> None:
    folder = put_in_cache(REAL, embedded.diariser())
    (folder / "config.yaml").write_text("pipeline: {}", encoding="utf-8")
    with pytest.raises(InputError, match=r"config\.yaml") as caught:
        sentence(place)
    assert caught.value.code == "E_MODEL_CHECKSUM"


def test_the_whisper_that_was_fetched_drafts_by_its_name(fetched_models: Path, place: Path) -> None:
    whisper = need_entry("whisper-base")
    if not model_cache.is_here(whisper):
        pytest.skip(f"Whisper base is not here (run: {whisper.command})")
    assert drafter(place) == "whisper-base"
    with Wiring.open(place) as wiring:
        promoted = wiring.store.promoted_model()
    assert promoted is not None
    assert promoted.id == folder_id(folder_of(whisper))


def tuned_diariser(place: Path) -> Model:
    """A diariser that was tuned in the workspace and promoted over the embedded one."""
    folder = place / "models" / "voices-1"
    shutil.copytree(embedded.diariser(), folder)
    (folder / "more.yaml").write_text("a: 1")
    base = Model(id=folder_id(embedded.diariser()), place="embedded", name="base", kind="diariser")
    tuned = Model(id=folder_id(folder), place="models/voices-1", name="voices-1", kind="diariser")
    with Wiring.open(place) as wiring:
        for model in (base, tuned):
            wiring.store.add_model(model)
            wiring.store.promote(model.id)
    return tuned


def test_a_diariser_that_was_tuned_here_and_promoted_tells_speakers_apart(place: Path, cache: Path) -> None:
    tuned_diariser(place)
    assert "models/voices-1 tells speakers apart" in sentence(place)
    assert "models/voices-1 tells speakers apart" in sentence(place, diariser__model="embedded")
    put_in_cache(REAL, embedded.diariser())
    # A name that is new to the workspace goes first, as a recogniser's does.
    assert "diariser-real tells speakers apart" in sentence(place, diariser__model="diariser-real")
    with Wiring.open(place) as wiring:
        wiring.store.roll_back("diariser")
    assert "embedded tells speakers apart" in sentence(place)


def test_a_tuned_diariser_whose_files_are_others_is_refused_before_it_is_read(place: Path, cache: Path) -> None:
    tuned = tuned_diariser(place)
    with Wiring.open(place) as wiring:
        assert wiring.diariser.id == tuned.id
    (place / tuned.place / "more.yaml").write_text("a: 2")
    with Wiring.open(place) as wiring, pytest.raises(InputError, match="files are others") as refused:
        _ = wiring.diariser
    assert refused.value.code == "E_MODEL_CHECKSUM"
    shutil.rmtree(place / tuned.place)
    with Wiring.open(place) as wiring, pytest.raises(InputError, match="folder is gone"):
        _ = wiring.diariser
