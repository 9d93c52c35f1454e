"""
The record of the long tests: what was proved for which code, so that a stopped `make soak` goes on where it stopped.

One file a test in ``benchmarks/results/soak``. A test whose file names the code as it stands is skipped;
``--soak-again`` (``make soak AGAIN=1``) runs it nevertheless.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from benchmarks.measuring import RESULTS, measured_on

ROOT = Path(__file__).resolve().parent.parent
PROOFS = RESULTS / "soak"

#: What every long test stands on, beside its own file: the code, the models, the corpus, the libraries.
STANDS_ON = ("cli.py", "dialects", "transcribe", "tests/speech", "requirements.lock")


def skip_what_is_proved(items: Iterable[pytest.Item], *, again: bool, proofs: Path = PROOFS) -> None:
    """Mark those long tests of *items* as skipped that passed with this very code, unless *again*."""
    for item in items:
        file = place(item, proofs)
        if again or item.get_closest_marker("soak") is None or not file.is_file():
            continue
        proof = json.loads(file.read_text(encoding="utf-8"))
        if proof["code_sha256"] == code_sha256(item.path):
            item.add_marker(pytest.mark.skip(reason=f"proved for this code on {proof['date']}: {file.name}"))


def keep_proof(item: pytest.Item, report: pytest.TestReport, *, proofs: Path = PROOFS) -> None:
    """Write down a long test that passed, with what it counted (``record_property``)."""
    if item.get_closest_marker("soak") is None or report.when != "call" or not report.passed:
        return
    proof: dict[str, Any] = {
        "test": item.nodeid,
        "date": datetime.now(UTC).date().isoformat(),
        "code_sha256": code_sha256(item.path),
        "took_s": round(report.duration, 1),
        "counts": dict(item.user_properties),
    }
    proofs.mkdir(parents=True, exist_ok=True)
    text = json.dumps(proof | measured_on(), indent=1, ensure_ascii=False, sort_keys=True)
    place(item, proofs).write_text(text + "\n", encoding="utf-8")


def place(item: pytest.Item, proofs: Path) -> Path:
    """The file of one test."""
    return proofs / f"{item.path.stem}.{re.sub(r'[^A-Za-z0-9]+', '_', item.name).strip('_')}.json"


@cache
def code_sha256(test: Path) -> str:
    """Hash of all that a long test stands on and of the file that it is written in; notes are left out."""
    digest = hashlib.sha256()
    for file in sorted({test, *_files()}):
        digest.update(file.relative_to(ROOT).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


@cache
def _files() -> tuple[Path, ...]:
    found: list[Path] = []
    for name in STANDS_ON:
        one = ROOT / name
        found += [one] if one.is_file() else [path for path in one.rglob("*") if path.is_file()]
    return tuple(path for path in found if path.suffix not in (".pyc", ".md"))
