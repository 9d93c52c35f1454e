"""
Authentication of requests, and the permissions that they carry: keys, signatures, and limits of asking.

Browsers come with a cookie, scripts with ``Authorization: Bearer``. Both are opaque; what they stand for is looked up
here and remembered until something changes about people, which is seen within a second: so long a dismissed person may
go on.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from itsdangerous import BadSignature, URLSafeSerializer
from itsdangerous import Signer as Signature
from starlette.concurrency import run_in_threadpool

from transcribe.desk.middleware import Refused
from transcribe.desk.state import Service
from transcribe.desk_records import Permission, Person
from transcribe.errors import ConfigError
from transcribe.store.clock import steady_now
from transcribe.store.people import Identity

#: Seconds that a change of people may go unseen, and that a look-up is trusted without any.
_UNSEEN_S = 1.0
_TRUSTED_S = 30.0
#: A session's use is written down after so many seconds, not at each request.
_REFRESH_S = 300
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
#: Seconds that a signed address of sound is good for.
GOOD_FOR_S = 600
#: Characters of a signing key as people write it; fewer can be guessed.
_SHORTEST_KEY = 32


@dataclass(frozen=True, kw_only=True)
class Link:
    """The segment, person and hold that an address was signed for."""

    segment: str
    person: str
    #: The hold that it belongs to; empty for who may hear without one.
    lease: str


class Signer:
    """Signs with the last of its keys, and knows its own signature under any of them."""

    def __init__(self, keys: list[str], *, clock: Callable[[], datetime] = steady_now) -> None:
        self._links = Signature(keys, salt="boli sound")
        self._devices = Signature(keys, salt="boli device")
        self._tokens = URLSafeSerializer(keys, salt="boli csrf")
        self._clock = clock
        self._csrf = lru_cache(maxsize=10_000)(self._sign_session)

    def sign(self, link: Link) -> str:
        until = int(self._clock().timestamp()) + GOOD_FOR_S
        return self._links.sign(f"{link.segment}~{link.person}~{link.lease}~{until}").decode()

    def verify(self, signed: str) -> Link | None:
        """Return the link in *signed*; ``None`` if it was not signed here, or too long ago."""
        try:
            segment, person, lease, until = self._links.unsign(signed).decode().split("~")
        except (BadSignature, ValueError):
            return None
        # One that is good for longer than any that is signed now was signed by a clock that was ahead.
        if not 0 < int(until) - self._clock().timestamp() <= GOOD_FOR_S:
            return None
        return Link(segment=segment, person=person, lease=lease)

    def sign_device(self, name: str, device: str) -> str:
        """Sign that *name* was signed in on *device*, a random id."""
        return self._devices.sign(f"{key_hash(name)}~{device}").decode()

    def verify_device(self, signed: str, name: str) -> str | None:
        """Return the device in *signed*; ``None`` if it was not signed here, or for another name."""
        try:
            name_hash, device = self._devices.unsign(signed).decode().split("~")
        except (BadSignature, ValueError):
            return None
        return device if hmac.compare_digest(name_hash, key_hash(name)) else None

    def csrf(self, session: str) -> str:
        """Return the token that a page of this session sends with every change, and that no other site can know."""
        return self._csrf(session)

    def _sign_session(self, session: str) -> str:
        return str(self._tokens.dumps(session[:32])).rsplit(".", 1)[1]


def read_keys(file: Path) -> list[str]:
    """
    Return the keys in *file*, one a line, the newest last; make it with one key, readable by its owner only, if it is
    not there.

    Raises:
        ConfigError: If a key is shorter than 32 characters or made of fewer than 8 different ones.
    """
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        keys = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    else:
        keys = [secrets.token_hex(32)]
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(f"{keys[0]}\n")
            stream.flush()
            os.fsync(handle)
    if not keys or any(len(key) < _SHORTEST_KEY or len(set(key)) < 8 for key in keys):
        raise ConfigError(
            f"{file} holds a key that can be guessed",
            code="E_WEAK_KEY",
            hint="remove the file, and the desk makes a good one; signed addresses of the old one end with it",
            item=str(file),
        )
    return keys


async def service_of(request: Request) -> Service:
    """Return the open desk that *request* came to."""
    service: Service = request.app.state.service
    return service


ServiceOf = Annotated[Service, Depends(service_of)]


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The person or script that sends a request."""

    person: Person
    permissions: frozenset[Permission]
    #: Hash of the session's key; ``None`` for a script with a token.
    session: str | None

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


def key_hash(key: str) -> str:
    """Return the SHA-256 of a session's or a token's key, in hex: the database holds no more of it."""
    return hashlib.sha256(key.encode()).hexdigest()


def new_key() -> str:
    """Return a random key of 256 bits, in URL-safe base64."""
    return secrets.token_urlsafe(32)


async def authenticate(request: Request, service: ServiceOf) -> Caller:
    """
    Return the caller of *request*, whatever they may do.

    Raises:
        Refused: 401 without a session or token that is worth something; 403 where a change comes from another page;
            429 where somebody asks too often.
    """
    caller = await _identify(request, service)
    if caller is None:
        raise Refused(401, "E_SIGN_IN", "this needs somebody who is signed in", hint="sign in again; nothing is lost")
    wait = service.pace.wait_s(caller.person.id)
    if wait > 0:
        raise Refused(429, "E_TOO_OFTEN", "too many requests at once", hint=f"wait {wait:.0f} s", retry_after=wait)
    service.pace.spend(caller.person.id)
    if request.method in _CHANGING and caller.session is not None:
        _check_origin(request, service, caller.session)
    return caller


def require(permission: Permission) -> Callable[..., Coroutine[Any, Any, Caller]]:
    """Return a dependency that lets in callers with *permission*, and answers the others with 403."""

    async def check(caller: AnyCaller) -> Caller:
        if not caller.may(permission):
            raise Refused(403, "E_NOT_ALLOWED", "your roles or your token do not allow this", hint="ask a lead")
        return caller

    return check


def check_page(request: Request, service: Service) -> None:
    """
    Refuse a request that a browser sends for a page of another site.

    Raises:
        Refused: 403.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    host = request.headers.get("host", "")
    own_origins = {f"{'https' if service.secure else 'http'}://{host}"}
    if site not in (None, "same-origin", "none") or (origin is not None and origin not in own_origins):
        raise Refused(403, "E_OTHER_SITE", "this came from a page of another site", hint="open the desk itself")


def forget(service: Service, session: str) -> None:
    """Look *session* up anew at its next request."""
    service.identity_by_key.pop(session, None)


def read_cookie(request: Request, name: str) -> str | None:
    """Return the cookie *name*; ``None`` if there is none, or two, of which one is somebody else's doing."""
    pairs = [part.strip().partition("=") for part in request.headers.get("cookie", "").split(";")]
    texts = [cookie for cookie_name, _, cookie in pairs if cookie_name == name]
    return texts[0] if len(texts) == 1 and texts[0] else None


def _check_origin(request: Request, service: Service, session: str) -> None:
    check_page(request, service)
    token = request.headers.get("x-boli-csrf", "")
    if not hmac.compare_digest(token.encode(), service.signer.csrf(session).encode()):
        raise Refused(403, "E_CSRF", "X-Boli-Csrf is missing or of another session", hint="load the page again")


async def _identify(request: Request, service: Service) -> Caller | None:
    bearer = _bearer(request.headers)
    cookie = None if bearer is not None else read_cookie(request, service.cookie)
    key = bearer or cookie
    if key is None:
        return None
    hash_of_key = key_hash(key)
    await _refresh_changes(service)
    identity, until, changes = service.identity_by_key.get(hash_of_key, (None, 0.0, -1))
    if time.monotonic() >= until or changes != service.changes[0]:
        find = _find_session if bearer is None else _find_token
        identity = await run_in_threadpool(find, service, hash_of_key)
        service.remember(hash_of_key, identity, time.monotonic() + _TRUSTED_S)
    if identity is None:
        return None
    return Caller(person=identity.person, permissions=identity.permissions, session=None if bearer else hash_of_key)


async def _refresh_changes(service: Service) -> None:
    """Count the changes of people, at most once a second: while there is no new one, cached callers stay good."""
    count, until = service.changes
    if time.monotonic() < until:
        return
    # Set first, so that those who come meanwhile do not all ask.
    service.changes = (count, time.monotonic() + _UNSEEN_S)
    count = await run_in_threadpool(service.store.people.count_changes)
    service.changes = (count, service.changes[1])


def _find_token(service: Service, hash_of_key: str) -> Identity | None:
    return service.store.people.identify_token(hash_of_key)


def _find_session(service: Service, hash_of_key: str) -> Identity | None:
    store, desk = service.store, service.settings
    identity = store.people.identify_session(
        hash_of_key, unused_since=store.database.later(-desk.session_hours * 3_600)
    )
    if identity is None or identity.used_at is None:
        return None
    reviews = identity.person.permissions & {"review", "people"}
    if reviews and identity.used_at < store.database.later(-desk.review_session_hours * 3_600):
        return None
    if identity.used_at < store.database.later(-_REFRESH_S):
        service.writer.begin(lambda: store.people.use_session(hash_of_key))
    return identity


def _bearer(headers: Mapping[str, str]) -> str | None:
    kind, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if kind.casefold() == "bearer" and key.strip() else None


AnyCaller = Annotated[Caller, Depends(authenticate)]
Worker = Annotated[Caller, Depends(require("work"))]
Reviewer = Annotated[Caller, Depends(require("review"))]
Overseer = Annotated[Caller, Depends(require("progress"))]
#: Whoever sees what single people did, and decides who comes in.
Manager = Annotated[Caller, Depends(require("people"))]
Collector = Annotated[Caller, Depends(require("metrics"))]
