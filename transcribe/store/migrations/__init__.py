"""The migrations of the schema: how old a database is, and bringing it to the newest."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, column, inspect, select, table

if TYPE_CHECKING:
    from alembic.config import Config

#: The schema that this program reads and writes.
HEAD = "0016"
#: Where a database says its version. The name is our own, so that a stranger's database is not taken for ours.
VERSION_TABLE = "boli_schema"


class Schema(Enum):
    """The relation of a database's schema to this program's."""

    #: None of ours is there.
    ABSENT = "absent"
    OLDER = "older"
    CURRENT = "current"
    #: Made by a newer program.
    NEWER = "newer"


def schema_of(connection: Connection) -> Schema:
    """Return how old the schema behind *connection* is; reads only."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return Schema.ABSENT
    version = read_revision(connection)
    if version == HEAD:
        return Schema.CURRENT
    return Schema.OLDER if version is None or version in revisions() else Schema.NEWER


def read_revision(connection: Connection) -> str | None:
    """Return the version that the schema behind *connection* says it has."""
    return connection.execute(select(column("version_num")).select_from(table(VERSION_TABLE))).scalar()


def revisions() -> tuple[str, ...]:
    """Return the versions of the schema that this program can start from, newest first."""
    from alembic.script import ScriptDirectory

    return tuple(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def migrate(connection: Connection, revision: str = HEAD) -> None:
    """Bring the schema behind *connection* up to *revision*, inside the transaction that is open there."""
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    # Alembic's options are templates, in which a percent sign of the path would mean something.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
