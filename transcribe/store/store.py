"""The store: everything that is known of a workspace's recordings, in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from transcribe.store.clock import steady_now
from transcribe.store.database import Database
from transcribe.store.database_url import parse_url
from transcribe.store.engine import open_engine
from transcribe.store.locks import Role, role_lock

if TYPE_CHECKING:
    from transcribe.store.attempts import Attempts
    from transcribe.store.audit import Audit
    from transcribe.store.corrections import Corrections
    from transcribe.store.dashboard import Dashboard
    from transcribe.store.dataset_source import DatasetSource
    from transcribe.store.desk import Desk
    from transcribe.store.digests import Digests
    from transcribe.store.drafts import Drafts
    from transcribe.store.erasure import Erasures
    from transcribe.store.export import Export
    from transcribe.store.facts import Facts
    from transcribe.store.invitations import Invitations
    from transcribe.store.leases import Leases
    from transcribe.store.models import Models
    from transcribe.store.pay_disputes import PayDisputes
    from transcribe.store.people import People
    from transcribe.store.pseudo_labels import PseudoLabels
    from transcribe.store.recordings import Recordings
    from transcribe.store.redaction import Redaction
    from transcribe.store.reviews import Reviews
    from transcribe.store.segment_edits import SegmentEdits
    from transcribe.store.speakers import Speakers
    from transcribe.store.status import StatusReader
    from transcribe.store.submissions import Submissions
    from transcribe.store.work_items import WorkItems

T = TypeVar("T")


class Part(cached_property[T]):
    """A part of the store, imported and built when it is first used: a command loads only what it needs."""

    def __init__(self, name: str) -> None:
        super().__init__(lambda store: _build_part(store, name))


def _build_part(store: Store, name: str) -> Any:
    module, _, kind = name.partition(".")
    return getattr(import_module(f"transcribe.store.{module}"), kind)(store.database)


class Store:
    """
    One opened database, and what is kept in it, a part a noun.

    Any thread may use it. Every call of a part is a transaction of its own; an iterator is one a page, so that a slow
    reader never stops a writer. Errors of the database come as `UnfitError` or `UnreachableError`.
    """

    attempts: Part[Attempts] = Part("attempts.Attempts")
    audit: Part[Audit] = Part("audit.Audit")
    corrections: Part[Corrections] = Part("corrections.Corrections")
    dashboard: Part[Dashboard] = Part("dashboard.Dashboard")
    dataset_source: Part[DatasetSource] = Part("dataset_source.DatasetSource")
    digests: Part[Digests] = Part("digests.Digests")
    desk: Part[Desk] = Part("desk.Desk")
    drafts: Part[Drafts] = Part("drafts.Drafts")
    erasure: Part[Erasures] = Part("erasure.Erasures")
    export: Part[Export] = Part("export.Export")
    facts: Part[Facts] = Part("facts.Facts")
    invitations: Part[Invitations] = Part("invitations.Invitations")
    leases: Part[Leases] = Part("leases.Leases")
    models: Part[Models] = Part("models.Models")
    pay_disputes: Part[PayDisputes] = Part("pay_disputes.PayDisputes")
    people: Part[People] = Part("people.People")
    pseudo_labels: Part[PseudoLabels] = Part("pseudo_labels.PseudoLabels")
    recordings: Part[Recordings] = Part("recordings.Recordings")
    redaction: Part[Redaction] = Part("redaction.Redaction")
    reviews: Part[Reviews] = Part("reviews.Reviews")
    segment_edits: Part[SegmentEdits] = Part("segment_edits.SegmentEdits")
    speakers: Part[Speakers] = Part("speakers.Speakers")
    status: Part[StatusReader] = Part("status.StatusReader")
    submissions: Part[Submissions] = Part("submissions.Submissions")
    work_items: Part[WorkItems] = Part("work_items.WorkItems")

    def __init__(self, database: Database) -> None:
        self.database: Final = database

    @classmethod
    def open(cls, url: str, *, clock: Callable[[], datetime] = steady_now, workspace: Path | None = None) -> Self:
        """
        Open the database at *url*, made where there is none and brought to the newest schema.

        A database of an older schema is copied first: SQLite beside its file.

        Args:
            url: ``sqlite:///FOLDER/boli.db`` or ``postgresql://USER:PASSWORD@HOST/NAME``. No message shows the
                password.
            clock: What the time is, with its zone.
            workspace: The folder that a copy of PostgreSQL goes to; ``None``: none is made of it.

        Raises:
            ConfigError: If the URL is none of ours, or a newer program has migrated the database.
            UnfitError: If an SQLite file cannot lie there or is not ours; it stays untouched.
            UnreachableError: If PostgreSQL does not answer, or refuses the password.
            MissingError: If the driver for PostgreSQL is not installed.
        """
        location = parse_url(url)
        return cls(Database(location, open_engine(location, clock=clock, workspace=workspace), clock=clock))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection. Iterators that are still going fail."""
        self.database.close()

    def lock(self, role: Role) -> AbstractContextManager[None]:
        """
        Be the one process that works on the database as *role*, while the body of the `with` runs.

        Raises:
            UnfitError: On entering, if another process is; the sentence names it where it is known.
        """
        return role_lock(self.database.location, self.database.engine, role)
