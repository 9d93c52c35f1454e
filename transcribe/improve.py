"""
The whole circle: freeze what was corrected, tune, convert, evaluate, pass the gate or not, promote.

Each stage's outcome is there whole or not at all, under a name made of all that it follows from. So a circle that was
killed anywhere is walked again from its start, past everything that is there already, and ends the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from dialects.preparing import Preparer
from dialects.report import report_of
from dialects.rows import Method
from dialects.sampling import needs
from dialects.scoring import Pair
from transcribe import audio, dataset, tracking
from transcribe.backends import by_dialect
from transcribe.backends.by_dialect import Routes
from transcribe.backends.whisper_folder import read_manners
from transcribe.config import GateSettings, ImproveSettings, TrainSettings, fingerprint
from transcribe.drafting import Recipe
from transcribe.errors import GateFailed, InputError
from transcribe.evaluate import Evaluation, judge, tested_recordings
from transcribe.frozen import Frozen
from transcribe.promote import Decision, gate
from transcribe.protocols import Pcm
from transcribe.records import Lineage, Model
from transcribe.store import Store

if TYPE_CHECKING:
    from transcribe.finetune import TunedModel, TuneProgress

Stage: TypeAlias = Literal["freezing", "tuning", "converting", "evaluating"]
#: Parts of the whole, roughly as long as each stage takes: what a progress display counts in.
SHARES: Final[Mapping[Stage, int]] = {
    "freezing": 20,
    "tuning": 650,
    "converting": 30,
    "evaluating": 300,
}
#: Hears how far a stage has come, from 0 to 1.
Tell: TypeAlias = Callable[[Stage, float], None]

#: In a candidate's folder: what tuning wrote, and what drafts.
_TUNED: Final = "hf"
_CONVERTED: Final = "ct2"


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What improving works with."""

    workspace: Path
    store: Store
    audio_folder: Path
    rules: dataset.Rules
    train: TrainSettings
    gate: GateSettings
    given: ImproveSettings
    #: What the model in a place drafts with.
    recipe_with: Callable[[str], Recipe]
    #: The model that drafts now.
    current: Model
    #: The folder that a place names, and the transformers folder of the one model in a place, derived if need be.
    model_folder: Callable[[str], str]
    base_of: Callable[[str], Path]
    #: The rules and the method of reports.
    prepare: Callable[[], Preparer]
    method: Method
    #: What speeds are measured by.
    clock: Callable[[], float]

    def routes(self) -> Routes:
        """Which model hears which dialect now."""
        place = self.current.place
        return by_dialect.read(Path(self.model_folder(place))) or Routes(others=place, by_dialect={})

    def sound(self, recording: str, channel: int | None) -> Pcm:
        """Samples of a recording or of one of its channels."""
        return audio.read(audio.locate(self.audio_folder, recording), channel=channel)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is about to be done."""

    frozen: Frozen
    #: Dialects that tuning leans to; empty: all alike.
    focus: tuple[str, ...]
    train: TrainSettings
    #: The place of the model that is tuned.
    base: str
    #: The candidate's folder, named after base, dataset and settings.
    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    def data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "dataset": self.frozen.folder.name,
            "dataset_sha256": self.frozen.sha256,
            "counts": self.frozen.counts,
            "focus": list(self.focus),
            "drafts": list(self.focus) if self.train.alone else None,
            "candidate": self.name,
            "steps": self.train.steps,
        }


@dataclass(frozen=True, kw_only=True)
class Improvement:
    """What came of it."""

    plan: Plan
    decision: Decision
    #: What the decision was made by, as `Evaluation.data` gives it.
    evaluation: Mapping[str, Any]
    #: What to correct or record next, in sentences, the neediest dialect first.
    next: tuple[str, ...]
    #: What it took, tuning in pieces added up.
    seconds: float
    #: True where all of it had been done before.
    known: bool = False
    files: tuple[Path, ...] = ()

    def kept(self) -> dict[str, Any]:
        """What the store keeps of it, and all that a second look needs."""
        return {
            "decision": self.decision.data(),
            "evaluation": dict(self.evaluation),
            "next": list(self.next),
            "seconds": self.seconds,
        }


def plan(bench: Bench, chosen: Frozen | None = None) -> Plan:
    """What improving would do with *chosen*, or with what stands now, which is frozen under its hash."""
    found = chosen or frozen_now(bench)
    routes = bench.routes()
    asked = bench.train.focus or bench.gate.targets
    made = _tuned_on(bench, found, asked)
    if made is not None:
        return made
    focus = asked or weak(bench, found)
    if bench.given.by_dialect:
        # Where none stands out all are tuned alike; what was not taught stays with the model before.
        focus = focus or _taught(found)
    alone = bool(focus) and bench.given.by_dialect
    train = bench.train.model_copy(update={"focus": focus, "alone": alone})
    # Where several models hear the dialects of the focus now, the one that all began with learns them anew.
    heard_by = {routes.choose_model(tag) for tag in focus} if alone else set()
    base = heard_by.pop() if len(heard_by) == 1 else routes.others
    key = fingerprint("improve", bench.current.id, found.sha256, train)[:12]
    return Plan(frozen=found, focus=focus, train=train, base=base, folder=bench.workspace / "models" / f"tuned-{key}")


def _tuned_on(bench: Bench, dataset: Frozen, asked: Sequence[str]) -> Plan | None:
    """
    Return the plan of the model that drafts all of *asked* (none: whatever drafts now), if it was tuned on *dataset*.

    Then there is nothing new to learn.
    """
    routes = bench.routes()
    # A tuned model lies in a folder of its name, its weights below that.
    names = {Path(routes.choose_model(tag)).parent.name for tag in asked} if asked else {bench.current.name}
    for model in bench.store.models():
        lineage = bench.store.lineage(model.id)
        if {model.name} == names and lineage is not None and lineage.dataset_sha256 == dataset.sha256:
            return Plan(
                frozen=dataset,
                focus=tuple(filter(None, str(lineage.parameters.get("focus", "")).split(", "))),
                train=bench.train,
                base=routes.others,
                folder=bench.workspace / "models" / model.name,
            )
    return None


def frozen_now(bench: Bench) -> Frozen:
    """What stands now, frozen as ``improve-HASH``: the same texts are the same dataset."""
    return dataset.freeze(
        bench.store, bench.workspace / "datasets", bench.rules, named=lambda sha256: f"improve-{sha256[:12]}"
    )


def weak(bench: Bench, found: Frozen) -> tuple[str, ...]:
    """
    The dialects that are surely worse than the mean of all, by what is drafted of the train part: the test is kept
    for the end. None where nothing of it was drafted, or none stands out.
    """
    spans = bench.store.scoring_spans(bench.current.id, split="train")
    pairs = [
        Pair(
            id=span.id,
            reference=span.reference,
            hypothesis=span.hypothesis,
            dialect=span.dialect or "und",
            speaker=span.person,
            session=span.session or span.recording,
        )
        for span in spans
        if span.dialect is not None
    ]
    if not pairs:
        return ()
    rows = report_of(pairs, bench.prepare(), method=bench.method, with_recount=False).rows
    rates = [row.wer for row in rows if row.wer is not None]
    mean = sum(rates) / len(rates) if rates else 0.0
    taught = found.counts.get("train", {})
    return tuple(row.dialect for row in rows if row.interval and row.interval[0] > mean and row.dialect in taught)


def improve(
    bench: Bench, made: Plan, *, tell: Tell = lambda stage, share: None, stop: Event | None = None
) -> Improvement:
    """
    Walk the circle of *made*: afterwards the candidate drafts, or the decision says why not.

    Raises:
        InputError: E_DATASET if there is nothing to learn, E_TEST if there is nothing to test on.
        GateFailed: E_GATE if tuning gained nothing, E_CONVERSION if the converted model writes something else.
        Interrupted: *stop* was set; what was done is kept.
    """
    known = _decided(bench, made)
    if known is not None:
        return known
    if not tested_recordings(made.frozen):
        message = f"{made.frozen.folder.name} was to be learnt from and tested on; it has no test"
        raise InputError(
            message, code="E_TEST", hint="correct recordings of the test split, typed from the sound alone"
        )
    tell("freezing", 1.0)
    trained = _tuned(bench, made, tell, stop)
    began = time.monotonic()
    candidate = _converted(bench, made, trained, tell)
    evaluation = _evaluated(bench, made, candidate, tell, stop)
    decision = gate(evaluation, bench.gate, taught=made.focus or _taught(made.frozen))
    rows = (evaluation.candidate if decision.promoted else evaluation.current).report.rows
    lacking = needs(rows, bench.method, half_width=bench.given.half_width)
    done = Improvement(
        plan=made,
        decision=decision,
        evaluation=evaluation.data(),
        next=tuple(need.sentence for need in lacking),
        seconds=round(trained.seconds + time.monotonic() - began, 1),
    )
    bench.store.keep_decision(candidate.id, done.kept())
    if decision.promoted:
        bench.store.promote(candidate.id, why="gate")
    return replace(done, files=_tracked(bench, done, trained))


def _decided(bench: Bench, made: Plan) -> Improvement | None:
    """What was decided before about the candidate of *made*; one that passed drafts from now on, if it does not yet."""
    model = next((each for each in bench.store.models() if each.name == made.name), None)
    kept = None if model is None else bench.store.decision(model.id)
    if model is None or kept is None or "seconds" not in kept:
        return None
    decision = Decision.read(kept["decision"])
    if decision.promoted and model.state == "candidate":
        bench.store.promote(model.id, why="gate")
    return Improvement(
        plan=made,
        decision=decision,
        evaluation=kept["evaluation"],
        next=tuple(kept["next"]),
        seconds=kept["seconds"],
        known=True,
    )


def _tuned(bench: Bench, made: Plan, tell: Tell, stop: Event | None) -> TunedModel:
    from transcribe.finetune import tune

    def hear(step: TuneProgress) -> None:
        tell("tuning", step.done / step.total)

    trained = tune(
        made.train,
        bench.base_of(made.base),
        made.frozen,
        bench.sound,
        made.folder,
        progress=hear,
        stop=stop,
    )
    tell("tuning", 1.0)
    if trained.kept_step == 0:
        message = f"{made.name} was to get better; in {trained.steps} steps it gained nothing on the dev part"
        hint = "correct more, above all of what is heard worst, or give tuning other settings under [train]"
        raise GateFailed(message, hint=hint, item=made.name)
    return trained


def _convert(bench: Bench, made: Plan, base: Path, place: Path) -> None:
    """Rounded to 8 bits, or whole where a model bears no rounding, as very small ones may not."""
    from transcribe.convert import probes, to_ctranslate2

    longest = made.train.window_ms or read_manners(base)[0]
    heard = probes(made.frozen, bench.sound, longest=longest)
    try:
        to_ctranslate2(made.folder / _TUNED, place, probes=heard)
    except GateFailed:
        to_ctranslate2(made.folder / _TUNED, place, probes=heard, quantization="float32")


def _converted(bench: Bench, made: Plan, trained: TunedModel, tell: Tell) -> Model:
    """The candidate, checked and known to the store."""
    converted = made.folder / _CONVERTED
    if not converted.is_dir():
        _convert(bench, made, trained.base, converted)
    place = str(converted.relative_to(bench.workspace))
    if made.train.alone:
        by_dialect.write(made.folder, bench.routes() | dict.fromkeys(made.focus, place))
        place = str(made.folder.relative_to(bench.workspace))
    found = by_dialect.look(place, bench.model_folder)
    model = Model(id=found.id, place=place, name=made.name, window=found.window)
    facts = made.frozen.facts
    lineage = Lineage(
        base=bench.current.id,
        dataset=made.frozen.folder.name,
        dataset_sha256=made.frozen.sha256,
        parameters=dict(trained.parameters),
        origins=dict(facts.get("origins", {}))
        | {"authors": facts.get("authors", 0), "reviewers": facts.get("reviewers", 0)},
        guideline=facts.get("guideline"),
        seconds=trained.seconds,
    )
    bench.store.add_model(model, lineage=lineage)
    tell("converting", 1.0)
    return model


def _evaluated(bench: Bench, made: Plan, candidate: Model, tell: Tell, stop: Event | None) -> Evaluation:
    current, other = bench.recipe_with(bench.current.place), bench.recipe_with(candidate.place)
    ids = tested_recordings(made.frozen)
    waiting = sum(bench.store.pending_size(each.settings, retry_failed=True, ids=ids)[0] for each in (current, other))
    drafted = 0

    def told(_: object) -> None:
        nonlocal drafted
        drafted += 1
        tell("evaluating", 0.9 * drafted / max(waiting, 1))

    found = judge(
        bench.store,
        bench.audio_folder,
        made.frozen,
        current=current,
        candidate=other,
        prepare=bench.prepare(),
        method=bench.method,
        clock=bench.clock,
        told=told,
        stop=stop,
    )
    tell("evaluating", 1.0)
    return found


def _taught(found: Frozen) -> tuple[str, ...]:
    return tuple(tag for tag in found.counts.get("train", {}) if tag != "und")


def _tracked(bench: Bench, done: Improvement, trained: TunedModel) -> tuple[Path, ...]:
    curves = [
        {
            "step": point.step,
            "loss": point.loss,
            "rate": point.rate,
            **{f"wer {tag}": rate for tag, rate in point.wer.items()},
            **{f"cer {tag}": rate for tag, rate in point.cer.items()},
        }
        for point in trained.curve
    ]
    return tracking.track(
        bench.workspace / "reports" / done.plan.name,
        parameters=dict(trained.parameters),
        curves=curves,
        result=done.kept(),
        to=bench.given.tracking,
    )
