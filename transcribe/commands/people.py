"""Commands of the people who work at the desk: add, list, disable, passwords, tokens."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from transcribe.commands.app import LEADS, AsJson, Debug, Workspace, console, group, open_workspace
from transcribe.console import Answer
from transcribe.errors import InputError, UsageError

if TYPE_CHECKING:
    from transcribe.desk_records import Person, Role
    from transcribe.wiring import Wiring

NewPassword = Annotated[bool, typer.Option("--password-stdin", help="Read it from stdin; else one is made and shown.")]


def _answer_list(workspace: Path | None) -> None:
    with open_workspace(workspace) as wiring:
        console.answer(list_people(wiring))


people = group("people", "Who works at the desk.", LEADS, _answer_list)


@people.command("add", epilog="Example: boli people add asha --role transcriber --dialect bho")
def people_add(
    name: Annotated[str, typer.Argument(help="What they sign in with.")],
    role: Annotated[list[str], typer.Option(help="transcriber, reviewer, lead or analyst; several are fine.")],
    dialect: Annotated[list[str] | None, typer.Option(help="A dialect they know, with all below it.")] = None,
    password_stdin: NewPassword = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Take somebody in."""
    with open_workspace(workspace) as wiring:
        console.answer(add_person(wiring, name, role, dialect or (), read_password=password_stdin))


@people.command("list", epilog="Example: boli people list")
def people_list(workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """List everybody, with roles and dialects."""
    _answer_list(workspace)


@people.command("disable", epilog="Example: boli people disable asha")
def people_disable(
    name: Annotated[str, typer.Argument(help="Whom.")],
    enable: Annotated[bool, typer.Option("--enable", help="Let them in again.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Shut somebody out: sessions and tokens end at once."""
    with open_workspace(workspace) as wiring:
        console.answer(disable_person(wiring, name, enable=enable))


@people.command("password", epilog="Example: boli people password asha")
def people_password(
    name: Annotated[str, typer.Argument(help="Whose.")],
    password_stdin: NewPassword = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Set a new password; every session ends."""
    with open_workspace(workspace) as wiring:
        console.answer(change_password(wiring, name, read_password=password_stdin))


@people.command("token", epilog="Example: boli people token asha --scope work")
def people_token(
    name: Annotated[str, typer.Argument(help="Whom it acts for.")],
    scope: Annotated[list[str] | None, typer.Option(help="work, review, progress, people or metrics.")] = None,
    label: Annotated[str, typer.Option(help="What it is for.")] = "script",
    days: Annotated[int, typer.Option(min=1, help="How long it is good.")] = 90,
    end: Annotated[str | None, typer.Option(help="End the token with this id instead.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Make a token for scripts, or end one."""
    with open_workspace(workspace) as wiring:
        console.answer(make_token(wiring, name, scope or (), label=label, days=days, end=end))


def add_person(
    wiring: Wiring, name: str, roles: Sequence[str], dialects: Sequence[str], *, read_password: bool
) -> Answer:
    """Add a person. Without a password on stdin one is made, and printed this once."""
    from transcribe.desk.passwords import generate_password, hash_password

    password = _read_password() if read_password else generate_password()
    tags = [wiring.catalogue.find(tag).tag for tag in dialects]
    hashed = hash_password(password, name=name)
    person = wiring.store.people.add(name, _unique_roles(roles), dialects=tags, password=hashed)
    generated = {} if read_password else {"password": password}
    line = "" if read_password else f"\npassword: {password}\nit is not kept anywhere; give it to {name} now"
    text = f"{name} is in, as {', '.join(person.roles)}{line}"
    return Answer(data={"person": _describe_person(person)} | generated, text=text)


def list_people(wiring: Wiring) -> Answer:
    """List everybody, with roles and dialects."""
    from transcribe.terminal import stack, table

    people = wiring.store.people.fetch()
    rows = [
        (
            person.name,
            ", ".join(person.roles),
            ", ".join(person.dialects) or "any",
            "disabled" if person.disabled else "",
        )
        for person in people
    ]
    lines = ["nobody is in yet; boli people add NAME --role transcriber takes somebody in"] * (not rows)
    text = stack(lines, table(("name", "roles", "dialects", ""), rows))
    return Answer(data={"people": [_describe_person(person) for person in people]}, text=text)


def disable_person(wiring: Wiring, name: str, *, enable: bool) -> Answer:
    """Disable a person, or *enable* one again. Sessions and tokens end at once; what they wrote stays."""
    person = wiring.store.people.change(name, disabled=not enable)
    state = "may sign in again" if enable else "is out: sessions and tokens have ended"
    return Answer(data={"person": _describe_person(person)}, text=f"{name} {state}")


def change_password(wiring: Wiring, name: str, *, read_password: bool) -> Answer:
    """Give a person a new password; every session ends."""
    from transcribe.desk.passwords import generate_password, hash_password

    password = _read_password() if read_password else generate_password()
    person = wiring.store.people.change(name, password=hash_password(password, name=name))
    generated = {} if read_password else {"password": password}
    line = "" if read_password else f"\npassword: {password}"
    return Answer(data={"person": _describe_person(person)} | generated, text=f"{name} has a new password{line}")


def make_token(wiring: Wiring, name: str, scopes: Sequence[str], *, label: str, days: int, end: str | None) -> Answer:
    """Make a token for scripts that act as a person, printed this once; or end the token *end*."""
    from transcribe.desk.auth import key_hash, new_key
    from transcribe.desk_records import PERMISSIONS

    if end is not None:
        if not wiring.store.people.end_token(end):
            raise InputError(f"token {end} was to be ended, and is not one that is good", code="E_TOKEN", item=end)
        return Answer(data={"ended": end}, text=f"token {end} is worth nothing any more")
    unknown = [scope for scope in scopes if scope not in PERMISSIONS]
    if unknown:
        raise UsageError(f"--scope {', '.join(unknown)} was asked for, the scopes are {', '.join(PERMISSIONS)}")
    key, person = new_key(), wiring.store.people.find(name)
    until = wiring.store.database.later(days * 86_400)
    granted = [scope for scope in PERMISSIONS if scope in scopes]
    token = wiring.store.people.add_token(key_hash(key), person, label, granted, until_at=until)
    document = {"id": token.id, "token": key, "scopes": list(token.scopes), "until": token.until_at}
    return Answer(
        data=document, text=f"token {token.id}, good until {until}\n{key}\nit is not kept anywhere; put it away now"
    )


def _read_password() -> str:
    """Read the first line of stdin, so that no password stands among a command's words."""
    if sys.stdin.isatty():
        import getpass

        return getpass.getpass("password: ")
    return sys.stdin.readline().rstrip("\n")


def _unique_roles(names: Sequence[str]) -> list[Role]:
    # The store refuses what is none; roles are listed in the order in which they were named.
    return list(dict.fromkeys(names))  # type: ignore[arg-type]


def _describe_person(person: Person) -> dict[str, Any]:
    return {
        "name": person.name,
        "roles": list(person.roles),
        "dialects": list(person.dialects),
        "disabled": person.disabled,
    }
