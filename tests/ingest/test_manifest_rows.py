"""The columns of a manifest, and which rows are refused while the others go on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.ingest.factories import list_failures, manifest, plan_arrivals
from transcribe.errors import Failure
from transcribe.ingest import Arrival, plan
from transcribe.records import DeclaredTurn


def test_each_column_says_what_it_means(tmp_path: Path) -> None:
    row = {
        "path": "calls/a.wav",
        "dialect": "bho-Deva",
        "speaker": " Asha ",
        "session": "s1",
        "consent": "c-7",
        "licence": "CC0",
        "source": "field",
        "channel": "split",
        "num_speakers": "2.0",
        "text": " जी हाँ ",
        "split": "test",
        "age": "44",
        "Village name": "Rampur",
    }
    (arrival,) = plan_arrivals(manifest(tmp_path / "m.csv", [row]))
    assert arrival.location == tmp_path / "calls/a.wav"
    assert (arrival.path, arrival.where) == ("calls/a.wav", "m.csv row 2")
    assert (arrival.dialect, arrival.speaker, arrival.session) == ("bho-Deva", "Asha", "s1")
    assert (arrival.consent, arrival.licence, arrival.source) == ("c-7", "CC0", "field")
    assert (arrival.channel_mode, arrival.num_speakers, arrival.split) == ("split", 2, "test")
    assert arrival.text == " जी हाँ "
    assert arrival.facts == {"age": "44", "Village name": "Rampur"}


def test_what_nobody_said_is_unknown(tmp_path: Path) -> None:
    (arrival,) = plan_arrivals(manifest(tmp_path / "m.csv", [{"path": "a.wav", "dialect": "", "text": "  "}]))
    assert (arrival.dialect, arrival.language, arrival.speaker, arrival.split, arrival.text) == (None,) * 5
    assert (arrival.group, arrival.facts, arrival.declared) == (None, {}, ())


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("channel", "left"), ("split", "Train"), ("split", "valid"), ("num_speakers", "two"), ("num_speakers", "0")),
        *(("num_speakers", "-1"), ("num_speakers", "1.5"), ("num_speakers", "9" * 400), ("num_speakers", "²")),
        *(("speaker", "a\0b"), ("note", "\0"), ("session", "x" * 3_000)),
    ],
)
def test_a_row_with_a_bad_cell_fails_alone_and_names_line_and_column(tmp_path: Path, column: str, value: str) -> None:
    file = manifest(tmp_path / "m.csv", [{"path": "a.wav"}, {"path": "b.wav", column: value}, {"path": "c.wav"}])
    good, bad, after = plan(manifest=file)
    assert isinstance(good, Arrival)
    assert isinstance(after, Arrival)
    assert isinstance(bad, Failure)
    assert (bad.item, bad.code) == ("b.wav", "E_MANIFEST")
    assert f"m.csv row 3, column {column}" in bad.message


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/passwd", "../a.wav", "x/../../a.wav", "x\\..\\a.wav", "C:\\a.wav", "c:a.wav", "\\\\host\\share\\a.wav"),
        *("file:///etc/passwd", "http://host/a.wav", "s3://bucket/a.wav", "memory://a.wav", "FILE://x", "a\0.wav"),
        *("link/passwd", "linked.wav"),
    ],
)
def test_a_path_that_leads_elsewhere_is_refused_with_its_line(tmp_path: Path, path: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to("/etc")
    (tmp_path / "in" / "linked.wav").symlink_to("/etc/passwd")
    (failure,) = list_failures(manifest(tmp_path / "in" / "m.csv", [{"path": "a.wav"}, {"path": path}]))
    assert failure.code == "E_PATH"
    assert "m.csv row 3, column path" in failure.message


def test_a_row_without_a_path_is_refused_under_its_line(tmp_path: Path) -> None:
    (failure,) = list_failures(
        manifest(tmp_path / "m.csv", [{"path": "", "speaker": "A"}, {"path": "b.wav", "speaker": "A"}])
    )
    assert (failure.item, failure.code) == ("m.csv:2", "E_MANIFEST")


def test_absolute_paths_and_links_are_taken_below_roots_that_were_given(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "b.wav").touch()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.wav").symlink_to(tmp_path / "archive" / "b.wav")
    names = [str(tmp_path / "archive" / "a.wav"), "b.wav"]
    file = manifest(tmp_path / "in" / "m.csv", [{"path": name} for name in names])
    assert len(list_failures(file)) == 2
    places = [
        arrival.location
        for arrival in plan(manifest=file, allow_roots=[str(tmp_path / "archive")])
        if isinstance(arrival, Arrival)
    ]
    assert places == [tmp_path / "archive" / "a.wav", tmp_path / "archive" / "b.wav"]


def test_a_root_does_not_open_the_folder_beside_it_that_begins_alike(tmp_path: Path) -> None:
    for name in ("calls", "calls-private"):
        (tmp_path / name).mkdir()
    file = manifest(
        tmp_path / "m.csv", [{"path": str(tmp_path / "calls-private" / "a.wav")}, {"path": "s3://b/calls-x/a"}]
    )
    failures = list_failures(file, allow_roots=(str(tmp_path / "calls"), "s3://b/calls"))
    assert [failure.code for failure in failures] == ["E_PATH", "E_PATH"]


def test_object_stores_are_read_below_roots_that_were_given(tmp_path: Path) -> None:
    paths = ["s3://bucket/calls/a.wav", "s3://bucket/calls/../x.wav", "memory://s3://bucket/calls/a::x.wav"]
    file = manifest(tmp_path / "m.csv", [{"path": path} for path in paths])
    arrivals = list(plan(manifest=file, allow_roots=["s3://bucket/calls", "memory://"]))
    assert [getattr(arrival, "location", None) for arrival in arrivals] == ["s3://bucket/calls/a.wav", None, None]


def test_a_root_may_be_an_object_store(tmp_path: Path) -> None:
    (arrival,) = plan_arrivals(manifest(tmp_path / "m.csv", [{"path": "b/a.wav"}]), root="s3://bucket/calls/")
    assert arrival.location == "s3://bucket/calls/b/a.wav"


def test_names_in_two_unicode_forms_or_letter_cases_are_two_rows(tmp_path: Path) -> None:
    names = ["caf\u00e9.wav", "cafe\u0301.wav", "A.wav", "a.wav"]
    assert [
        arrival.path for arrival in plan_arrivals(manifest(tmp_path / "m.csv", [{"path": name} for name in names]))
    ] == names


@pytest.mark.parametrize("name", ["a\nb.wav", "tab\t.wav", "-rf.wav", "x" * 251 + ".wav", "\u202egnp.wav", "क्‍ष.wav"])
def test_odd_names_go_through(tmp_path: Path, name: str) -> None:
    (arrival,) = plan_arrivals(manifest(tmp_path / "m.csv", [{"path": name}]))
    assert arrival.location == tmp_path / name


RTTM = "SPEAKER a 1 0.5 1.0 <NA> <NA> Asha%20Devi <NA> <NA>\nSPEAKER a 1 1.2 0.0 <NA> <NA> B <NA> <NA>\n"
STM = ";; made by hand\na 1 Asha 0.5 1.5 <o,f0> जी हाँ\n"
JSONL = '{"start_ms": 500, "end_ms": 1500, "speaker": "Asha", "dialect": "bho", "text": "जी"}\n'


@pytest.mark.parametrize(
    ("name", "content", "turn"),
    [
        ("a.rttm", RTTM, DeclaredTurn(start=500, end=1_500, speaker="Asha Devi")),
        ("a.stm", STM, DeclaredTurn(start=500, end=1_500, speaker="Asha", text="जी हाँ")),
        ("a.jsonl", JSONL, DeclaredTurn(start=500, end=1_500, speaker="Asha", dialect="bho", text="जी")),
    ],
)
def test_a_sidecar_declares_turns(tmp_path: Path, name: str, content: str, turn: DeclaredTurn) -> None:
    (tmp_path / name).write_text(content)
    (arrival,) = plan_arrivals(manifest(tmp_path / "m.csv", [{"path": "other name.wav", "turns": name}]))
    assert arrival.declared == (turn,)


def test_one_sidecar_may_hold_the_turns_of_many_recordings(tmp_path: Path, speech: Path) -> None:
    folder = speech / "ami-mini"
    names = [path.name for path in sorted(folder.glob("trn*.wav"))]
    rows = [{"path": name, "turns": "debug.train.rttm"} for name in names]
    arrivals = plan_arrivals(manifest(tmp_path / "m.csv", rows), root=folder)
    lines = (folder / "debug.train.rttm").read_text().splitlines()
    assert len(names) > 1
    assert [len(arrival.declared) for arrival in arrivals] == [
        sum(line.split()[1] == Path(name).stem and float(line.split()[4]) > 0 for line in lines) for name in names
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"start_ms": 900, "end_ms": 100, "speaker": "A"}', "after its end"),
        ('{"start_ms": -5, "end_ms": 100, "speaker": "A"}', "before the recording begins"),
        ('{"start_ms": "NaN", "end_ms": 100, "speaker": "A"}', "no number"),
        ('{"start_ms": "1,5", "end_ms": 100, "speaker": "A"}', "comma"),
        ('{"start_ms": 1.5, "end_ms": 100, "speaker": "A"}', "no number"),
        ('{"end_ms": 100, "speaker": "A"}', "no time"),
        ('{"start_ms": 0, "end_ms": 100}', "names no speaker"),
    ],
)
def test_a_bad_turn_fails_its_row_and_names_the_line_of_the_sidecar(tmp_path: Path, content: str, reason: str) -> None:
    good = '{"start_ms": 0, "end_ms": 100, "speaker": "A"}'
    (tmp_path / "a.jsonl").write_text(f"{good}\n{content}\n")
    (failure,) = list_failures(manifest(tmp_path / "m.csv", [{"path": "a.wav", "turns": "a.jsonl"}, {"path": "b.wav"}]))
    assert (failure.item, failure.code) == ("a.wav", "E_SEGMENT")
    assert "a.jsonl line 2" in failure.message
    assert reason in failure.message


def test_turns_without_a_name_belong_to_the_speaker_of_the_row(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"start_ms": 0, "end_ms": 100}\n')
    (arrival,) = plan_arrivals(manifest(tmp_path / "m.csv", [{"path": "a.wav", "turns": "a.jsonl", "speaker": "Asha"}]))
    assert [turn.speaker for turn in arrival.declared] == ["Asha"]


@pytest.mark.parametrize("turns", ["../a.rttm", "/etc/passwd", "missing.rttm", "a.txt", "pipe.rttm", "s3://b/a.rttm"])
def test_a_sidecar_elsewhere_or_of_an_unknown_kind_is_refused(tmp_path: Path, turns: str) -> None:
    (tmp_path / "a.txt").write_text("x")
    os.mkfifo(tmp_path / "pipe.rttm")
    (failure,) = list_failures(manifest(tmp_path / "m.csv", [{"path": "a.wav", "turns": turns}]))
    assert failure.code == "E_PATH"


def test_a_sidecar_of_other_recordings_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.rttm").write_text("".join(f"SPEAKER {x} 1 0 1 <NA> <NA> A <NA> <NA>\n" for x in ("x", "y")))
    (failure,) = list_failures(manifest(tmp_path / "m.csv", [{"path": "a.wav", "turns": "t.rttm"}]))
    assert failure.code == "E_SEGMENT"
    assert "none of a" in failure.message
