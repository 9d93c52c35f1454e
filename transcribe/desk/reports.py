"""
Statements of time, pay and quality, made of pieces of work. Pure.

Every number is of a person's own work or of a dialect; nothing here ranks people, and what a number means is printed
with it.
"""

from __future__ import annotations

import io
import math
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dialects.scoring.word_errors import count
from dialects.tables import write_rows
from transcribe.errors import InputError, explain
from transcribe.store.work_items import WorkItem
from transcribe.tables import Table

#: The words of every statement, explained for people.
DEFINITIONS: Mapping[str, str] = {
    "sound": "length of the segments that the person wrote, each counted once, gold ones too",
    "active": "time with a key, the pointer or the sound, without pauses over 60 s; never more than the clock's time",
    "sound_minutes_an_hour": "minutes of sound written in an hour of active time",
    "reviewed": "segments that a reviewer decided on",
    "words_changed": "words put in, taken out or replaced, of texts that began with a machine's draft",
    "accepted_first_time": "of those, accepted at the first look and without other words",
}


def sum_work(pieces: Iterable[WorkItem], since: str | None) -> dict[str, Any]:
    """Sum up one person's *pieces*, of those touched from *since* on."""
    recent = [piece for piece in pieces if since is None or piece.last_at >= since]
    sound, active = sum(piece.sound for piece in recent), sum(piece.active for piece in recent)
    reviewed = [piece for piece in recent if piece.verdicts]
    return {
        "since": since,
        "segments": len(recent),
        "sound_ms": sound,
        "active_ms": active,
        "sound_minutes_an_hour": round(sound / active * 60, 2) if active else None,
        "reviewed": len(reviewed),
        "accepted_first_time": sum(piece.verdicts[0] == "accept" and not piece.reworded for piece in reviewed),
        **_count_changed_words(recent),
    }


def _count_changed_words(pieces: Iterable[WorkItem]) -> dict[str, int]:
    """Count the words of drafts, and those that people put in, took out or replaced."""
    words = changed = 0
    for piece in pieces:
        if piece.draft is not None:
            drafted = piece.draft.split()
            _, substitutions, deletions, insertions = count(drafted, piece.text.split())
            words, changed = words + len(drafted), changed + substitutions + deletions + insertions
    return {"draft_words": words, "words_changed": changed}


def productivity(pieces: Iterable[WorkItem]) -> dict[str, Any]:
    """Sum up work by person and by dialect, in alphabetical order."""
    by_person: dict[str, list[WorkItem]] = defaultdict(list)
    by_dialect: dict[str, list[WorkItem]] = defaultdict(list)
    for piece in pieces:
        by_person[piece.name].append(piece)
        by_dialect[piece.dialect].append(piece)
    return {
        "people": [{"name": name} | _sum_all_work(work) for name, work in sorted(by_person.items())],
        "dialects": [{"dialect": tag} | _sum_all_work(work) for tag, work in sorted(by_dialect.items())],
        "definitions": dict(DEFINITIONS),
    }


def _sum_all_work(pieces: Sequence[WorkItem]) -> dict[str, Any]:
    sums = sum_work(pieces, None)
    sums.pop("since")
    return sums


@dataclass(frozen=True, kw_only=True)
class Rates:
    """The pay for an accepted minute of sound."""

    currency: str
    #: Where no dialect says otherwise.
    minute: float
    dialects: Mapping[str, float]
    #: For texts that came too late to stand but were kept, against the rate.
    late: float = 1.0

    def of(self, dialect: str) -> float:
        return self.dialects.get(dialect, self.minute)


def read_rates(file: Path) -> Rates:
    """
    Read the rates in *file*: TOML, or a table of ``dialect, minute`` with one row whose dialect is empty.

    The table says ``currency`` and, if needed, ``late`` in that row.

    Raises:
        InputError: E_RATES, if it is neither or an amount is none.
    """
    if file.suffix.lower() != ".toml":
        return parse_rates(_read_rate_rows(file))
    try:
        return parse_rates(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"{file} cannot be read as TOML: {explain(error)}"
        raise InputError(message, code="E_RATES", hint="mend the file of rates", item=str(file)) from error


def _read_rate_rows(file: Path) -> dict[str, Any]:
    table = Table(file=file, any_of=(), required=("dialect", "minute"), columns=("currency", "late"), code="E_RATES")
    values: dict[str, Any] = {"dialects": {}}
    for row in table.rows():
        amounts: dict[str, float] = {}
        for name in ("minute", "late"):
            try:
                amounts |= {name: float(row.cells[name])} if name in row.cells else {}
            except ValueError:
                what = f"{row.cells[name][:40]!r} is no amount"
                raise table.fault(row.line, what, column=name, hint="write a number such as 12.5") from None
        if tag := row.cells.get("dialect", "").strip():
            values["dialects"][tag] = amounts.get("minute")
        else:
            values |= amounts | {"currency": row.cells.get("currency")}
    return values


def parse_rates(values: Mapping[str, Any]) -> Rates:
    """
    Parse the rates in a TOML file: ``currency``, ``minute``, ``late`` and a table ``dialects``.

    Raises:
        InputError: If a key is missing, unknown, or no amount from 0 on.
    """
    unknown = set(values) - {"currency", "minute", "late", "dialects"}
    amounts = [values.get("minute"), values.get("late", 1.0), *dict(values.get("dialects", {})).values()]
    valid = all(isinstance(amount, int | float) and math.isfinite(amount) and amount >= 0 for amount in amounts)
    if unknown or not valid or not isinstance(values.get("currency"), str):
        raise InputError(
            f"the rates hold {', '.join(sorted(values)) or 'nothing'}",
            code="E_RATES",
            hint='write currency = "INR", minute = 12.0 and, if needed, late = 1.0 and a table [dialects] of tags',
        )
    return Rates(
        currency=values["currency"],
        minute=values["minute"],
        dialects=dict(values.get("dialects", {})),
        late=values.get("late", 1.0),
    )


def pay(pieces: Iterable[WorkItem], rates: Rates) -> dict[str, Any]:
    """
    Return a line for each piece of work, and each person's sum. Work that waits for a reviewer or was sent back is
    listed as not due yet; a text in whose place a reviewer put another is due as any.
    """
    lines = [_price_piece(piece, rates) for piece in pieces]
    people: dict[str, dict[str, Any]] = {}
    for line in lines:
        sums = people.setdefault(
            line["name"], {"name": line["name"], "segments": 0, "sound_ms": 0, "amount": 0.0, "not_due": 0.0}
        )
        sums["segments"] += 1
        sums["sound_ms"] += line["sound_ms"]
        part = "amount" if line["due"] else "not_due"
        sums[part] = round(sums[part] + line["amount"], 4)
    return {
        "currency": rates.currency,
        "people": [people[name] for name in sorted(people)],
        "lines": lines,
        "definitions": {
            "amount": "minutes of sound times the dialect's rate",
            "due": "the text stands accepted, is one of two hands, was a check, or came late and is kept",
        },
    }


def _price_piece(piece: WorkItem, rates: Rates) -> dict[str, Any]:
    rate = rates.of(piece.dialect) * (rates.late if piece.purpose == "late" else 1.0)
    waiting = piece.purpose not in ("gold", "late") and piece.state in ("review", "disputed", "returned")
    return {
        "name": piece.name,
        "segment": piece.segment,
        "dialect": piece.dialect,
        "at": piece.last_at,
        "sound_ms": piece.sound,
        "active_ms": piece.active,
        "rate": rate,
        "amount": round(piece.sound / 60_000 * rate, 4),
        "due": not waiting,
        "sent_back": sum(verdict == "send_back" for verdict in piece.verdicts),
        "late": piece.purpose == "late",
    }


def format_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Format *rows* as CSV with a head, all of the same keys, so that no spreadsheet computes a cell."""
    out = io.StringIO()
    if rows:
        write_rows([list(rows[0]), *(row.values() for row in rows)], out)
    return out.getvalue()
