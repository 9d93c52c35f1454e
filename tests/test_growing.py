"""What is accepted without a person: little doubt, nobody else talking, and only while those who look again agree."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from dialects.calibration import Calibration
from dialects.scoring import ErrorCount
from transcribe.growing import Around, Limits, acceptable, audited, doubt, drawn, signs, surroundings
from transcribe.records import Draft, Segment, Word


def draft(*sure: float, **more: Any) -> Draft:
    words = tuple(Word(text="ja", start=at, end=at + 1, probability=one) for at, one in enumerate(sure))
    return Draft(segment="s", model="m", settings="x", words=words, **({"log_probability": -0.1} | more))


def segment(speaker: str, start: int, end: int, *, channel: int | None = None) -> Segment:
    return Segment(recording="r", speaker=speaker, start=start, end=end, channel=channel)


#: Nobody else speaks.
ALONE = Around(overlap=0.0, before=None, after=None)


def test_one_unlikely_word_is_enough_to_doubt() -> None:
    sure, unsure = doubt(draft(0.99, 0.99, 0.99)), doubt(draft(0.99, 0.3, 0.99))
    assert sure is not None
    assert unsure is not None
    assert 0 <= sure < 0.2 < unsure <= 1


@pytest.mark.parametrize("unfit", [draft(), draft(0.99, flags=("loop",)), draft(0.99, log_probability=None)])
def test_what_is_flagged_or_empty_is_never_relied_on(unfit: Draft) -> None:
    assert doubt(unfit) is None
    assert signs(segment("a", 0, 1_000), unfit, ALONE) is None


def test_who_talks_at_the_same_time_on_the_same_channel_is_heard() -> None:
    one, other, apart = segment("a", 0, 1_000), segment("b", 750, 2_000), segment("c", 0, 1_000, channel=1)
    found = surroundings([one, other, apart, segment("a", 900, 950)])
    assert found[one.id] == Around(overlap=0.25, before=None, after=0)
    assert found[apart.id] == ALONE


def test_the_gaps_to_the_turns_of_others_are_seen_and_those_to_ones_own_are_not() -> None:
    before, own, one, after = (
        segment("b", 0, 400),
        segment("a", 450, 800),
        segment("a", 900, 1_500),
        segment("b", 1_800, 2_000),
    )
    assert surroundings([before, own, one, after])[one.id] == Around(overlap=0.0, before=500, after=300)


def test_a_draft_has_as_many_signs_as_any_other_and_each_is_a_number() -> None:
    place = segment("a", 0, 1_000)
    crowded = Around(overlap=0.5, before=0, after=2_000)
    found = [
        signs(place, draft(*sure), around) for sure in ((1.0,), (0.0, 0.5), (0.9,) * 30) for around in (ALONE, crowded)
    ]
    assert all(each is not None and all(map(math.isfinite, each)) for each in found)
    assert len({len(each) for each in found if each is not None}) == 1


def test_only_what_is_expected_to_be_right_enough_is_accepted() -> None:
    calibration = Calibration(ends=(0.1, 0.3), risks=(0.04, 0.06))
    drafts = {"sure": (0.05, 8), "doubtful": (0.2, 8), "beyond": (0.5, 8), "never": (None, 8)}
    assert acceptable(drafts, calibration, Limits(limit=0.041)) == {"sure": (0.05, 0.04)}
    assert set(acceptable(drafts, calibration, Limits(limit=0.06))) == {"sure", "doubtful"}


def test_a_limit_is_of_all_words_together_and_no_draft_is_far_over_it() -> None:
    calibration = Calibration(ends=(0.1, 0.3, 0.6), risks=(0.04, 0.07, 0.2))
    drafts = {f"s{at:02}": (0.05, 10) for at in range(20)} | {"over": (0.2, 5), "far": (0.5, 1), "long": (0.25, 900)}
    found = acceptable(drafts, calibration, Limits(limit=0.05))
    assert "over" in found
    assert not {"far", "long"} & found.keys()


def test_a_share_is_drawn_to_be_written_again() -> None:
    lot = random.Random(2).random
    found = drawn([str(at) for at in range(1_000)], Limits(audit_share=0.2), lot)
    assert 150 < len(found) < 250
    assert drawn(["a"], Limits(audit_share=0.0), lot) == frozenset()
    assert drawn(["a"], Limits(audit_share=1.0), lot) == {"a"}


def looked(wrong: int, right: int, *, segments: int = 10) -> list[ErrorCount]:
    return [ErrorCount(hits=right, substitutions=wrong)] * segments


def test_acceptance_stops_when_those_who_look_again_find_too_much() -> None:
    good = audited({"b1": looked(0, 10), "b2": looked(0, 10)}, Limits())
    bad = audited({"b1": looked(1, 9), "b2": looked(1, 9)}, Limits())

    assert (good.segments, good.wer, good.stopped) == (20, 0.0, None)
    assert bad.stopped is not None
    assert "10.0 %" in bad.stopped


def test_few_that_were_looked_at_stop_it_only_when_it_is_sure() -> None:
    unsure = audited({"b1": looked(0, 10, segments=3), "b2": looked(2, 8, segments=3)}, Limits())
    sure = audited({f"b{at}": looked(5, 5, segments=2) for at in range(4)}, Limits())

    assert (unsure.wer, unsure.stopped) == (0.1, None)
    assert sure.stopped is not None
    assert audited({}, Limits()).stopped is None
