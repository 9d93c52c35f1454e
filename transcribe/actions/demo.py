"""The whole circle on the corpus that ships with the package, and a desk opened on it."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from transcribe import embedded, workspace
from transcribe.actions import desk
from transcribe.actions.conversing import missing_extras
from transcribe.actions.improving import improve
from transcribe.actions.recordings import Source, import_corrections, ingest, run
from transcribe.actions.scoring import Scoring, wer
from transcribe.backends import model_cache, model_catalogue
from transcribe.console import Answer, Console
from transcribe.desk_records import Role
from transcribe.errors import InputError
from transcribe.wiring import Wiring

#: A dialect of the demo has few conversations: it is called reportable sooner, and the report says so. On its desk one
#: person of each kind works: each text is reviewed, none is written twice, and everybody sees what the others do.
DEMO_SETTINGS: Final[dict[str, Mapping[str, Any]]] = {
    "report": {"provisional_words": 100, "reportable_speakers": 5, "reportable_words": 300},
    "desk": {"review_share": 1.0, "second_share": 0.0, "gold_share": 0.0},
    # A processor multiplies whole numbers faster than floats, and the model writes nearly the same words.
    "recogniser": {"compute_type": "int8"},
}
#: What is heard worst is taught, each language by itself and no longer than somebody waits who tries it on two cores.
DEMO_TAUGHT: Final[dict[str, Mapping[str, Any]]] = {
    "hi": {"train.steps": 180, "train.windows": 4, "train.test_every": 45},
    "en-scotland": {"train.steps": 50, "train.windows": 12, "train.test_every": 10, "train.rate": 7e-5},
}
#: Models that draft the demo, whatever else was fetched to this machine, so that everybody sees the same.
DEMO_MODELS: Final = {"recogniser": "whisper-base", "diariser": "diariser-real"}
#: Test conversations that the demo drafts, a quarter of an hour: four dialects with enough to be reportable, the others
#: with one each.
DEMO_PART: Final = {"en-US": 5, "en-GB": 6, "en-scotland": 6, "hi": 5, "en-IN": 1, "hi-x-mixed": 1, "ta": 1}
#: Where it improves too: enough of what is taught that a difference can be certain.
DEMO_TESTED: Final = DEMO_PART | {"en-scotland": 8, "hi": 8}
#: Where the desk opens: of each dialect so many to write, and so many of the test.
DEMO_SERVED: Final = {"train": 2, "test": 1}
DEMO_NOTE: Final = "this demo calls a dialect reportable from 5 blocks and 300 words; the default is 10 and 2000"
#: Who works at the demo's desk, each named after what they do.
DEMO_PEOPLE: Final[tuple[Role, ...]] = ("transcriber", "reviewer", "lead")


def demo(
    folder: Path, console: Console, *, conversations: Sequence[str] = (), with_improvement: bool = False
) -> Answer:
    """
    Draft, correct and score the corpus that ships with the package; a second time it goes on where it stopped.

    Args:
        conversations: Only these of the corpus, by name without ending; none: `DEMO_PART`, and `DEMO_TESTED` with what
            teaches `DEMO_TAUGHT` if it improves.
        with_improvement: Learn from the corrections too, and score what drafts then.
    """
    began = time.monotonic()
    workspace_path = workspace.create(folder, _settings())
    with Wiring.open(workspace_path) as wiring:
        rows = _rows(embedded.demo_corpus() / "manifest.csv", conversations)
        drafted = rows if conversations else _part(rows, DEMO_TESTED if with_improvement else DEMO_PART)
        steps = _steps(wiring, console, drafted, held_back=False)
        if with_improvement:
            taught = [row for row in rows if row["split"] != "test" and row["dialect"] in DEMO_TAUGHT]
            # They are not drafted: what people wrote of them is all that tuning asks for.
            everything = [*drafted, *(row for row in taught if row not in drafted)]
            steps += [_ingest(wiring, console, everything)]
            steps += [_correct(wiring, console, {row["path"] for row in everything})]
    improved = {tag: _improve(workspace_path, console, tag) for tag in DEMO_TAUGHT} if with_improvement else {}
    split = "all" if conversations else "test"
    scored = wer(workspace_path, Scoring(split=split, conversations=not missing_extras()))
    console.note(f"took {time.monotonic() - began:.0f} s")
    return Answer(
        data={"workspace": str(workspace_path), "wer": scored.data}
        | ({"improve": improved} if with_improvement else {}),
        text=f"\n{scored.text}\n{DEMO_NOTE}\n{workspace_path}",
        warnings=scored.warnings,
        failures=[failure for step in steps for failure in step.failures],
    )


def demo_desk(folder: Path, console: Console, *, conversations: Sequence[str] = (), port: int | None = None) -> Answer:
    """
    The demo's corpus with work left to do, three people who may sign in, and the desk open on it until somebody stops
    it; for this machine alone. Where all that stands already it only opens.
    """
    workspace_path = workspace.create(folder, _settings())
    steps: Sequence[Answer] = ()
    with Wiring.open(workspace_path, {"desk.host": "127.0.0.1", "desk.port": port}) as wiring:
        if {person.name for person in wiring.store.people()} >= set(DEMO_PEOPLE):
            console.note(
                f"demo in {workspace_path}; a forgotten password: boli people password NAME --workspace {folder}"
            )
        else:
            rows = _rows(embedded.demo_corpus() / "manifest.csv", conversations)
            served = rows if conversations else _served(rows)
            steps = _steps(wiring, console, served, held_back=True)
            _take_in(wiring, console)
        closed = desk.serve(wiring, console)
    return replace(
        closed,
        data={**closed.data, "workspace": str(workspace_path)},
        failures=[failure for step in steps for failure in step.failures],
    )


def _settings() -> Mapping[str, Mapping[str, Any]]:
    """Give the demo's settings with the models that draft it: real ones where both are here, else the embedded ones."""
    entries = {kind: model_catalogue.need_entry(name) for kind, name in DEMO_MODELS.items()}
    real = all(model_cache.is_here(entry) for entry in entries.values())
    models = {kind: {"model": entry.name if real else embedded.NAME} for kind, entry in entries.items()}
    return DEMO_SETTINGS | {kind: {**DEMO_SETTINGS.get(kind, {}), **model} for kind, model in models.items()}


def _steps(wiring: Wiring, console: Console, rows: Sequence[dict[str, str]], *, held_back: bool) -> list[Answer]:
    """Take in the recordings of *rows*, draft them, and take in corrections; each is done once, however often asked."""
    console.note(
        f"demo in {wiring.workspace}: conversations of synthetic voices with a known truth; "
        f"{wiring.drafting_sentence()}"
    )
    if wiring.diariser_place == embedded.NAME:
        console.note("the embedded models are for tests and know none of this speech: the rates below say so")
    with_texts = {row["path"] for row in rows} - (_held_back(rows) if held_back else set())
    return [_ingest(wiring, console, rows), _draft(wiring, console), _correct(wiring, console, with_texts)]


def _ingest(wiring: Wiring, console: Console, rows: Sequence[dict[str, str]]) -> Answer:
    manifest = _write_rows(wiring.workspace / "demo.csv", rows)
    return _note_text(ingest(wiring, Source(manifest=manifest, root=embedded.demo_corpus()), console), console)


def _draft(wiring: Wiring, console: Console) -> Answer:
    return _note_text(run(wiring, console), console)


def _correct(wiring: Wiring, console: Console, with_texts: Collection[str]) -> Answer:
    """Take in the corrections of the conversations in *with_texts*, by path."""
    corrections = embedded.demo_corpus() / "corrections.jsonl"
    return _note_text(
        import_corrections(wiring, _write_known(wiring.workspace / "demo.jsonl", corrections, with_texts)), console
    )


def _improve(workspace: Path, console: Console, dialect: str) -> Any:
    """Tune on the corrections of *dialect*, and return what `boli improve` would with ``--json``."""
    console.note(f"\nboli improve --dialect {dialect}")
    with Wiring.open(workspace, {"train.focus": (dialect,), **DEMO_TAUGHT[dialect]}) as wiring:
        return _note_text(improve(wiring, console), console).data


def _note_text(answer: Answer, console: Console) -> Answer:
    console.note(str(answer.text))
    return answer


def _take_in(wiring: Wiring, console: Console) -> None:
    """Give each kind of people somebody to sign in as, and say their passwords, this once."""
    there = {person.name for person in wiring.store.people()}
    console.note("\nsign in as     with the password")
    for role in DEMO_PEOPLE:
        # Somebody who is there already was taken in by a demo that was stopped right here, before it had said it all.
        if role in there:
            answer = desk.people_password(wiring, role, read_password=False)
        else:
            answer = desk.people_add(wiring, role, [role], (), read_password=False)
        console.note(f"{role:<15}{answer.data['password']}")
    console.note("the passwords are not kept anywhere\n")


def _rows(manifest: Path, conversations: Sequence[str]) -> list[dict[str, str]]:
    """Rows of the corpus's manifest; of *conversations* alone, where any are named."""
    with manifest.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    unknown = set(conversations) - {Path(row["path"]).stem for row in rows}
    if unknown:
        raise InputError(
            f"--conversation {', '.join(sorted(unknown))} was asked for, the demo has no such one",
            hint=f"{embedded.demo_corpus() / 'manifest.csv'} lists them, for example {Path(rows[0]['path']).stem}",
        )
    return [row for row in rows if not conversations or Path(row["path"]).stem in conversations]


def _part(rows: Sequence[dict[str, str]], counts: Mapping[str, int], split: str = "test") -> list[dict[str, str]]:
    """
    Give so many rows of each dialect as *counts* says: the first ones of *split*.

    >>> tests = [{"dialect": "ta", "split": "test", "path": path} for path in "ab"]
    >>> [row["path"] for row in _part([{"dialect": "ta", "split": "dev", "path": "c"}, *tests], {"ta": 1})]
    ['a']
    """
    by_dialect: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        if row["split"] == split:
            by_dialect.setdefault(row["dialect"], []).append(row)
    return [row for dialect, part in by_dialect.items() for row in part[: counts.get(dialect, 0)]]


def _served(rows: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    dialects = {row["dialect"] for row in rows}
    return [row for split, count in DEMO_SERVED.items() for row in _part(rows, dict.fromkeys(dialects, count), split)]


def _held_back(rows: Sequence[dict[str, str]]) -> set[str]:
    """
    Paths of the conversations whose corrections are held back, so that there is work to do: of each dialect all of
    those to learn from, and half of those to measure with.

    >>> row = {"dialect": "hi", "split": "test"}
    >>> sorted(_held_back([row | {"path": path} for path in "abc"] + [row | {"path": "d", "split": "dev"}]))
    ['c', 'd']
    """
    measuring: dict[str, list[str]] = {}
    for row in rows:
        if row["split"] == "test":
            measuring.setdefault(row["dialect"], []).append(row["path"])
    with_texts = {path for paths in measuring.values() for path in paths[: (len(paths) + 1) // 2]}
    return {row["path"] for row in rows} - with_texts


def _write_rows(file: Path, rows: Sequence[dict[str, str]]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return file


def _write_known(file: Path, corrections: Path, with_texts: Collection[str]) -> Path:
    lines = corrections.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(line for line in lines if json.loads(line)["recording"] in with_texts), encoding="utf-8")
    return file
