"""WER per dialect, from a workspace or from a table: who is scored, against what, and what is asked of it."""

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
    from dialects.counted import CountCache
    from dialects.preparing import Preparer
    from dialects.report import Report
    from dialects.rows import Method
    from dialects.scoring import Pair
    from transcribe.actions.reporting import Beside
    from transcribe.records import Model
    from transcribe.store import Store

SPLITS: tuple[Split, ...] = get_args(Split)
#: Where a workspace keeps the counts of earlier reports. It may be deleted at any time.
KEPT = Path("reports") / "counts.sqlite"


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """What is to be scored, how, and what is to be made of it."""

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
    #: A train manifest. What it shares with the test is refused, or told in rows of its own.
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
def uncollected() -> Iterator[None]:
    """Pause the collector: nothing here makes cycles, and it would walk through millions of words again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@uncollected()
def wer(place: Path | None, asked: Scoring, console: Console | None = None) -> Answer:
    """
    WER per dialect of a workspace's corrections against one model's drafts.

    Counts are kept, so that a later report aligns what is new.
    """
    from transcribe.actions.conversing import check_extras
    from transcribe.actions.lessons import taught
    from transcribe.actions.reporting import answered
    from transcribe.store.kept_counts import ScoreCache

    split = split_named(asked.split)
    if asked.conversations:
        check_extras()
    with Wiring.open(place) as wiring, ScoreCache(wiring.workspace / KEPT) as kept:
        model = model_named(wiring.store, asked.model)
        undrafted = wiring.store.count_undrafted(model.id, split=split)
        learnt, tier = taught(wiring, model), wiring.settings.report.tier
        told = ["W_TIER: normalised texts are scored, and what was said where there is none"] * (tier != "verbatim")
        told += [
            f"W_UNDRAFTED: {undrafted} corrections are of recordings without a draft by this model and are not scored"
        ] * bool(undrafted)
        told += [f"W_TAUGHT: {len(learnt)} corrections that this model learnt from are not scored"] * bool(learnt)
        return answered(
            {model.id: unseen(workspace_pairs(wiring.store, model, split, tier=tier), learnt)},
            asked,
            wiring.settings.report,
            kept=kept,
            warnings=told,
            beside=_beside(wiring, model, split, kept, learnt),
            console=console,
        )


def unseen(pairs: Iterable[Pair], learnt: frozenset[str]) -> Iterator[Pair]:
    """*pairs* without those that a model *learnt* from: what it was told it need not hear."""
    return (pair for pair in pairs if pair.id not in learnt)


def _beside(wiring: Wiring, model: Model, split: Split | None, kept: CountCache, learnt: frozenset[str]) -> Beside:
    """What else the workspace knows of the speech that *model* is scored on; looked up when it is asked for."""
    from dialects.report import report_of
    from transcribe.actions.conversing import Conversed, conversations
    from transcribe.actions.lessons import minutes_of, related
    from transcribe.actions.reporting import Beside
    from transcribe.review.quality import pair_hands

    tier = wiring.settings.report.tier

    def tuned(prepare: Preparer, method: Method) -> Iterator[tuple[Report, dict[str, float]]]:
        for other in related(wiring, model):
            minutes = minutes_of(wiring, other, prepare.catalogue)
            if minutes is not None:
                pairs = unseen(workspace_pairs(wiring.store, other, split, tier=tier), learnt)
                made = report_of(pairs, prepare, model=other.name, method=method, with_recount=False, cache=kept)
                yield made, minutes

    told = Conversed()
    return Beside(
        twice=pair_hands(wiring.store.pairs()),
        meetings=lambda prepare: conversations(wiring.store, model, split, prepare, told),
        tuned=tuned,
        warnings=lambda: told.warnings,
    )


@uncollected()
def wer_of_pairs(file: Path, asked: Scoring, console: Console | None = None) -> Answer:
    """WER per dialect of a table of references and hypotheses; no workspace needed. Several models, several reports."""
    from transcribe.actions.reporting import answered

    if asked.conversations:
        raise UsageError("--conversations was asked for with --pairs, whose rows have no labels and no times")
    models = table_pairs(file, asked.model)
    return answered(models, asked, settings_of(None).report, console=console)


def split_named(name: str) -> Split | None:
    """The part called *name*; ``None`` for all of them."""
    if name not in (*SPLITS, "all"):
        raise UsageError(f"--split {name} was asked for, the parts are {', '.join(SPLITS)} and all")
    return next((split for split in SPLITS if split == name), None)


def table_pairs(file: Path, model: str | None = None) -> Mapping[str | None, tuple[Pair, ...]]:
    """The pairs of each model of a table, or of *model* alone; an id that only others have counts as missing."""
    from dialects.dialect import load_catalogue
    from dialects.reading import by_model, read_pairs

    models = by_model(read_pairs(file, catalogue=load_catalogue()))
    if model is None:
        return models or {None: ()}
    if model not in models:
        known = ", ".join(str(name) for name in models) or "none"
        raise InputError(f"the model {model} was asked for; {file.name} has {known}", code="E_MODEL", item=model)
    return {model: models[model]}


def model_named(store: Store, asked: str | None, *, kind: ModelKind | None = "recogniser") -> Model:
    """
    The model that *asked* names by id, beginning of an id, or name; the one that drafts if nothing was asked.

    Args:
        kind: Only models of this kind; ``None``: of any.
    """
    if asked is None:
        promoted = store.promoted_model()
        if promoted is None:
            raise MissingError("no model has drafted here yet, so there is nothing to score", hint="boli run")
        return promoted
    models = [model for model in store.models() if kind in (None, model.kind)]
    found = [model for model in models if model.id.startswith(asked) or model.name == asked]
    if len(found) != 1:
        known = ", ".join(f"{model.name} ({model.id[:12]})" for model in models) or "none"
        raise InputError(f"the model {asked} was asked for, found {len(found)}; there are: {known}", code="E_MODEL")
    return found[0]


def workspace_pairs(store: Store, model: Model, split: Split | None, *, tier: Tier = "verbatim") -> Iterator[Pair]:
    """Each standing correction beside what *model* drafted there. Streams by recording."""
    from dialects.scoring import Pair

    spans = store.scoring_spans(model.id, split=split, tier=tier)
    for _, group in itertools.groupby(spans, key=lambda span: span.recording):
        together = list(group)
        crowded = overlapped(together)
        for span in together:
            yield Pair(
                id=span.id,
                reference=span.reference,
                hypothesis=span.hypothesis,
                dialect=span.dialect or "und",
                speaker=span.person,
                model=model.id,
                session=span.session or span.recording,
                duration_s=(span.end - span.start) / 1000,
                overlapped=None if span.speaker is None else span.id in crowded,
            )


def overlapped(spans: Iterable[ScoringSpan]) -> frozenset[str]:
    """Ids of those *spans* of one recording during which another speaker's correction runs too."""
    found: set[str] = set()
    running: list[ScoringSpan] = []
    for span in sorted(spans, key=lambda one: (one.start, one.end)):
        running = [other for other in running if other.end > span.start]
        others = [other.id for other in running if other.person != span.person]
        found.update(others, [span.id] * bool(others))
        running.append(span)
    return frozenset(found)


def preparer(
    settings: ReportSettings, *, normaliser: str | None, variants: tuple[Path, ...] = (), remember: bool = False
) -> Preparer:
    """The rules that texts go through before they are compared; *remember* for several rounds over the same pairs."""
    from dialects.dialect import load_catalogue
    from dialects.preparing import Preparer

    return Preparer(
        load_catalogue(), normaliser=normaliser or settings.normaliser, variant_paths=variants, remember=remember
    )


def method_of(settings: ReportSettings) -> Method:
    """How intervals and states are made."""
    from dialects.rows import Method
    from dialects.statistics import Thresholds

    limits = settings.model_dump(include=set(Thresholds.__dataclass_fields__))
    return Method(thresholds=Thresholds(**limits), confidence=settings.confidence)
