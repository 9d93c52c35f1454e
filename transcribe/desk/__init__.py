"""
The correction desk: the server that transcribers, reviewers and leads work against.

    app              put together: routes, errors, tasks        state        what all routes share
    routes/          one file a noun of the API                 schemas/     shapes of requests and answers
    auth             passwords, callers, permissions, limits    outbox       texts over the line, or saved offline
    writer           one thread that writes, many texts a sync  priority     the order of dialects for a person
    clips            sound of segments, cut once                settings     what a lead may change
    middleware       headers, sizes, hosts, refusals, metrics   static       the screen, where it was built
    reports, quality statements of time, pay and agreement      forecast     days that a dialect still takes
    word_confidence  which drafted words are marked             server       the process
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

#: Where the build puts the screen; empty in a copy of the source that nobody built yet.
SCREEN: Final = Path(__file__).with_name("static")


def how_to_build() -> str:
    """Return the command that brings the screen: in a copy of the source it is built, else the wheel has it."""
    source = Path(__file__).resolve().parents[2] / "editor" / "package.json"
    return "make editor" if source.is_file() else "pip install --force-reinstall boli"
