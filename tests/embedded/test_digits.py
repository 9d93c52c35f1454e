"""Dialogues out of recorded digits."""

import csv
import json
import random
import wave
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from transcribe.embedded.conversations import overlap_share
from transcribe.embedded.digits import dialogues, pairings, write
from transcribe.embedded.texts import DIGITS
from transcribe.errors import InputError


def data_set(folder: Path, *, speakers: str, channels: int = 1, rates: tuple[int, ...] = (8000,)) -> Path:
    """Write two takes of each digit by each speaker, a buzz of 0.3 s each, with a manifest beside them."""
    rows = ["path,text,speaker,dialect"]
    for number, speaker in enumerate(speakers):
        rate_hz = rates[number % len(rates)]
        for digit, take in ((digit, take) for digit in range(10) for take in (0, 1)):
            name = f"{digit}_{speaker}_{take}.wav"
            buzz = np.where(np.arange(channels * rate_hz * 3 // 10) % 80 < 40, 3000, -3000).astype("<i2")
            with wave.open(str(folder / name), "wb") as file:
                file.setparams((channels, 2, rate_hz, 0, "NONE", ""))
                file.writeframes(buzz.tobytes())
            rows.append(f"{name},{DIGITS[digit]},{speaker},en-{'US' if number % 2 else 'GB'}")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("speakers", ["ab", "abc", "abcde"])
def test_everybody_is_heard_however_many_there_are(speakers: str, tmp_path: Path) -> None:
    enough = (len(speakers) + 1) // 2
    made = dialogues(data_set(tmp_path, speakers=speakers), recordings=range(2), count=enough, seconds=5)
    talking = [{turn.speaker for turn in dialogue.spoken} for dialogue in made]
    assert set.union(*talking) == set(speakers)
    assert all(len(pair) == 2 for pair in talking)


def test_somebody_talks_in_every_dialogue_if_asked_to(tmp_path: Path) -> None:
    made = dialogues(data_set(tmp_path, speakers="abc"), always="b", recordings=range(2), count=4, seconds=5)
    assert all("b" in {turn.speaker for turn in dialogue.spoken} for dialogue in made)
    with pytest.raises(InputError, match=r"has 3 .*a, b, c"):
        dialogues(tmp_path, always="z", recordings=range(2))


def test_every_pair_meets_once() -> None:
    pairs = pairings(list("abcdefg"), random.Random(1))
    assert len({frozenset(pair) for pair in pairs}) == len(pairs) == 21
    assert set("abcdefg") == {who for pair in pairs[:4] for who in pair}


def test_a_lone_speaker_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"two speakers .* has 1"):
        dialogues(data_set(tmp_path, speakers="a"), recordings=range(2))


def test_a_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no manifest"):
        dialogues(tmp_path)


def test_stereo_and_mixed_rates_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2 channels"):
        dialogues(data_set(tmp_path, speakers="ab", channels=2), recordings=range(2))
    with pytest.raises(InputError, match=r"8000, 16000"):
        dialogues(data_set(tmp_path, speakers="ab", rates=(8000, 16_000)), recordings=range(2))


def test_a_turn_has_up_to_six_digits_and_small_gaps(tmp_path: Path) -> None:
    (made,) = dialogues(data_set(tmp_path, speakers="ab"), recordings=range(2), count=1, seconds=40)
    lengths = {len(turn.text.split()) for turn in made.spoken}
    assert (min(lengths), max(lengths)) == (1, 6)
    for turn in made.spoken:
        said = len(turn.text.split())
        assert 300 * said + 50 * (said - 1) <= turn.end - turn.start <= 300 * said + 300 * (said - 1) + 1
        assert turn.word_starts[0] == turn.start
        assert turn.end - turn.word_starts[-1] == pytest.approx(300, abs=2)
        assert all(350 <= after - before <= 601 for before, after in pairwise(turn.word_starts))


def test_written_dialogues_can_be_ingested(tmp_path: Path) -> None:
    made = dialogues(data_set(tmp_path, speakers="ab"), recordings=range(2), count=2, seconds=6)
    out = tmp_path / "out"
    write(out, made, split="test", source="buzzes")
    with (out / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == ["digits-01.wav", "digits-02.wav"]
    assert {(row["split"], row["source"], row["dialect"]) for row in rows} == {("test", "buzzes", "en")}
    for row, dialogue in zip(rows, made, strict=True):
        with wave.open(str(out / row["path"]), "rb") as file:
            assert (file.getframerate(), file.getnframes()) == (8000, len(dialogue.samples))
        turns = [json.loads(line) for line in (out / row["turns"]).read_text(encoding="utf-8").splitlines()]
        assert [turn["text"] for turn in turns] == [turn.text for turn in dialogue.spoken]


def test_real_digits_make_dialogues_with_a_tenth_overlapped(speech: Path) -> None:
    made = dialogues(speech, count=3, seconds=30, seed=2)
    assert {dialogue.rate_hz for dialogue in made} == {8000}
    for dialogue in made:
        assert 20_000 < dialogue.duration < 45_000
        assert overlap_share(dialogue.spoken) == pytest.approx(0.1, abs=0.03)
        assert {word for turn in dialogue.spoken for word in turn.text.split()} <= set(DIGITS)


def test_the_seed_repeats_the_dialogues(tmp_path: Path) -> None:
    folder = data_set(tmp_path, speakers="abc")
    first, again, other = (
        dialogues(folder, recordings=range(2), count=1, seconds=5, seed=seed)[0] for seed in (1, 1, 2)
    )
    assert first.spoken == again.spoken
    assert np.array_equal(first.samples, again.samples)
    assert first.spoken != other.spoken
