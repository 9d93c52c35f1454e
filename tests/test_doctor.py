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
from transcribe.doctor import Finding, State, examine, run_check
from transcribe.doctor.installation import (
    BASE,
    EXTRAS,
    check_extras,
    check_imports,
    check_libraries,
    check_python,
    check_screen,
    check_torch_pair,
    version,
)
from transcribe.doctor.machine import (
    at_least,
    check_clock,
    check_media,
    check_room,
    check_sandbox,
    check_sqlite,
    report_no_gpu,
)
from transcribe.doctor.workplace import (
    check_cache,
    check_chosen_model,
    check_database,
    check_downloads,
    check_schema,
    check_shipped_model,
    check_telemetry,
)
from transcribe.sandbox import Level
from transcribe.store import Store
from transcribe.store.migrations import Schema
from transcribe.workspace import create, database_url

ROOT = Path(__file__).resolve().parent.parent
OFFLINE, ONLINE = ModelsSettings(), ModelsSettings(allow_download=True)


@pytest.fixture(scope="module")
def finding_by_name(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    """Map the findings about this machine and a new workspace by name."""
    workspace = create(tmp_path_factory.mktemp("doctor") / "w")
    findings = examine(workspace, Settings(), environment={"HOME": str(workspace)})
    assert len({finding.name for finding in findings}) == len(findings)
    return {finding.name: finding for finding in findings}


def test_everything_is_looked_at(finding_by_name: dict[str, Finding]) -> None:
    names = {"python", "libraries", "torch", "clock", "disk", "gpu", "media", "sandbox", "sqlite", "database"}
    names |= {"embedded recogniser", "embedded diariser", "downloads", "telemetry", "cache", "screen"}
    assert names | {f"extra {extra}" for extra in EXTRAS} <= set(finding_by_name)


def test_a_desk_without_its_screen_is_told_with_the_command_that_builds_it(tmp_path: Path) -> None:
    missing = check_screen(tmp_path)
    assert (missing.state, missing.mend) == ("warn", "make editor")
    (tmp_path / "index.html").write_text("<!doctype html>")
    assert check_screen(tmp_path).state == "ok"


def test_what_every_installation_needs_is_found_here(finding_by_name: dict[str, Finding]) -> None:
    states = {
        name: finding_by_name[name].state
        for name in ("python", "libraries", "clock", "sqlite", "database", "downloads")
    }
    assert set(states.values()) == {"ok"}, states


def test_each_model_of_the_catalogue_is_here_or_told_with_the_command_that_fetches_it(
    finding_by_name: dict[str, Finding],
) -> None:
    for entry in catalogue():
        assert finding_by_name[f"model {entry.name}"].detail.startswith("Not here")
        assert entry.command in finding_by_name[f"model {entry.name}"].detail


def test_every_finding_is_a_sentence(finding_by_name: dict[str, Finding]) -> None:
    assert [finding.detail for finding in finding_by_name.values() if not finding.detail.endswith(".")] == []


def test_what_is_missing_comes_with_the_command_that_mends_it(finding_by_name: dict[str, Finding]) -> None:
    assert [
        finding.name for finding in finding_by_name.values() if finding.state == "missing" and not finding.mend
    ] == []


def test_looking_imports_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from transcribe.config import Settings; from transcribe.doctor import examine;"
        "examine(None, Settings()); print([name for name in ('torch', 'pyannote.audio') if name in sys.modules])"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300
    )
    assert process.stdout == "[]\n"


def test_looking_makes_no_database(tmp_path: Path) -> None:
    workspace = create(tmp_path / "w")
    files = sorted(workspace.rglob("*"))
    assert check_database(workspace, StoreSettings()).state == "ok"
    assert sorted(workspace.rglob("*")) == files


def test_a_check_that_breaks_is_a_finding_and_keeps_what_came_before() -> None:
    first = Finding(name="first", state="ok", detail="Fine.")

    def breaks() -> Iterator[Finding]:
        yield first
        raise OSError("no such library")

    findings = list(run_check("media", breaks))
    assert findings[0] == first
    assert (findings[1].name, findings[1].state) == ("media", "warn")
    assert "no such library" in findings[1].detail


def test_this_python_is_new_enough_and_named() -> None:
    assert check_python().state == "ok"
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in check_python().detail


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
    (finding,) = check_extras({"moon": ("travel", ("numpy", "no-such-rocket"))})
    assert (finding.state, finding.mend) == ("optional", "pip install 'boli[moon]'")
    assert "no-such-rocket" in finding.detail
    assert "numpy" not in finding.detail


def test_an_extra_that_is_installed_names_its_versions() -> None:
    (finding,) = check_extras({"numbers": ("counting", ("numpy",))})
    assert (finding.state, finding.mend) == ("ok", None)
    assert f"numpy {version('numpy')}" in finding.detail


def test_a_library_that_every_installation_has_is_missed() -> None:
    (finding,) = check_libraries(("numpy", "no-such-library"))
    assert finding.state == "missing"
    assert "no-such-library" in finding.detail


@pytest.mark.parametrize(
    ("torch", "torchaudio", "state"),
    [
        ("2.11.0", "2.11.0", "ok"),
        ("2.11.0+cu130", "2.11.0+cu130", "ok"),
        ("2.12.0", "2.11.0", "warn"),
        ("2.11.0+cu130", "2.11.0+cpu", "warn"),
        (None, "2.11.0", "optional"),
        (None, None, "optional"),
    ],
)
def test_torch_and_torchaudio_must_be_one_version(torch: str | None, torchaudio: str | None, state: State) -> None:
    finding = check_torch_pair(torch, torchaudio)
    assert finding.state == state
    assert (finding.mend is None) == (state == "ok")


def test_a_module_that_does_not_import_is_told_and_the_next_one_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "unsound.py").write_text("raise RuntimeError('libunsound.so is for another CUDA')")
    monkeypatch.syspath_prepend(tmp_path)
    broken, sound = check_imports(("unsound", "no_such_module", "json"))
    assert (broken.state, sound.state) == ("missing", "ok")
    assert "another CUDA" in broken.detail


@pytest.mark.parametrize(("year", "state"), [(1970, "warn"), (2026, "ok"), (2027, "ok"), (2106, "warn")])
def test_a_clock_that_cannot_be_right_is_doubted(year: int, state: State) -> None:
    assert check_clock(datetime(year, 12, 1, tzinfo=UTC)).state == state


def test_a_full_disk_is_told_even_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    assert check_room(tmp_path / "a" / "b", wanted=free * 2).state == "warn"
    assert check_room(tmp_path / "a" / "b", wanted=0).state == "ok"


def test_no_gpu_is_no_fault_until_a_setting_asks_for_one() -> None:
    assert report_no_gpu([]).state == "ok"
    finding = report_no_gpu(["diariser", "recogniser"])
    assert finding.state == "missing"
    assert finding.mend == "BOLI_DIARISER__DEVICE=cpu BOLI_RECOGNISER__DEVICE=cpu boli run"
    variables = dict(word.split("=") for word in finding.mend.split() if "=" in word)
    assert load(environment=variables).recogniser.device == "cpu"


def test_the_media_that_people_record_can_be_decoded_here() -> None:
    (finding,) = check_media(safe=(0,))
    assert finding.state == "ok"


def test_a_decoder_that_is_not_there_is_missing() -> None:
    (finding,) = check_media(decoders=("flac", "wax-cylinder"))
    assert finding.state == "missing"
    assert "wax-cylinder" in finding.detail


def test_an_ffmpeg_without_its_mends_is_warned_of() -> None:
    (finding,) = check_media(safe=(99,))
    assert (finding.state, finding.mend) == ("warn", "pip install --upgrade av")


@pytest.mark.parametrize(
    ("ffmpeg", "safe"),
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
def test_versions_of_ffmpeg_are_compared_by_number(ffmpeg: str, safe: bool) -> None:
    assert at_least(ffmpeg, (8, 1, 3)) is safe


def test_only_a_sealed_jail_is_good_enough() -> None:
    assert [check_sandbox(level).state for level in Level] == ["warn", "warn", "ok"]


@pytest.mark.parametrize(
    ("release", "journal"), [((3, 40, 1), "DELETE"), ((3, 50, 7), "WAL"), ((3, 51, 2), "DELETE"), ((3, 51, 3), "WAL")]
)
def test_the_journal_follows_from_the_version_of_sqlite(release: tuple[int, int, int], journal: str) -> None:
    assert f"keeps its journal as {journal}" in check_sqlite(release).detail


def make_database(workspace: Path) -> Path:
    """Make a database of boli in *workspace*, and return its file."""
    Store.open(database_url("sqlite:///boli.db", workspace)).close()
    return workspace / "boli.db"


def test_a_database_of_ours_says_its_schema_and_stays_as_it_is(tmp_path: Path) -> None:
    file = make_database(create(tmp_path / "w"))
    content = file.read_bytes()
    finding = check_database(tmp_path / "w", StoreSettings())
    assert finding.state == "ok"
    assert "the newest" in finding.detail
    assert file.read_bytes() == content


def test_a_database_of_a_newer_program_is_told_apart(tmp_path: Path) -> None:
    file = make_database(create(tmp_path / "w"))
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE boli_schema SET version_num = '9999'")
    connection.close()
    finding = check_database(tmp_path / "w", StoreSettings())
    assert (finding.state, finding.mend) == ("missing", "pip install --upgrade boli")


def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path: Path) -> None:
    workspace = create(tmp_path / "w")
    (workspace / "boli.db").write_text("a letter")
    finding = check_database(workspace, StoreSettings())
    assert finding.state == "missing"
    assert "not an SQLite database" in finding.detail
    assert (workspace / "boli.db").read_text() == "a letter"


def test_a_database_that_does_not_answer_is_told_without_its_password(tmp_path: Path) -> None:
    finding = check_database(tmp_path, StoreSettings(url="postgresql://boli:hushhush@127.0.0.1:1/boli"))
    assert finding.state == "missing"
    assert "hushhush" not in finding.detail


@pytest.mark.parametrize(
    ("schema", "state"),
    [(Schema.CURRENT, "ok"), (Schema.OLDER, "warn"), (Schema.ABSENT, "warn"), (Schema.NEWER, "missing")],
)
def test_each_age_of_a_schema_has_its_state(schema: Schema, state: State) -> None:
    assert check_schema(schema, "boli.db").state == state


def test_a_model_that_ships_is_named_by_its_hash(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"1")
    assert check_shipped_model("recogniser", tmp_path) == Finding(
        name="embedded recogniser", state="ok", detail=f"It ships with boli: {folder_id(tmp_path)}."
    )


def test_a_model_that_should_ship_and_does_not_is_missing(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        assert check_shipped_model("recogniser", folder).state == "missing"


def test_a_model_is_a_folder_or_a_hub_id(tmp_path: Path) -> None:
    assert check_chosen_model("recogniser", str(tmp_path), allowed=False).state == "ok"
    assert check_chosen_model("recogniser", str(tmp_path / "none"), allowed=True).state == "missing"
    assert check_chosen_model("recogniser", "large-v3", allowed=False).state == "warn"
    assert check_chosen_model("diariser", "owner/name", allowed=False).state == "warn"
    assert check_chosen_model("diariser", "owner/name", allowed=True).state == "ok"


def test_downloads_that_the_hub_itself_keeps_off_are_told() -> None:
    assert check_downloads(OFFLINE, {}).state == "ok"
    assert check_downloads(ONLINE, {}).state == "ok"
    assert check_downloads(ONLINE, {"HF_HUB_OFFLINE": "1"}).mend == "unset HF_HUB_OFFLINE"


@pytest.mark.skipif(version("mlflow-skinny") is not None, reason="mlflow is installed, and would be told of as well")
def test_a_client_that_may_go_online_is_silenced_by_a_variable() -> None:
    assert check_telemetry(OFFLINE, {}).state == "ok"
    assert check_telemetry(ONLINE, {"DO_NOT_TRACK": "1"}).state == "ok"
    assert check_telemetry(ONLINE, {"HF_HUB_DISABLE_TELEMETRY": "true"}).state == "ok"
    assert check_telemetry(ONLINE, {}).mend == "export HF_HUB_DISABLE_TELEMETRY=1"
    assert check_telemetry(ONLINE, {"HF_HUB_DISABLE_TELEMETRY": "0"}).state == "warn"


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
    assert f"go to {folder}," in check_cache(environment).detail


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="only Linux has a folder that not even root may write")
def test_a_cache_that_cannot_be_written_is_told() -> None:
    assert check_cache({"HF_HOME": "/proc/sys/boli"}).state == "warn"
