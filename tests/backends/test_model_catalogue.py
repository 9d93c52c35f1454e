"""The catalogue of models: what it states is whole, what comes is checked, and a cache that was touched is refused."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcribe.backends import model_cache, model_fetch
from transcribe.backends.identity import folder_id
from transcribe.backends.model_cache import (
    best_here,
    folder_of,
    is_here,
    locate,
    verify_folder,
)
from transcribe.backends.model_catalogue import (
    CatalogueEntry,
    HubSource,
    ModelFile,
    WheelMember,
    catalogue,
    find_entry,
    need_entry,
)
from transcribe.backends.model_fetch import fetch
from transcribe.backends.model_manifest import read_manifest, write_manifest
from transcribe.errors import BoliError, InputError, MissingError, UnfitError, UnreachableError

pytestmark = pytest.mark.usefixtures("cache")
CONTENT = b"weights" * 1_000


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that pip takes for its only index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def wheel(index: Path, name: str, members: dict[str, bytes]) -> None:
    """Put a wheel of *members* into *index*; its code would fail every test that imported it."""
    stem = f"{name.replace('-', '_')}-1.0"
    with zipfile.ZipFile(index / f"{stem}-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
        archive.writestr(f"{name.replace('-', '_')}/__init__.py", "raise SystemExit('code of a package was run')")
        archive.writestr(f"{stem}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{stem}.dist-info/RECORD", "")


def two_part_entry(content: bytes = CONTENT) -> CatalogueEntry:
    parts = tuple(WheelMember(package=f"boli-test-{n}", version="1.0", member=f"data/part{n}") for n in (1, 2))
    digest = hashlib.sha256(content).hexdigest()
    file = ModelFile(name="model.bin", sha256=digest, size_bytes=len(content), parts=parts)
    return CatalogueEntry(name="two-parts", kind="recogniser", licence="MIT", languages="none", files=(file,))


def serve(index: Path, content: bytes = CONTENT) -> None:
    wheel(index, "boli-test-1", {"data/part1": content[:3_000]})
    wheel(index, "boli-test-2", {"data/part2": content[3_000:]})


def put_in_cache(name: str) -> Path:
    """Put files under the name of an entry, as if it had been fetched."""
    entry = need_entry(name)
    folder = folder_of(entry)
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("weights", encoding="utf-8")
    write_manifest(folder, entry.name)
    return folder


def test_the_catalogue_has_the_models_that_are_promised() -> None:
    names = {entry.name: entry for entry in catalogue()}
    assert {
        "whisper-base",
        "whisper-tiny.en",
        "diariser-real",
        "large-v3",
        "large-v3-turbo",
        "pyannote/speaker-diarization-community-1",
    } == set(names)
    assert names["whisper-base"].files[0].sha256 == "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"


def test_every_entry_states_one_source_and_every_file_its_checksum() -> None:
    for entry in catalogue():
        assert bool(entry.files) != (entry.hub is not None), entry.name
        for file in entry.files:
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
            assert file.size_bytes > 0
            assert file.parts
            assert all(re.fullmatch(r"[0-9.]+", part.version) for part in file.parts)
        if entry.files:
            assert entry.size_bytes == sum(file.size_bytes for file in entry.files)


def test_a_model_of_no_entry_is_told_with_the_names_that_there_are() -> None:
    with pytest.raises(InputError, match="whisper-base"):
        need_entry("whisper-bass")


def test_parts_of_wheels_become_one_checked_file_and_no_code_of_them_runs(index: Path) -> None:
    serve(index)
    fetched = fetch(two_part_entry())
    assert fetched.new
    assert (fetched.folder / "model.bin").read_bytes() == CONTENT
    assert read_manifest(fetched.folder)["files"] == {"model.bin": hashlib.sha256(CONTENT).hexdigest()}
    assert read_manifest(fetched.folder)["source"]["packages"] == ["boli-test-1==1.0", "boli-test-2==1.0"]


def test_a_second_get_fetches_nothing(index: Path) -> None:
    serve(index)
    fetch(two_part_entry())
    for file in index.iterdir():
        file.unlink()
    assert not fetch(two_part_entry()).new


@pytest.mark.parametrize(
    "change", [lambda content: content[:-1] + b"?", lambda content: content + b"more", lambda content: content[:-1]]
)
def test_what_is_not_the_stated_file_is_not_kept(index: Path, cache: Path, change: Callable[[bytes], bytes]) -> None:
    serve(index, change(CONTENT))
    with pytest.raises(InputError, match=r"model\.bin") as caught:
        fetch(two_part_entry())
    assert caught.value.code == "E_MODEL_CHECKSUM"
    assert [path.name for path in cache.iterdir()] == [".lock"]


def test_a_wheel_without_the_named_member_is_told(index: Path) -> None:
    wheel(index, "boli-test-1", {"data/other": b""})
    wheel(index, "boli-test-2", {"data/part2": b""})
    with pytest.raises(InputError, match="data/part1"):
        fetch(two_part_entry())


def test_an_index_without_the_package_ends_with_5(index: Path, cache: Path) -> None:
    with pytest.raises(MissingError, match="boli-test-1") as caught:
        fetch(two_part_entry())
    assert caught.value.exit_code == 5
    assert not is_here(two_part_entry())


def test_an_index_out_of_reach_ends_with_9(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setattr(model_fetch, "LOOK_EVERY_S", 0.05)
    with pytest.raises(UnreachableError) as caught:
        fetch(two_part_entry())
    assert caught.value.exit_code == 9


def test_two_gets_at_once_are_told_apart(cache: Path) -> None:
    cache.mkdir()
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UnfitError, match="another boli models get"):
            fetch(two_part_entry())


def test_a_cache_that_cannot_be_written_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(model_cache.VARIABLE, str(tmp_path / "file" / "below"))
    with pytest.raises(UnfitError, match="BOLI_MODELS_CACHE"):
        fetch(two_part_entry())


KILLED = """
import os, sys, time
from transcribe.backends import model_fetch
from tests.backends.test_model_catalogue import two_part_entry
def wait(*_):
    print("downloaded", flush=True)
    time.sleep(60)
model_fetch._build = wait
model_fetch.fetch(two_part_entry())
"""


def test_a_killed_get_leaves_no_model_and_the_next_one_sweeps_up(index: Path, cache: Path) -> None:
    serve(index)
    with subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "downloaded\n"
        process.send_signal(signal.SIGKILL)
    assert list(cache.glob(".get-*"))
    assert not is_here(two_part_entry())
    assert fetch(two_part_entry()).new
    assert not list(cache.glob(".get-*"))


def test_a_changed_file_is_refused_and_named_with_the_command_that_mends_it(index: Path) -> None:
    serve(index)
    folder = fetch(two_part_entry()).folder
    assert verify_folder(two_part_entry()) == folder
    time.sleep(0.01)
    (folder / "model.bin").write_bytes(CONTENT[:-1] + b"?")
    with pytest.raises(InputError, match=r"model\.bin") as caught:
        verify_folder(two_part_entry())
    assert caught.value.code == "E_MODEL_CHECKSUM"
    assert caught.value.hint == "run: boli models get two-parts --again"
    assert fetch(two_part_entry(), again=True).new
    assert verify_folder(two_part_entry()) == folder


def test_a_file_that_was_not_fetched_and_one_that_is_gone_are_refused(index: Path) -> None:
    serve(index)
    folder = fetch(two_part_entry()).folder
    (folder / "more.json").touch()
    with pytest.raises(InputError, match=r"more\.json"):
        verify_folder(two_part_entry())
    (folder / "more.json").unlink()
    (folder / "model.bin").unlink()
    with pytest.raises(InputError, match=r"model\.bin is gone"):
        verify_folder(two_part_entry())


def test_a_manifest_that_was_changed_with_its_file_does_not_outdo_the_catalogue(index: Path) -> None:
    serve(index)
    folder = fetch(two_part_entry()).folder
    (folder / "model.bin").write_bytes(b"others")
    write_manifest(folder, two_part_entry().name)
    with pytest.raises(InputError, match=r"model\.bin"):
        verify_folder(two_part_entry())


@given(st.binary(max_size=60))
def test_no_manifest_is_taken_that_is_none(text: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "boli-files.json").write_bytes(text)
        with pytest.raises(BoliError):
            read_manifest(Path(folder))


def test_the_manifest_changes_no_model(index: Path, tmp_path: Path) -> None:
    serve(index)
    folder = fetch(two_part_entry()).folder
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "model.bin").write_bytes(CONTENT)
    assert folder_id(folder) == folder_id(tmp_path / "plain")


def test_a_name_of_the_catalogue_is_its_folder_and_others_stay_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="boli models get whisper-base"):
        locate("whisper-base")
    assert [locate(name) for name in ("large-v3", str(tmp_path), "owner/name")] == [
        "large-v3",
        str(tmp_path),
        "owner/name",
    ]
    folder = put_in_cache("pyannote/speaker-diarization-community-1")
    assert locate("pyannote/speaker-diarization-community-1") == str(folder)


def test_auto_takes_the_first_that_is_here_and_large_ones_only_on_a_gpu() -> None:
    assert best_here("diariser", device="cpu") is None
    put_in_cache("diariser-real")
    put_in_cache("large-v3")
    put_in_cache("whisper-tiny.en")
    assert best_here("recogniser", device="cpu") is None
    best = best_here("diariser", device="cpu")
    assert best is not None
    assert best.name == "diariser-real"
    put_in_cache("pyannote/speaker-diarization-community-1")
    best = best_here("diariser", device="auto")
    assert best is not None
    assert best.name == "pyannote/speaker-diarization-community-1"


def test_what_no_public_source_states_is_unverified_and_written_down_at_the_first_get(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turbo = find_entry("large-v3-turbo")
    assert turbo is not None
    assert isinstance(turbo.hub, HubSource)
    assert turbo.hub.revision is None
    assert "unverified" in turbo.source
    folder = folder_of(turbo)
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(CONTENT)
    write_manifest(folder, turbo.name, hub=turbo.hub.id, revision="a" * 40)
    assert read_manifest(folder)["source"]["revision"] == "a" * 40
    assert verify_folder(turbo) == folder
    text = (folder / "boli-files.json").read_text(encoding="utf-8")
    assert json.loads(text)["files"] == {"model.bin": hashlib.sha256(CONTENT).hexdigest()}
