"""
How long does somebody who is signed in wait while an outsider does what they can, and is anybody signed out?

    python -m benchmarks.desk_attack [--open 5000] [--sign-ins 500] [--head-mb 300] [--seconds 30]

Half-open and slow requests, sign-ins at once and an endless head, all from the writer's own address and beside the
server on the same cores; the first part is without any of them.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from benchmarks.desk_load import PASSWORD, Line, _signed_in, fill
from benchmarks.measuring import write
from tests.desk.serving import Process, serve
from transcribe import workspace

_HALF = b"POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\nx-slow: "


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--open", type=int, default=5_000)
    parser.add_argument("--sign-ins", type=int, default=500)
    parser.add_argument("--head-mb", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=30)
    given = parser.parse_args()
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    with tempfile.TemporaryDirectory() as folder:
        place = workspace.create(Path(folder) / "desk", {"desk": {"second_share": 0.0, "gold_share": 0.0}})
        fill(f"sqlite:///{place}/boli.db", people=1, segments=3_000)
        desk = serve(place)
        try:
            found = asyncio.run(_measure(desk, given))
        finally:
            desk.stop()
    print(" ".join(f"{name}={figure}" for name, figure in found.items()))
    write("desk_attack", found, **vars(given))


async def _measure(desk: Process, given: argparse.Namespace) -> dict[str, Any]:
    port = int(desk.url.rsplit(":", 1)[1])
    writer = await _signed_in(port, "p0")
    memory = psutil.Process(desk.process.pid)
    before, quiet = memory.memory_info().rss, Counter[int]()
    waits = await _write_for(writer, given.seconds / 3, quiet)
    answers, outcomes = Counter[int](), Counter[str]()
    attack = asyncio.create_task(_attack(port, given, outcomes))
    attacked = await _write_for(writer, given.seconds, answers)
    attack.cancel()
    await asyncio.gather(attack, return_exceptions=True)
    return {
        "quiet_p99_ms": _percentile(waits),
        "attacked_p99_ms": _percentile(attacked),
        "attacked_worst_ms": round(1_000 * max(attacked), 1),
        "requests": len(attacked),
        "answers": dict(answers),
        "signed_out": answers[401],
        "attack": dict(outcomes),
        "memory_before_mb": before >> 20,
        "memory_after_mb": memory.memory_info().rss >> 20,
    }


async def _write_for(line: Line, seconds: float, answers: Counter[int]) -> list[float]:
    """Take segments until as many are leased as may be, ten times a second, and return how long each answer took."""
    waits, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        try:
            status, _, _ = await line.post("leases", {"count": 1})
        except (OSError, EOFError):
            status = 0
        answers[status] += 1
        waits.append(time.monotonic() - began)
        await asyncio.sleep(0.1)
    return waits


async def _attack(port: int, given: argparse.Namespace, outcomes: Counter[str]) -> None:
    tasks = [_hold(port, outcomes, slow=number % 2 == 0) for number in range(given.open)]
    tasks += [_guess(port, number, outcomes) for number in range(given.sign_ins)]
    tasks += [_send_head(port, given.head_mb << 20, outcomes)]
    await asyncio.gather(*tasks)


async def _hold(port: int, outcomes: Counter[str], *, slow: bool) -> None:
    """Open a request and never end it; a *slow* one goes on by a byte a second."""
    with suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_HALF)
        ended = asyncio.create_task(reader.read())
        while slow and not ended.done():
            writer.write(b"a")
            await asyncio.wait([ended], timeout=1)
        with suppress(OSError):
            await ended
        writer.close()
    outcomes["closed slow" if slow else "closed half-open"] += 1


async def _guess(port: int, number: int, outcomes: Counter[str]) -> None:
    try:
        status, _, _ = await Line(port).post("session", {"name": f"nobody {number}", "password": PASSWORD})
    except (OSError, EOFError):
        status = 0
    outcomes[f"sign-in {status}"] += 1


async def _send_head(port: int, size: int, outcomes: Counter[str]) -> None:
    sent = 0
    with suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_HALF)
        while sent < size and not writer.is_closing():
            writer.write(b"a" * 65_536)
            await writer.drain()
            sent += 65_536
        writer.close()
    outcomes["head_kb_taken"] += sent >> 10


def _percentile(waits: list[float]) -> float:
    return round(1_000 * sorted(waits)[int(len(waits) * 0.99)], 1)


if __name__ == "__main__":
    main()
