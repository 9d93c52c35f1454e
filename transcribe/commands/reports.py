"""Commands that report what was done at the desk: productivity, pay, quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from transcribe.commands.app import LEADS, AsJson, Debug, Workspace, console, group, open_workspace
from transcribe.console import Answer

if TYPE_CHECKING:
    from transcribe.wiring import Wiring

report = group("report", "What was done at the desk.", LEADS)

Since = Annotated[str | None, typer.Option(help="Work touched from this UTC date on, for example 2026-01-31.")]
Until = Annotated[str | None, typer.Option(help="Work touched before this UTC date.")]


@report.command("productivity", epilog="Example: boli report productivity --since 2026-01-01")
def report_productivity(
    since: Since = None,
    until: Until = None,
    out: Annotated[Path | None, typer.Option("--csv", help="Write it as CSV, too.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Report sound written and active time, by person and dialect."""
    with open_workspace(workspace) as wiring:
        console.answer(describe_productivity(wiring, Period(since=since, until=until), out=out))


@report.command("pay", epilog="Example: boli report pay --rates rates.toml --csv january.csv")
def report_pay(
    rates: Annotated[
        Path, typer.Option(help='TOML or a table: currency = "INR", minute = 12.0, and a table [dialects].')
    ],
    since: Since = None,
    until: Until = None,
    out: Annotated[Path | None, typer.Option("--csv", help="Write every line as CSV, too.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Report what is due to whom, a line a segment."""
    with open_workspace(workspace) as wiring:
        console.answer(describe_pay(wiring, Period(since=since, until=until), rates=rates, out=out))


@report.command("quality", epilog="Example: boli report quality")
def report_quality(
    since: Since = None,
    until: Until = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Report agreement of people, gold segments and reviews, by dialect."""
    with open_workspace(workspace) as wiring:
        console.answer(describe_quality(wiring, Period(since=since, until=until)))


@dataclass(frozen=True, kw_only=True)
class Period:
    """A period from *since* to before *until*, as UTC dates or moments; ``None``: without bound."""

    since: str | None = None
    until: str | None = None


def describe_productivity(wiring: Wiring, period: Period, *, out: Path | None) -> Answer:
    """Report the audio written, active time and first acceptance, by person and dialect."""
    from transcribe.desk.reports import format_csv, productivity
    from transcribe.terminal import stack, table

    document = productivity(wiring.store.work_items.fetch(since=period.since, until=period.until))
    _write(out, format_csv(document["people"]))
    names = ("segments", "sound_ms", "active_ms", "sound_minutes_an_hour", "reviewed", "accepted_first_time")
    rows = [(row["name"], *(_format_cell(name, row[name]) for name in names)) for row in document["people"]]
    head = ("name", "segments", "sound", "active", "min an hour", "reviewed", "accepted at once")
    return Answer(data=document, text=stack(_list_lines(wiring, document, rows), table(head, rows)))


def describe_pay(wiring: Wiring, period: Period, *, rates: Path, out: Path | None) -> Answer:
    """Report the pay that is due to each person, a line a segment; the rates come from a file."""
    from transcribe.desk.reports import format_csv, pay, read_rates
    from transcribe.terminal import minutes, stack, table

    document = pay(wiring.store.work_items.fetch(since=period.since, until=period.until), read_rates(rates))
    _write(out, format_csv(document["lines"]))
    rows = [
        (
            row["name"],
            str(row["segments"]),
            minutes(row["sound_ms"]),
            f"{row['amount']:.2f}",
            f"{row['not_due']:.2f}",
        )
        for row in document["people"]
    ]
    head = ("name", "segments", "sound", f"due {document['currency']}", "not due yet")
    return Answer(data=document, text=stack(_list_lines(wiring, document, rows), table(head, rows)))


def describe_quality(wiring: Wiring, period: Period) -> Answer:
    """Report how far people agree, how they do on known segments, and what reviewers did, by dialect."""
    from transcribe.desk.quality import quality
    from transcribe.desk.server import differ
    from transcribe.terminal import stack, table

    store = wiring.store
    pieces = list(store.work_items.fetch(since=period.since, until=period.until))
    document = quality(pieces, store.work_items.fetch_pairs(), wiring.catalogue, differ(wiring.catalogue))
    names = ("pairs", "disagreement", "reviewed", "sent_back")
    rows = [(row["dialect"], *(_format_cell(name, row[name]) for name in names)) for row in document["dialects"]]
    head = ("dialect", "written twice", "disagreement", "reviewed", "sent back")
    return Answer(data=document, text=stack(_list_lines(wiring, document, rows), table(head, rows)))


def _write(out: Path | None, text: str) -> None:
    if out is not None:
        out.write_text(text, encoding="utf-8", newline="")


def _list_lines(wiring: Wiring, document: dict[str, Any], rows: Sequence[object]) -> list[str]:
    """Return the definitions of the figures, or, without *rows*, how the workspace goes on."""
    from transcribe.workspace import find_desk_step

    if not rows:
        return [f"nothing was written at the desk yet; {find_desk_step(wiring.store)}"]
    return [f"{word}: {meaning}" for word, meaning in document["definitions"].items()]


def _format_cell(name: str, figure: Any) -> str:
    if figure is None:
        return "–"
    if name.endswith("_ms"):
        from transcribe.terminal import minutes

        return minutes(figure)
    return f"{figure:.1%}" if name == "disagreement" else str(figure)
