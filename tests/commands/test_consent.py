"""Consent, relabelling and erasure by name, as they are typed, in a whole workspace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.conftest import Run
from tests.store.desk_factories import PLAIN, operation, person, submit, take
from tests.store.factories import MODEL, correction, make_drafted, recording, recording_id
from transcribe.consent import find_learners
from transcribe.datasets import freeze
from transcribe.records import Lineage, Model
from transcribe.store import Store
from transcribe.wiring import Wiring
from transcribe.workspace import create

GONE, STAYS = recording_id("gone"), recording_id("stays")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A workspace with two corrected recordings, a dataset of both, and a model that was tuned on it."""
    folder = create(tmp_path / "w")
    with Wiring.open(folder) as wiring:
        store = wiring.store
        for name in ("gone", "stays"):
            store.recordings.add([recording(name, dialect="hi", speaker=f"{name}-voice", session=name)])
            store.drafts.save(make_drafted(name, [(f"{name}-voice", 0, 2_000, "one two")]))
            store.corrections.add([correction(f"{name}-1", name, text=f"words of {name}")])
        store.desk.lay_out(PLAIN)
        store.models.add(Model(id=MODEL, place="elsewhere", name="base"))
        store.models.promote(MODEL)
        frozen = freeze(store, folder / "datasets" / "first", _rules(wiring))
        facts = {"dataset": "first", "dataset_sha256": frozen.sha256}
        store.models.add(Model(id="tuned", place="t", name="tuned"), lineage=Lineage(base=MODEL, **facts))
        careful = Lineage(base=MODEL, withheld=(GONE,), **facts)
        store.models.add(Model(id="careful", place="c", name="careful"), lineage=careful)
        heir = Lineage(base="tuned", dataset="lost", dataset_sha256="0")
        store.models.add(Model(id="heir", place="h", name="heir"), lineage=heir)
    return folder


def _rules(wiring: Wiring) -> object:
    from dataclasses import replace

    return replace(wiring.dataset_rules(), sounds=lambda recording: True)


def test_a_withdrawal_is_named_by_history_dataset_card_and_every_model_that_learnt_it(place: Path, run: Run) -> None:
    withdrawn = run(
        *("consent", "withdraw", "gone.wav", "--source", "letter", "--reason", "asked", "--date", "2026-05-03"),
        *("-w", place, "--json"),
    )
    assert withdrawn.code == 0
    data = withdrawn.document["data"]
    [change] = data["changed"]
    assert (change["before"], change["after"], change["source"], change["reason"], change["stated_at"]) == (
        *(None, "withdrawn", "letter", "asked"),
        "2026-05-03",
    )
    for words in (("gone.wav",), ("show", GONE[:12]), ("--speaker", "gone-voice"), ()):
        shown = run("consent", *words, "-w", place, "--json").document["data"]
        assert [row["state"] for row in shown["recordings"]] == ["withdrawn"]
        assert shown["recordings"][0]["corrections"] == 1
        assert shown["datasets"] == {"first": [GONE]}
        assert [model["name"] for model in shown["models"]] == ["tuned", "heir"], "not the one that left it out"
    assert GONE[:12] in run("dataset", "card", "first", "-w", place).out
    assert run("models", "show", "tuned", "-w", place, "--json").document["data"]["withheld"] == [GONE]
    assert run("models", "show", "careful", "-w", place, "--json").document["data"]["withheld"] == []
    assert "withdrawn" in run("consent", "-w", place).out
    run("consent", "give", "gone.wav", "-w", place)
    assert run("consent", "-w", place, "--json").document["data"]["recordings"] == []
    assert "withheld" not in run("dataset", "card", "first", "-w", place).out


def test_a_frozen_dataset_gives_nothing_of_what_is_withheld_since_and_says_so(place: Path, run: Run) -> None:
    run("consent", "withdraw", "gone.wav", "-w", place)
    with Wiring.open(place) as wiring:
        frozen = wiring.open_dataset("first")
        assert {example.audio for example in frozen.examples()} == {STAYS}
        assert frozen.key != frozen.sha256
        assert [warning.split(":")[0] for warning in frozen.warnings()] == ["W_WITHHELD"]
        assert {example.audio for example in wiring.open_dataset("first", whole=True).examples()} == {GONE, STAYS}
        assert [learner.model.name for learner in find_learners(wiring, [STAYS])] == ["tuned", "careful", "heir"]
    run("consent", "give", "gone.wav", "-w", place)
    with Wiring.open(place) as wiring:
        frozen = wiring.open_dataset("first")
        assert (frozen.key, frozen.warnings()) == (frozen.sha256, [])


def test_a_manifest_names_its_recordings_and_a_dry_run_changes_none(place: Path, run: Run) -> None:
    manifest = place / "gone.csv"
    manifest.write_text("path\ngone.wav\nstays.wav\n", encoding="utf-8")
    dry = run("consent", "withdraw", "--manifest", manifest, "--dry-run", "-w", place, "--json").document["data"]
    assert len(dry["changed"]) == 2
    assert run("consent", "-w", place, "--json").document["data"]["recordings"] == []
    run("consent", "withdraw", "--manifest", manifest, "-w", place)
    assert len(run("consent", "-w", place, "--json").document["data"]["recordings"]) == 2
    assert run("export", place / "out.stm", "--of", "corrections", "-w", place, "--json").document["data"]["items"] == 0
    assert run("status", "-w", place, "--json").document["data"]["withheld"] == 2


def test_wrong_facts_are_mended_with_history_and_the_card_says_so(place: Path, run: Run) -> None:
    words = ("relabel", "gone.wav", "--dialect", "en-US", "--fact", "age=44", "--reason", "wrong column")
    dry = run(*words, "--dry-run", "-w", place, "--json").document["data"]
    mended = run(*words, "-w", place, "--json").document["data"]
    names = [(change["name"], change["before"], change["after"]) for change in mended["changed"]]
    assert names == [("dialect", "hi", "en-US"), ("fact age", None, "44"), ("language", None, "en")]
    assert [change["name"] for change in dry["changed"]] == [change["name"] for change in mended["changed"]]
    assert mended["datasets"] == {"first": [GONE]}
    with Store.open(f"sqlite:///{place}/boli.db") as store:
        relabelled = store.recordings.find(GONE)
        assert relabelled is not None
        assert (relabelled.dialect, relabelled.facts) == ("en-US", {"age": "44"})
        assert {span.dialect for span in store.corrections.fetch_scoring_spans(MODEL)} == {"hi", "en-US"}
        assert [text.text for text in store.corrections.fetch(recording=GONE)] == ["words of gone"]
    assert "dialect of 1 recordings is another one now" in run("dataset", "card", "first", "-w", place).out
    assert run("relabel", "gone.wav", "--dialect", "xx-Nope", "-w", place).code == 4
    assert run("relabel", "gone.wav", "-w", place).code == 2


@pytest.mark.parametrize(
    ("words", "code", "near"),
    [
        (("erase", "--speaker", "gone-voic"), "E_SPEAKER", "gone-voice"),
        (("erase", "gone.wa"), "E_RECORDING", "gone.wav"),
        (("consent", "withdraw", "gon.wav"), "E_RECORDING", "gone.wav"),
        (("consent", "--speaker", "stay-voice"), "E_SPEAKER", "stays-voice"),
        (("relabel", "--speaker", "nobody-voice", "--dialect", "hi"), "E_SPEAKER", "voice"),
        (("mask", "gone.wa"), "E_RECORDING", "gone.wav"),
        (("dataset", "card", "firs"), "E_DATASET", "first"),
        (("dataset", "check", "frist"), "E_DATASET", "first"),
        (("models", "show", "tund"), "E_MODEL", "tuned"),
        (("people", "disable", "ash"), "E_PERSON", "asha"),
    ],
)
def test_a_name_that_nobody_has_is_refused_with_the_nearest(
    place: Path, run: Run, words: tuple[str, ...], code: str, near: str
) -> None:
    with Store.open(f"sqlite:///{place}/boli.db") as store:
        person(store, "asha")
    refused = run(*words, "-w", place, "--json")
    error = refused.document["error"]
    assert (refused.code, error["code"]) == (4, code)
    assert near in error["message"]


def test_speech_that_nobody_is_named_in_is_erased_by_its_recording(place: Path, run: Run) -> None:
    with Store.open(f"sqlite:///{place}/boli.db") as store:
        store.recordings.add([recording("unnamed", dialect="hi")])
        store.drafts.save(make_drafted("unnamed", [(f"{recording_id('unnamed')}/SPEAKER_00", 0, 1_000, "secret")]))
        store.desk.lay_out(PLAIN)
        asha = person(store)
        for lease in take(store, asha, 5):
            submit(store, asha, operation(lease, "what was secretly said"))
    assert run("erase", "unnamed.wav", "--dry-run", "-w", place, "--json").document["data"]["texts"] is None
    erased = run("erase", "unnamed.wav", "-w", place, "--json").document["data"]
    assert [row["whole"] for row in erased["recordings"]] == [True]
    with Store.open(f"sqlite:///{place}/boli.db") as store:
        assert not [text for text in store.corrections.fetch(standing=True) if "secret" in text.text]
        assert "secret" not in "\n".join(store.export.fetch_lines())
    assert json.loads(run("erase", "-w", place, "--json").out)["error"]["code"] == "E_USAGE"
