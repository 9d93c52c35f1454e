"""Transcripts made elsewhere as drafts, which people correct: a run of its own on each recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from dialects.dialect import Catalogue, load_catalogue
from transcribe.errors import InputError
from transcribe.formats.corrections import find_dialect
from transcribe.formats.cues import spread_words
from transcribe.formats.imported_texts import LONGEST, read_stretches
from transcribe.ingest.timed import Refuse, TimedText, raise_error
from transcribe.records import Draft, Drafted, Milliseconds, Model, Segment, Turn, Word, content_id
from transcribe.store import Store
from transcribe.store.attempts import IMPORTED

#: Label of whoever speaks where the file names nobody.
UNKNOWN: Final = "SPEAKER_00"


def make_model(name: str) -> Model:
    """Make the record of a source of transcripts, which `boli export --model` and `boli wer --model` know by *name*."""
    return Model(id=content_id("imported", name), place=f"imported from {name}", name=name)


def read_drafted(
    path: Path,
    *,
    store: Store,
    model: Model,
    catalogue: Catalogue | None = None,
    name: str | None = None,
    turns: Path | None = None,
    tier: str | None = None,
    refuse: Refuse = raise_error,
) -> Iterator[Drafted]:
    """
    Read the transcripts in *path* as one run on each recording; the same file again gives the same runs.

    Stretches of over 28 s are cut between words. Words without times share the stretch by their letters.

    Args and Raises as for `read_corrections`.
    """
    catalogue = catalogue or load_catalogue()
    by_recording: dict[str, list[TimedText]] = {}
    for found in read_stretches(path, store=store, name=name, turns=turns, tier=tier, refuse=refuse):
        try:
            stretch = replace(found.stretch, dialect=find_dialect(found.stretch, catalogue))
        except InputError as error:
            refuse(error)
            continue
        by_recording.setdefault(found.recording.id, []).append(stretch)
    for recording, stretches in by_recording.items():
        yield _make_drafted(recording, sorted(stretches, key=lambda stretch: (stretch.start, stretch.end)), model)


def _make_drafted(recording: str, stretches: Sequence[TimedText], model: Model) -> Drafted:
    turns = tuple(
        Turn(
            recording=recording,
            speaker=stretch.speaker or f"{recording}/{UNKNOWN}",
            start=stretch.start,
            end=stretch.end,
            dialect=stretch.dialect,
            label=stretch.speaker or UNKNOWN,
        )
        for stretch in stretches
    )
    content = [[turn.speaker, turn.start, turn.end, turn.dialect] for turn in turns]
    texts = [[stretch.text, [[word.text, word.start, word.end] for word in stretch.words]] for stretch in stretches]
    settings = IMPORTED + content_id(model.id, content, texts)
    words_by_segment: dict[str, tuple[Segment, tuple[Word, ...]]] = {}
    for turn, stretch in zip(turns, stretches, strict=True):
        for start, end, words in _split_long(stretch):
            segment = Segment(recording=recording, speaker=turn.speaker, start=start, end=end, dialect=stretch.dialect)
            words_by_segment[segment.id] = (segment, words)
    return Drafted(
        recording=recording,
        diarisation=IMPORTED + content_id(content),
        settings=settings,
        model=model.id,
        turns=turns,
        exclusive=turns,
        segments=tuple(segment for segment, _ in words_by_segment.values()),
        drafts=tuple(
            Draft(segment=segment, model=model.id, settings=settings, words=words)
            for segment, (_, words) in words_by_segment.items()
        ),
    )


def _split_long(stretch: TimedText) -> Iterator[tuple[Milliseconds, Milliseconds, tuple[Word, ...]]]:
    """Yield *stretch* in pieces of 28 s at most, with their words."""
    words = stretch.words or spread_words(stretch)
    start = stretch.start
    piece: list[Word] = []
    for word in words:
        if piece and word.end - start > LONGEST:
            yield start, word.start, tuple(piece)
            start, piece = word.start, []
        piece.append(word)
    yield start, stretch.end, tuple(piece)
