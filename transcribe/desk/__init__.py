"""
The correction desk: the server that transcribers, reviewers and leads work against.

    app         put together: routes, headers, limits          service    state that all routes share
    routes_*    one file a noun of the API                      wire       shapes of requests and answers
    access      authentication and permissions                  passwords  argon2id, a few at a time
    writer      one thread that writes, many texts a sync       queue      the order of dialects for a person
    clips       sound of segments, cut once                     links      signed addresses of sound
    shelter     headers, sizes, hosts, compressed bodies        throttle   how often somebody may ask
    static      the screen, where it was built                  metrics    numbers for Prometheus
    reports     statements of time, pay and quality             serving    the process
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
