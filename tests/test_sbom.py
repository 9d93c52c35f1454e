"""The list of all that boli is made of: fresh against the locks, each with a hash and a licence that is allowed."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import sbom


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the locks."""
    (tmp_path / "editor").mkdir()
    for name in ("requirements.lock", "editor/package-lock.json"):
        shutil.copyfile(sbom.ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def document() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(sbom.FILE.read_text(encoding="utf-8"))
    return read


def edit(file: Path, change: Callable[[str], str]) -> None:
    before = file.read_text(encoding="utf-8")
    after = change(before)
    assert after != before
    file.write_text(after, encoding="utf-8")


def test_the_committed_list_is_fresh_and_without_fault(document: dict[str, Any]) -> None:
    assert sbom.make_document(sbom.ROOT, sbom.read_licences(document)) == document
    assert sbom.find_faults(document) == []


def test_every_line_of_the_lock_is_in_it_with_all_its_hashes(document: dict[str, Any]) -> None:
    lock = (sbom.ROOT / "requirements.lock").read_text(encoding="utf-8")
    packages = [part for part in document["components"] if part["bom-ref"].startswith("pkg:pypi/")]
    assert len(packages) == len(re.findall(r"^\S+==", lock, re.MULTILINE))
    assert sum(len(package["hashes"]) for package in packages) == lock.count("--hash=sha256:")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("requirements.lock", lambda text: text.replace("fastapi==", "fastapi==9")),
        ("requirements.lock", lambda text: re.sub(r"sha256:[0-9a-f]{8}", "sha256:00000000", text, count=1)),
        (
            "editor/package-lock.json",
            lambda text: re.sub(r'"integrity": "sha512-....', '"integrity": "sha512-AAAA', text),
        ),
    ],
)
def test_a_lock_that_changed_makes_it_old(
    root: Path, document: dict[str, Any], name: str, change: Callable[[str], str]
) -> None:
    edit(root / name, change)
    assert sbom.make_document(root, sbom.read_licences(document)) != document


@pytest.mark.parametrize("licence", ["GPL-3.0-only", "MIT AND AGPL-3.0-or-later", "SSPL-1.0 OR Elastic-2.0"])
def test_a_licence_that_is_not_allowed_is_named(document: dict[str, Any], licence: str) -> None:
    document["components"][-1]["licenses"] = [{"expression": licence}]
    (fault,) = sbom.find_faults(document)
    assert document["components"][-1]["bom-ref"] in fault
    assert re.findall(r"[\w.-]+", licence)[-1] in fault


def test_a_package_without_licence_or_hash_is_named(document: dict[str, Any]) -> None:
    first, last = document["components"][-2:]
    first["licenses"], last["hashes"] = [], []
    faults = sbom.find_faults(document)
    assert [first["bom-ref"] in faults[0], last["bom-ref"] in faults[1]] == [True, True]


def test_writing_it_twice_gives_the_same_bytes(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "sbom.json"
    shutil.copyfile(sbom.FILE, file)
    sbom.write_document(root, file)
    assert file.read_bytes() == sbom.FILE.read_bytes()
