"""Doctor: what it says of this machine is true, what it cannot see here is judged by its rules, nothing is changed."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from transcribe.backends.identity import folder_id
from transcribe.backends.model_catalogue import catalogue
from transcribe.config import ModelsSettings, Settings, StoreSettings, load
from transcribe.doctor import Finding, State, examine, safely
from transcribe.doctor.installation import BASE, EXTRAS, extras, imports, libraries, python, screen, torch_pair, version
from transcribe.doctor.machine import at_least, clock_of, media, no_gpu, room, sqlite, walls
from transcribe.doctor.workplace import cache, chosen_model, database, downloads, schema_found, shipped, telemetry
from transcribe.jail import Level
from transcribe.store import Store
from transcribe.store.migrations import Schema
from transcribe.workspace import create, database_url

ROOT = Path(__file__).resolve().parent.parent
OFFLINE, ONLINE = ModelsSettings(), ModelsSettings(allow_download=True)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    """All that doctor says of this machine and a new workspace, by name."""
    place = create(tmp_path_factory.mktemp("doctor") / "w")
    findings = examine(place, Settings(), environment={"HOME": str(place)})
    assert len({finding.name for finding in findings}) == len(findings)
    return {finding.name: finding for finding in findings}


def test_everything_is_looked_at(found: dict[str, Finding]) -> None:
    names = {"python", "libraries", "torch", "clock", "disk", "gpu", "media", "jail", "sqlite", "database"}
    names |= {"embedded recogniser", "embedded diariser", "downloads", "telemetry", "cache", "screen"}
    assert names | {f"extra {extra}" for extra in EXTRAS} <= set(found)


def test_a_desk_without_its_screen_is_told_with_the_command_that_builds_it(tmp_path: Path) -> None:
    missing = screen(tmp_path)
    assert (missing.state, missing.mend) == ("warn", "make editor")
    (tmp_path / "index.html").write_text("<!doctype html>")
    assert screen(tmp_path).state == "ok"


def test_what_every_installation_needs_is_found_here(found: dict[str, Finding]) -> None:
    states = {name: found[name].state for name in ("python", "libraries", "clock", "sqlite", "database", "downloads")}
    assert set(states.values()) == {"ok"}, states


def test_each_model_of_the_catalogue_is_here_or_told_with_the_command_that_fetches_it(
    found: dict[str, Finding],
) -> None:
    for entry in catalogue():
        assert found[f"model {entry.name}"].detail.startswith("Not here")
        assert entry.command in found[f"model {entry.name}"].detail


def test_every_finding_is_a_sentence(found: dict[str, Finding]) -> None:
    assert [finding.detail for finding in found.values() if not finding.detail.endswith(".")] == []


def test_what_is_missing_comes_with_the_command_that_mends_it(found: dict[str, Finding]) -> None:
    assert [finding.name for finding in found.values() if finding.state == "missing" and not finding.mend] == []


def test_looking_imports_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from transcribe.config import Settings; from transcribe.doctor import examine;"
        "examine(None, Settings()); print([name for name in ('torch', 'pyannote.audio') if name in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300
    )
    assert said.stdout == "[]\n"


def test_looking_makes_no_database(tmp_path: Path) -> None:
    place = create(tmp_path / "w")
    before = sorted(place.rglob("*"))
    assert database(place, StoreSettings()).state == "ok"
    assert sorted(place.rglob("*")) == before


def test_a_check_that_breaks_is_a_finding_and_keeps_what_came_before() -> None:
    first = Finding(name="first", state="ok", detail="Fine.")

    def breaks() -> Iterator[Finding]:
        yield first
        raise OSError("no such library")

    told = list(safely("media", breaks))
    assert told[0] == first
    assert (told[1].name, told[1].state) == ("media", "warn")
    assert "no such library" in told[1].detail


def test_this_python_is_new_enough_and_named() -> None:
    assert python().state == "ok"
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in python().detail


def names_of(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[=<>;\s]", requirement)[0].lower().replace("_", "-") for requirement in requirements}


def test_the_extras_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {name: names_of(wanted) for name, wanted in project["optional-dependencies"].items()}
    for elsewhere in ("gpu", "all", "dev"):
        del declared[elsewhere]
    assert declared == {extra: set(distributions) for extra, (_, distributions) in EXTRAS.items()}
    assert set(BASE) <= names_of(project["dependencies"])


def test_an_extra_that_is_not_installed_names_its_command() -> None:
    (told,) = extras({"moon": ("travel", ("numpy", "no-such-rocket"))})
    assert (told.state, told.mend) == ("missing", "pip install 'boli[moon]'")
    assert "no-such-rocket" in told.detail
    assert "numpy" not in told.detail


def test_an_extra_that_is_installed_names_its_versions() -> None:
    (told,) = extras({"numbers": ("counting", ("numpy",))})
    assert (told.state, told.mend) == ("ok", None)
    assert f"numpy {version('numpy')}" in told.detail


def test_a_library_that_every_installation_has_is_missed() -> None:
    (told,) = libraries(("numpy", "no-such-library"))
    assert told.state == "missing"
    assert "no-such-library" in told.detail


@pytest.mark.parametrize(
    ("torch", "torchaudio", "state"),
    [
        ("2.11.0", "2.11.0", "ok"),
        ("2.11.0+cu130", "2.11.0+cu130", "ok"),
        ("2.12.0", "2.11.0", "warn"),
        ("2.11.0+cu130", "2.11.0+cpu", "warn"),
        (None, "2.11.0", "missing"),
        (None, None, "missing"),
    ],
)
def test_torch_and_torchaudio_must_be_one_version(torch: str | None, torchaudio: str | None, state: State) -> None:
    told = torch_pair(torch, torchaudio)
    assert told.state == state
    assert (told.mend is None) == (state == "ok")


def test_a_module_that_does_not_import_is_told_and_the_next_one_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "unsound.py").write_text("raise RuntimeError('libunsound.so is for another CUDA')")
    monkeypatch.syspath_prepend(tmp_path)
    broken, sound = imports(("unsound", "no_such_module", "json"))
    assert (broken.state, sound.state) == ("missing", "ok")
    assert "another CUDA" in broken.detail


@pytest.mark.parametrize(("year", "state"), [(1970, "warn"), (2026, "ok"), (2027, "ok"), (2106, "warn")])
def test_a_clock_that_cannot_be_right_is_doubted(year: int, state: State) -> None:
    assert clock_of(datetime(year, 12, 1, tzinfo=UTC)).state == state


def test_a_full_disk_is_told_even_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    assert room(tmp_path / "a" / "b", wanted=free * 2).state == "warn"
    assert room(tmp_path / "a" / "b", wanted=0).state == "ok"


def test_no_gpu_is_no_fault_until_a_setting_asks_for_one() -> None:
    assert no_gpu([]).state == "ok"
    told = no_gpu(["diariser", "recogniser"])
    assert told.state == "missing"
    assert told.mend == "BOLI_DIARISER__DEVICE=cpu BOLI_RECOGNISER__DEVICE=cpu boli run"
    variables = dict(word.split("=") for word in told.mend.split() if "=" in word)
    assert load(environment=variables).recogniser.device == "cpu"


def test_the_media_that_people_record_can_be_decoded_here() -> None:
    (told,) = media(safe=(0,))
    assert told.state == "ok"


def test_a_decoder_that_is_not_there_is_missing() -> None:
    (told,) = media(decoders=("flac", "wax-cylinder"))
    assert told.state == "missing"
    assert "wax-cylinder" in told.detail


def test_an_ffmpeg_without_its_mends_is_warned_of() -> None:
    (told,) = media(safe=(99,))
    assert (told.state, told.mend) == ("warn", "pip install --upgrade av")


@pytest.mark.parametrize(
    ("found", "safe"),
    [
        ("8.1.3", True),
        ("8.1.10", True),
        ("9.0", True),
        ("n8.2-12-gabc", True),
        ("8.1.2", False),
        ("5.1.9-0+deb12u1", False),
        ("N-118000-gabc", False),
        ("", False),
    ],
)
def test_versions_of_ffmpeg_are_compared_by_number(found: str, safe: bool) -> None:
    assert at_least(found, (8, 1, 3)) is safe


def test_only_a_sealed_jail_is_good_enough() -> None:
    assert [walls(level).state for level in Level] == ["warn", "warn", "ok"]


@pytest.mark.parametrize(
    ("found", "journal"), [((3, 40, 1), "DELETE"), ((3, 50, 7), "WAL"), ((3, 51, 2), "DELETE"), ((3, 51, 3), "WAL")]
)
def test_the_journal_follows_from_the_version_of_sqlite(found: tuple[int, int, int], journal: str) -> None:
    assert f"keeps its journal as {journal}" in sqlite(found).detail


def opened(place: Path) -> Path:
    """A database of boli in the workspace *place*, and its file."""
    Store.open(database_url("sqlite:///boli.db", place)).close()
    return place / "boli.db"


def test_a_database_of_ours_says_its_schema_and_stays_as_it_is(tmp_path: Path) -> None:
    file = opened(create(tmp_path / "w"))
    before = file.read_bytes()
    told = database(tmp_path / "w", StoreSettings())
    assert told.state == "ok"
    assert "the newest" in told.detail
    assert file.read_bytes() == before


def test_a_database_of_a_newer_program_is_told_apart(tmp_path: Path) -> None:
    file = opened(create(tmp_path / "w"))
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE boli_schema SET version_num = '9999'")
    connection.close()
    told = database(tmp_path / "w", StoreSettings())
    assert (told.state, told.mend) == ("missing", "pip install --upgrade boli")


def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path: Path) -> None:
    place = create(tmp_path / "w")
    (place / "boli.db").write_text("a letter")
    told = database(place, StoreSettings())
    assert told.state == "missing"
    assert "not an SQLite database" in told.detail
    assert (place / "boli.db").read_text() == "a letter"


def test_a_database_that_does_not_answer_is_told_without_its_password(tmp_path: Path) -> None:
    told = database(tmp_path, StoreSettings(url="postgresql://boli:hushhush@127.0.0.1:1/boli"))
    assert told.state == "missing"
    assert "hushhush" not in told.detail


@pytest.mark.parametrize(
    ("schema", "state"),
    [(Schema.CURRENT, "ok"), (Schema.OLDER, "warn"), (Schema.ABSENT, "warn"), (Schema.NEWER, "missing")],
)
def test_each_age_of_a_schema_has_its_state(schema: Schema, state: State) -> None:
    assert schema_found(schema, "boli.db").state == state


def test_a_model_that_ships_is_named_by_its_hash(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"1")
    assert shipped("recogniser", tmp_path) == Finding(
        name="embedded recogniser", state="ok", detail=f"It ships with boli: {folder_id(tmp_path)}."
    )


def test_a_model_that_should_ship_and_does_not_is_missing(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none"):
        assert shipped("recogniser", place).state == "missing"


def test_a_model_is_a_folder_or_a_hub_id(tmp_path: Path) -> None:
    assert chosen_model("recogniser", str(tmp_path), allowed=False).state == "ok"
    assert chosen_model("recogniser", str(tmp_path / "none"), allowed=True).state == "missing"
    assert chosen_model("recogniser", "large-v3", allowed=False).state == "warn"
    assert chosen_model("diariser", "owner/name", allowed=False).state == "warn"
    assert chosen_model("diariser", "owner/name", allowed=True).state == "ok"


def test_downloads_that_the_hub_itself_keeps_off_are_told() -> None:
    assert downloads(OFFLINE, {}).state == "ok"
    assert downloads(ONLINE, {}).state == "ok"
    assert downloads(ONLINE, {"HF_HUB_OFFLINE": "1"}).mend == "unset HF_HUB_OFFLINE"


@pytest.mark.skipif(version("mlflow-skinny") is not None, reason="mlflow is installed, and would be told of as well")
def test_a_client_that_may_go_online_is_silenced_by_a_variable() -> None:
    assert telemetry(OFFLINE, {}).state == "ok"
    assert telemetry(ONLINE, {"DO_NOT_TRACK": "1"}).state == "ok"
    assert telemetry(ONLINE, {"HF_HUB_DISABLE_TELEMETRY": "true"}).state == "ok"
    assert telemetry(ONLINE, {}).mend == "export HF_HUB_DISABLE_TELEMETRY=1"
    assert telemetry(ONLINE, {"HF_HUB_DISABLE_TELEMETRY": "0"}).state == "warn"


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"HF_HUB_CACHE": "/a"}, "/a"),
        ({"HF_HOME": "/b"}, "/b/hub"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/huggingface/hub"),
        ({"HOME": "/d"}, "/d/.cache/huggingface/hub"),
        ({"HOME": "/d", "XDG_CACHE_HOME": "/c", "HF_HOME": "/b", "HF_HUB_CACHE": "/a"}, "/a"),
    ],
)
def test_the_cache_is_where_the_hub_would_put_it(environment: dict[str, str], folder: str) -> None:
    assert f"go to {folder}," in cache(environment).detail


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="only Linux has a folder that not even root may write")
def test_a_cache_that_cannot_be_written_is_told() -> None:
    assert cache({"HF_HOME": "/proc/sys/boli"}).state == "warn"
