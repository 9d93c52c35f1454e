"""Commands of the correction desk: open it, manage its people and its queue, report what was done."""

from __future__ import annotations

import csv
import json
import signal
import sys
import threading
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transcribe import terminal
from transcribe.actions.tables import stack, table
from transcribe.config import DeskSettings
from transcribe.console import Answer, Console
from transcribe.desk_records import PERMISSIONS, Person, Role
from transcribe.errors import Failure, GateFailed, InputError, UsageError
from transcribe.redaction import terms_in
from transcribe.wiring import Wiring

if TYPE_CHECKING:
    from dialects.active_learning import UnlabelledSegment
    from transcribe.records import Recording
    from transcribe.store import Store

#: Why saved work was not taken in, in words.
_REJECTED = {
    "unfinished": "its writer had not ended it; --unfinished takes it as it is",
    "unknown_lease": "its writer never held this segment",
    "key_reused": "another text came under the same id",
    "erased": "its segment was erased",
}


@dataclass(frozen=True, kw_only=True)
class Period:
    """A period from *since* to before *until*, as UTC dates or moments; ``None``: without bound."""

    since: str | None = None
    until: str | None = None


def serve(wiring: Wiring, console: Console) -> Answer:
    """Open the desk until somebody stops it. Its address is said on stderr as soon as it answers."""
    from transcribe.desk import SCREEN, how_to_build
    from transcribe.desk.server import bind_address, open_desk
    from transcribe.desk.server import serve as answer_requests

    if not (SCREEN / "index.html").is_file():
        console.note(f"the desk's screen was not built, its API answers alone; `{how_to_build()}` brings it")
    address = bind_address(wiring.settings.desk, wiring.workspace)
    with (
        wiring.store.lock("serve"),
        _interrupt_opening() as is_open,
        open_desk(wiring.store, wiring.settings.desk, wiring.workspace, wiring.catalogue) as service,
    ):

        def announce(url: str) -> None:
            is_open.set()
            console.note(f"the desk is open at {url}")

        answer_requests(service, address, on_open=announce)
    return Answer(data={"url": address.url}, text="the desk is closed; everything that was sent is saved")


@contextmanager
def _interrupt_opening() -> Iterator[threading.Event]:
    """
    Let Ctrl-C and SIGTERM end a desk that is still opening at once; set the event once it is open.

    A server that is open takes the signals itself, and hands them on when there is nothing left to stop.
    """
    is_open = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        if not is_open.is_set():
            raise KeyboardInterrupt

    handlers = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield is_open
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def people_add(
    wiring: Wiring, name: str, roles: Sequence[str], dialects: Sequence[str], *, read_password: bool
) -> Answer:
    """Add a person. Without a password on stdin one is made, and printed this once."""
    from transcribe.desk import passwords

    password = _read_password() if read_password else passwords.generate()
    tags = [wiring.catalogue.find(tag).tag for tag in dialects]
    hashed = passwords.hash_password(password)
    person = wiring.store.add_person(name, _unique_roles(roles), dialects=tags, password=hashed)
    generated = {} if read_password else {"password": password}
    line = "" if read_password else f"\npassword: {password}\nit is not kept anywhere; give it to {name} now"
    text = f"{name} is in, as {', '.join(person.roles)}{line}"
    return Answer(data={"person": _person_data(person)} | generated, text=text)


def people_list(wiring: Wiring) -> Answer:
    """List everybody, with roles and dialects."""
    people = wiring.store.people()
    rows = [
        (
            person.name,
            ", ".join(person.roles),
            ", ".join(person.dialects) or "any",
            "disabled" if person.disabled else "",
        )
        for person in people
    ]
    text = table(("name", "roles", "dialects", ""), rows)
    return Answer(data={"people": [_person_data(person) for person in people]}, text=text)


def people_disable(wiring: Wiring, name: str, *, enable: bool) -> Answer:
    """Disable a person, or *enable* one again. Sessions and tokens end at once; what they wrote stays."""
    person = wiring.store.change_person(name, disabled=not enable)
    state = "may sign in again" if enable else "is out: sessions and tokens have ended"
    return Answer(data={"person": _person_data(person)}, text=f"{name} {state}")


def people_password(wiring: Wiring, name: str, *, read_password: bool) -> Answer:
    """Give a person a new password; every session ends."""
    from transcribe.desk import passwords

    password = _read_password() if read_password else passwords.generate()
    person = wiring.store.change_person(name, password=passwords.hash_password(password))
    generated = {} if read_password else {"password": password}
    line = "" if read_password else f"\npassword: {password}"
    return Answer(data={"person": _person_data(person)} | generated, text=f"{name} has a new password{line}")


def people_token(wiring: Wiring, name: str, scopes: Sequence[str], *, label: str, days: int, end: str | None) -> Answer:
    """Make a token for scripts that act as a person, printed this once; or end the token *end*."""
    from transcribe.desk.auth import key_hash, new_key

    if end is not None:
        if not wiring.store.end_token(end):
            raise InputError(f"token {end} was to be ended, and is not one that is good", code="E_TOKEN", item=end)
        return Answer(data={"ended": end}, text=f"token {end} is worth nothing any more")
    unknown = [scope for scope in scopes if scope not in PERMISSIONS]
    if unknown:
        raise UsageError(f"--scope {', '.join(unknown)} was asked for, the scopes are {', '.join(PERMISSIONS)}")
    key, person = new_key(), wiring.store.person_named(name)
    until = wiring.store.later(days * 86_400)
    granted = [scope for scope in PERMISSIONS if scope in scopes]
    token = wiring.store.add_token(key_hash(key), person, label, granted, until_at=until)
    document = {"id": token.id, "token": key, "scopes": list(token.scopes), "until": token.until_at}
    return Answer(
        data=document, text=f"token {token.id}, good until {until}\n{key}\nit is not kept anywhere; put it away now"
    )


def queue(wiring: Wiring, *, gold: Path | None, reopen: Sequence[str], first: float | None = None) -> Answer:
    """
    Count the segments that wait to be written, by dialect.

    Before that, keep those of *gold* for checking people, open those of *reopen* again, and put the *first* minutes
    that a model would learn most from before all others.
    """
    store, newest = wiring.store, wiring.store.newest_run()
    if store.terms.phrases:
        store.mask_terms(store.terms)
    store.lay_out(_rules(wiring.settings.desk), upto=newest)
    gold_count = store.set_gold(_read_gold(gold)) if gold is not None else 0
    reopened = [segment for segment in reopen if store.reopen(segment)]
    wanted = _choose_first(wiring, first) if first is not None else ()
    first_count = store.put_first([segment.id for segment in wanted])
    progress = store.progress()
    states = ("open", "held", "returned", "aside", "review", "disputed", "accepted", "unclear", "gold")
    rows = [
        (queued.dialect, *(str(queued.segments.get(state, 0)) for state in states), terminal.minutes(queued.accepted))
        for queued in progress
    ]
    lines = [f"{gold_count} segments are kept for checking people"] * (gold is not None)
    lines += [_describe_first(wanted, first_count)] * (first is not None)
    lines += [f"{len(reopened)} of {len(reopen)} segments are open again"] * bool(reopen)
    document = {
        "dialects": [asdict(queued) for queued in progress],
        "gold": gold_count,
        "reopened": reopened,
        "first": first_count,
    }
    return Answer(data=document, text=stack(lines, table(("dialect", *states, "accepted sound"), rows)))


def _choose_first(wiring: Wiring, minutes: float) -> tuple[UnlabelledSegment, ...]:
    from transcribe.actions.acquiring import correct_next
    from transcribe.actions.scoring import find_model, preparer

    prepare = preparer(wiring.settings.report, normaliser=None)
    return correct_next(wiring.store, find_model(wiring.store, None), prepare, minutes=minutes)


def _describe_first(wanted: Sequence[UnlabelledSegment], count: int) -> str:
    counts = Counter(segment.dialect for segment in wanted)
    dialects = ", ".join(f"{tag} {segments}" for tag, segments in sorted(counts.items()))
    minutes = sum(segment.seconds for segment in wanted) / 60
    return f"{count} segments are asked for first, {minutes:.1f} min of sound: {dialects or 'none'}"


def review(wiring: Wiring, *, verify: bool) -> Answer:
    """Count what waits for a reviewer, and since when; with *verify*, check that no text was changed after the fact."""
    store = wiring.store
    broken = store.broken_history() if verify else None
    if broken is not None:
        raise GateFailed(
            f"the history of segment {broken} is not the one that was written",
            code="E_HISTORY",
            hint="compare with a backup; the segments before it are whole",
            item=broken,
        )
    states = ("disputed", "review", "aside", "returned")
    waiting: list[dict[str, Any]] = [
        {
            "dialect": queued.dialect,
            "state": state,
            "segments": queued.segments[state],
            "oldest": queued.oldest[state],
        }
        for queued in store.progress()
        for state in states
        if queued.segments.get(state)
    ]
    rows = [(row["dialect"], row["state"], str(row["segments"]), row["oldest"]) for row in waiting]
    lines = ["every text is the one that was written"] * verify + ["nothing waits"] * (not rows)
    document = {"waiting": waiting, "verified": True if verify else None}
    return Answer(data=document, text=stack(lines, table(("dialect", "waits as", "segments", "oldest since"), rows)))


def import_outbox(wiring: Wiring, file: Path, *, unfinished: bool) -> Answer:
    """Take in unsent work that the screen saved to a file, as if it came over the network."""
    from transcribe.desk import outbox as intake
    from transcribe.desk.server import differ

    outbox = intake.read_outbox(file)
    if outbox.person.id not in {person.id for person in wiring.store.people()}:
        raise InputError(
            f"{file} was saved by {outbox.person.name}, who is not among the people of this workspace",
            code="E_PERSON",
            hint="import it where it was written",
            item=outbox.person.id,
        )
    rules = _rules(wiring.settings.desk)
    outcomes = list(intake.import_outbox(outbox, wiring.store, rules, differ(wiring.catalogue), unfinished=unfinished))
    counts = Counter(outcome.status for outcome in outcomes)
    failures = [
        Failure(
            item=outcome.op_id,
            code="E_REJECTED",
            message=_REJECTED.get(outcome.reason or "", f"rejected: {outcome.reason}"),
        )
        for outcome in outcomes
        if outcome.status == "rejected"
    ]
    operations = [{"op_id": outcome.op_id, "status": outcome.status, "reason": outcome.reason} for outcome in outcomes]
    line = ", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "nothing was in it"
    return Answer(data={"person": outbox.person.name, "operations": operations}, text=line, failures=failures)


def mask(
    wiring: Wiring, recording: str | None, *, start: int | None, end: int | None, lift: str | None, terms: Path | None
) -> Answer:
    """Mask a stretch of a recording, or what a list of terms names in drafts, or lift a mask; then list the masks."""
    store = wiring.store
    if lift is not None and not store.lift_mask(lift):
        raise InputError(f"mask {lift} was to be lifted, and is not there", code="E_MASK", hint="boli mask lists them")
    term_count = None
    if terms is not None or (recording is None and wiring.settings.desk.mask_terms is not None):
        term_count = store.mask_terms(terms_in(terms) if terms is not None else store.terms)
    target = None if recording is None else _find_recording(store, recording)
    if target is not None and (start is not None or end is not None):
        store.add_mask(target.id, start or 0, target.duration if end is None else end)
    masks = [asdict(region) for region in store.masks(recording=None if target is None else target.id)]
    rows = [(row["id"], row["recording"][:12], f"{row['start']}-{row['end']} ms", row["by"] or "") for row in masks]
    lines = [f"{term_count} stretches with terms were masked"] * (term_count is not None)
    lines += ["nothing is masked"] * (not rows)
    text = stack(lines, table(("mask", "recording", "stretch", "by"), rows))
    return Answer(data={"masks": masks, "found": term_count}, text=text)


def _find_recording(store: Store, name: str) -> Recording:
    recording = store.recording_by_path(name) or store.recording(name)
    if recording is None:
        raise InputError(f"{name} is not in the workspace", code="E_RECORDING", item=name)
    return recording


def report_productivity(wiring: Wiring, period: Period, *, out: Path | None) -> Answer:
    """Report the audio written, active time and first acceptance, by person and dialect."""
    from transcribe.desk.reports import format_csv, productivity

    document = productivity(wiring.store.pieces(since=period.since, until=period.until))
    _write(out, format_csv(document["people"]))
    names = ("segments", "sound_ms", "active_ms", "sound_minutes_an_hour", "reviewed", "accepted_first_time")
    rows = [(row["name"], *(_format_cell(name, row[name]) for name in names)) for row in document["people"]]
    head = ("name", "segments", "sound", "active", "min an hour", "reviewed", "accepted at once")
    return Answer(data=document, text=stack(_list_definitions(document), table(head, rows)))


def report_pay(wiring: Wiring, period: Period, *, rates: Path, out: Path | None) -> Answer:
    """Report the pay that is due to each person, a line a segment; the rates come from a file."""
    from transcribe.desk.reports import format_csv, parse_rates, pay

    try:
        values = tomllib.loads(rates.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{rates} cannot be read as TOML: {error}", code="E_RATES", item=str(rates)) from error
    document = pay(wiring.store.pieces(since=period.since, until=period.until), parse_rates(values))
    _write(out, format_csv(document["lines"]))
    rows = [
        (
            row["name"],
            str(row["segments"]),
            terminal.minutes(row["sound_ms"]),
            f"{row['amount']:.2f}",
            f"{row['not_due']:.2f}",
        )
        for row in document["people"]
    ]
    head = ("name", "segments", "sound", f"due {document['currency']}", "not due yet")
    return Answer(data=document, text=stack(_list_definitions(document), table(head, rows)))


def report_quality(wiring: Wiring, period: Period) -> Answer:
    """Report how far people agree, how they do on known segments, and what reviewers did, by dialect."""
    from transcribe.desk.quality import quality
    from transcribe.desk.server import differ

    store = wiring.store
    pieces = list(store.pieces(since=period.since, until=period.until))
    document = quality(pieces, store.pairs(), wiring.catalogue, differ(wiring.catalogue))
    names = ("pairs", "disagreement", "reviewed", "sent_back")
    rows = [(row["dialect"], *(_format_cell(name, row[name]) for name in names)) for row in document["dialects"]]
    head = ("dialect", "written twice", "disagreement", "reviewed", "sent back")
    return Answer(data=document, text=stack(_list_definitions(document), table(head, rows)))


def _read_password() -> str:
    """Read the first line of stdin, so that no password stands among a command's words."""
    if sys.stdin.isatty():
        import getpass

        return getpass.getpass("password: ")
    return sys.stdin.readline().rstrip("\n")


def _unique_roles(names: Sequence[str]) -> list[Role]:
    # The store refuses what is none; roles are listed in the order in which they were named.
    return list(dict.fromkeys(names))  # type: ignore[arg-type]


def _rules(settings: DeskSettings) -> Any:
    from transcribe.desk_records import DeskRules

    return DeskRules(**settings.model_dump(include=set(DeskRules.__dataclass_fields__)))


def _read_gold(file: Path) -> dict[str, str]:
    """Read texts by segment, from a CSV with the columns ``segment`` and ``text`` or JSON lines of the same."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            if file.suffix == ".jsonl":
                rows: list[dict[str, Any]] = [json.loads(line) for line in lines if line.strip()]
            else:
                rows = list(csv.DictReader(lines))
        return {str(row["segment"]): str(row["text"]) for row in rows}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{file} cannot be read: {error}", code="E_GOLD", hint="give columns segment and text", item=str(file)
        ) from error


def _person_data(person: Person) -> dict[str, Any]:
    return {
        "name": person.name,
        "roles": list(person.roles),
        "dialects": list(person.dialects),
        "disabled": person.disabled,
    }


def _write(out: Path | None, text: str) -> None:
    if out is not None:
        out.write_text(text, encoding="utf-8", newline="")


def _list_definitions(document: dict[str, Any]) -> list[str]:
    return [f"{word}: {meaning}" for word, meaning in document["definitions"].items()]


def _format_cell(name: str, figure: Any) -> str:
    if figure is None:
        return "–"
    if name.endswith("_ms"):
        return terminal.minutes(figure)
    return f"{figure:.1%}" if name == "disagreement" else str(figure)
