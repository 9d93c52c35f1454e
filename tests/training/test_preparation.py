"""The passages to train on and to validate on, by the dialects that a model is to hear."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="tuning belongs to the train extra")

from tests.training.factories import line
from transcribe.config import TrainSettings
from transcribe.datasets import manifest
from transcribe.errors import InputError
from transcribe.training.preparation import split_passages

LANGUAGES = {"en-scotland": "en", "en-GB": "en", "hi": "hi"}


def split_dialects(folder: Path, *, focus: tuple[str, ...], alone: bool) -> tuple[set[str | None], set[str | None]]:
    examples = [
        line(0, 2_000, audio=f"{tag}-{split}", id=f"{tag}-{split}", dialect=tag, language=language, split=split)
        for tag, language in LANGUAGES.items()
        for split in ("train", "dev")
    ]
    train, dev = split_passages(manifest.write(folder, examples), TrainSettings(focus=focus, alone=alone))
    return {passage.dialect for passage in train}, {passage.dialect for passage in dev}


def test_a_model_for_all_dialects_learns_and_is_validated_on_all(tmp_path: Path) -> None:
    assert split_dialects(tmp_path, focus=("en-scotland",), alone=False) == (set(LANGUAGES), set(LANGUAGES))


def test_a_model_for_one_dialect_learns_and_is_validated_on_that_alone(tmp_path: Path) -> None:
    assert split_dialects(tmp_path, focus=("en-scotland",), alone=True) == ({"en-scotland"}, {"en-scotland"})


def test_a_focus_without_a_text_is_refused_however_much_there_is_of_others(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no text to learn from"):
        split_dialects(tmp_path, focus=("ta",), alone=True)
