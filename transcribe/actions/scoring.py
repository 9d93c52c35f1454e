"""WER per dialect, from a workspace or from a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from transcribe.actions.looking import settings_of
from transcribe.config import ReportSettings
from transcribe.console import Answer
from transcribe.errors import InputError, MissingError, UsageError
from transcribe.records import Split
from transcribe.wiring import Wiring

if TYPE_CHECKING:
    from dialects.report import Report
    from dialects.scoring import Pair
    from transcribe.records import Model
    from transcribe.store import Store

SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """What is to be scored, and how."""

    model: str | None = None
    split: str = "all"
    normaliser: str | None = None
    privacy_floor: bool = False


def wer(place: Path | None, asked: Scoring) -> Answer:
    """WER per dialect of a workspace's corrections against one model's drafts."""
    split = _split(asked.split)
    with Wiring.open(place) as wiring:
        model = model_named(wiring.store, asked.model)
        pairs = _pairs(wiring.store, model, split)
        report = _report(pairs, asked, wiring.settings.report, model=model.id)
        undrafted = wiring.store.undrafted(model.id, split=split)
    answer = _told(report, asked)
    if not undrafted:
        return answer
    missing = f"W_UNDRAFTED: {undrafted} corrected recordings have no draft by this model and are not scored; boli run"
    return replace(answer, warnings=(*answer.warnings, missing))


def _split(name: str) -> Split | None:
    """The part called *name*; ``None`` for all of them."""
    if name not in (*SPLITS, "all"):
        raise UsageError(f"--split {name} was asked for, the parts are {', '.join(SPLITS)} and all")
    return next((split for split in SPLITS if split == name), None)


def wer_of_pairs(file: Path, asked: Scoring) -> Answer:
    """WER per dialect of a table of references and hypotheses; no workspace needed."""
    from dialects.dialect import load_catalogue
    from dialects.reading import read_pairs

    settings = settings_of(None).report
    every = read_pairs(file, catalogue=load_catalogue())
    pairs = (pair for pair in every if asked.model is None or pair.model == asked.model)
    return _told(_report(pairs, asked, settings, model=asked.model), asked)


def model_named(store: Store, asked: str | None) -> Model:
    """The model that *asked* names by id, beginning of an id, or name; the promoted one if nothing was asked."""
    if asked is None:
        promoted = store.promoted()
        if promoted is None:
            raise MissingError("no model has drafted here yet, so there is nothing to score", hint="boli run")
        return promoted
    found = [model for model in store.models() if model.id.startswith(asked) or model.name == asked]
    if len(found) != 1:
        known = ", ".join(f"{model.name} ({model.id[:12]})" for model in store.models()) or "none"
        raise InputError(f"the model {asked} was asked for, found {len(found)}; there are: {known}", code="E_MODEL")
    return found[0]


def _pairs(store: Store, model: Model, split: Split | None) -> Iterator[Pair]:
    from dialects.scoring import Pair

    for span in store.scoring_spans(model.id, split=split):
        yield Pair(
            id=span.id,
            reference=span.reference,
            hypothesis=span.hypothesis,
            dialect=span.dialect or "und",
            speaker=span.speaker or span.recording,
            model=model.id,
            session=span.session or span.recording,
            duration_s=(span.end - span.start) / 1000,
        )


def _report(pairs: Iterator[Pair], asked: Scoring, settings: ReportSettings, *, model: str | None) -> Report:
    from dialects.dialect import load_catalogue
    from dialects.report import build
    from dialects.rows import Method
    from dialects.statistics import Thresholds

    limits = settings.model_dump(include=set(Thresholds.__dataclass_fields__))
    return build(
        pairs,
        catalogue=load_catalogue(),
        normaliser=asked.normaliser or settings.normaliser,
        model=model,
        method=Method(thresholds=Thresholds(**limits), confidence=settings.confidence),
    )


def _told(report: Report, asked: Scoring) -> Answer:
    data = report.data(privacy_floor=asked.privacy_floor)
    return Answer(data=data, text=report.text(), warnings=report.warnings)
