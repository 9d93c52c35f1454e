"""SRT and WebVTT."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.formats.strategies import few, stretches
from transcribe.errors import InputError
from transcribe.formats import TimedText
from transcribe.formats.cues import WHOLE, CueRules, count_clusters, split_cues
from transcribe.formats.subtitles import read_srt, read_vtt, write_srt, write_vtt
from transcribe.records import Word


def cue(text: str, *, start: int = 0, end: int = 1_000, speaker: str | None = None) -> TimedText:
    return TimedText(recording="t", start=start, end=end, speaker=speaker, text=text)


def _named(item: TimedText) -> TimedText:
    """As SRT names a speaker: blanks are one, and brackets round."""
    name = " ".join((item.speaker or "").split()).replace("[", "(").replace("]", ")")
    return replace(item, speaker=name or None)


@few
@given(stretches())
def test_srt_keeps_times_texts_and_speakers(items: list[TimedText]) -> None:
    assume(not any("<" in (item.text or "") for item in items))  # SRT has no way to say that "<b>" is text
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.srt"
        assert write_srt(items, path, rules=WHOLE) == len(items)
        assert list(read_srt(path, recording="calls/a b.wav")) == [_named(item) for item in items]


@few
@given(stretches())
def test_vtt_keeps_times_texts_and_speakers(items: list[TimedText]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.vtt"
        write_vtt(items, path, rules=WHOLE)
        back = list(read_vtt(path, recording="calls/a b.wav"))
        blanks = [replace(item, speaker=item.speaker and " ".join(item.speaker.split())) for item in items]
        assert sorted(back, key=repr) == sorted(blanks, key=repr)


@pytest.mark.parametrize("text", ["first\nsecond", "a line\n42", "42", "a\\N b\\h c", "{\\i1}not italics", "मैं\nघर"])
def test_odd_texts_come_back_as_they_went(tmp_path: Path, text: str) -> None:
    write_srt([cue(text), cue("last\n7", start=2_000, end=3_000)], tmp_path / "t.srt", rules=WHOLE)
    write_vtt([cue(text), cue("last\n7", start=2_000, end=3_000)], tmp_path / "t.vtt", rules=WHOLE)
    for back in (list(read_srt(tmp_path / "t.srt")), list(read_vtt(tmp_path / "t.vtt"))):
        assert [item.text for item in back] == [text, "last\n7"]


def test_an_empty_line_cannot_end_a_cue_early(tmp_path: Path) -> None:
    write_srt([cue("one\n\n\ntwo")], tmp_path / "t.srt", rules=WHOLE)
    assert [item.text for item in read_srt(tmp_path / "t.srt")] == ["one\ntwo"]


def test_vtt_of_other_tools_is_read_without_notes_styles_and_names_of_cues(tmp_path: Path) -> None:
    (tmp_path / "t.vtt").write_text(
        "\ufeffWEBVTT - a title\n\nSTYLE\n::cue { color: red }\n\nNOTE\nnot said\n\n"
        "intro\n00:01.000 --> 00:02.500 align:start\n<v.loud Asha Devi>I <i>am</i> &lt;here&gt;</v>\n\n"
        "NOTE also not said\n\n"
        "00:00:03.000 --> 00:00:04.000\n<v A>yes</v>\n<v B>no</v>\n"
    )
    assert list(read_vtt(tmp_path / "t.vtt")) == [
        cue("I am <here>", start=1_000, end=2_500, speaker="Asha Devi"),
        cue("yes\nno", start=3_000, end=4_000),
    ]


def test_srt_of_other_tools_is_read_without_formatting(tmp_path: Path) -> None:
    raw = "1\r\n00:00:01,000 --> 00:00:02,000\r\n{\\an8}<i>hello</i> <noise>\r\n\r\n"
    raw += "2\r\n00:00:03,000 --> 00:00:04,000\r\nyou\r\n"
    (tmp_path / "t.srt").write_bytes(raw.encode())
    assert [item.text for item in read_srt(tmp_path / "t.srt")] == ["hello <noise>", "you"]


def test_two_recordings_do_not_fit_one_subtitle_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds one recording, and 2 were given"):
        write_srt([cue("a"), replace(cue("b"), recording="other")], tmp_path / "t.srt")


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe1\x00",
        b"1\n00:00:99 --> nonsense\n\nhello\n",
        b"1\n00:00:02,000 --> 00:00:01,000\nhello\n",
    ],
)
def test_what_is_no_subtitle_file_is_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "t.srt").write_bytes(raw)
    with pytest.raises(InputError, match="E_FORMAT"):
        list(read_srt(tmp_path / "t.srt"))


WORDS = ["मैं", "घर,", "போகிறேன்", "എന്താണ്", "گھر", "hello", "there.", "क्षत्रिय", "x" * 60, "ไปไหนมา" * 12]


@given(
    st.lists(st.tuples(st.sampled_from(WORDS), st.integers(0, 2_500), st.integers(1, 900)), min_size=1, max_size=120),
    st.booleans(),
    st.sampled_from([CueRules(), CueRules(line_length=20, lines=1, longest=3_000)]),
)
@example([("ไปไหนมา" * 12, 0, 1)], True, CueRules(line_length=20, lines=1, longest=3_000))
def test_a_cue_can_be_read_and_no_word_is_lost(
    parts: list[tuple[str, int, int]], has_times: bool, rules: CueRules
) -> None:
    words, time = [], 0
    for text, pause, length in parts:
        words.append(Word(text=text, start=time + pause, end=time + pause + length, probability=0.5))
        time += pause + length
    text = " ".join(word.text for word in words)
    item = TimedText(recording="r", start=0, end=time, text=text, words=tuple(words) if has_times else ())
    cues = list(split_cues(item, rules))
    for cue in cues:
        lines = (cue.text or "").split("\n")
        assert 1 <= len(lines) <= rules.lines
        assert all(0 < count_clusters(line) <= rules.line_length for line in lines)
        assert 0 < cue.end - cue.start <= rules.longest
    assert all(earlier.end <= later.start for earlier, later in pairwise(cues))
    assert "".join("".join((cue.text or "").split()) for cue in cues) == "".join(text.split())


def test_a_cue_ends_at_a_pause_and_at_a_phrase() -> None:
    spoken = "we went home. then it rained all day, and nobody came to see us until the very late evening"
    words, time = [], 0
    for text in spoken.split():
        time += 900 if text == "nobody" else 50
        words.append(Word(text=text, start=time, end=time + 250, probability=0.5))
        time += 250
    item = TimedText(recording="r", start=0, end=time, text=spoken, words=tuple(words))
    assert [cue.text for cue in split_cues(item, CueRules())] == [
        "we went home. then it rained all day, and",
        "nobody came to see us\nuntil the very late evening",
    ]


def test_an_empty_text_has_no_cue_and_speakers_may_be_left_out(tmp_path: Path) -> None:
    items = [cue(" ", speaker="A"), cue("yes", start=2_000, end=3_000, speaker="A")]
    assert write_srt(items, tmp_path / "t.srt") == 1
    assert (tmp_path / "t.srt").read_text() == "1\n00:00:02,000 --> 00:00:03,000\n[A]: yes\n\n"
    write_srt(items, tmp_path / "t.srt", rules=CueRules(has_speakers=False))
    assert "[A]" not in (tmp_path / "t.srt").read_text()


def test_a_text_that_looks_like_a_speaker_stays_text(tmp_path: Path) -> None:
    write_srt([cue("[door]: slams")], tmp_path / "t.srt")
    assert [(item.speaker, item.text) for item in read_srt(tmp_path / "t.srt")] == [(None, "[door]: slams")]


def lines_of(path: Path) -> list[str]:
    return [line for block in path.read_text(encoding="utf-8").split("\n\n") for line in block.split("\n")[2:] if line]


SAID = "the bus to the market leaves at half past nine and we want to take it today if we can"


def test_speakers_that_nobody_named_are_numbered_as_they_begin(tmp_path: Path) -> None:
    ids = ["a" * 64 + f"/SPEAKER_0{number}" for number in (3, 0)]
    speakers = [ids[0], "Speaker 2", ids[1], ids[0], None]
    items = [cue(SAID, start=n * 9_000, end=n * 9_000 + 6_000, speaker=speaker) for n, speaker in enumerate(speakers)]
    for writer, reader, rules in (
        (write_srt, read_srt, WHOLE),
        (write_vtt, read_vtt, WHOLE),
        (write_srt, read_srt, CueRules()),
    ):
        writer(items, tmp_path / "t", rules=rules)
        named = dict.fromkeys(item.speaker for item in reader(tmp_path / "t"))
        assert list(named) == ["Speaker 1", "Speaker 2", "Speaker 3", None]


LONG = "Dr. Venkataraghavan Lakshminarayanan Subramanian"


@pytest.mark.parametrize(
    "speakers", [[LONG], [f"{LONG} the elder", f"{LONG} the younger"], ["a" * 64 + "/x"], ["श्री" * 30]]
)
@pytest.mark.parametrize("rules", [CueRules(), CueRules(line_length=20, lines=1), CueRules(line_length=30, lines=3)])
def test_a_line_holds_its_characters_whatever_the_speaker_is_called(
    tmp_path: Path, speakers: list[str], rules: CueRules
) -> None:
    items = [cue(SAID, start=n * 9_000, end=n * 9_000 + 6_000, speaker=speaker) for n, speaker in enumerate(speakers)]
    write_srt([*items, cue("x" * 90, start=30_000, end=34_000, speaker=speakers[0])], tmp_path / "t.srt", rules=rules)
    assert all(count_clusters(line) <= rules.line_length for line in lines_of(tmp_path / "t.srt"))
    back = list(read_srt(tmp_path / "t.srt"))
    assert all(len((item.text or "").split("\n")) <= rules.lines for item in back)
    assert len({item.speaker for item in back}) == len(speakers)
    said = " ".join((item.text or "").replace("\n", " ") for item in back if item.start < 9_000)
    assert said.split() == SAID.split()


def test_a_long_name_is_whole_in_whole_cues(tmp_path: Path) -> None:
    write_srt([cue("yes", speaker=LONG)], tmp_path / "t.srt", rules=WHOLE)
    assert next(read_srt(tmp_path / "t.srt")).speaker == LONG


INVISIBLE = ["\u200b", "\u200e", "\u00ad", "\u200c \u200d", "\ufeff\u2060", "\u3164", "\u2800", "\u2028"]


@pytest.mark.parametrize("text", INVISIBLE)
@pytest.mark.parametrize("rules", [CueRules(), WHOLE])
def test_what_nobody_can_see_is_no_cue(tmp_path: Path, text: str, rules: CueRules) -> None:
    for writer in (write_srt, write_vtt):
        assert (
            writer([cue(text, speaker="A"), cue(f"yes{text}", start=2_000, end=3_000)], tmp_path / "t", rules=rules)
            == 1
        )
        assert (tmp_path / "t").read_text(encoding="utf-8").count("-->") == 1
