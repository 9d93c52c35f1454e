"""The desk under any order of work: one holder a segment, no text lost, each operation once."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.store.conftest import Lender
from tests.store.desk_factories import PLAIN, Clock, differ, operation, talk, verdict
from transcribe.desk_records import Lease, Operation, Outcome
from transcribe.store import Store
from transcribe.store.leases import Ask

people = st.sampled_from(["asha", "ravi", "mina"])
shares = st.sampled_from([0.0, 1.0])


@dataclass
class Expected:
    """The state that the desk must have, kept simply."""

    #: Every hold that was ever given, with its person.
    leases: list[tuple[str, Lease]] = field(default_factory=list)
    #: What was sent and kept, by operation.
    outcomes: dict[str, tuple[str, Operation, Outcome]] = field(default_factory=dict)
    #: Texts that must be found on a segment, in the order they came.
    texts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    fences: dict[str, int] = field(default_factory=dict)


class Machine(RuleBasedStateMachine):
    """People with leases and texts, a clock, a reviewer."""

    lender: Lender

    def __init__(self) -> None:
        super().__init__()
        self.url, self.clock, self.expected = self.lender.lend(), Clock(), Expected()
        self.store = Store.open(self.url, clock=self.clock)
        self.rules = replace(PLAIN, second_share=0.5)
        self.segments = talk(self.store, count=3, rules=self.rules)
        names = ("asha", "ravi", "mina")
        self.people = {name: self.store.people.add(name, ["transcriber", "reviewer"]).id for name in names}

    def teardown(self) -> None:
        self.store.close()
        self.lender.give_back(self.url)

    @rule(who=people, count=st.integers(1, 3), offline=st.booleans(), again=st.booleans())
    def take(self, who: str, count: int, offline: bool, again: bool) -> None:
        ask = Ask(count=count, dialects=("hi",), offline=offline, again=self.segments if again else ())
        for lease in self.store.leases.take(self.people[who], ask, self.rules, draw=lambda: 1.0):
            assert lease.fence > self.expected.fences.get(lease.segment, 0)
            self.expected.fences[lease.segment] = lease.fence
            self.expected.leases.append((who, lease))

    @rule(seconds=st.sampled_from([1, 901, 90_000]))
    def wait(self, seconds: int) -> None:
        self.clock.go(seconds)

    @precondition(lambda self: self.expected.leases)
    @rule(data=st.data(), who=people, reason=st.sampled_from([None, "dialect", "help"]))
    def give_back(self, data: st.DataObject, who: str, reason: Any) -> None:
        owner, lease = data.draw(st.sampled_from(self.expected.leases))
        done = self.store.leases.give_back(lease.id, self.people[who], reason=reason)
        assert not done or who == owner

    @precondition(lambda self: self.expected.leases)
    @rule(data=st.data(), base=st.integers(0, 3), text=st.sampled_from(["one", "two", "तीन"]), share=shares)
    def submit(self, data: st.DataObject, base: int, text: str, share: float) -> None:
        who, lease = data.draw(st.sampled_from(self.expected.leases))
        sent = operation(lease, text, base=base)
        outcome = self._send(who, sent, share)
        assert outcome.status in ("applied", "conflict", "late")
        newest = lease.fence == self.expected.fences[lease.segment]
        assert newest or outcome.status == "late"
        self.expected.outcomes[sent.op_id] = (who, sent, outcome)
        self.expected.texts[lease.segment].append(text)

    @precondition(lambda self: self.expected.outcomes)
    @rule(data=st.data(), change=st.booleans(), who=people, share=shares)
    def send_again(self, data: st.DataObject, change: bool, who: str, share: float) -> None:
        owner, sent, first = self.expected.outcomes[data.draw(st.sampled_from(sorted(self.expected.outcomes)))]
        body = hashlib.sha256(b"other").hexdigest() if change else sent.body
        outcome = self._send(who, replace(sent, body=body), share)
        if change or who != owner:
            assert (outcome.status, outcome.reason) == ("rejected", "key_reused")
        elif first.status == "conflict":
            assert (outcome.status, outcome.text_sha256) == ("conflict", first.text_sha256)
        else:
            assert (outcome.status, outcome.version) == ("duplicate", first.version)

    @rule(who=people, decision=st.sampled_from(["accept", "send_back", "unclear", "reopen"]), with_text=st.booleans())
    def review(self, who: str, decision: Any, with_text: bool) -> None:
        lease = self.store.reviews.take(self.people[who], self.rules)
        if lease is None:
            return
        self.expected.fences[lease.segment] = max(self.expected.fences.get(lease.segment, 0), lease.fence)
        view = self.store.desk.fetch_views([lease.segment])[lease.segment]
        words = "whole" if with_text and decision == "accept" else None
        outcome = self.store.reviews.decide(
            self.people[who], verdict(lease, view.version, decision, text=words), self.rules
        )
        if outcome.status == "applied":
            self.expected.fences[lease.segment] = lease.fence + 1
            if words and outcome.version != view.version:
                self.expected.texts[lease.segment].append(words)

    @invariant()
    def holds_each_segment_once(self) -> None:
        with self.store.database.begin_read() as connection:
            live = connection.exec_driver_sql(
                "SELECT segment, count(*) FROM leases WHERE ended_at IS NULL GROUP BY segment HAVING count(*) > 1"
            )
            assert live.all() == []
            held = connection.exec_driver_sql(
                "SELECT count(*) FROM desk WHERE (state = 'held') <> EXISTS"
                " (SELECT 1 FROM leases WHERE leases.segment = desk.segment AND ended_at IS NULL)"
            )
            assert held.scalar_one() == 0

    @invariant()
    def loses_no_text(self) -> None:
        for segment in self.segments:
            versions = self.store.reviews.fetch_versions(segment)
            assert [version.version for version in versions] == list(range(1, len(versions) + 1))
            assert [version.text for version in versions] == self.expected.texts[segment]

    @invariant()
    def keeps_an_unbroken_history(self) -> None:
        assert self.store.audit.find_broken_history() is None

    def _send(self, who: str, sent: Operation, share: float) -> Outcome:
        rules = replace(self.rules, review_share=share)
        return self.store.submissions.save(self.people[who], sent, rules, differ, draw=lambda: 0.5)


def test_the_desk_keeps_its_promises_whatever_people_do(lender: Lender) -> None:
    class OnThisDatabase(Machine):
        pass

    OnThisDatabase.lender = lender
    run_state_machine_as_test(
        OnThisDatabase, settings=settings(max_examples=15, stateful_step_count=15, deadline=None, database=None)
    )
