"""What pip has installed, and whether it fits together."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from transcribe.doctor.finding import Finding
from transcribe.review import how_to_build

OLDEST_PYTHON: Final = (3, 11)

#: What drafts, decodes and scores on every installation.
BASE: Final = ("faster-whisper", "ctranslate2", "av", "soundfile", "jiwer")

#: What pip installs beside the base, by extra, with what it is for. A test keeps this equal to pyproject.toml.
EXTRAS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "diarise": ("finding who speaks when", ("torch", "torchaudio", "pyannote.audio")),
    "train": ("training on corrections", ("torch", "torchaudio", "transformers", "peft", "accelerate", "safetensors")),
    "meetings": ("cpWER of conversations", ("meeteval",)),
    "ray": ("drafting on several machines", ("ray",)),
    "postgres": ("a store in PostgreSQL", ("psycopg",)),
    "s3": ("audio in object stores", ("s3fs", "fsspec")),
    "mlflow": ("a model registry in MLflow", ("mlflow-skinny",)),
}

#: What stands on torch, in the order in which a broken one shows.
ON_TORCH: Final = ("torch", "torchaudio", "pyannote.audio", "transformers")


def version(distribution: str) -> str | None:
    """The installed version of *distribution*; ``None`` if it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def python() -> Finding:
    """Whether the interpreter is new enough."""
    found = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}."
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return Finding(name="python", state="ok", detail=found)
    oldest = ".".join(map(str, OLDEST_PYTHON))
    return Finding(name="python", state="missing", detail=f"{found} {oldest} or newer is needed.")


def screen(folder: Path) -> Finding:
    """Whether the correction desk has something to show in a browser."""
    if (folder / "index.html").is_file():
        return Finding(name="screen", state="ok", detail="The correction desk's screen is built.")
    detail = "The correction desk's screen was not built: `boli serve` answers scripts, and shows people nothing."
    return Finding(name="screen", state="warn", detail=detail, mend=how_to_build())


def libraries(base: tuple[str, ...] = BASE) -> Iterator[Finding]:
    """The libraries of every installation, in one finding."""
    versions = {name: version(name) for name in base}
    lost = [name for name, found in versions.items() if found is None]
    if lost:
        detail = f"{', '.join(lost)} cannot be found, though every installation has it."
        yield Finding(name="libraries", state="missing", detail=detail, mend="pip install --force-reinstall boli")
    else:
        yield Finding(name="libraries", state="ok", detail=f"{_told(versions)}.")


def extras(wanted: Mapping[str, tuple[str, tuple[str, ...]]] = EXTRAS) -> Iterator[Finding]:
    """One finding for each extra. What is not there is no fault: somebody may not need it."""
    for extra, (purpose, distributions) in wanted.items():
        versions = {name: version(name) for name in distributions}
        lost = [name for name, found in versions.items() if found is None]
        if lost:
            detail = f"For {purpose}: {', '.join(lost)} not installed."
            yield Finding(name=f"extra {extra}", state="missing", detail=detail, mend=f"pip install 'boli[{extra}]'")
        else:
            yield Finding(name=f"extra {extra}", state="ok", detail=f"For {purpose}: {_told(versions)}.")


def torch_pair(torch: str | None, torchaudio: str | None) -> Finding:
    """torch and torchaudio share compiled parts: only the same version, built for the same CUDA, fits."""
    mend = "pip install --force-reinstall 'boli[diarise]'"
    if torch is None or torchaudio is None:
        lost = " and ".join(name for name, v in (("torch", torch), ("torchaudio", torchaudio)) if v is None)
        detail = f"{lost} not installed: diarising and training need both, drafting and scoring neither."
        return Finding(name="torch", state="missing", detail=detail, mend="pip install 'boli[diarise]'")
    if torch == torchaudio:
        return Finding(name="torch", state="ok", detail=f"torch and torchaudio are both {torch}.")
    detail = f"torch {torch} and torchaudio {torchaudio} are not a pair: the second fails at import."
    return Finding(name="torch", state="warn", detail=detail, mend=mend)


def imports(names: tuple[str, ...] = ON_TORCH) -> Iterator[Finding]:
    """Import those of *names* that are installed, and ask torch for its GPU. Takes seconds."""
    for name in names:
        if importlib.util.find_spec(name.split(".")[0]) is None:
            continue
        try:
            found = imported(name)
        except Exception as error:  # Compiled parts that do not fit raise anything.
            detail = f"{name} is installed and does not import: {type(error).__name__}: {error}."
            mend = "pip install --force-reinstall 'boli[diarise,train]'"
            yield Finding(name=f"import {name}", state="missing", detail=detail, mend=mend)
            continue
        told = f"; built for CUDA {found.version.cuda}, a GPU: {found.cuda.is_available()}" if name == "torch" else ""
        yield Finding(name=f"import {name}", state="ok", detail=f"{name} imports{told}.")


def imported(name: str) -> Any:
    """The module; warnings that libraries give at import are for their makers. Telemetry is off before any of them."""
    os.environ["PYANNOTE_METRICS_ENABLED"] = "false"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


def _told(versions: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name} {found}" for name, found in versions.items())
