"""Erasure in a whole workspace: sound, clips, reports and counts forget too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.commands.conftest import Run
from tests.desk_setup import HIGH, LOW, Desk, recipe
from tests.scripted import ScriptedDiariser
from tests.store.desk_factories import PLAIN, operation, person, submit, take
from tests.store.factories import MODEL
from transcribe import audio, workspace
from transcribe.commands.privacy import ErasureRequest, erase_audio
from transcribe.desk.clips import Clips
from transcribe.errors import InputError, UsageError
from transcribe.records import DeclaredTurn, Model
from transcribe.store import Store
from transcribe.wiring import Wiring
from transcribe.workspace import COUNTS_FILE

SAID = "what the speaker said that day"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A workspace with a dialogue of S1 and S2, of which S1's part is written, heard and reported on."""
    folder = workspace.create(tmp_path / "w")
    with Wiring.open(folder) as wiring:
        desk = Desk(wiring.store, wiring.audio_folder)
        declared = (
            DeclaredTurn(start=0, end=1_000, speaker="S1"),
            DeclaredTurn(start=2_000, end=3_000, speaker="S2"),
        )
        desk.add("talk", [(0, 1_000, LOW), (2_000, 3_000, HIGH)], dialect="hi", declared=declared)
        desk.draft(recipe(diariser=ScriptedDiariser()))
        wiring.store.desk.lay_out(PLAIN)
        asha = person(wiring.store)
        for lease in take(wiring.store, asha, 5):
            segment = wiring.store.drafts.find_segment(lease.segment)
            assert segment is not None
            submit(wiring.store, asha, operation(lease, SAID if segment.start < 1_000 else "the other's words"))
            view = wiring.store.desk.fetch_views([lease.segment])[lease.segment]
            Clips(wiring.audio_folder, folder / "cache" / "clips", bitrate=16_000).of(view)
        (folder / COUNTS_FILE).write_bytes(b"")
        (folder / "reports" / "report.html").write_text(f"<p>{SAID}</p>", encoding="utf-8")
        (folder / "reports" / "other.html").write_text("<p>nothing of it</p>", encoding="utf-8")
        (folder / "export.stm").write_text(SAID, encoding="utf-8")
        shards = folder / "models" / "tuned-1" / audio.SHARDS
        shards.mkdir(parents=True)
        (shards / "sound").write_bytes(b"sound")
    return folder


def test_a_speaker_leaves_a_dialogue_and_the_other_one_stays(place: Path) -> None:
    with Wiring.open(place) as wiring:
        [recording] = wiring.store.recordings.fetch()
        data = erase_audio(wiring, ErasureRequest(speaker="S1"), dry_run=False).data
        assert [(each["whole"], each["sound_ms"]) for each in data["recordings"]] == [(False, 1_000)]
        sound = audio.read_samples(audio.locate(wiring.audio_folder, recording.id))
        assert not sound[:16_000].any() and sound[32_000:48_000].any()
        assert not list((place / "cache" / "clips").rglob("*.*"))
        assert not list(place.rglob("sound"))
        assert [path.name for path in sorted((place / "reports").iterdir())] == ["other.html"]
        assert data["remaining"] == [str(place / "export.stm")]
        assert [each.text for each in wiring.store.corrections.fetch(standing=True)] == ["the other's words"]
        with pytest.raises(InputError) as refused:
            erase_audio(wiring, ErasureRequest(speaker="S1"), dry_run=False)
        assert refused.value.code == "E_SPEAKER", "nobody has that name any more"


def test_a_dry_run_tells_and_does_nothing(place: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    with Wiring.open(place) as wiring:
        data = erase_audio(wiring, ErasureRequest(speaker="S1"), dry_run=True).data
    assert (len(data["recordings"]), len(data["files"]), data["texts"]) == (1, 1, None)
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before


def test_what_is_older_than_the_settings_allow_goes_sound_first(place: Path) -> None:
    with Wiring.open(place, {"desk.sound_retention_days": 1e-9, "desk.retention_days": 1.0}) as wiring:
        [recording] = wiring.store.recordings.fetch()
        data = erase_audio(wiring, ErasureRequest(expired=True), dry_run=False).data
        assert (data["recordings"], data["sound_only"]) == ([], [recording.id])
        assert not audio.locate(wiring.audio_folder, recording.id).exists()
        assert len(list(wiring.store.corrections.fetch(standing=True))) == 2
    with Wiring.open(place, {"desk.retention_days": 1e-9}) as wiring:
        erase_audio(wiring, ErasureRequest(expired=True), dry_run=False)
        assert list(wiring.store.corrections.fetch(standing=True)) == []
        [gone] = wiring.store.recordings.fetch()
        assert gone == replace(gone, path=f"(erased)/{recording.id[:12]}", declared=(), speaker=None)
    with Wiring.open(place) as wiring, pytest.raises(UsageError):
        erase_audio(wiring, ErasureRequest(), dry_run=False)


def test_stretches_are_masked_listed_exported_as_marks_and_lifted(run: Run, desk: Path, tmp_path: Path) -> None:
    terms = tmp_path / "terms.txt"
    terms.write_text("word 0\n", encoding="utf-8")
    masking = run("mask", "--terms", terms, "-w", desk, "--json").document["data"]
    assert (masking["found"], [stretch["start"] for stretch in masking["masks"]]) == (1, [0])
    run("export", tmp_path / "out.stm", "--format", "stm", "--of", "corrections", "-w", desk)
    assert "said" not in (tmp_path / "out.stm").read_text() and "[masked]" in (tmp_path / "out.stm").read_text()
    with Store.open(f"sqlite:///{desk}/boli.db") as store:
        store.models.add(Model(id=MODEL, place="elsewhere", name="scripted"))
        store.models.promote(MODEL)
    out = tmp_path / "report"
    run("export", tmp_path / "all.jsonl", "--canonical", "-w", desk)
    run("wer", "--out", out, "--normaliser", "nfc", "-w", desk, "--json")
    written = [tmp_path / "all.jsonl", *(out / name for name in ("aligned.jsonl", "report.html", "ref.trn"))]
    texts = [file.read_text(encoding="utf-8") for file in written]
    texts += [str(pq.read_table(out / "utterances.parquet").to_pylist())]
    assert not [text for text in texts if "said" in text.replace("kind", "")]
    assert "[masked]" in texts[0] and "[masked]" in texts[-1]
    lifted = run("unmask", masking["masks"][0]["id"], "-w", desk, "--json").document["data"]
    assert lifted["masks"] == []
    assert run("unmask", "none", "-w", desk).code == 4
    assert run("mask", "none.wav", "-w", desk).code == 4
