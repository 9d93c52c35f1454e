"""Drafts and corrections in the formats of other programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from transcribe.actions.scoring import model_named
from transcribe.console import Answer
from transcribe.errors import InputError, UsageError
from transcribe.masking import hide_words, within
from transcribe.retiming import retimed
from transcribe.wiring import Wiring

if TYPE_CHECKING:
    from transcribe.exchange.records import TimedText
    from transcribe.records import Model
    from transcribe.store import Store


def export(
    wiring: Wiring, out: Path | None, *, kind: str, of: str, model: str | None = None, overwrite: bool = False
) -> Answer:
    """Drafts or corrections in another program's format, recordings under the paths they were ingested by."""
    from transcribe import audio
    from transcribe.exchange.formats import write

    if of not in ("drafts", "corrections"):
        raise UsageError(f"--of {of} was asked for, there are drafts and corrections")
    if out is None:
        raise UsageError("a file or folder to write was asked for, found none", hint=f"boli export OUT --format {kind}")

    store = wiring.store

    def place_of(path: str) -> str:
        found = store.recording_by_path(path)
        return path if found is None else str(audio.place(wiring.audio_folder, found.id))

    items = _corrected(store) if of == "corrections" else _drafted(store, model_named(store, model))
    written = write(items, out, kind, audio_of=place_of, overwrite=overwrite)
    data = {"files": [str(file) for file in written.files], "items": written.items}
    return Answer(data=data, text=f"{written.items} {of} in {len(written.files)} files below {out}")


def _drafted(store: Store, model: Model) -> Iterator[TimedText]:
    from transcribe.exchange.records import of_draft

    for recording in store.recordings():
        spans = [(mask.start, mask.end) for mask in store.masks(recording=recording.id)]
        for segment, draft in store.drafted(recording.id, model.id):
            inside = (*within(spans, segment.start, segment.end), *store.terms.spans(draft.words))
            shown = replace(draft, words=hide_words(draft.words, inside))
            yield replace(of_draft(segment, shown), recording=recording.path)


def _corrected(store: Store) -> Iterator[TimedText]:
    from transcribe.exchange.records import of_correction

    for recording in store.recordings():
        for correction, drafted in store.corrected(recording.id):
            words = retimed(correction.text, drafted, correction.start, correction.end)
            yield replace(of_correction(correction), words=words, recording=recording.path)


def export_canonical(wiring: Wiring, out: Path | None, *, overwrite: bool = False) -> Answer:
    """Everything that content decides, as sorted JSON lines: equal work gives equal bytes."""
    from transcribe.exchange.files import write_lines

    lines = wiring.store.canonical()
    if out is None:
        for line in lines:
            print(line)  # noqa: T201 - the lines are the result
        return Answer(data={})
    _free(out, overwrite=overwrite)
    count = write_lines(lines, out)
    return Answer(data={"file": str(out), "lines": count}, text=f"{count} lines in {out}")


def _free(place: Path, *, overwrite: bool) -> None:
    if place.exists() and not overwrite:
        raise InputError(f"{place} is there already", code="E_EXISTS", hint="--overwrite replaces it", item=str(place))
