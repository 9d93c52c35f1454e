"""A frozen dataset to who teaches and who tests: windows cut, and their sound made ready."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from transcribe.augmenting import Recipe
from transcribe.backends.whisper_folder import read_manners
from transcribe.errors import InputError
from transcribe.finetune.drawing import Lottery
from transcribe.finetune.hearing import Features
from transcribe.finetune.learner import Learner
from transcribe.finetune.lessons import Teacher
from transcribe.finetune.script import Scribe
from transcribe.finetune.shards import Sound, cut_sound
from transcribe.finetune.sources import SoundSource
from transcribe.finetune.testing import Exam
from transcribe.frozen import Frozen
from transcribe.passages import Passage, cuts, passages


@dataclass(frozen=True, kw_only=True)
class Material:
    """The dataset to learn from, its audio, and the folder for the audio of this run's passages."""

    dataset: Frozen
    sound: Sound
    shards: Path


def prepare(material: Material, base: Path, learner: Learner) -> tuple[Teacher, Exam]:
    """
    Return the teacher of *learner*, whose weights were in *base*, and the exam that it sits.

    Raises:
        InputError: E_DATASET if there is nothing to learn.
    """
    settings, longest = learner.settings, read_manners(base)[0]
    learned, tested = _parts(material.dataset, learner)
    features = Features(learner.config.num_mel_bins, learner.device)
    recipe = Recipe(
        speed=settings.speed_share,
        noise=settings.noise_share,
        room=settings.room_share,
        telephone=settings.telephone_share,
    )
    scribe = Scribe(base)
    lottery = Lottery(
        learned,
        min(longest, settings.window_ms or longest),
        focus=settings.focus,
        keep_share=settings.keep_share,
        temperature=settings.temperature,
    )
    teacher = Teacher(
        learned,
        SoundSource(
            learned,
            cut_sound(learned, material.sound, material.shards / "train"),
            features,
            recipe=recipe,
            mask_share=settings.mask_share,
        ),
        lottery,
        scribe,
        timed_share=settings.timed_share,
        wrong_share=settings.wrong_share,
        most_tokens=learner.config.max_target_positions,
        device=learner.device,
    )
    windows = [(number, window) for number, passage in enumerate(tested) for window in cuts(passage, longest)]
    source = SoundSource(tested, cut_sound(tested, material.sound, material.shards / "dev"), features)
    return teacher, Exam(tested, windows, source, scribe)


def _parts(dataset: Frozen, learner: Learner) -> tuple[list[Passage], list[Passage]]:
    """Return the passages that are learned and those that are tested."""
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
    return learned, tested
