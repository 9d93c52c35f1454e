"""From a frozen dataset to the training collator and the validation set, with their audio cut into shards."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from transcribe.backends.whisper_folder import read_manners
from transcribe.config import TrainSettings
from transcribe.datasets.manifest import Frozen
from transcribe.errors import InputError
from transcribe.training.augmentation import Recipe
from transcribe.training.collate import Collator, TargetEncoder, WindowSampler
from transcribe.training.shards import AudioReader, FeatureSource, cut_audio
from transcribe.training.trainer import Learner
from transcribe.training.validation import Validation
from transcribe.training.whisper import Features
from transcribe.training.windows import Passage, cut_windows, find_passages


@dataclass(frozen=True, kw_only=True)
class Material:
    """The dataset to learn from, its audio, and the folder for the audio of this run's passages."""

    dataset: Frozen
    read_audio: AudioReader
    shards: Path


def prepare(material: Material, base: Path, learner: Learner) -> tuple[Collator, Validation]:
    """
    Build the training collator and the validation set of *learner*, whose weights were in *base*.

    Raises:
        InputError: E_DATASET if there is nothing to learn.
    """
    settings, longest = learner.settings, read_manners(base)[0]
    train, dev = split_passages(material.dataset, settings)
    features = Features(learner.config.num_mel_bins, learner.device)
    recipe = Recipe(
        speed=settings.speed_share,
        noise=settings.noise_share,
        room=settings.room_share,
        telephone=settings.telephone_share,
    )
    encoder = TargetEncoder(base)
    sampler = WindowSampler(
        train,
        min(longest, settings.window_ms or longest),
        focus=settings.focus,
        keep_share=settings.keep_share,
        temperature=settings.temperature,
    )
    collator = Collator(
        train,
        FeatureSource(
            train,
            cut_audio(train, material.read_audio, material.shards / "train"),
            features,
            recipe=recipe,
            mask_share=settings.mask_share,
        ),
        sampler,
        encoder,
        timed_share=settings.timed_share,
        wrong_share=settings.wrong_share,
        most_tokens=learner.config.max_target_positions,
        device=learner.device,
    )
    windows = [(number, window) for number, passage in enumerate(dev) for window in cut_windows(passage, longest)]
    source = FeatureSource(dev, cut_audio(dev, material.read_audio, material.shards / "dev"), features)
    return collator, Validation(dev, windows, source, encoder)


def split_passages(dataset: Frozen, settings: TrainSettings) -> tuple[list[Passage], list[Passage]]:
    """
    Return the passages of *dataset* to train on, and those to validate on.

    Raises:
        InputError: E_DATASET if there is nothing to learn.
    """
    train, dev = find_passages(dataset.examples("train")), find_passages(dataset.examples("dev"))
    if settings.alone and settings.focus:
        # What it forgets of the others counts for nothing, so they are neither trained on nor validated.
        train, dev = ([passage for passage in part if passage.dialect in settings.focus] for part in (train, dev))
    if not train:
        raise InputError(
            f"{dataset.folder} has no text to learn from in its train part",
            code="E_DATASET",
            hint="texts need a language and must not be of the dev or test part",
            item=str(dataset.folder),
        )
    return train, dev
