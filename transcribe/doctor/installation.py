"""The result of a check; checks of the libraries that pip has installed, and of how they fit together."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from transcribe.desk import how_to_build

OLDEST_PYTHON: Final = (3, 11)

#: The libraries that draft, decode and score on every installation.
BASE: Final = ("faster-whisper", "ctranslate2", "av", "soundfile", "jiwer")

#: The distributions of each extra, with its purpose. A test keeps this equal to pyproject.toml.
EXTRAS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "diarise": ("finding who speaks when", ("torch", "torchaudio", "pyannote.audio")),
    "train": ("training on corrections", ("torch", "torchaudio", "transformers", "peft", "accelerate", "safetensors")),
    "meetings": ("cpWER of conversations", ("meeteval",)),
    "postgres": ("a store in PostgreSQL", ("psycopg",)),
    "s3": ("audio in object stores", ("s3fs", "fsspec")),
    "mlflow": ("a model registry in MLflow", ("mlflow-skinny",)),
}

#: The modules that need torch, in the order in which a broken one shows.
ON_TORCH: Final = ("torch", "torchaudio", "pyannote.audio", "transformers")
State = Literal["ok", "warn", "optional", "missing"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The result of checking one thing."""

    name: str
    #: ``missing`` where something that is needed cannot be used, ``warn`` where it can but somebody should look,
    #: ``optional`` where something is not installed that only some need.
    state: State
    #: The result, a sentence.
    detail: str
    #: The exact command that mends it, where there is one.
    mend: str | None = None


def version(distribution: str) -> str | None:
    """Return the installed version of *distribution*; ``None`` if it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def check_python() -> Finding:
    """Check that the interpreter is new enough."""
    detail = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}."
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return Finding(name="python", state="ok", detail=detail)
    oldest = ".".join(map(str, OLDEST_PYTHON))
    return Finding(name="python", state="missing", detail=f"{detail} {oldest} or newer is needed.")


def check_screen(folder: Path) -> Finding:
    """Check that the correction desk's screen is built."""
    if (folder / "index.html").is_file():
        return Finding(name="screen", state="ok", detail="The correction desk's screen is built.")
    detail = "The correction desk's screen was not built: `boli serve` answers scripts, and shows people nothing."
    return Finding(name="screen", state="warn", detail=detail, mend=how_to_build())


def check_libraries(base: tuple[str, ...] = BASE) -> Iterator[Finding]:
    """Check the libraries of every installation, in one finding."""
    versions = {name: version(name) for name in base}
    missing = [name for name, installed in versions.items() if installed is None]
    if missing:
        detail = f"{', '.join(missing)} cannot be found, though every installation has it."
        yield Finding(name="libraries", state="missing", detail=detail, mend="pip install --force-reinstall boli")
    else:
        yield Finding(name="libraries", state="ok", detail=f"{_format_versions(versions)}.")


def check_extras(wanted: Mapping[str, tuple[str, tuple[str, ...]]] = EXTRAS) -> Iterator[Finding]:
    """Check each extra. One that is missing is no fault: somebody may not need it."""
    for extra, (purpose, distributions) in wanted.items():
        versions = {name: version(name) for name in distributions}
        missing = [name for name, installed in versions.items() if installed is None]
        if missing:
            detail = f"For {purpose}: {', '.join(missing)} not installed."
            yield Finding(name=f"extra {extra}", state="optional", detail=detail, mend=f"pip install 'boli[{extra}]'")
        else:
            yield Finding(name=f"extra {extra}", state="ok", detail=f"For {purpose}: {_format_versions(versions)}.")


def check_torch_pair(torch: str | None, torchaudio: str | None) -> Finding:
    """Check that torch and torchaudio are of one version and CUDA, since they share compiled parts."""
    mend = "pip install --force-reinstall 'boli[diarise]'"
    if torch is None or torchaudio is None:
        missing = " and ".join(name for name, v in (("torch", torch), ("torchaudio", torchaudio)) if v is None)
        detail = f"{missing} not installed: diarising and training need both, drafting and scoring neither."
        return Finding(name="torch", state="optional", detail=detail, mend="pip install 'boli[diarise]'")
    if torch == torchaudio:
        return Finding(name="torch", state="ok", detail=f"torch and torchaudio are both {torch}.")
    detail = f"torch {torch} and torchaudio {torchaudio} are not a pair: the second fails at import."
    return Finding(name="torch", state="warn", detail=detail, mend=mend)


def check_imports(names: tuple[str, ...] = ON_TORCH) -> Iterator[Finding]:
    """Import those of *names* that are installed, and ask torch for its GPU. Takes seconds."""
    for name in names:
        if importlib.util.find_spec(name.split(".")[0]) is None:
            continue
        try:
            module = import_quietly(name)
        except Exception as error:  # Compiled parts that do not fit raise anything.
            detail = f"{name} is installed and does not import: {type(error).__name__}: {error}."
            mend = "pip install --force-reinstall 'boli[diarise,train]'"
            yield Finding(name=f"import {name}", state="missing", detail=detail, mend=mend)
            continue
        cuda = f"; built for CUDA {module.version.cuda}, a GPU: {module.cuda.is_available()}" if name == "torch" else ""
        yield Finding(name=f"import {name}", state="ok", detail=f"{name} imports{cuda}.")


def import_quietly(name: str) -> Any:
    """Import a module with telemetry off, and without the warnings that are for its makers."""
    os.environ["PYANNOTE_METRICS_ENABLED"] = "false"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


def _format_versions(versions: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name} {installed}" for name, installed in versions.items())
