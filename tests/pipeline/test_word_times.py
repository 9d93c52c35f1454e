from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from transcribe.pipeline.alignment import retime
from transcribe.records import Word


def drafted(text: str) -> list[Word]:
    """Each word half a second long, a second apart."""
    parts = enumerate(text.split())
    return [Word(text=form, start=n * 1_000, end=n * 1_000 + 500, probability=0.5) for n, form in parts]


def times(text: str, draft: str) -> list[tuple[str, int, int]]:
    return [(word.text, word.start, word.end) for word in retime(text, drafted(draft), 0, 4_000)]


def test_kept_and_changed_words_keep_their_times_and_new_ones_share_what_lies_between() -> None:
    assert times("One too three", "one two three")[1] == ("too", 1_000, 1_500)
    assert times("One two, very new three", "one two three")[1:] == [
        ("two,", 1_000, 1_500),
        ("very", 1_500, 1_750),
        ("new", 1_750, 2_000),
        ("three", 2_000, 2_500),
    ]


def test_a_text_without_a_draft_is_spread_evenly() -> None:
    assert times("one two", "") == [("one", 0, 2_000), ("two", 2_000, 4_000)]


WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=7).map(" ".join)


@given(WORDS, WORDS)
def test_every_word_has_a_time_in_order_within_the_stretch(text: str, draft: str) -> None:
    timed = times(text, draft)
    assert [word for word, _, _ in timed] == text.split()
    assert all(0 <= start <= end <= 4_000 for _, start, end in timed)
    assert [start for _, start, _ in timed] == sorted(start for _, start, _ in timed)
