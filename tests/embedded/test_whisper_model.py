"""The embedded Whisper itself: small, loadable by the libraries alone, and good enough on voices it never heard."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from transcribe import embedded
from transcribe.embedded import voices
from transcribe.embedded.train_whisper import bank
from transcribe.embedded.train_whisper.listen import distance
from transcribe.embedded.train_whisper.measure import Count, Engine, conversation_errors, digit_conversation
from transcribe.records import Word, join_words

PLAIN = {
    "en": ("en-GB", "the bus is late again please"),
    "hi": ("hi", "मुझे तीन सेब चाहिए"),
    "ta": ("ta", "பேருந்து எப்போது வரும்"),
}


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(embedded.whisper())


def heard(engine: Engine, samples: Any, language: str) -> tuple[str, list[Word]]:
    """Text and words of one window."""
    words = engine.hear(samples, [(0, len(samples) * 1000 // 16_000)], language)
    return join_words(words), words


def test_both_folders_together_are_small() -> None:
    folders = (embedded.whisper(), embedded.whisper_for_training())
    assert sum(file.stat().st_size for folder in folders for file in folder.iterdir()) <= 10_000_000


def test_the_engine_takes_the_model_as_multilingual(engine: Engine) -> None:
    assert engine.library.model.is_multilingual
    assert len(engine.library.supported_languages) > 90


def test_the_folder_declares_how_long_a_window_may_be() -> None:
    declared = json.loads((embedded.whisper() / "boli.json").read_text(encoding="utf-8"))
    assert 2_000 <= declared["window_ms"] <= 10_000


@pytest.mark.parametrize("text", ["bairn dinnae", "zebra's half-truth", "ज़िन्दगी", "யாழ்ப்பாணம்", "naïve ☂ 42"])
def test_any_text_is_spelled_and_read_back(engine: Engine, text: str) -> None:
    tokenizer = engine.library.hf_tokenizer
    assert tokenizer.decode(tokenizer.encode(f" {text}", add_special_tokens=False).ids) == f" {text}"


@pytest.mark.parametrize("language", PLAIN)
def test_most_words_of_unknown_voices_are_heard(engine: Engine, language: str) -> None:
    dialect, text = PLAIN[language]
    people = voices.demo_voices(dialect, 6, 3)
    errors = sum(distance(text.split(), heard(engine, voices.speak(v, text), language)[0].split()) for v in people)
    assert errors / (len(people) * len(text.split())) < 0.3


def test_word_times_rise_and_lie_near_the_words(engine: Engine) -> None:
    timed = bank.speak_timed(bank.TimedEngine(), voices.demo_voices("en-GB", 3, 3)[0], PLAIN["en"][1])
    silence = np.zeros(8_000, np.int16)
    _, words = heard(engine, np.concatenate([silence, timed.samples, silence]), "en")
    starts = [word.start for word in words]
    assert starts == sorted(starts)
    assert all(word.start <= word.end for word in words)
    gaps = [abs(start - 500 - true) for start, true in zip(starts, timed.starts, strict=False)]
    assert np.median(gaps) < 250


@pytest.mark.parametrize("level", [0.0, 0.001, 0.02])
def test_where_nobody_speaks_nothing_is_written(engine: Engine, level: float) -> None:
    noise = np.random.default_rng(1).standard_normal(4 * 16_000).astype(np.float32) * np.float32(level)
    assert heard(engine, noise, "en")[0] == ""


def test_a_dialogue_of_recorded_digits_is_mostly_heard(engine: Engine, speech: Path) -> None:
    own: dict[str, list[bank.Utterance]] = {}
    for digit in bank.recorded_digits(speech, recordings=range(bank.FIRST_TEST_RECORDING, 50)):
        own.setdefault(digit.speaker, []).append(digit)
    rng, total = random.Random(1), Count()
    for _ in range(4):
        pair = rng.sample(sorted(own), 2)
        total += conversation_errors(engine, digit_conversation([own[who] for who in pair], rng), "en")
    assert total.rate is not None
    assert total.rate < 0.25


def test_the_folder_for_training_spells_like_the_engine(engine: Engine) -> None:
    transformers = pytest.importorskip("transformers", reason="the extra train is not installed")
    processor = transformers.WhisperProcessor.from_pretrained(str(embedded.whisper_for_training()))
    processor.tokenizer.set_prefix_tokens(language="ta", task="transcribe")
    name = engine.library.hf_tokenizer.token_to_id
    prefix = [name(f"<|{word}|>") for word in ("startoftranscript", "ta", "transcribe", "notimestamps")]
    spelled = engine.library.hf_tokenizer.encode(" பேருந்து வரும்", add_special_tokens=False).ids
    assert [*prefix, *spelled, name("<|endoftext|>")] == processor.tokenizer("பேருந்து வரும்").input_ids


def test_the_folder_for_training_writes_what_the_engine_writes(engine: Engine) -> None:
    torch = pytest.importorskip("torch", reason="the extra train is not installed")
    transformers = pytest.importorskip("transformers", reason="the extra train is not installed")
    folder = str(embedded.whisper_for_training())
    network = transformers.WhisperForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
    processor = transformers.WhisperProcessor.from_pretrained(folder)
    sound = voices.speak(voices.demo_voices("en-GB", 1, 3)[0], PLAIN["en"][1])
    features = processor(sound, sampling_rate=16_000, return_tensors="pt").input_features
    start = processor.tokenizer.prefix_tokens
    written = _greedy(network, features, _with_language(processor, start))
    assert processor.tokenizer.decode(written).strip() == heard(engine, sound, "en")[0]


def _with_language(processor: Any, prefix: Sequence[int]) -> list[int]:
    processor.tokenizer.set_prefix_tokens(language="en", task="transcribe")
    return list(processor.tokenizer.prefix_tokens or prefix)


def _greedy(network: Any, features: Any, tokens: list[int]) -> list[int]:
    """Likeliest tokens after *tokens*, without the end."""
    import torch

    start = len(tokens)
    with torch.no_grad():
        memory = network.model.encoder(features)
        while len(tokens) < 40 and tokens[-1] != network.config.eos_token_id:
            scores = network(encoder_outputs=memory, decoder_input_ids=torch.tensor([tokens])).logits[0, -1]
            tokens = [*tokens, int(scores.argmax())]
    return [token for token in tokens[start:] if token != network.config.eos_token_id]
