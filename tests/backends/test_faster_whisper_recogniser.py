"""Whisper through the real engine, with the model that ships: every window is answered, and nothing asks a hub."""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.small_corpus import read_sound
from transcribe import embedded
from transcribe.backends.faster_whisper_recogniser import FasterWhisperRecogniser
from transcribe.backends.identity import folder_id, looks_like_hub_id
from transcribe.backends.whisper_words import longest_answer
from transcribe.errors import BoliError, ConfigError, InputError, MissingError
from transcribe.protocols import LONGEST_WINDOW, Heard, Pcm, Window
from transcribe.records import Milliseconds

#: What the process asked of the network while somebody listened.
_ASKED: list[str] = []
_LISTENING = False


def _overhear(event: str, _: tuple[Any, ...]) -> None:
    if _LISTENING and event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}:
        _ASKED.append(event)


sys.addaudithook(_overhear)


@pytest.fixture
def network() -> Iterator[list[str]]:
    """Events of the network during a test, as the interpreter itself reports them."""
    global _LISTENING
    _ASKED.clear()
    _LISTENING = True
    yield _ASKED
    _LISTENING = False


@pytest.fixture(scope="module")
def folder() -> Path:
    path = embedded.whisper()
    if not path.is_dir():
        pytest.skip(f"the model that ships is not in {path}")
    return path


def load(model: str | Path, **facts: Any) -> FasterWhisperRecogniser:
    return FasterWhisperRecogniser(model, **({"device": "cpu", "threads": 1, "beam_size": 1} | facts))


@pytest.fixture(scope="module")
def recogniser(folder: Path) -> FasterWhisperRecogniser:
    return load(folder, batch_size=3)


@pytest.fixture(scope="module")
def talk() -> Pcm:
    """Half a minute of a conversation."""
    return read_sound("en-US-test-01")[: 30 * 16_000]


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """The model's folder, to be spoilt."""
    return Path(shutil.copytree(folder, tmp_path / "model"))


def windows_of(*starts: Milliseconds, length: Milliseconds, language: str | None = "en") -> list[Window]:
    return [Window(start=start, end=start + length, language=language) for start in starts]


def test_answers_come_in_the_order_of_the_windows(recogniser: FasterWhisperRecogniser, talk: Pcm) -> None:
    windows = windows_of(*range(0, 28_000, 4_000), length=4_000)
    windows += windows_of(1_000, 21_000, length=3_000, language=None) + windows_of(9_000, length=2_500, language="hi")
    random.Random(4).shuffle(windows)
    assert [answer.window for answer in recogniser.recognise(talk, windows)] == windows


def test_windows_may_overlap_and_be_longer_together_than_the_sound(
    recogniser: FasterWhisperRecogniser, talk: Pcm
) -> None:
    sound = talk[: 10 * 16_000]
    windows = windows_of(0, 500, 1_000, 1_500, length=8_000)
    answers = recogniser.recognise(sound, windows)
    assert answers == [answer for window in windows for answer in recogniser.recognise(sound, [window])]


def test_no_window_of_speech_is_lost_wherever_it_starts(recogniser: FasterWhisperRecogniser, talk: Pcm) -> None:
    # Starts that are no whole frames of 10 ms, samples of 1/16 ms or numbers that a float holds exactly.
    starts = [number * 1_013 + number % 10 for number in range(0, 28, 2)]
    answers = recogniser.recognise(talk, windows_of(*starts, length=1_001))
    assert [answer.window.start for answer in answers] == starts
    assert all(answer.log_probability is not None and answer.no_speech is not None for answer in answers)


@pytest.mark.parametrize("language", ["en", "hi"])
@pytest.mark.parametrize("prompt", [None, "what was said before " * 3])
def test_an_answer_may_be_as_long_as_is_asked(folder: Path, talk: Pcm, language: str, prompt: str | None) -> None:
    endless = load(folder)
    endless.takes_prompt = True
    tokenizer = endless._get_tokenizer(language)
    endless._suppressed_tokens = tuple(range(tokenizer.eot, endless._model.hf_tokenizer.get_vocab_size()))
    windows = [Window(start=0, end=2_000, language=language, prompt=prompt)]
    (answer,) = endless._decode(endless._encode(talk, windows), windows, [tokenizer])

    assert len(answer.tokens) == longest_answer(2_000, language)


def inside(answer: Heard) -> bool:
    return all(answer.window.start <= word.start <= word.end <= answer.window.end for word in answer.words)


def test_words_lie_inside_their_window_in_order(recogniser: FasterWhisperRecogniser, talk: Pcm) -> None:
    answers = recogniser.recognise(talk, windows_of(*range(0, 27_000, 9_000), length=9_000))
    assert any(answer.words for answer in answers)
    for answer in answers:
        assert inside(answer)
        assert [word.start for word in answer.words] == sorted(word.start for word in answer.words)
        assert all(word.text == word.text.strip() != "" and 0 <= word.probability <= 1 for word in answer.words)


def test_times_count_from_the_start_of_the_recording(recogniser: FasterWhisperRecogniser, talk: Pcm) -> None:
    later = np.concatenate([np.zeros(5 * 16_000, np.int16), talk])
    (first,) = recogniser.recognise(talk, windows_of(1_000, length=6_000))
    (second,) = recogniser.recognise(later, windows_of(6_000, length=6_000))
    assert [(w.text, w.start + 5_000, w.end + 5_000) for w in first.words] == [
        (w.text, w.start, w.end) for w in second.words
    ]


def test_the_same_sound_gives_the_same_answer(recogniser: FasterWhisperRecogniser, talk: Pcm) -> None:
    windows = windows_of(0, 8_000, length=6_000)
    assert recogniser.recognise(talk, windows) == recogniser.recognise(talk, windows)


def test_a_declared_language_is_kept_and_an_undeclared_one_is_listened_for(
    recogniser: FasterWhisperRecogniser, talk: Pcm
) -> None:
    declared, undeclared = recogniser.recognise(
        talk, [*windows_of(0, length=5_000, language="ta"), *windows_of(5_000, length=5_000, language=None)]
    )
    assert declared.language == "ta"
    assert undeclared.language is not None


def test_a_window_at_the_end_of_the_sound_is_answered(recogniser: FasterWhisperRecogniser, talk: Pcm) -> None:
    end = len(talk) // 16
    answers = recogniser.recognise(talk, windows_of(end - 2_000, length=2_500))
    assert len(answers) == 1
    assert inside(answers[0])


def test_no_windows_give_no_answers(recogniser: FasterWhisperRecogniser, talk: Pcm) -> None:
    assert recogniser.recognise(talk, []) == []


def test_the_prompt_is_only_shown_to_a_model_that_takes_one(copy: Path, talk: Pcm) -> None:
    window = Window(start=0, end=4_000, language="en", prompt="a lot of words", hotwords="pickles")
    bare = Window(start=0, end=4_000, language="en")
    (copy / "boli.json").write_text('{"prompt": false}')
    deaf = load(copy)
    assert deaf.recognise(talk, [window])[0].words == deaf.recognise(talk, [bare])[0].words


def test_a_model_says_how_long_its_windows_may_be(copy: Path) -> None:
    (copy / "boli.json").write_text('{"window_ms": 12000}')
    assert load(copy).window == 12_000
    (copy / "boli.json").unlink()
    assert load(copy).window == LONGEST_WINDOW


def test_the_model_that_ships_names_its_own_hash(recogniser: FasterWhisperRecogniser, folder: Path) -> None:
    assert recogniser.id == folder_id(folder)


@pytest.mark.parametrize("model", ["large-v3", "owner/name", "no-such-size"])
def test_a_hub_id_is_not_asked_for_while_downloads_are_off(model: str, network: list[str], tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="downloads are off") as caught:
        load(model)
    assert caught.value.item == model
    assert "allow_download" in str(caught.value.hint).lower()
    assert network == []


def test_a_folder_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no such folder"):
        load(tmp_path / "a" / "b")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises((MissingError, InputError)):
        load(tmp_path)


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json", "vocabulary.json"])
def test_a_folder_that_lacks_a_part_is_refused_without_asking_a_hub(copy: Path, name: str, network: list[str]) -> None:
    (copy / name).unlink()
    check_refusal(copy)
    assert network == []


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json", "vocabulary.json", "config.json"])
def test_a_part_that_is_broken_is_refused(copy: Path, name: str) -> None:
    (copy / name).write_text("{")
    check_refusal(copy)


@pytest.mark.parametrize("manners", ["{", "[1]", '{"window_ms": null}', '{"window_ms": 0}', '{"window_ms": "long"}'])
def test_manners_that_mean_nothing_are_refused(copy: Path, manners: str) -> None:
    (copy / "boli.json").write_text(manners)
    check_refusal(copy)


def check_refusal(folder: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(folder)
    assert caught.value.code == "E_MODEL"
    assert str(folder) in caught.value.message


@pytest.mark.parametrize("compute_type", ["int3", "float16"])
def test_a_compute_type_that_the_processor_lacks_is_a_fault_of_the_settings(folder: Path, compute_type: str) -> None:
    with pytest.raises(ConfigError, match=r"recogniser\.compute_type"):
        load(folder, compute_type=compute_type)


def test_a_gpu_that_is_not_there_is_missing(folder: Path) -> None:
    import ctranslate2

    if ctranslate2.get_cuda_device_count():
        pytest.skip("this machine has a GPU")
    with pytest.raises(MissingError) as caught:
        load(folder, device="cuda")
    assert isinstance(caught.value, BoliError)
    assert "recogniser.device" in str(caught.value.hint)


def test_the_id_follows_every_byte_and_name_of_the_weights_and_no_note(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"\x00" * 1_000)
    (tmp_path / "config.json").write_text("{}")
    whole = folder_id(tmp_path)
    (tmp_path / "README.md").write_text("A model.")
    assert folder_id(tmp_path) == whole
    (tmp_path / "model.bin").write_bytes(b"\x00" * 999 + b"\x01")
    changed = folder_id(tmp_path)
    (tmp_path / "model.bin").write_bytes(b"\x00" * 1_000)
    (tmp_path / "config.json").rename(tmp_path / "settings.json")
    assert len({whole, changed, folder_id(tmp_path)}) == 3


def test_the_id_does_not_depend_on_where_the_folder_stands(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "deep" / "model.bin").write_bytes(b"weights")
    assert folder_id(tmp_path / "a") == folder_id(tmp_path / "b")


def test_an_owner_and_a_name_are_a_hub_id_unless_such_a_folder_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert looks_like_hub_id("owner/name")
    assert not any(map(looks_like_hub_id, ["large-v3", "./model", "/models/a", "~/model", "a/b/c"]))
    (tmp_path / "owner" / "name").mkdir(parents=True)
    assert not looks_like_hub_id("owner/name")
