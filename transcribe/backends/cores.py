"""How many cores there are to share between the networks that run beside each other."""

from __future__ import annotations

import os


def count_cores() -> int:
    """Cores that this process may use; fewer where the caller's OMP_NUM_THREADS says so."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, int(told)) if told.isdigit() else len(os.sched_getaffinity(0))
