"""
Count names and docstrings that a stranger has to decode, and fail where there are too many: a part of `make check`.

    python -m tests.names [FOLDER ...]

The rules for names are in CONTRIBUTING.md. Interfaces that scripts read (JSON, columns, routes) keep the few vague
names that they have.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

VAGUE: Final = frozenset(
    "found told one each said given asked kept heard seen place own known at before shown looked some mine came left "  # noqa: SIM905 - read as words
    "rest beside together twice both much those".split()
)
PARTICIPLES: Final = VAGUE | frozenset(
    "judged read written taken made counted weighed drawn spelt cut joined moved opened closed".split()  # noqa: SIM905 - read as words
)
EMPTY_WORDS: Final = frozenset({"item", "data", "value", "result", "obj"})
FIRST_WORDS_REFUSED: Final = frozenset({"What", "Whether", "Who"})
#: Limits: shares of all bound names.
MOST_VAGUE: Final = 0.005
MOST_EMPTY: Final = 0.01


@dataclass(kw_only=True)
class Count:
    """The counts of some files; positions are ``path:line: name``."""

    names: int = 0
    vague: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    participles: list[str] = field(default_factory=list)
    docstrings: int = 0
    decoded: list[str] = field(default_factory=list)

    def add(self, path: Path) -> None:
        """Count one Python file."""
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for name, line in list_bound_names(tree):
            self.names += 1
            if name in VAGUE:
                self.vague.append(f"{path}:{line}: {name}")
            if name in EMPTY_WORDS:
                self.empty.append(f"{path}:{line}: {name}")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.strip("_") in PARTICIPLES:
                self.participles.append(f"{path}:{node.lineno}: {node.name}")
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
                docstring = ast.get_docstring(node)
                self.docstrings += docstring is not None
                if docstring and docstring.split()[0].rstrip(",") in FIRST_WORDS_REFUSED:
                    self.decoded.append(f"{path}:{getattr(node, 'lineno', 1)}: {docstring.splitlines()[0]}")

    def format(self) -> str:
        """Format the figures in three lines."""
        words = Counter(position.rsplit(" ", 1)[1] for position in self.vague)
        return "\n".join(
            [
                f"vague bound names {len(self.vague)} of {self.names}: {len(self.vague) / self.names:.2%} "
                f"(at most {MOST_VAGUE:.1%}) {words.most_common(8)}",
                f"item, data, value, result, obj: {len(self.empty) / self.names:.2%} (at most {MOST_EMPTY:.0%})",
                f"functions named by a participle alone: {len(self.participles)}; docstrings that begin with What, "
                f"Whether or Who: {len(self.decoded)} of {self.docstrings} (none of either)",
            ]
        )

    def list_faults(self) -> list[str]:
        """List the positions beyond the limits."""
        vague = self.vague if len(self.vague) > MOST_VAGUE * self.names else []
        empty = self.empty if len(self.empty) > MOST_EMPTY * self.names else []
        return [*vague, *empty, *self.participles, *self.decoded]


def list_bound_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield the names that *tree* binds by assignment, as a parameter or as a function, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        elif isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            name = node.name
        else:
            continue
        if name not in {"self", "cls", "_"}:
            yield name, node.lineno


def main() -> int:
    folders = [Path(argument) for argument in sys.argv[1:]] or [Path("transcribe"), Path("dialects")]
    count = Count()
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        count.add(path)
    print(count.format())
    faults = count.list_faults()
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
