"""Commands that ingest recordings, draft them, import corrections and tell how far that is."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transcribe import terminal, workspace
from transcribe.console import Answer, Console
from transcribe.errors import Failure, Interrupted
from transcribe.wiring import Wiring

if TYPE_CHECKING:
    from transcribe.pipeline.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Source:
    """The source of recordings: paths, or a manifest."""

    paths: tuple[Path, ...] = ()
    manifest: Path | None = None
    root: Path | None = None
    dialect: str | None = None
    stream: int | None = None


def init(folder: Path, values: dict[str, dict[str, Any]] | None = None) -> Answer:
    """Make a workspace with its database."""
    created = workspace.create(folder, values)
    with Wiring.open(created) as wiring:
        document = {"workspace": str(created), "recordings": wiring.store.status().recordings}
    return Answer(data=document, text=f"workspace {created}\nnext: boli ingest --workspace {folder} PATH…")


def ingest(
    wiring: Wiring, source: Source, console: Console, *, allow_partial: bool = False, dry_run: bool = False
) -> Answer:
    """Take recordings in; what cannot be taken is named with its reason."""
    from transcribe import audio, ingest

    settings = wiring.settings.ingest
    rules = ingest.Rules(
        catalogue=wiring.catalogue,
        limits=audio.Limits(longest=round(settings.longest_hours * 3_600_000), memory_bytes=settings.memory_mb << 20),
        shares=ingest.Shares(dev=settings.dev_share, test=settings.test_share, seed=settings.split_seed),
        strict_dialects=settings.strict_dialects,
        stream=source.stream,
        allow_partial=allow_partial,
    )
    arrivals = ingest.plan(
        source.paths,
        manifest=source.manifest,
        root=source.root,
        allow_roots=settings.allow_roots,
        defaults={"dialect": source.dialect} if source.dialect else None,
        split_of=wiring.store.split_of,
    )
    with console.progress("ingesting", items=None) as progress:
        summary = ingest.ingest(
            arrivals,
            store=wiring.store,
            audio_folder=wiring.audio_folder,
            rules=rules,
            workers=settings.workers,
            progress=progress,
            dry_run=dry_run,
        )
    document = {
        "new": summary.new,
        "known": summary.present,
        "failed": len(summary.failed),
        "audio_ms": summary.milliseconds,
        "bytes": summary.bytes,
        "dry_run": dry_run,
    }
    verb = "would be taken" if dry_run else "taken in"
    sound = "" if summary.milliseconds is None else f" ({terminal.minutes(summary.milliseconds)})"
    text = f"{summary.new} recordings {verb}{sound}, {summary.present} known already"
    return Answer(data=document, text=text, warnings=summary.warnings, failures=summary.failed)


def import_corrections(wiring: Wiring, file: Path, *, dry_run: bool = False) -> Answer:
    """Import corrections from a file; a row that was taken before is not taken again."""
    from transcribe.formats.corrections import read_corrections

    corrections = read_corrections(file, store=wiring.store)
    if dry_run:
        count = sum(1 for _ in corrections)
        return Answer(data={"rows": count, "dry_run": True}, text=f"{count} corrections would be taken in")
    added = wiring.store.add_corrections(corrections)
    document = {"new": len(added.new), "known": len(added.existing), "dry_run": False}
    return Answer(data=document, text=f"{len(added.new)} corrections taken in, {len(added.existing)} known already")


def run(
    wiring: Wiring, console: Console, *, retry_failed: bool = False, everything: bool = False, dry_run: bool = False
) -> Answer:
    """
    Diarise and draft what is pending.

    Args:
        everything: Also draft recordings that were drafted before, say by another model, and are corrected throughout.
    """
    store = wiring.store
    with store.lock("run"):
        recipe = wiring.recipe()
        console.note(wiring.drafting_sentence())
        items, sound = store.pending_size(recipe.settings, retry_failed=retry_failed, waiting=not everything)
        plan = {
            "pending": items,
            "pending_ms": sound,
            "recogniser": recipe.recogniser.id,
            "diariser": recipe.diariser.id,
        }
        if dry_run:
            return Answer(data=plan, text=f"{items} recordings, {sound / 60_000:.1f} min of audio would be drafted")
        return _draft(wiring, console, recipe, plan, retry_failed=retry_failed, everything=everything)


def _draft(
    wiring: Wiring, console: Console, recipe: Recipe, plan: dict[str, Any], *, retry_failed: bool, everything: bool
) -> Answer:
    from transcribe.pipeline.drafting import draft_pending

    failures: list[Failure] = []
    warnings = list(recipe.warnings)
    segments = sound = 0
    with (
        stop_on_signal() as stop,
        console.progress("drafting", items=plan["pending"], sound=plan["pending_ms"]) as progress,
    ):
        for step in draft_pending(
            wiring.store,
            recipe,
            wiring.audio_folder,
            retry_failed=retry_failed,
            waiting=not everything,
            stop=stop,
            on_bug=console.bug,
        ):
            progress.step(sound=step.recording.duration, failed=step.failure is not None)
            warnings += step.warnings
            if step.failure is not None:
                failures.append(step.failure)
            else:
                segments += step.segments
                sound += step.recording.duration
    if stop.is_set():
        raise Interrupted("stopped; what was drafted is kept", hint="boli run goes on")
    done = plan["pending"] - len(failures)
    document = plan | {"drafted": done, "drafted_ms": sound, "segments": segments, "failed": len(failures)}
    text = f"{done} recordings drafted, {sound / 60_000:.1f} min, {segments} segments"
    return Answer(data=document, text=text, warnings=warnings, failures=failures)


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """Set the event at the first Ctrl-C or SIGTERM, so that work in flight is finished; the second ends the process."""
    stop = threading.Event()

    def ask(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.default_int_handler)
        stop.set()

    handlers = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def status(wiring: Wiring) -> Answer:
    """Count what is done, pending and failed."""
    counts = wiring.store.status()
    return Answer(data=asdict(counts), text=terminal.status(counts))
