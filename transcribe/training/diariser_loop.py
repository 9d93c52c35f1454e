"""
Improve the diariser: freeze what was corrected, tune, compare with the one before, pass the gate or not, promote.

It takes minutes, so that one that was killed begins again; what it leaves is whole, or not there.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from transcribe import audio, datasets
from transcribe.backends.identity import folder_id
from transcribe.config import DiariserGateSettings, DiariserTrainSettings, fingerprint
from transcribe.datasets.manifest import Frozen
from transcribe.errors import GateFailed, InputError
from transcribe.protocols import Pcm, Span
from transcribe.records import Lineage, Model
from transcribe.store import Store
from transcribe.training.corrected_turns import CorrectedConversation, corrected_conversations, speech_by_person
from transcribe.training.diariser_evaluation import duration_of, evaluate, heed
from transcribe.training.gate import Decision, gate_diariser

if TYPE_CHECKING:
    from transcribe.backends.diariser_tuning import TunableDiariser, TunedDiariser
    from transcribe.backends.grouping_search import HeardConversation
    from transcribe.backends.pyannote_diariser import PyannoteDiariser

Stage: TypeAlias = Literal["hearing", "tuning", "evaluating"]
#: Parts of the whole, roughly as long as each stage takes: what a progress display counts in.
SHARES: Final[Mapping[Stage, int]] = {"hearing": 350, "tuning": 350, "evaluating": 300}
#: Hears how far a stage has come, from 0 to 1.
Tell: TypeAlias = Callable[[Stage, float], None]
#: Rises when the same corrections would be tuned on otherwise.
TUNING: Final = 1


@dataclass(frozen=True, kw_only=True)
class DiariserBench:
    """The store, folders and settings that improving the diariser works with."""

    workspace: Path
    store: Store
    audio_folder: Path
    rules: datasets.Rules
    train: DiariserTrainSettings
    gate: DiariserGateSettings
    #: The diariser of now, as the store names it or would.
    current: Model
    #: Loads the diariser in a place, and names its folder.
    load: Callable[[str], PyannoteDiariser]
    folder: Callable[[str], str]

    def sound(self, recording: str) -> Pcm:
        """Read the samples of a recording."""
        return audio.read_samples(audio.locate(self.audio_folder, recording))


@dataclass(frozen=True, kw_only=True)
class DiariserPlan:
    """The plan of an improvement that is about to be made."""

    frozen: Frozen
    train: tuple[CorrectedConversation, ...]
    dev: tuple[CorrectedConversation, ...]
    test: tuple[CorrectedConversation, ...]
    settings: DiariserTrainSettings
    #: The candidate's folder, named after the diariser of now, dataset and settings.
    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def people(self) -> int:
        """The number of people who speak long enough in the train part for the voice space to learn from."""
        least_ms = 1_000 * self.settings.least_speech_s
        return sum(spoken >= least_ms for spoken in speech_by_person(self.train).values())

    @property
    def learns_voices(self) -> bool:
        """The sign that the voice space is learnt too."""
        return bool(self.dev) and self.people >= self.settings.least_people

    def data(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "dataset": self.frozen.folder.name,
            "dataset_sha256": self.frozen.sha256,
            "conversations": {name: len(getattr(self, name)) for name in ("train", "dev", "test")},
            "people": self.people,
            "learns_voices": self.learns_voices,
            "candidate": self.name,
            "trials": self.settings.trials,
        }


@dataclass(frozen=True, kw_only=True)
class DiariserImprovement:
    """The outcome of an improvement."""

    plan: DiariserPlan
    decision: Decision
    #: What the decision was made by, as `DiariserEvaluation.data` gives it.
    evaluation: Mapping[str, Any]
    parameters: Mapping[str, str | int | float | bool | None]
    notes: tuple[str, ...]
    seconds: float
    #: True where all of it had been done before.
    decided_before: bool = False

    def data(self) -> dict[str, Any]:
        """Return what the store keeps of it."""
        return {
            "decision": self.decision.data(),
            "evaluation": dict(self.evaluation),
            "parameters": dict(self.parameters),
            "tuning_notes": list(self.notes),
            "seconds": self.seconds,
        }


def plan(bench: DiariserBench, chosen: Frozen | None = None) -> DiariserPlan:
    """Plan what improving would do with *chosen*, or with what stands now, which is frozen under its hash."""
    frozen = chosen or freeze_turns(bench)
    unwritten = unwritten_speech(bench.store)
    parts = {
        split: tuple(corrected_conversations(frozen, split, unwritten=unwritten)) for split in ("train", "dev", "test")
    }
    lineage = bench.store.models.find_lineage(bench.current.id)
    key = fingerprint("improve diariser", TUNING, bench.current.id, frozen.key, bench.train)[:12]
    # The diariser of now may have been tuned on these very corrections: there is nothing new to learn.
    is_learnt = lineage is not None and frozen.is_of(lineage)
    return DiariserPlan(
        frozen=frozen,
        **parts,
        settings=bench.train,
        folder=bench.workspace / "models" / (bench.current.name if is_learnt else f"voices-{key}"),
    )


def freeze_turns(bench: DiariserBench) -> Frozen:
    """Freeze what stands now as ``turns-HASH``: the same corrections are the same dataset."""
    # Nobody is told apart by what is said: sentences that the test has too stay.
    rules = replace(bench.rules, closed_vocabulary=True)
    folder = bench.workspace / "datasets"
    return datasets.freeze(bench.store, folder, rules, named=lambda sha256: f"turns-{sha256[:12]}")


def unwritten_speech(store: Store) -> dict[str, list[Span]]:
    """List the stretches that nobody corrected or may hear, by recording."""
    return {
        transcribed.recording.id: [
            *(Span(start=segment.start, end=segment.end) for segment in transcribed.unwritten),
            *(Span(start=start, end=end) for start, end in transcribed.masked),
        ]
        for transcribed in store.dataset_source.fetch()
    }


def improve(
    bench: DiariserBench,
    made: DiariserPlan,
    *,
    tell: Tell = lambda stage, share: None,
    stop: Event | None = None,
) -> DiariserImprovement:
    """
    Improve by *made*: afterwards the candidate diarises, or the decision says why not.

    Raises:
        InputError: E_DATASET if there is nothing to learn from, E_TEST if there is nothing to test on, E_MODEL if the
            diariser of now is of a kind that cannot be tuned.
        GateFailed: E_GATE if nothing that was tried gains on the dev part.
        Interrupted: *stop* was set; nothing is left behind.
    """
    from transcribe.backends.diariser_tuning import TunableDiariser, write_tuned

    earlier = _find_improvement(bench, made)
    if earlier is not None:
        return earlier
    _refuse_empty(made)
    began = time.monotonic()
    present = bench.load(bench.current.place)
    tunable = TunableDiariser(present)
    conversations = hear(bench, made, tunable, tell=tell, stop=stop)
    tuned = _tune(made, tunable, conversations, tell, stop)
    _write(made.folder, partial(write_tuned, Path(bench.folder(bench.current.place)), tuned))
    candidate = _register(bench, made, tuned, round(time.monotonic() - began, 1))
    evaluation = evaluate(
        bench.sound,
        made.frozen,
        made.test,
        present=present,
        candidate=bench.load(candidate.place),
        agreement={"train": _measure_agreement([conversation for part in conversations for conversation in part])},
        tunable=tunable,
        advance=lambda share: tell("evaluating", share),
        stop=stop,
    )
    done = DiariserImprovement(
        plan=made,
        decision=gate_diariser(evaluation, bench.gate),
        evaluation=evaluation.data(),
        parameters=tuned.parameters(),
        notes=tuned.notes,
        seconds=round(time.monotonic() - began, 1),
    )
    bench.store.models.save_decision(candidate.id, done.data())
    if done.decision.promoted:
        bench.store.models.promote(candidate.id, why="gate")
    return done


def _find_improvement(bench: DiariserBench, made: DiariserPlan) -> DiariserImprovement | None:
    """Return what was decided before about the candidate of *made*; one that passed serves from now on, if not yet."""
    model = next((model for model in bench.store.models.fetch() if model.name == made.name), None)
    record = None if model is None else bench.store.models.find_decision(model.id)
    if model is None or record is None or "parameters" not in record:
        return None
    decision = Decision.parse(record["decision"])
    if decision.promoted and model.state == "candidate":
        bench.store.models.promote(model.id, why="gate")
    return DiariserImprovement(
        plan=made,
        decision=decision,
        evaluation=record["evaluation"],
        parameters=record["parameters"],
        notes=tuple(record["tuning_notes"]),
        seconds=record["seconds"],
        decided_before=True,
    )


def _refuse_empty(made: DiariserPlan) -> None:
    hint = "correct whole conversations, with the right speaker for each segment"
    for part, code, purpose in ((made.train, "E_DATASET", "learnt from"), (made.test, "E_TEST", "tested on")):
        if not part:
            message = (
                f"{made.frozen.folder.name} was to be {purpose}; no conversation of that part is corrected throughout"
            )
            raise InputError(message, code=code, hint=hint, item=made.frozen.folder.name)


def hear(
    bench: DiariserBench, made: DiariserPlan, tunable: TunableDiariser, *, tell: Tell, stop: Event | None
) -> tuple[list[HeardConversation], list[HeardConversation]]:
    """Run the networks over the train and the dev part, as far as the settings allow, in an order by lot."""
    parts = [_choose(part, made.settings) for part in (made.train, made.dev)]
    count, heard_count = sum(map(len, parts)), 0
    conversations_by_part: tuple[list[HeardConversation], list[HeardConversation]] = ([], [])
    for part, part_conversations in zip(parts, conversations_by_part, strict=True):
        for conversation in part:
            heed(stop)
            pcm = bench.sound(conversation.recording)
            scored = conversation.scored_spans(duration_of(pcm))
            part_conversations.append(tunable.hear(conversation.recording, pcm, conversation.turns, scored))
            heard_count += 1
            tell("hearing", heard_count / count)
    return conversations_by_part


def _choose(
    conversations: Sequence[CorrectedConversation], settings: DiariserTrainSettings
) -> list[CorrectedConversation]:
    """Draw conversations until their sound is as long as the settings allow; one at least."""
    drawn = list(conversations)
    random.Random(settings.seed).shuffle(drawn)
    chosen: list[CorrectedConversation] = []
    minutes = 0.0
    for conversation in drawn:
        minutes += max(turn.end for turn in conversation.turns) / 60_000
        if chosen and minutes > settings.most_minutes:
            break
        chosen.append(conversation)
    return chosen


def _tune(
    made: DiariserPlan,
    tunable: TunableDiariser,
    conversations: tuple[list[HeardConversation], list[HeardConversation]],
    tell: Tell,
    stop: Event | None,
) -> TunedDiariser:
    from transcribe.backends.diariser_tuning import TuningPlan, tune

    settings = made.settings
    expected = settings.trials * (2 if made.learns_voices else 1)
    tried = 0

    def advance() -> None:
        nonlocal tried
        heed(stop)
        tried += 1
        tell("tuning", tried / expected)

    search = TuningPlan(
        trials=settings.trials,
        seed=settings.seed,
        least_people=settings.least_people,
        least_speech_s=settings.least_speech_s,
    )
    tuned = tune(tunable.thresholds, tunable.space, *conversations, search, advance=advance)
    tell("tuning", 1.0)
    if not tuned.gained:
        message = (
            f"{made.name} was to tell speakers apart better; of {tuned.trials} settings none gained on "
            f"{tuned.chosen_on}: the thresholds and the voice space of now stay"
        )
        hint = "the diariser before goes on; correct more conversations, above all those with confused speakers"
        raise GateFailed(message, hint=hint, item=made.name)
    return tuned


def _write(folder: Path, fill: Callable[[Path], None]) -> None:
    """Make *folder* of what *fill* writes, whole, or not at all; one that is there already stays."""
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".voices."))
    try:
        fill(part / folder.name)
        (part / folder.name).replace(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def sweep(workspace: Path) -> None:
    """Remove what killed runs left half written."""
    for part in (workspace / "models").glob(".voices.*"):
        shutil.rmtree(part, ignore_errors=True)


def _register(bench: DiariserBench, made: DiariserPlan, tuned: TunedDiariser, seconds: float) -> Model:
    """Make the diariser of now and the candidate known to the store."""
    promoted = bench.store.models.find_promoted("diariser")
    if promoted is None or promoted.id != bench.current.id:
        bench.store.models.add(bench.current)
        bench.store.models.promote(bench.current.id)
    location = str(made.folder.relative_to(bench.workspace))
    model = Model(id=folder_id(made.folder), place=location, name=made.name, kind="diariser")
    facts = made.frozen.facts
    lineage = Lineage(
        base=bench.current.id,
        dataset=made.frozen.folder.name,
        dataset_sha256=made.frozen.sha256,
        parameters=tuned.parameters(),
        origins=dict(facts.get("origins", {}))
        | {"authors": facts.get("authors", 0), "reviewers": facts.get("reviewers", 0)},
        guideline=facts.get("guideline"),
        seconds=seconds,
        withheld=tuple(sorted(made.frozen.withheld)),
    )
    bench.store.models.add(model, lineage=lineage)
    return model


def _measure_agreement(conversations: Sequence[HeardConversation]) -> float:
    from transcribe.backends.voice_projection import chance_of_agreement

    return chance_of_agreement((conversation.present, conversation.turns) for conversation in conversations)
