"""
How many files of the project does one text cross until it is saved, and how many does each command enter?

    python -m benchmarks.trace_files [--text-only] [--list]

Counts the files in which a function is entered, and the changes of file between one entered function and the next, over
all threads of this process; what runs at the import of a file does not count, nor do child processes.
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import json
import os
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Final

import cli
from benchmarks.measuring import write
from dialects.dialect import load_catalogue
from tests.conftest import ROOT
from tests.desk.conftest import PLAIN, Room, operation, send, take
from tests.small_corpus import EMBEDDED_MODELS, FOLDER, read_turns
from tests.store.desk_factories import Clock
from transcribe import workspace
from transcribe.config import DeskSettings
from transcribe.desk.server import open_desk
from transcribe.store import Store

#: Beginnings of the paths of the product's files.
_PRODUCT: Final = ("transcribe/", "dialects/", "cli.py")
_COMPREHENSIONS: Final = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})
#: Conversations of the commands, of a dialect that the embedded model hears badly and learns something of in seconds.
_CONVERSATIONS: Final = tuple(
    f"en-scotland-{part}" for part in ("train-01", "train-02", "dev-01", "test-01", "test-02")
)
#: Seconds of each.
_CLIP_S: Final = 20
_TUNING: Final = {"steps": 12, "test_every": 4, "warmup_steps": 2, "focus": ["en-scotland"]}


@dataclass(kw_only=True)
class Trace:
    """The files in which functions were entered, in their order, without repeats of one in a row."""

    steps: list[str] = field(default_factory=list)
    is_on: bool = False

    @property
    def files(self) -> list[str]:
        return sorted(set(self.steps))

    @property
    def changes(self) -> int:
        """The number of times that the next function entered was in another file."""
        return max(len(self.steps) - 1, 0)


@contextlib.contextmanager
def trace_calls(is_over: Callable[[], bool] = lambda: False) -> Iterator[Trace]:
    """
    Trace the functions that this process enters in the body, while the trace is switched on.

    Only this thread and those that begin in the body are followed.

    Args:
        is_over: Switches the trace off once it returns true; asked whenever a function of the project returns.
    """
    trace = Trace()
    path_by_code: dict[CodeType, str | None] = {}

    def follow(frame: FrameType, event: str, _argument: object) -> None:
        if not trace.is_on or event not in ("call", "return"):
            return
        code = frame.f_code
        if code not in path_by_code:
            path_by_code[code] = _product_path(code)
        path = path_by_code[code]
        if path is None:
            return
        if event == "return":
            trace.is_on = not is_over()
        elif not trace.steps or trace.steps[-1] != path:
            trace.steps.append(path)

    threading.setprofile(follow)
    sys.setprofile(follow)
    try:
        yield trace
    finally:
        trace.is_on = False
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]


def _product_path(code: CodeType) -> str | None:
    """Return the path of a function's file from the root; ``None`` for another's file, and for what an import runs."""
    path = os.path.relpath(code.co_filename, ROOT)
    # The bodies of modules and classes have no fast locals; a comprehension is a part of its function.
    is_function = code.co_flags & inspect.CO_OPTIMIZED and code.co_name not in _COMPREHENSIONS
    return path if path.startswith(_PRODUCT) and is_function else None


def trace_text(folder: Path) -> Trace:
    """Trace the second text that somebody sends to a desk in *folder*, until its row is in the table."""
    file = workspace.create(folder, {}) / "boli.db"
    url = f"sqlite:///{file}"
    Store.open(url).close()

    def is_saved() -> bool:
        with contextlib.closing(sqlite3.connect(file, timeout=0)) as connection:
            try:
                return connection.execute("SELECT 1 FROM versions WHERE op_id = 'operation-2'").fetchone() is not None
            except sqlite3.OperationalError:
                return False

    settings = DeskSettings(**PLAIN)
    with contextlib.ExitStack() as stack, trace_calls(is_saved) as trace:
        store = stack.enter_context(Store.open(url))
        service = stack.enter_context(open_desk(store, settings, folder, load_catalogue()))
        room = Room(folder, store, service, Clock(), stack)
        room.talk(count=2)
        client = room.person("asha", dialects=["hi"])
        first, second = take(client, 2)
        send(client, operation(first, "one text", "operation-1"))
        trace.is_on = True
        send(client, operation(second, "another text", "operation-2"))
        if trace.is_on:
            raise AssertionError("the text was answered before its row was in the table")
    return trace


def trace_commands(folder: Path) -> dict[str, Trace]:
    """Trace the commands that lead from sound files to a promoted model, in a new workspace in *folder*."""
    files = _write_material(folder)
    place = workspace.create(
        folder / "corpus", EMBEDDED_MODELS | {"train": _TUNING, "dataset": {"closed_vocabulary": True}}
    )
    at = ("--workspace", str(place))
    traces = {
        "ingest": _trace_command("ingest", "--manifest", str(files["manifest"]), *at),
        "run": _trace_command("run", *at),
        "import corrections": _trace_command("import", "corrections", str(files["corrections"]), *at),
        # So few steps may make no model that passes the gate.
        "improve": _trace_command("improve", *at, codes=(0, 7)),
    }
    with Store.open(f"sqlite:///{place / 'boli.db'}") as store:
        candidate = next(model for model in store.models.fetch() if model.place.startswith("models/"))
    return traces | {"models promote": _trace_command("models", "promote", candidate.name, *at, codes=(0, 7))}


def _trace_command(*words: str, codes: tuple[int, ...] = (0,)) -> Trace:
    """Trace one command as a person types it; its exit code is to be one of *codes*."""
    with trace_calls() as trace:
        trace.is_on = True
        try:
            cli.main([*words, "--json"])
        except SystemExit as end:
            if end.code not in codes:
                raise
    return trace


def _write_material(folder: Path) -> dict[str, Path]:
    """Write the beginnings of some conversations, a manifest of them, and their true texts."""
    import soundfile
    from faster_whisper import decode_audio

    manifest, corrections = folder / "manifest.csv", folder / "corrections.jsonl"
    rows, lines = ["path,dialect,session,split"], []
    for name in _CONVERSATIONS:
        samples = decode_audio(str(FOLDER / f"{name}.opus"), sampling_rate=16_000)
        soundfile.write(folder / f"{name}.wav", samples[: _CLIP_S * 16_000], 16_000, subtype="PCM_16")
        rows.append(f"{name}.wav,en-scotland,{name},{name.split('-')[2]}")
        turns = [turn for turn in read_turns(name) if turn["end_ms"] < _CLIP_S * 1_000]
        lines += [json.dumps(turn | {"recording": f"{name}.wav"}) for turn in turns]
    manifest.write_text("\n".join(rows) + "\n", encoding="utf-8")
    corrections.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {"manifest": manifest, "corrections": corrections}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--text-only", action="store_true", help="Leave out the commands, which take minutes.")
    parser.add_argument("--list", action="store_true", help="Show the files too.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        traces = {"POST of one text": trace_text(folder / "desk")}
        if not options.text_only:
            traces |= trace_commands(folder)
    print(f"{'':20} {'files':>6} {'changes':>8}")
    for name, trace in traces.items():
        print(f"{name:20} {len(trace.files):6} {trace.changes if name.startswith('POST') else '':>8}")
        if options.list:
            for path in trace.steps if name.startswith("POST") else trace.files:
                print(f"    {path}")
    if not options.text_only:
        found = {name: {"files": len(trace.files), "changes": trace.changes} for name, trace in traces.items()}
        write("trace_files", found)


if __name__ == "__main__":
    main()
