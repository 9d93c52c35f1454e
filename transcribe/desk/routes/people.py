"""People and their invitations: a lead hands on a link, whoever opens it chooses a password of their own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from dialects.errors import DialectError
from transcribe.desk.auth import Manager, ServiceOf, check_page, key_hash, new_key
from transcribe.desk.middleware import Refused
from transcribe.desk.passwords import hash_password
from transcribe.desk.routes.session import address_of, start_session
from transcribe.desk.schemas.common import Me
from transcribe.desk.schemas.lead import (
    InvitationLook,
    InvitationOut,
    InvitationUse,
    InvitedOut,
    PersonChange,
    PersonIn,
    PersonOut,
)
from transcribe.desk.state import Json, Service
from transcribe.desk_records import Person
from transcribe.errors import InputError, UsageError

router = APIRouter(prefix="/api/v1", tags=["people"])

#: An invitation is good for so many seconds.
_GOOD_FOR_S = 7 * 86_400
PersonId = Annotated[str, Path(max_length=64, description="A person's id.")]


@router.get("/people", response_model=list[PersonOut])
async def people(caller: Manager, service: ServiceOf) -> list[Json]:
    """List everybody, by name."""
    return await run_in_threadpool(_people, service)


@router.post("/people", response_model=InvitationOut)
async def add(body: PersonIn, caller: Manager, service: ServiceOf) -> Json:
    """Take somebody in. The answer holds the key of their invitation, which is said this once."""
    tags = _tags(service, body.dialects)
    person = await service.writer.do(
        lambda: service.store.people.add(body.name, body.roles, dialects=tags, by=caller.person.id)
    )
    return await _invite(service, person, caller.person.id)


@router.patch("/people/{id}", response_model=list[PersonOut])
async def change(id: PersonId, body: PersonChange, caller: Manager, service: ServiceOf) -> list[Json]:
    """Change roles or dialects, or shut somebody out. Nobody takes their own rights away."""
    person = await run_in_threadpool(_person, service, id)
    if person.id == caller.person.id and (body.roles is not None or body.disabled is not None):
        raise Refused(403, "E_OWN_RIGHTS", "nobody changes their own rights", hint="ask another lead")
    tags = None if body.dialects is None else _tags(service, body.dialects)
    await service.writer.do(
        lambda: service.store.people.change(
            person.name, roles=body.roles, dialects=tags, disabled=body.disabled, by=caller.person.id
        )
    )
    service.identity_by_key.clear()
    return await run_in_threadpool(_people, service)


@router.post("/people/{id}/invitation", response_model=InvitationOut)
async def invite(id: PersonId, caller: Manager, service: ServiceOf) -> Json:
    """Invite somebody anew who lost the password or the link. The old password is good until this is used."""
    return await _invite(service, await run_in_threadpool(_person, service, id), caller.person.id)


@router.post("/invitations/look", response_model=InvitedOut)
async def look(body: InvitationLook, request: Request, service: ServiceOf) -> Json:
    """Return whom an invitation is for."""
    _limit_tries(request, service)
    person = await run_in_threadpool(service.store.invitations.find_person, key_hash(body.key))
    if person is None:
        raise _no_invitation()
    return {"name": person.name}


@router.post("/invitations", response_model=Me)
async def use(body: InvitationUse, request: Request, service: ServiceOf) -> Response:
    """Choose a password and be signed in. The invitation ends with it."""
    _limit_tries(request, service)
    invited = await run_in_threadpool(service.store.invitations.find_person, key_hash(body.key))
    if invited is None:
        raise _no_invitation()
    name = invited.name
    try:
        password_hash = await service.hashes.run(address_of(request), lambda: hash_password(body.password, name=name))
    except UsageError as error:
        raise Refused(422, "E_PASSWORD", error.message, hint=error.hint) from error
    person = await service.writer.do(lambda: service.store.invitations.accept(key_hash(body.key), password_hash))
    if person is None:
        raise _no_invitation()
    service.identity_by_key.clear()
    return await start_session(service, person)


async def _invite(service: Service, person: Person, by: str) -> Json:
    if person.disabled:
        raise Refused(422, "E_DISABLED", f"{person.name} is shut out", hint="let them in again first")
    key, until = new_key(), service.store.database.later(_GOOD_FOR_S)
    await service.writer.do(lambda: service.store.invitations.add(key_hash(key), person.id, by=by, until_at=until))
    return {"person": person.id, "name": person.name, "key": key, "until": until}


def _people(service: Service) -> list[Json]:
    return [
        {
            "id": standing.person.id,
            "name": standing.person.name,
            "roles": list(standing.person.roles),
            "dialects": list(standing.person.dialects),
            "disabled": standing.person.disabled,
            "has_password": standing.has_password,
            "invited_until": standing.invited_until,
            "seen_at": standing.seen_at,
            "added_at": standing.added_at,
        }
        for standing in service.store.invitations.fetch_accounts()
    ]


def _person(service: Service, id: str) -> Person:
    person = next((person for person in service.store.people.fetch() if person.id == id), None)
    if person is None:
        raise Refused(404, "E_PERSON", "there is no such person", hint="load the page again")
    return person


def _tags(service: Service, names: list[str]) -> list[str]:
    try:
        return [service.catalogue.find(name).tag for name in names]
    except DialectError as error:
        raise InputError(error.message, code=error.code, hint=error.hint) from error


def _limit_tries(request: Request, service: Service) -> None:
    """Keys have 256 bits and are not guessed; this only keeps a loop from asking for hashes all day."""
    check_page(request, service)
    address = address_of(request)
    wait = service.sign_ins.wait_for_address_s(address)
    if wait > 0:
        raise Refused(429, "E_TOO_OFTEN", "too many tries", hint=f"wait {wait:.0f} s", retry_after=wait)
    service.sign_ins.spend_address(address)


def _no_invitation() -> Refused:
    return Refused(404, "E_INVITATION", "this link was used, or is too old", hint="ask your lead for a new one")
