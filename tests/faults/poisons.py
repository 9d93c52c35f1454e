"""Files that run code where a loader of models trusts them: each makes a canary once it is run or unpickled."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch

#: Poisons a folder; returns the poisoned file, which a refusal has to name.
Poison: TypeAlias = Callable[[Path, Path], Path]


class Touch:
    """A pickle of this makes the canary when it is read by Python's own unpickler."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch '{self.canary}'",)


def pickled(name: str) -> Poison:
    """Put a bare pickle under *name*."""
    return lambda folder, canary: _write(folder / name, pickle.dumps(Touch(canary)))


def saved_by_torch(name: str) -> Poison:
    """Put a pickle in a file of ``torch.save`` under *name*."""

    def poison(folder: Path, canary: Path) -> Path:
        content = io.BytesIO()
        torch.save({"state_dict": Touch(canary), "optimiser": Touch(canary)}, content)
        return _write(folder / name, content.getvalue())

    return poison


def array_of_objects(name: str) -> Poison:
    """Put an array of pickled objects under *name*, an ``.npy`` or the members of an ``.npz``."""

    def poison(folder: Path, canary: Path) -> Path:
        array, archive = io.BytesIO(), io.BytesIO()
        np.save(array, np.array([Touch(canary)], dtype=object), allow_pickle=True)
        with zipfile.ZipFile(archive, "w") as members:
            for member in ("mu", "tr", "psi", "mean1", "mean2", "lda"):
                members.writestr(f"{member}.npy", array.getvalue())
        return _write(folder / name, (archive if name.endswith(".npz") else array).getvalue())

    return poison


def module(name: str) -> Poison:
    """Put a module of Python under *name*."""
    return lambda folder, canary: _write(folder / name, f"import pathlib\npathlib.Path({str(canary)!r}).touch()\n")


def setting(name: str, **settings: object) -> Poison:
    """Add *settings* to the JSON file *name*, and the module that they may name beside it."""

    def poison(folder: Path, canary: Path) -> Path:
        # Under a name that nothing refuses by itself, so that it is the setting that is refused.
        module(".stranger.py")(folder, canary)
        file = folder / name
        document = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        return _write(file, json.dumps(document | settings))

    return poison


def cut(name: str) -> Poison:
    """Leave the first half of the file *name*."""
    return lambda folder, _: _write(folder / name, (folder / name).read_bytes()[: (folder / name).stat().st_size // 2])


def header(name: str) -> Poison:
    """Let safetensors under *name* begin with a header of 2**63 bytes."""
    return lambda folder, _: _write(folder / name, (1 << 63).to_bytes(8, "little") + (folder / name).read_bytes()[8:])


def text(name: str, content: str) -> Poison:
    """Put *content* under *name*, the canary's path in place of CANARY."""
    return lambda folder, canary: _write(folder / name, content.replace("CANARY", str(canary)))


def _write(file: Path, content: bytes | str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file
