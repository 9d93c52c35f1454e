"""What the tests of the backends share."""

from __future__ import annotations

from pathlib import Path

import pytest

from transcribe.backends import model_cache


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv(model_cache.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"
