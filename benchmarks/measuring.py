"""How every benchmark measures and writes: peers in turn, medians with their spread, one result file."""

from __future__ import annotations

import json
import platform
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def compare(ways: Mapping[str, Callable[[], object]], *, repeats: int) -> dict[str, dict[str, Any]]:
    """
    Processor and wall seconds of each way: *repeats* rounds of all ways in turn, after one that does not count.

    The first way is the one the others are held against: ``ratio`` is how many times longer a way takes, by the
    median of the ratios within a round, so that a machine that slows down does not decide.
    """
    rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    answers = {name: way() for name, way in ways.items()}
    for _ in range(repeats):
        for name, way in ways.items():
            rounds[name].append(_timed(way))
    first = next(iter(ways))
    found = {}
    for name, taken in rounds.items():
        cpu, wall = [one[0] for one in taken], [one[1] for one in taken]
        ratios = [mine[0] / max(ours[0], 1e-9) for mine, ours in zip(taken, rounds[first], strict=True)]
        found[name] = {
            "cpu_s": _spread(cpu),
            "wall_s": _spread(wall),
            "ratio": round(statistics.median(ratios), 2),
            "answer": answers[name],
        }
        medians = f"{statistics.median(cpu):8.2f} cpu-s {statistics.median(wall):8.2f} s"
        print(f"{name:16} {medians} {found[name]['ratio']:6.2f}x")
    return found


def write(name: str, found: Mapping[str, Any], **facts: Any) -> Path:
    """Write ``results/NAME.json`` with what it was measured on."""
    document = {
        "benchmark": name,
        "date": datetime.now(UTC).date().isoformat(),
        "facts": facts,
        "found": found,
    } | measured_on()
    RESULTS.mkdir(exist_ok=True)
    place = RESULTS / f"{name}.json"
    place.write_text(json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    return place


def measured_on() -> dict[str, Any]:
    """Commit, machine and versions: what stands in every result."""
    packages = ("boli", "faster-whisper", "ctranslate2", "numpy", "rapidfuzz")
    return {
        "commit": _commit(),
        "machine": {"processor": _processor(), "cores": _cores(), "python": platform.python_version()},
        "versions": {package: version(package) for package in packages},
    }


def _timed(way: Callable[[], object]) -> tuple[float, float]:
    before, began = _processor_s(), time.perf_counter()
    way()
    return _processor_s() - before, time.perf_counter() - began


def _processor_s() -> float:
    """Processor seconds of this process and of its children that have ended."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(values), 3), "min": round(min(values), 3), "max": round(max(values), 3)}


def _commit() -> str | None:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0))
