"""A lever is kept only where the dev part gains by it; the drafter then uses it, for that dialect alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from dialects.dialect import load_catalogue
from dialects.scoring import Pair
from tests.levers.test_mining import said
from transcribe import levers
from transcribe.errors import ConfigError
from transcribe.frozen import Example
from transcribe.levers import Lever
from transcribe.protocols import Heard, Pcm, Window
from transcribe.records import Word


class Listener:
    """Writes "bairn" only where it was told to expect it, and always "church"."""

    id = "listener"

    def recognise(self, pcm: Pcm, windows: Sequence[Window]) -> list[Heard]:
        return [self._heard(window) for window in windows]

    def _heard(self, window: Window) -> Heard:
        told = f"{window.hotwords} {window.prompt}"
        texts = ("the", "bairn" if "bairn" in told else "barn", "in", "church")
        words = tuple(Word(text=text, start=window.start, end=window.end, probability=1.0) for text in texts)
        return Heard(window=window, words=words, log_probability=None, no_speech=None)


def dev(*dialects: str) -> list[Example]:
    return [
        Example(
            id=f"{tag}{at}",
            audio=tag,
            start=at,
            end=at + 900,
            text="the bairn in kirk",
            dialect=tag,
            language="en",
            split="dev",
        )
        for tag in dialects
        for at in (0, 40_000, 80_000)
    ]


def silence(audio: str, channel: int | None) -> Pcm:
    return np.zeros(30 * 16_000, np.int16)


def found(taught: list[Pair], *, prompts: bool = True, dialects: tuple[str, ...] = ("en-scotland",)) -> levers.Found:
    catalogue, heard = load_catalogue(), dev(*dialects)
    return levers.find(Listener(), taught, heard, silence, catalogue, window=6_000, takes_prompt=prompts)


def test_levers_that_help_are_kept_together() -> None:
    result = found(said("the bairn in kirk", "the barn in church"))

    assert result.levers == {
        "en-scotland": Lever(hotwords=("bairn", "kirk"), spelling={"barn": "bairn", "church": "kirk"})
    }
    kept = {trial.kind: trial.kept for trial in result.trials}
    assert kept == {"hotwords": True, "prompt": False, "beam_size": False, "spelling": True}


def test_a_lever_that_changes_nothing_is_not_kept() -> None:
    result = found(said("some other words", "none of these here"))

    assert result.levers == {}
    assert not any(trial.kept for trial in result.trials)


def test_a_model_without_prompts_is_not_shown_any() -> None:
    result = found(said("the bairn in kirk", "the barn in church"), prompts=False)

    assert {trial.kind for trial in result.trials} == {"beam_size", "spelling"}


def test_each_dialect_has_its_own() -> None:
    result = found(said("the bairn in kirk", "the barn in church"), dialects=("en-scotland", "en-GB"))

    assert set(result.levers) == {"en-scotland"}
    assert {trial.dialect for trial in result.trials if trial.kept} == {"en-scotland"}


def test_a_trial_reads_as_a_sentence() -> None:
    first = found(said("the bairn in kirk", "the barn in church")).trials[0]

    assert first.sentence == "en-scotland: hotwords bairn kirk: WER 50.0% to 25.0% of 12 words, kept"


def test_levers_are_kept_by_model(tmp_path: Path) -> None:
    file = tmp_path / "models" / levers.FILE
    mine, other = {"hi": Lever(prompt="नमस्ते", beam_size=1)}, {"ta": Lever(spelling={"a": "b"})}
    levers.write(file, "m1", mine)
    levers.write(file, "m2", other)

    assert levers.read(file) == {"m1": mine, "m2": other}
    levers.write(file, "m1", {})
    assert levers.read(file) == {"m2": other}


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / levers.FILE).write_text('{"models": {"m": {"hi": {"loud": 1}}}}')

    with pytest.raises(ConfigError, match=levers.FILE):
        levers.read(tmp_path / levers.FILE)
