"""Texts written elsewhere, in every format: found, checked, and taken in as corrections or as drafts."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transcribe.errors import InputError
from transcribe.formats import FORMATS, TimedText, write_texts
from transcribe.formats.corrections import read_corrections
from transcribe.formats.drafts import make_model, read_drafted
from transcribe.records import Correction, Recording, Word
from transcribe.store import Store

CALLS = [
    Recording(id=letter * 64, path=f"calls/{letter}.wav", duration=60_000, rate_hz=16_000, channels=1, dialect="hi")
    for letter in "ab"
]
TEXTS = ["मैं घर जा रहा हूँ", "நான் போகிறேன்", "എന്താണ് വിശേഷം", "میں گھر جا رہا ہوں"]


def talk(call: Recording) -> list[TimedText]:
    """Two speakers by turns, with the times of words."""
    stretches = []
    for number, text in enumerate(TEXTS):
        start = number * 5_000
        words = tuple(
            Word(text=word, start=start + place * 400, end=start + place * 400 + 300, probability=0.5)
            for place, word in enumerate(text.split())
        )
        speaker = "Asha" if number % 2 else "Ravi Kumar"
        stretches.append(
            TimedText(recording=call.path, start=start, end=words[-1].end, speaker=speaker, text=text, words=words)
        )
    return stretches


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'boli.db'}")
    opened.recordings.add(CALLS)
    yield opened
    opened.close()


def read(store: Store, path: Path, **options: object) -> tuple[list[Correction], list[InputError]]:
    errors: list[InputError] = []
    corrections = list(read_corrections(path, store=store, refuse=errors.append, **options))  # type: ignore[arg-type]
    return corrections, errors


def export(name: str, folder: Path) -> Path:
    """A file or folder of the format *name* with the talk of both calls."""
    places = {call.path: f"/audio/{call.id}.flac" for call in CALLS}
    items = [stretch for call in CALLS for stretch in talk(call)]
    written = write_texts(items, folder, name, audio_of=lambda path: places.get(path, path))
    return folder if FORMATS[name].holds == "one" else written.files[0]


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - {"rttm"}))
def test_what_every_format_holds_comes_in_as_corrections_and_as_drafts(store: Store, tmp_path: Path, name: str) -> None:
    path = export(name, tmp_path / "out")
    corrections, errors = read(store, path)
    assert errors == []
    wanted = {(call.id, item.start, item.end, item.text) for call in CALLS for item in talk(call)}
    assert {(text.recording, text.start, text.end, text.text) for text in corrections} == wanted
    speakers = {text.speaker for text in corrections}
    assert speakers == ({None} if name == "ctm" else {"Asha", "Ravi Kumar"})
    [first, second] = read_drafted(path, store=store, model=make_model("archive"))
    assert {first.recording, second.recording} == {call.id for call in CALLS}
    assert [draft.text for draft in first.drafts] == TEXTS


def test_rttm_names_the_speakers_of_words_without(store: Store, tmp_path: Path) -> None:
    words, turns = export("ctm", tmp_path / "words"), export("rttm", tmp_path / "turns")
    corrections, errors = read(store, words, turns=turns)
    assert (errors, [text.speaker for text in corrections[:2]]) == ([], ["Ravi Kumar", "Asha"])
    _, errors = read(store, turns)
    assert all("it has no text" in str(error) for error in errors)
    [drafted, _] = read_drafted(turns, store=store, model=make_model("turns"))
    assert [(segment.speaker, segment.start) for segment in drafted.segments[:2]] == [
        ("Ravi Kumar", 0),
        ("Asha", 5_000),
    ]


def test_lhotse_cuts_are_read_with_times_from_the_start_of_the_cut(store: Store, tmp_path: Path) -> None:
    supervision = {"id": "s", "recording_id": "r", "start": 0.5, "duration": 2, "text": "जी हाँ", "speaker": "Asha"}
    sources = [{"type": "file", "channels": [0], "source": "/corpus/calls/a.wav"}]
    cut = {"id": "c", "start": 10, "duration": 5, "channel": 0, "supervisions": [supervision], "type": "MonoCut"}
    (tmp_path / "cuts.jsonl.gz").write_bytes(
        gzip.compress(json.dumps(cut | {"recording": {"id": "r", "sources": sources}}).encode())
    )
    [correction], errors = read(store, tmp_path / "cuts.jsonl.gz")
    assert (correction.recording, correction.start, correction.end) == (CALLS[0].id, 10_500, 12_500)
    assert (correction.text, correction.speaker, errors) == ("जी हाँ", "Asha", [])


def test_a_parquet_of_sounds_and_a_table_of_sentences_are_about_whole_recordings(store: Store, tmp_path: Path) -> None:
    sounds = [{"bytes": b"RIFF", "path": "a.wav"}, {"bytes": b"RIFF", "path": "b.wav"}]
    pq.write_table(pa.table({"audio": sounds, "sentence": ["जी", "हाँ"]}), tmp_path / "train.parquet")
    (tmp_path / "validated.tsv").write_text("client_id\tpath\tsentence\tup_votes\nx\ta.wav\tजी\t2\nx\tb.wav\tहाँ\t2\n")
    for name in ("train.parquet", "validated.tsv"):
        corrections, errors = read(store, tmp_path / name)
        assert errors == []
        assert [(text.recording, text.start, text.end, text.text) for text in corrections] == [
            (CALLS[0].id, 0, 60_000, "जी"),
            (CALLS[1].id, 0, 60_000, "हाँ"),
        ]


def test_label_studio_is_read_as_it_exports(store: Store, tmp_path: Path) -> None:
    times = {"start": 1.5, "end": 3.25, "channel": 0}
    result = [
        {"id": "x", "type": "labels", "from_name": "l", "to_name": "audio", "value": {**times, "labels": ["Asha"]}},
        {"id": "x", "type": "textarea", "from_name": "t", "to_name": "audio", "value": {**times, "text": ["जी हाँ"]}},
        {"type": "relation", "from_id": "x", "to_id": "x", "direction": "right"},
    ]
    task = {
        "id": 1,
        "data": {"audio": "/data/upload/2/3f2a91c0-a.wav"},
        "annotations": [{"id": 3, "was_cancelled": False, "result": result}],
        "predictions": [17],
    }
    short = {
        "audio": "/data/local-files/?d=calls/b.wav",
        "label": [{**times, "labels": ["Asha"]}],
        "transcription": ["जी हाँ"],
    }
    (tmp_path / "full.json").write_text(json.dumps([task]))
    (tmp_path / "short.json").write_text(json.dumps([short]))
    for name, call in (("full.json", CALLS[0]), ("short.json", CALLS[1])):
        [correction], errors = read(store, tmp_path / name)
        assert errors == []
        assert (correction.recording, correction.start, correction.end) == (call.id, 1_500, 3_250)
        assert (correction.speaker, correction.text) == ("Asha", "जी हाँ")


@pytest.mark.parametrize(
    ("times", "speaker", "text", "reason"),
    [
        (("1", "2"), "Asha", "twenty-one letters here", "they look like seconds"),
        (("3", "20"), "Asha", "hm", "2 letters in 17 ms are more than anybody says"),
        (("30000", "31000"), "Asha", "x" * 51, "51 letters in 1000 ms are more than anybody says"),
        (("900", "1900"), "Asha", "yes", "Asha speaks from 0 to 1500 ms already, 600 ms of it"),
        (("59000", "61001"), "Asha", "yes", "59000 to 61001 ms is no stretch of a recording of 60000 ms"),
    ],
)
def test_times_that_cannot_be_are_refused_by_row_and_stop_no_other(
    store: Store, tmp_path: Path, times: tuple[str, str], speaker: str, text: str, reason: str
) -> None:
    rows = [("0", "1500", "Asha", "yes"), (*times, speaker, text), ("1450", "2000", "Asha", "no"), ("0", "9", "", "")]
    lines = ["recording,start_ms,end_ms,speaker,text", *(f"calls/a.wav,{','.join(row)}" for row in rows)]
    (tmp_path / "c.csv").write_text("\n".join(lines))
    corrections, [error, empty] = read(store, tmp_path / "c.csv")
    assert [correction.text for correction in corrections] == ["yes", "no"]
    assert "c.csv row 3, column end_ms (C)" in str(error)
    assert reason in str(error)
    assert "c.csv row 5, column text (E): an empty text" in str(empty)


@pytest.mark.parametrize(
    ("text", "length", "is_said"),
    [
        *(
            ("nineteen letters are", 300, False),
            ("something strange", 200, False),
            ("எப்படி இருக்கிறீர்கள் நீங்கள்", 250, False),
        ),
        *(("yeah", 80, True), ("your", 45, True), ("okay", 100, True), ("maybe hand they will", 434, True)),
        *(("हाँ", 60, True), ("I don't know what", 500, True)),
    ],
)
def test_a_short_stretch_holds_what_a_tongue_says(
    store: Store, tmp_path: Path, text: str, length: int, is_said: bool
) -> None:
    (tmp_path / "c.csv").write_text(f"recording,start_ms,end_ms,text\ncalls/a.wav,9000,{9_000 + length},{text}\n")
    corrections, errors = read(store, tmp_path / "c.csv")
    assert (len(corrections), len(errors)) == ((1, 0) if is_said else (0, 1))


@pytest.mark.parametrize(
    ("rows", "are_seconds"),
    [
        (["2,40,yes", "1,58,okay so"], True),
        (["2,5,yes", "5,9,no", "12,40,we went home", "41,60,and then"], True),
        (["2,40,yes"], True),
        (["100,180,yes", "200,260,no", "59000,59090,so"], False),
        (["2,40,yes", "100,1500,we went home", "1600,2900,and then"], False),
        (["0,900,yes", "900,1800,no"], False),
    ],
)
def test_seconds_are_told_by_the_table_as_a_whole(
    store: Store, tmp_path: Path, rows: list[str], are_seconds: bool
) -> None:
    lines = "".join(f"calls/a.wav,{row}\n" for row in rows)
    (tmp_path / "c.csv").write_text(f"recording,start_ms,end_ms,text\n{lines}")
    corrections, errors = read(store, tmp_path / "c.csv")
    assert len(corrections) == (0 if are_seconds else len(rows))
    assert ["they look like seconds" in str(error) for error in errors] == [True] * (len(rows) - len(corrections))


@pytest.mark.parametrize(
    ("facts", "is_refused"),
    [({"speaker": "Asha"}, True), ({"num_speakers": 1}, True), ({"num_speakers": 2}, False), ({}, False)],
)
def test_the_only_speaker_of_a_recording_does_not_overlap_where_rows_name_nobody(
    store: Store, tmp_path: Path, facts: dict[str, object], is_refused: bool
) -> None:
    store.recordings.add([replace(CALLS[0], id="d" * 64, path="calls/d.wav", **facts)])  # type: ignore[arg-type]
    lines = "calls/d.wav,0,1500,yes we did\ncalls/d.wav,900,1900,so it was\n"
    (tmp_path / "c.csv").write_text(f"recording,start_ms,end_ms,text\n{lines}")
    corrections, errors = read(store, tmp_path / "c.csv")
    assert (len(corrections), len(errors)) == ((1, 1) if is_refused else (2, 0))


def test_fast_but_possible_speech_is_taken(store: Store, tmp_path: Path) -> None:
    line = "calls/a.wav,0,1000,Asha," + "ab " * 15 + "\ncalls/a.wav,200,900,Ravi,also\n"
    (tmp_path / "c.csv").write_text(f"recording,start_ms,end_ms,speaker,text\n{line}")
    corrections, errors = read(store, tmp_path / "c.csv")
    assert (len(corrections), errors) == (2, [])


def test_a_name_that_two_recordings_have_is_refused_naming_both(store: Store, tmp_path: Path) -> None:
    store.recordings.add([replace(CALLS[0], id="c" * 64, path="other/a.wav")])
    (tmp_path / "c.csv").write_text("recording,start_ms,end_ms,text\na,0,500,yes\nother/a,0,500,yes\n")
    [correction], [error] = read(store, tmp_path / "c.csv")
    assert correction.recording == "c" * 64
    assert "may be calls/a.wav or other/a.wav" in str(error) or "may be other/a.wav or calls/a.wav" in str(error)


def test_a_long_transcript_becomes_drafts_of_28_seconds_and_is_not_drafted_over(store: Store, tmp_path: Path) -> None:
    words = " ".join(f"w{number}" for number in range(200))
    (tmp_path / "a.srt").write_text(f"1\n00:00:00,000 --> 00:01:00,000\n{words}\n")
    model = make_model("archive")
    store.models.add(model)
    for expected in (True, False):
        [drafted] = read_drafted(tmp_path / "a.srt", store=store, model=model)
        assert store.drafts.save(drafted) is expected
    assert len(drafted.segments) == 3
    assert all(segment.end - segment.start <= 28_000 for segment in drafted.segments)
    drafts = list(store.drafts.fetch(CALLS[0].id, model.id))
    assert " ".join(draft.text for draft in drafts) == words
    assert [call.path for call in store.attempts.fetch_pending("others", waiting=True)] == ["calls/b.wav"]
    assert store.attempts.count_pending("others")[0] == 2


@pytest.mark.parametrize("name", ["a.doc", "a"])
def test_a_file_of_no_format_is_refused_naming_the_option(store: Store, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    with pytest.raises(InputError, match=r"E_FORMAT.*--format"):
        read(store, tmp_path / name)


@pytest.mark.parametrize("text", ["\u200b", "\u200e\u00ad"])
def test_a_text_that_nobody_can_see_is_refused_as_an_empty_one(store: Store, tmp_path: Path, text: str) -> None:
    (tmp_path / "c.csv").write_text(f"recording,start_ms,end_ms,text\ncalls/a.wav,0,900,{text}\n")
    corrections, [error] = read(store, tmp_path / "c.csv")
    assert corrections == []
    assert "an empty text" in str(error)
