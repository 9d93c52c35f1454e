"""The short way of hearing is Whisper's own, and costs little accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="tuning belongs to the train extra")
pytest.importorskip("transformers", reason="tuning belongs to the train extra")

from rapidfuzz.distance import Levenshtein  # noqa: E402 - after the libraries that it needs

from tests.small_corpus import read_sound  # noqa: E402
from transcribe import embedded  # noqa: E402
from transcribe.training import whisper  # noqa: E402
from transcribe.training.collate import TargetEncoder  # noqa: E402


@pytest.fixture(scope="module")
def whole() -> Any:
    from transformers import WhisperForConditionalGeneration

    base = str(embedded.whisper_for_training())
    return WhisperForConditionalGeneration.from_pretrained(base, dtype=torch.float32).eval()


def windows(count: int) -> list[Any]:
    pcm = read_sound("en-GB-dev-01")
    return [whisper.to_wave(pcm[start : start + 70_000]) for start in range(0, count * 70_000, 70_000)]


def features(waves: list[Any], *, full: bool = False) -> Any:
    mel = whisper.Features(80, torch.device("cpu"))(waves)
    return torch.nn.functional.pad(mel, (0, 3_000 - mel.shape[-1])) if full else mel


def test_features_are_those_of_the_drafter() -> None:
    from faster_whisper.audio import pad_or_trim
    from faster_whisper.feature_extractor import FeatureExtractor

    (wave,) = windows(1)
    theirs = pad_or_trim(FeatureExtractor()(wave.numpy())[..., :-1])

    assert np.allclose(features([wave], full=True)[0].numpy(), theirs, atol=1e-3)


def test_full_windows_go_through_the_network_as_transformers_sends_them(whole: Any) -> None:
    mel, tokens = features(windows(1), full=True), torch.tensor([[1023, 1024, 1124, 1128, 300, 301]])
    with torch.no_grad():
        ours = whisper.score_tokens(whole.model, whisper.decode(whole.model, tokens, whisper.encode(whole.model, mel)))
        theirs = whole(input_features=mel, decoder_input_ids=tokens).logits

    assert torch.allclose(ours, theirs, atol=1e-4)


def test_short_padding_writes_almost_what_full_padding_writes(whole: Any, record_property: Any) -> None:
    waves, encoder = windows(7), TargetEncoder(embedded.whisper_for_training())
    opening = encoder.encode_opening("en", timed=False)
    short, full = (
        whisper.greedy(whole.model, features(waves, full=is_full), [opening] * 7, end=encoder.end, most=60)
        for is_full in (False, True)
    )
    differing = sum(Levenshtein.distance(a, b) for a, b in zip(short, full, strict=True))
    record_property("tokens", sum(map(len, full)))
    record_property("differing", differing)

    assert sum(map(len, full)) > 60
    assert differing <= 0.1 * sum(map(len, full))


def test_a_cache_of_the_past_changes_nothing(whole: Any) -> None:
    mel, encoder = features(windows(2)), TargetEncoder(embedded.whisper_for_training())
    opening = encoder.encode_opening("en", timed=False)
    cached = whisper.greedy(whole.model, mel, [opening] * 2, end=encoder.end, most=12)
    rows = torch.tensor([opening] * 2)
    with torch.no_grad():
        memory = whisper.encode(whole.model, mel)
        for _ in range(12):
            following = whisper.score_tokens(whole.model, whisper.decode(whole.model, rows, memory)[:, -1]).argmax(-1)
            rows = torch.cat([rows, following[:, None]], dim=1)

    for cached_row, row in zip(cached, rows[:, len(opening) :].tolist(), strict=True):
        assert row[: len(cached_row)] == cached_row
