"""The cost of a wrong speaker label is told apart from that of wrong words."""

from __future__ import annotations

import dataclasses
import json

import pytest

pytest.importorskip("meeteval", reason="meeteval is not installed (extra 'meetings')")

from dialects.scoring.cpwer import DiarisationError
from dialects.scoring.meetings import MOST_SPEAKERS, Meeting, MeetingErrors, MeetingRow, Stretch, meetings
from dialects.scoring.rows import Method
from dialects.scoring.statistics import Thresholds
from dialects.scoring.word_errors import ErrorCount

#: Anything may be shown.
OPEN = Method(
    thresholds=Thresholds(provisional_speakers=1, provisional_words=1, reportable_speakers=2, reportable_words=1)
)
SPOKEN = (("A", "hello how are you", 0), ("B", "i am fine thanks", 2), ("A", "good to hear", 4), ("B", "bye", 6))


def stretch(speaker: str, text: str, start: float, *, lasts: float = 2.0) -> Stretch:
    words = text.split()
    word_s = lasts / max(len(words), 1)
    times = [(start + number * word_s, start + (number + 1) * word_s) for number in range(len(words))]
    return Stretch(speaker=speaker, words=words, start=start, end=start + lasts, times=times)


def meeting(*hypothesis: tuple[str, str, float], id: str = "m1", turns: DiarisationError | None = None) -> Meeting:
    return Meeting(
        id=id,
        reference=[stretch(*turn) for turn in SPOKEN],
        hypothesis=[stretch(*turn) for turn in hypothesis],
        dialects={"A": "en-US", "B": "en-IN"},
        turns=turns,
    )


def overall(*conversations: Meeting) -> MeetingErrors:
    return meetings(conversations, method=OPEN).overall.errors


RIGHT = tuple((label, text, start) for (_, text, start), label in zip(SPOKEN, "0101", strict=True))


def test_labels_are_names_of_their_own() -> None:
    assert overall(meeting(*RIGHT)) == MeetingErrors(
        cp=ErrorCount(hits=12), di_cp=ErrorCount(hits=12), tcp=ErrorCount(hits=12)
    )


def test_right_words_under_a_wrong_label_are_the_cost_of_diarisation() -> None:
    drafted = [*RIGHT[:2], ("1", "good to hear", 4), RIGHT[3]]
    errors = overall(meeting(*drafted))

    assert (errors.cp.errors, errors.cp.words) == (6, 12)
    assert errors.di_cp is not None
    assert errors.di_cp.errors == 0
    assert errors.cost == 0.5


def test_wrong_words_under_the_right_label_cost_nothing_more() -> None:
    errors = overall(meeting(("0", "hello who are you", 0), *RIGHT[1:]))

    assert errors.cp.errors == 1
    assert errors.cost == 0.0


def test_a_word_heard_long_after_it_was_said_is_an_error_by_time_alone() -> None:
    errors = overall(meeting(*RIGHT[:3], ("1", "bye", 30)))

    assert (errors.cp.errors, errors.tcp and errors.tcp.errors) == (0, 2)


def test_errors_go_to_the_dialect_of_who_spoke_and_spare_labels_to_nobody() -> None:
    report = meetings([meeting(*RIGHT[:3], ("1", "why", 6), ("2", "uh", 6))], method=OPEN)

    assert [(row.dialect, row.errors.cp.errors, row.speakers) for row in report.rows] == [
        ("en-IN", 1, 1),
        ("en-US", 0, 1),
    ]
    assert report.unassigned == ErrorCount(insertions=1)
    assert report.overall.errors.cp.errors == 2
    assert "unassigned" in report.text()


def test_nobody_was_heard() -> None:
    errors = overall(meeting())

    assert errors.cp == errors.di_cp == errors.tcp == ErrorCount(deletions=12)


def test_meeteval_counts_the_same_errors_and_words() -> None:
    from meeteval.io.seglst import SegLST
    from meeteval.wer.wer.cp import cp_word_error_rate
    from meeteval.wer.wer.di_cp import greedy_di_cp_word_error_rate
    from meeteval.wer.wer.time_constrained import tcp_word_error_rate

    conversation = meeting(
        ("0", "hello who are", 0), ("1", "i am mine thanks good", 2), ("1", "two hear", 4), ("2", "my", 6)
    )
    rows = [
        SegLST(
            [
                {"speaker": part.speaker, "words": " ".join(part.words), "start_time": part.start, "end_time": part.end}
                for part in parts
            ]
        )
        for parts in (conversation.reference, conversation.hypothesis)
    ]
    errors = overall(conversation)

    others = (cp_word_error_rate(*rows), greedy_di_cp_word_error_rate(*rows), tcp_word_error_rate(*rows, collar=5))
    for count, other in zip((errors.cp, errors.di_cp, errors.tcp), others, strict=True):
        assert count is not None
        assert (count.errors, count.words) == (other.errors, other.length)


def test_conversations_are_the_blocks_of_the_interval() -> None:
    good, bad = meeting(*RIGHT), meeting(*RIGHT[:2], id="m2")
    row = meetings([good, bad], method=OPEN).overall

    assert row.meetings == 2
    assert row.interval is not None
    assert meetings([good], method=OPEN).overall.interval is None


def test_a_crowd_is_counted_by_cpwer_alone() -> None:
    people = [f"p{number:02}" for number in range(MOST_SPEAKERS + 1)]
    crowd = Meeting(
        id="crowd",
        reference=[stretch(name, "yes", start) for start, name in enumerate(people)],
        hypothesis=[stretch(f"l{name}", "yes", start) for start, name in enumerate(people)],
        dialects=dict.fromkeys(people, "en-US"),
    )
    report = meetings([meeting(*RIGHT), crowd], method=OPEN)

    assert report.crowded == ("crowd",)
    assert (report.overall.errors.cp.errors, report.overall.errors.di_cp, report.orc) == (0, None, None)


def test_turns_add_up_and_everything_is_plain_json() -> None:
    turns = DiarisationError(speech=1000, missed=100, confusion=50)
    report = meetings([meeting(*RIGHT, turns=turns), meeting(*RIGHT, id="m2", turns=turns)], method=OPEN)

    document = report.data()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["turns"]["der"] == 0.15
    assert "DER 15.0 % (missed 10.0 %, too much 0.0 %, confused 5.0 %" in report.text()


def test_a_suppressed_dialect_shows_sizes_only() -> None:
    report = meetings([meeting(*RIGHT)])
    row: MeetingRow = report.rows[0]

    assert row.state == "suppressed"
    assert report.table()[1][0][4:9] == ("–",) * 5
    behind_floor = report.data(privacy_floor=True)
    assert (behind_floor["dialects"], behind_floor["overall"]["cpwer"]) == ([], None)
    assert report.hide_suppressed().table()[1][-1][4:9] == ("–",) * 5
    assert dataclasses.replace(row, state="reportable").data() == row.data() | {"state": "reportable"}
