"""The embedded diariser itself: small, a pipeline of the library, and good enough on voices it never heard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from transcribe import embedded
from transcribe.backends.diarisation_error import DiarisationError, der
from transcribe.embedded.train_diariser import cases, models
from transcribe.embedded.train_diariser.cases import Case
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


def test_doubt_makes_two_voices_at_once_less_likely_and_nothing_else() -> None:
    import torch

    plain = models.segmenter().eval()
    doubtful = models.segmenter().eval()
    doubtful.load_state_dict(plain.state_dict())
    models.doubt_pairs(doubtful, 1.5)
    hiss = torch.from_numpy(np.random.default_rng(1).normal(0, 0.01, (1, 1, models.CHUNK)).astype(np.float32))
    with torch.no_grad():
        before, after = plain(hiss), doubtful(hiss)
    single = 1 + models.VOICES
    odds = (before[..., single:] - before[..., :1]) - (after[..., single:] - after[..., :1])
    assert torch.allclose(odds, torch.full_like(odds, 1.5), atol=1e-4)
    assert torch.allclose(before[..., 1:single] - before[..., :1], after[..., 1:single] - after[..., :1], atol=1e-4)


def test_unheard_synthetic_voices_are_told_apart(diariser: PyannoteDiariser) -> None:
    assert rate(errors(diariser, cases.demo(embedded.demo_corpus(), "test"))) <= 0.20


def test_real_meetings_come_out_better_than_with_one_speaker(diariser: PyannoteDiariser, speech: Path) -> None:
    meetings = list(cases.development_meetings(speech / "ami-mini"))
    assert rate(errors(diariser, meetings)) < rate(errors(diariser, meetings, lumped=True))


def test_dialogues_of_single_digits_come_out_better_than_with_one_speaker(
    diariser: PyannoteDiariser, speech: Path
) -> None:
    dialogues = list(cases.dialogues(speech, range(40, 50), 4, 30.0))
    assert rate(errors(diariser, dialogues)) < 0.7 * rate(errors(diariser, dialogues, lumped=True))
