"""People, sessions and tokens: who may sign in, as long as they may."""

from __future__ import annotations

import pytest

from tests.store.desk_factories import person
from transcribe.desk_records import Person
from transcribe.errors import InputError, UsageError
from transcribe.store import Store

LONG_AGO = "2000-01-01T00:00:00.000Z"


def test_a_person_comes_back_as_given(store: Store) -> None:
    asha = store.people.add("आशा", ["transcriber", "reviewer"], dialects=["bho", "hi"], password="hash")
    assert store.people.find("आशा") == asha
    assert store.people.fetch() == (asha,)
    assert store.people.find_password("आशा") == (asha, "hash")
    assert asha.permissions == {"work", "review"}


def test_a_name_is_taken_once(store: Store) -> None:
    person(store)
    with pytest.raises(InputError, match="E_NAME_TAKEN"):
        person(store)


@pytest.mark.parametrize("roles", [[], ["owner"]])
def test_a_role_that_is_none_is_refused(store: Store, roles: list[str]) -> None:
    with pytest.raises(UsageError, match="transcriber, reviewer, lead, analyst"):
        store.people.add("asha", roles)  # type: ignore[arg-type]


def test_a_session_ends_when_it_is_over_or_unused(store: Store) -> None:
    asha = person(store)
    store.people.begin_session("key", asha.id, until_at="2999-01-01T00:00:00.000Z")
    identity = store.people.identify_session("key", unused_since=LONG_AGO)
    assert identity is not None and (identity.person, identity.permissions) == (asha, {"work"})
    assert store.people.identify_session("other", unused_since=LONG_AGO) is None
    assert store.people.identify_session("key", unused_since="2998-01-01T00:00:00.000Z") is None
    store.people.begin_session("old", asha.id, until_at=LONG_AGO)
    assert store.people.identify_session("old", unused_since=LONG_AGO) is None
    store.people.end_session("key")
    assert store.people.identify_session("key", unused_since=LONG_AGO) is None


@pytest.mark.parametrize("change", [{"disabled": True}, {"password": "new"}])
def test_who_is_disabled_or_changes_the_password_is_signed_out(store: Store, change: dict[str, object]) -> None:
    asha = person(store)
    store.people.begin_session("key", asha.id, until_at="2999-01-01T00:00:00.000Z")
    store.people.change("asha", **change)  # type: ignore[arg-type]
    assert store.people.identify_session("key", unused_since=LONG_AGO) is None
    assert (store.people.find_password("asha") is None) == ("disabled" in change)


def test_a_token_does_what_its_scope_and_its_owners_roles_allow(store: Store) -> None:
    lead: Person = person(store, "lead", "lead")
    token = store.people.add_token("key", lead, "nightly", ["progress"])
    identity = store.people.identify_token("key")
    assert identity is not None and identity.permissions == {"progress"}
    store.people.change("lead", roles=["transcriber"])
    identity = store.people.identify_token("key")
    assert identity is not None and identity.permissions == frozenset()
    assert store.people.end_token(token.id)
    assert not store.people.end_token(token.id)
    assert store.people.identify_token("key") is None


def test_a_token_never_goes_beyond_its_owner(store: Store) -> None:
    with pytest.raises(UsageError, match="asha has work"):
        store.people.add_token("key", person(store), "greedy", ["work", "progress"])


def test_a_token_ends_with_its_time_and_with_its_owner(store: Store) -> None:
    asha = person(store)
    store.people.add_token("old", asha, "old", ["work"], until_at=LONG_AGO)
    store.people.add_token("new", asha, "new", ["work"], until_at="2999-01-01T00:00:00.000Z")
    assert store.people.identify_token("old") is None
    assert store.people.identify_token("new") is not None
    store.people.change("asha", disabled=True)
    assert store.people.identify_token("new") is None
