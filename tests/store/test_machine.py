"""The store under any order of work answers like a few dictionaries."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.store.conftest import Lender
from tests.store.factories import correction, make_drafted, recording, recording_id
from transcribe.errors import Failure
from transcribe.records import Correction, Model
from transcribe.store import Store
from transcribe.store.attempts import TRIES

#: Four recordings, of which two are equally long.
LENGTHS = {"a": 5_000, "b": 9_000, "c": 5_000, "d": 1_000}
names = st.sampled_from(sorted(LENGTHS))
makes = st.sampled_from([("settings-1", "m1"), ("settings-2", "m1"), ("settings-3", "m2")])
starts = st.integers(0, 3).map(lambda n: n * 100)
spoken = st.lists(
    st.tuples(st.sampled_from("AB"), starts, st.sampled_from(["", "one", "दो तीन", "one two three"])),
    max_size=3,
    unique_by=lambda part: part[:2],
).map(lambda parts: [(speaker, start, start + 100, text) for speaker, start, text in parts])


@dataclass
class Expected:
    """The content that a store must have, kept simply."""

    recordings: list[str] = field(default_factory=list)
    #: Settings, model and what was spoken, in the order they came, by recording.
    runs: dict[str, list[tuple[str, str, list[Any]]]] = field(default_factory=dict)
    begun: dict[str, int] = field(default_factory=dict)
    failed: dict[str, Failure] = field(default_factory=dict)
    corrections: list[Correction] = field(default_factory=list)
    models: dict[str, Model] = field(default_factory=dict)

    def pending(self, settings: str, *, retry_failed: bool) -> list[str]:
        pending = [
            name
            for name in self.recordings
            if settings not in [run[0] for run in self.runs.get(name, [])]
            and self.begun.get(name, 0) < TRIES
            and (retry_failed or name not in self.failed)
        ]
        # What a process died over comes last.
        return sorted(
            pending, key=lambda name: (name not in self.begun, LENGTHS[name], recording_id(name)), reverse=True
        )

    def standing(self) -> list[Correction]:
        last = {
            (correction.recording, correction.start, correction.end, correction.speaker): correction
            for correction in self.corrections
        }
        return sorted(
            (correction for correction in last.values() if correction.accepted), key=lambda correction: correction.id
        )

    def newest(self, name: str, model: str) -> list[Any] | None:
        return next((run[2] for run in reversed(self.runs.get(name, [])) if run[1] == model), None)


class Machine(RuleBasedStateMachine):
    """Does the same to a store and to an `Expected`, and compares them after every step."""

    lender: Lender

    def __init__(self) -> None:
        super().__init__()
        self.url = self.lender.lend()
        self.store, self.expected = Store.open(self.url), Expected()

    def teardown(self) -> None:
        self.store.close()
        self.lender.give_back(self.url)

    @rule(chosen=st.lists(names, max_size=4))
    def add_recordings(self, chosen: list[str]) -> None:
        new = [name for name in dict.fromkeys(chosen) if name not in self.expected.recordings]
        added = self.store.recordings.add(recording(name, duration=LENGTHS[name]) for name in chosen)
        assert added.new == tuple(map(recording_id, new))
        self.expected.recordings += new

    @precondition(lambda self: self.expected.recordings)
    @rule(data=st.data(), make=makes, spoken=spoken)
    def save(self, data: st.DataObject, make: tuple[str, str], spoken: list[Any]) -> None:
        name = data.draw(st.sampled_from(self.expected.recordings))
        runs = self.expected.runs.setdefault(name, [])
        new = make[0] not in [run[0] for run in runs]
        assert self.store.drafts.save(make_drafted(name, spoken, settings=make[0], model=make[1])) == new
        runs += [(*make, spoken)] if new else []
        self.expected.begun.pop(name, None)
        self.expected.failed.pop(name, None)

    @precondition(lambda self: self.expected.recordings)
    @rule(data=st.data(), deaths=st.integers(0, TRIES), ends=st.sampled_from(["dies", "fails", "stops"]))
    def attempt(self, data: st.DataObject, deaths: int, ends: str) -> None:
        name = data.draw(st.sampled_from(self.expected.recordings))
        self.expected.failed.pop(name, None)
        for _ in range(deaths + 1):
            self.expected.begun[name] = self.expected.begun.get(name, 0) + 1
            assert self.store.attempts.begin(recording_id(name)) == self.expected.begun[name]
        if ends == "fails":
            self.expected.failed[name] = Failure(item=f"{name}.wav", code="E_X", message="no sound")
            self.store.attempts.save_failure(recording_id(name), "run", self.expected.failed[name])
        if ends == "stops":
            self.store.attempts.end(recording_id(name))
        if ends != "dies":
            del self.expected.begun[name]

    @rule(name=names)
    def clear(self, name: str) -> None:
        there = [self.expected.begun.pop(name, None), self.expected.failed.pop(name, None)]
        assert self.store.attempts.clear_failure(recording_id(name), "run") == (there != [None, None])

    @precondition(lambda self: self.expected.recordings)
    @rule(data=st.data(), start=starts, speaker=st.sampled_from(["A", "B", None]), accepted=st.booleans())
    def correct(self, data: st.DataObject, start: int, speaker: str | None, accepted: bool) -> None:
        name, id = data.draw(st.sampled_from(self.expected.recordings)), f"c{len(self.expected.corrections)}"
        sent = correction(id, name, start, start + 200, speaker=speaker, accepted=accepted, text=id)
        assert self.store.corrections.add([sent]).new == (id,)
        assert self.store.corrections.add([sent]).existing == (id,)
        self.expected.corrections.append(sent)

    @rule(id=st.sampled_from(["m1", "m2"]), promote=st.booleans())
    def add_model(self, id: str, promote: bool) -> None:
        new = id not in self.expected.models
        assert self.store.models.add(Model(id=id, place=id, name=id)) == new
        if new:
            self.expected.models[id] = Model(id=id, place=id, name=id)
        if promote:
            self.store.models.promote(id)
            for other, model in self.expected.models.items():
                retired = "retired" if model.state == "promoted" else model.state
                self.expected.models[other] = replace(model, state="promoted" if other == id else retired)

    @invariant()
    def knows_what_is_left_and_what_failed(self) -> None:
        for retry in (False, True):
            paths = [
                recording.path[:-4] for recording in self.store.attempts.fetch_pending("settings-1", retry_failed=retry)
            ]
            assert paths == self.expected.pending("settings-1", retry_failed=retry)
        parked = {name for name, count in self.expected.begun.items() if count >= TRIES}
        assert {
            failure.item[:-4] for failure in self.store.attempts.fetch_failures()
        } == parked | self.expected.failed.keys()

    @invariant()
    def keeps_what_was_made(self) -> None:
        assert self.store.models.fetch() == tuple(self.expected.models.values())
        for name in self.expected.recordings:
            for model in ("m1", "m2"):
                expected = sorted(
                    (start, speaker, text) for speaker, start, _, text in self.expected.newest(name, model) or []
                )
                drafted = self.store.drafts.fetch_with_segments(recording_id(name), model)
                assert [(segment.start, segment.speaker, draft.text) for segment, draft in drafted] == expected

    @invariant()
    def keeps_and_scores_what_was_corrected(self) -> None:
        assert (
            sorted(self.store.corrections.fetch(), key=lambda correction: int(correction.id[1:]))
            == self.expected.corrections
        )
        standing = self.expected.standing()
        assert sorted(self.store.corrections.fetch(standing=True), key=lambda correction: correction.id) == standing
        runs = {recording_id(name): self.expected.newest(name, "m1") for name in LENGTHS}
        scored = [correction for correction in standing if runs[correction.recording] is not None]
        assert self.store.corrections.count_undrafted("m1") == len(standing) - len(scored)
        spans = sorted(self.store.corrections.fetch_scoring_spans("m1"), key=lambda span: span.id)
        assert [span.id for span in spans] == [correction.id for correction in scored]
        for span, claim in zip(spans, scored, strict=True):
            parts = runs[claim.recording] or []
            inside = [part for part in parts if claim.start <= part[1] < claim.end]
            if claim.speaker is None or claim.speaker in [part[0] for part in parts]:
                spoken = [text.split() for who, _, _, text in inside if claim.speaker in (None, who)]
                assert sorted(span.hypothesis.split()) == sorted(word for words in spoken for word in words)


def test_a_store_answers_like_a_few_dictionaries(lender: Lender) -> None:
    class OnThisDatabase(Machine):
        pass

    OnThisDatabase.lender = lender
    run_state_machine_as_test(
        OnThisDatabase, settings=settings(max_examples=10, stateful_step_count=10, deadline=None, database=None)
    )
