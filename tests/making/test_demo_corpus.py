"""The corpus: who is heard how, and the files that tell it."""

import csv
import json
import random
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.making.demo_corpus import (
    Part,
    by_turns,
    draw_conditions,
    is_whole,
    plan,
    read_share,
    record,
    write_conversation,
    write_tables,
)
from benchmarks.making.sound import overlap_share
from benchmarks.making.texts import Line, read_scripts
from benchmarks.making.truth import MANIFEST_COLUMNS, read_turns

PARTS = plan(read_scripts())


def buzzes(part: Part) -> list[np.ndarray]:
    """Stand in for the speech of a part's lines: a second of buzz for each ten letters."""
    return [
        np.where(np.arange(len(line.text) * 1600) % 160 < 80, 0.1, -0.1).astype(np.float32)
        for line in part.script.lines
    ]


def named(name: str) -> Part:
    return next(part for part in PARTS if part.name == name)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two conversations, buzzed, with all files."""
    out = tmp_path_factory.mktemp("corpus")
    parts = [named("en-US-test-01"), named("hi-train-01")]
    for part in parts:
        write_conversation(out, record(part, buzzes(part)))
    write_tables(out, parts)
    return out


def test_conditions_have_the_shares_that_the_readme_states() -> None:
    conditions = draw_conditions(12, random.Random(1))

    assert sum(it.telephone for it in conditions) == 3
    assert sum(it.overlap > 0 for it in conditions) == 6
    assert sum(it.noise_db < 28 for it in conditions) == 4
    assert all(it.overlap == 0 or 0.05 <= it.overlap <= 0.1 for it in conditions)


def test_every_split_of_a_variety_has_a_telephone() -> None:
    groups = {(part.script.variety, part.script.split) for part in PARTS}
    heard = {(part.script.variety, part.script.split) for part in PARTS if part.conditions.telephone}

    assert heard == groups
    assert 0.2 < sum(part.conditions.telephone for part in PARTS) / len(PARTS) < 0.32


def test_work_is_shared_without_gap_or_repetition() -> None:
    ordered = by_turns(PARTS)

    assert Counter(part.name for part in ordered) == Counter(part.name for part in PARTS)
    assert {part.script.variety for part in ordered[:7]} == {part.script.variety for part in PARTS}
    halves = [ordered[first - 1 :: of] for first, of in (read_share("1/2"), read_share("2/2"))]
    assert Counter(part.name for half in halves for part in half) == Counter(part.name for part in PARTS)


@pytest.mark.parametrize("wrong", ["0/2", "3/2", "1", "a/b"])
def test_a_wrong_share_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError):
        read_share(wrong)


def test_a_recording_is_the_same_each_time_and_says_all_lines() -> None:
    part = named("hi-x-mixed-train-01")
    first, again = (record(part, buzzes(part)) for _ in range(2))

    assert np.array_equal(first.samples, again.samples)
    assert first.spoken == again.spoken
    assert sorted(turn.text for turn in first.spoken) == sorted(line.text for line in part.script.lines)
    assert overlap_share(first.spoken) <= part.conditions.overlap + 0.01


def test_a_telephone_is_heard_where_the_plan_says() -> None:
    part = named("en-US-test-01")
    loud = {}
    for telephone in (False, True):
        heard = record(replace(part, conditions=replace(part.conditions, telephone=telephone)), buzzes(part))
        spectrum = np.abs(np.fft.rfft(heard.samples.astype(np.float64)))
        loud[telephone] = spectrum[len(spectrum) // 2 :].sum() / spectrum.sum()

    assert loud[True] < 0.1 * loud[False]


def test_the_truth_is_the_same_in_all_its_files(corpus: Path) -> None:
    for name in ("en-US-test-01", "hi-train-01"):
        turns = read_turns(corpus / f"{name}.jsonl")
        rows = [line.split() for line in (corpus / f"{name}.rttm").read_text(encoding="utf-8").splitlines()]

        assert [(row[0], row[1], row[7]) for row in rows] == [("SPEAKER", name, turn.speaker) for turn in turns]
        assert [round(float(row[3]) * 1000) for row in rows] == [turn.start for turn in turns]
        assert [round(float(row[4]) * 1000) for row in rows] == [turn.end - turn.start for turn in turns]
        assert {turn.speaker for turn in turns} == {f"{name}-a", f"{name}-b"}


def test_the_manifest_names_files_that_are_there(corpus: Path) -> None:
    with (corpus / "manifest.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)

    assert tuple(reader.fieldnames or ()) == MANIFEST_COLUMNS
    assert [(row["path"], row["dialect"], row["language"], row["split"]) for row in rows] == [
        ("en-US-test-01.opus", "en-US", "en", "test"),
        ("hi-train-01.opus", "hi", "hi", "train"),
    ]
    assert all((corpus / row["path"]).exists() and (corpus / row["turns"]).exists() for row in rows)


def test_corrections_hold_every_turn_of_every_recording(corpus: Path) -> None:
    lines = [json.loads(line) for line in (corpus / "corrections.jsonl").read_text(encoding="utf-8").splitlines()]

    for name in ("en-US-test-01", "hi-train-01"):
        texts = [line["text"] for line in lines if line["recording"] == f"{name}.opus"]
        assert texts == [turn.text for turn in read_turns(corpus / f"{name}.jsonl")]


def test_speakers_are_told_with_their_voices_and_lines(corpus: Path) -> None:
    with (corpus / "speakers.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["speaker"]: row for row in csv.DictReader(file)}

    person = named("hi-train-01").people["B"]
    assert set(rows) == {f"{name}-{letter}" for name in ("en-US-test-01", "hi-train-01") for letter in "ab"}
    assert rows[person.name]["main"] == person.main
    assert rows[person.name]["telephone"] == ("yes" if named("hi-train-01").conditions.telephone else "no")


def test_the_readme_counts_what_is_there(corpus: Path) -> None:
    text = (corpus / "README.md").read_text(encoding="utf-8")

    assert text.startswith("# The demo's corpus\n\n2 conversations of two synthetic people,")
    assert "| `en-US` | American English, American voices | 0 | 1 | 0 | 9 |" in text
    assert "{" not in text


def test_only_a_whole_conversation_that_says_its_script_is_passed_over(corpus: Path, tmp_path: Path) -> None:
    part = named("hi-train-01")
    first, *others = part.script.lines
    mended = replace(part.script, lines=(Line(speaker=first.speaker, text="नई बात।"), *others))

    assert is_whole(corpus, part)
    assert not is_whole(corpus, replace(part, script=mended))
    assert not is_whole(tmp_path, part)


def test_the_command_lists_what_is_to_be_made(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.making.demo_corpus", "--out", str(tmp_path), "--list"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    assert "hi: 21 train, 12 test, 3 dev; " in printed
    assert printed.count("to be made") == len(PARTS)
    assert list(tmp_path.iterdir()) == []
