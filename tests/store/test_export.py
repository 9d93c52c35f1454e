from __future__ import annotations

import json
import random
from datetime import UTC, datetime

import pytest

from tests.store.conftest import Databases, NewUrl
from tests.store.factories import correction, make_drafted, recording, recording_id
from transcribe.errors import Failure
from transcribe.records import DeclaredTurn, Model
from transcribe.redaction import MASK, terms_of
from transcribe.store import Store

NAMES = ["a", "Ä", "कथा", "z"]


def work(store: Store, *, seed: int) -> None:
    """Do the same work in an order of its own, with detours that leave no trace."""
    rng = random.Random(seed)
    names = rng.sample(NAMES, len(NAMES))
    for name in names:
        turns = (DeclaredTurn(start=0, end=9, speaker=name),)
        facts = {"village": name, "house": "1"} if seed % 2 else {"house": "1", "village": name}
        store.recordings.add([recording(name, path=f"{seed}/{name}.wav", speaker=name, declared=turns, facts=facts)])
    store.attempts.save_failure(recording_id(names[0]), "run", Failure(item="a", code="E_X", message="once"))
    for name in rng.sample(names, len(names)):
        for _ in range(rng.randrange(3)):
            store.attempts.begin(recording_id(name))
        store.drafts.save(make_drafted(name, [("A", 0, 900, f"कहा {name}"), ("B", 300, 900, "two")]))
        store.drafts.save(make_drafted(name, [("A", 0, 900, "three")], settings="settings-2", model="model-2"))
    for name in rng.sample(names, len(names)):
        segment = next(store.drafts.fetch_segments(recording_id(name))).id
        changes = [correction(f"{name}{n}", name, speaker="A", text=str(n), segment=segment) for n in range(3)]
        store.corrections.add([*changes, correction(f"{name} all", name)])
    for model in rng.sample(["model-2", "model-1"], 2):
        store.models.add(Model(id=model, place=f"{seed}/{model}", name=model))
    store.models.promote("model-2")


def test_the_same_work_in_another_order_is_the_same_text(new_url: NewUrl) -> None:
    texts = []
    for seed in (1, 2):
        with Store.open(new_url(), clock=lambda seed=seed: datetime(2026, 1, seed, tzinfo=UTC)) as store:
            work(store, seed=seed)
            texts.append("\n".join(store.export.fetch_lines()))
    assert texts[0] == texts[1]


def test_both_databases_give_the_same_text(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> None:
    texts = []
    url = databases.lend()
    for database in (f"sqlite:///{tmp_path_factory.mktemp('store')}/boli.db", url):
        with Store.open(database) as store:
            work(store, seed=3)
            texts.append("\n".join(store.export.fetch_lines()))
    databases.give_back(url)
    assert texts[0] == texts[1]


def test_every_line_is_an_object_of_a_known_kind(store: Store) -> None:
    work(store, seed=4)
    lines = [json.loads(line) for line in store.export.fetch_lines()]
    kinds = [line["kind"] for line in lines]
    counts = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    assert counts == {
        "recording": 4, "diarisation": 4, "run": 8, "segment": 8, "draft": 12, "correction": 16, "model": 2
    }  # fmt: skip


def test_a_changed_word_changes_the_text(new_url: NewUrl) -> None:
    texts = []
    for text in ("one", "won"):
        with Store.open(new_url()) as store:
            store.recordings.add([recording()])
            store.drafts.save(make_drafted(spoken=[("A", 0, 9, text)]))
            texts.append(list(store.export.fetch_lines()))
    assert texts[0] != texts[1]


def test_a_second_opinion_is_told_where_there_is_one_and_of_it_nothing_that_is_masked(store: Store) -> None:
    store.recordings.add([recording()])
    spoken = [("A", 0, 3_000, "my name is")]
    store.drafts.save(make_drafted(spoken=spoken))
    store.drafts.save(make_drafted(spoken=spoken, settings="two", alternative="my Ravi was"))

    def opinions() -> list[str | None]:
        lines = [json.loads(line) for line in store.export.fetch_lines()]
        return [line.get("alternative") for line in lines if line["kind"] == "draft"]

    assert opinions() == [None, "my Ravi was"]
    store.database.terms = terms_of(["ravi"])
    assert opinions() == [None, f"my {MASK} was"]
    store.redaction.add_mask(recording_id("talk"), 2_100, 2_900)
    assert opinions() == [None, f"my {MASK}"]
