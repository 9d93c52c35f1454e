"""A desk for tests: drafted talks, people, and texts on their way in."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.store.factories import make_drafted, recording
from transcribe.desk_records import DeskRules, Lease, Operation, Person, Verdict
from transcribe.store import Store
from transcribe.store.leases import Ask

#: Nothing left to chance: every text counts at once, nobody writes twice.
PLAIN = DeskRules(review_share=0, second_share=0, gold_share=0, random_share=0)
REVIEWED = replace(PLAIN, review_share=1.0)
TWICE = replace(PLAIN, second_share=1.0)

_numbers = itertools.count()


class Clock:
    """A clock that goes only when told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def go(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def spread(*lots: float) -> Callable[[], float]:
    """Return a function that gives *lots* in turn, then over again."""
    turn: Iterator[float] = itertools.cycle(lots)
    return lambda: next(turn)


def talk(store: Store, name: str = "talk", count: int = 2, *, rules: DeskRules = PLAIN, **facts: Any) -> list[str]:
    """Add a recording of *count* segments, a second each, to the desk and return their ids, by time."""
    store.recordings.add([recording(name, **({"dialect": "hi"} | facts))])
    spoken = [("A", n * 1_000, (n + 1) * 1_000, f"word {n}") for n in range(count)]
    work = make_drafted(name, spoken)
    store.drafts.save(work)
    store.desk.lay_out(rules, draw=lambda: next(_numbers) / 1e9)
    return [segment.id for segment in work.segments]


def person(store: Store, name: str = "asha", *roles: Any, **facts: Any) -> Person:
    return store.people.add(name, roles or ("transcriber",), **facts)


def take(store: Store, who: Person, count: int = 1, *, rules: DeskRules = PLAIN, **facts: Any) -> tuple[Lease, ...]:
    ask = Ask(**({"count": count, "dialects": ("hi",)} | facts))
    return store.leases.take(who.id, ask, rules, draw=lambda: 1.0)


def operation(lease: Lease, text: str = "said", *, base: int | None = None, **facts: Any) -> Operation:
    fields = {"op_id": f"op-{next(_numbers)}", "segment": lease.segment, "fence": lease.fence} | facts
    whole = Operation(body="", base_version=lease.base if base is None else base, text=text, **fields)
    return replace(whole, body=hashlib.sha256(repr(whole).encode()).hexdigest())


def differ(dialect: str | None, text: str, other: str) -> float | None:
    """Return 0 for equal texts, else 1."""
    return 0.0 if text == other else 1.0


def submit(store: Store, who: Person, operation: Operation, *, rules: DeskRules = PLAIN) -> Any:
    return store.submissions.save(who.id, operation, rules, differ, draw=lambda: 0.5)


def verdict(lease: Lease, version: int, decision: Any = "accept", **facts: Any) -> Verdict:
    fields = {"op_id": f"verdict-{next(_numbers)}", "played": 60_000} | facts
    whole = Verdict(body="", segment=lease.segment, fence=lease.fence, version=version, decision=decision, **fields)
    return replace(whole, body=hashlib.sha256(repr(whole).encode()).hexdigest())
