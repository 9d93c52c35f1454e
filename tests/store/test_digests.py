"""A bit that flips in a row or in a page of the database is found, and its recording and segment are named."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from sqlalchemy import select, text

from tests.store.conftest import execute
from tests.store.desk_factories import operation, person, submit, take, talk
from tests.store.factories import correction
from transcribe.store import Store
from transcribe.store.digests import DIGESTS, Covered, digest_row, trigger_statements
from transcribe.store.schema import METADATA

#: Flips of each kind of stored thing: some in every run of the tests, twenty in the long form.
FLIPS = [3, pytest.param(20, marks=pytest.mark.soak)]


def fill(store: Store) -> list[str]:
    """Write a talk with drafts, corrections, texts of people and reviews of them; return the ids of its segments."""
    segments = talk(store, count=6)
    store.corrections.add(correction(f"c{n}", start=n * 1_000, end=n * 1_000 + 900) for n in range(6))
    asha = person(store)
    for lease in take(store, asha, 3):
        submit(store, asha, operation(lease, f"said {lease.segment}"))
    return segments


def list_damage(store: Store) -> list[str]:
    return [damage.item for damage in store.digests.find_damage()]


def test_triggers_cover_every_column_of_every_table(store: Store) -> None:
    """A migration that adds a column has to make the triggers of its table anew."""
    dialect = store.database.engine.dialect.name
    query = (
        "SELECT sql FROM sqlite_master WHERE type = 'trigger'"
        if dialect == "sqlite"
        else "SELECT prosrc FROM pg_proc WHERE proname LIKE '%\\_digest'"
    )
    with store.database.begin_read() as connection:
        sources = "\n".join(connection.execute(text(query)).scalars())
    for table in METADATA.sorted_tables:
        if table is not DIGESTS:
            made = [line for line in trigger_statements(Covered.of(table), dialect) if "DROP" not in line]
            wanted = made if dialect == "sqlite" else [made[0].split("$$")[1]]
            assert [line for line in wanted if line not in sources] == [], table.name


def test_whatever_is_done_to_a_store_leaves_no_damage(store: Store) -> None:
    fill(store)
    [erasure] = store.erasure.find_by_recording(next(iter(store.recordings.fetch())).id)
    assert list_damage(store) == []
    store.erasure.erase([erasure])
    assert list_damage(store) == []
    with store.database.begin_read() as connection:
        assert connection.execute(select(DIGESTS.c.key)).first() is not None


def unguard(store: Store) -> list[str]:
    """Return the statements after which a row may be changed unseen by triggers."""
    if store.database.location.path is None:
        return ["SET session_replication_role = replica"]
    with store.database.begin_read() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
    return [f"DROP TRIGGER IF EXISTS {name}" for name in names]


@pytest.mark.parametrize("count", FLIPS)
@pytest.mark.parametrize(("table", "column"), [("corrections", "text"), ("drafts", "words"), ("versions", "text")])
def test_a_flipped_bit_in_a_text_is_found_and_its_segment_named(
    store: Store, url: str, table: str, column: str, count: int
) -> None:
    segments = fill(store)
    chance = random.Random(f"{table} {count}")
    prepare = unguard(store)
    for _ in range(count):
        with store.database.begin_read() as connection:
            key = Covered.of(METADATA.tables[table]).key_of("r")
            rows = connection.execute(text(f"SELECT {key} AS key, {column} AS words FROM {table} AS r")).all()
        row = chance.choice(rows)
        change = f"UPDATE {table} SET {column} = '{{}}' WHERE {key.replace('r.', '')} = '{row.key}'"
        execute(url, *prepare, change.format(quote(flip(row.words, chance))))
        [item] = list_damage(store)
        assert item.startswith(f"{table} {row.key}, recording talk.wav")
        assert table == "corrections" or item.rpartition(" ")[2] in segments
        execute(url, *prepare, change.format(quote(row.words)))
        assert list_damage(store) == []


def flip(words: str, chance: random.Random) -> str:
    """Flip one bit of one letter."""
    position = chance.randrange(len(words))
    return words[:position] + chr(ord(words[position]) ^ 1 << chance.randrange(5)) + words[position + 1 :]


def quote(words: str) -> str:
    return words.replace("'", "''").replace(":", "\\:")


def test_a_row_that_is_gone_is_named(store: Store, url: str) -> None:
    fill(store)
    execute(url, *unguard(store), "DELETE FROM corrections WHERE id = 'c3'")
    [damage] = store.digests.find_damage()
    assert (damage.item, damage.message) == ("corrections 4", "is gone")


def dump(path: Path) -> list[str]:
    """Return all that can be read of a database."""
    with Store.open(f"sqlite:///{path}") as store, store.database.begin_read() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.text_factory = bytes
        return [repr(row) for table in METADATA.sorted_tables for row in driver.execute(f"SELECT * FROM {table.name}")]


@pytest.mark.parametrize("count", [6, pytest.param(200, marks=pytest.mark.soak)])
def test_a_flipped_bit_in_a_page_that_changes_anything_is_found(sqlite_url: str, tmp_path: Path, count: int) -> None:
    """Bits of a page that hold nothing, of its free space say, change nothing, and nobody can find them."""
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with Store.open(sqlite_url) as store:
        fill(store)
    whole, chance, found = path.read_bytes(), random.Random(count), 0
    before = dump(path)
    while found < count:
        damaged = bytearray(whole)
        position = chance.randrange(100, len(damaged))
        if not damaged[position]:
            continue
        damaged[position] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        try:
            changed = dump(path) != before
            with Store.open(sqlite_url) as store:
                items = list_damage(store)
        except Exception as error:
            items, changed = [str(error)], True
        assert items or not changed, f"byte {position}"
        found += bool(items)


def test_a_digest_tells_kinds_and_borders_of_fields_apart() -> None:
    rows = [("a", "b"), ("ab", ""), ("", "ab"), (None, "ab"), (1, 2), (12, None), ("1", "2"), (1.0, 2), (b"a", b"bb")]
    assert len({digest_row(*row) for row in rows}) == len(rows)
    assert digest_row("आ", 0.1) == digest_row("आ".encode(), 0.1)
