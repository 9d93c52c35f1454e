from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from tests.store.conftest import execute
from transcribe.errors import MissingError
from transcribe.records import Model
from transcribe.store import Store

FIRST, SECOND = (
    Model(id="m1", place="models/one", name="one"),
    Model(id="m2", place="hub/two", name="two", window=9_000),
)


def states(store: Store) -> dict[str, str]:
    return {model.id: model.state for model in store.models()}


def test_models_come_back_in_the_order_they_came(store: Store) -> None:
    assert [store.add_model(SECOND), store.add_model(FIRST)] == [True, True]
    assert store.models() == (SECOND, FIRST)
    assert store.promoted() is None


def test_one_model_is_promoted_at_a_time(store: Store) -> None:
    store.add_model(FIRST)
    store.add_model(SECOND)
    store.promote("m1")
    store.promote("m2")
    assert states(store) == {"m1": "retired", "m2": "promoted"}
    assert store.promoted() == replace(SECOND, state="promoted")
    store.promote("m2")
    store.promote("m1")
    assert states(store) == {"m1": "promoted", "m2": "retired"}


def test_a_model_that_comes_promoted_retires_the_one_before(store: Store) -> None:
    store.add_model(replace(FIRST, state="promoted"))
    store.add_model(replace(SECOND, state="promoted"))
    assert states(store) == {"m1": "retired", "m2": "promoted"}


def test_an_unknown_model_is_not_promoted_and_the_old_one_stays(store: Store) -> None:
    store.add_model(replace(FIRST, state="promoted"))
    with pytest.raises(MissingError, match="m3"):
        store.promote("m3")
    assert states(store) == {"m1": "promoted"}


def test_a_known_model_that_moved_keeps_its_state(store: Store) -> None:
    store.add_model(FIRST)
    store.promote("m1")
    moved = replace(FIRST, place="elsewhere", name="uno", window=5)
    assert not store.add_model(moved)
    assert store.models() == (replace(moved, state="promoted"),)


def test_the_database_refuses_a_second_promoted_model(store: Store, url: str) -> None:
    store.add_model(replace(FIRST, state="promoted"))
    store.add_model(SECOND)
    with pytest.raises(IntegrityError):
        execute(url, "UPDATE models SET state = 'promoted'")
    assert states(store) == {"m1": "promoted", "m2": "candidate"}
