"""
Tune a diariser of tracked voices on corrected conversations: its thresholds and, with enough speech, its voice space.

What is tried is ranked on the train part; the few best and the present ones are held against each other on the dev
part, or by leaving one conversation out where there is none.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from transcribe.backends.grouping_search import HeardConversation, Thresholds, Trial, search, try_out
from transcribe.backends.model_manifest import MANIFEST_FILE, write_manifest
from transcribe.backends.pyannote_diariser import PyannoteDiariser
from transcribe.backends.tracked_voices import TrackedVoices
from transcribe.backends.voice_projection import VoiceSpace, change_space, learn_space, windows_by_person
from transcribe.errors import InputError
from transcribe.protocols import SAMPLE_RATE_HZ, LabelledSpan, Pcm
from transcribe.records import Milliseconds

if TYPE_CHECKING:
    from transcribe.backends.speaker_pipeline import TrackedDiarization

#: Thresholds of speech that are tried, as shares of the present one.
SPEECH_SHARES: Final = (1.0, 0.7, 0.45)
#: Shrinkages of a voice space that are tried; at 1 only the centre moves.
SHRINKAGES: Final = (1.0, 0.9, 0.7, 0.4)
#: Of each voice space, so many of the best on the train part go to the dev part.
FINALISTS: Final = 3


class TunableDiariser:
    """
    A diariser whose thresholds and voice space can be tuned.

    Args:
        diariser: Loaded from a folder.

    Raises:
        InputError: E_MODEL if it is of another kind.
    """

    def __init__(self, diariser: PyannoteDiariser) -> None:
        from transcribe.backends.speaker_pipeline import TrackedDiarization

        if not isinstance(diariser.pipeline, TrackedDiarization):
            raise InputError(
                f"the diariser was to be tuned; {type(diariser.pipeline).__name__} has other thresholds",
                code="E_MODEL",
                hint="set diariser.model to diariser-real, after boli models get diariser-real",
            )
        self.pipeline: TrackedDiarization = diariser.pipeline

    @property
    def thresholds(self) -> Thresholds:
        """The present thresholds."""
        segmentation = self.pipeline.segmentation
        return Thresholds(
            grouping=self.pipeline.grouping, pause_s=segmentation.min_duration_off, speech=segmentation.threshold
        )

    @property
    def space(self) -> VoiceSpace:
        """The present space of voices."""
        encoder = self.pipeline.encoder
        matrix = encoder.projection.cpu().double().numpy() if encoder.hparams.projected else None
        return VoiceSpace(centre=encoder.centre.cpu().double().numpy(), matrix=matrix)

    def hear(
        self,
        name: str,
        pcm: Pcm,
        turns: Sequence[LabelledSpan],
        scored: Sequence[tuple[Milliseconds, Milliseconds]],
    ) -> HeardConversation:
        """Run the networks over *pcm* once for each threshold of speech."""
        file = _make_file(pcm)
        segmentations = self.pipeline.get_segmentations(file)
        speeches = dict.fromkeys(round(share * self.thresholds.speech, 4) for share in SPEECH_SHARES)
        tracked = {speech: self.pipeline.track(file, segmentations, speech) for speech in speeches}
        return HeardConversation(name=name, tracked=tracked, turns=turns, scored=scored)

    def follow(self, pcm: Pcm) -> TrackedVoices:
        """Run the networks over *pcm* with the present threshold of speech."""
        file = _make_file(pcm)
        return self.pipeline.track(file, self.pipeline.get_segmentations(file), self.thresholds.speech)


def _make_file(pcm: Pcm) -> dict[str, Any]:
    """Return *pcm* as the library takes a recording."""
    import torch

    waveform = torch.from_numpy(np.asarray(pcm, dtype=np.float32) / 32_768)[None]
    return {"waveform": waveform, "sample_rate": SAMPLE_RATE_HZ, "uri": "recording"}


@dataclass(frozen=True, kw_only=True)
class TuningPlan:
    """The number of trials, and how much speech the voice space needs to be learnt."""

    trials: int
    seed: int = 0
    #: People with so many seconds of speech each, from which the voice space is learnt.
    least_people: int
    least_speech_s: float


@dataclass(frozen=True, kw_only=True, eq=False)
class TunedDiariser:
    """The best thresholds and voice space that were tried."""

    thresholds: Thresholds
    #: ``None``: the present one stays.
    space: VoiceSpace | None
    #: How much of the identity is in the space.
    shrinkage: float | None
    #: Mean loss (DER and what a wrong number of speakers adds) where the choice was made, of the present and these.
    loss_before: float
    loss_after: float
    #: Where that was, for people.
    chosen_on: str
    trials: int
    #: What else is to be said, in sentences.
    notes: tuple[str, ...] = ()

    @property
    def gained(self) -> bool:
        """The sign that it loses less than the present one."""
        return self.loss_after < self.loss_before

    def parameters(self) -> dict[str, str | int | float | bool | None]:
        """Return all that it was tuned to, for its lineage."""
        return {
            **{name: round(value, 4) for name, value in self.thresholds.data().items()},
            "voice_space": "as before" if self.space is None else f"learnt, shrinkage {self.shrinkage}",
            "trials": self.trials,
            "chosen_on": self.chosen_on,
            "loss_before": round(self.loss_before, 4),
            "loss_after": round(self.loss_after, 4),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class _Variant:
    """A voice space with the conversations as they are heard in it."""

    space: VoiceSpace | None
    shrinkage: float | None
    train: Sequence[HeardConversation]
    dev: Sequence[HeardConversation]


def tune(
    present: Thresholds,
    space: VoiceSpace,
    train: Sequence[HeardConversation],
    dev: Sequence[HeardConversation],
    plan: TuningPlan,
    *,
    advance: Callable[[], None] = lambda: None,
) -> TunedDiariser:
    """
    Search the thresholds on *train* and choose on *dev*.

    Args:
        present: The thresholds of now.
        space: The voice space of now.
        train: At least one conversation.
        dev: May be empty: then one conversation of *train* after the other is left out, and the voice space stays.
        plan: How much is tried.
        advance: Is called after each of ``plan.trials``, and as often again if the voice space is learnt.
    """
    plain = _Variant(space=None, shrinkage=None, train=train, dev=dev)
    trials = search(train, present, trials=plan.trials, seed=plan.seed, advance=advance)
    if not dev:
        return _choose_leaving_one_out(trials)
    variants, notes = _learn_variants(space, plain, plan)
    ranked = {plain: trials}
    best = min(trials, key=lambda trial: trial.mean).thresholds
    for number, variant in enumerate(variants):
        few = plan.trials // len(variants)
        ranked[variant] = search(variant.train, best, trials=few, seed=plan.seed + number, advance=advance)
    finals = [
        (try_out(variant.dev, trial.thresholds), variant)
        for variant, variant_trials in ranked.items()
        for trial in sorted(variant_trials, key=lambda trial: trial.mean)[:FINALISTS]
    ]
    present_trial = try_out(dev, present)
    winner, variant = min([(present_trial, plain), *finals], key=lambda final: final[0].mean)
    if variants and variant.space is None:
        notes = (*notes, "the voice space was learnt too, but it did not win on the dev part: the one before stays")
    return TunedDiariser(
        thresholds=winner.thresholds,
        space=variant.space,
        shrinkage=variant.shrinkage,
        loss_before=present_trial.mean,
        loss_after=winner.mean,
        chosen_on=f"{len(dev)} conversations of the dev part",
        trials=sum(map(len, ranked.values())),
        notes=notes,
    )


def _learn_variants(space: VoiceSpace, plain: _Variant, plan: TuningPlan) -> tuple[list[_Variant], tuple[str, ...]]:
    """Learn voice spaces from the people who speak long enough; none, and a sentence why, if they are too few."""
    windows = windows_by_person((conversation.present, conversation.turns) for conversation in plain.train)
    people = {
        name: vectors for name, vectors in windows.items() if _sum_speech_s(name, plain.train) >= plan.least_speech_s
    }
    wanted = f"{plan.least_people} people with {plan.least_speech_s:g} s of corrected speech each"
    if len(people) < plan.least_people:
        return [], (f"the voice space stays: it is learnt from {wanted}, and there are {len(people)}",)
    variants = []
    for shrinkage in SHRINKAGES:
        learnt = learn_space(people, space, shrinkage=shrinkage)
        change = partial(change_space, old=space, new=learnt)
        variants.append(
            _Variant(
                space=learnt,
                shrinkage=shrinkage,
                train=[conversation.transform(change) for conversation in plain.train],
                dev=[conversation.transform(change) for conversation in plain.dev],
            )
        )
    return variants, (f"the voice space was learnt from {len(people)} people",)


def _sum_speech_s(person: str, conversations: Sequence[HeardConversation]) -> float:
    turns = (turn for conversation in conversations for turn in conversation.turns if turn.label == person)
    return sum(turn.end - turn.start for turn in turns) / 1_000


def _choose_leaving_one_out(trials: Sequence[Trial]) -> TunedDiariser:
    """Choose the best of all trials, if by mean the best of the others loses less than the present on each left out."""
    losses = np.stack([trial.losses for trial in trials])
    conversations = losses.shape[1]
    notes = ("the voice space stays: it is chosen on a dev part, and there is none",)
    if conversations > 1:
        of_others = losses.sum(axis=1, keepdims=True) - losses
        left_out = losses[of_others.argmin(axis=0), np.arange(conversations)]
        after = float(left_out.mean())
    else:
        after = trials[0].mean
    gained = after < trials[0].mean
    return TunedDiariser(
        thresholds=min(trials, key=lambda trial: trial.mean).thresholds if gained else trials[0].thresholds,
        space=None,
        shrinkage=None,
        loss_before=trials[0].mean,
        loss_after=after,
        chosen_on=f"{conversations} conversations of the train part, each left out once",
        trials=len(trials),
        notes=notes,
    )


def write_tuned(base: Path, tuned: TunedDiariser, folder: Path) -> None:
    """
    Write the pipeline in *base* with what was *tuned* to *folder*, which is made, with its manifest.

    Raises:
        InputError: E_MODEL if *base* cannot be read.
    """
    import yaml

    from transcribe.backends.pipeline_folder import CONFIG_FILE, read_configuration

    document: dict[str, Any] = read_configuration(base).model_dump(exclude_none=True)
    shutil.copytree(base, folder, ignore=shutil.ignore_patterns(MANIFEST_FILE))
    thresholds = tuned.thresholds
    grouping: Mapping[str, float] = {name: float(value) for name, value in vars(thresholds.grouping).items()}
    document["pipeline"]["params"]["grouping"] = {name: value for name, value in grouping.items() if name != "join"}
    document["params"]["clustering"]["threshold"] = round(1 - grouping["join"], 6)
    document["params"]["segmentation"] |= {
        "threshold": thresholds.speech,
        "min_duration_off": thresholds.pause_s,
    }
    (folder / CONFIG_FILE).write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    if tuned.space is not None:
        _write_space(folder / document["pipeline"]["params"]["embedding"].removeprefix("$model/"), tuned.space)
    write_manifest(folder, folder.name, tuned=str(base))


def _write_space(embedding_folder: Path, space: VoiceSpace) -> None:
    """Write the network in *embedding_folder* again, with *space* behind it."""
    import torch

    from transcribe.backends.network_folder import Network, read_network, write_network

    network = read_network(embedding_folder)
    assert space.matrix is not None
    learnt = {"centre": space.centre, "projection": space.matrix}
    weights = dict(network.weights) | {name: torch.from_numpy(values).float() for name, values in learnt.items()}
    parameters = dict(network.document.hyper_parameters) | {"projected": True}
    described = network.document.model_copy(update={"hyper_parameters": parameters})
    write_network(embedding_folder, Network(document=described, weights=weights))
