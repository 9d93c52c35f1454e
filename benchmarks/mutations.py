"""
How many one-line mutations of the product turn a test red?

    python -m benchmarks.mutations [--count 200] [--seed 2026] [--part 1/2] [--only transcribe/store]

Draws lines of `transcribe/`, `dialects/` and `cli.py`, and changes one of each in a copy of the repository: a
comparison, an operator, `and` and `or`, a `not`, a whole number, a truth value, a `break`. Then the tests that import
its module are run, the nearest first, until one is red or WAIT_S have passed. A mutation that hangs a test counts as
red; one that no test met has survived, also if a test that is further away would have met it, so the share is a lower
bound. Endings are kept in results/mutations.parts, so that it goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import ast
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from benchmarks.making.demo_corpus import read_share
from benchmarks.measuring import RESULTS, write

ROOT: Final = Path(__file__).resolve().parents[1]
PARTS: Final = RESULTS / "mutations.parts"
#: Seconds that the tests of one mutation may take.
WAIT_S: Final = 240
#: Test files that are run for one mutation, at most.
MOST_FILES: Final = 12
#: Where tests wait for other processes or a browser; they are run last, and only where they import the module itself.
SLOW: Final = ("tests/acceptance", "tests/browser", "tests/commands", "tests/making", "tests/speech")
#: No behaviour of today: what a workspace of an older version needs once.
LEFT_OUT: Final = ("/versions/",)

Ending: TypeAlias = Literal["red", "hung", "survived"]

_COMPARISONS: Final[dict[type[ast.cmpop], str]] = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.In: "not in", ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is",
}  # fmt: skip
_OPERATORS: Final[dict[type[ast.operator], str]] = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "*", ast.Mod: "+",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One line of a file and what it becomes."""

    path: str
    line: int
    before: str
    after: str

    @property
    def name(self) -> str:
        return f"{self.path}:{self.line}"


def list_mutations(path: str, source: str) -> list[Mutation]:
    """
    List all mutations of *source*, each of one line.

    >>> [m.after for m in list_mutations("a.py", "def f(x):\\n    return x < 2\\n")]
    ['    return x <= 2', '    return x < 3']
    """
    lines = source.splitlines()
    tree = ast.parse(source)
    skipped = {id(node) for annotation in _annotations(tree) for node in ast.walk(annotation)}
    mutations = []
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        for first, last, text in _replacements(node, source):
            if first[0] != last[0]:
                continue
            before = lines[first[0] - 1]
            raw = before.encode()
            after = (raw[: first[1]] + text.encode() + raw[last[1] :]).decode()
            mutations.append(Mutation(path=path, line=first[0], before=before, after=after))
    return mutations


def _annotations(tree: ast.AST) -> Iterator[ast.AST]:
    """Give the annotations, which only document."""
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            annotation = getattr(node, name, None)
            if isinstance(annotation, ast.AST):
                yield annotation


def _replacements(node: ast.AST, source: str) -> Iterator[tuple[tuple[int, int], tuple[int, int], str]]:
    """Give the places (line, byte) of what can be replaced in *node*, from and to, and the text that replaces it."""
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        for (left, right), operator in zip(itertools.pairwise(operands), node.ops, strict=True):
            yield _end(left), _start(right), f" {_COMPARISONS[type(operator)]} "
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        yield _end(node.left), _start(node.right), f" {_OPERATORS[type(node.op)]} "
    elif isinstance(node, ast.BoolOp):
        word = " or " if isinstance(node.op, ast.And) else " and "
        for left, right in itertools.pairwise(node.values):
            yield _end(left), _start(right), word
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield _start(node), _start(node.operand), ""
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield _start(node), _end(node), str(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield _start(node), _end(node), str(node.value + 1)
    elif isinstance(node, ast.Break):
        yield _start(node), _end(node), "continue"


def _start(node: ast.expr | ast.stmt) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: ast.expr | ast.stmt) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or 0


def draw(count: int, seed: int, only: str = "") -> list[Mutation]:
    """Draw *count* mutations of different lines, those that a parser takes, from the files below *only*."""
    by_line: dict[str, list[Mutation]] = {}
    for path in _tracked("transcribe/*.py", "dialects/*.py", "cli.py"):
        if path.startswith(only) and not any(part in path for part in LEFT_OUT):
            for mutation in list_mutations(path, (ROOT / path).read_text(encoding="utf-8")):
                by_line.setdefault(mutation.name, []).append(mutation)
    rng = random.Random(seed)
    names = sorted(by_line)
    rng.shuffle(names)
    drawn = (rng.choice(by_line[name]) for name in names)
    return list(itertools.islice((mutation for mutation in drawn if _is_python(mutation)), count))


def _is_python(mutation: Mutation) -> bool:
    lines = (ROOT / mutation.path).read_text(encoding="utf-8").splitlines()
    lines[mutation.line - 1] = mutation.after
    try:
        ast.parse("\n".join(lines))
    except SyntaxError:
        return False
    return True


def _tracked(*patterns: str) -> list[str]:
    return subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    ).stdout.split()


class Imports:
    """The test files of the repository, and how many imports each is away from a module."""

    def __init__(self) -> None:
        files = [*_tracked("transcribe/*.py", "dialects/*.py", "cli.py", "tests/*.py")]
        self._path_by_module = {_module(path): path for path in files}
        self._imports = {path: self._read_imports(path) for path in files}
        self._files = [path for path in files if Path(path).name.startswith("test_")]

    def find(self, path: str) -> list[str]:
        """Give the test files of the module in *path*, those of its name first, then by imports away."""
        distances = {path: 0}
        queue = [path]
        importers: dict[str, list[str]] = {}
        for importer, imported in self._imports.items():
            for target in imported:
                importers.setdefault(target, []).append(importer)
        for current in queue:
            for importer in importers.get(current, ()):
                if importer not in distances:
                    distances[importer] = distances[current] + 1
                    queue.append(importer)
        stem, folder = Path(path).stem, Path(path).parent.name
        own = {f"test_{stem}.py", f"test_{folder}.py" if stem == "__init__" else ""}
        ranked = [
            (file.startswith(SLOW), Path(file).name not in own, distances[file], file)
            for file in self._files
            if file in distances and (not file.startswith(SLOW) or distances[file] == 1 or Path(file).name in own)
        ]
        return [file for *_, file in sorted(ranked)][:MOST_FILES]

    def _read_imports(self, path: str) -> set[str]:
        imported: set[str] = set()
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            else:
                continue
            imported |= {self._path_by_module[name] for name in names if name in self._path_by_module}
        return imported - {path}


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def try_mutation(copy: Path, mutation: Mutation, files: Sequence[str]) -> Ending:
    """Change the line in *copy*, run *files*, change it back, and say how that ended."""
    place = copy / mutation.path
    whole = place.read_text(encoding="utf-8")
    lines = whole.splitlines(keepends=True)
    lines[mutation.line - 1] = mutation.after + "\n"
    place.write_text("".join(lines), encoding="utf-8")
    try:
        return _run_tests(copy, files)
    finally:
        place.write_text(whole, encoding="utf-8")


def _run_tests(copy: Path, files: Sequence[str]) -> Ending:
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *files]
    process = subprocess.Popen(
        command, cwd=copy, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        code = process.wait(WAIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()
        return "hung"
    return "survived" if code in (0, 5) else "red"


def copy_tree(to: Path) -> Path:
    """Copy what is tracked, and the built screen, into *to* beside a link to the shared data."""
    copy = to / "boli"
    for path in _tracked():
        if (ROOT / path).is_file():
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, copy / path)
    screen = Path("transcribe/desk/static")
    if (ROOT / screen).is_dir():
        shutil.copytree(ROOT / screen, copy / screen, dirs_exist_ok=True)
    if (ROOT.parent / "shared").exists():
        (to / "shared").symlink_to((ROOT.parent / "shared").resolve())
    return copy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--only", default="", metavar="PATH")
    parser.add_argument("--part", type=read_share, default=(1, 1), metavar="K/N")
    given = parser.parse_args()
    mutations, tests = draw(given.count, given.seed, given.only), Imports()
    PARTS.mkdir(parents=True, exist_ok=True)
    first, of = given.part
    with tempfile.TemporaryDirectory() as folder:
        copy = copy_tree(Path(folder))
        for mutation in mutations[first - 1 :: of]:
            part = PARTS / f"{mutation.path.replace('/', '.')}-{mutation.line}.json"
            if part.is_file():
                continue
            files = tests.find(mutation.path)
            # Where the tests take longer than that without a mutation too, nothing is said of it.
            ending = try_mutation(copy, mutation, files) if files else "survived"
            part.write_text(json.dumps({"ending": ending, "after": mutation.after.strip()}), encoding="utf-8")
            print(f"{ending:9}{mutation.name}  {mutation.after.strip()}", flush=True)
    parts = {mutation.name: PARTS / f"{mutation.path.replace('/', '.')}-{mutation.line}.json" for mutation in mutations}
    if all(part.is_file() for part in parts.values()):
        documents = {name: json.loads(part.read_text(encoding="utf-8")) for name, part in parts.items()}
        survivors = {name: one["after"] for name, one in documents.items() if one["ending"] == "survived"}
        share = 1 - len(survivors) / len(documents)
        print(f"{share:.1%} of {len(documents)} turned a test red")
        print(write("mutations", {"count": len(documents), "share_red": round(share, 4), "survivors": survivors}))


if __name__ == "__main__":
    main()
