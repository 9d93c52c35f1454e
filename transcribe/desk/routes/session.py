"""Signing in and out."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from transcribe.desk.auth import AnyCaller, Caller, ServiceOf, check_page, forget, key_hash, new_key, read_cookie
from transcribe.desk.limits import Attempt, address_group
from transcribe.desk.middleware import Refused
from transcribe.desk.passwords import check_password
from transcribe.desk.schemas.common import Me, SignIn
from transcribe.desk.state import Json, Service
from transcribe.desk_records import Person
from transcribe.errors import BoliError

router = APIRouter(prefix="/api/v1", tags=["session"])
#: A session ends after a week, however much it is used.
_WEEK_S = 7 * 86_400
#: A device is known for as long as browsers keep a cookie.
_DEVICE_S = 400 * 86_400


@router.post("/session", response_model=Me)
async def sign_in(login: SignIn, request: Request, service: ServiceOf) -> Response:
    """Sign in with name and password. The answer sets the session's cookie and tells what to send back with changes."""
    check_page(request, service)
    device = _find_device(request, service, login.name)
    attempt = Attempt(name=login.name, address=address_of(request), device=device)
    wait = service.sign_ins.wait_s(attempt)
    if wait > 0:
        raise Refused(429, "E_TOO_OFTEN", "too many wrong passwords", hint=f"wait {wait:.0f} s", retry_after=wait)
    service.sign_ins.begin(attempt)
    try:
        person = await service.hashes.run(attempt.address, lambda: _find_person(service, login))
    except (Refused, BoliError):
        service.sign_ins.give_back(attempt)
        raise
    if person is None:
        raise Refused(401, "E_SIGN_IN", "name and password do not belong together", hint="look at both again")
    service.sign_ins.succeed(attempt)
    return await start_session(service, person, device=device)


def address_of(request: Request) -> str:
    """Return what the tries of the client of *request* are counted under."""
    return address_group(request.client.host) if request.client is not None else "?"


async def start_session(service: Service, person: Person, *, device: str | None = None) -> Response:
    """
    Begin a session of *person*, and answer with who they are and its cookie.

    Another cookie outlives the session: it says that *person* was signed in on *device*, a new one if there is none.
    """
    key = new_key()
    until = service.store.database.later(_WEEK_S)
    await service.writer.do(lambda: service.store.people.begin_session(key_hash(key), person.id, until_at=until))
    caller = Caller(person=person, permissions=person.permissions, session=key_hash(key))
    response = JSONResponse(_me(caller, service))
    signed = service.signer.sign_device(person.name, device or new_key())
    for cookie, text, seconds in (
        (service.cookie, key, _WEEK_S),
        (_name_device_cookie(service, person.name), signed, _DEVICE_S),
    ):
        response.set_cookie(
            cookie, text, max_age=seconds, path="/", httponly=True, samesite="lax", secure=service.secure
        )
    return response


def _find_person(service: Service, login: SignIn) -> Person | None:
    account = service.store.people.find_password(login.name)
    is_right = check_password(login.password, account[1] if account else None)
    return account[0] if account is not None and is_right else None


def _find_device(request: Request, service: Service, name: str) -> str | None:
    """Return the device of *request*, if *name* was signed in on it before."""
    signed = read_cookie(request, _name_device_cookie(service, name))
    return None if signed is None else service.signer.verify_device(signed, name)


def _name_device_cookie(service: Service, name: str) -> str:
    """Return the name of the cookie of a device that *name* uses: several people may share one."""
    return f"{service.cookie}_device_{key_hash(name)[:12]}"


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
