"""
How much processor time does the desk spend on one request: a text in, alone or of many, and twenty segments out?

    python -m benchmarks.desk_requests [--requests 400] [--profile]

Median processor time of the whole process, all threads, without a socket. What others do on the machine
beside makes it longer still: their work takes caches away.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import pstats
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.desk_load import PASSWORD, SAID, fill
from benchmarks.measuring import write
from dialects.dialect import load_catalogue
from transcribe import workspace
from transcribe.config import DeskSettings
from transcribe.desk.app import build
from transcribe.desk.limits import Throttle
from transcribe.desk.server import open_desk
from transcribe.store import Store

#: Texts that come at once: they are saved together.
_TOGETHER = 32


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--profile", action="store_true", help="Where the time goes, instead of a result.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = workspace.create(Path(folder) / "desk", {})
        url = f"sqlite:///{place}/boli.db"
        fill(url, people=1, segments=given.requests * 8)
        settings = DeskSettings(second_share=0.0, gold_share=0.0, most_leases=10_000)
        with Store.open(url) as store, open_desk(store, settings, place, load_catalogue()) as service:
            service.pace = Throttle(rate=1e9, size=1e9)
            found = asyncio.run(_measured(build(service), given.requests, given.profile))
    print(" ".join(f"{name}={value}" for name, value in found.items()))
    if not given.profile:
        write("desk_requests", found, requests=given.requests)


async def _measured(app: Any, requests: int, profile: bool) -> dict[str, float]:
    status, headers, me = await _post(app, "session", {"name": "p0", "password": PASSWORD}, [])
    assert status == 200, me
    cookie = headers[b"set-cookie"].partition(b";")[0]
    signed_in = [(b"cookie", cookie), (b"x-boli-csrf", me["csrf"].encode())]
    leases: list[dict[str, Any]] = []

    async def take() -> None:
        status, _, told = await _post(app, "leases", {"count": 20, "offline": True}, signed_in)
        assert status == 200, told
        leases.extend(told)

    async def send() -> None:
        lease = leases.pop()
        operation = {"op_id": f"operation-{lease['id']}", "base_version": lease["version"], "text": SAID, "seq": 1}
        operation |= {"active_ms": 30_000, "client_time": "2026-01-31T12:00:00Z"}
        status, _, told = await _post(
            app, "corrections", [operation | {name: lease[name] for name in ("segment", "fence")}], signed_in
        )
        assert status == 200 and told[0]["status"] == "applied", told

    async def send_many() -> None:
        await asyncio.gather(*(send() for _ in range(_TOGETHER)))

    found = {}
    for name, job, times in (
        ("lease_20_ms", take, requests // 8),
        ("submit_ms", send, requests),
        ("submit_of_32_ms", send_many, requests // _TOGETHER),
    ):
        await job()
        found[name] = await _cost(job, times, profile)
    found["submit_of_32_ms"] = round(found["submit_of_32_ms"] / _TOGETHER, 2)
    return found


async def _cost(job: Any, times: int, profile: bool) -> float:
    if profile:
        profiler = cProfile.Profile()
        profiler.enable()
    costs = []
    for _ in range(times):
        began = time.process_time()
        await job()
        costs.append(time.process_time() - began)
    if profile:
        profiler.disable()
        pstats.Stats(profiler, stream=sys.stdout).sort_stats("tottime").print_stats(35)
    return round(1_000 * statistics.median(costs), 2)


async def _post(
    app: Any, path: str, value: Any, more: list[tuple[bytes, bytes]]
) -> tuple[int, dict[bytes, bytes], Any]:
    body = json.dumps(value).encode()
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json"), *more]
    headers.append((b"content-length", str(len(body)).encode()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": f"/api/v1/{path}",
        "raw_path": f"/api/v1/{path}".encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    answer = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], dict(reversed(sent[0]["headers"])), json.loads(answer)


if __name__ == "__main__":
    main()
