"""What is accepted without a person: little doubt, nobody else talking, and only while those who look again agree."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from dialects.confidence.calibration import Calibration
from dialects.scoring.word_errors import ErrorCount
from transcribe.pseudo_labels import (
    Around,
    Limits,
    audit_texts,
    choose_acceptable,
    doubt,
    draw_audits,
    signs,
    surroundings,
)
from transcribe.records import Draft, Segment, Word


def draft(*sure: float, **more: Any) -> Draft:
    words = tuple(
        Word(text="ja", start=number, end=number + 1, probability=probability)
        for number, probability in enumerate(sure)
    )
    return Draft(segment="s", model="m", settings="x", words=words, **({"log_probability": -0.1} | more))


def segment(speaker: str, start: int, end: int, *, channel: int | None = None) -> Segment:
    return Segment(recording="r", speaker=speaker, start=start, end=end, channel=channel)


#: Nobody else speaks.
ALONE = Around(overlap=0.0, gap_before=None, gap_after=None)


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
    first, other, apart = segment("a", 0, 1_000), segment("b", 750, 2_000), segment("c", 0, 1_000, channel=1)
    around_by_id = surroundings([first, other, apart, segment("a", 900, 950)])
    assert around_by_id[first.id] == Around(overlap=0.25, gap_before=None, gap_after=0)
    assert around_by_id[apart.id] == ALONE


def test_the_gaps_to_the_turns_of_others_are_seen_and_those_to_ones_own_are_not() -> None:
    earlier, same_speaker, middle, later = (
        segment("b", 0, 400),
        segment("a", 450, 800),
        segment("a", 900, 1_500),
        segment("b", 1_800, 2_000),
    )
    assert surroundings([earlier, same_speaker, middle, later])[middle.id] == Around(
        overlap=0.0, gap_before=500, gap_after=300
    )


def test_a_draft_has_as_many_signs_as_any_other_and_each_is_a_number() -> None:
    stretch = segment("a", 0, 1_000)
    crowded = Around(overlap=0.5, gap_before=0, gap_after=2_000)
    features = [
        signs(stretch, draft(*sure), around)
        for sure in ((1.0,), (0.0, 0.5), (0.9,) * 30)
        for around in (ALONE, crowded)
    ]
    assert all(row is not None and all(map(math.isfinite, row)) for row in features)
    assert len({len(row) for row in features if row is not None}) == 1


def test_only_what_is_expected_to_be_right_enough_is_accepted() -> None:
    calibration = Calibration(ends=(0.1, 0.3), risks=(0.04, 0.06))
    drafts = {"sure": (0.05, 8), "doubtful": (0.2, 8), "beyond": (0.5, 8), "never": (None, 8)}
    assert choose_acceptable(drafts, calibration, Limits(limit=0.041)) == {"sure": (0.05, 0.04)}
    assert set(choose_acceptable(drafts, calibration, Limits(limit=0.06))) == {"sure", "doubtful"}


def test_a_limit_is_of_all_words_together_and_no_draft_is_far_over_it() -> None:
    calibration = Calibration(ends=(0.1, 0.3, 0.6), risks=(0.04, 0.07, 0.2))
    drafts = {f"s{number:02}": (0.05, 10) for number in range(20)} | {
        "over": (0.2, 5),
        "far": (0.5, 1),
        "long": (0.25, 900),
    }
    chosen = choose_acceptable(drafts, calibration, Limits(limit=0.05))
    assert "over" in chosen
    assert not {"far", "long"} & chosen.keys()


def test_a_share_is_drawn_to_be_written_again() -> None:
    lot = random.Random(2).random
    audits = draw_audits([str(number) for number in range(1_000)], Limits(audit_share=0.2), lot)
    assert 150 < len(audits) < 250
    assert draw_audits(["a"], Limits(audit_share=0.0), lot) == frozenset()
    assert draw_audits(["a"], Limits(audit_share=1.0), lot) == {"a"}


def make_counts(wrong: int, right: int, *, segments: int = 10) -> list[ErrorCount]:
    return [ErrorCount(hits=right, substitutions=wrong)] * segments


def test_acceptance_stops_when_those_who_look_again_find_too_much() -> None:
    good = audit_texts({"b1": make_counts(0, 10), "b2": make_counts(0, 10)}, Limits())
    bad = audit_texts({"b1": make_counts(1, 9), "b2": make_counts(1, 9)}, Limits())

    assert (good.segments, good.wer, good.stopped) == (20, 0.0, None)
    assert bad.stopped is not None
    assert "10.0 %" in bad.stopped


def test_few_that_were_looked_at_stop_it_only_when_it_is_sure() -> None:
    unsure = audit_texts({"b1": make_counts(0, 10, segments=3), "b2": make_counts(2, 8, segments=3)}, Limits())
    sure = audit_texts({f"b{number}": make_counts(5, 5, segments=2) for number in range(4)}, Limits())

    assert (unsure.wer, unsure.stopped) == (0.1, None)
    assert sure.stopped is not None
    assert audit_texts({}, Limits()).stopped is None
