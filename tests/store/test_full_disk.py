"""A full disk ends what is written then with a sentence, and nothing else."""

from __future__ import annotations

import pytest

from tests.full_disk import full_disk
from transcribe.errors import UnfitError
from transcribe.store import Store
from transcribe.store.database import Spoiled


def add(store: Store, name: str) -> None:
    store.people.add(name, ["transcriber"])


def test_a_full_disk_is_said_and_what_was_saved_stays(store: Store) -> None:
    add(store, "asha")
    with full_disk(store):
        with pytest.raises(UnfitError, match="E_DISK_FULL") as told:
            add(store, "ravi")
        assert "ravi" not in str(told.value)
        assert [person.name for person in store.people.fetch()] == ["asha"]
    add(store, "ravi")
    assert [person.name for person in store.people.fetch()] == ["asha", "ravi"]


@pytest.mark.parametrize("apart", [True, False])
def test_no_write_of_a_group_counts_that_a_full_disk_may_have_undone(store: Store, apart: bool) -> None:
    with full_disk(store):
        with pytest.raises((UnfitError, Spoiled)), store.database.group_writes(apart=apart):
            # What is not apart is done again, apart.
            for name in ("asha", "ravi") if apart else ("asha",):
                with pytest.raises(UnfitError, match="E_DISK_FULL"):
                    add(store, name)
            raise Spoiled
        assert store.people.fetch() == ()
    with store.database.group_writes(apart=apart):
        add(store, "asha")
    assert [person.name for person in store.people.fetch()] == ["asha"]
