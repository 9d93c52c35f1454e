"""Strangers' recordings through real weights: what was lost on the way once, kind by kind, on few and short clips."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from dialects.dialect import load_catalogue
from transcribe.backends.faster_whisper_recogniser import FasterWhisperRecogniser
from transcribe.backends.pyannote_diariser import PyannoteDiariser
from transcribe.backends.voice_activity import SileroDetector
from transcribe.pipeline.assembly import assemble, diarise_track
from transcribe.pipeline.coverage import find_missed
from transcribe.pipeline.recipe import Recipe
from transcribe.protocols import Pcm, Window
from transcribe.records import Drafted, Recording, join_words


@pytest.fixture(scope="module")
def recipe(whisper_base: Path, real_diariser: Path) -> Recipe:
    return Recipe(
        diariser=PyannoteDiariser(real_diariser, device="cpu", threads=1),
        detector=SileroDetector(),
        recogniser=FasterWhisperRecogniser(whisper_base, device="cpu", threads=1),
        catalogue=load_catalogue(),
        window=29_800,
    )


def read_pcm(file: Path) -> Pcm:
    from faster_whisper import decode_audio

    pcm: Pcm = (decode_audio(str(file)) * 32_767).astype(np.int16)
    return pcm


def draft(recipe: Recipe, pcm: Pcm, dialect: str) -> Drafted:
    recording = Recording(
        id="clip",
        path="clip",
        duration=len(pcm) // 16,
        rate_hz=16_000,
        channels=1,
        dialect=dialect,
        language=dialect.split("-")[0],
    )
    return assemble(recording, [diarise_track(recording, pcm, None, recipe)], recipe)


def text_of(drafted: Drafted) -> str:
    words = sorted((word for own in drafted.drafts for word in own.words), key=lambda word: word.start)
    return join_words(words)


def quiet(milliseconds: int) -> Pcm:
    return np.random.default_rng(1).normal(0, 30, milliseconds * 16).astype(np.int16)


@pytest.fixture(scope="module")
def president(speech: Path) -> Pcm:
    return read_pcm(speech / "speech" / "jfk.flac")


def test_a_speech_is_written_down_and_is_one_persons(recipe: Recipe, president: Pcm) -> None:
    drafted = draft(recipe, president, "en-US")
    assert "ask what you can do for your country" in text_of(drafted).lower()
    assert len({segment.speaker for segment in drafted.segments}) == 1
    assert all(segment.end - segment.start >= 300 for segment in drafted.segments)


def test_no_sentence_is_lost_at_either_end_of_a_window(recipe: Recipe, speech: Path) -> None:
    """Sentences of several people with pauses of up to four seconds: each has its words, or is flagged."""
    folder = speech / "dialects" / "speechocean762"
    with (folder / "manifest.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))[::23]
    pieces = [quiet(600)]
    for number, row in enumerate(rows):
        pieces += [read_pcm(folder / row["path"]), quiet(300 + 500 * number)]
    pcm = np.concatenate(pieces)
    drafted = draft(recipe, pcm, "en-CN")
    words = sorted((word for own in drafted.drafts for word in own.words), key=lambda word: word.start)
    flagged = [s for s, d in zip(drafted.segments, drafted.drafts, strict=True) if "no_words" in d.flags]
    missed = find_missed(SileroDetector().detect(pcm), words)
    assert [m for m in missed if not any(s.start < m.end and s.end > m.start for s in flagged)] == []


def test_an_address_read_into_a_telephone_is_no_loop(recipe: Recipe, speech: Path) -> None:
    pcm = read_pcm(speech / "dialects" / "duke-addresses" / "audio" / "R_1DN3Yy2ILEefmz8.flac")
    drafted = draft(recipe, pcm, "en-IN")
    assert "loop" not in {flag for own in drafted.drafts for flag in own.flags}
    assert "lane" in text_of(drafted).lower()


def test_the_first_seconds_of_a_meeting_are_heard(recipe: Recipe, speech: Path) -> None:
    pcm = read_pcm(next((speech / "ami-mini").rglob("trn00.wav")))[: 30 * 16_000]
    drafted = draft(recipe, pcm, "en")
    first = next(span for span in SileroDetector().detect(pcm) if span.end - span.start >= 1_000)
    assert any(s.start < first.end and s.end > first.start for s in drafted.segments)


def test_english_under_a_tamil_tag_is_flagged(recipe: Recipe, president: Pcm) -> None:
    flags = {flag for own in draft(recipe, president, "ta").drafts for flag in own.flags}
    assert "language" in flags


def test_malayalam_that_the_model_cannot_write_is_flagged(recipe: Recipe, speech: Path) -> None:
    clips = sorted((speech / "dialects" / "msc-ml" / "audio").glob("*.webm"))[:2]
    drafts = [own for clip in clips for own in draft(recipe, read_pcm(clip), "ml-IN").drafts]
    assert drafts
    assert all({"script", "language", "loop", "rate"} & set(own.flags) for own in drafts)


def test_words_of_a_text_are_timed_by_the_models_attention(recipe: Recipe, president: Pcm) -> None:
    recogniser = recipe.recogniser
    assert isinstance(recogniser, FasterWhisperRecogniser)
    text = "And so my fellow Americans, ask not what your country can do for you, ask what you can do for your country."
    words = recogniser.align(president, Window(start=0, end=len(president) // 16, language="en"), text)
    assert join_words(words) == text
    assert [word.start for word in words] == sorted(word.start for word in words)
    middle = next(word for word in words if word.text == "you,")
    assert 6_500 <= middle.start <= 8_000


def test_a_model_of_half_floats_says_nothing_on_the_screen(
    whisper_base: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    FasterWhisperRecogniser(whisper_base, device="cpu", threads=1)
    assert capfd.readouterr().err == ""
