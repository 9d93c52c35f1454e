"""Times of a person's words: heard where the model can hear them, else by the draft."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.acceptance.command import boli, must
from tests.desk_setup import HIGH, LOW, Desk, recipe, sound
from tests.sentences import PARTS, sentences
from transcribe import embedded, workspace
from transcribe.backends.faster_whisper_recogniser import FasterWhisperRecogniser
from transcribe.pipeline.alignment import Sound, TimedCorrection, retime, split_text, time_words
from transcribe.protocols import LONGEST_WINDOW, Pcm, Window
from transcribe.records import Correction, Model, Word, join_words
from transcribe.redaction import MASK
from transcribe.store import Store

SPEECH = "And so, my fellow Americans: ask not what your country can do for you."


def correction(text: str = SPEECH, start: int = 0, end: int = 8_000, **facts: str) -> Correction:
    return Correction(id=f"{start}", recording="r", start=start, end=end, text=text, **facts)


def drafted(count: int, step: int) -> list[Word]:
    return [Word(text=f"w{n}", start=n * step, end=n * step + step // 2, probability=0.5) for n in range(count)]


def time_all(
    aligner: FasterWhisperRecogniser | None, pcm: Pcm, corrections: Sequence[Correction], language: str | None = "en"
) -> list[TimedCorrection]:
    source = Sound(
        read=lambda channel: pcm, channel_of=lambda correction: None, language_of=lambda correction: language
    )
    return list(time_words([(text, ()) for text in corrections], source, aligner))


@pytest.fixture(scope="module")
def base(whisper_base: Path) -> FasterWhisperRecogniser:
    return FasterWhisperRecogniser(whisper_base, device="cpu", compute_type="int8", threads=1)


@pytest.fixture(scope="module")
def small() -> FasterWhisperRecogniser:
    return FasterWhisperRecogniser(embedded.whisper(), device="cpu", threads=1)


@pytest.fixture(scope="module")
def president(speech: Path) -> Pcm:
    from faster_whisper import decode_audio

    decoded: Pcm = (decode_audio(str(speech / "speech" / "jfk.flac")) * 32_767).astype(np.int16)
    return decoded


@pytest.mark.parametrize("language", sorted(PARTS))
def test_every_language_keeps_its_text_in_order_inside_the_stretch(
    base: FasterWhisperRecogniser, president: Pcm, language: str
) -> None:
    texts = [text for spoken, text in sentences(3 * len(PARTS), seed=5) if spoken == language]
    corrections = [correction(text, start=n * 500, end=n * 500 + 6_000) for n, text in enumerate(texts)]
    for typed, timed in zip(corrections, time_all(base, president, corrections, language), strict=True):
        assert timed.aligned
        assert join_words(timed.words) == " ".join(typed.text.split())
        assert all(typed.start <= word.start <= word.end <= typed.end for word in timed.words)
        assert all(word.start <= following.start for word, following in pairwise(timed.words))


def test_words_are_timed_where_they_are_said(base: FasterWhisperRecogniser, president: Pcm) -> None:
    [timed] = time_all(base, president, [correction()])
    starts = {word.text: word.start for word in timed.words}
    # The speech pauses before "ask", which comes at 3.3 s.
    assert abs(starts["ask"] - 3_300) < 300
    assert abs(starts["country"] - 6_000) < 500


def test_a_batch_gives_what_each_text_gives_alone(small: FasterWhisperRecogniser) -> None:
    pcm = sound([(0, 4_000, LOW), (4_500, 9_000, HIGH)], 9_000)
    windows = [Window(start=n * 2_000, end=n * 2_000 + 1_500 + 500 * n, language="en") for n in range(3)]
    texts = ["one two", "three", "four five six"]
    alone = [small.align(pcm, window, text) for window, text in zip(windows, texts, strict=True)]
    assert [[w.text for w in words] for words in small.align_texts(pcm, windows, texts)] == [
        [w.text for w in words] for words in alone
    ]
    assert [[w.text for w in words] for words in alone] == [text.split() for text in texts]


def test_what_cannot_be_heard_is_timed_by_the_draft(small: FasterWhisperRecogniser) -> None:
    pcm = sound([(0, 4_000, LOW)], 4_000)
    corrections = [correction(f"my name is {MASK}", end=4_000), correction("one two", end=4_000)]
    by_draft = [retime(typed.text, (), typed.start, typed.end) for typed in corrections]
    assert [timed.words for timed in time_all(None, pcm, corrections)] == by_draft
    assert [timed.words for timed in time_all(small, pcm, corrections, language=None)] == by_draft
    masked, plain = time_all(small, pcm, corrections)
    assert (masked.aligned, masked.words, plain.aligned) == (False, by_draft[0], True)


def test_a_long_text_is_cut_at_its_words_into_what_the_model_can_hear() -> None:
    typed = correction(" ".join(f"w{n}" for n in range(60)), end=120_000)
    for words in (drafted(60, 2_000), []):
        parts = split_text(typed, words)
        assert " ".join(text for text, _ in parts) == typed.text
        assert all(span.end - span.start <= LONGEST_WINDOW for _, span in parts)
        assert all(word.end <= following.start for (_, word), (_, following) in pairwise(parts))
    assert split_text(replace(typed, text="one-single-word"), []) == []
    assert len(split_text(replace(typed, end=20_000), [])) == 1


def test_a_long_text_keeps_all_its_words(small: FasterWhisperRecogniser) -> None:
    typed = correction(" ".join(f"w{n}" for n in range(60)), end=70_000)
    [timed] = time_all(small, sound([(0, 70_000, LOW)], 70_000), [typed])
    assert timed.aligned
    assert join_words(timed.words) == typed.text
    assert all(word.start <= following.start for word, following in pairwise(timed.words))


def test_export_says_which_times_it_wrote(tmp_path: Path) -> None:
    folder = workspace.create(tmp_path / "w")
    with Store.open(f"sqlite:///{folder}/boli.db") as store:
        desk = Desk(store, folder / "audio")
        talk = desk.add("talk", [(0, 3_000, LOW)], dialect="en-IN")
        desk.draft(recipe())
        store.models.add(Model(id="m", place="embedded", name="small"))
        store.models.promote("m")
        store.corrections.add([replace(correction("one two three", end=3_000), recording=talk.id)])
    listening = must("export", tmp_path / "a.ctm", "--format", "ctm", "--of", "corrections", "-w", folder)
    assert "1 heard by the promoted model, 0 by the draft" in listening.out
    quick = must("export", tmp_path / "b.ctm", "--format", "ctm", "--of", "corrections", "--draft-times", "-w", folder)
    assert "0 heard by the promoted model, 1 by the draft" in quick.out
    for name in "ab":
        lines = (tmp_path / f"{name}.ctm").read_text(encoding="utf-8").splitlines()
        assert [line.split()[4] for line in lines if not line.startswith(";;")] == ["one", "two", "three"]
    with Store.open(f"sqlite:///{folder}/boli.db") as store:
        store.models.add(Model(id="n", place="nowhere/at-all/here", name="gone"))
        store.models.promote("n")
    gone = must("export", tmp_path / "c.TextGrid", "--format", "textgrid", "--of", "corrections", "-w", folder)
    assert "1 by the draft (gone cannot hear them" in gone.out
    assert boli("export", tmp_path / "d", "--format", "stm", "--of", "corrections", "-w", folder).code == 0
