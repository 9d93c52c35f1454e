"""Commands of the model catalogue: list models, fetch them, derive a base for tuning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transcribe import embedded
from transcribe.actions.tables import stack, table
from transcribe.backends.model_cache import cache_folder, folder_of, is_here, locate
from transcribe.backends.model_catalogue import CatalogueEntry, catalogue, need_entry
from transcribe.console import Answer, Console
from transcribe.errors import BoliError


def list_catalogue() -> Answer:
    """List every model that can be fetched by name, and whether it is on this machine."""
    rows = [_row(model) for model in catalogue()]
    grid = table(
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
    return Answer(data={"models": rows, "cache": str(cache_folder())}, text=stack([line], grid))


def _row(model: CatalogueEntry) -> dict[str, Any]:
    return {
        "name": model.name,
        "kind": model.kind,
        "here": is_here(model),
        "size_bytes": model.size_bytes,
        "licence": model.licence,
        "languages": model.languages,
        "source": model.source,
        "sha256": {file.name: file.sha256 for file in model.files} or "unverified",
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
    models = [need_entry(name) for name in names]
    rows, lines, warnings = [], [], []
    for model in models:
        try:
            new = _fetch(model, console, again=again)
        except BoliError as error:
            if not if_possible:
                raise
            warnings.append(
                f"{model.name} could not be had ({error.code}), the small embedded model serves; "
                f"{model.command} says why and tries again"
            )
            continue
        rows.append({"name": model.name, "folder": str(folder_of(model)), "new": new})
        lines.append(f"{model.name} is {'fetched and checked' if new else 'here already'}: {folder_of(model)}")
    return Answer(data={"models": rows}, text="\n".join(lines), warnings=warnings)


def derive(model: str, output: Path) -> Answer:
    """Write the transformers folder *output* of a Whisper of the catalogue, ours, or in a CTranslate2 folder."""
    from transcribe.training import derive as deriving

    source = embedded.whisper() if model == embedded.NAME else Path(locate(model)).expanduser()
    derived = deriving.derive(source, output)
    document = {
        "folder": str(output),
        "source_sha256": derived.source_sha256,
        "back_sha256": derived.back_sha256,
        "identical": derived.identical,
    }
    proof = "the same file" if derived.identical else "the same weights and settings that its converter left out"
    text = f"{output} is {model} for transformers; converted back it gives {proof}"
    return Answer(data=document, text=f"{text}\nto tune it: set improve.base to this folder")


def _fetch(model: CatalogueEntry, console: Console, *, again: bool) -> bool:
    """Fetch *model* with a display of the megabytes that have come; true where it was not here before."""
    from transcribe.backends.model_fetch import fetch

    if is_here(model) and not again:
        return fetch(model).new
    total_mb = None if model.size_bytes is None else max(1, round(model.size_bytes / 1e6))
    with console.progress(f"fetching {model.name}, MB", items=total_mb) as progress:
        shown_mb = 0

        def show(fetched_bytes: int) -> None:
            nonlocal shown_mb
            # pip keeps a file twice for a moment.
            fetched_mb = min(fetched_bytes // 1_000_000, total_mb or fetched_bytes)
            if fetched_mb > shown_mb:
                progress.step(items=fetched_mb - shown_mb)
                shown_mb = fetched_mb

        return fetch(model, again=again, on_progress=show).new
