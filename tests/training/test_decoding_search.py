"""A lever is kept only where the dev part gains by it; the drafter then uses it, for that dialect alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.dialect import load_catalogue
from dialects.scoring.word_errors import Pair
from transcribe.datasets.manifest import Example
from transcribe.errors import ConfigError
from transcribe.pipeline import recipe
from transcribe.pipeline.recipe import Lever
from transcribe.protocols import Heard, Pcm, Window
from transcribe.records import Word
from transcribe.training import decoding_search

WORDS = st.lists(st.sampled_from(["aye", "bairn", "the", "kirk"]), max_size=5).map(" ".join)


class Listener:
    """Writes "bairn" only where it was told to expect it, and always "church"."""

    id = "listener"

    def recognise(self, pcm: Pcm, windows: Sequence[Window]) -> list[Heard]:
        return [self._listen(window) for window in windows]

    def _listen(self, window: Window) -> Heard:
        context = f"{window.hotwords} {window.prompt}"
        texts = ("the", "bairn" if "bairn" in context else "barn", "in", "church")
        words = tuple(Word(text=text, start=window.start, end=window.end, probability=1.0) for text in texts)
        return Heard(window=window, words=words, log_probability=None, no_speech=None)


def dev(*dialects: str) -> list[Example]:
    return [
        Example(
            id=f"{tag}{start}",
            audio=tag,
            start=start,
            end=start + 900,
            text="the bairn in kirk",
            dialect=tag,
            language="en",
            split="dev",
        )
        for tag in dialects
        for start in (0, 40_000, 80_000)
    ]


def silence(audio: str, channel: int | None) -> Pcm:
    return np.zeros(30 * 16_000, np.int16)


def search(
    taught: list[Pair], *, prompts: bool = True, dialects: tuple[str, ...] = ("en-scotland",)
) -> decoding_search.Found:
    catalogue, examples = load_catalogue(), dev(*dialects)
    return decoding_search.find(Listener(), taught, examples, silence, catalogue, window=6_000, takes_prompt=prompts)


def test_levers_that_help_are_kept_together() -> None:
    result = search(pairs_of("the bairn in kirk", "the barn in church"))

    assert result.levers == {
        "en-scotland": Lever(hotwords=("bairn", "kirk"), spelling={"barn": "bairn", "church": "kirk"})
    }
    kept_by_kind = {trial.kind: trial.kept for trial in result.trials}
    assert kept_by_kind == {"hotwords": True, "prompt": False, "beam_size": False, "spelling": True}


def test_a_lever_that_changes_nothing_is_not_kept() -> None:
    result = search(pairs_of("some other words", "none of these here"))

    assert result.levers == {}
    assert not any(trial.kept for trial in result.trials)


def test_a_model_without_prompts_is_not_shown_any() -> None:
    result = search(pairs_of("the bairn in kirk", "the barn in church"), prompts=False)

    assert {trial.kind for trial in result.trials} == {"beam_size", "spelling"}


def test_each_dialect_has_its_own() -> None:
    result = search(pairs_of("the bairn in kirk", "the barn in church"), dialects=("en-scotland", "en-GB"))

    assert set(result.levers) == {"en-scotland"}
    assert {trial.dialect for trial in result.trials if trial.kept} == {"en-scotland"}


def test_a_trial_reads_as_a_sentence() -> None:
    first = search(pairs_of("the bairn in kirk", "the barn in church")).trials[0]

    assert first.sentence == "en-scotland: hotwords bairn kirk: WER 50.0% to 25.0% of 12 words, kept"


def test_levers_are_kept_by_model(tmp_path: Path) -> None:
    file = tmp_path / "models" / recipe.FILE
    first, second = {"hi": Lever(prompt="नमस्ते", beam_size=1)}, {"ta": Lever(spelling={"a": "b"})}
    recipe.write_levers(file, "m1", first)
    recipe.write_levers(file, "m2", second)

    assert recipe.read_levers(file) == {"m1": first, "m2": second}
    recipe.write_levers(file, "m1", {})
    assert recipe.read_levers(file) == {"m2": second}


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / recipe.FILE).write_text('{"models": {"m": {"hi": {"loud": 1}}}}')

    with pytest.raises(ConfigError, match=recipe.FILE):
        recipe.read_levers(tmp_path / recipe.FILE)


def pair(reference: str, hypothesis: str, speaker: str = "a", number: int = 0) -> Pair:
    return Pair(
        id=f"{speaker}{number}", reference=reference, hypothesis=hypothesis, dialect="en-scotland", speaker=speaker
    )


def pairs_of(reference: str, hypothesis: str, *, times: int = 2, speakers: str = "ab") -> list[Pair]:
    return [pair(reference, hypothesis, speaker, number) for speaker in speakers for number in range(times)]


@given(texts=st.lists(st.tuples(WORDS, WORDS, st.sampled_from("abc")), max_size=12))
def test_a_missed_word_is_counted_no_more_often_than_it_was_said(texts: list[tuple[str, str, str]]) -> None:
    missed_words = decoding_search.find_missed_words(pair(*text) for text in texts)

    for missed_word in missed_words:
        assert decoding_search.LEAST_TIMES <= missed_word.missed <= missed_word.times
        assert missed_word.times == sum(reference.split().count(missed_word.word) for reference, _, _ in texts)
        assert missed_word.speakers >= decoding_search.LEAST_SPEAKERS


def test_words_that_drafts_keep_missing_are_hotwords() -> None:
    pairs = [*pairs_of("the bairn", "the barn"), *pairs_of("the kirk", "the kirk")]

    assert decoding_search.choose_hotwords(decoding_search.find_missed_words(pairs)) == ("bairn",)


def test_one_persons_word_is_no_hotword() -> None:
    assert decoding_search.find_missed_words(pairs_of("the bairn", "the barn", times=9, speakers="a")) == []


def test_a_word_that_is_mostly_right_is_no_hotword() -> None:
    pairs = [*pairs_of("the bairn", "the barn"), *pairs_of("a bairn", "a bairn", times=3)]

    assert decoding_search.find_missed_words(pairs) == []


def test_a_prompt_is_made_of_real_texts_that_show_the_missed_words() -> None:
    pairs = [*pairs_of("the bairn greets", "the barn eats"), *pairs_of("no word of it", "no word of it")]

    assert decoding_search.choose_prompt(pairs, decoding_search.find_missed_words(pairs)) == "the bairn greets"
    assert decoding_search.choose_prompt(pairs, []) is None


def test_a_word_that_always_stands_for_another_is_respelt() -> None:
    assert decoding_search.find_spelling(pairs_of("the kirk", "the church")) == {"church": "kirk"}


def test_a_word_that_is_sometimes_right_keeps_its_spelling() -> None:
    pairs = [*pairs_of("the kirk", "the church"), *pairs_of("my church", "my church", times=1)]

    assert decoding_search.find_spelling(pairs) == {}
