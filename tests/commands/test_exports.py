"""`boli export`: drafts, corrections, and everything that content decides."""

from __future__ import annotations

import json
from pathlib import Path

from tests.calls import make_workspace
from tests.commands.conftest import Run
from transcribe.formats import FORMATS


def test_drafts_and_corrections_are_written_in_a_format(run: Run, tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "w")
    written = run("export", tmp_path / "drafts.stm", "-w", folder, "--json").document["data"]
    assert written["items"] > 0
    assert (tmp_path / "drafts.stm").read_text(encoding="utf-8").count("\n") >= written["items"]
    texts = run("export", tmp_path / "out.jsonl", "--format", "jsonl", "--of", "corrections", "-w", folder)
    assert texts.code == 0, texts.err
    assert "words of calls/a alone" in (tmp_path / "out.jsonl").read_text(encoding="utf-8")
    timed = run("export", tmp_path / "c", "--format", "ctm", "--of", "corrections", "--draft-times", "-w", folder)
    assert "by the draft" in timed.out, timed.err


def test_the_answer_says_what_each_format_drops(run: Run, tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "w")
    for name, form in FORMATS.items():
        answer = run("export", tmp_path / name, "--format", name, "-w", folder, "--json").document
        assert answer["schema"] == "boli.export/1"
        assert answer["data"]["drops"] == form.drops
    said = run("export", tmp_path / "again", "--format", "srt", "-w", folder).out
    assert said.splitlines()[-1] == f"srt drops {FORMATS['srt'].drops}"


def test_equal_work_gives_equal_bytes(run: Run, tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "w")
    shown = run("export", "--canonical", "-w", folder)
    assert all(isinstance(json.loads(line), dict) for line in shown.out.splitlines())
    file = tmp_path / "all.jsonl"
    assert run("export", file, "--canonical", "-w", folder).code == 0
    assert file.read_text(encoding="utf-8") == shown.out
    assert run("export", file, "--canonical", "-w", folder).code == 4
    assert run("export", file, "--canonical", "--overwrite", "-w", folder).code == 0


def test_a_wrong_use_is_refused(run: Run, empty: Path) -> None:
    assert run("export", "-w", empty).code == 2
    assert run("export", "out", "--of", "dreams", "-w", empty).code == 2
    assert run("export", "--canonical", "--json", "-w", empty).code == 2
