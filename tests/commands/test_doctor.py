"""`boli doctor`: a lack of something that is needed is told apart from an extra that only some need."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.conftest import Run
from transcribe.doctor import installation


def test_an_optional_extra_is_no_lack(run: Run, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"moon": ("flying", ("no-such-distribution",))}
    monkeypatch.setattr(installation.check_extras, "__defaults__", (wanted,))
    findings = run("doctor", "-w", empty, "--json").document["data"]["findings"]
    states = {finding["name"]: finding["state"] for finding in findings}
    assert states["extra moon"] == "optional"
    assert states["libraries"] == "ok"
    [line] = [line for line in run("doctor", "-w", empty).out.splitlines() if "extra moon" in line]
    assert line.split()[0] == "optional"


def test_nothing_is_offered_that_nothing_imports(run: Run, empty: Path) -> None:
    findings = run("doctor", "-w", empty, "--json").document["data"]["findings"]
    assert {finding["name"] for finding in findings} >= {"python", "extra train", "extra meetings", "database"}
    assert "extra ray" not in {finding["name"] for finding in findings}
