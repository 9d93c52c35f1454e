"""What the tests of commands share: a command run in this process, and a workspace whose desk was worked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

import cli
from tests.acceptance.command import Said
from tests.store.desk_factories import REVIEWED, operation, person, submit, take, talk
from transcribe.store import Store
from transcribe.wiring import Wiring
from transcribe.workspace import create

#: Runs a command inside this process, which is quicker; exit code and both streams as of the real one.
Run: TypeAlias = Callable[..., Said]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    for name in ("BOLI_WORKSPACE", "BOLI_REPORT__NORMALISER"):
        monkeypatch.delenv(name, raising=False)

    def run_command(*arguments: str | Path) -> Said:
        with pytest.raises(SystemExit) as ended:
            cli.main([*map(str, arguments)])
        out, err = capsys.readouterr()
        return Said(code=int(str(ended.value.code)), out=out, err=err)

    return run_command


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A new workspace: nothing was taken in."""
    folder = create(tmp_path / "w")
    with Wiring.open(folder) as wiring:
        assert not wiring.store.status.count().recordings
    return folder


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace where asha has written two segments of three, of which one waits for a reviewer."""
    folder = create(tmp_path_factory.mktemp("desk") / "w")
    with Store.open(f"sqlite:///{folder}/boli.db") as store:
        talk(store, count=3)
        asha = person(store)
        first, second = take(store, asha, 2)
        submit(store, asha, operation(first, "said", active=1))
        submit(store, asha, operation(second, "said"), rules=REVIEWED)
    return folder
