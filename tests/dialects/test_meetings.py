"""Conversations: what a wrong name costs is told apart from what was misheard."""

from __future__ import annotations

import dataclasses
import json

import pytest

pytest.importorskip("meeteval", reason="meeteval is not installed (extra 'meetings')")

from dialects.conversations import DiarisationError
from dialects.meetings import MOST_SPEAKERS, Judged, Meeting, MeetingRow, Stretch, meetings
from dialects.rows import Method
from dialects.scoring import ErrorCount
from dialects.statistics import Thresholds

#: Anything may be shown.
OPEN = Method(
    thresholds=Thresholds(provisional_speakers=1, provisional_words=1, reportable_speakers=2, reportable_words=1)
)
SAID = (("A", "hello how are you", 0), ("B", "i am fine thanks", 2), ("A", "good to hear", 4), ("B", "bye", 6))


def stretch(who: str, text: str, start: float, *, lasts: float = 2.0) -> Stretch:
    words = text.split()
    each = lasts / max(len(words), 1)
    times = [(start + at * each, start + (at + 1) * each) for at in range(len(words))]
    return Stretch(who=who, words=words, start=start, end=start + lasts, times=times)


def meeting(*heard: tuple[str, str, float], id: str = "m1", turns: DiarisationError | None = None) -> Meeting:
    return Meeting(
        id=id,
        said=[stretch(*one) for one in SAID],
        heard=[stretch(*one) for one in heard],
        dialects={"A": "en-US", "B": "en-IN"},
        turns=turns,
    )


def overall(*found: Meeting) -> Judged:
    return meetings(found, method=OPEN).overall.judged


RIGHT = tuple((label, text, start) for (_, text, start), label in zip(SAID, "0101", strict=True))


def test_labels_are_names_of_their_own() -> None:
    assert overall(meeting(*RIGHT)) == Judged(
        cp=ErrorCount(hits=12), di_cp=ErrorCount(hits=12), tcp=ErrorCount(hits=12)
    )


def test_right_words_under_a_wrong_label_are_the_cost_of_diarisation() -> None:
    heard = [*RIGHT[:2], ("1", "good to hear", 4), RIGHT[3]]
    found = overall(meeting(*heard))

    assert (found.cp.errors, found.cp.words) == (6, 12)
    assert found.di_cp is not None
    assert found.di_cp.errors == 0
    assert found.cost == 0.5


def test_wrong_words_under_the_right_label_cost_nothing_more() -> None:
    found = overall(meeting(("0", "hello who are you", 0), *RIGHT[1:]))

    assert found.cp.errors == 1
    assert found.cost == 0.0


def test_a_word_heard_long_after_it_was_said_is_an_error_by_time_alone() -> None:
    found = overall(meeting(*RIGHT[:3], ("1", "bye", 30)))

    assert (found.cp.errors, found.tcp and found.tcp.errors) == (0, 2)


def test_errors_go_to_the_dialect_of_who_spoke_and_spare_labels_to_nobody() -> None:
    found = meetings([meeting(*RIGHT[:3], ("1", "why", 6), ("2", "uh", 6))], method=OPEN)

    assert [(row.dialect, row.judged.cp.errors, row.speakers) for row in found.rows] == [
        ("en-IN", 1, 1),
        ("en-US", 0, 1),
    ]
    assert found.unassigned == ErrorCount(insertions=1)
    assert found.overall.judged.cp.errors == 2
    assert "unassigned" in found.text()


def test_nobody_was_heard() -> None:
    found = overall(meeting())

    assert found.cp == found.di_cp == found.tcp == ErrorCount(deletions=12)


def test_meeteval_counts_the_same_errors_and_words() -> None:
    from meeteval.io.seglst import SegLST
    from meeteval.wer.wer.cp import cp_word_error_rate
    from meeteval.wer.wer.di_cp import greedy_di_cp_word_error_rate
    from meeteval.wer.wer.time_constrained import tcp_word_error_rate

    one = meeting(("0", "hello who are", 0), ("1", "i am mine thanks good", 2), ("1", "two hear", 4), ("2", "my", 6))
    rows = [
        SegLST(
            [
                {"speaker": part.who, "words": " ".join(part.words), "start_time": part.start, "end_time": part.end}
                for part in parts
            ]
        )
        for parts in (one.said, one.heard)
    ]
    found = overall(one)

    theirs = (cp_word_error_rate(*rows), greedy_di_cp_word_error_rate(*rows), tcp_word_error_rate(*rows, collar=5))
    for mine, other in zip((found.cp, found.di_cp, found.tcp), theirs, strict=True):
        assert mine is not None
        assert (mine.errors, mine.words) == (other.errors, other.length)


def test_conversations_are_the_blocks_of_the_interval() -> None:
    good, bad = meeting(*RIGHT), meeting(*RIGHT[:2], id="m2")
    found = meetings([good, bad], method=OPEN).overall

    assert found.meetings == 2
    assert found.interval is not None
    assert meetings([good], method=OPEN).overall.interval is None


def test_a_crowd_is_counted_by_cpwer_alone() -> None:
    people = [f"p{number:02}" for number in range(MOST_SPEAKERS + 1)]
    crowd = Meeting(
        id="crowd",
        said=[stretch(name, "yes", at) for at, name in enumerate(people)],
        heard=[stretch(f"l{name}", "yes", at) for at, name in enumerate(people)],
        dialects=dict.fromkeys(people, "en-US"),
    )
    found = meetings([meeting(*RIGHT), crowd], method=OPEN)

    assert found.crowded == ("crowd",)
    assert (found.overall.judged.cp.errors, found.overall.judged.di_cp, found.orc) == (0, None, None)


def test_turns_add_up_and_everything_is_plain_json() -> None:
    turns = DiarisationError(speech=1000, missed=100, confusion=50)
    found = meetings([meeting(*RIGHT, turns=turns), meeting(*RIGHT, id="m2", turns=turns)], method=OPEN)

    data = found.data()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["turns"]["der"] == 0.15
    assert "DER 15.0 % (missed 10.0 %, too much 0.0 %, confused 5.0 %" in found.text()


def test_a_suppressed_dialect_shows_sizes_only() -> None:
    found = meetings([meeting(*RIGHT)])
    row: MeetingRow = found.rows[0]

    assert row.state == "suppressed"
    assert found.table()[1][0][4:9] == ("–",) * 5
    assert found.data(privacy_floor=True)["dialects"] == []
    assert dataclasses.replace(row, state="reportable").data() == row.data() | {"state": "reportable"}
