"""A machine's clock that is set anew neither ends leases nor keeps them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcribe.store.clock import SteadyClock

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(-(10**7), 10**7)), max_size=20))
def test_time_goes_by_as_it_passes_however_the_machine_is_set(steps: list[tuple[int, int]]) -> None:
    wall, elapsed = NOON, 5.0
    clock = SteadyClock(wall=lambda: wall, elapsed_s=lambda: elapsed)
    jumps, passed = 0, 0
    for seconds, jump in steps:
        elapsed += seconds
        wall += timedelta(seconds=seconds + jump)
        passed, jumps = passed + seconds, jumps + jump
        assert clock() == NOON + timedelta(seconds=passed)
        assert clock.offset_s() == pytest.approx(jumps)
