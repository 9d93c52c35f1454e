"""
How many texts a second does the desk take from 200 people, how long does each wait, and is any lost?

    python -m benchmarks.desk_load [--people 200] [--seconds 20] [--kills 0] [--store URL]

One operation a request, everybody signed in by cookie, audit on, the load's client beside the server on the same cores.
Holds are taken twenty at a time, as a screen does that works offline, and count as requests of their own. With kills,
the server dies without a word at random moments of the load, and a run in which no text was on its way then is invalid.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.measuring import write
from tests.desk.serving import Process, serve
from tests.store.factories import make_drafted, recording
from transcribe import workspace
from transcribe.config import DeskSettings
from transcribe.desk.passwords import hash_password
from transcribe.desk_records import DeskRules
from transcribe.store import Store

PASSWORD = "four plain words here"
#: A text of some 400 bytes with its frame.
SAID = "जब मैं बाज़ार गई तो वहाँ बहुत भीड़ थी और सब्ज़ियों के दाम बढ़ गए थे " * 2


@dataclass
class Load:
    """What 200 people saw."""

    waits: list[float] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    acknowledged: dict[str, list[str]] = field(default_factory=dict)
    #: Texts that were on their way when the server died.
    cut: int = 0
    #: Answers that were repeated because the first one never came.
    repeated: int = 0
    #: The machine's load when everybody was signed in.
    before: float = 0.0
    #: Processor seconds from when everybody was signed in until all were answered, holds included.
    server_s: float = 0.0
    client_s: float = 0.0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--store", default=None, help="URL of an empty PostgreSQL database; default: SQLite")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = workspace.create(Path(folder) / "desk", {"desk": {"second_share": 0.0, "gold_share": 0.0}})
        url = given.store or f"sqlite:///{place}/boli.db"
        fill(url, people=given.people, segments=round(given.seconds * 1_500) + given.people * 40)
        found = measure(place, url, given.people, given.seconds, given.kills)
    print(" ".join(f"{name}={value}" for name, value in found.items()))
    name = f"desk_load_{'postgresql' if given.store else 'sqlite'}{'_killed' if given.kills else ''}"
    write(name, found, people=given.people, seconds=given.seconds, kills=given.kills)
    if found["lost"] or found["twice"] or found["double_leases"] or (given.kills and not found["cut"]):
        sys.exit("lost, doubled, or no kill hit a text on its way")


def fill(url: str, *, people: int, segments: int) -> None:
    """A store with people and with enough to write."""
    hashed = hash_password(PASSWORD, name="")
    settings = DeskSettings(second_share=0.0, gold_share=0.0)
    rules = DeskRules(**settings.model_dump(include=set(DeskRules.__dataclass_fields__)))
    with Store.open(url) as store:
        for part in range(0, segments, 3_000):
            name = f"talk {part}"
            store.recordings.add([recording(name, dialect="hi", duration=3_000_000)])
            spoken = [("A", n * 1_000, n * 1_000 + 900, "एक दो तीन") for n in range(3_000)]
            store.drafts.save(make_drafted(name, spoken))
        store.desk.lay_out(rules)
        for n in range(people):
            store.people.add(f"p{n}", ["transcriber"], password=hashed)


def measure(place: Path, url: str, people: int, seconds: float, kills: int) -> dict[str, Any]:
    more = {} if url.startswith("sqlite") else {"BOLI_STORE__URL": url}
    load = Load()
    desk = serve(place, **more)
    began = time.monotonic()
    desk, taken = asyncio.run(_run(desk, place, more, load, people, seconds, kills))
    desk.stop()
    waits = sorted(load.waits)
    return {
        "submits_a_second": round(len(waits) / taken, 1),
        "p50_ms": round(1_000 * waits[len(waits) // 2], 1),
        "p99_ms": round(1_000 * waits[int(len(waits) * 0.99)], 1),
        "worst_ms": round(1_000 * waits[-1], 1),
        "submits": len(waits),
        "answers": dict(load.answers),
        "cut": load.cut,
        "repeated": load.repeated,
        "fsync_ms": fsync_ms(place),
        "load_before": round(load.before, 2),
        "server_ms_a_submit": None if kills else round(1_000 * load.server_s / len(waits), 2),
        "client_ms_a_submit": round(1_000 * load.client_s / len(waits), 2),
        "wall_s": round(time.monotonic() - began, 1),
        **check(url, load),
    }


class Line:
    """One person's connection: HTTP as small as it goes, because the client shares its cores with the server."""

    def __init__(self, port: int, headers: str = "") -> None:
        self._port, self.headers = port, headers
        #: Whether the last request went out.
        self.sent = False
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, value: Any) -> tuple[int, dict[str, str], Any]:
        """Status, headers and document of the answer. Raises OSError or EOFError where none came."""
        body = json.dumps(value).encode()
        head = f"POST /api/v1/{path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{self.headers}"
        self.sent = False
        try:
            if self._ends is None:
                self._ends = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._ends
            writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
            self.sent = True
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
            # Of two cookies the first is the session's.
            headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in lines[::-1])}
            answer = await reader.readexactly(int(headers["content-length"]))
        except (OSError, EOFError):
            self.close()
            raise
        return int(first.split()[1]), headers, json.loads(answer)

    def close(self) -> None:
        if self._ends is not None:
            self._ends[1].close()
            self._ends = None


async def _run(
    desk: Process, place: Path, more: dict[str, str], load: Load, people: int, seconds: float, kills: int
) -> tuple[Process, float]:
    """Sign everybody in, then let them write for *seconds*. Gives the desk that is open at the end."""
    port, stop = int(desk.url.rsplit(":", 1)[1]), asyncio.Event()
    everybody = [await _signed_in(port, f"p{n}") for n in range(people)]
    load.before = os.getloadavg()[0]
    load.client_s, load.server_s = -time.process_time(), -_processor_s(desk)
    began = time.monotonic()
    working = [asyncio.create_task(_work(line, load, stop)) for line in everybody]
    for _ in range(kills):
        await asyncio.sleep(random.uniform(0.5, 1.5) * seconds / (kills + 1))
        desk.kill()
        desk = await asyncio.to_thread(serve, place, port=port, **more)
    await asyncio.sleep(max(0.0, seconds - (time.monotonic() - began)))
    stop.set()
    await asyncio.gather(*working)
    taken = time.monotonic() - began
    load.client_s, load.server_s = load.client_s + time.process_time(), load.server_s + _processor_s(desk)
    for line in everybody:
        line.close()
    return desk, taken


async def _signed_in(port: int, name: str) -> Line:
    line = Line(port)
    status, headers, me = await line.post("session", {"name": name, "password": PASSWORD})
    assert status == 200, me
    line.headers = f"cookie: {headers['set-cookie'].partition(';')[0]}\r\nx-boli-csrf: {me['csrf']}\r\n"
    return line


async def _work(line: Line, load: Load, stop: asyncio.Event) -> None:
    """One person: take twenty, send each, again; what got no answer is sent again."""
    outbox: list[dict[str, Any]] = []
    cut = False
    while not stop.is_set() or (cut and outbox):
        began = time.monotonic()
        try:
            if outbox:
                status, _, told = await line.post("corrections", outbox[:1])
            else:
                status, _, told = await line.post("leases", {"count": 20, "offline": True})
        except (OSError, EOFError):
            load.cut += line.sent and bool(outbox)
            cut = True
            await asyncio.sleep(0.2)
            continue
        if status != 200:
            load.answers[f"{status} {told['error']['code']}"] += 1
            await asyncio.sleep(0.2)
        elif outbox:
            _count(load, outbox.pop(0), told[0], time.monotonic() - began)
            cut = False
        else:
            outbox = [_operation(lease) for lease in told]
            if not outbox:
                return


def _count(load: Load, sent: dict[str, Any], told: dict[str, Any], waited: float) -> None:
    load.waits.append(waited)
    load.answers[told["status"]] += 1
    load.repeated += told["status"] == "duplicate"
    load.acknowledged.setdefault(sent["segment"], []).append(sent["op_id"])


def _operation(lease: dict[str, Any]) -> dict[str, Any]:
    return {
        "op_id": str(uuid.uuid4()),
        "segment": lease["segment"],
        "fence": lease["fence"],
        "base_version": lease["version"],
        "text": SAID,
        "active_ms": 30_000,
        "client_time": "2026-01-31T12:00:00Z",
        "seq": 1,
    }


def check(url: str, load: Load) -> dict[str, int]:
    """What the store holds against what was acknowledged."""
    with Store.open(url) as store, store.database.begin_read() as connection:
        kept = Counter(connection.exec_driver_sql("SELECT op_id FROM versions").scalars())
        live = connection.exec_driver_sql(
            "SELECT count(*) FROM (SELECT segment, fence FROM leases GROUP BY segment, fence HAVING count(*) > 1) t"
        ).scalar_one()
    told = [op_id for ids in load.acknowledged.values() for op_id in ids]
    return {
        "lost": sum(op_id not in kept for op_id in told),
        "twice": sum(count > 1 for count in kept.values()),
        "double_leases": int(live) + sum(len(ids) > 1 for ids in load.acknowledged.values()),
    }


def fsync_ms(folder: Path) -> float:
    """Median time that the disk takes to make 200 bytes safe."""
    times = []
    with (folder / "fsync").open("wb") as file:
        for _ in range(50):
            began = time.perf_counter()
            file.write(b"x" * 200)
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return round(1_000 * sorted(times)[len(times) // 2], 2)


def _processor_s(desk: Process) -> float:
    spent = psutil.Process(desk.process.pid).cpu_times()
    return spent.user + spent.system


if __name__ == "__main__":
    main()
