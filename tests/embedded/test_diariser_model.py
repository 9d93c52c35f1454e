"""The embedded diariser itself: small, a pipeline of the library, and good enough on voices it never heard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.speaker_sets import Case, read_meetings
from tests.small_corpus import read_case, sound_files
from transcribe import embedded
from transcribe.backends.diarisation_error import DiarisationError, der
from transcribe.protocols import LabelledSpan

pytest.importorskip("pyannote.audio", reason="the extra diarise is not installed")

from transcribe.backends.pipeline_folder import load_pipeline
from transcribe.backends.pyannote_diariser import PyannoteDiariser


@pytest.fixture(scope="module")
def diariser() -> PyannoteDiariser:
    return PyannoteDiariser(embedded.diariser(), device="cpu", threads=1)


def errors(diariser: PyannoteDiariser, corpus: Iterable[Case], *, lumped: bool = False) -> DiarisationError:
    """Pooled error over *corpus*; *lumped* gives all turns to one speaker."""
    total = DiarisationError()
    for case in corpus:
        turns = diariser.diarise(case.samples).turns
        answer = list(_one_speaker(turns)) if lumped else list(turns)
        total += der(case.truth, answer, within=[(0, len(case.samples) // 16)])
    return total


def _one_speaker(turns: Iterable[LabelledSpan]) -> Iterator[LabelledSpan]:
    end = 0
    for turn in sorted(turns, key=lambda turn: turn.start):
        if turn.end > end:
            yield LabelledSpan(start=max(end, turn.start), end=turn.end, label="one")
            end = turn.end


def rate(error: DiarisationError) -> float:
    assert error.rate is not None
    return error.rate


def test_the_folder_is_small() -> None:
    assert sum(file.stat().st_size for file in embedded.diariser().rglob("*") if file.is_file()) <= 4_000_000


def test_the_pipeline_is_one_of_the_library() -> None:
    import torch
    from pyannote.audio.pipelines import SpeakerDiarization

    pipeline = load_pipeline(embedded.diariser())
    assert isinstance(pipeline, SpeakerDiarization)
    hiss = torch.from_numpy(np.random.default_rng(1).normal(0, 0.01, (1, 48_000)).astype(np.float32))
    assert pipeline({"waveform": hiss, "sample_rate": 16_000}).speaker_diarization is not None


def test_the_configuration_names_nothing_outside_the_folder() -> None:
    import yaml

    config = yaml.safe_load((embedded.diariser() / "config.yaml").read_text(encoding="utf-8"))
    params = config["pipeline"]["params"]
    assert {params[part] for part in ("segmentation", "embedding", "plda")} == {
        "$model/segmentation",
        "$model/embedding",
        "$model/plda",
    }


def test_unheard_synthetic_voices_are_told_apart(diariser: PyannoteDiariser) -> None:
    names = [file.stem for file in sound_files("*-test-*")]
    assert rate(errors(diariser, map(read_case, names))) <= 0.20


def test_real_meetings_come_out_better_than_with_one_speaker(diariser: PyannoteDiariser, speech: Path) -> None:
    meetings = list(read_meetings(speech / "ami-mini"))
    assert rate(errors(diariser, meetings)) < rate(errors(diariser, meetings, lumped=True))
