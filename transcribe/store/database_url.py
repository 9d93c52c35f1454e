"""The location of the store: a URL taken apart, checked, and fit to be shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from transcribe.errors import ConfigError

_HINT = "write sqlite:///FOLDER/boli.db or postgresql://USER@HOST/NAME"


@dataclass(frozen=True, kw_only=True)
class DatabaseLocation:
    """A database that the store can work in."""

    #: With the driver that we use, and with the password.
    url: URL
    #: The database's file; ``None`` on PostgreSQL.
    path: Path | None

    @property
    def display_name(self) -> str:
        """The name that people recognise it by: the file's path, or the URL without its password."""
        if self.path is not None:
            return str(self.path)
        return self.hide_password(self.url.set(drivername="postgresql").render_as_string(hide_password=True))

    def hide_password(self, message: str) -> str:
        """Return *message* without the password, however a driver came to quote it."""
        secrets = [self.url.password, self.url.query.get("password")]
        for secret in secrets:
            for spelling in (secret,) if isinstance(secret, str) else secret or ():
                message = message.replace(spelling, "***")
        return message


def parse_url(url: str) -> DatabaseLocation:
    """
    Parse *url*.

    Raises:
        ConfigError: If it is no URL, or names a database other than SQLite in a file and PostgreSQL. The message
            never holds the URL itself, because a malformed one may show its password in any part.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError("store.url is not a database URL", code="E_STORE_URL", hint=_HINT) from None
    kind = re.split(r"\+", parsed.drivername, maxsplit=1)[0]
    if kind == "sqlite":
        return _parse_file_url(parsed)
    if kind in ("postgresql", "postgres"):
        return DatabaseLocation(url=parsed.set(drivername="postgresql+psycopg"), path=None)
    raise ConfigError(f"store.url names {kind!r}, which is no database boli works with", code="E_STORE_URL", hint=_HINT)


def _parse_file_url(url: URL) -> DatabaseLocation:
    if url.database in (None, "", ":memory:") or url.query:
        raise ConfigError("store.url names no SQLite file, or has options behind it", code="E_STORE_URL", hint=_HINT)
    # Free of links, so that two names of one database lock each other out.
    path = Path(str(url.database)).expanduser().resolve()
    return DatabaseLocation(url=URL.create("sqlite+pysqlite", database=str(path)), path=path)
