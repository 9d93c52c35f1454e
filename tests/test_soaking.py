"""A long test is done once for a code, and again as soon as the code is another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import pytest

from tests.soaking import keep_proof, place, skip_what_is_proved


@pytest.fixture
def item(request: pytest.FixtureRequest) -> pytest.Function:
    """A long test of this file that nobody runs."""
    made: pytest.Function = pytest.Function.from_parent(request.node.parent, name="long[a/b]", callobj=lambda: None)
    made.add_marker(pytest.mark.soak)
    made.user_properties.append(("kills", 20))
    return made


def report(item: pytest.Item, outcome: Literal["passed", "failed"]) -> pytest.TestReport:
    return pytest.TestReport(item.nodeid, item.location, {}, outcome, None, "call", duration=61.5)


def skipped(item: pytest.Item, proofs: Path, *, again: bool = False) -> bool:
    skip_what_is_proved([item], again=again, proofs=proofs)
    return item.get_closest_marker("skip") is not None


def test_a_proof_says_what_was_counted_with_which_code(item: pytest.Function, tmp_path: Path) -> None:
    keep_proof(item, report(item, "passed"), proofs=tmp_path)
    (file,) = tmp_path.iterdir()
    proof = json.loads(file.read_text(encoding="utf-8"))
    assert file.name == "test_soaking.long_a_b.json"
    assert (proof["counts"], proof["took_s"], len(proof["code_sha256"])) == ({"kills": 20}, 61.5, 64)
    assert {"date", "commit", "machine", "versions"} <= set(proof)


def test_what_is_proved_is_skipped(item: pytest.Function, tmp_path: Path) -> None:
    keep_proof(item, report(item, "passed"), proofs=tmp_path)
    assert skipped(item, tmp_path)


def test_what_is_proved_runs_again_if_asked(item: pytest.Function, tmp_path: Path) -> None:
    keep_proof(item, report(item, "passed"), proofs=tmp_path)
    assert not skipped(item, tmp_path, again=True)


def test_what_was_proved_for_another_code_runs(item: pytest.Function, tmp_path: Path) -> None:
    keep_proof(item, report(item, "passed"), proofs=tmp_path)
    file = place(item, tmp_path)
    proof = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(proof | {"code_sha256": "0" * 64}), encoding="utf-8")
    assert not skipped(item, tmp_path)


def test_what_failed_is_not_proved(item: pytest.Function, tmp_path: Path) -> None:
    keep_proof(item, report(item, "failed"), proofs=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_usual_test_leaves_no_proof(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    keep_proof(request.node, report(request.node, "passed"), proofs=tmp_path)
    assert not list(tmp_path.iterdir())
