"""The frozen corpus of the demo, and the script that makes such a corpus."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from transcribe.embedded import demo_corpus
from transcribe.embedded.conversations import Spoken, overlap_share
from transcribe.embedded.make_demo import PLAN, TURNS, make, parts, write_opus
from transcribe.embedded.texts import DIALECTS, vocabulary

DEMO = demo_corpus()


def rows() -> list[dict[str, str]]:
    with (DEMO / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def turns(row: dict[str, str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DEMO / row["turns"]).read_text(encoding="utf-8").splitlines()]


def words(dialect: str, split: str) -> list[str]:
    return [
        word
        for row in rows()
        if (row["dialect"], row["split"]) == (dialect, split)
        for turn in turns(row)
        for word in turn["text"].split()
    ]


def decoded(path: Path) -> np.ndarray:
    """Give samples at 16 kHz."""

    def blocks() -> Iterator[np.ndarray]:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
        with av.open(str(path)) as container:
            for frame in (*container.decode(audio=0), None):
                yield from (block.to_ndarray()[0] for block in resampler.resample(frame))

    return np.concatenate(list(blocks()))


def test_each_dialect_has_enough_conversations_of_each_split() -> None:
    counts = Counter((row["dialect"], row["split"]) for row in rows())
    assert counts == {(dialect, split): count for dialect, plan in PLAN.items() for split, count in plan.items()}
    assert counts["en-scotland", "test"] >= 12
    assert counts["en-scotland", "train"] >= 8
    for dialect in ("en-US", "en-GB", "en-029", "hi", "ta"):
        assert counts[dialect, "test"] >= 6
        assert counts[dialect, "train"] >= 3


@pytest.mark.parametrize("dialect", PLAN)
def test_the_test_part_of_each_dialect_has_words_enough_for_a_report(dialect: str) -> None:
    assert len(words(dialect, "test")) >= 330


def test_nobody_talks_in_two_conversations() -> None:
    seen = Counter(speaker for row in rows() for speaker in {turn["speaker"] for turn in turns(row)})
    assert set(seen.values()) == {1}
    assert len(seen) == 2 * len(rows())


def test_every_person_has_a_voice_of_their_own() -> None:
    with (DEMO / "speakers.csv").open(encoding="utf-8", newline="") as file:
        people = list(csv.DictReader(file))
    assert len({person["voice_name"] for person in people}) == len(people) == 2 * len(rows())
    assert {person["speaker"] for person in people} == {turn["speaker"] for row in rows() for turn in turns(row)}


def test_sidecars_and_rttm_files_agree() -> None:
    for row in rows():
        lines = (DEMO / row["path"]).with_suffix(".rttm").read_text(encoding="utf-8").splitlines()
        told = [
            (fields[1], fields[7], round(float(fields[3]) * 1000), round(float(fields[4]) * 1000))
            for fields in map(str.split, lines)
        ]
        assert told == [
            (row["session"], turn["speaker"], turn["start_ms"], turn["end_ms"] - turn["start_ms"])
            for turn in turns(row)
        ]


def test_scripted_corrections_are_the_truth() -> None:
    lines = (DEMO / "corrections.jsonl").read_text(encoding="utf-8").splitlines()
    truth = [{"recording": row["path"], **turn} for row in rows() for turn in turns(row)]
    assert [json.loads(line) for line in lines] == truth


def test_every_conversation_overlaps_a_little_and_is_in_one_known_dialect() -> None:
    words_of = {dialect: set(vocabulary(dialect)) for dialect in PLAN}
    for row in rows():
        spoken = [
            Spoken(
                start=turn["start_ms"],
                end=turn["end_ms"],
                speaker=turn["speaker"],
                dialect=turn["dialect"],
                text=turn["text"],
            )
            for turn in turns(row)
        ]
        assert 0.03 <= overlap_share(spoken) <= 0.11, row["path"]
        assert {turn.dialect for turn in spoken} == {row["dialect"]}
        assert {word for turn in spoken for word in turn.text.split()} <= words_of[row["dialect"]]


def test_a_quarter_of_the_weak_dialect_is_its_own_and_can_be_learnt() -> None:
    own = set(vocabulary("en-scotland")).difference(*(vocabulary(it) for it in DIALECTS if it != "en-scotland"))
    for split, least in (("train", 3), ("test", 4)):
        counts = Counter(words("en-scotland", split))
        assert min(counts[word] for word in own) >= least
        assert sum(counts[word] for word in own) / counts.total() == pytest.approx(0.26, abs=0.03)


def test_a_recording_is_loud_where_its_turns_are() -> None:
    for row in rows()[::24]:
        samples = decoded(DEMO / row["path"]).astype(np.float64)
        talking = np.zeros(len(samples), bool)
        for turn in turns(row):
            assert turn["end_ms"] * 16 <= len(samples)
            talking[turn["start_ms"] * 16 : turn["end_ms"] * 16] = True
        assert (samples[talking] ** 2).mean() > 20 * (samples[~talking] ** 2).mean()


def test_the_corpus_is_small() -> None:
    files = list(DEMO.iterdir())
    assert sum(file.stat().st_size for file in files) < 8_000_000
    assert {file.suffix for file in files} == {".opus", ".rttm", ".jsonl", ".csv", ".md"}


def test_no_two_parts_share_a_voice() -> None:
    voices = [voice.name for part in parts() for voice in part.people.values()]
    assert len(set(voices)) == len(voices) == 2 * sum(sum(plan.values()) for plan in PLAN.values())


def test_a_part_is_made_with_everything_that_is_known_of_it(tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader", reason="espeak-ng is not here: pip install espeakng-loader")
    part = next(parts())
    make(tmp_path, [part])

    made = {path.name for path in tmp_path.iterdir()}
    common = {"manifest.csv", "corrections.jsonl", "speakers.csv"}
    assert made == common | {f"{part.name}.{kind}" for kind in ("opus", "rttm", "jsonl")}
    lines = [json.loads(line) for line in (tmp_path / "corrections.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(lines) == TURNS
    assert {line["speaker"] for line in lines} == set(part.people)
    assert len(decoded(tmp_path / f"{part.name}.opus")) >= 16 * max(line["end_ms"] for line in lines)


def test_opus_keeps_times_and_repeats_its_bytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    samples = np.zeros(16_000, np.int16)
    samples[6000:9000] = rng.integers(-8000, 8000, 3000)
    for name in ("a.opus", "b.opus"):
        write_opus(tmp_path / name, samples)
    assert (tmp_path / "a.opus").read_bytes() == (tmp_path / "b.opus").read_bytes()
    heard = decoded(tmp_path / "a.opus").astype(np.float64)
    assert len(heard) == len(samples)
    lag = np.argmax(np.correlate(heard, samples.astype(np.float64), "full")) - (len(samples) - 1)
    assert abs(lag) <= 16
