"""Corrections made elsewhere: from a file of any format to records for the store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dialects.dialect import Catalogue, load_catalogue
from dialects.errors import DialectError
from transcribe.errors import InputError
from transcribe.formats.imported_texts import read_stretches
from transcribe.formats.recording_names import CODE
from transcribe.formats.records import is_visible
from transcribe.ingest.sidecars import make_correction
from transcribe.ingest.timed import Refuse, TimedText, raise_error
from transcribe.records import Correction
from transcribe.store import Store


def read_corrections(
    path: Path,
    *,
    store: Store,
    catalogue: Catalogue | None = None,
    name: str | None = None,
    turns: Path | None = None,
    tier: str | None = None,
    refuse: Refuse = raise_error,
) -> Iterator[Correction]:
    """
    Read the corrections in *path*, one at a time.

    Rows of a table have either ``segment, text[, speaker, dialect]`` or ``recording, start_ms, end_ms, speaker,
    dialect, text``, where the recording is the path as ingested or the hash, or ``path, text`` for a whole recording;
    each may have ``normalised``, the second tier. Reading the same file twice gives the same ids.

    Args:
        store: Knows recordings and segments.
        catalogue: Knows dialects; default is the one of the package.
        name: Name of the format; default is what the file looks like.
        turns: An RTTM file that says who speaks, where *path* does not.
        tier: Name of the tiers of an EAF file that hold the texts.
        refuse: Takes the errors of entries that cannot be used; by default the first one is raised.

    Raises:
        InputError: E_CORRECTION with row and column, E_JSON, E_DIALECT; E_FORMAT for a file that cannot be read.
    """
    catalogue = catalogue or load_catalogue()
    for found in read_stretches(path, store=store, name=name, turns=turns, tier=tier, refuse=refuse):
        stretch = found.stretch
        try:
            if not is_visible(stretch.text):
                raise InputError(f"{stretch.where}: it has no text", code=CODE, hint="leave it out", item=stretch.where)
            dialect = find_dialect(stretch, catalogue)
        except InputError as error:
            refuse(error)
            continue
        yield make_correction(
            recording=found.recording.id,
            start=stretch.start,
            end=stretch.end,
            text=stretch.text or "",
            speaker=stretch.speaker,
            dialect=dialect,
            segment=found.segment,
            author=path.name,
            normalised=stretch.normalised,
        )


def find_dialect(stretch: TimedText, catalogue: Catalogue) -> str | None:
    """
    Return the canonical tag of the stretch's dialect.

    Raises:
        InputError: E_DIALECT at its place.
    """
    try:
        return catalogue.find(stretch.dialect).tag if stretch.dialect else None
    except DialectError as error:
        where = stretch.where.partition(", column")[0]
        message, hint = f"{where}, column dialect: {error.message}", error.hint or "write a BCP 47 tag"
        raise InputError(message, code=error.code, hint=hint, item=where) from None
