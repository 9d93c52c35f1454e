"""
The improvement loop: freeze what was corrected, tune, convert, evaluate, pass the gate or not, promote.

Each stage's outcome is there whole or not at all, under a name made of all that it follows from. So a loop that was
killed anywhere is run again from its start, past everything that is there already, and ends the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from dialects.report.table import report_of
from dialects.sample_size import needs
from dialects.scoring.prepare import Preparer
from dialects.scoring.rows import Method
from dialects.scoring.word_errors import Pair
from transcribe import audio, datasets
from transcribe.backends import by_dialect
from transcribe.backends.by_dialect import Routes
from transcribe.backends.whisper_folder import read_manners
from transcribe.config import GateSettings, ImproveSettings, TrainSettings, fingerprint
from transcribe.datasets.manifest import Frozen
from transcribe.errors import GateFailed, InputError
from transcribe.pipeline.recipe import Recipe
from transcribe.protocols import Pcm
from transcribe.records import Lineage, Model
from transcribe.store import Store
from transcribe.training import tracking
from transcribe.training.evaluate import Evaluation, judge, list_test_recordings
from transcribe.training.gate import Decision, gate

if TYPE_CHECKING:
    from transcribe.training.finetune import TunedModel, TuneProgress

Stage: TypeAlias = Literal["freezing", "tuning", "converting", "evaluating"]
#: Parts of the whole, roughly as long as each stage takes: the unit of a progress display.
SHARES: Final[Mapping[Stage, int]] = {
    "freezing": 20,
    "tuning": 650,
    "converting": 30,
    "evaluating": 300,
}
#: Called with a stage and its progress, from 0 to 1.
OnProgress: TypeAlias = Callable[[Stage, float], None]

#: In a candidate's folder: what tuning wrote, and what drafts.
_TUNED: Final = "hf"
_CONVERTED: Final = "ct2"


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """The stores, settings and factories that improving needs."""

    workspace: Path
    store: Store
    audio_folder: Path
    rules: datasets.Rules
    train: TrainSettings
    gate: GateSettings
    settings: ImproveSettings
    #: The drafting recipe with the model in a place.
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

    def read_routes(self) -> Routes:
        """Return the models that hear each dialect now."""
        location = self.current.place
        return by_dialect.read_routes(Path(self.model_folder(location))) or Routes(others=location, by_dialect={})

    def read_audio(self, recording: str, channel: int | None) -> Pcm:
        """Read the samples of a recording or of one of its channels."""
        return audio.read_samples(audio.locate(self.audio_folder, recording), channel=channel)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The dataset, the settings and the candidate of one improvement."""

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
        """Return plain values for JSON."""
        return {
            "dataset": self.frozen.folder.name,
            "dataset_sha256": self.frozen.sha256,
            "counts": self.frozen.counts,
            "focus": list(self.focus),
            "drafts": list(self.focus) if self.train.alone else None,
            "candidate": self.name,
            "steps": self.train.steps,
            "withheld": sorted(self.frozen.withheld),
        }


@dataclass(frozen=True, kw_only=True)
class Improvement:
    """The outcome of a plan: the gate's decision and the evaluation behind it."""

    plan: Plan
    decision: Decision
    #: The evidence of the decision, as `Evaluation.data` gives it.
    evaluation: Mapping[str, Any]
    #: Recommendations on what to correct or record next, the neediest dialect first.
    next: tuple[str, ...]
    #: What it took, tuning in pieces added up.
    seconds: float
    #: True where all of it had been done before.
    is_repeat: bool = False
    files: tuple[Path, ...] = ()

    def data(self) -> dict[str, Any]:
        """Return the document that the store keeps, from which a second call answers."""
        return {
            "decision": self.decision.data(),
            "evaluation": dict(self.evaluation),
            "next": list(self.next),
            "seconds": self.seconds,
        }


def make_plan(deps: Dependencies, chosen: Frozen | None = None) -> Plan:
    """Plan the improvement on *chosen*, or on the corrections of now, which are frozen under their hash."""
    frozen = chosen or freeze_now(deps)
    routes = deps.read_routes()
    targets = deps.train.focus or deps.gate.targets
    plan = _find_earlier_plan(deps, frozen, targets)
    if plan is not None:
        return plan
    focus = targets or find_weak_dialects(deps, frozen)
    if deps.settings.by_dialect:
        # Where none stands out all are tuned alike; what was not taught stays with the model before.
        focus = focus or _list_train_dialects(frozen)
    alone = bool(focus) and deps.settings.by_dialect
    train = deps.train.model_copy(update={"focus": focus, "alone": alone})
    # Where several models hear the dialects of the focus now, the one that all began with learns them anew.
    heard_by = {routes.choose_model(tag) for tag in focus} if alone else set()
    base = heard_by.pop() if len(heard_by) == 1 else routes.others
    key = fingerprint("improve", deps.current.id, frozen.key, train)[:12]
    return Plan(frozen=frozen, focus=focus, train=train, base=base, folder=deps.workspace / "models" / f"tuned-{key}")


def _find_earlier_plan(deps: Dependencies, dataset: Frozen, targets: Sequence[str]) -> Plan | None:
    """
    Return the plan of the model that drafts all of *targets* (none: whatever drafts now), if it was tuned on *dataset*.

    Then there is nothing new to learn.
    """
    routes = deps.read_routes()
    # A tuned model lies in a folder of its name, its weights below that.
    names = {Path(routes.choose_model(tag)).parent.name for tag in targets} if targets else {deps.current.name}
    for model in deps.store.models.fetch():
        lineage = deps.store.models.find_lineage(model.id)
        if {model.name} == names and lineage is not None and dataset.is_of(lineage):
            return Plan(
                frozen=dataset,
                focus=tuple(filter(None, str(lineage.parameters.get("focus", "")).split(", "))),
                train=deps.train,
                base=routes.others,
                folder=deps.workspace / "models" / model.name,
            )
    return None


def freeze_now(deps: Dependencies) -> Frozen:
    """Freeze the corrections of now as ``improve-HASH``: the same texts are the same dataset."""
    return datasets.freeze(
        deps.store, deps.workspace / "datasets", deps.rules, named=lambda sha256: f"improve-{sha256[:12]}"
    )


def find_weak_dialects(deps: Dependencies, frozen: Frozen) -> tuple[str, ...]:
    """
    Return the dialects that are surely worse than the mean of all, by the drafts of the train part.

    The test is kept for the end. None where nothing of the train part was drafted, or none stands out.
    """
    spans = deps.store.corrections.fetch_scoring_spans(deps.current.id, split="train")
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
    rows = report_of(pairs, deps.prepare(), method=deps.method, with_recount=False).rows
    rates = [row.wer for row in rows if row.wer is not None]
    mean = sum(rates) / len(rates) if rates else 0.0
    trained = frozen.counts.get("train", {})
    return tuple(row.dialect for row in rows if row.interval and row.interval[0] > mean and row.dialect in trained)


def improve(
    deps: Dependencies, plan: Plan, *, on_progress: OnProgress = lambda stage, share: None, stop: Event | None = None
) -> Improvement:
    """
    Carry out *plan*: afterwards the candidate drafts, or the decision says why not.

    Raises:
        InputError: E_DATASET if there is nothing to learn, E_TEST if there is nothing to test on.
        GateFailed: E_GATE if tuning gained nothing, E_CONVERSION if the converted model writes something else.
        Interrupted: *stop* was set; what was done is kept.
    """
    earlier = _load_improvement(deps, plan)
    if earlier is not None:
        return earlier
    if not list_test_recordings(plan.frozen):
        message = f"{plan.frozen.folder.name} was to be learnt from and tested on; it has no test"
        raise InputError(
            message, code="E_TEST", hint="correct recordings of the test split, typed from the sound alone"
        )
    on_progress("freezing", 1.0)
    trained = _tune(deps, plan, on_progress, stop)
    began = time.monotonic()
    candidate = _make_candidate(deps, plan, trained, on_progress)
    evaluation = _evaluate(deps, plan, candidate, on_progress, stop)
    decision = gate(evaluation, deps.gate, taught=plan.focus or _list_train_dialects(plan.frozen))
    rows = (evaluation.candidate if decision.promoted else evaluation.current).report.rows
    lacking = needs(rows, deps.method, half_width=deps.settings.half_width)
    done = Improvement(
        plan=plan,
        decision=decision,
        evaluation=evaluation.data(),
        next=tuple(need.sentence for need in lacking),
        seconds=round(trained.seconds + time.monotonic() - began, 1),
    )
    deps.store.models.save_decision(candidate.id, done.data())
    if decision.promoted:
        deps.store.models.promote(candidate.id, why="gate")
    return replace(done, files=_track(deps, done, trained))


def _load_improvement(deps: Dependencies, plan: Plan) -> Improvement | None:
    """Load an earlier improvement by *plan*; its candidate drafts from now on if it passed and does not yet."""
    model = next((model for model in deps.store.models.fetch() if model.name == plan.name), None)
    document = None if model is None else deps.store.models.find_decision(model.id)
    if model is None or document is None or "seconds" not in document:
        return None
    decision = Decision.parse(document["decision"])
    if decision.promoted and model.state == "candidate":
        deps.store.models.promote(model.id, why="gate")
    return Improvement(
        plan=plan,
        decision=decision,
        evaluation=document["evaluation"],
        next=tuple(document["next"]),
        seconds=document["seconds"],
        is_repeat=True,
    )


def _tune(deps: Dependencies, plan: Plan, on_progress: OnProgress, stop: Event | None) -> TunedModel:
    from transcribe.training.finetune import tune

    def report_step(step: TuneProgress) -> None:
        on_progress("tuning", step.done / step.total)

    trained = tune(
        plan.train,
        deps.base_of(plan.base),
        plan.frozen,
        deps.read_audio,
        plan.folder,
        progress=report_step,
        stop=stop,
    )
    on_progress("tuning", 1.0)
    if trained.kept_step == 0:
        message = f"{plan.name} was to get better; in {trained.steps} steps it gained nothing on the dev part"
        hint = "correct more, above all of what is heard worst, or give tuning other settings under [train]"
        raise GateFailed(message, hint=hint, item=plan.name)
    return trained


def _convert(deps: Dependencies, plan: Plan, base: Path, path: Path) -> None:
    """Convert to 8 bits, or to floats where a model bears no rounding, as very small ones may not."""
    from transcribe.training.convert import probes, to_ctranslate2

    longest = plan.train.window_ms or read_manners(base)[0]
    conversion_probes = probes(plan.frozen, deps.read_audio, longest=longest)
    try:
        to_ctranslate2(plan.folder / _TUNED, path, probes=conversion_probes)
    except GateFailed:
        to_ctranslate2(plan.folder / _TUNED, path, probes=conversion_probes, quantization="float32")


def _make_candidate(deps: Dependencies, plan: Plan, trained: TunedModel, on_progress: OnProgress) -> Model:
    """Convert the tuned model, check it and add it to the store."""
    path = plan.folder / _CONVERTED
    if not path.is_dir():
        _convert(deps, plan, trained.base, path)
    location = str(path.relative_to(deps.workspace))
    if plan.train.alone:
        by_dialect.write_routes(plan.folder, deps.read_routes() | dict.fromkeys(plan.focus, location))
        location = str(plan.folder.relative_to(deps.workspace))
    files = by_dialect.look(location, deps.model_folder)
    model = Model(id=files.id, place=location, name=plan.name, window=files.window)
    facts = plan.frozen.facts
    lineage = Lineage(
        base=deps.current.id,
        dataset=plan.frozen.folder.name,
        dataset_sha256=plan.frozen.sha256,
        parameters=dict(trained.parameters),
        origins=dict(facts.get("origins", {}))
        | {"authors": facts.get("authors", 0), "reviewers": facts.get("reviewers", 0)},
        guideline=facts.get("guideline"),
        seconds=trained.seconds,
        withheld=tuple(sorted(plan.frozen.withheld)),
    )
    deps.store.models.add(model, lineage=lineage)
    on_progress("converting", 1.0)
    return model


def _evaluate(
    deps: Dependencies, plan: Plan, candidate: Model, on_progress: OnProgress, stop: Event | None
) -> Evaluation:
    recipes = deps.recipe_with(deps.current.place), deps.recipe_with(candidate.place)
    ids = list_test_recordings(plan.frozen)
    waiting = sum(
        deps.store.attempts.count_pending(recipe.settings, retry_failed=True, ids=ids)[0] for recipe in recipes
    )
    drafted = 0

    def count_step(_: object) -> None:
        nonlocal drafted
        drafted += 1
        on_progress("evaluating", 0.9 * drafted / max(waiting, 1))

    evaluation = judge(
        deps.store,
        deps.audio_folder,
        plan.frozen,
        current=recipes[0],
        candidate=recipes[1],
        prepare=deps.prepare(),
        method=deps.method,
        clock=deps.clock,
        on_step=count_step,
        stop=stop,
    )
    on_progress("evaluating", 1.0)
    return evaluation


def _list_train_dialects(frozen: Frozen) -> tuple[str, ...]:
    return tuple(tag for tag in frozen.counts.get("train", {}) if tag != "und")


def _track(deps: Dependencies, done: Improvement, trained: TunedModel) -> tuple[Path, ...]:
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
        deps.workspace / "reports" / done.plan.name,
        parameters=dict(trained.parameters),
        curves=curves,
        outcome=done.data(),
        to=deps.settings.tracking,
    )
