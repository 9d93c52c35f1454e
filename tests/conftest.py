"""What all tests share: where the real speech is, that a skipped test says why, and what the long tests proved."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import soaking
from transcribe.backends import model_cache
from transcribe.backends.model_catalogue import need_entry

ROOT = Path(__file__).resolve().parent.parent
#: Folders whose tests share what is dear to make: the PostgreSQL server, the browser and the desk before it.
TOGETHER = tuple(ROOT / "tests" / name for name in ("store", "browser"))

#: The models that were fetched to this machine; tests that need a real one look here, and skip where it is not.
FETCHED_MODELS = Path(os.environ.get("TEST_MODELS_CACHE", model_cache.cache_folder()))
# Processes that share the tests are started with this one's environment.
os.environ["TEST_MODELS_CACHE"] = str(FETCHED_MODELS)
# All others find none, so that what was fetched changes no test. The folder is never made.
os.environ[model_cache.VARIABLE] = str(ROOT / "tests" / ".no-models")

# A law holds or not; how long a busy machine takes to try it says nothing. The tests of a change try the same examples
# each time, so that they fail for the change alone; `make search` looks for new ones, and what it finds becomes one.
settings.register_profile("boli", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", settings.get_profile("boli"), derandomize=False, max_examples=1_000)
settings.load_profile("boli")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak-again", action="store_true", help="run the long tests that passed with this code, too")
    parser.addoption("--pictures", action="store_true", help="make the README's picture of the desk anew")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        # What one process does where several share the tests: a file with its fixtures, or a folder.
        group = next((folder for folder in TOGETHER if folder in item.path.parents), item.path)
        item.add_marker(pytest.mark.xdist_group(group.relative_to(ROOT).as_posix()))
    soaking.skip_what_is_proved(items, again=config.getoption("soak_again"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    soaking.keep_proof(item, report)
    return report


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """What a command does to the rights of new files ends with its test: the server of others runs as another user."""
    before = os.umask(0)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture
def fetched_models(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of the models that were fetched to this machine, which `model_cache` looks in for this test."""
    if not FETCHED_MODELS.is_dir():
        pytest.skip(f"no fetched model is here: {FETCHED_MODELS} (run: boli models get whisper-base diariser-real)")
    monkeypatch.setenv(model_cache.VARIABLE, str(FETCHED_MODELS))
    return FETCHED_MODELS


@pytest.fixture(scope="session")
def speech() -> Path:
    """Folder of real speech with its truth: ``BOLI_TEST_DATA``, else ``../shared/data`` beside the project."""
    folder = Path(os.environ.get("BOLI_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the real speech is not here: {folder} (set BOLI_TEST_DATA)")
    return folder


def fetched(model: str) -> Path:
    """Folder of a model that ``make setup`` gets, where it could."""
    folder = FETCHED_MODELS / model_cache.folder_of(need_entry(model)).name
    if not folder.is_dir():
        pytest.skip(f"{model} is not here: {folder} (run: boli models get {model})")
    return folder


@pytest.fixture(scope="session")
def whisper_base() -> Path:
    """Folder of Whisper base in CTranslate2's format."""
    return fetched("whisper-base")


@pytest.fixture(scope="session")
def real_diariser() -> Path:
    """Folder of the diariser made of real weights."""
    return fetched("diariser-real")
