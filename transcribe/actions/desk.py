"""The correction desk from the command line: open it, its people, what waits, what was done."""

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

from transcribe import printing
from transcribe.actions.tables import stacked, table
from transcribe.config import DeskSettings
from transcribe.console import Answer, Console
from transcribe.desk_records import PERMISSIONS, Person, Role
from transcribe.errors import Failure, GateFailed, InputError, UsageError
from transcribe.masking import terms_in
from transcribe.wiring import Wiring

if TYPE_CHECKING:
    from dialects.acquiring import UnlabelledSegment

#: Why saved work was not taken in, in words.
_REJECTED = {
    "unfinished": "its writer had not ended it; --unfinished takes it as it is",
    "unknown_lease": "its writer never held this segment",
    "key_reused": "another text came under the same id",
    "erased": "its segment was erased",
}


@dataclass(frozen=True, kw_only=True)
class Period:
    """From when to before when, as UTC dates or moments; ``None``: without bound."""

    since: str | None = None
    until: str | None = None


def serve(wiring: Wiring, console: Console) -> Answer:
    """Open the desk until somebody stops it. Its address is said on stderr as soon as it answers."""
    from transcribe.review import SCREEN, how_to_build
    from transcribe.review.serving import bind_address, open_desk
    from transcribe.review.serving import serve as answer

    if not (SCREEN / "index.html").is_file():
        console.note(f"the desk's screen was not built, its API answers alone; `{how_to_build()}` brings it")
    place = bind_address(wiring.settings.desk, wiring.workspace)
    with (
        wiring.store.lock("serve"),
        _told_to_stop() as is_open,
        open_desk(wiring.store, wiring.settings.desk, wiring.workspace, wiring.catalogue) as service,
    ):

        def told(url: str) -> None:
            is_open.set()
            console.note(f"the desk is open at {url}")

        answer(service, place, on_open=told)
    return Answer(data={"url": place.url}, text="the desk is closed; everything that was sent is saved")


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """
    Let Ctrl-C and SIGTERM end what is opening at once. A server that is open takes them itself, and hands them on
    when there is nothing left to stop.
    """
    is_open = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        if not is_open.is_set():
            raise KeyboardInterrupt

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield is_open
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def people_add(
    wiring: Wiring, name: str, roles: Sequence[str], dialects: Sequence[str], *, read_password: bool
) -> Answer:
    """Take somebody in. Without a password on stdin one is made, and said this once."""
    from transcribe.review import passwords

    password = _read_password() if read_password else passwords.generate()
    tags = [wiring.catalogue.find(tag).tag for tag in dialects]
    person = wiring.store.add_person(name, _roles(roles), dialects=tags, password=passwords.hash_password(password))
    told = {} if read_password else {"password": password}
    line = "" if read_password else f"\npassword: {password}\nit is not kept anywhere; give it to {name} now"
    return Answer(data={"person": _shown(person)} | told, text=f"{name} is in, as {', '.join(person.roles)}{line}")


def people_list(wiring: Wiring) -> Answer:
    """Everybody, with roles and dialects."""
    found = wiring.store.people()
    rows = [
        (each.name, ", ".join(each.roles), ", ".join(each.dialects) or "any", "disabled" if each.disabled else "")
        for each in found
    ]
    listed = table(("name", "roles", "dialects", ""), rows)
    return Answer(data={"people": [_shown(each) for each in found]}, text=listed)


def people_disable(wiring: Wiring, name: str, *, enable: bool) -> Answer:
    """Shut somebody out, or let them in again. Sessions and tokens end at once; what they wrote stays."""
    person = wiring.store.change_person(name, disabled=not enable)
    state = "may sign in again" if enable else "is out: sessions and tokens have ended"
    return Answer(data={"person": _shown(person)}, text=f"{name} {state}")


def people_password(wiring: Wiring, name: str, *, read_password: bool) -> Answer:
    """A new password; every session ends."""
    from transcribe.review import passwords

    password = _read_password() if read_password else passwords.generate()
    person = wiring.store.change_person(name, password=passwords.hash_password(password))
    told = {} if read_password else {"password": password}
    line = "" if read_password else f"\npassword: {password}"
    return Answer(data={"person": _shown(person)} | told, text=f"{name} has a new password{line}")


def people_token(wiring: Wiring, name: str, scopes: Sequence[str], *, label: str, days: int, end: str | None) -> Answer:
    """A token for scripts that act as somebody, said this once; or the end of one."""
    from transcribe.review.access import key_hash, new_key

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
    data = {"id": token.id, "token": key, "scopes": list(token.scopes), "until": token.until_at}
    return Answer(
        data=data, text=f"token {token.id}, good until {until}\n{key}\nit is not kept anywhere; put it away now"
    )


def queue(wiring: Wiring, *, gold: Path | None, reopen: Sequence[str], first: float | None = None) -> Answer:
    """
    What waits to be written, by dialect; keeps segments for checking people, opens finished ones again, and asks first
    for the *first* minutes that a model would learn most from.
    """
    store, newest = wiring.store, wiring.store.newest_run()
    if store.terms.phrases:
        store.mask_terms(store.terms)
    store.lay_out(_rules(wiring.settings.desk), upto=newest)
    kept = store.set_gold(_gold_texts(gold)) if gold is not None else 0
    opened = [segment for segment in reopen if store.reopen(segment)]
    wanted = _teaching(wiring, first) if first is not None else ()
    asked_first = store.put_first([one.id for one in wanted])
    found = store.progress()
    states = ("open", "held", "returned", "aside", "review", "disputed", "accepted", "unclear", "gold")
    rows = [
        (each.dialect, *(str(each.segments.get(state, 0)) for state in states), printing.minutes(each.accepted))
        for each in found
    ]
    lines = [f"{kept} segments are kept for checking people"] * (gold is not None)
    lines += [_first_line(wanted, asked_first)] * (first is not None)
    lines += [f"{len(opened)} of {len(reopen)} segments are open again"] * bool(reopen)
    data = {"dialects": [asdict(each) for each in found], "gold": kept, "reopened": opened, "first": asked_first}
    return Answer(data=data, text=stacked(lines, table(("dialect", *states, "accepted sound"), rows)))


def _teaching(wiring: Wiring, minutes: float) -> tuple[UnlabelledSegment, ...]:
    from transcribe.actions.acquiring import correct_next
    from transcribe.actions.scoring import model_named, preparer

    prepare = preparer(wiring.settings.report, normaliser=None)
    return correct_next(wiring.store, model_named(wiring.store, None), prepare, minutes=minutes)


def _first_line(wanted: Sequence[UnlabelledSegment], asked: int) -> str:
    dialects = ", ".join(f"{tag} {count}" for tag, count in sorted(Counter(one.dialect for one in wanted).items()))
    sound = sum(one.seconds for one in wanted) / 60
    return f"{asked} segments are asked for first, {sound:.1f} min of sound: {dialects or 'none'}"


def review(wiring: Wiring, *, verify: bool) -> Answer:
    """What waits for a reviewer, and since when; whether every text is still the one that was written."""
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
        {"dialect": each.dialect, "state": state, "segments": each.segments[state], "oldest": each.oldest[state]}
        for each in store.progress()
        for state in states
        if each.segments.get(state)
    ]
    rows = [(row["dialect"], row["state"], str(row["segments"]), row["oldest"]) for row in waiting]
    lines = ["every text is the one that was written"] * verify + ["nothing waits"] * (not rows)
    listed = table(("dialect", "waits as", "segments", "oldest since"), rows)
    data = {"waiting": waiting, "verified": True if verify else None}
    return Answer(data=data, text=stacked(lines, listed))


def import_outbox(wiring: Wiring, file: Path, *, unfinished: bool) -> Answer:
    """Unsent work that the screen saved to a file, taken in as if it came over the line."""
    from transcribe.review import intake
    from transcribe.review.serving import differ

    outbox = intake.read_outbox(file)
    if outbox.person.id not in {each.id for each in wiring.store.people()}:
        raise InputError(
            f"{file} was saved by {outbox.person.name}, who is not among the people of this workspace",
            code="E_PERSON",
            hint="import it where it was written",
            item=outbox.person.id,
        )
    rules = _rules(wiring.settings.desk)
    found = list(intake.import_outbox(outbox, wiring.store, rules, differ(wiring.catalogue), unfinished=unfinished))
    counts = Counter(each.status for each in found)
    failures = [
        Failure(
            item=each.op_id, code="E_REJECTED", message=_REJECTED.get(each.reason or "", f"rejected: {each.reason}")
        )
        for each in found
        if each.status == "rejected"
    ]
    told = [{"op_id": each.op_id, "status": each.status, "reason": each.reason} for each in found]
    line = ", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "nothing was in it"
    return Answer(data={"person": outbox.person.name, "operations": told}, text=line, failures=failures)


def mask(
    wiring: Wiring, recording: str | None, *, start: int | None, end: int | None, lift: str | None, terms: Path | None
) -> Answer:
    """Mask a stretch of a recording, or what a list of terms names in drafts, or lift a mask; lists what is masked."""
    store, found = wiring.store, None
    if lift is not None and not store.lift_mask(lift):
        raise InputError(f"mask {lift} was to be lifted, and is not there", code="E_MASK", hint="boli mask lists them")
    if terms is not None or (recording is None and wiring.settings.desk.mask_terms is not None):
        found = store.mask_terms(terms_in(terms) if terms is not None else store.terms)
    known = None
    if recording is not None:
        known = store.recording_by_path(recording) or store.recording(recording)
        if known is None:
            raise InputError(f"{recording} is not in the workspace", code="E_RECORDING", item=recording)
    if known is not None and (start is not None or end is not None):
        store.add_mask(known.id, start or 0, known.duration if end is None else end)
    masks = [asdict(each) for each in store.masks(recording=None if known is None else known.id)]
    rows = [(row["id"], row["recording"][:12], f"{row['start']}-{row['end']} ms", row["by"] or "") for row in masks]
    lines = [f"{found} stretches with terms were masked"] * (found is not None) + ["nothing is masked"] * (not rows)
    listed = table(("mask", "recording", "stretch", "by"), rows)
    return Answer(data={"masks": masks, "found": found}, text=stacked(lines, listed))


def report_productivity(wiring: Wiring, period: Period, *, out: Path | None) -> Answer:
    """Sound written, active time and first acceptance, by person and dialect."""
    from transcribe.review.reports import format_csv, productivity

    data = productivity(wiring.store.pieces(since=period.since, until=period.until))
    _write(out, format_csv(data["people"]))
    names = ("segments", "sound_ms", "active_ms", "sound_minutes_an_hour", "reviewed", "accepted_first_time")
    rows = [(row["name"], *(_cell(name, row[name]) for name in names)) for row in data["people"]]
    head = ("name", "segments", "sound", "active", "min an hour", "reviewed", "accepted at once")
    return Answer(data=data, text=stacked(_explained(data), table(head, rows)))


def report_pay(wiring: Wiring, period: Period, *, rates: Path, out: Path | None) -> Answer:
    """What is due to whom, a line a segment; the rates come from a file."""
    from transcribe.review.reports import format_csv, parse_rates, pay

    try:
        values = tomllib.loads(rates.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{rates} cannot be read as TOML: {error}", code="E_RATES", item=str(rates)) from error
    data = pay(wiring.store.pieces(since=period.since, until=period.until), parse_rates(values))
    _write(out, format_csv(data["lines"]))
    rows = [
        (
            row["name"],
            str(row["segments"]),
            printing.minutes(row["sound_ms"]),
            _money(row["amount"]),
            _money(row["not_due"]),
        )
        for row in data["people"]
    ]
    head = ("name", "segments", "sound", f"due {data['currency']}", "not due yet")
    return Answer(data=data, text=stacked(_explained(data), table(head, rows)))


def report_quality(wiring: Wiring, period: Period) -> Answer:
    """How far people agree, how they do on known segments, and what reviewers did, by dialect."""
    from transcribe.review.quality import quality
    from transcribe.review.serving import differ

    store = wiring.store
    pieces = list(store.pieces(since=period.since, until=period.until))
    data = quality(pieces, store.pairs(), wiring.catalogue, differ(wiring.catalogue))
    rows = [
        (row["dialect"], *(_cell(name, row[name]) for name in ("pairs", "disagreement", "reviewed", "sent_back")))
        for row in data["dialects"]
    ]
    head = ("dialect", "written twice", "disagreement", "reviewed", "sent back")
    return Answer(data=data, text=stacked(_explained(data), table(head, rows)))


def _read_password() -> str:
    """The first line of stdin, so that no password stands among a command's words."""
    if sys.stdin.isatty():
        import getpass

        return getpass.getpass("password: ")
    return sys.stdin.readline().rstrip("\n")


def _roles(given: Sequence[str]) -> list[Role]:
    # The store refuses what is none; the order given is the order shown.
    return list(dict.fromkeys(given))  # type: ignore[arg-type]


def _rules(settings: DeskSettings) -> Any:
    from transcribe.desk_records import DeskRules

    return DeskRules(**settings.model_dump(include=set(DeskRules.__dataclass_fields__)))


def _gold_texts(file: Path) -> dict[str, str]:
    """Texts by segment, from a CSV with the columns ``segment`` and ``text`` or JSON lines of the same."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            if file.suffix == ".jsonl":
                rows: list[dict[str, Any]] = [json.loads(line) for line in opened if line.strip()]
            else:
                rows = list(csv.DictReader(opened))
        return {str(row["segment"]): str(row["text"]) for row in rows}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{file} cannot be read: {error}", code="E_GOLD", hint="give columns segment and text", item=str(file)
        ) from error


def _shown(person: Person) -> dict[str, Any]:
    return {
        "name": person.name,
        "roles": list(person.roles),
        "dialects": list(person.dialects),
        "disabled": person.disabled,
    }


def _write(out: Path | None, text: str) -> None:
    if out is not None:
        out.write_text(text, encoding="utf-8", newline="")


def _explained(data: dict[str, Any]) -> list[str]:
    return [f"{word}: {meaning}" for word, meaning in data["definitions"].items()]


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if name.endswith("_ms"):
        return printing.minutes(value)
    return f"{value:.1%}" if name == "disagreement" else str(value)


def _money(amount: float) -> str:
    return f"{amount:.2f}"
