"""Corrections made elsewhere, against a real store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from transcribe.errors import InputError
from transcribe.formats import TimedText
from transcribe.formats.corrections import read_corrections
from transcribe.formats.line_files import write_stm
from transcribe.formats.tables import write_csv, write_jsonl
from transcribe.records import Correction, Drafted, Recording, Segment
from transcribe.store import Store

RECORDING = Recording(
    id="ab" * 32, path="calls/a b.wav", duration=10_000, rate_hz=8_000, channels=1, dialect="hi", language="hi"
)
SEGMENT = Segment(recording=RECORDING.id, speaker="Asha", start=1_000, end=2_500, dialect="hi")
COLUMNS = "recording,start_ms,end_ms,speaker,dialect,text"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path_factory.mktemp('store') / 'boli.db'}")
    opened.recordings.add([RECORDING])
    opened.drafts.save(
        Drafted(
            recording=RECORDING.id,
            diarisation="d",
            settings="s",
            model="m",
            turns=(),
            exclusive=(),
            segments=(SEGMENT,),
            drafts=(),
        )
    )
    yield opened
    opened.close()


def corrections(store: Store, path: Path, content: str) -> list[Correction]:
    path.write_text(content)
    return list(read_corrections(path, store=store))


def test_a_row_with_a_segment_takes_its_time_speaker_and_dialect(store: Store, tmp_path: Path) -> None:
    (correction,) = corrections(store, tmp_path / "c.csv", f"segment,text\n{SEGMENT.id},जी हाँ\n")
    assert (correction.recording, correction.start, correction.end, correction.text) == (
        RECORDING.id,
        1_000,
        2_500,
        "जी हाँ",
    )
    assert (correction.speaker, correction.dialect, correction.segment) == ("Asha", "hi", SEGMENT.id)
    assert (correction.author, correction.model, correction.accepted) == ("c.csv", None, True)


def test_a_row_with_a_segment_may_say_otherwise_who_speaks_and_how(store: Store, tmp_path: Path) -> None:
    raw = f'{{"segment": "{SEGMENT.id}", "text": "yes", "speaker": "Sita", "dialect": "BHO-deva"}}\n'
    (correction,) = corrections(store, tmp_path / "c.jsonl", raw)
    assert (correction.speaker, correction.dialect) == ("Sita", "bho-Deva")


@pytest.mark.parametrize("name", [RECORDING.path, RECORDING.id])
def test_a_recording_is_named_by_its_path_or_its_hash(store: Store, tmp_path: Path, name: str) -> None:
    (correction,) = corrections(store, tmp_path / "c.csv", f"{COLUMNS}\n{name},0,10900.0,,bho,yes\n")
    assert (correction.recording, correction.start, correction.end) == (RECORDING.id, 0, 10_000)
    assert (correction.speaker, correction.dialect, correction.segment) == (None, "bho", None)


def test_the_same_file_twice_is_taken_once(store: Store, tmp_path: Path) -> None:
    (tmp_path / "twice.csv").write_text(f"{COLUMNS}\n{RECORDING.path},0,900,A,hi,yes\n{RECORDING.path},0,900,A,hi,no\n")
    first = store.corrections.add(read_corrections(tmp_path / "twice.csv", store=store))
    again = store.corrections.add(read_corrections(tmp_path / "twice.csv", store=store))
    assert (len(first.new), len(first.existing)) == (2, 0)
    assert (again.new, again.existing) == ((), first.new)


def test_what_the_program_writes_it_reads_as_corrections(store: Store, tmp_path: Path) -> None:
    items = [
        TimedText(recording=RECORDING.path, start=100, end=900, speaker="Asha Devi", text='she said "no", twice'),
        TimedText(recording=RECORDING.path, start=900, end=2_000, text="नहीं"),
    ]
    for writer, name in ((write_csv, "c.csv"), (write_jsonl, "c.jsonl"), (write_stm, "c.stm")):
        writer(items, tmp_path / name)
        read = read_corrections(tmp_path / name, store=store)
        assert [(correction.start, correction.end, correction.speaker, correction.text) for correction in read] == [
            (item.start, item.end, item.speaker, item.text) for item in items
        ]


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (f"{RECORDING.path},900,100,A,hi,yes", "end_ms", "after its end"),
        (f"{RECORDING.path},0,0,A,hi,yes", "end_ms", "no stretch"),
        (f"{RECORDING.path},0,11001,A,hi,yes", "end_ms", "a recording of 10000 ms"),
        (f"{RECORDING.path},10000,10500,A,hi,yes", "end_ms", "no stretch"),
        (f"{RECORDING.path},-1,100,A,hi,yes", "start_ms", "before the recording begins"),
        (f'{RECORDING.path},"1,5",100,A,hi,yes', "start_ms", "comma"),
        (f"{RECORDING.path},,100,A,hi,yes", "start_ms", "no number"),
        (f"{RECORDING.path},NaN,100,A,hi,yes", "start_ms", "no number"),
        ("nowhere.wav,0,100,A,hi,yes", "recording", "no recording 'nowhere.wav'"),
        (",0,100,A,hi,yes", "recording", "neither segment nor recording"),
        (f"{RECORDING.path},0,100,A,hi, ", "text", "empty"),
        (f"{RECORDING.path},0,100,A,hi,a\0b", "text", "NUL"),
    ],
)
def test_a_bad_row_is_named_with_row_and_column(
    store: Store, tmp_path: Path, row: str, column: str, reason: str
) -> None:
    good = f"{RECORDING.path},0,100,A,hi,yes"
    with pytest.raises(InputError, match=r"E_CORRECTION") as caught:
        corrections(store, tmp_path / "c.csv", f"{COLUMNS}\n{good}\n{row}\n")
    assert f"c.csv row 3, column {column}" in str(caught.value)
    assert reason in str(caught.value)


def test_an_unknown_segment_and_an_unknown_dialect_are_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"E_CORRECTION: c.csv row 2, column segment .A.: no segment 'x'"):
        corrections(store, tmp_path / "c.csv", "segment,text\nx,yes\n")
    with pytest.raises(InputError, match=r"E_DIALECT: c.csv row 2, column dialect: .*did you mean"):
        corrections(store, tmp_path / "c.csv", f"segment,text,dialect\n{SEGMENT.id},yes,hindii!\n")


@pytest.mark.parametrize(
    "line",
    ["nowhere 1 A 0 1 yes", "calls/a%20b.wav 1 A 1,5 2 yes", "calls/a%20b.wav 1 A 9 12 yes", "calls/a%20b.wav 1 A 0 1"],
)
def test_a_bad_stm_line_is_named(store: Store, tmp_path: Path, line: str) -> None:
    with pytest.raises(InputError, match=r"E_(CORRECTION|SEGMENT): c.stm line 2"):
        corrections(store, tmp_path / "c.stm", f";; comment\n{line}\n")


def test_a_file_without_either_form_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"E_CORRECTION.*no column segment or recording"):
        corrections(store, tmp_path / "c.csv", "id,text\n1,yes\n")
