"""
Who comes in, and what they may.

Browsers come with a cookie, scripts with ``Authorization: Bearer``. Both are opaque; what they stand for is looked up
here and remembered until something changes about people, which is seen within a second: so long a dismissed person may
go on.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from transcribe.desk_records import Permission, Person
from transcribe.review.service import Refused, Service, ServiceOf
from transcribe.store.people import Known

#: Seconds that a change of people may go unseen, and that a look-up is trusted without any.
_UNSEEN_S = 1.0
_TRUSTED_S = 30.0
#: A session's use is written down after so many seconds, not at each request.
_REFRESH_S = 300
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks."""

    person: Person
    permissions: frozenset[Permission]
    #: Hash of the session's key; ``None`` for a script with a token.
    session: str | None

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


def key_hash(key: str) -> str:
    """What is kept of a session's or a token's key."""
    return hashlib.sha256(key.encode()).hexdigest()


def new_key() -> str:
    """A key of 256 bits."""
    return secrets.token_urlsafe(32)


async def caller_of(request: Request, service: ServiceOf) -> Caller:
    """
    Who asks, whatever they may do.

    Raises:
        Refused: 401 without a session or token that is worth something; 403 where a change comes from another page;
            429 where somebody asks too often.
    """
    caller = await _known(request, service)
    if caller is None:
        raise Refused(401, "E_SIGN_IN", "this needs somebody who is signed in", hint="sign in again; nothing is lost")
    wait = service.pace.wait_s(caller.person.id)
    if wait > 0:
        raise Refused(429, "E_TOO_OFTEN", "too many requests at once", hint=f"wait {wait:.0f} s", retry_after=wait)
    service.pace.spend(caller.person.id)
    if request.method in _CHANGING and caller.session is not None:
        _check_origin(request, service, caller.session)
    return caller


def allowed(permission: Permission) -> Callable[..., Coroutine[Any, Any, Caller]]:
    """A dependency that lets in those who have *permission*, and tells the others 403."""

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
    here = {f"{'https' if service.secure else 'http'}://{host}"}
    if site not in (None, "same-origin", "none") or (origin is not None and origin not in here):
        raise Refused(403, "E_OTHER_SITE", "this came from a page of another site", hint="open the desk itself")


def forget(service: Service, session: str) -> None:
    """Look *session* up anew at its next request."""
    service.known.pop(session, None)


def _check_origin(request: Request, service: Service, session: str) -> None:
    check_page(request, service)
    given = request.headers.get("x-boli-csrf", "")
    if not hmac.compare_digest(given.encode(), service.signer.csrf(session).encode()):
        raise Refused(403, "E_CSRF", "X-Boli-Csrf is missing or of another session", hint="load the page again")


async def _known(request: Request, service: Service) -> Caller | None:
    bearer = _bearer(request.headers)
    cookie = None if bearer is not None else _cookie(request, service.cookie)
    key = bearer or cookie
    if key is None:
        return None
    hashed = key_hash(key)
    await _see_changes(service)
    found, until, then = service.known.get(hashed, (None, 0.0, -1))
    if time.monotonic() >= until or then != service.changes[0]:
        look_up = _by_session if bearer is None else _by_token
        found = await run_in_threadpool(look_up, service, hashed)
        service.remember(hashed, found, time.monotonic() + _TRUSTED_S)
    if found is None:
        return None
    return Caller(person=found.person, permissions=found.permissions, session=None if bearer else hashed)


async def _see_changes(service: Service) -> None:
    """Find out once a second whether anything changed about people: if not, what is known of them stands."""
    count, until = service.changes
    if time.monotonic() < until:
        return
    # Set first, so that those who come meanwhile do not all ask.
    service.changes = (count, time.monotonic() + _UNSEEN_S)
    count = await run_in_threadpool(service.store.changes_of_people)
    service.changes = (count, service.changes[1])


def _by_token(service: Service, hashed: str) -> Known | None:
    return service.store.known_by_token(hashed)


def _by_session(service: Service, hashed: str) -> Known | None:
    store, desk = service.store, service.settings
    known = store.known_by_session(hashed, unused_since=store.later(-desk.session_hours * 3_600))
    if known is None or known.used_at is None:
        return None
    reviews = known.person.permissions & {"review", "people"}
    if reviews and known.used_at < store.later(-desk.review_session_hours * 3_600):
        return None
    if known.used_at < store.later(-_REFRESH_S):
        service.writer.begin(lambda: store.use_session(hashed))
    return known


def _bearer(headers: Mapping[str, str]) -> str | None:
    kind, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if kind.casefold() == "bearer" and key.strip() else None


def _cookie(request: Request, name: str) -> str | None:
    """The session's key; ``None`` if there is none, or two, of which one is somebody else's doing."""
    pairs = [part.strip().partition("=") for part in request.headers.get("cookie", "").split(";")]
    found = [value for key, _, value in pairs if key == name]
    return found[0] if len(found) == 1 and found[0] else None


AnyCaller = Annotated[Caller, Depends(caller_of)]
Worker = Annotated[Caller, Depends(allowed("work"))]
Reviewer = Annotated[Caller, Depends(allowed("review"))]
Overseer = Annotated[Caller, Depends(allowed("progress"))]
#: Whoever sees what single people did, and decides who comes in.
Manager = Annotated[Caller, Depends(allowed("people"))]
Collector = Annotated[Caller, Depends(allowed("metrics"))]
