"""Command that examines the machine, the installation and the workspace."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from transcribe.commands.app import EVERYONE, AsJson, Debug, Workspace, app, console
from transcribe.console import Answer


@app.command(rich_help_panel=EVERYONE, epilog="Example: boli doctor")
def doctor(workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Show what is there, what is missing, and which command mends it."""
    console.answer(examine_machine(workspace))


def examine_machine(workspace: Path | None) -> Answer:
    """Examine the machine and the workspace, and list what is there and what is missing."""
    from transcribe import terminal
    from transcribe.config import nearest_workspace
    from transcribe.doctor import examine
    from transcribe.wiring import read_settings

    findings = examine(nearest_workspace(workspace), read_settings(workspace))
    return Answer(data={"findings": [asdict(finding) for finding in findings]}, text=terminal.findings(findings))
