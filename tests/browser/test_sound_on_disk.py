"""Who takes the laptop finds no sound on it: neither where sound stays in memory, nor where it is kept for later."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, expect

from tests.browser.conftest import Made
from tests.browser.ground import Ground, Writer, eventually, kill_browser, profile
from tests.browser.test_losing import keeps_the_page

#: How WebM begins, and what stands before Opus in it.
PLAYABLE = re.compile(rb"\x1a\x45\xdf\xa3.{0,64}?webm|OpusHead|A_OPUS", re.DOTALL)
#: Bytes of a clip that are looked for, and how far apart.
PIECE, STRIDE = 24, 400


@pytest.mark.parametrize("kept", ["memory", "encrypted"])
def test_no_sound_is_found_in_the_browsers_profile(
    playwright: Playwright, chromium: Path, made: Made, copied: Callable[[], Path], tmp_path: Path, kept: str
) -> None:
    ground = Ground.open(copied(), made.passwords, BOLI_DESK__OFFLINE_AUDIO=kept)
    folder = tmp_path / "profile"
    writer = Writer.begin(ground, profile(playwright, chromium, folder), seed=1)
    keeps_the_page(writer.screen)
    clips = ground.workspace / "cache" / "clips"
    eventually(writer.screen, lambda: len(list(clips.rglob("*.webm"))) >= 5)
    expect(writer.screen.page.get_by_text(re.compile(r"[5-9] ready offline|\d\d ready offline"))).to_be_visible()
    writer.screen.page.keyboard.press("Alt+r")
    writer.screen.page.wait_for_timeout(1_000)
    kill_browser(folder)
    assert ground.desk.stop() == 0
    heard = [piece for clip in clips.rglob("*.webm") for piece in pieces(clip.read_bytes())]
    assert len(heard) > 20
    assert found_in(clips, heard), "what is looked for is not found where it is"
    assert found_in(folder, heard) == []


def pieces(clip: bytes) -> list[bytes]:
    """Bytes of *clip* that are in no other file: its beginning and end are alike in all."""
    return [clip[at : at + PIECE] for at in range(400, len(clip) - 400, STRIDE)]


def found_in(folder: Path, heard: list[bytes]) -> list[str]:
    """Files below *folder* that can be played or hold something of what was heard."""
    found = []
    for file in (each for each in folder.rglob("*") if each.is_file() and not each.is_symlink()):
        content = file.read_bytes()
        if PLAYABLE.search(content) or any(piece in content for piece in heard):
            found.append(file.relative_to(folder).as_posix())
    return found
