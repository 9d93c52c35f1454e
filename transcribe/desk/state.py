"""The state that all routes of one server share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dialects.dialect import Catalogue
from transcribe.config import DeskSettings
from transcribe.desk.clips import Clips
from transcribe.desk.limits import SignInLimits, Throttle
from transcribe.desk.middleware import Metrics
from transcribe.desk.passwords import HashQueue
from transcribe.desk.priority import order_dialects
from transcribe.desk.word_confidence import Shadings
from transcribe.desk.writer import Writer
from transcribe.desk_records import DeskRules, DialectProgress, Person, View
from transcribe.store import Store
from transcribe.store.submissions import Differ

if TYPE_CHECKING:
    from transcribe.desk.auth import Signer
    from transcribe.store.people import Identity


#: Seconds that the count of what is left may be old: it only orders who is asked for what.
_PROGRESS_S = 15.0
#: Sessions that are remembered.
_MOST_SESSIONS = 10_000


@dataclass(kw_only=True)
class Service:
    """An open desk."""

    store: Store
    writer: Writer
    signer: Signer
    clips: Clips
    settings: DeskSettings
    differ: Differ
    catalogue: Catalogue
    #: The folder that holds settings, rates and variants.
    workspace: Path
    #: Folder of the built screen.
    screen: Path
    #: Counts how sure each dialect's error rate is. Takes a while.
    measure: Callable[[], Mapping[str, float]]
    #: Looks at what was accepted, to tell what the recogniser's doubts are worth. Takes a while.
    shade: Callable[[], Shadings]
    #: Whether browsers reach the desk under TLS, here or at the declared proxy.
    secure: bool
    #: Limits on requests of a person, and on wrong passwords.
    pace: Throttle
    sign_ins: SignInLimits = field(default_factory=SignInLimits)
    #: Where passwords are hashed.
    hashes: HashQueue
    metrics: Metrics = field(default_factory=Metrics)
    #: By hash of the key: who it is, until when that is trusted, and the count of changes of people then.
    identity_by_key: dict[str, tuple[Identity | None, float, int]] = field(default_factory=dict)
    #: Half the width of each dialect's interval, as last counted.
    widths: Mapping[str, float] = field(default_factory=dict)
    #: What each dialect's doubts are worth, as last looked at.
    shadings: Shadings = field(default_factory=Shadings)
    #: How many changes of people were seen, and until when it is not looked for more.
    changes: tuple[int, float] = (0, 0.0)
    _progress: tuple[tuple[DialectProgress, ...], float] = ((), 0.0)
    _counting: threading.Lock = field(default_factory=threading.Lock)
    #: Who opened which hold's sound, until when another opening is the same one.
    opened: dict[tuple[str, str], float] = field(default_factory=dict)

    @cached_property
    def cookie(self) -> str:
        return "__Host-boli" if self.secure else "boli_session"

    @cached_property
    def rules(self) -> DeskRules:
        fields = self.settings.model_dump(include=set(DeskRules.__dataclass_fields__))
        return DeskRules(**fields)

    def set(self, settings: DeskSettings) -> None:
        """Use other *settings* from now on."""
        self.settings = settings
        self.__dict__.pop("rules", None)
        self.clips.set_bitrate(settings.bitrate)

    def remember(self, key: str, identity: Identity | None, until: float) -> None:
        """Trust a look-up until *until*, or until anything changes about people."""
        if len(self.identity_by_key) >= _MOST_SESSIONS:
            self.identity_by_key.clear()
        self.identity_by_key[key] = (identity, until, self.changes[0])

    def rank_dialects(self, person: Person, wanted: tuple[str, ...] | None) -> tuple[str, ...]:
        """Return the dialects that *person* is asked for, the neediest first. Reads the database now and then."""
        # Two hundred people who find the count too old at once wait for one new count, not for two hundred.
        with self._counting:
            if time.monotonic() >= self._progress[1]:
                self._progress = (self.store.desk.count_progress(), time.monotonic() + _PROGRESS_S)
        return order_dialects(self._progress[0], person.dialects, wanted=wanted, widths=self.widths)

    def rank_dialects_at_once(self, person: Person, wanted: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """Return the same without reading; ``None`` where the database is to be read again."""
        if time.monotonic() >= self._progress[1]:
            return None
        return order_dialects(self._progress[0], person.dialects, wanted=wanted, widths=self.widths)

    def lay_out(self) -> int:
        """Mask what the client's terms name in new drafts, put these on the desk, and count the new segments."""
        newest = self.store.desk.find_newest_run()
        if self.store.database.terms.phrases:
            self.store.redaction.mask_terms(self.store.database.terms)
        # Runs that ended since were not searched yet.
        count = self.store.desk.lay_out(self.rules, upto=newest)
        self.expire_progress()
        return count

    def views(self, segments: Collection[str], *, reviewing: bool = False) -> dict[str, View]:
        """Return the views of *segments* by id, without what is masked."""
        return self.store.desk.fetch_views(segments, reviewing=reviewing)

    def expire_progress(self) -> None:
        """Count what is left anew when it is next asked for."""
        self._progress = ((), 0.0)

    def is_new_listen(self, person: str, segment: str, *, window_s: float) -> bool:
        """Tell a new opening of a segment's sound from the next piece of one that is written down."""
        now = time.monotonic()
        if len(self.opened) >= _MOST_SESSIONS:
            self.opened = {key: until for key, until in self.opened.items() if until > now}
        is_new = self.opened.get((person, segment), 0.0) <= now
        if is_new:
            self.opened[person, segment] = now + window_s
        return is_new


#: JSON that goes out as it is.
Json = dict[str, Any]
