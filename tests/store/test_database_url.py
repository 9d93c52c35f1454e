from __future__ import annotations

from pathlib import Path

import pytest

from tests.store import postgres
from tests.store.conftest import bare_database
from transcribe.errors import ConfigError, UnfitError, UnreachableError
from transcribe.store import Store
from transcribe.store.database_url import parse_url


def describe_error(error: BaseException | None) -> str:
    """Return all that *error* and those behind it say, as `--debug` would show it."""
    return "" if error is None else f"{error!r} {error}\n{describe_error(error.__cause__ or error.__context__)}"


def test_a_relative_sqlite_path_becomes_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_url("sqlite:///boli.db").path == tmp_path / "boli.db"
    assert parse_url("sqlite:///boli.db").display_name == str(tmp_path / "boli.db")


def test_postgresql_goes_through_our_driver_however_it_is_written() -> None:
    for scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        assert parse_url(f"{scheme}://ann@host/boli").url.drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    "url",
    ["", "boli.db", "sqlite://", "sqlite:///:memory:", "sqlite:///boli.db?mode=ro", "mysql://ann:hush@host/boli"],
)
def test_a_url_that_names_no_database_of_ours_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="E_STORE_URL"):
        Store.open(url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:hush@host:port/boli",
        "postgresql+nothing//ann:hush@host/boli",
        "mysql://ann:hush@host/boli",
    ],
)
def test_a_malformed_url_never_shows_its_password(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Store.open(url)
    assert "hush" not in describe_error(refused.value)


def test_a_place_is_shown_without_its_password() -> None:
    assert parse_url("postgresql://ann:hush@host/boli").display_name == "postgresql://ann:***@host/boli"
    assert (
        parse_url("postgresql://ann@host/boli?password=hush").display_name == "postgresql://ann@host/boli?password=***"
    )


def test_a_server_that_does_not_answer_is_unreachable_and_the_password_masked() -> None:
    with pytest.raises(UnreachableError) as refused:
        Store.open("postgresql://ann:hush@127.0.0.1:1/boli")
    assert "127.0.0.1" in str(refused.value)
    assert "hush" not in describe_error(refused.value)


def test_a_refused_password_is_unreachable_and_masked(server: str) -> None:
    host = parse_url(server).url.query["host"]
    with pytest.raises(UnreachableError, match=f"password.*{postgres.LOCKED}") as refused:
        Store.open(f"postgresql://{postgres.LOCKED}:wrong-{postgres.LOCKED}-hush@/postgres?host={host}")
    assert "hush" not in describe_error(refused.value)


def test_the_right_password_gets_in(server: str) -> None:
    bare = parse_url(bare_database(server)).url
    url = bare.set(username=postgres.LOCKED, password=postgres.PASSWORD).render_as_string(hide_password=False)
    with pytest.raises(UnfitError, match="E_READ_ONLY"):
        # The role may come in and not make tables: so says PostgreSQL once it has taken the password.
        Store.open(url)


def test_a_missing_database_is_unreachable(server: str) -> None:
    url = parse_url(server).url.set(database="nowhere").render_as_string(hide_password=False)
    with pytest.raises(UnreachableError, match="nowhere"):
        Store.open(url)
