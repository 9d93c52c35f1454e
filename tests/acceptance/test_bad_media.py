"""A hundred good recordings with every kind of broken or hostile media among them, through the real commands."""

from __future__ import annotations

import contextlib
import csv
import http.server
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.acceptance.command import boli, must
from tests.faults import changing, media
from tests.small_corpus import sound_files

VERDICTS = Path(__file__).parent.parent / "faults" / "media_verdicts.csv"
CHANGES = {"growing": changing.keep_growing, "replaced": changing.keep_replacing}
GOOD = 100


class _Canary(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        """A request is told by the test that fails, not by a line on the screen."""


@pytest.fixture(scope="module")
def canary() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Canary) as server:
        server.asked = asked  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def good_recordings(folder: Path) -> list[Path]:
    """A hundred different clips of 1 s cut from English conversations, as WAV."""
    from faster_whisper import decode_audio

    folder.mkdir()
    clips: list[Path] = []
    for source in sound_files("en-*"):
        sound = np.asarray(decode_audio(str(source), sampling_rate=16_000))
        for start in range(0, len(sound) - 16_000, 32_000):
            if len(clips) == GOOD:
                return clips
            clips.append(folder / f"good{len(clips):03d}.wav")
            soundfile.write(clips[-1], sound[start : start + 16_000], 16_000, subtype="PCM_16")
    raise AssertionError(f"only {len(clips)} clips came out of the English conversations")


def expected() -> dict[str, tuple[list[set[str]], list[str]]]:
    """
    For each file of the corpus: the sets of codes that are right, and words that must be told. ``done``: taken in
    without a word.
    """
    rows: dict[str, tuple[list[set[str]], list[str]]] = {}
    with VERDICTS.open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            if row["how"] in ("", *CHANGES):
                words = [word.strip() for word in row["words"].split(";") if word.strip()]
                rows[row["file"]] = ([set(codes.split()) for codes in row["expected"].split("|")], words)
    # A folder that is named to the command is searched for media; only as a file it is refused.
    del rows["folder.wav"]
    return rows


def test_every_good_recording_is_done_and_every_bad_one_has_its_verdict(
    tmp_path: Path, canary: tuple[str, list[str]]
) -> None:
    url, asked = canary
    good = good_recordings(tmp_path / "good")
    bad = tmp_path / "bad"
    media.make(bad, url=url)
    rows = expected()
    must("init", tmp_path / "w")
    (tmp_path / "w" / "boli.toml").write_text("[ingest]\nlongest_hours = 2\n")
    with contextlib.ExitStack() as changes:
        for name, change in (("growing.wav", "growing"), ("replaced.wav", "replaced")):
            changes.enter_context(CHANGES[change](bad / name))
        paths = [*good[: GOOD // 2], *(bad / name for name in sorted(rows)), *good[GOOD // 2 :]]
        said = boli("ingest", *paths, "--dialect", "en-US", "--workspace", tmp_path / "w", "--json")
    assert said.code == 6, said.err
    assert "Traceback" not in said.err
    failed = {os.path.basename(each["item"]): each for each in said.document["failures"]}  # noqa: PTH119 - odd names
    warned = said.document["warnings"]
    for name, (verdicts, words) in rows.items():
        found = failed.get(name)
        told = found["message"] if found else " ".join(line for line in warned if name in line)
        # That two files of the corpus are alike is no verdict on either.
        codes = set(re.findall(r"\b[EW]_[A-Z_]+(?=:)", told)) - {"W_DUPLICATE"} or {"done"}
        assert codes in verdicts, f"{name}: expected {verdicts}, found {codes}: {told}"
        if codes != {"done"}:
            assert all(word in told for word in words), f"{name}: {words} are not all in: {told}"
    assert not any(name.startswith("good") for name in failed)
    ran = boli("run", "--workspace", tmp_path / "w", "--json")
    assert ran.code == 0, ran.err
    assert ran.document["data"]["drafted"] == GOOD + sum(name not in failed for name in rows) - repeated(said.document)
    assert any("W_NO_SPEECH" in line and "silence.wav" in line for line in ran.document["warnings"])
    assert asked == []


def repeated(document: dict[str, dict[str, int]]) -> int:
    """Files whose bytes another file of the batch had already."""
    return document["data"]["known"]
