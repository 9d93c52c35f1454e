"""A workspace in which one unnamed voice is heard in two calls, drafted by backends that follow rules."""

from __future__ import annotations

from pathlib import Path

from tests.desk_setup import HIGH, LOW, Desk, recipe
from transcribe import workspace
from transcribe.records import Correction, Model
from transcribe.store import Store

#: One person in two calls, beside somebody else in the first.
TALKS = {"calls/a": [(0, 5_000, LOW), (5_500, 9_500, HIGH)], "calls/b": [(0, 6_000, LOW)]}
#: That person, as people read and type the name.
FIRST, SECOND = "calls/a.flac/SPEAKER_00", "calls/b.flac/SPEAKER_00"


def make_workspace(folder: Path) -> Path:
    """The workspace *folder*: the voice is trained on in the first call and tested in the second, each with a text."""
    workspace.create(folder)
    with Store.open(f"sqlite:///{folder / 'boli.db'}") as store:
        desk, made = Desk(store, folder / "audio"), recipe()
        for (name, tones), split in zip(TALKS.items(), ("train", "test"), strict=True):
            talk = desk.add(name, tones, duration=10_000, split=split, session=name, dialect="en-GB")
            speaker, text = f"{talk.id}/SPEAKER_00", f"words of {name} alone"
            written = Correction(id=name, recording=talk.id, start=0, end=3_000, text=text, speaker=speaker)
            store.corrections.add([written])
        desk.draft(made)
        store.models.add(Model(id=made.recogniser.id, place="scripted", name="scripted"))
        store.models.promote(made.recogniser.id)
    return folder
