from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, event, text

from tests.store.conftest import NewUrl, bare_database, execute
from tests.store.factories import DIARISATION, MODEL, correction, make_drafted, recording
from transcribe.errors import ConfigError, UnfitError
from transcribe.store import Store
from transcribe.store.database_url import parse_url
from transcribe.store.engine import journal_mode, set_journal
from transcribe.store.migrations import HEAD
from transcribe.store.preflight import file_system_of, refuse_unfit

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that is not there yet, or that holds nothing."""
    yield (
        f"sqlite:///{tmp_path}/new.db"
        if request.param == "sqlite"
        else bare_database(request.getfixturevalue("server"))
    )


def test_an_empty_place_gets_a_database_that_opens_again(bare_url: str) -> None:
    with Store.open(bare_url) as store:
        store.recordings.add([recording()])
    with Store.open(bare_url) as store:
        assert list(store.recordings.fetch()) == [recording()]


def test_many_who_open_a_new_database_at_once_share_it(bare_url: str) -> None:
    def add(name: str) -> None:
        with Store.open(bare_url) as store:
            store.recordings.add([recording(name)])

    threads = [threading.Thread(target=add, args=[name]) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Store.open(bare_url) as store:
        assert store.status.count().recordings == 4


def test_a_database_without_a_version_is_brought_up(bare_url: str) -> None:
    """Version zero: the table of versions is there, and nothing else of ours."""
    if bare_url.startswith("sqlite"):
        sqlite3.connect(bare_url.removeprefix("sqlite:///")).close()
    execute(bare_url, "CREATE TABLE boli_schema (version_num VARCHAR(32) NOT NULL)")
    with Store.open(bare_url) as store:
        assert store.status.count().recordings == 0


def test_a_database_of_a_newer_program_is_refused_and_not_changed(new_url: NewUrl) -> None:
    url = new_url()
    execute(url, "UPDATE boli_schema SET version_num = '9999'")
    try:
        with pytest.raises(ConfigError, match="E_SCHEMA_NEWER"):
            Store.open(url)
    finally:
        execute(url, f"UPDATE boli_schema SET version_num = '{HEAD}' WHERE version_num = '9999'")
    Store.open(url).close()


def test_every_connection_waits_for_the_disk_and_keeps_references(sqlite_url: str) -> None:
    with Store.open(sqlite_url) as store, store.database.begin_read() as connection:
        values = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("synchronous", "foreign_keys", "busy_timeout", "journal_mode")
        }
    assert values == {
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5_000,
        "journal_mode": journal_mode(sqlite3.sqlite_version_info).lower(),
    }


@pytest.mark.parametrize(
    ("version", "mode"),
    [
        ((3, 40, 1), "DELETE"),
        ((3, 44, 5), "DELETE"),
        ((3, 44, 6), "WAL"),
        ((3, 45, 0), "DELETE"),
        ((3, 50, 6), "DELETE"),
        ((3, 50, 7), "WAL"),
        ((3, 51, 2), "DELETE"),
        ((3, 51, 3), "WAL"),
        ((3, 52, 0), "DELETE"),
        ((3, 54, 1), "WAL"),
    ],
)
def test_only_a_mended_sqlite_writes_ahead(version: tuple[int, int, int], mode: str) -> None:
    assert journal_mode(version) == mode


def test_a_writer_holds_the_lock_before_it_reads(url: str) -> None:
    """Two who read, think and write never lose to each other: the second waits for the first."""
    with Store.open(url) as store:
        store.recordings.add([recording(), recording("other")])
        id, order = recording().id, []
        barrier = threading.Barrier(2)

        def begin() -> None:
            barrier.wait()
            order.append(store.attempts.begin(id))

        threads = [threading.Thread(target=begin) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(order) == [1, 2]


def test_a_slow_reader_does_not_stop_a_writer(url: str) -> None:
    with Store.open(url) as store:
        store.recordings.add(recording(f"talk {n}") for n in range(600))
        reader = store.recordings.fetch()
        next(reader)
        store.recordings.add([recording("late")])
        assert len(list(reader)) >= 599


def expect_refusal(path: Path, code: str) -> None:
    """Check that opening *path* is refused with *code* and leaves its folder as it was."""
    contents = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    with pytest.raises(UnfitError, match=code) as refused:
        Store.open(f"sqlite:///{path}")
    assert refused.value.exit_code == 8
    assert str(path) in str(refused.value)
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == contents


@pytest.mark.parametrize("content", [b"", b"id,text\n1,one\n", b"SQLite format 2\x00", b"\x00" * 4_096])
def test_a_file_that_is_no_database_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "boli.db"
    path.write_bytes(content)
    expect_refusal(path, "E_NOT_A_DATABASE")


def test_a_database_of_another_program_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "boli.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (name)")
    connection.close()
    expect_refusal(path, "E_NOT_A_DATABASE")


@pytest.mark.parametrize(
    ("offset", "damage", "code"),
    [
        (0, b"\x00", "E_NOT_A_DATABASE"),
        (16, b"\x01\x01", "E_DAMAGED"),
        (18, b"\x09\x09", "E_"),
        (100, b"\xff" * 40, "E_DAMAGED"),
    ],
)
def test_a_damaged_header_is_refused_and_stays_as_it_is(
    tmp_path: Path, template: Path, offset: int, damage: bytes, code: str
) -> None:
    path = tmp_path / "boli.db"
    path.write_bytes(template.read_bytes()[:offset] + damage + template.read_bytes()[offset + len(damage) :])
    expect_refusal(path, code)


def test_a_database_cut_short_is_refused_and_stays_as_it_is(tmp_path: Path, template: Path) -> None:
    path = tmp_path / "boli.db"
    path.write_bytes(template.read_bytes()[:50])
    expect_refusal(path, "E_")


def test_damage_behind_the_header_is_said_when_it_is_met(tmp_path: Path, template: Path) -> None:
    path = tmp_path / "boli.db"
    shutil.copy(template, path)
    with Store.open(f"sqlite:///{path}") as store:
        store.recordings.add(recording(f"talk {n}") for n in range(50))
    whole = path.read_bytes()
    path.write_bytes(whole[: 2 * 4_096] + b"\xff" * (len(whole) - 2 * 4_096))
    with pytest.raises(UnfitError, match="E_DAMAGED"), Store.open(f"sqlite:///{path}") as store:
        list(store.recordings.fetch())


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnfitError, match=r"E_NO_FOLDER.*no/where"):
        Store.open(f"sqlite:///{tmp_path}/no/where/boli.db")


def test_a_folder_in_the_databases_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "boli.db").mkdir()
    with pytest.raises(UnfitError, match="E_NOT_A_DATABASE"):
        Store.open(f"sqlite:///{tmp_path}/boli.db")


def test_a_database_that_was_moved_away_does_not_come_back_empty(tmp_path: Path, template: Path) -> None:
    path = Path(shutil.copy(template, tmp_path / "boli.db"))
    store = Store.open(f"sqlite:///{path}")
    store.close()
    path.rename(tmp_path / "elsewhere.db")
    with pytest.raises(UnfitError):
        store.status.count()
    assert not path.exists()
    store.close()


MOUNTS = """
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:25 / /mnt/share rw shared:9 - nfs4 host:/share rw
31 22 0:26 / /mnt/share/local rw - xfs /dev/vdb rw
32 22 0:27 / /mnt/with\\040space rw - cifs //host/x rw
33 22 0:28 / /home/ann/cloud rw - fuse.sshfs ann@host: rw
34 22 0:29 / /mnt/twice rw - ext4 /dev/vdc rw
35 22 0:30 / /mnt/twice rw - smb3 //host/y rw
36 22 0:31 / /media/usb rw - fuseblk /dev/sda1 rw
""".strip()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/boli.db", "ext4"),
        ("/mnt/share/a/boli.db", "nfs4"),
        ("/mnt/shared/boli.db", "ext4"),
        ("/mnt/share/local/boli.db", "xfs"),
        ("/mnt/with space/boli.db", "cifs"),
        ("/home/ann/cloud/boli.db", "fuse.sshfs"),
        ("/mnt/twice/boli.db", "smb3"),
        ("/media/usb/boli.db", "fuseblk"),
    ],
)
def test_the_nearest_and_newest_mount_says_the_file_system(path: str, kind: str) -> None:
    assert file_system_of(Path(path), MOUNTS) == kind


def test_without_a_list_of_mounts_the_file_system_is_unknown() -> None:
    assert file_system_of(Path("/srv/boli.db"), "") is None


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "smb3", "fuse.sshfs", "ext4", "fuseblk", "overlay"])
def test_only_network_file_systems_are_refused(tmp_path: Path, kind: str) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 254:0 / / rw - {kind} somewhere rw\n")
    if kind in ("ext4", "fuseblk", "overlay"):
        refuse_unfit(tmp_path / "boli.db", mounts=mounts)
        return
    with pytest.raises(UnfitError, match=f"E_NETWORK_FILE_SYSTEM.*{kind}"):
        refuse_unfit(tmp_path / "boli.db", mounts=mounts)


def in_own_mounts(script: str, python: str) -> str:
    """Return what *python* prints after the shell *script* has mounted what it likes, unseen by everybody else."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("this system lets no test mount anything of its own (unshare -rm)")
    command = ["unshare", "-rm", "sh", "-ec", f'{script}\nexec "$0" -c "$1"', sys.executable, python]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


REFUSED = """
from transcribe.errors import UnfitError
from transcribe.store import Store
try:
    Store.open("sqlite:///{path}")
except UnfitError as error:
    print(error)
"""


def test_a_read_only_folder_is_refused(tmp_path: Path, template: Path) -> None:
    shutil.copy(template, tmp_path / "boli.db")
    read_only = f"mount --bind '{tmp_path}' '{tmp_path}' && mount -o remount,ro,bind '{tmp_path}'"
    for name in ("boli.db", "new.db"):
        output = in_own_mounts(read_only, REFUSED.format(path=tmp_path / name))
        assert output.startswith("E_READ_ONLY: ")
    assert [file.name for file in tmp_path.iterdir()] == ["boli.db"]


FILLED = """
import pathlib
from tests.store.factories import make_drafted, recording
from transcribe.errors import UnfitError
from transcribe.store import Store

def full(call):
    try:
        call()
    except UnfitError as error:
        assert str(error).startswith("E_DISK_FULL"), error
        return True
    return False

store = Store.open("sqlite:///{folder}/boli.db")
saved = []
for n in range(10_000):
    name = f"talk {{n}}"
    work = make_drafted(name)
    if full(lambda: (store.recordings.add([recording(name)]), store.drafts.save(work), saved.append(name))):
        break
assert saved and list(store.drafts.fetch(recording(saved[-1]).id, "model-1"))
assert full(lambda: Store.open("sqlite:///{folder}/new.db"))
assert not pathlib.Path("{folder}/new.db").exists()
with store.database.begin_read() as connection:
    print(connection.exec_driver_sql("PRAGMA integrity_check").scalar())
"""


def test_a_full_disk_is_said_and_what_was_saved_stays(tmp_path: Path) -> None:
    output = in_own_mounts(f"mount -t tmpfs -o size=500k none '{tmp_path}'", FILLED.format(folder=tmp_path))
    assert output == "ok"


def test_a_writer_who_waits_too_long_says_so(sqlite_url: str) -> None:
    with Store.open(sqlite_url) as store, Store.open(sqlite_url) as other:
        with store.database.engine.connect() as connection:
            # The only connection of the pool: the next transaction gets it too.
            connection.exec_driver_sql("PRAGMA busy_timeout = 50")
        with other.database.begin_write(), pytest.raises(UnfitError, match=r"E_LOCKED.*another process"):
            store.recordings.add([recording()])
        assert store.recordings.add([recording()]).new == (recording().id,)


def test_a_file_in_write_ahead_mode_is_brought_back(tmp_path: Path, template: Path) -> None:
    path = shutil.copy(template, tmp_path / "boli.db")
    other = sqlite3.connect(path)
    assert other.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
    other.execute("SELECT count(*) FROM recordings").fetchone()
    location = parse_url(f"sqlite:///{path}")
    with contextlib.closing(sqlite3.connect(path, timeout=0.05)) as ours:
        with pytest.raises(UnfitError, match=r"E_LOCKED.*write-ahead"):
            set_journal(ours, "DELETE", location)
        other.close()
        set_journal(ours, "DELETE", location)
        assert ours.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        set_journal(ours, "WAL", location)
        assert ours.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_two_names_of_one_file_are_one_database(tmp_path: Path, template: Path) -> None:
    shutil.copy(template, tmp_path / "boli.db")
    (tmp_path / "link.db").symlink_to(tmp_path / "boli.db")
    names = [f"sqlite:///{tmp_path}/{name}" for name in ("boli.db", "link.db")]
    with Store.open(names[0]) as store, Store.open(names[1]) as other:
        assert store.database.location == other.database.location


def test_a_folder_may_be_called_anything(tmp_path: Path) -> None:
    folder = tmp_path / "a b%20#é&[x]"
    folder.mkdir()
    url = URL.create("sqlite", database=str(folder / "boli.db")).render_as_string()
    with Store.open(url) as store:
        store.recordings.add([recording()])
    assert sorted(file.name for file in folder.iterdir()) == ["boli.db", "boli.db.migrate.lock"]


def test_no_look_up_reads_a_whole_table(tmp_path: Path, template: Path) -> None:
    """Check that what runs for each recording or correction finds its rows through an index."""
    path, statements = shutil.copy(template, tmp_path / "boli.db"), []
    with Store.open(f"sqlite:///{path}") as store:
        event.listen(
            store.database.engine,
            "before_cursor_execute",
            lambda _, __, text, parameters, *___: statements.append((text, parameters)),
        )
        store.recordings.add([recording()])
        id = recording().id
        store.recordings.find(id), store.recordings.find_by_path("talk.wav"), store.recordings.find_split({"ann"}, "s1")
        store.attempts.begin(id), store.drafts.save(make_drafted()), store.drafts.fetch_turns(id, DIARISATION)
        segments = list(store.drafts.fetch_segments(id)), list(store.drafts.fetch(id, MODEL))
        store.drafts.find_segment(segments[0][0].id)
        store.corrections.add([correction("c1", segment=segments[0][0].id)])
        list(store.corrections.fetch(recording=id)), store.models.find_promoted()
        store.attempts.clear_failure(id, "run")
        plans = {}
        with store.database.begin_read() as connection:
            for statement, parameters in [
                executed for executed in statements if executed[0].lstrip().startswith(("SELECT", "UPDATE", "DELETE"))
            ]:
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                plans[statement] = [row[3] for row in rows]
    assert len(plans) > 15
    # The links are what people decided by hand, and one leads to the next: they are read whole, in their own order.
    scans = {text: plan for text, plan in plans.items() if any(step.startswith("SCAN") for step in plan)}
    assert [(text, plan) for text, plan in scans.items() if "FROM speaker_links" not in text] == []
