"""The embedded Whisper itself: small, loadable by the libraries alone, and good enough on voices it never heard."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from dialects.scoring.word_errors import ErrorCount, count, from_counts
from tests.small_corpus import read_sound, read_turns
from transcribe import embedded
from transcribe.backends.faster_whisper_recogniser import FasterWhisperRecogniser
from transcribe.protocols import SAMPLE_RATE_HZ, Pcm, Window
from transcribe.records import Milliseconds, Word, join_words

#: A conversation of each language.
CONVERSATIONS = {"en": "en-GB-test-01", "hi": "hi-test-01", "ta": "ta-test-01"}


@pytest.fixture(scope="module")
def recogniser() -> FasterWhisperRecogniser:
    return FasterWhisperRecogniser(embedded.whisper(), device="cpu", compute_type="int8", threads=1)


@pytest.fixture(scope="module")
def library() -> Any:
    """The model as faster-whisper alone loads it."""
    from faster_whisper import WhisperModel

    return WhisperModel(str(embedded.whisper()), device="cpu", compute_type="int8", cpu_threads=1)


def recognise(
    recogniser: FasterWhisperRecogniser, pcm: Pcm, spans: Sequence[tuple[Milliseconds, Milliseconds]], language: str
) -> list[tuple[Word, ...]]:
    """Words of each of *spans*."""
    windows = [Window(start=start, end=end, language=language) for start, end in spans]
    return [tuple(answer.words) for answer in recogniser.recognise(pcm, windows)]


def cut_turns(conversation: str) -> list[Pcm]:
    """Sound of each turn."""
    pcm, per_ms = read_sound(conversation), SAMPLE_RATE_HZ // 1_000
    return [pcm[turn["start_ms"] * per_ms : turn["end_ms"] * per_ms] for turn in read_turns(conversation)]


def test_both_folders_together_are_small() -> None:
    folders = (embedded.whisper(), embedded.whisper_for_training())
    assert sum(file.stat().st_size for folder in folders for file in folder.iterdir()) <= 10_000_000


def test_the_library_takes_the_model_as_multilingual(library: Any) -> None:
    assert library.model.is_multilingual
    assert len(library.supported_languages) > 90


def test_the_folder_declares_how_long_a_window_may_be() -> None:
    declared = json.loads((embedded.whisper() / "boli.json").read_text(encoding="utf-8"))
    assert 2_000 <= declared["window_ms"] <= 10_000


@pytest.mark.parametrize("text", ["bairn dinnae", "zebra's half-truth", "ज़िन्दगी", "யாழ்ப்பாணம்", "naïve ☂ 42"])
def test_any_text_is_spelled_and_read_back(library: Any, text: str) -> None:
    tokenizer = library.hf_tokenizer
    assert tokenizer.decode(tokenizer.encode(f" {text}", add_special_tokens=False).ids) == f" {text}"


@pytest.mark.parametrize("language", CONVERSATIONS)
def test_most_words_of_unknown_voices_are_heard(recogniser: FasterWhisperRecogniser, language: str) -> None:
    turns = read_turns(CONVERSATIONS[language])
    spans = [(turn["start_ms"], turn["end_ms"]) for turn in turns]
    words_by_turn = recognise(recogniser, read_sound(CONVERSATIONS[language]), spans, language)
    errors = ErrorCount.zero()
    for turn, words in zip(turns, words_by_turn, strict=True):
        errors += from_counts(count(turn["text"].split(), join_words(words).split()))
    assert errors.rate is not None
    assert errors.rate < 0.3


def test_word_times_rise_lie_in_the_turn_and_end_with_it(recogniser: FasterWhisperRecogniser) -> None:
    """Turns are heard one at a time, each with half a second of silence before and after it."""
    silence = np.zeros(SAMPLE_RATE_HZ // 2, np.int16)
    gaps: list[Milliseconds] = []
    for sound in cut_turns(CONVERSATIONS["en"]):
        pcm = np.concatenate([silence, sound, silence])
        duration = len(pcm) * 1_000 // SAMPLE_RATE_HZ
        (words,) = recognise(recogniser, pcm, [(0, duration)], "en")
        starts = [word.start for word in words]
        assert starts == sorted(starts)
        assert all(word.start <= word.end for word in words)
        assert all(word.end > 500 and word.start < duration - 500 for word in words)
        # A first word may begin early, in the silence.
        assert all(word.start > 500 for word in words[1:])
        gaps += [abs(words[-1].end - (duration - 500))] if words else []
    assert len(gaps) >= 15, "most turns have words"
    assert np.median(gaps) < 250


@pytest.mark.parametrize("level", [0.0, 0.001, 0.02])
def test_where_nobody_speaks_nothing_is_written(recogniser: FasterWhisperRecogniser, level: float) -> None:
    noise = np.random.default_rng(1).standard_normal(4 * SAMPLE_RATE_HZ) * level * 32_767
    assert recognise(recogniser, noise.astype(np.int16), [(0, 4_000)], "en") == [()]


def test_the_folder_for_training_spells_like_the_engine(library: Any) -> None:
    transformers = pytest.importorskip("transformers", reason="the extra train is not installed")
    processor = transformers.WhisperProcessor.from_pretrained(str(embedded.whisper_for_training()))
    processor.tokenizer.set_prefix_tokens(language="ta", task="transcribe")
    name = library.hf_tokenizer.token_to_id
    prefix = [name(f"<|{word}|>") for word in ("startoftranscript", "ta", "transcribe", "notimestamps")]
    spelled = library.hf_tokenizer.encode(" பேருந்து வரும்", add_special_tokens=False).ids
    assert [*prefix, *spelled, name("<|endoftext|>")] == processor.tokenizer("பேருந்து வரும்").input_ids


def test_the_folder_for_training_writes_what_the_engine_writes(recogniser: FasterWhisperRecogniser) -> None:
    torch = pytest.importorskip("torch", reason="the extra train is not installed")
    transformers = pytest.importorskip("transformers", reason="the extra train is not installed")
    folder = str(embedded.whisper_for_training())
    network = transformers.WhisperForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
    processor = transformers.WhisperProcessor.from_pretrained(folder)
    pcm = cut_turns(CONVERSATIONS["en"])[0]
    sound = pcm.astype(np.float32) / 32_768
    features = processor(sound, sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt").input_features
    start = processor.tokenizer.prefix_tokens
    written = _greedy(network, features, _with_language(processor, start))
    (words,) = recognise(recogniser, pcm, [(0, len(pcm) * 1_000 // SAMPLE_RATE_HZ)], "en")
    assert processor.tokenizer.decode(written).strip() == join_words(words) != ""


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
