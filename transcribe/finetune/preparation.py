"""A frozen dataset to who teaches and who tests: windows cut, and what they sound like made ready."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from transcribe.augmenting import Recipe
from transcribe.backends.whisper_folder import manners
from transcribe.errors import InputError
from transcribe.finetune.answers import Answers, KeptWindow
from transcribe.finetune.drawing import FixedCutter, Lottery, RandomCutter
from transcribe.finetune.hearing import Features
from transcribe.finetune.learner import Learner
from transcribe.finetune.lessons import Teacher
from transcribe.finetune.script import Scribe
from transcribe.finetune.shards import Sound, cut_sound
from transcribe.finetune.sources import AnswerSource, SoundSource, WindowSource
from transcribe.finetune.testing import Exam
from transcribe.frozen import Frozen
from transcribe.passages import Cut, Passage, cuts, passages


@dataclass(frozen=True, kw_only=True)
class Material:
    """What there is to learn from, and where what is made of it is kept."""

    dataset: Frozen
    sound: Sound
    #: The sound of this run's passages, for an encoder that learns.
    shards: Path
    #: The answers of encoders that do not, for all runs.
    answers: Path


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """The passages of the train part with how they are cut, and those of the dev part with their windows."""

    learned: Sequence[Passage]
    cutter: RandomCutter | FixedCutter
    tested: Sequence[Passage]
    windows: Sequence[tuple[int, Cut]]


def prepare(
    material: Material,
    base: Path,
    learner: Learner,
    *,
    heard: Callable[[int, int], None],
    stop: threading.Event | None,
) -> tuple[Teacher, Exam]:
    """
    Give who teaches *learner*, whose weights were in *base*, and who tests it.

    Args:
        heard: Told after each answer of the encoder that was computed how many are there, of how many.
        stop: Set it to end early; what was computed is kept.

    Raises:
        InputError: E_DATASET if there is nothing to learn.
        Interrupted: *stop* was set.
    """
    settings = learner.settings
    parts = _cut(material.dataset, learner, settings.window_ms or manners(base)[0])
    if isinstance(parts.cutter, FixedCutter):
        sources = _answer_sources(parts, parts.cutter, material, learner, heard, stop)
    else:
        sources = _sound_sources(parts, material, learner)
    scribe = Scribe(base)
    lottery = Lottery(
        parts.learned,
        parts.cutter,
        focus=settings.focus,
        keep_share=settings.keep_share,
        temperature=settings.temperature,
    )
    teacher = Teacher(
        parts.learned,
        sources[0],
        lottery,
        scribe,
        timed_share=settings.timed_share,
        wrong_share=settings.wrong_share,
        most_tokens=learner.config.max_target_positions,
        device=learner.device,
    )
    return teacher, Exam(parts.tested, parts.windows, sources[1], scribe)


def _cut(dataset: Frozen, learner: Learner, longest: int) -> _Parts:
    settings = learner.settings
    learned, tested = passages(dataset.examples("train")), passages(dataset.examples("dev"))
    if settings.alone and settings.focus:
        # What it forgets of the others counts for nothing, so they are neither taught nor tested.
        learned, tested = ([one for one in part if one.dialect in settings.focus] for part in (learned, tested))
    if not learned:
        raise InputError(
            f"{dataset.folder} has no text to learn from in its train part",
            code="E_DATASET",
            hint="texts need a language and must not be of the dev or test part",
            item=str(dataset.folder),
        )
    cutter = FixedCutter if settings.encoder == "frozen" else RandomCutter
    return _Parts(
        learned=learned,
        cutter=cutter(learned, longest),
        tested=tested,
        windows=[(number, window) for number, passage in enumerate(tested) for window in cuts(passage, longest)],
    )


def _answer_sources(
    parts: _Parts,
    cutter: FixedCutter,
    material: Material,
    learner: Learner,
    heard: Callable[[int, int], None],
    stop: threading.Event | None,
) -> tuple[WindowSource, WindowSource]:
    """Both parts as the encoder's answers, computed unless they are kept."""
    settings, device = learner.settings, learner.device
    features = Features(learner.config.num_mel_bins, device)
    answers = Answers(material.answers, learner.net, features, material.sound, most_bytes=settings.answers_mb << 20)
    needed = [KeptWindow.of(parts.tested[number], window) for number, window in parts.windows]
    for number, window in cutter.windows:
        ways = range(settings.variants + 1)
        needed += [KeptWindow.of(parts.learned[number], window, variant) for variant in ways]
    answers.compute(needed, progress=heard, stop=stop)
    return (
        AnswerSource(parts.learned, answers, device=device, variants=settings.variants),
        AnswerSource(parts.tested, answers, device=device),
    )


def _sound_sources(parts: _Parts, material: Material, learner: Learner) -> tuple[WindowSource, WindowSource]:
    """Both parts as sound, cut once."""
    settings = learner.settings
    features = Features(learner.config.num_mel_bins, learner.device)
    recipe = Recipe(
        speed=settings.speed_share,
        noise=settings.noise_share,
        room=settings.room_share,
        telephone=settings.telephone_share,
    )
    learned = cut_sound(parts.learned, material.sound, material.shards / "train")
    tested = cut_sound(parts.tested, material.sound, material.shards / "dev")
    return (
        SoundSource(parts.learned, learned, features, recipe=recipe, mask_share=settings.mask_share),
        SoundSource(parts.tested, tested, features),
    )
