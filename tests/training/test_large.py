"""A model of the real large dimensions goes from its base to a draft by the same code; only its layers are fewer."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="tuning belongs to the train extra")
pytest.importorskip("peft", reason="tuning belongs to the train extra")

from tests.small_corpus import read_sound  # noqa: E402
from tests.training.factories import freeze, sound  # noqa: E402 - after the libraries that it needs
from transcribe import embedded  # noqa: E402
from transcribe.backends.faster_whisper_recogniser import FasterWhisperRecogniser  # noqa: E402
from transcribe.config import TrainSettings  # noqa: E402
from transcribe.protocols import Window  # noqa: E402
from transcribe.training import convert  # noqa: E402
from transcribe.training.finetune import tune  # noqa: E402


def large(folder: Path, *, layers: int, width: int = 1_280) -> Path:
    """A Whisper as wide as large-v3, with random weights; it has the tokens of our small one."""
    from transformers import AutoTokenizer, WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    ours = embedded.whisper_for_training()
    small = WhisperConfig.from_pretrained(ours)
    names = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")
    config = WhisperConfig(
        vocab_size=51_866,
        num_mel_bins=128,
        d_model=width,
        encoder_layers=layers,
        decoder_layers=layers,
        encoder_attention_heads=20,
        decoder_attention_heads=20,
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
        suppress_tokens=[],
        begin_suppress_tokens=[],
        **{name: getattr(small, name) for name in names},
    )
    torch.manual_seed(0)
    whole = WhisperForConditionalGeneration(config)
    whole.save_pretrained(folder)
    AutoTokenizer.from_pretrained(ours).save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=128).save_pretrained(folder)
    # Random weights never end a sentence by themselves: a short window bounds the number of tokens.
    (folder / "boli.json").write_text(json.dumps({"window_ms": 3_000, "prompt": False}))
    return folder


@pytest.mark.soak
def test_a_model_as_wide_as_the_large_one_is_tuned_merged_converted_and_drafts(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    dataset = freeze(tmp_path / "dataset", ["en-scotland-train-01"])
    settings = TrainSettings(method="lora", steps=1, windows=1, test_every=1, device="cpu", threads=1)
    trained = tune(settings, large(tmp_path / "base", layers=2), dataset, sound, tmp_path / "model")
    probes = convert.probes(dataset, sound, longest=3_000, most=1)
    converted = convert.to_ctranslate2(
        trained.folder, tmp_path / "model" / "ct2", probes=probes, quantization="float32"
    )
    recogniser = FasterWhisperRecogniser(converted.folder, device="cpu", beam_size=1, threads=1)
    (answer,) = recogniser.recognise(read_sound("en-scotland-train-01"), [Window(start=500, end=3_000, language="en")])
    record_property("tokens compared", converted.tokens)
    record_property("tokens differing", converted.differing)
    record_property("words drafted", len(answer.words))
    record_property("MiB at most", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)

    assert trained.steps == trained.kept_step == 1
    assert recogniser.window == 3_000
    assert converted.tokens > 20
