"""`boli import`: corrections once, known texts for checking people."""

from __future__ import annotations

from pathlib import Path

from tests.commands.conftest import Run
from tests.store.factories import recording
from transcribe.formats import TimedText
from transcribe.formats.tiers import write_eaf
from transcribe.store import Store


def test_corrections_are_taken_in_once(run: Run, empty: Path, tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{empty}/boli.db") as store:
        store.recordings.add([recording("a", dialect="hi")])
        [path] = [known.path for known in store.recordings.fetch()]
    file = tmp_path / "done.csv"
    rows = "recording,start_ms,end_ms,speaker,dialect,text\n" + f"{path},0,900,S1,hi,what was said\n"
    file.write_text(rows, encoding="utf-8")
    dry = run("import", "corrections", file, "--dry-run", "-w", empty, "--json").document["data"]
    assert dry == {"rows": 1, "refused": 0, "reasons": {}, "dry_run": True}
    first = run("import", "corrections", file, "-w", empty, "--json").document
    assert first["schema"] == "boli.import-corrections/1"
    assert first["data"] == {"new": 1, "known": 0, "refused": 0, "reasons": {}, "dry_run": False}
    assert run("import", "corrections", file, "-w", empty).out == "0 corrections taken in, 1 known already\n"


def test_known_texts_are_kept_for_checking_people(run: Run, desk: Path, tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{desk}/boli.db") as store:
        [segment] = store.desk.fetch_open()
    file = tmp_path / "gold.csv"
    file.write_text(f"segment,text\n{segment},what is right\nnobody,knows\n", encoding="utf-8")
    shown = run("import", "gold", file, "-w", desk)
    assert shown.out == "1 of 2 segments are kept for checking people\n"
    [row] = run("queue", "-w", desk, "--json").document["data"]["dialects"]
    assert row["segments"]["gold"] == 1
    file.write_text("segment\nx\n", encoding="utf-8")
    assert run("import", "gold", file, "-w", desk).code == 4


def test_the_group_alone_lists_its_commands(run: Run) -> None:
    assert run("import", "--json").document["data"]["commands"] == ["corrections", "drafts", "gold", "outbox"]


def test_one_bad_row_stops_no_other_unless_the_file_is_to_be_taken_whole(run: Run, empty: Path, tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{empty}/boli.db") as store:
        store.recordings.add([recording("a", dialect="hi")])
        [path] = [known.path for known in store.recordings.fetch()]
    file = tmp_path / "done.csv"
    file.write_text(f"recording,start_ms,end_ms,text\n{path},0,900,yes\nnowhere,0,900,yes\n", encoding="utf-8")
    strict = run("import", "corrections", file, "--strict", "-w", empty, "--json")
    assert (strict.code, strict.document["error"]["code"]) == (4, "E_CORRECTION")
    taken = run("import", "corrections", file, "-w", empty, "--json")
    assert (taken.code, taken.document["data"]["new"], taken.document["data"]["refused"]) == (6, 1, 1)
    assert taken.document["data"]["reasons"] == {"E_CORRECTION": 1}
    assert "done.csv row 3, column recording (A)" in taken.document["failures"][0]["message"]


def test_transcripts_become_drafts_of_their_source(run: Run, empty: Path, tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{empty}/boli.db") as store:
        store.recordings.add([recording("a", dialect="hi")])
        [path] = [known.path for known in store.recordings.fetch()]
    file = tmp_path / "old.csv"
    file.write_text(f"recording,start_ms,end_ms,text\n{path},0,900,what was said\n", encoding="utf-8")
    said = run("import", "drafts", file, "--source", "archive", "-w", empty)
    assert said.out == "1 drafts of 1 recordings taken in, 0 recordings known already\n"
    assert run("import", "drafts", file, "--source", "archive", "-w", empty).out.startswith("0 drafts of 0")
    assert run("export", tmp_path / "out.csv", "--format", "csv", "--model", "archive", "-w", empty).code == 0
    assert "what was said" in (tmp_path / "out.csv").read_text(encoding="utf-8")


def test_the_tiers_with_the_texts_can_be_named(run: Run, empty: Path, tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{empty}/boli.db") as store:
        store.recordings.add([recording("a", dialect="hi")])
        [path] = [known.path for known in store.recordings.fetch()]
    items = [TimedText(recording=path, start=0, end=900, speaker=name, text=f"of {name}") for name in ("Asha", "Ravi")]
    file = tmp_path / f"{Path(path).stem}.eaf"
    write_eaf(items, file)
    taken = run("import", "corrections", file, "--tier", "Ravi", "-w", empty, "--json").document["data"]
    assert (taken["new"], taken["refused"]) == (1, 0)
    missing = run("import", "drafts", file, "--source", "archive", "--tier", "Sita", "-w", empty, "--json")
    assert (missing.code, missing.document["data"]["refused"]) == (6, 1)
    assert "Asha, Ravi" in missing.document["failures"][0]["message"]
    file.with_suffix(".csv").write_text("recording,start_ms,end_ms,text\n", encoding="utf-8")
    assert run("import", "corrections", file.with_suffix(".csv"), "--tier", "Ravi", "-w", empty).code == 2
