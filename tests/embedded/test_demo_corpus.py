"""The demo's corpus: what its files say of each other, and of the sound."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from transcribe.embedded import demo_corpus

DEMO = demo_corpus()


def rows() -> list[dict[str, str]]:
    with (DEMO / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def turns(row: dict[str, str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DEMO / row["turns"]).read_text(encoding="utf-8").splitlines()]


def decoded(path: Path) -> np.ndarray:
    """Give samples at 16 kHz."""

    def blocks() -> Iterator[np.ndarray]:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
        with av.open(str(path)) as container:
            for frame in (*container.decode(audio=0), None):
                yield from (block.to_ndarray()[0] for block in resampler.resample(frame))

    return np.concatenate(list(blocks()))


def test_nobody_talks_in_two_conversations() -> None:
    conversations_by_speaker = Counter(
        speaker for row in rows() for speaker in {turn["speaker"] for turn in turns(row)}
    )
    assert set(conversations_by_speaker.values()) == {1}
    assert len(conversations_by_speaker) == 2 * len(rows())


def people() -> list[dict[str, str]]:
    with (DEMO / "speakers.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_person_has_a_voice_of_their_own() -> None:
    voices = {tuple(person[part] for part in ("main", "partner", "share", "speed", "warp")) for person in people()}
    assert len(voices) == len(people()) == 2 * len(rows())
    assert {person["speaker"] for person in people()} == {turn["speaker"] for row in rows() for turn in turns(row)}


def test_no_voice_is_heard_in_two_splits() -> None:
    split_of = {row["path"]: row["split"] for row in rows()}
    splits_by_voice: dict[str, set[str]] = {}
    for person in people():
        for voice in (person["main"], person["partner"]):
            splits_by_voice.setdefault(voice, set()).add(split_of[person["recording"]])
    assert {len(splits) for splits in splits_by_voice.values()} == {1}


def test_each_dialect_has_enough_to_learn_from_and_to_measure_with() -> None:
    counts = Counter((row["dialect"], row["split"]) for row in rows())
    for dialect in {row["dialect"] for row in rows()}:
        most = dialect in ("hi", "en-scotland")
        assert counts[dialect, "test"] >= (12 if most else 6)
        assert counts[dialect, "train"] >= (12 if most else 4)


def test_sidecars_and_rttm_files_agree() -> None:
    for row in rows():
        lines = (DEMO / row["path"]).with_suffix(".rttm").read_text(encoding="utf-8").splitlines()
        rttm_turns = [
            (fields[1], fields[7], round(float(fields[3]) * 1000), round(float(fields[4]) * 1000))
            for fields in map(str.split, lines)
        ]
        assert rttm_turns == [
            (row["session"], turn["speaker"], turn["start_ms"], turn["end_ms"] - turn["start_ms"])
            for turn in turns(row)
        ]


def test_scripted_corrections_are_the_truth() -> None:
    lines = (DEMO / "corrections.jsonl").read_text(encoding="utf-8").splitlines()
    truth = [{"recording": row["path"], **turn} for row in rows() for turn in turns(row)]
    assert [json.loads(line) for line in lines] == truth


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
    assert sum(file.stat().st_size for file in files) < 12_000_000
    assert {file.suffix for file in files} == {".opus", ".rttm", ".jsonl", ".csv", ".md"}
