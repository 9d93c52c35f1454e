"""`boli backup`, `boli restore`, `boli verify`: a workspace there and back, and every flipped bit by its name."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.backup.conftest import add_sound, read_workspace
from tests.commands.conftest import Run
from tests.store.desk_factories import talk
from tests.store.factories import correction
from tests.store.test_digests import FLIPS
from transcribe import embedded
from transcribe.audio import find_fault, integrity
from transcribe.backends.identity import folder_id
from transcribe.datasets import manifest as datasets
from transcribe.records import Model
from transcribe.wiring import Wiring
from transcribe.workspace import create


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A workspace with rows, a sound, a dataset and a model."""
    folder = create(tmp_path / "work")
    with Wiring.open(folder) as wiring:
        talk(wiring.store, count=3)
        wiring.store.corrections.add([correction("c1")])
        add_sound(wiring, "voice")
        examples = [
            datasets.Example(id=f"c{n}", audio="0" * 64, start=n, end=n + 1, text="one too", dialect="hi")
            for n in range(20)
        ]
        datasets.write(folder / "datasets" / "first", examples)
        model = folder / "models" / "tuned" / "ct2"
        shutil.copytree(embedded.whisper(), model)
        wiring.store.models.add(Model(id=folder_id(model), place="models/tuned/ct2", name="tuned"))
    return folder


def test_a_workspace_goes_there_and_back(run: Run, work: Path, tmp_path: Path) -> None:
    folder, again = tmp_path / "backup", tmp_path / "again"
    planned = run("backup", folder, "-w", work, "--dry-run", "--json").document["data"]
    assert not folder.exists()
    first = run("backup", folder, "-w", work, "--json").document
    assert first["schema"] == "boli.backup/1"
    assert first["data"]["copied"] == planned["copied"] == first["data"]["files"]
    second = run("backup", folder, "-w", work)
    assert second.code == 0
    assert second.out.endswith(f"0 copied, {planned['copied']} were there\n")
    restored = run("restore", folder, again, "--json")
    assert restored.code == 0
    assert (restored.document["schema"], restored.document["data"]["damaged"]) == ("boli.restore/1", [])
    assert read_workspace(again) == read_workspace(work)
    assert run("restore", folder, again).code == 4
    work.rename(tmp_path / "lost")
    assert run("restore", folder).code == 0
    assert read_workspace(work) == read_workspace(tmp_path / "lost")
    assert run("verify", "-w", again).out == "nothing is damaged: rows, pages and files are as stored\n"
    assert run("verify", "--backup", folder).out == "nothing is damaged: the backup holds what was backed up\n"


def test_progress_of_a_backup_says_how_long_it_takes(run: Run, work: Path, tmp_path: Path) -> None:
    shown = run("backup", tmp_path / "backup", "-w", work, "--progress", "plain").err.splitlines()
    assert shown[-1].startswith("backing up: 100%")
    assert " left" in shown[0]


#: The files of each kind of stored thing in a workspace, and what a flipped bit in one is named by.
KINDS: dict[str, tuple[Callable[[Path], list[Path]], str]] = {
    "sound": (lambda work: [*work.glob("audio/??/*.flac")], "sound of recording voice.wav"),
    "facts of a sound": (lambda work: [*work.glob("audio/??/*.json")], "sound of recording voice.wav"),
    "dataset": (lambda work: [*work.glob("datasets/first/*")], "dataset first"),
    "model": (lambda work: [f for f in work.glob("models/tuned/ct2/*") if f.suffix != ".md"], "model tuned"),
}


@pytest.mark.parametrize("count", FLIPS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_in_a_file_is_found_and_named(run: Run, work: Path, kind: str, count: int) -> None:
    list_files, name = KINDS[kind]
    chance = random.Random(f"{kind} {count}")
    for _ in range(count):
        file = chance.choice(sorted(list_files(work)))
        whole = flip_bit(file, chance)
        shown = run("verify", "-w", work, "--json")
        file.write_bytes(whole)
        assert shown.code == 6
        assert [damage["item"] for damage in shown.document["data"]["damaged"]] == [name], file
    assert run("verify", "-w", work).code == 0


@pytest.mark.parametrize("count", FLIPS)
def test_a_flipped_bit_in_a_backup_is_found_and_named(run: Run, work: Path, tmp_path: Path, count: int) -> None:
    folder, chance = tmp_path / "backup", random.Random(count)
    run("backup", folder, "-w", work)
    entries = json.loads((folder / "manifest.json").read_bytes())
    paths = {entry["sha256"]: entry["path"] for entry in [*entries["database"], *entries["files"]]}
    for _ in range(count):
        file = chance.choice(sorted(file for file in folder.rglob("*") if file.is_file() and file.stat().st_size))
        whole = flip_bit(file, chance)
        shown = run("verify", "--backup", folder)
        file.write_bytes(whole)
        assert shown.code == 6
        [line] = shown.out.splitlines()
        assert line.startswith(f"damaged: {paths.get(file.name, folder / 'manifest.json')}: ")


def flip_bit(file: Path, chance: random.Random) -> bytes:
    """Flip one bit of *file*, and return what it held."""
    whole = file.read_bytes()
    damaged = bytearray(whole)
    damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
    file.write_bytes(damaged)
    return whole


def test_a_database_that_cannot_be_opened_is_named_and_the_files_are_checked(run: Run, work: Path) -> None:
    (work / "boli.db").write_bytes(b"no database at all")
    [sound] = work.glob("audio/??/*.flac")
    sound.write_bytes(b"no sound")
    shown = run("verify", "-w", work)
    assert shown.code == 6
    lines = shown.out.splitlines()
    assert lines[0].startswith(f"damaged: {work}/boli.db: ")
    assert lines[1].startswith(f"damaged: sound of recording {sound.stem[:12]}: ")


def test_a_sound_from_before_there_were_hashes_is_held_against_its_own(run: Run, work: Path) -> None:
    [facts] = work.glob("audio/??/*.json")
    sealed = json.loads(facts.read_bytes())
    facts.write_text(json.dumps({name: sealed[name] for name in sealed if "sha256" not in name}), encoding="utf-8")
    assert run("verify", "-w", work).code == 0
    sound = facts.with_suffix(".flac")
    content = bytearray(sound.read_bytes())
    content[len(content) // 2] ^= 1
    sound.write_bytes(content)
    assert run("verify", "-w", work).out.startswith("damaged: sound of recording voice.wav: ")


def test_what_was_erased_is_no_damage_and_leaves_the_backup(run: Run, work: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    run("backup", folder, "-w", work)
    [sound] = work.glob("audio/??/*.flac")
    integrity.renew_facts(sound)
    assert find_fault(sound) is None
    copy = work / "boli.db.0014.20260131T120000.000Z"
    shutil.copy(work / "boli.db", copy)
    assert run("erase", "voice.wav", "-w", work).code == 0
    assert not copy.exists(), "the copy from before a migration still has what was erased"
    assert run("verify", "-w", work).code == 0
    assert run("backup", folder, "-w", work, "--json").document["data"]["removed"] >= 2
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert [entry["path"] for entry in manifest["files"] if entry["path"].endswith(".flac")] == []
