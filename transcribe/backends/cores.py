"""Count the cores that the networks running beside each other share."""

from __future__ import annotations

import os


def count_cores() -> int:
    """Count the cores that this process may use; fewer where the caller's OMP_NUM_THREADS says so."""
    thread_limit = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, int(thread_limit)) if thread_limit.isdigit() else len(os.sched_getaffinity(0))
