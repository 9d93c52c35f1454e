"""Signing in and out."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from transcribe.desk.auth import AnyCaller, Caller, ServiceOf, check_page, forget, key_hash, new_key
from transcribe.desk.middleware import Refused
from transcribe.desk.passwords import check_password
from transcribe.desk.schemas.common import Me, SignIn
from transcribe.desk.state import Json, Service
from transcribe.desk_records import Person

router = APIRouter(prefix="/api/v1", tags=["session"])
#: A session ends after a week, however much it is used.
_WEEK_S = 7 * 86_400


@router.post("/session", response_model=Me)
async def sign_in(login: SignIn, request: Request, service: ServiceOf) -> Response:
    """Sign in with name and password. The answer sets the session's cookie and tells what to send back with changes."""
    check_page(request, service)
    address = request.client.host if request.client is not None else "?"
    wait = max(service.wrong_names.wait_s(login.name), service.wrong_places.wait_s(address))
    if wait > 0:
        raise Refused(429, "E_TOO_OFTEN", "too many wrong passwords", hint=f"wait {wait:.0f} s", retry_after=wait)
    # Counted before it is known, so that many at once count too.
    service.wrong_names.spend(login.name)
    service.wrong_places.spend(address)
    account = await run_in_threadpool(service.store.people.find_password, login.name)
    if not await run_in_threadpool(check_password, login.password, account[1] if account else None) or account is None:
        raise Refused(401, "E_SIGN_IN", "name and password do not belong together", hint="look at both again")
    service.wrong_names.forget(login.name)
    return await start_session(service, account[0])


async def start_session(service: Service, person: Person) -> Response:
    """Begin a session of *person*, and answer with who they are and its cookie."""
    key = new_key()
    until = service.store.database.later(_WEEK_S)
    await service.writer.do(lambda: service.store.people.begin_session(key_hash(key), person.id, until_at=until))
    caller = Caller(person=person, permissions=person.permissions, session=key_hash(key))
    response = JSONResponse(_me(caller, service))
    response.set_cookie(
        service.cookie, key, max_age=_WEEK_S, path="/", httponly=True, samesite="lax", secure=service.secure
    )
    return response


@router.get("/session", response_model=Me)
async def session(caller: AnyCaller, service: ServiceOf) -> Json:
    """Return who is signed in."""
    return _me(caller, service)


@router.delete("/session", status_code=204)
async def sign_out(caller: AnyCaller, service: ServiceOf) -> Response:
    """Sign out. What waits on the caller's device stays there."""
    response = Response(status_code=204)
    if caller.session is not None:
        session = caller.session
        await service.writer.do(lambda: service.store.people.end_session(session))
        forget(service, session)
        response.delete_cookie(service.cookie, path="/", httponly=True, samesite="lax", secure=service.secure)
    return response


def _me(caller: Caller, service: Service) -> Json:
    person = caller.person
    return {
        "id": person.id,
        "name": person.name,
        "roles": list(person.roles),
        "permissions": sorted(caller.permissions),
        "dialects": list(person.dialects),
        "csrf": None if caller.session is None else service.signer.csrf(caller.session),
        "offline_audio": service.settings.offline_audio,
        "shading": service.settings.shading,
        "server_time": service.store.database.now(),
    }
