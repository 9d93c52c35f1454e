"""Pairs of a reference and a hypothesis: a workspace's corrections beside drafts, or the rows of a table."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from dialects.dialect import load_catalogue
from dialects.pairs import by_model, read_pairs
from dialects.scoring.word_errors import Pair
from transcribe.errors import InputError
from transcribe.records import Model, ScoringSpan, Split, Tier
from transcribe.store import Store


def stream_pairs(store: Store, model: Model, split: Split | None, *, tier: Tier = "verbatim") -> Iterator[Pair]:
    """Yield each standing correction beside what *model* drafted there. Streams by recording."""
    spans = store.corrections.fetch_scoring_spans(model.id, split=split, tier=tier)
    for _, group in itertools.groupby(spans, key=lambda span: span.recording):
        spans_of_recording = list(group)
        overlapped = find_overlapped(spans_of_recording)
        for span in spans_of_recording:
            yield Pair(
                id=span.id,
                reference=span.reference,
                hypothesis=span.hypothesis,
                dialect=span.dialect or "und",
                speaker=span.person,
                model=model.id,
                session=span.session or span.recording,
                context=span.context,
                snr_db=span.snr_db,
                duration_s=(span.end - span.start) / 1000,
                overlapped=None if span.speaker is None else span.id in overlapped,
            )


def drop_training_pairs(pairs: Iterable[Pair], training_ids: frozenset[str]) -> Iterator[Pair]:
    """Yield *pairs* without those that a model was trained on: what it was told it need not hear."""
    return (pair for pair in pairs if pair.id not in training_ids)


def find_overlapped(spans: Iterable[ScoringSpan]) -> frozenset[str]:
    """Return ids of those *spans* of one recording during which another speaker's correction runs too."""
    overlapped: set[str] = set()
    running: list[ScoringSpan] = []
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        running = [other for other in running if other.end > span.start]
        others = [other.id for other in running if other.person != span.person]
        overlapped.update(others, [span.id] * bool(others))
        running.append(span)
    return frozenset(overlapped)


def read_table(file: Path, model: str | None = None) -> Mapping[str | None, tuple[Pair, ...]]:
    """Read the pairs of each model of a table, or of *model* alone; an id that only others have counts as missing."""
    models = by_model(read_pairs(file, catalogue=load_catalogue()))
    if model is None:
        return models or {None: ()}
    if model not in models:
        names = ", ".join(str(name) for name in models) or "none"
        raise InputError(f"the model {model} was asked for; {file.name} has {names}", code="E_MODEL", item=model)
    return {model: models[model]}
