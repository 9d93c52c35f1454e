"""Commands that import what people made elsewhere: corrections, a browser's unsent work, known texts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transcribe.commands.app import ENGINEERS, AsJson, Debug, Dry, Workspace, console, group, open_workspace
from transcribe.console import Answer
from transcribe.errors import Failure, InputError

if TYPE_CHECKING:
    from transcribe.wiring import Wiring

imports = group("import", "Take in what people made elsewhere.", ENGINEERS)

#: Why saved work was not taken in, in words.
_REJECTED = {
    "unfinished": "its writer had not ended it; --unfinished takes it as it is",
    "unknown_lease": "its writer never held this segment",
    "key_reused": "another text came under the same id",
    "erased": "its segment was erased",
}


@imports.command("corrections", epilog="Example: boli import corrections done.csv")
def import_corrections(
    file: Annotated[Path, typer.Argument(help="CSV, JSONL or STM.")],
    dry_run: Dry = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Import corrections made elsewhere; the same file twice is taken once."""
    with open_workspace(workspace) as wiring:
        console.answer(add_corrections(wiring, file, dry_run=dry_run))


@imports.command("gold", epilog="Example: boli import gold known.csv")
def import_gold(
    file: Annotated[Path, typer.Argument(help="CSV or JSONL of segment and text.")],
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Import right texts of segments, which are then given to people to check them."""
    with open_workspace(workspace) as wiring:
        console.answer(add_gold(wiring, file))


@imports.command("outbox", epilog="Example: boli import outbox unsent.json")
def import_outbox(
    file: Annotated[Path, typer.Argument(help="What the desk's screen saved.")],
    unfinished: Annotated[bool, typer.Option("--unfinished", help="Take texts too that were not ended.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Import unsent work of a browser; the same file twice is taken once."""
    with open_workspace(workspace) as wiring:
        console.answer(add_outbox(wiring, file, unfinished=unfinished))


def add_corrections(wiring: Wiring, file: Path, *, dry_run: bool = False) -> Answer:
    """Import corrections from a file; a row that was taken before is not taken again."""
    from transcribe.formats.corrections import read_corrections

    corrections = read_corrections(file, store=wiring.store)
    if dry_run:
        count = sum(1 for _ in corrections)
        return Answer(data={"rows": count, "dry_run": True}, text=f"{count} corrections would be taken in")
    added = wiring.store.corrections.add(corrections)
    document = {"new": len(added.new), "known": len(added.existing), "dry_run": False}
    return Answer(data=document, text=f"{len(added.new)} corrections taken in, {len(added.existing)} known already")


def add_gold(wiring: Wiring, file: Path) -> Answer:
    """Set the segments of *file* aside for checking people, those that are open or accepted."""
    texts = _read_gold(file)
    wiring.store.desk.lay_out(wiring.desk_rules(), upto=wiring.store.desk.find_newest_run())
    count = wiring.store.desk.set_gold(texts)
    text = f"{count} of {len(texts)} segments are kept for checking people"
    return Answer(data={"gold": count, "rows": len(texts)}, text=text)


def add_outbox(wiring: Wiring, file: Path, *, unfinished: bool) -> Answer:
    """Take in unsent work that the screen saved to a file, as if it came over the network."""
    from transcribe.desk import outbox as intake
    from transcribe.desk.server import differ

    outbox = intake.read_outbox(file)
    if outbox.person.id not in {person.id for person in wiring.store.people.fetch()}:
        raise InputError(
            f"{file} was saved by {outbox.person.name}, who is not among the people of this workspace",
            code="E_PERSON",
            hint="import it where it was written",
            item=outbox.person.id,
        )
    rules = wiring.desk_rules()
    outcomes = list(intake.import_outbox(outbox, wiring.store, rules, differ(wiring.catalogue), unfinished=unfinished))
    counts = Counter(outcome.status for outcome in outcomes)
    failures = [
        Failure(
            item=outcome.op_id,
            code="E_REJECTED",
            message=_REJECTED.get(outcome.reason or "", f"rejected: {outcome.reason}"),
        )
        for outcome in outcomes
        if outcome.status == "rejected"
    ]
    operations = [{"op_id": outcome.op_id, "status": outcome.status, "reason": outcome.reason} for outcome in outcomes]
    line = ", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "nothing was in it"
    return Answer(data={"person": outbox.person.name, "operations": operations}, text=line, failures=failures)


def _read_gold(file: Path) -> dict[str, str]:
    """Read texts by segment, from a table with the columns ``segment`` and ``text``."""
    from transcribe.tables import Table

    names = ("segment", "text")
    table = Table(file=file, any_of=(), required=names, code="E_GOLD")
    rows = list(table.rows())
    for row in rows:
        if empty := next((name for name in names if not row.cells.get(name, "").strip()), None):
            raise table.fault(row.line, "an empty cell", column=empty, hint="give columns segment and text")
    return {row.cells["segment"].strip(): row.cells["text"] for row in rows}
