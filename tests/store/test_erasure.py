"""The erased is in no table, no page and no answer, and the histories still hold; on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from tests.store.conftest import execute
from tests.store.desk_factories import PLAIN, operation, person, submit, take, talk
from tests.store.factories import correction, make_drafted, recording
from transcribe.store import Store
from transcribe.store.schema import METADATA

CANARY = "KANARIENVOGEL"


def everything(store: Store) -> str:
    with store.database.begin_read() as connection:
        return str([tuple(row) for table in METADATA.sorted_tables for row in connection.execute(select(table))])


def conversation(store: Store) -> tuple[str, str]:
    """Add a recording in which the canary speaks and somebody else does, each with a segment."""
    store.recordings.add([recording("both", dialect="hi")])
    spoken = [(CANARY, 0, 1_000, f"my {CANARY}"), ("other", 1_000, 2_000, "word")]
    work = make_drafted("both", spoken)
    store.drafts.save(work)
    store.desk.lay_out(PLAIN, draw=lambda: 0.0)
    ids = {segment.speaker: segment.id for segment in work.segments}
    return ids[CANARY], ids["other"]


def test_a_speaker_goes_from_every_table_and_the_other_one_stays(store: Store) -> None:
    canary_segment, others = conversation(store)
    asha, eyes = person(store), person(store, "eyes", "reviewer")
    leases = {lease.segment: lease for lease in take(store, asha, 2)}
    sent = operation(leases[canary_segment], f"{CANARY} said", tags=(CANARY,), more={"speaker": CANARY})
    submit(store, asha, sent)
    submit(store, asha, operation(leases[others], "kept"))
    store.corrections.add([correction("c1", "both", end=500, text=CANARY, speaker=CANARY)])
    [erasure] = store.erasure.find_by_speaker(CANARY)
    assert (erasure.spans, erasure.sound) == (((0, 1_000),), 1_000)
    assert store.erasure.fetch_texts(erasure, speaker=CANARY) >= {f"{CANARY} said"}
    assert CANARY in everything(store)
    assert store.erasure.erase([erasure], speaker=CANARY) == 3
    store.erasure.vacuum()
    assert CANARY not in everything(store)
    assert store.audit.find_broken_history() is None
    assert [correction.text for correction in store.corrections.fetch(standing=True)] == ["kept"]
    assert store.erasure.find_by_speaker(CANARY) == ()
    assert store.reviews.take(eyes.id, PLAIN) is None
    assert {row.state for row in store.desk.fetch_views([canary_segment, others]).values()} == {"erased", "accepted"}


def test_a_text_that_comes_after_the_erasure_is_not_kept(store: Store) -> None:
    canary_segment, _ = conversation(store)
    asha, ravi = person(store), person(store, "ravi")
    leases = {lease.segment: lease for lease in take(store, asha, 2)}
    earlier = operation(leases[canary_segment], "before it")
    submit(store, asha, earlier)
    store.erasure.erase(store.erasure.find_by_speaker(CANARY), speaker=CANARY)
    for sent in (earlier, operation(leases[canary_segment], f"{CANARY} again")):
        outcome = submit(store, asha, sent)
        assert (outcome.status, outcome.reason) == ("rejected", "erased")
    assert take(store, ravi, 5) == ()
    assert "again" not in everything(store)
    assert store.desk.lay_out(PLAIN) == 0


def test_a_recording_of_one_speaker_goes_whole_and_so_does_what_is_too_old(store: Store) -> None:
    talk(store, "alone", 2, speaker=CANARY, facts={"phone": CANARY})
    talk(store, "old", 1)
    asha = person(store)
    [lease] = take(store, asha)
    submit(store, asha, operation(lease, f"the text of {CANARY}"))
    [whole] = store.erasure.find_by_speaker(CANARY)
    assert whole.spans is None and whole.sound == whole.duration
    store.erasure.erase([whole], speaker=CANARY)
    assert CANARY not in everything(store)
    assert [failure.code for failure in store.attempts.fetch_failures()] == ["E_ERASED"]
    assert [erasure.path for erasure in store.erasure.find_before(store.database.later(60))] == [recording("old").path]
    store.erasure.erase(store.erasure.find_before(store.database.later(60)))
    assert store.erasure.find_before(store.database.later(60)) == ()
    assert store.audit.find_broken_history() is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE versions SET text = '', body = '', tags = '[]', more = '{}', salt = 'erased:x', person = 'x'",
        "UPDATE versions SET text = ''",
        "UPDATE corrections SET text = ''",
        "UPDATE corrections SET text = '', accepted = false, start_ms = 1",
        "DELETE FROM versions",
    ],
)
def test_an_erasure_may_change_nothing_but_texts(store: Store, url: str, change: str) -> None:
    talk(store)
    asha = person(store)
    [lease] = take(store, asha)
    submit(store, asha, operation(lease, "said"))
    with pytest.raises(DBAPIError):
        execute(url, change)


def test_no_page_of_the_file_holds_what_was_erased(sqlite_url: str) -> None:
    with Store.open(sqlite_url) as store:
        canary_segment, _ = conversation(store)
        asha = person(store)
        leases = {lease.segment: lease for lease in take(store, asha, 2)}
        submit(store, asha, operation(leases[canary_segment], f"{CANARY} said"))
        file = Path(sqlite_url.removeprefix("sqlite:///"))
        assert CANARY.encode() in file.read_bytes()
        store.erasure.erase(store.erasure.find_by_speaker(CANARY), speaker=CANARY)
        store.erasure.vacuum()
        for path in file.parent.glob(f"{file.name}*"):
            assert CANARY.encode() not in path.read_bytes()
