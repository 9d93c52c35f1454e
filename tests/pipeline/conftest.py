"""What the tests of the pipeline share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desk_setup import Desk
from transcribe.store import Store


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Store.open(f"sqlite:///{tmp_path / 'boli.db'}") as store:
        yield Desk(store, tmp_path / "audio")
