"""A run that is killed anywhere and run again ends as if nothing had happened."""

from __future__ import annotations

import random
import shutil
import sqlite3
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.acceptance.command import killed, make_workspace, must
from tests.small_corpus import sound_files
from transcribe.pipeline.drafting import IN_FLIGHT
from transcribe.store import Store

#: Recordings that can be lost in a kill: those that wait between the stages, and one in each stage.
AT_MOST_LOST = IN_FLIGHT + 2

#: Seconds that an uninterrupted run may take on a machine that is busy with other things.
LONGEST_S = 3_600


def export(workspace: Path) -> bytes:
    out = workspace / "canonical.jsonl"
    must("export", out, "--canonical", "--overwrite", "--workspace", workspace)
    return out.read_bytes()


def drafted(workspace: Path) -> int:
    with Store.open(f"sqlite:///{workspace / 'boli.db'}") as store:
        return next(stage.done for stage in store.status.count().stages if stage.stage == "run")


def begun(workspace: Path) -> int:
    """Attempts at recordings that never came to an end."""
    with sqlite3.connect(workspace / "boli.db", timeout=10) as connection:
        return int(connection.execute("SELECT coalesce(sum(begun), 0) FROM attempts").fetchone()[0])


def has_begun(workspace: Path, before: int) -> bool:
    """Whether a run is at work on a recording, beside *before* attempts that older runs left without an end."""
    return begun(workspace) > before


def timed_run(workspace: Path) -> float:
    began = time.monotonic()
    must("run", "--workspace", workspace, timeout=LONGEST_S)
    return time.monotonic() - began


def killed_often(tmp_path: Path, sources: Sequence[Path], *, kills: int, seed: int) -> int:
    """Kill runs until *kills* of them were at work on a recording. Gives how many more were not."""
    recordings = len(sources)
    untouched = make_workspace(tmp_path / "untouched", sources)
    fresh, broken = tmp_path / "fresh", tmp_path / "broken"
    shutil.copytree(untouched, fresh)
    shutil.copytree(untouched, broken)
    whole = timed_run(fresh)
    rng = random.Random(seed)
    hit = missed = 0
    while hit < kills:
        if drafted(broken) == recordings:
            shutil.rmtree(broken)
            shutil.copytree(untouched, broken)
        before, begun_before = drafted(broken), begun(broken)
        left = whole * (1 - before / recordings)
        running = killed(
            "run",
            "--workspace",
            broken,
            after_s=rng.uniform(0.0, 1.0) * left,
            once=partial(has_begun, broken, begun_before),
        )
        assert drafted(broken) >= before, f"seed {seed}: a kill undid finished work"
        assert begun(broken) - begun_before <= AT_MOST_LOST, f"seed {seed}: more was under way than is bounded"
        hit, missed = hit + running, missed + (not running)
        if not running:
            # The machine is quicker than when the whole run was timed: the run ended before it was killed.
            whole *= 0.6
        assert missed <= 2 * kills, f"seed {seed}: {missed} kills met no run at work, the test proves nothing"
    last = must("run", "--workspace", broken, "--json", timeout=LONGEST_S).document["data"]
    assert last["failed"] == 0
    assert drafted(broken) == recordings
    assert export(broken) == export(fresh), f"seed {seed}"
    return missed


def test_a_run_killed_at_random_points_and_run_again_gives_the_same_bytes(tmp_path: Path) -> None:
    killed_often(tmp_path, sound_files("en-*-train-*")[:6], kills=3, seed=random.randrange(10**6))


@pytest.mark.soak
def test_a_run_killed_at_twenty_random_points_gives_the_same_bytes(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    sources, kills, seed = sound_files("en-*-train-*")[:10], 20, random.randrange(10**6)
    missed = killed_often(tmp_path, sources, kills=kills, seed=seed)
    counts = {"kills of a run at work": kills, "other kills": missed, "recordings": len(sources), "seed": seed}
    for name, count in counts.items():
        record_property(name, count)
