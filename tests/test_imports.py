"""The house has no circle: no module needs itself, however far around, imports inside functions counted."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Set
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.conftest import ROOT

FOLDERS = ("transcribe", "dialects")


def list_modules() -> dict[str, Path]:
    """Return the file of each module that is installed, by its name; a package goes by its own name."""
    files = [ROOT / "cli.py", *(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))]
    return {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


def walk_imports(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports below *node*, those inside functions too; not those that only a type checker sees."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for statement in child.orelse:
                yield from walk_imports(statement)
        else:
            yield from walk_imports(child)


def find_imported(source: str, modules: Set[str]) -> set[str]:
    """Return those of *modules* that *source* imports: the module that a name is, else the one that has it."""
    imported: set[str] = set()
    for statement in walk_imports(ast.parse(source)):
        if isinstance(statement, ast.Import):
            imported.update(alias.name for alias in statement.names)
            continue
        assert statement.level == 0, "imports here are absolute"
        for alias in statement.names:
            module = f"{statement.module}.{alias.name}"
            imported.add(module if module in modules else str(statement.module))
    return imported & modules


def find_circle(graph: Mapping[str, Set[str]]) -> list[str]:
    """Return one circle of *graph*, from a module back to it; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def test_no_module_needs_itself_around_a_circle() -> None:
    modules = list_modules()
    graph = {name: find_imported(file.read_text(encoding="utf-8"), modules.keys()) for name, file in modules.items()}
    assert len(graph) > 100
    assert find_circle(graph) == []


def test_an_import_inside_a_function_closes_a_circle_and_one_for_types_does_not() -> None:
    source = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a.types\ndef f():\n    from a import b, c\n"
    )
    modules = {"a", "a.b", "a.types", "a.user"}
    assert find_imported(source, modules) == {"a", "a.b"}
    assert find_circle({"a.user": find_imported(source, modules), "a.b": {"a.user"}}) == ["a.user", "a.b", "a.user"]
