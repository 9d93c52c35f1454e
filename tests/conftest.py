"""What all tests share: where the real speech is, and that a skipped test says why."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# A law holds or not; how long a busy machine takes to try it says nothing.
settings.register_profile("boli", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("boli")


@pytest.fixture(scope="session")
def speech() -> Path:
    """Folder of real speech with its truth: ``BOLI_TEST_DATA``, else ``../shared/data`` beside the project."""
    folder = Path(os.environ.get("BOLI_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the real speech is not here: {folder} (set BOLI_TEST_DATA)")
    return folder
