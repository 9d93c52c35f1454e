"""The score of one model of a workspace, with what else the workspace knows of the speech."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dialects.report.table import Report, report_of
from dialects.scoring.prepare import Preparer
from dialects.scoring.rows import Method
from dialects.scoring.sums import CountCache
from transcribe.desk.quality import pair_hands
from transcribe.records import Model, Split
from transcribe.scoring.conversations import LabelGaps, check_extras, read_conversations
from transcribe.scoring.examples import check_desk, describe_examples, find_passages, write_clips
from transcribe.scoring.pairs import drop_training_pairs, stream_pairs
from transcribe.scoring.report import (
    Examples,
    ScoreReports,
    WorkspaceContext,
    count_training_minutes,
    find_training_ids,
    report_scores,
)
from transcribe.scoring.rules import ScoreRequest, parse_split
from transcribe.store.score_cache import ScoreCache
from transcribe.wiring import Wiring
from transcribe.workspace import COUNTS_FILE, find_model


@contextmanager
def pause_garbage_collection() -> Iterator[None]:
    """Pause the collector: nothing here makes cycles, and it would walk through millions of words again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def score_workspace(wiring: Wiring, request: ScoreRequest) -> ScoreReports:
    """
    Score a workspace's corrections against one model's drafts, by dialect.

    Counts are cached, so that a later report aligns what is new.
    """
    split = parse_split(request.split)
    desk = check_desk(request.desk or wiring.settings.report.desk)
    if request.conversations:
        check_extras()
    with ScoreCache(wiring.workspace / COUNTS_FILE) as cache:
        model = find_model(wiring.store, request.model)
        undrafted = wiring.store.corrections.count_undrafted(model.id, split=split)
        training_ids, tier = find_training_ids(wiring, model), wiring.settings.report.tier
        warnings = []
        if tier != "verbatim":
            warnings.append("W_TIER: normalised texts are scored, and what was said where there is none")
        if undrafted:
            warnings.append(
                f"W_UNDRAFTED: {undrafted} corrections are of recordings without a draft by this model and are not "
                "scored"
            )
        if training_ids:
            warnings.append(f"W_TAUGHT: {len(training_ids)} corrections that this model learnt from are not scored")
        return report_scores(
            {model.id: drop_training_pairs(stream_pairs(wiring.store, model, split, tier=tier), training_ids)},
            request,
            wiring.settings.report,
            cache=cache,
            warnings=warnings,
            context=_make_context(wiring, model, split, cache, training_ids, desk),
        )


def _make_context(
    wiring: Wiring,
    model: Model,
    split: Split | None,
    cache: CountCache,
    training_ids: frozenset[str],
    desk: str | None,
) -> WorkspaceContext:
    """Gather what else the workspace knows of the speech that *model* is scored on; each part is read on demand."""
    tier = wiring.settings.report.tier

    def report_relatives(prepare: Preparer, method: Method) -> Iterator[tuple[Report, dict[str, float]]]:
        for relative in find_relatives(wiring, model):
            minutes = count_training_minutes(wiring, relative, prepare.catalogue)
            if minutes is not None:
                pairs = drop_training_pairs(stream_pairs(wiring.store, relative, split, tier=tier), training_ids)
                report = report_of(pairs, prepare, model=relative.name, method=method, with_recount=False, cache=cache)
                yield report, minutes

    def place_examples(chosen: Examples, folder: Path | None) -> tuple[Examples, list[Path]]:
        passages = find_passages(wiring, {example.id for of_dialect in chosen.values() for example in of_dialect})
        described = describe_examples(chosen, passages, desk)
        return write_clips(wiring, folder, described, passages) if folder is not None else (described, [])

    gaps = LabelGaps()
    return WorkspaceContext(
        model=model.name,
        annotator_pairs=pair_hands(wiring.store.work_items.fetch_pairs()),
        read_meetings=lambda prepare: read_conversations(wiring.store, model, split, prepare, gaps),
        report_relatives=report_relatives,
        place_examples=place_examples,
        list_warnings=lambda: gaps.warnings,
    )


def find_relatives(wiring: Wiring, model: Model) -> list[Model]:
    """Return the models that share their base with *model*, the base and *model* among them, in order of arrival."""
    base = _find_base(wiring, model.id)
    return [other for other in wiring.store.models.fetch() if _find_base(wiring, other.id) == base]


def _find_base(wiring: Wiring, id: str) -> str:
    """Return the model that *id* goes back to; of a circle of lineages, the last before it closes."""
    visited = {id}
    while (lineage := wiring.store.models.find_lineage(id)) is not None and lineage.base not in visited:
        id = lineage.base
        visited.add(id)
    return id
