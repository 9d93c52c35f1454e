"""Commands that import what people made elsewhere: corrections, a browser's unsent work, known texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transcribe.commands.app import ENGINEERS, AsJson, Debug, Dry, Workspace, console, group, open_workspace
from transcribe.console import Answer
from transcribe.errors import Failure, InputError

if TYPE_CHECKING:
    from transcribe.records import Correction, Drafted
    from transcribe.wiring import Wiring

imports = group("import", "Take in what people made elsewhere.", ENGINEERS)

#: Why saved work was not taken in, in words.
_REJECTED = {
    "unfinished": "its writer had not ended it; --unfinished takes it as it is",
    "unknown_lease": "its writer never held this segment",
    "key_reused": "another text came under the same id",
    "erased": "its segment was erased",
}


_File = Annotated[
    Path, typer.Argument(help="A table, or a file or folder of any format of boli export; see docs/formats.md.")
]
_Kind = Annotated[str | None, typer.Option("--format", help="Name of the format, where the file does not tell.")]
_Turns = Annotated[Path | None, typer.Option(help="RTTM that says who speaks, for STM and CTM without speakers.")]
_Tier = Annotated[str | None, typer.Option(help="ELAN: the tiers with the texts, as they are called before '@'.")]
_Strict = Annotated[bool, typer.Option("--strict", help="Take nothing if one entry cannot be used.")]


@imports.command("corrections", epilog="Example: boli import corrections done.csv")
def import_corrections(
    file: _File,
    kind: _Kind = None,
    turns: _Turns = None,
    tier: _Tier = None,
    strict: _Strict = False,
    dry_run: Dry = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Import corrections made elsewhere; the same file twice is taken once."""
    with open_workspace(workspace) as wiring:
        request = ImportRequest(file=file, kind=kind, turns=turns, tier=tier, strict=strict, dry_run=dry_run)
        console.answer(add_corrections(wiring, request))


@imports.command("drafts", epilog="Example: boli import drafts subtitles --source broadcaster")
def import_drafts(
    file: _File,
    source: Annotated[str, typer.Option(help="Name of the model or archive that the transcripts are of.")],
    kind: _Kind = None,
    turns: _Turns = None,
    tier: _Tier = None,
    strict: _Strict = False,
    dry_run: Dry = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Import transcripts made elsewhere as drafts, which people correct; boli run leaves them alone."""
    with open_workspace(workspace) as wiring:
        request = ImportRequest(file=file, kind=kind, turns=turns, tier=tier, strict=strict, dry_run=dry_run)
        console.answer(add_drafts(wiring, request, source))


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


@dataclass(frozen=True, kw_only=True)
class ImportRequest:
    """A file of texts to take in."""

    file: Path
    #: Name of its format; ``None``: as it looks.
    kind: str | None = None
    turns: Path | None = None
    #: Name of the tiers with the texts; ``None``: as they look.
    tier: str | None = None
    #: Whether an entry that cannot be used refuses the file.
    strict: bool = False
    dry_run: bool = False


def add_corrections(wiring: Wiring, request: ImportRequest) -> Answer:
    """Import corrections from a file; an entry that was taken before is not taken again."""
    from transcribe.formats.corrections import read_corrections

    def read_file(refuse: Callable[[InputError], None]) -> Iterator[Correction]:
        return read_corrections(
            request.file,
            store=wiring.store,
            catalogue=wiring.catalogue,
            name=request.kind,
            turns=request.turns,
            tier=request.tier,
            refuse=refuse,
        )

    refusals: list[InputError] = []
    count = _count_usable(read_file, request, refusals)
    if request.dry_run:
        return _describe_import({"rows": count}, f"{count} corrections would be taken in", refusals, dry_run=True)
    added = wiring.store.corrections.add(read_file(refusals.append))
    counts = {"new": len(added.new), "known": len(added.existing)}
    text = f"{counts['new']} corrections taken in, {counts['known']} known already"
    return _describe_import(counts, text, refusals)


def add_drafts(wiring: Wiring, request: ImportRequest, source: str) -> Answer:
    """Import transcripts from a file as the drafts of *source*; what was imported before stays as it is."""
    from transcribe.formats.drafts import make_model, read_drafted

    model = make_model(source)

    def read_file(refuse: Callable[[InputError], None]) -> Iterator[Drafted]:
        return read_drafted(
            request.file,
            store=wiring.store,
            model=model,
            catalogue=wiring.catalogue,
            name=request.kind,
            turns=request.turns,
            tier=request.tier,
            refuse=refuse,
        )

    refusals: list[InputError] = []
    count = _count_usable(read_file, request, refusals)
    if request.dry_run:
        text = f"drafts of {count} recordings would be taken in"
        return _describe_import({"recordings": count}, text, refusals, dry_run=True)
    new = known = segments = 0
    for drafted in read_file(refusals.append):
        if not new and not known:
            wiring.store.models.add(model)
        is_new = wiring.store.drafts.save(drafted)
        new, known = new + is_new, known + (not is_new)
        segments += len(drafted.segments) if is_new else 0
    text = f"{segments} drafts of {new} recordings taken in, {known} recordings known already"
    counts = {"model": model.id, "new": new, "known": known, "segments": segments}
    return _describe_import(counts, text, refusals)


def _count_usable(
    read: Callable[[Callable[[InputError], None]], Iterator[object]], request: ImportRequest, refusals: list[InputError]
) -> int:
    """Count what would be taken in, in a dry run, and refuse the file if it is to be taken whole and cannot be."""
    if not (request.strict or request.dry_run):
        return 0
    errors: list[InputError] = []
    count = sum(1 for _ in read(errors.append))
    if request.strict and errors:
        first = errors[0]
        message = f"{request.file.name} was to be taken whole; {len(errors)} entries cannot be used: {first.message}"
        raise InputError(message, code=first.code, hint=first.hint, item=first.item)
    if request.dry_run:
        refusals += errors
    return count


def _describe_import(
    counts: Mapping[str, object], text: str, refusals: list[InputError], *, dry_run: bool = False
) -> Answer:
    reasons = Counter(error.code for error in refusals)
    document = {**counts, "refused": len(refusals), "reasons": dict(reasons), "dry_run": dry_run}
    if refusals:
        text = f"{text}, {len(refusals)} refused"
    failures = [Failure(item=str(error.item), code=error.code, message=str(error)) for error in refusals]
    return Answer(data=document, text=text, failures=failures)


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
