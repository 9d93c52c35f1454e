"""Which one-line mutations are drawn, which tests are run for them, and that a mutation is told from none."""

from __future__ import annotations

from pathlib import Path

from benchmarks.mutations import Imports, Mutation, draw, list_mutations, try_mutation

SOURCE = """\
LIMIT: int = 3


def first(rows: list[int], default: int = 0) -> int:
    while not rows and default != LIMIT:
        break
    return rows[0] + default if "é" in str(rows) else -default
"""


def test_a_line_is_mutated_where_it_decides_something() -> None:
    after = {mutation.after.strip() for mutation in list_mutations("a.py", SOURCE)}

    assert after == {
        "LIMIT: int = 4",
        "def first(rows: list[int], default: int = 1) -> int:",
        "while rows and default != LIMIT:",
        "while not rows or default != LIMIT:",
        "while not rows and default == LIMIT:",
        "continue",
        'return rows[1] + default if "é" in str(rows) else -default',
        'return rows[0] - default if "é" in str(rows) else -default',
        'return rows[0] + default if "é" not in str(rows) else -default',
    }


def test_the_same_seed_draws_the_same_mutations_of_different_lines() -> None:
    drawn = draw(30, seed=1, only="dialects/")

    assert drawn == draw(30, seed=1, only="dialects/")
    assert len({mutation.name for mutation in drawn}) == 30
    assert drawn != draw(30, seed=2, only="dialects/")


def test_the_tests_named_after_a_module_are_run_first() -> None:
    files = Imports().find("dialects/dialect.py")

    assert files[0] == "tests/dialects/test_dialect.py"
    assert len(files) > 1


def test_a_mutation_is_red_or_survives_and_is_taken_back(tmp_path: Path) -> None:
    (tmp_path / "unit.py").write_text("def double(x):\n    return x + x\n")
    (tmp_path / "test_unit.py").write_text("from unit import double\n\n\ndef test_two():\n    assert double(0) == 0\n")
    weak = Mutation(path="unit.py", line=2, before="    return x + x", after="    return x - x")
    plain = Mutation(path="unit.py", line=2, before="    return x + x", after="    return x + 1")

    assert try_mutation(tmp_path, weak, ["test_unit.py"]) == "survived"
    assert try_mutation(tmp_path, plain, ["test_unit.py"]) == "red"
    assert (tmp_path / "unit.py").read_text() == "def double(x):\n    return x + x\n"
