"""The store: everything that is known of a workspace's recordings, in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Self

from transcribe.store.auditing import Audit
from transcribe.store.database import utc_now
from transcribe.store.desk import Desk
from transcribe.store.drafts import Drafts
from transcribe.store.erasing import Erasing
from transcribe.store.export import Export
from transcribe.store.freezing import Freezing
from transcribe.store.growing import Growing
from transcribe.store.inviting import Inviting
from transcribe.store.locks import Role, role_lock
from transcribe.store.masks import Masks
from transcribe.store.models import Models
from transcribe.store.objecting import Objecting
from transcribe.store.opening import open_engine
from transcribe.store.overseeing import Overseeing
from transcribe.store.people import People
from transcribe.store.pieces import Pieces
from transcribe.store.place import parse_url
from transcribe.store.recordings import Recordings
from transcribe.store.reshaping import Reshaping
from transcribe.store.reviewing import Reviewing
from transcribe.store.status import Overview
from transcribe.store.submitting import Submitting
from transcribe.store.voices import Voices
from transcribe.store.work import Work


class Store(
    Recordings,
    Work,
    Drafts,
    Freezing,
    Models,
    Overview,
    Export,
    Audit,
    People,
    Inviting,
    Desk,
    Masks,
    Erasing,
    Reshaping,
    Reviewing,
    Submitting,
    Pieces,
    Objecting,
    Overseeing,
    Growing,
    Voices,
):
    """
    One opened database; its parts are the base classes, a noun each.

    Any thread may use it. Every call is a transaction of its own; an iterator is one a page, so that a slow reader
    never stops a writer. Errors of the database come as `UnfitError` or `UnreachableError`.
    """

    @classmethod
    def open(cls, url: str, *, clock: Callable[[], datetime] = utc_now) -> Self:
        """
        Open the database at *url*, made where there is none and brought to the newest schema.

        Args:
            url: ``sqlite:///FOLDER/boli.db`` or ``postgresql://USER:PASSWORD@HOST/NAME``. No message shows the
                password.
            clock: What the time is, with its zone.

        Raises:
            ConfigError: If the URL is none of ours, or a newer program has migrated the database.
            UnfitError: If an SQLite file cannot lie there or is not ours; it stays untouched.
            UnreachableError: If PostgreSQL does not answer, or refuses the password.
            MissingError: If the driver for PostgreSQL is not installed.
        """
        location = parse_url(url)
        return cls(location, open_engine(location, clock=clock), clock=clock)

    def lock(self, role: Role) -> AbstractContextManager[None]:
        """
        Be the one process that works on the database as *role*, while the body of the `with` runs.

        Raises:
            UnfitError: On entering, if another process is; the sentence names it where it is known.
        """
        return role_lock(self.location, self.engine, role)
