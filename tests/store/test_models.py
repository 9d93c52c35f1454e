from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from tests.store.conftest import execute
from transcribe.errors import MissingError
from transcribe.records import Lineage, Model
from transcribe.store import Store

FIRST, SECOND = (
    Model(id="m1", place="models/one", name="one"),
    Model(id="m2", place="hub/two", name="two", window=9_000),
)


def states(store: Store) -> dict[str, str]:
    return {model.id: model.state for model in store.models.fetch()}


def test_models_come_back_in_the_order_they_came(store: Store) -> None:
    assert [store.models.add(SECOND), store.models.add(FIRST)] == [True, True]
    assert store.models.fetch() == (SECOND, FIRST)
    assert store.models.find_promoted() is None


def test_one_model_is_promoted_at_a_time(store: Store) -> None:
    store.models.add(FIRST)
    store.models.add(SECOND)
    store.models.promote("m1")
    store.models.promote("m2")
    assert states(store) == {"m1": "retired", "m2": "promoted"}
    assert store.models.find_promoted() == replace(SECOND, state="promoted")
    store.models.promote("m2")
    store.models.promote("m1")
    assert states(store) == {"m1": "promoted", "m2": "retired"}


def test_diarisers_and_recognisers_take_no_place_from_each_other(store: Store) -> None:
    diariser = Model(id="d1", place="diariser-real", name="diariser-real", kind="diariser")
    tuned = Model(id="d2", place="models/voices-1", name="voices-1", kind="diariser")
    for model in (FIRST, diariser, tuned):
        store.models.add(model)
    store.models.promote("m1")
    assert store.models.find_promoted("diariser") is None
    store.models.promote("d1")
    store.models.promote("d2")
    assert states(store) == {"m1": "promoted", "d1": "retired", "d2": "promoted"}
    assert store.models.find_promoted() == replace(FIRST, state="promoted")
    assert store.models.roll_back("diariser") == replace(diariser, state="promoted")
    with pytest.raises(MissingError, match="diariser"):
        store.models.roll_back("diariser")
    assert states(store) == {"m1": "promoted", "d1": "promoted", "d2": "retired"}


def test_a_model_that_comes_promoted_retires_the_one_before(store: Store) -> None:
    store.models.add(replace(FIRST, state="promoted"))
    store.models.add(replace(SECOND, state="promoted"))
    assert states(store) == {"m1": "retired", "m2": "promoted"}


def test_an_unknown_model_is_not_promoted_and_the_old_one_stays(store: Store) -> None:
    store.models.add(replace(FIRST, state="promoted"))
    with pytest.raises(MissingError, match="m3"):
        store.models.promote("m3")
    assert states(store) == {"m1": "promoted"}


def test_a_known_model_that_moved_keeps_its_state(store: Store) -> None:
    store.models.add(FIRST)
    store.models.promote("m1")
    moved = replace(FIRST, place="elsewhere", name="uno", window=5)
    assert not store.models.add(moved)
    assert store.models.fetch() == (replace(moved, state="promoted"),)


def test_the_database_refuses_a_second_promoted_model(store: Store, url: str) -> None:
    store.models.add(replace(FIRST, state="promoted"))
    store.models.add(SECOND)
    with pytest.raises(IntegrityError):
        execute(url, "UPDATE models SET state = 'promoted'")
    assert states(store) == {"m1": "promoted", "m2": "candidate"}


def tuned(**facts: object) -> Lineage:
    fields = {"base": "m1", "dataset": "2026-11", "dataset_sha256": "ab" * 32, "parameters": {"rank": 8, "rate": 0.01}}
    return Lineage(**{**fields, "origins": {"person": 3}, "guideline": "v2", "seconds": 12.5} | facts)  # type: ignore[arg-type]


def test_a_tuned_model_keeps_its_lineage_and_what_was_decided(store: Store) -> None:
    store.models.add(FIRST)
    store.models.add(SECOND, lineage=tuned())
    assert store.models.find_lineage("m1") is None
    assert store.models.find_lineage("m2") == tuned()
    assert store.models.find_decision("m2") is None
    store.models.save_decision("m2", {"promoted": False, "reasons": ["हिंदी got worse"]})
    store.models.add(SECOND, lineage=tuned(seconds=1.0))
    assert store.models.find_lineage("m2") == tuned(seconds=1.0)
    assert store.models.find_decision("m2") == {"promoted": False, "reasons": ["हिंदी got worse"]}


def test_rolling_back_leads_to_the_model_before_and_then_further_back(store: Store) -> None:
    third = replace(FIRST, id="m3", name="three")
    for model in (FIRST, SECOND, third):
        store.models.add(model)
        store.models.promote(model.id, why="gate")
    assert store.models.roll_back().id == "m2"
    assert states(store) == {"m1": "retired", "m2": "promoted", "m3": "retired"}
    assert store.models.roll_back().id == "m1"
    with pytest.raises(MissingError, match="there was none"):
        store.models.roll_back()
    assert [(promotion.model, promotion.before, promotion.why) for promotion in store.models.fetch_promotions()] == [
        ("m1", None, "gate"),
        ("m2", "m1", "gate"),
        ("m3", "m2", "gate"),
        ("m2", None, "rollback"),
        ("m1", None, "rollback"),
    ]


def test_a_model_that_drafts_already_is_not_promoted_twice(store: Store) -> None:
    store.models.add(FIRST)
    store.models.promote("m1")
    store.models.promote("m1")
    assert len(store.models.fetch_promotions()) == 1
