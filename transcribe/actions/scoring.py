"""WER per dialect, from a workspace or from a table of pairs."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from transcribe.actions.looking import settings_of
from transcribe.config import ReportSettings
from transcribe.console import Answer, Console
from transcribe.errors import InputError, MissingError, UsageError
from transcribe.records import ModelKind, ScoringSpan, Split, Tier
from transcribe.wiring import Wiring

if TYPE_CHECKING:
    from dialects.report.table import Report
    from dialects.scoring.prepare import Preparer
    from dialects.scoring.rows import Method
    from dialects.scoring.sums import CountCache
    from dialects.scoring.word_errors import Pair
    from transcribe.actions.reporting import WorkspaceContext
    from transcribe.records import Model
    from transcribe.store import Store

SPLITS: tuple[Split, ...] = get_args(Split)
#: Where a workspace keeps the counts of earlier reports. It may be deleted at any time.
COUNTS_FILE = Path("reports") / "counts.sqlite"


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """A request for error rates: the speech to score, how to score it, and the reports to write."""

    model: str | None = None
    split: str = "all"
    normaliser: str | None = None
    #: Folders with variant files, or such files.
    variants: tuple[Path, ...] = ()
    #: Lists of keys, ``dialect,speaker``: a table for each.
    by: tuple[str, ...] = ()
    #: Half the width of the interval that is wanted, in points, to be told what to record next.
    next: float | None = None
    #: Errors of whole conversations too: cpWER, what wrong attribution costs, and DER.
    conversations: bool = False
    #: A train manifest. Pairs that it shares with the test are refused, or counted in rows of their own.
    train: Path | None = None
    allow_seen: bool = False
    html: Path | None = None
    out: Path | None = None
    overwrite: bool = False
    #: Conditions that must not hold.
    fail_if: tuple[str, ...] = ()
    #: A report, or a table of pairs, that must not be better.
    fail_if_regressed: Path | None = None
    privacy_floor: bool = False


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


@pause_garbage_collection()
def wer(workspace: Path | None, request: Scoring, console: Console | None = None) -> Answer:
    """
    Score WER per dialect of a workspace's corrections against one model's drafts.

    Counts are kept, so that a later report aligns what is new.
    """
    from transcribe.actions.conversing import check_extras
    from transcribe.actions.lessons import find_training_ids
    from transcribe.actions.reporting import report_scores
    from transcribe.store.kept_counts import ScoreCache

    split = parse_split(request.split)
    if request.conversations:
        check_extras()
    with Wiring.open(workspace) as wiring, ScoreCache(wiring.workspace / COUNTS_FILE) as cache:
        model = find_model(wiring.store, request.model)
        undrafted = wiring.store.count_undrafted(model.id, split=split)
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
            {model.id: drop_training_pairs(workspace_pairs(wiring.store, model, split, tier=tier), training_ids)},
            request,
            wiring.settings.report,
            cache=cache,
            warnings=warnings,
            context=_workspace_context(wiring, model, split, cache, training_ids),
            console=console,
        )


def drop_training_pairs(pairs: Iterable[Pair], training_ids: frozenset[str]) -> Iterator[Pair]:
    """Yield *pairs* without those that a model was trained on: what it was told it need not hear."""
    return (pair for pair in pairs if pair.id not in training_ids)


def _workspace_context(
    wiring: Wiring, model: Model, split: Split | None, cache: CountCache, training_ids: frozenset[str]
) -> WorkspaceContext:
    """Gather what else the workspace knows of the speech that *model* is scored on; each part is read on demand."""
    from dialects.report.table import report_of
    from transcribe.actions.conversing import LabelGaps, read_conversations
    from transcribe.actions.lessons import count_training_minutes, find_relatives
    from transcribe.actions.reporting import WorkspaceContext
    from transcribe.desk.quality import pair_hands

    tier = wiring.settings.report.tier

    def report_relatives(prepare: Preparer, method: Method) -> Iterator[tuple[Report, dict[str, float]]]:
        for relative in find_relatives(wiring, model):
            minutes = count_training_minutes(wiring, relative, prepare.catalogue)
            if minutes is not None:
                pairs = drop_training_pairs(workspace_pairs(wiring.store, relative, split, tier=tier), training_ids)
                report = report_of(pairs, prepare, model=relative.name, method=method, with_recount=False, cache=cache)
                yield report, minutes

    gaps = LabelGaps()
    return WorkspaceContext(
        annotator_pairs=pair_hands(wiring.store.pairs()),
        read_meetings=lambda prepare: read_conversations(wiring.store, model, split, prepare, gaps),
        report_relatives=report_relatives,
        list_warnings=lambda: gaps.warnings,
    )


@pause_garbage_collection()
def wer_of_pairs(file: Path, request: Scoring, console: Console | None = None) -> Answer:
    """Score WER per dialect of a table of references and hypotheses, without a workspace; one report per model."""
    from transcribe.actions.reporting import report_scores

    if request.conversations:
        raise UsageError("--conversations was asked for with --pairs, whose rows have no labels and no times")
    models = table_pairs(file, request.model)
    return report_scores(models, request, settings_of(None).report, console=console)


def parse_split(name: str) -> Split | None:
    """Return the part called *name*; ``None`` for all of them."""
    if name not in (*SPLITS, "all"):
        raise UsageError(f"--split {name} was asked for, the parts are {', '.join(SPLITS)} and all")
    return next((split for split in SPLITS if split == name), None)


def table_pairs(file: Path, model: str | None = None) -> Mapping[str | None, tuple[Pair, ...]]:
    """Read the pairs of each model of a table, or of *model* alone; an id that only others have counts as missing."""
    from dialects.dialect import load_catalogue
    from dialects.pairs import by_model, read_pairs

    models = by_model(read_pairs(file, catalogue=load_catalogue()))
    if model is None:
        return models or {None: ()}
    if model not in models:
        names = ", ".join(str(name) for name in models) or "none"
        raise InputError(f"the model {model} was asked for; {file.name} has {names}", code="E_MODEL", item=model)
    return {model: models[model]}


def find_model(store: Store, name: str | None, *, kind: ModelKind | None = "recogniser") -> Model:
    """
    Return the model that *name* means, as an id, the beginning of one, or a name; without one the model that drafts.

    Args:
        kind: Only models of this kind; ``None``: of any.
    """
    if name is None:
        promoted = store.promoted_model()
        if promoted is None:
            raise MissingError("no model has drafted here yet, so there is nothing to score", hint="boli run")
        return promoted
    models = [model for model in store.models() if kind in (None, model.kind)]
    matches = [model for model in models if model.id.startswith(name) or model.name == name]
    if len(matches) != 1:
        names = ", ".join(f"{model.name} ({model.id[:12]})" for model in models) or "none"
        raise InputError(f"the model {name} was asked for, found {len(matches)}; there are: {names}", code="E_MODEL")
    return matches[0]


def workspace_pairs(store: Store, model: Model, split: Split | None, *, tier: Tier = "verbatim") -> Iterator[Pair]:
    """Yield each standing correction beside what *model* drafted there. Streams by recording."""
    from dialects.scoring.word_errors import Pair

    spans = store.scoring_spans(model.id, split=split, tier=tier)
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
                duration_s=(span.end - span.start) / 1000,
                overlapped=None if span.speaker is None else span.id in overlapped,
            )


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


def preparer(
    settings: ReportSettings, *, normaliser: str | None, variants: tuple[Path, ...] = (), remember: bool = False
) -> Preparer:
    """Build the rules that texts go through before comparison; *remember* for several rounds over the same pairs."""
    from dialects.dialect import load_catalogue
    from dialects.scoring.prepare import Preparer

    return Preparer(
        load_catalogue(), normaliser=normaliser or settings.normaliser, variant_paths=variants, remember=remember
    )


def method_of(settings: ReportSettings) -> Method:
    """Read from *settings* how intervals and states are made."""
    from dialects.scoring.rows import Method
    from dialects.scoring.statistics import Thresholds

    limits = settings.model_dump(include=set(Thresholds.__dataclass_fields__))
    return Method(thresholds=Thresholds(**limits), confidence=settings.confidence)
