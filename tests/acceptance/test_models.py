"""Models of any size come through the same door, and one that is not here ends in a sentence."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.command import boli, make_workspace, must
from tests.small_corpus import sound_file
from transcribe import embedded

ANY = "en-US-train-01"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all: a model that is not here leaves it as it was."""
    return make_workspace(tmp_path_factory.mktemp("models") / "w", [sound_file(ANY)])


@pytest.mark.parametrize(
    ("setting", "model"),
    [("recogniser", "somebody/whisper-large-v9"), ("diariser", "somebody/speaker-diarization-v9")],
)
@pytest.mark.parametrize("may_download", ["true", "false"])
def test_a_hub_id_with_the_hub_out_of_reach_ends_soon_with_the_command_that_mends_it(
    workspace: Path, setting: str, model: str, may_download: str
) -> None:
    unreachable = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}
    chosen = {f"BOLI_{setting.upper()}__MODEL": model, "BOLI_MODELS__ALLOW_DOWNLOAD": may_download}
    said = boli("run", "--workspace", workspace, "--json", timeout=60, **unreachable, **chosen)
    assert said.code == 5, said.err
    assert said.document["error"]["code"] == "E_MODEL"
    assert model in said.document["error"]["message"]
    assert said.document["error"]["hint"]


def large_model(folder: Path) -> Path:
    """A Whisper of large-v3's real dimensions with random weights, converted as real ones are."""
    import torch
    from ctranslate2.converters import TransformersConverter
    from transformers import AutoTokenizer, WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    ours = embedded.whisper_for_training()
    small = WhisperConfig.from_pretrained(ours)
    config = WhisperConfig(
        vocab_size=51_866,
        num_mel_bins=128,
        d_model=1_280,
        encoder_layers=32,
        decoder_layers=32,
        encoder_attention_heads=20,
        decoder_attention_heads=20,
        encoder_ffn_dim=5_120,
        decoder_ffn_dim=5_120,
        **{
            name: getattr(small, name)
            for name in ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")
        },
    )
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float16)
    try:
        WhisperForConditionalGeneration(config).save_pretrained(folder / "hf")
    finally:
        torch.set_default_dtype(torch.float32)
    AutoTokenizer.from_pretrained(ours).save_pretrained(folder / "hf")
    WhisperFeatureExtractor(feature_size=128).save_pretrained(folder / "hf")
    converter = TransformersConverter(
        str(folder / "hf"), copy_files=["tokenizer.json", "preprocessor_config.json"], load_as_float16=True
    )
    converter.convert(str(folder / "ct2"), quantization="int8")
    return folder / "ct2"


@pytest.mark.soak
def test_a_model_of_the_real_large_dimensions_runs_through_the_same_code(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    model = large_model(tmp_path)
    # Random weights never end a sentence by themselves: a short window bounds the number of tokens.
    (model / "boli.json").write_text(json.dumps({"window_ms": 2_000, "prompt": False}))
    clip = tmp_path / "clip.wav"
    cut_first_seconds(sound_file(ANY), clip, seconds=3)
    workspace = make_workspace(tmp_path / "w", [clip])
    began = time.monotonic()
    said = must("run", "--model", model, "--workspace", workspace, "--json", timeout=3_600)
    record_property("seconds to load and draft 3 s of sound", round(time.monotonic() - began))
    # KiB on Linux; the converter, which held the same weights twice, ran in this process.
    record_property("MiB of the largest command", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10)
    record_property("MiB of the conversion", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
    record_property("MiB of the model's file", (model / "model.bin").stat().st_size >> 20)
    assert said.document["data"]["drafted"] == 1
    assert said.document["data"]["segments"] > 0


def cut_first_seconds(source: Path, place: Path, *, seconds: int) -> None:
    import soundfile
    from faster_whisper import decode_audio

    sound = decode_audio(str(source), sampling_rate=16_000)
    soundfile.write(place, sound[: seconds * 16_000], 16_000, subtype="PCM_16")
