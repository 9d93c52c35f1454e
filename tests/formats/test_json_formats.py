"""SegLST, NeMo, Label Studio, Kaldi, and tables."""

from __future__ import annotations

import csv
import json
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.formats.strategies import few, names, stretches
from transcribe.errors import InputError
from transcribe.formats import TimedText
from transcribe.formats.json_files import read_nemo, read_seglst, write_nemo, write_seglst
from transcribe.formats.label_studio import read_label_studio, write_label_studio
from transcribe.formats.line_files import read_kaldi, write_kaldi
from transcribe.formats.tables import read_csv, read_jsonl, write_csv, write_jsonl

HINDI = TimedText(recording="a.wav", start=1_005, end=2_500, speaker="आशा", text="मैं\nघर", dialect="hi-x-delh1239")


@few
@given(stretches(recordings=names))
def test_seglst_keeps_everything(items: list[TimedText]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.json"
        assert write_seglst([*items, HINDI], path) == len(items) + 1
        assert list(read_seglst(path)) == [*items, HINDI]


def test_seglst_reads_in_meeteval(tmp_path: Path) -> None:
    meeteval_io = pytest.importorskip("meeteval.io", reason="meeteval needs a C compiler")
    pytest.importorskip("simplejson", reason="meeteval reads SegLST with simplejson, which it does not bring")
    write_seglst([HINDI], tmp_path / "t.json")
    segment = meeteval_io.SegLST.load(tmp_path / "t.json").segments[0]
    assert (segment["session_id"], segment["speaker"], float(segment["end_time"])) == ("a.wav", "आशा", 2.5)


@few
@given(stretches(recordings=names))
def test_nemo_keeps_everything(items: list[TimedText]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.jsonl"
        write_nemo([*items, HINDI], path)
        assert list(read_nemo(path)) == [*items, HINDI]


def test_nemo_names_the_keys_that_its_trainers_read(tmp_path: Path) -> None:
    write_nemo([HINDI], tmp_path / "t.jsonl", audio_of=lambda recording: f"/sound/{recording}", key="pred_text")
    assert json.loads((tmp_path / "t.jsonl").read_text()) == {
        "audio_filepath": "/sound/a.wav",
        "offset": 1.005,
        "duration": 1.495,
        "pred_text": "मैं\nघर",
        "speaker": "आशा",
        "dialect": "hi-x-delh1239",
    }


@few
@given(stretches(recordings=names))
def test_label_studio_keeps_everything(items: list[TimedText]) -> None:
    alike = {(item.recording, item.start, item.end, item.speaker, item.text): item for item in [*items, HINDI]}
    ordered = sorted(alike.values(), key=lambda item: (item.recording, item.start, item.end, item.speaker or ""))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.json"
        write_label_studio(ordered, path)
        assert sorted(read_label_studio(path), key=repr) == sorted(ordered, key=repr)


def test_label_studio_text_is_a_list_in_a_text_area(tmp_path: Path) -> None:
    write_label_studio([HINDI], tmp_path / "t.json", audio_of=lambda recording: f"s3://b/{recording}", model="m1")
    (task,) = json.loads((tmp_path / "t.json").read_text())
    label, area = task["predictions"][0]["result"]
    assert task["data"]["audio"] == "s3://b/a.wav"
    assert task["predictions"][0]["model_version"] == "m1"
    assert (label["type"], label["value"]["labels"], area["type"], area["value"]["text"]) == (
        *("labels", ["आशा"]),
        *("textarea", ["मैं\nघर"]),
    )
    assert label["id"] == area["id"]


def test_the_last_annotation_that_was_not_cancelled_counts(tmp_path: Path) -> None:
    def annotation(text: str, **more: object) -> dict[str, object]:
        value = {"start": 0, "end": 1, "text": [text]}
        return {"result": [{"id": "r", "type": "textarea", "from_name": "t", "value": value}], **more}

    annotations = [annotation("first"), annotation("second"), annotation("third", was_cancelled=True)]
    task = {"data": {"audio": "a.wav"}, "annotations": annotations, "predictions": [annotation("draft")]}
    (tmp_path / "t.json").write_text(json.dumps([task]))
    assert [item.text for item in read_label_studio(tmp_path / "t.json")] == ["second"]


@few
@given(stretches(recordings=names))
def test_kaldi_keeps_everything_but_the_order(items: list[TimedText]) -> None:
    unlike = list({(item.recording, item.start, item.end, item.speaker): item for item in items}.values())
    with tempfile.TemporaryDirectory() as folder:
        assert write_kaldi(unlike, Path(folder) / "data", audio_of=lambda recording: "a.flac") == len(unlike)
        assert sorted(read_kaldi(Path(folder) / "data"), key=repr) == sorted(unlike, key=repr)


def test_kaldi_files_are_sorted_by_their_bytes_and_agree(tmp_path: Path) -> None:
    speakers = ["b", "A", "आ", "A-1", "a b", None]
    items = [replace(HINDI, speaker=speaker, start=n, text="x") for n in (9, 10) for speaker in speakers]
    write_kaldi(items, tmp_path, audio_of=lambda recording: "sound/a.flac")
    files = {file.name: file.read_bytes().splitlines() for file in tmp_path.iterdir()}
    assert all(lines == sorted(lines) for lines in files.values())
    assert {name: len(lines) for name, lines in files.items()} == {
        **{"wav.scp": 1, "segments": 12, "text": 12},
        **{"utt2spk": 12, "utt2dialect": 12, "spk2utt": 6},
    }
    by_speaker = {line.split()[0]: line.split()[1:] for line in files["spk2utt"]}
    assert sorted(name for utterances in by_speaker.values() for name in utterances) == [
        line.split()[0] for line in files["utt2spk"]
    ]


@pytest.mark.parametrize("path", ["rm -rf x |", "| cat", "a\nb", ""])
def test_a_place_that_kaldi_would_run_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(InputError, match="E_FORMAT"):
        write_kaldi([HINDI], tmp_path, audio_of=lambda recording: path)


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(names, st.text(st.sampled_from("-!_. %aZ09é\x1b\x00\x08\x7f\x9b"), max_size=4)),
        min_size=50,
        max_size=50,
    )
)
def test_kaldi_accepts_the_order_also_where_one_name_begins_another(pairs: list[tuple[str, str]]) -> None:
    speakers = [name for first, tail in pairs for name in (first, first + tail)]
    items = [
        TimedText(recording=recording, start=0, end=1_000, speaker=speaker, text="a")
        for speaker in speakers
        if speaker.strip()
        for recording in ("r", "r-1", "r\x1b", "r\x01-1")
    ]
    with tempfile.TemporaryDirectory() as folder:
        write_kaldi(items, Path(folder))
        utt2spk = Path(folder) / "utt2spk"
        # As Kaldi's validate_data_dir.sh has it.
        for key in ("-k1", "-k2"):
            ordered = subprocess.run(["sort", key, utt2spk], env={"LC_ALL": "C"}, capture_output=True, check=True)
            assert ordered.stdout == utt2spk.read_bytes()
        back = {item.speaker for item in read_kaldi(Path(folder))}
        assert back == {item.speaker for item in items}


@few
@given(stretches(recordings=names))
def test_tables_keep_everything(items: list[TimedText]) -> None:
    trimmed = [replace(item, speaker=item.speaker and item.speaker.strip()) for item in [*items, HINDI]]
    with tempfile.TemporaryDirectory() as folder:
        for writer, reader, file in ((write_csv, read_csv, "t.csv"), (write_jsonl, read_jsonl, "t.jsonl")):
            assert writer(trimmed, Path(folder) / file) == len(trimmed)
            assert list(reader(Path(folder) / file)) == trimmed


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1+1", "\uff201", "\n=1"),
        *('=HYPERLINK("http://x","y")', "=cmd|' /C calc'!A0"),
    ],
)
def test_a_spreadsheet_is_shown_text_and_no_formula_unless_asked(tmp_path: Path, text: str) -> None:
    item = replace(HINDI, text=text)
    write_csv([item], tmp_path / "safe.csv")
    write_csv([item], tmp_path / "plain.csv", is_raw=True)
    with (tmp_path / "safe.csv").open(newline="") as safe, (tmp_path / "plain.csv").open(newline="") as plain:
        assert list(csv.reader(safe))[1][5] == f"'{text}"
        assert list(csv.reader(plain))[1][5] == text
    assert list(read_csv(tmp_path / "safe.csv")) == list(read_csv(tmp_path / "plain.csv")) == [item]


@pytest.mark.parametrize("raw", ["{}", "[1]", '[{"session_id": "a", "start_time": true, "end_time": 1}]'])
def test_what_is_no_list_of_segments_is_refused(tmp_path: Path, raw: str) -> None:
    (tmp_path / "t.json").write_text(raw)
    with pytest.raises(InputError, match="E_FORMAT"):
        list(read_seglst(tmp_path / "t.json"))


@pytest.mark.parametrize(
    "raw", ["[" * 100_000, '[{"a": 1, "a": 2}]', "[1e999]", f"[{'9' * 400}]", '["\\ud800"]', "[NaN]"]
)
def test_json_with_a_trick_in_it_is_refused(tmp_path: Path, raw: str) -> None:
    (tmp_path / "t.json").write_text(raw)
    with pytest.raises(InputError, match="E_JSON"):
        list(read_seglst(tmp_path / "t.json"))
