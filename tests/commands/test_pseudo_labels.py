"""`boli pseudo-label`: what is surely right counts without a person, and ends by itself where audits find it is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.store.factories import correction, make_drafted, recording, recording_id
from transcribe import audio
from transcribe.commands.datasets import freeze_dataset
from transcribe.commands.desk import prioritise_segments
from transcribe.commands.pseudo_labels import accept_drafts
from transcribe.desk_records import DeskRules
from transcribe.records import Drafted, Model, Word
from transcribe.store.leases import Ask
from transcribe.wiring import Wiring
from transcribe.workspace import create

MODEL = "m" * 64
RIGHT = "one two three four five"
WRONG = "one two tree for hive"
#: Segments of each recording: the even ones are sure.
SEGMENTS = 20


def talk(name: str, *, sure_text: str = RIGHT) -> Drafted:
    """A recording of which every other segment is drafted with much confidence, and the rest with little and wrong."""
    spoken = [(name, at * 1_000, at * 1_000 + 900, WRONG if at % 2 else sure_text) for at in range(SEGMENTS)]
    work = make_drafted(name, spoken, model=MODEL, settings="s")

    def confident(at: int, words: tuple[Word, ...]) -> tuple[Word, ...]:
        return tuple(replace(word, probability=0.3 if at % 2 else 0.99) for word in words)

    drafts = [
        replace(draft, words=confident(at, draft.words), log_probability=-0.01) for at, draft in enumerate(work.drafts)
    ]
    return replace(work, drafts=tuple(drafts))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Six written recordings, six that nobody wrote, two of the test; of the latter none is ever accepted."""
    place = create(tmp_path / "w", {"grow": {"audit_share": 0.5}})
    with Wiring.open(place) as wiring:
        store = wiring.store
        store.models.add(Model(id=MODEL, place="x", name="base", state="promoted"))
        for at in range(14):
            name = f"talk{at}"
            split = "test" if at >= 12 else "train"
            store.recordings.add([recording(name, dialect="en-GB", speaker=name, session=name, split=split)])
            store.drafts.save(talk(name))
            if at < 6:
                write(wiring, name)
    return place


def write(wiring: Wiring, name: str, segments: set[str] | None = None) -> None:
    """A person writes the right text of a recording's *segments*, or of all, from the sound alone."""
    wiring.store.corrections.add(
        correction(f"c-{one.id}", name, one.start, one.end, segment=one.id, speaker=one.speaker, text=RIGHT)
        for one in wiring.store.drafts.fetch_segments(recording_id(name))
        if segments is None or one.id in segments
    )


def lots() -> float:
    """Every other one is audited."""
    lots.state = 1 - getattr(lots, "state", 0)  # type: ignore[attr-defined]
    return 0.1 if lots.state else 0.9  # type: ignore[attr-defined]


def audit(wiring: Wiring) -> None:
    for one in list(wiring.store.pseudo_labels.fetch()):
        if one.audit:
            name = next(path for path in (f"talk{at}" for at in range(14)) if recording_id(path) == one.recording)
            write(wiring, name, {one.segment})


def test_what_is_sure_counts_without_a_person_and_audits_agree(workspace: Path) -> None:
    with Wiring.open(workspace) as wiring:
        (told,) = accept_drafts(wiring, draw=lots, dry_run=True).data["dialects"]
        assert list(wiring.store.pseudo_labels.fetch()) == [], "a dry run changes nothing"
        (told,) = accept_drafts(wiring, draw=lots).data["dialects"]
        assert (told["dialect"], told["segments"], told["reviewed"]) == ("en-GB", 240, 120)
        assert (told["change"], told["accepted"], told["state"]) == (60, 30, "growing")
        found = list(wiring.store.pseudo_labels.fetch())
        tested = {recording_id("talk12"), recording_id("talk13")}
        assert not tested & {one.recording for one in found}
        assert all(one.risk <= 0.05 for one in found)

        audit(wiring)
        (told,) = accept_drafts(wiring, draw=lots).data["dialects"]
        assert (told["audited"], told["wer"], told["change"], told["state"]) == (30, 0.0, 0, "growing")


def test_accepted_drafts_are_marked_in_a_dataset_and_weigh_less(workspace: Path) -> None:
    with Wiring.open(workspace) as wiring:
        accept_drafts(wiring, draw=lots)
        # A recording whose sound was erased is not learnt from; these have theirs.
        for found in wiring.store.recordings.fetch():
            sound = audio.locate(wiring.audio_folder, found.id)
            sound.parent.mkdir(parents=True, exist_ok=True)
            sound.touch()
        freeze_dataset(wiring, "grown")
        examples = list(wiring.open_dataset("grown").examples())
    pseudo = [one for one in examples if one.provenance is not None and one.provenance.kind == "pseudo"]
    assert len(pseudo) == 30
    assert {(one.weight, one.split, one.text, one.provenance and one.provenance.by) for one in pseudo} == {
        (0.5, "train", RIGHT, MODEL)
    }


def test_acceptance_ends_by_itself_where_the_model_became_worse(workspace: Path) -> None:
    """As sure as ever, and wrong: what people wrote before says nothing of it, and the audit does."""
    with Wiring.open(workspace) as wiring:
        for at in range(6):
            name = f"worse{at}"
            wiring.store.recordings.add([recording(name, dialect="en-GB", speaker=name, session=name, split="train")])
            wiring.store.drafts.save(talk(name, sure_text="one two tree four five"))
        accept_drafts(wiring, draw=lots)
        for one in list(wiring.store.pseudo_labels.fetch()):
            names = [f"talk{at}" for at in range(14)] + [f"worse{at}" for at in range(6)]
            if one.audit:
                name = next(name for name in names if recording_id(name) == one.recording)
                write(wiring, name, {one.segment})
        (told,) = accept_drafts(wiring, draw=lots).data["dialects"]
        assert told["state"] == "stopped"
        assert told["wer"] > 0.05
        assert (told["change"], told["accepted"]) == (-60, 0)
        assert all(one.audit for one in wiring.store.pseudo_labels.fetch())

        (again,) = accept_drafts(wiring, draw=lots).data["dialects"]
        assert (again["state"], again["change"]) == ("stopped", 0)


def test_nothing_is_accepted_before_people_have_written_enough(tmp_path: Path) -> None:
    with Wiring.open(create(tmp_path / "w")) as wiring:
        wiring.store.models.add(Model(id=MODEL, place="x", name="base", state="promoted"))
        wiring.store.recordings.add([recording("talk0", dialect="hi", speaker="a", split="train")])
        wiring.store.drafts.save(talk("talk0"))
        (told,) = accept_drafts(wiring).data["dialects"]
    assert (told["state"], told["reason"]) == ("waiting", "30 more segments are to be written first")


def test_people_are_asked_first_for_what_teaches_most(workspace: Path) -> None:
    with Wiring.open(workspace) as wiring:
        said = prioritise_segments(wiring, 0.2)
        assert said.data["first"] == 13, "0.9 s each fit 13 times into 12 s"
        asha = wiring.store.people.add("asha", ("transcriber",))
        rules = DeskRules(gold_share=0, random_share=0)
        leases = wiring.store.leases.take(asha.id, Ask(count=13, dialects=("en-GB",)), rules, draw=lambda: 1.0)
        talks = [recording_id(f"talk{at}") for at in range(6, 12)]
        drafts = {draft.segment: draft for id in talks for draft in wiring.store.drafts.fetch(id, MODEL)}
        assert [drafts[lease.segment].text for lease in leases] == [WRONG] * 13
