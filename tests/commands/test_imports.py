"""`boli import`: corrections once, known texts for checking people."""

from __future__ import annotations

from pathlib import Path

from tests.commands.conftest import Run
from tests.store.factories import recording
from transcribe.store import Store


def test_corrections_are_taken_in_once(run: Run, empty: Path, tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{empty}/boli.db") as store:
        store.recordings.add([recording("a", dialect="hi")])
        [path] = [known.path for known in store.recordings.fetch()]
    file = tmp_path / "done.csv"
    rows = "recording,start_ms,end_ms,speaker,dialect,text\n" + f"{path},0,900,S1,hi,what was said\n"
    file.write_text(rows, encoding="utf-8")
    dry = run("import", "corrections", file, "--dry-run", "-w", empty, "--json").document["data"]
    assert dry == {"rows": 1, "dry_run": True}
    first = run("import", "corrections", file, "-w", empty, "--json").document
    assert first["schema"] == "boli.import-corrections/1"
    assert first["data"] == {"new": 1, "known": 0, "dry_run": False}
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
    assert run("import", "--json").document["data"]["commands"] == ["corrections", "gold", "outbox"]
