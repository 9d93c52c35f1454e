"""The command line: words in, one call, a result out. Nothing is decided here."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from typer.exceptions import TyperException

# The order of these is the order of the help's sections, and of the commands in each.
# isort: off
from transcribe.commands import recordings, exports, imports  # noqa: F401
from transcribe.commands import scoring, decoding_profile, improvement, models, catalogue, datasets  # noqa: F401
from transcribe.commands import desk, pseudo_labels, privacy, consent, people, speakers, reports  # noqa: F401
from transcribe.commands import backup, doctor, demo, settings, help as help_command  # noqa: F401

# isort: on
from transcribe.commands.app import app, console, list_groups
from transcribe.errors import UsageError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # Other libraries draw bars of their own into ours; the first is of tqdm, the second of the hub's client.
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    # What is written is of people's voices: its owner alone reads it, also what a library or a child process makes.
    os.umask(0o077)
    console.speak_for(given, list_groups())
    sys.exit(console.run(lambda: _parse(given)))


def _parse(given: list[str]) -> object:
    try:
        return app(args=given or ["--help"], prog_name="boli", standalone_mode=False)
    except TyperException as error:
        context = getattr(error, "ctx", None)
        place = context.command_path if context is not None else "boli"
        raise UsageError(error.format_message().rstrip("."), hint=f"see {place} --help") from error


if __name__ == "__main__":
    main()
