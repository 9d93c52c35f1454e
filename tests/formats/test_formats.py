"""Formats by name, and files that are there whole or not at all."""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcribe.errors import InputError, UsageError
from transcribe.formats import FORMATS, TimedText, read_texts, write_texts
from transcribe.formats.cues import WHOLE
from transcribe.records import Word


def stretch(recording: str = "calls/a.wav", text: str = "हाँ") -> TimedText:
    return TimedText(recording=recording, start=0, end=1_000, speaker="A", text=text)


#: Those that say what was said; RTTM and CTM have no room for it.
WITH_TEXT = sorted(FORMATS.keys() - {"rttm", "ctm"})


@pytest.mark.parametrize("name", WITH_TEXT)
def test_every_format_is_found_by_name_and_reads_what_it_wrote(tmp_path: Path, name: str) -> None:
    written = write_texts([stretch()], tmp_path / "out", name)
    assert written.items == 1
    assert [item.text for item in read_texts(written.files[0], name)] == ["हाँ"]


def test_a_recording_has_a_subtitle_file_of_its_own_name_below_the_folder(tmp_path: Path) -> None:
    names = ["calls/a.wav", "calls/a.mp3", "/etc/../b.wav", "../../c"]
    written = write_texts([stretch(name) for name in names], tmp_path / "out", "srt")
    assert [str(file.relative_to(tmp_path / "out")) for file in written.files] == [
        *("calls/a.srt", "calls/a.mp3.srt", "etc/b.srt", "c.srt")
    ]


def test_what_is_there_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    write_texts([stretch(text="old")], tmp_path / "t.stm", "stm")
    with pytest.raises(InputError, match="E_EXISTS"):
        write_texts([stretch(text="new")], tmp_path / "t.stm", "stm")
    assert next(read_texts(tmp_path / "t.stm", "stm")).text == "old"
    write_texts([stretch(text="new")], tmp_path / "t.stm", "stm", overwrite=True)
    assert next(read_texts(tmp_path / "t.stm", "stm")).text == "new"


@pytest.mark.parametrize("name", ["stm", "csv", "seglst", "srt", "textgrid"])
def test_a_writing_that_fails_leaves_the_old_file_and_nothing_half(tmp_path: Path, name: str) -> None:
    def broken() -> Iterator[TimedText]:
        yield stretch(text="new")
        raise RuntimeError("the source broke")

    old = write_texts([stretch(text="old")], tmp_path / "out", name).files[0]
    content = old.read_bytes()
    with pytest.raises(RuntimeError, match="the source broke"):
        FORMATS[name].writer()(broken(), old)
    assert old.read_bytes() == content
    assert list(old.parent.iterdir()) == [old]


def test_a_misspelt_format_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean textgrid"):
        write_texts([], Path("t"), "textgird")


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_text_that_nobody_can_see_is_as_an_empty_one(tmp_path: Path, name: str) -> None:
    words = (Word(text="\u200b", start=0, end=400, probability=0.5),)
    items = [replace(stretch(text=text), words=words[:count]) for text, count in (("\u200b\u200e", 1), ("", 0))]
    written = [write_texts([item], tmp_path / str(number), name) for number, item in enumerate(items)]
    files = [
        sorted(file.rglob("*")) if file.is_dir() else [file] for file in (written[0].files[0], written[1].files[0])
    ]
    assert written[0].items == written[1].items
    assert [file.read_bytes() for file in files[0]] == [file.read_bytes() for file in files[1]]


def seed(name: str) -> bytes:
    """A good file of the format *name*."""
    words = (Word(text="हाँ", start=0, end=400, probability=0.5),)
    items = [
        replace(stretch(text='he said "हाँ"'), words=words),
        replace(stretch(), start=500, speaker=None, dialect="hi"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        return write_texts(items, Path(folder) / f"t{FORMATS[name].suffix}", name).files[0].read_bytes()


SEEDS = {name: seed(name) for name in sorted(FORMATS) if FORMATS[name].holds != "folder"}


@settings(max_examples=150)
@given(st.sampled_from(sorted(SEEDS)), st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(name: str, data: st.DataObject) -> None:
    good = SEEDS[name]
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 20)))
    raw = good[:start] + data.draw(st.binary(max_size=12)) + good[end:]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"t{FORMATS[name].suffix}"
        path.write_bytes(raw)
        try:
            items = list(read_texts(path, name))
        except InputError as error:
            assert error.hint
        else:
            assert all(0 <= item.start <= item.end for item in items)


def test_the_documentation_says_of_every_format_what_it_drops() -> None:
    text = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    text = text.partition("## Formats in and out")[2].partition("\n## ")[0]
    documented = dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", text, re.MULTILINE))
    assert documented == {name: form.drops for name, form in FORMATS.items()}


SCRIPTS = {
    "Devanagari": ["मैं", "घर", "क्षत्रिय", "हूँ", "ज़िंदगी", "दुःख"],
    "Tamil": ["நான்", "வீட்டிற்கு", "போகிறேன்", "ஸ்ரீ", "கௌரி"],
    "Malayalam": ["എന്താണ്", "വിശേഷം", "അവൻ", "ന്റെ", "ക്ഷമ"],
    "Urdu": ["میں", "گھر", "جا\u200cرہا", "ہوں", "کیا؟"],
}


def random_segments(count: int, *, seed: int) -> list[TimedText]:
    """*count* segments of three recordings and four speakers, one script each, with the times of words."""
    draw = random.Random(seed)
    speakers = {"आशा देवी": "Devanagari", "கௌரி": "Tamil", "Ravi-Kumar": "Malayalam", "Zoë!": "Urdu"}
    items = []
    time = 0
    for number in range(count):
        if number * 3 // count != (number - 1) * 3 // count:
            time = 0
        speaker = draw.choice(sorted(speakers))
        words = []
        for _ in range(draw.randint(1, 7)):
            start = time + draw.randint(0, 200)
            time = start + draw.randint(150, 700)
            text = draw.choice(SCRIPTS[speakers[speaker]])
            words.append(Word(text=text, start=start, end=time, probability=draw.randint(1, 9_999) / 10_000))
        recording = f"calls/{'abc'[number * 3 // count]} 1.wav"
        text = " ".join(word.text for word in words)
        dialect = draw.choice(["hi", "ta", None])
        items.append(
            TimedText(
                recording=recording,
                start=words[0].start,
                end=time,
                speaker=speaker,
                text=text,
                words=tuple(words),
                dialect=dialect,
                normalised=draw.choice([None, f"{text}."]),
            )
        )
        time += draw.randint(1, 900)
    return items


def keep(item: TimedText, name: str) -> TimedText:
    """*item* without what the format is documented to drop."""
    drops = FORMATS[name].drops.split(";")[0].split(", ")
    facts = {"times of words": {"words": ()}, "dialects": {"dialect": None}, "the second tier": {"normalised": None}}
    facts |= {"texts": {"text": None}, "speakers": {"speaker": None}}
    for dropped in drops:
        item = replace(item, **facts.get(dropped, {}))  # type: ignore[arg-type]
    return item


@pytest.mark.parametrize("name", sorted(FORMATS))
@settings(max_examples=3)
@given(seed=st.integers(0, 2**32))
def test_a_thousand_segments_in_four_scripts_come_back_but_for_what_the_format_drops(
    tmp_path_factory: pytest.TempPathFactory, name: str, seed: int
) -> None:
    items = random_segments(1_000, seed=seed)
    written = write_texts(items, tmp_path_factory.mktemp("thousand") / "out", name, rules=WHOLE)
    back = []
    for file, recording in zip(written.files, ["calls/a 1.wav", "calls/b 1.wav", "calls/c 1.wav"], strict=False):
        one = {"recording": recording} if FORMATS[name].holds == "one" else {}
        back += list(FORMATS[name].reader()(file, **one))
    if name == "ctm":
        words = [(item.recording, word) for item in items for word in item.words]
        assert [(item.recording, *item.words) for item in back] == words
        return
    wanted = [keep(item, name) for item in items]
    if name == "textgrid":  # its words are read by other programs
        wanted = [replace(item, words=()) for item in wanted]
    order = {"key": lambda item: (item.recording, item.start)}
    assert sorted(back, **order) == sorted(wanted, **order)


@pytest.mark.parametrize("name", ["srt", "vtt"])
@settings(max_examples=2)
@given(seed=st.integers(0, 2**32))
def test_a_thousand_segments_cut_into_cues_keep_every_word_and_speaker(
    tmp_path_factory: pytest.TempPathFactory, name: str, seed: int
) -> None:
    items = random_segments(1_000, seed=seed)
    said: dict[tuple[str, str | None], list[str]] = {}
    for file in write_texts(items, tmp_path_factory.mktemp("cues") / "out", name).files:
        for item in FORMATS[name].reader()(file):
            said.setdefault((item.recording, item.speaker), []).extend((item.text or "").split())
    wanted: dict[tuple[str, str | None], list[str]] = {}
    for item in items:
        wanted.setdefault((Path(item.recording).stem, item.speaker), []).extend((item.text or "").split())
    assert said == wanted
