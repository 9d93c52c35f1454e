"""Reports of what was done at the desk: tables for people, documents for scripts, files where they are wanted."""

from __future__ import annotations

from pathlib import Path

from tests.commands.conftest import Run


def test_reports_are_tables_for_people_and_documents_for_scripts(run: Run, desk: Path, tmp_path: Path) -> None:
    done = run("report", "productivity", "-w", desk, "--json").document
    assert (done["schema"], done["data"]["people"][0]["segments"]) == ("boli.report-productivity/1", 2)
    assert "asha" in run("report", "productivity", "-w", desk).out
    rates = tmp_path / "rates.toml"
    rates.write_text('currency = "INR"\nminute = 60.0\n')
    lines = tmp_path / "pay.csv"
    pay = run("report", "pay", "--rates", rates, "--csv", lines, "-w", desk, "--json").document["data"]
    assert [(sums["amount"], sums["not_due"]) for sums in pay["people"]] == [(1.0, 1.0)]
    assert len(lines.read_text().splitlines()) == 3
    assert run("report", "pay", "--rates", tmp_path / "absent.toml", "-w", desk).code == 4
    [row] = run("report", "quality", "-w", desk, "--json").document["data"]["dialects"]
    assert (row["dialect"], row["pairs"]) == ("hi", 0)
