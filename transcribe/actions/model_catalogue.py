"""The catalogue of models: which can be fetched, which are here, and the fetching itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transcribe import embedded
from transcribe.actions.tables import stacked, table
from transcribe.backends.model_cache import cache_folder, folder_of, is_here, locate
from transcribe.backends.model_catalogue import CatalogueEntry, catalogue, need_entry
from transcribe.console import Answer, Console
from transcribe.errors import BoliError


def catalogued() -> Answer:
    """List every model that can be fetched by name, and whether it is on this machine."""
    rows = [_row(entry) for entry in catalogue()]
    shown = table(
        ("name", "kind", "here", "MB", "licence", "languages", "source"),
        (
            (
                row["name"],
                row["kind"],
                "yes" if row["here"] else "no",
                "unverified" if row["size_bytes"] is None else f"{row['size_bytes'] / 1e6:.0f}",
                row["licence"],
                row["languages"],
                row["source"],
            )
            for row in rows
        ),
    )
    line = f"boli models get NAME fetches one to {cache_folder()}"
    return Answer(data={"models": rows, "cache": str(cache_folder())}, text=stacked([line], shown))


def _row(entry: CatalogueEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "kind": entry.kind,
        "here": is_here(entry),
        "size_bytes": entry.size_bytes,
        "licence": entry.licence,
        "languages": entry.languages,
        "source": entry.source,
        "sha256": {file.name: file.sha256 for file in entry.files} or "unverified",
    }


def get(names: Sequence[str], console: Console, *, again: bool = False, if_possible: bool = False) -> Answer:
    """
    Fetch each of the catalogue's *names* that is not here.

    Args:
        again: Also those that are here.
        if_possible: A model that cannot be had is a warning; the small embedded ones serve.

    Raises:
        BoliError: As `fetch` does, unless *if_possible*.
    """
    entries = [need_entry(name) for name in names]
    rows, lines, warnings = [], [], []
    for entry in entries:
        try:
            new = _fetch(entry, console, again=again)
        except BoliError as error:
            if not if_possible:
                raise
            warnings.append(
                f"{entry.name} could not be had ({error.code}), the small embedded model serves; "
                f"{entry.command} says why and tries again"
            )
            continue
        rows.append({"name": entry.name, "folder": str(folder_of(entry)), "new": new})
        lines.append(f"{entry.name} is {'fetched and checked' if new else 'here already'}: {folder_of(entry)}")
    return Answer(data={"models": rows}, text="\n".join(lines), warnings=warnings)


def derive(model: str, output: Path) -> Answer:
    """Write the transformers folder *output* of a Whisper of the catalogue, ours, or in a CTranslate2 folder."""
    from transcribe import derive as deriving

    source = embedded.whisper() if model == embedded.NAME else Path(locate(model)).expanduser()
    derived = deriving.derive(source, output)
    data = {
        "folder": str(output),
        "source_sha256": derived.source_sha256,
        "back_sha256": derived.back_sha256,
        "identical": derived.identical,
    }
    proof = "the same file" if derived.identical else "the same weights and settings that its converter left out"
    text = f"{output} is {model} for transformers; converted back it gives {proof}"
    return Answer(data=data, text=f"{text}\nto tune it: set improve.base to this folder")


def _fetch(entry: CatalogueEntry, console: Console, *, again: bool) -> bool:
    """Fetch *entry* with a display of the megabytes that have come; true where it was not here before."""
    from transcribe.backends.model_fetch import fetch

    if is_here(entry) and not again:
        return fetch(entry).new
    total_mb = None if entry.size_bytes is None else max(1, round(entry.size_bytes / 1e6))
    with console.progress(f"fetching {entry.name}, MB", items=total_mb) as progress:
        shown_mb = 0

        def show(fetched_bytes: int) -> None:
            nonlocal shown_mb
            # pip keeps a file twice for a moment.
            fetched_mb = min(fetched_bytes // 1_000_000, total_mb or fetched_bytes)
            if fetched_mb > shown_mb:
                progress.step(items=fetched_mb - shown_mb)
                shown_mb = fetched_mb

        return fetch(entry, again=again, on_progress=show).new
