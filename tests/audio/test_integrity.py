"""A flipped bit in a received sound, or in the facts beside it, is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.audio.test_import_media import saved, tone
from transcribe import audio


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return audio.receive(saved(tmp_path, tone()), tmp_path / "audio").path


def flip(file: Path, position: int) -> None:
    content = bytearray(file.read_bytes())
    content[position] ^= 4
    file.write_bytes(content)


def test_a_flip_in_any_byte_of_the_facts_is_found(sound: Path) -> None:
    facts = sound.with_suffix(".json")
    whole = facts.read_bytes()
    assert audio.find_fault(sound) is None
    for position in range(len(whole)):
        flip(facts, position)
        assert audio.find_fault(sound) is not None, position
        facts.write_bytes(whole)


@pytest.mark.parametrize("is_sealed", [True, False])
def test_a_flip_in_the_samples_is_found_with_a_hash_and_by_the_sum_of_flac_itself(sound: Path, is_sealed: bool) -> None:
    facts = sound.with_suffix(".json")
    if not is_sealed:
        document = json.loads(facts.read_bytes())
        facts.write_text(json.dumps({name: fact for name, fact in document.items() if "sha256" not in name}))
    assert audio.find_fault(sound) is None
    flip(sound, sound.stat().st_size // 2)
    assert audio.find_fault(sound) is not None


def test_silence_put_on_purpose_and_a_sound_removed_on_purpose_are_no_faults(sound: Path) -> None:
    folder = sound.parent.parent
    audio.erase_sound(folder, sound.stem, [(0, 500)])
    assert audio.find_fault(sound) is None
    sound.rename(sound.with_suffix(".moved"))
    assert audio.find_fault(sound) == "is gone"
    audio.erase_sound(folder, sound.stem, None)
    assert not sound.with_suffix(".json").exists()
