"""A backup is whole, whoever writes meanwhile and wherever it is killed, and what is restored is what was backed up."""

from __future__ import annotations

import json
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.backup.conftest import (
    NewPlace,
    add_sound,
    back_up,
    ignore,
    kill_at,
    read_rows,
    read_workspace,
    restore,
)
from tests.store.conftest import execute
from tests.store.factories import correction
from tests.store.test_digests import unguard
from transcribe.backup.checking import check_backup, check_workspace
from transcribe.backup.manifest import MANIFEST, read_manifest, write_manifest
from transcribe.backup.writing import write_backup
from transcribe.errors import BoliError, InputError, UnfitError
from transcribe.wiring import Wiring

#: Points at which a process is killed: some in every run of the tests, fifty in the long form.
KILLS = [3, pytest.param(50, marks=pytest.mark.soak)]


def list_damage(workspace: Path) -> list[str]:
    with Wiring.open(workspace) as wiring:
        return [f"{damage.item}: {damage.message}" for damage in check_workspace(wiring)]


def test_what_is_restored_is_what_was_backed_up(work: Path, new_place: NewPlace, tmp_path: Path) -> None:
    back_up(work, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "again", new_place())
    assert read_workspace(tmp_path / "again") == read_workspace(work)
    assert list_damage(tmp_path / "again") == []
    with Wiring.open(tmp_path / "again") as wiring:
        # Numbers go on where they were, and the triggers are back.
        wiring.store.corrections.add([correction("later")])
    assert list_damage(tmp_path / "again") == []


def test_a_backup_is_for_its_owner_alone(work: Path, new_place: NewPlace, tmp_path: Path) -> None:
    back_up(work, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "again", new_place())
    for folder in (tmp_path / "backup", tmp_path / "again"):
        modes = {
            (path.is_dir(), stat.S_IMODE(path.stat().st_mode))
            for path in (folder, *folder.rglob("*"))
            if not path.name.startswith("boli.db-")
        }
        assert modes == {(True, 0o700), (False, 0o600)}


def test_a_second_backup_copies_only_what_is_new_and_forgets_what_is_gone(work: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    with Wiring.open(work) as wiring:
        first = write_backup(wiring, folder, ignore)
        assert (first.unchanged, first.copied) == (0, len(first.manifest.files))
        sound = add_sound(wiring, "another voice")
        second = write_backup(wiring, folder, ignore)
        assert (second.unchanged, second.copied) == (first.copied, 2)
        sound.unlink()
        third = write_backup(wiring, folder, ignore)
        assert third.copied == 0
    named = {entry.sha256 for entry in third.manifest.entries}
    assert {file.name for file in (folder / "objects").glob("??/*")} == named
    assert list(check_backup(folder)) == []


def test_texts_that_were_acknowledged_before_a_backup_are_in_it(
    work: Path, new_place: NewPlace, tmp_path: Path
) -> None:
    """Eight threads write while it is made; those texts that were saved before it began are all in the copy."""
    acknowledged: list[str] = []
    is_over, many = threading.Event(), threading.Event()

    def write(writer: int) -> None:
        number = 0
        with Wiring.open(work) as wiring:
            while not is_over.is_set():
                id = f"w{writer}-{number}"
                wiring.store.corrections.add([correction(id, start=number, end=number + 5, text=f"text of {id}")])
                acknowledged.append(id)
                number += 1
                if len(acknowledged) > 40:
                    many.set()

    writers = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in writers:
        thread.start()
    try:
        assert many.wait(120)
        before = set(acknowledged)
        back_up(work, tmp_path / "backup")
        after = set(acknowledged)
    finally:
        is_over.set()
        for thread in writers:
            thread.join()
    restore(tmp_path / "backup", tmp_path / "again", new_place())
    with Wiring.open(tmp_path / "again") as wiring:
        texts = {entry.id: entry.text for entry in wiring.store.corrections.fetch()}
    assert before - texts.keys() == set()
    assert {texts[id] for id in before} == {f"text of {id}" for id in before}
    assert after > before, "nobody wrote while the backup was made"
    assert list_damage(tmp_path / "again") == []


@pytest.mark.parametrize("kills", KILLS)
def test_a_killed_backup_leaves_the_one_before(work: Path, new_place: NewPlace, tmp_path: Path, kills: int) -> None:
    folder = tmp_path / "backup"
    back_up(work, folder)
    before = read_workspace(work)
    with Wiring.open(work) as wiring:
        add_sound(wiring, "another voice")
        wiring.store.corrections.add([correction("later")])
    after = read_workspace(work)
    total = kill_at(None, lambda: back_up(work, tmp_path / "counted"))
    assert total is not None and total > 30
    states = []
    for number in range(kills):
        kill_at(total * (number + 1) // (kills + 1), lambda: back_up(work, folder))
        assert list(check_backup(folder)) == []
        restored = tmp_path / f"again {number}"
        restore(folder, restored, new_place())
        states.append(read_workspace(restored))
    assert all(state in (before, after) for state in states)
    assert states[0] == before
    back_up(work, folder)
    restore(folder, tmp_path / "last", new_place())
    assert read_workspace(tmp_path / "last") == after


@pytest.mark.parametrize("kills", KILLS)
def test_a_killed_restore_is_no_workspace_and_can_be_run_again(
    work: Path, new_place: NewPlace, tmp_path: Path, kills: int
) -> None:
    folder, whole = tmp_path / "backup", read_workspace(work)
    back_up(work, folder)
    total = kill_at(None, lambda: restore(folder, tmp_path / "counted", new_place()))
    assert total is not None and total > 20
    killed = 0
    for number in range(kills):
        workspace, place = tmp_path / f"again {number}", new_place()
        point = total * (number + 1) // (kills + 1)
        killed += kill_at(point, lambda w=workspace, p=place: restore(folder, w, p)) is None
        if not workspace.exists():
            restore(folder, workspace, place)
        assert read_workspace(workspace) == whole
    assert killed == kills


@pytest.mark.parametrize("damage", ["cut", "flip", "missing", "newer", "outside", "no manifest", "flipped manifest"])
def test_a_damaged_backup_is_refused_and_nothing_is_restored(
    work: Path, new_place: NewPlace, tmp_path: Path, damage: str
) -> None:
    folder = tmp_path / "backup"
    back_up(work, folder)
    manifest = read_manifest(folder)
    largest = max(manifest.entries, key=lambda entry: entry.size)
    victim = folder / "objects" / largest.sha256[:2] / largest.sha256
    if damage == "cut":
        victim.write_bytes(victim.read_bytes()[:-1])
    elif damage == "flip":
        flip_bit(victim, largest.size // 2)
    elif damage == "missing":
        victim.unlink()
    elif damage == "no manifest":
        (folder / MANIFEST).unlink()
    elif damage == "flipped manifest":
        flip_bit(folder / MANIFEST, (folder / MANIFEST).read_bytes().index(b'"size": ') + 8)
    elif damage == "outside":
        # Its own hash holds: somebody made it so.
        [first, *others] = manifest.files
        write_manifest(folder, replace(manifest, files=(replace(first, path="../outside"), *others)))
    else:
        document = json.loads((folder / MANIFEST).read_bytes())
        (folder / MANIFEST).write_text(json.dumps(document | {"schema": "boli.backup/2"}), encoding="utf-8")
    with pytest.raises(BoliError) as refused:
        restore(folder, tmp_path / "again", new_place())
    assert refused.value.code == "E_BACKUP"
    assert not (tmp_path / "again").exists()
    assert not (tmp_path / "outside").exists()
    if damage in ("cut", "flip", "missing"):
        assert largest.path in str(refused.value)
        assert [entry.item for entry in check_backup(folder)] == [largest.path]


def flip_bit(file: Path, position: int, bit: int = 0) -> None:
    content = bytearray(file.read_bytes())
    content[position] ^= 1 << bit
    file.write_bytes(content)


def test_a_damaged_database_takes_no_good_backup_away(work: Path, new_place: NewPlace, tmp_path: Path) -> None:
    back_up(work, tmp_path / "backup")
    before = read_workspace(work)
    with Wiring.open(work) as wiring:
        url = wiring.store.database.location.url
        kind = url.drivername.partition("+")[0]
        address = url.set(drivername=kind).render_as_string(hide_password=False)
        execute(address, *unguard(wiring.store), "UPDATE corrections SET text = 'one toe' WHERE id = 'c1'")
        with pytest.raises(UnfitError) as refused:
            write_backup(wiring, tmp_path / "backup", ignore)
        assert refused.value.code == "E_DAMAGED"
        assert refused.value.item == "corrections 2, recording talk.wav"
        [warning] = write_backup(wiring, tmp_path / "new", ignore).warnings
        assert warning.startswith("W_DAMAGED: corrections 2")
    restore(tmp_path / "backup", tmp_path / "again", new_place())
    assert read_workspace(tmp_path / "again") == before


def test_a_backup_goes_nowhere_where_it_would_do_harm(work: Path, new_place: NewPlace, tmp_path: Path) -> None:
    strange = tmp_path / "photos"
    strange.mkdir()
    (strange / "cat.jpg").write_bytes(b"cat")
    with Wiring.open(work) as wiring:
        for folder in (work / "backup", strange):
            with pytest.raises(InputError):
                write_backup(wiring, folder, ignore)
        rows = read_rows(wiring.store)
    back_up(work, tmp_path / "backup")
    with pytest.raises(InputError, match="not empty"):
        restore(tmp_path / "backup", strange, new_place())
    assert sorted(strange.iterdir()) == [strange / "cat.jpg"]
    if new_place() is not None:
        # The settings name the database that was backed up, which is still in use.
        with pytest.raises(InputError, match="tables"):
            restore(tmp_path / "backup", tmp_path / "again", None)
    with Wiring.open(work) as wiring:
        assert read_rows(wiring.store) == rows


def test_an_erasure_meanwhile_is_said_and_stops_nothing(work: Path, new_place: NewPlace, tmp_path: Path) -> None:
    def erase(_size: int) -> object:
        with Wiring.open(work) as other:
            other.store.erasure.erase(other.store.erasure.find_by_recording(next(other.store.recordings.fetch()).id))
        for sound in (work / "audio").rglob("*.flac"):
            sound.unlink()
        return lambda _done: None

    with Wiring.open(work) as wiring:
        written = write_backup(wiring, tmp_path / "backup", erase)  # type: ignore[arg-type]
    assert [warning.split(":")[0] for warning in written.warnings] == ["W_GONE", "W_ERASED"]
    restore(tmp_path / "backup", tmp_path / "again", new_place())
