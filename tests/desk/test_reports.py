"""Statements: what they count, what is due, and that a name never becomes a formula."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from dialects.dialect import load_catalogue
from transcribe.desk.priority import knows, order_dialects
from transcribe.desk.quality import quality
from transcribe.desk.reports import Rates, format_csv, parse_rates, pay, productivity, read_rates, sum_work
from transcribe.desk.server import differ
from transcribe.desk_records import DialectProgress
from transcribe.errors import InputError
from transcribe.store.work_items import WorkItem

RATES = Rates(currency="INR", minute=12.0, dialects={"bho": 18.0}, late=0.5)


def piece(**facts: Any) -> WorkItem:
    defaults = {
        "person": "p",
        "name": "asha",
        "segment": "s",
        "recording": "r",
        "session": None,
        "speaker": "A",
        "dialect": "hi",
        "sound": 60_000,
        "active": 180_000,
        "first_at": "2026-01-31T12:00:00.000Z",
        "last_at": "2026-01-31T12:00:00.000Z",
        "purpose": "first",
        "hand": 1,
        "version": 1,
        "text": "एक दो",
        "draft": None,
        "state": "accepted",
        "stands": True,
        "verdicts": (),
        "reworded": False,
        "reasons": (),
        "gold": None,
    }
    return WorkItem(**(defaults | facts))


def progress(dialect: str, accepted: int = 0) -> DialectProgress:
    return DialectProgress(dialect=dialect, segments={"open": 1}, sound=1, accepted=accepted, oldest={})


def test_work_is_added_up_since_a_moment() -> None:
    pieces = [
        piece(verdicts=("accept",)),
        piece(verdicts=("send_back", "accept"), segment="t"),
        piece(verdicts=("accept",), reworded=True),
        piece(last_at="2025-12-31T23:59:59.999Z"),
    ]
    sums = sum_work(pieces, "2026-01-01")
    assert (sums["segments"], sums["sound_ms"], sums["active_ms"]) == (3, 180_000, 540_000)
    assert (sums["reviewed"], sums["accepted_first_time"]) == (3, 1)
    assert sums["sound_minutes_an_hour"] == 20.0


def test_without_active_time_no_pace_is_invented() -> None:
    assert sum_work([piece(active=0)], None)["sound_minutes_an_hour"] is None


def test_productivity_has_a_row_a_person_and_a_dialect() -> None:
    report = productivity([piece(), piece(name="ravi", dialect="bho"), piece(dialect="bho")])
    assert [(row["name"], row["segments"]) for row in report["people"]] == [("asha", 2), ("ravi", 1)]
    assert [(row["dialect"], row["segments"]) for row in report["dialects"]] == [("bho", 2), ("hi", 1)]


def test_an_accepted_minute_is_paid_at_the_rate_of_its_dialect() -> None:
    statement = pay([piece(), piece(dialect="bho"), piece(purpose="late", state="disputed")], RATES)
    assert [line["amount"] for line in statement["lines"]] == [12.0, 18.0, 6.0]
    assert statement["people"] == [{"name": "asha", "segments": 3, "sound_ms": 180_000, "amount": 36.0, "not_due": 0.0}]


@pytest.mark.parametrize("state", ["review", "disputed", "returned"])
def test_what_waits_for_a_reviewer_is_not_due_yet(state: str) -> None:
    [row] = pay([piece(state=state)], RATES)["people"]
    assert (row["amount"], row["not_due"]) == (0.0, 12.0)
    [gold] = pay([piece(state=state, purpose="gold")], RATES)["people"]
    assert gold["amount"] == 12.0


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"currency": "INR"},
        {"currency": "INR", "minute": -1},
        {"currency": "INR", "minute": float("nan")},
        {"currency": "INR", "minute": 1, "hour": 2},
        {"currency": "INR", "minute": 1, "dialects": {"hi": "2"}},
    ],
)
def test_rates_that_are_none_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="E_RATES"):
        parse_rates(values)


def test_rates_come_as_toml_or_as_a_table(tmp_path: Path) -> None:
    (tmp_path / "rates.toml").write_text('currency = "INR"\nminute = 12\nlate = 0.5\n[dialects]\nhi = 14.5\n')
    (tmp_path / "rates.csv").write_text("Dialekt;minute;currency;late\n;12;INR;0.5\nhi;14.5;;\n")
    rates = read_rates(tmp_path / "rates.csv")
    assert rates == read_rates(tmp_path / "rates.toml")
    assert (rates.of("hi"), rates.of("ta"), rates.late) == (14.5, 12.0, 0.5)
    (tmp_path / "rates.csv").write_text("dialect,minute\nhi,much\n")
    with pytest.raises(InputError, match=r"E_RATES: rates.csv row 2, column minute .B.: 'much' is no amount"):
        read_rates(tmp_path / "rates.csv")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1"])
def test_a_spreadsheet_takes_no_text_for_a_formula(text: str) -> None:
    [_, row] = csv.reader(io.StringIO(format_csv([{"name": text, "n": -1}]), newline=""))
    assert row == [f"'{text}", "-1"]


def test_quality_is_told_by_dialect() -> None:
    first, second = piece(text="एक दो"), piece(name="ravi", hand=2, text="एक तीन")
    pieces = [
        piece(verdicts=("send_back", "accept"), reasons=("misheard",)),
        piece(gold="एक दो", text="एक तीन", purpose="gold"),
    ]
    [row] = quality(pieces, [(first, second)], load_catalogue(), differ(load_catalogue()))["dialects"]
    assert (row["dialect"], row["pairs"], row["disagreement"]) == ("hi", 1, 0.5)
    assert (row["gold_segments"], row["gold_error"], row["sent_back"]) == (1, 0.5, 1)
    assert row["reasons"] == {"misheard": 1}


def test_the_least_heard_dialect_comes_first_then_by_tag() -> None:
    assert order_dialects([progress("c", 9), progress("b", 9), progress("d", 5), progress("e", 3)], []) == (
        "e",
        "d",
        "b",
        "c",
    )


def test_nobody_is_asked_for_what_they_do_not_know() -> None:
    rows = [progress("hi"), progress("bho-Deva"), progress("und")]
    assert order_dialects(rows, ["bho"]) == ("bho-Deva", "und")
    assert order_dialects(rows, ["bho", "hi"], wanted=["hi"]) == ("hi",)
    assert not knows(["hi"], "hil")
