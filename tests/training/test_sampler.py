"""Dialects are heard in their shares, and the same draw twice."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="tuning belongs to the train extra")

from tests.training.factories import line  # noqa: E402 - after the library that it needs
from transcribe.training.collate import WindowSampler, window_shares  # noqa: E402
from transcribe.training.windows import find_passages  # noqa: E402

TAGS = ("en-scotland", "en-GB", "hi", "ta")
AMOUNTS = st.dictionaries(st.sampled_from(TAGS), st.floats(0, 1e6, allow_subnormal=False), min_size=1).filter(
    lambda amounts: sum(amounts.values()) > 1e-3
)


@given(
    amounts=AMOUNTS,
    focus=st.sets(st.sampled_from(TAGS)),
    keep=st.floats(0, 0.99),
    temperature=st.floats(1, 50),
)
def test_shares_add_up_and_both_sides_have_what_was_asked(
    amounts: dict[str, float], focus: set[str], keep: float, temperature: float
) -> None:
    share_by_tag = window_shares(amounts, focus=focus, keep_share=keep, temperature=temperature)

    assert sum(share_by_tag.values()) == pytest.approx(1)
    assert all(share_by_tag[tag] == 0 for tag, amount in amounts.items() if amount == 0)
    learned = sum(amount for tag, amount in amounts.items() if tag in focus)
    if learned and learned < sum(amounts.values()):
        assert sum(share_by_tag[tag] for tag in share_by_tag if tag in focus) == pytest.approx(1 - keep)


TALK = find_passages(
    [
        line(start, start + 900, audio=tag, dialect=tag)
        for tag in ("en-scotland", "en-GB")
        for start in range(0, 9_000, 1_000)
    ]
)


def make_sampler() -> WindowSampler:
    return WindowSampler(TALK, 6_000, focus=["en-scotland"], keep_share=0.25)


def test_windows_are_drawn_in_the_shares() -> None:
    generator = torch.Generator().manual_seed(0)
    counts = Counter(make_sampler().draw(generator).window.lines[0].dialect for _ in range(800))

    assert counts["en-scotland"] / 800 == pytest.approx(0.75, abs=0.05)


def test_the_same_seed_draws_the_same_windows() -> None:
    first, again = (torch.Generator().manual_seed(7) for _ in range(2))

    assert [make_sampler().draw(first) for _ in range(5)] == [make_sampler().draw(again) for _ in range(5)]


def test_windows_are_from_half_to_wholly_full() -> None:
    generator = torch.Generator().manual_seed(3)
    lengths = [
        sample.window.end - sample.window.start for sample in (make_sampler().draw(generator) for _ in range(200))
    ]

    assert max(lengths) > 5_000
    assert max(lengths) <= 6_000
