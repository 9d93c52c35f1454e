"""Whatever is done to a store in whatever order, it answers like a few dictionaries."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.store.conftest import Lender
from tests.store.factories import correction, drafted, recording, recording_id
from transcribe.errors import Failure
from transcribe.records import Correction, Model
from transcribe.store import Store
from transcribe.store.work import TRIES

#: Four recordings, of which two are equally long.
LENGTHS = {"a": 5_000, "b": 9_000, "c": 5_000, "d": 1_000}
names = st.sampled_from(sorted(LENGTHS))
makes = st.sampled_from([("settings-1", "m1"), ("settings-2", "m1"), ("settings-3", "m2")])
starts = st.integers(0, 3).map(lambda n: n * 100)
spoken = st.lists(
    st.tuples(st.sampled_from("AB"), starts, st.sampled_from(["", "one", "दो तीन", "one two three"])),
    max_size=3,
    unique_by=lambda each: each[:2],
).map(lambda given: [(speaker, start, start + 100, text) for speaker, start, text in given])


@dataclass
class Known:
    """What a store must know, kept simply."""

    recordings: list[str] = field(default_factory=list)
    #: Settings, model and what was spoken, in the order they came, by recording.
    runs: dict[str, list[tuple[str, str, list[Any]]]] = field(default_factory=dict)
    begun: dict[str, int] = field(default_factory=dict)
    failed: dict[str, Failure] = field(default_factory=dict)
    corrections: list[Correction] = field(default_factory=list)
    models: dict[str, Model] = field(default_factory=dict)

    def pending(self, settings: str, *, retry_failed: bool) -> list[str]:
        left = [
            name
            for name in self.recordings
            if settings not in [run[0] for run in self.runs.get(name, [])]
            and self.begun.get(name, 0) < TRIES
            and (retry_failed or name not in self.failed)
        ]
        # What a process died over comes last.
        return sorted(left, key=lambda name: (name not in self.begun, LENGTHS[name], recording_id(name)), reverse=True)

    def standing(self) -> list[Correction]:
        last = {(each.recording, each.start, each.end, each.speaker): each for each in self.corrections}
        return sorted((each for each in last.values() if each.accepted), key=lambda each: each.id)

    def newest(self, name: str, model: str) -> list[Any] | None:
        return next((run[2] for run in reversed(self.runs.get(name, [])) if run[1] == model), None)


class Machine(RuleBasedStateMachine):
    """Does the same to a store and to a `Known`, and compares them after every step."""

    lender: Lender

    def __init__(self) -> None:
        super().__init__()
        self.url = self.lender.lend()
        self.store, self.known = Store.open(self.url), Known()

    def teardown(self) -> None:
        self.store.close()
        self.lender.give_back(self.url)

    @rule(given=st.lists(names, max_size=4))
    def add_recordings(self, given: list[str]) -> None:
        new = [name for name in dict.fromkeys(given) if name not in self.known.recordings]
        added = self.store.add_recordings(recording(name, duration=LENGTHS[name]) for name in given)
        assert added.new == tuple(map(recording_id, new))
        self.known.recordings += new

    @precondition(lambda self: self.known.recordings)
    @rule(data=st.data(), make=makes, spoken=spoken)
    def save(self, data: st.DataObject, make: tuple[str, str], spoken: list[Any]) -> None:
        name = data.draw(st.sampled_from(self.known.recordings))
        runs = self.known.runs.setdefault(name, [])
        new = make[0] not in [run[0] for run in runs]
        assert self.store.save_drafted(drafted(name, spoken, settings=make[0], model=make[1])) == new
        runs += [(*make, spoken)] if new else []
        self.known.begun.pop(name, None)
        self.known.failed.pop(name, None)

    @precondition(lambda self: self.known.recordings)
    @rule(data=st.data(), deaths=st.integers(0, TRIES), ends=st.sampled_from(["dies", "fails", "stops"]))
    def attempt(self, data: st.DataObject, deaths: int, ends: str) -> None:
        name = data.draw(st.sampled_from(self.known.recordings))
        self.known.failed.pop(name, None)
        for _ in range(deaths + 1):
            self.known.begun[name] = self.known.begun.get(name, 0) + 1
            assert self.store.begin_attempt(recording_id(name)) == self.known.begun[name]
        if ends == "fails":
            self.known.failed[name] = Failure(item=f"{name}.wav", code="E_X", message="no sound")
            self.store.fail(recording_id(name), "run", self.known.failed[name])
        if ends == "stops":
            self.store.end_attempt(recording_id(name))
        if ends != "dies":
            del self.known.begun[name]

    @rule(name=names)
    def clear(self, name: str) -> None:
        there = [self.known.begun.pop(name, None), self.known.failed.pop(name, None)]
        assert self.store.clear_failure(recording_id(name), "run") == (there != [None, None])

    @precondition(lambda self: self.known.recordings)
    @rule(data=st.data(), start=starts, speaker=st.sampled_from(["A", "B", None]), accepted=st.booleans())
    def correct(self, data: st.DataObject, start: int, speaker: str | None, accepted: bool) -> None:
        name, id = data.draw(st.sampled_from(self.known.recordings)), f"c{len(self.known.corrections)}"
        given = correction(id, name, start, start + 200, speaker=speaker, accepted=accepted, text=id)
        assert self.store.add_corrections([given]).new == (id,)
        assert self.store.add_corrections([given]).known == (id,)
        self.known.corrections.append(given)

    @rule(id=st.sampled_from(["m1", "m2"]), promote=st.booleans())
    def add_model(self, id: str, promote: bool) -> None:
        new = id not in self.known.models
        assert self.store.add_model(Model(id=id, place=id, name=id)) == new
        if new:
            self.known.models[id] = Model(id=id, place=id, name=id)
        if promote:
            self.store.promote(id)
            for other, model in self.known.models.items():
                retired = "retired" if model.state == "promoted" else model.state
                self.known.models[other] = replace(model, state="promoted" if other == id else retired)

    @invariant()
    def knows_what_is_left_and_what_failed(self) -> None:
        for retry in (False, True):
            left = [each.path[:-4] for each in self.store.pending("settings-1", retry_failed=retry)]
            assert left == self.known.pending("settings-1", retry_failed=retry)
        parked = {name for name, count in self.known.begun.items() if count >= TRIES}
        assert {each.item[:-4] for each in self.store.failures()} == parked | self.known.failed.keys()

    @invariant()
    def keeps_what_was_made(self) -> None:
        assert self.store.models() == tuple(self.known.models.values())
        for name in self.known.recordings:
            for model in ("m1", "m2"):
                expected = sorted(
                    (start, speaker, text) for speaker, start, _, text in self.known.newest(name, model) or []
                )
                found = self.store.drafted(recording_id(name), model)
                assert [(segment.start, segment.speaker, draft.text) for segment, draft in found] == expected

    @invariant()
    def keeps_and_scores_what_was_corrected(self) -> None:
        assert sorted(self.store.corrections(), key=lambda each: int(each.id[1:])) == self.known.corrections
        standing = self.known.standing()
        assert sorted(self.store.corrections(standing=True), key=lambda each: each.id) == standing
        heard = {recording_id(name): self.known.newest(name, "m1") for name in LENGTHS}
        scored = [each for each in standing if heard[each.recording] is not None]
        assert self.store.undrafted("m1") == len(standing) - len(scored)
        found = sorted(self.store.scoring_spans("m1"), key=lambda each: each.id)
        assert [each.id for each in found] == [each.id for each in scored]
        for span, given in zip(found, scored, strict=True):
            said = heard[given.recording] or []
            inside = [part for part in said if given.start <= part[1] < given.end]
            if given.speaker is None or given.speaker in [part[0] for part in said]:
                mine = [text.split() for who, _, _, text in inside if given.speaker in (None, who)]
                assert sorted(span.hypothesis.split()) == sorted(word for words in mine for word in words)


def test_a_store_answers_like_a_few_dictionaries(lender: Lender) -> None:
    class OnThisDatabase(Machine):
        pass

    OnThisDatabase.lender = lender
    run_state_machine_as_test(
        OnThisDatabase, settings=settings(max_examples=10, stateful_step_count=10, deadline=None, database=None)
    )
