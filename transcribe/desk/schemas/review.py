"""Shapes of versions, of decisions, and of what a reviewer is asked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from transcribe.desk.schemas.common import Out
from transcribe.desk.schemas.segments import LeaseOut
from transcribe.desk_records import Decision


class VersionOut(Out):
    version: int
    kind: str
    text: str
    normalised: str | None = None
    tags: list[str]
    #: ``None`` of texts that differ: who came first is not told.
    at: str | None
    mine: bool
    #: Name of who wrote it; leads only.
    author: str | None = None


class DecisionOut(Out):
    version: int
    decision: Decision
    result: int | None
    reasons: list[str]
    note: str
    at: str


class HistoryOut(Out):
    segment: str
    versions: list[VersionOut]
    verdicts: list[DecisionOut]


class ReviewOut(Out):
    """The segment that a reviewer decides on; where nothing waits, there is nothing in the other fields."""

    waiting: bool
    #: ``disputed``: texts that differ; no names, no order.
    kind: Literal["review", "disputed", "aside"] | None = None
    reason: str | None = None
    lease: LeaseOut | None = None
    versions: list[VersionOut] = Field(default_factory=list)
    #: Part of the clip that must be played before accepting.
    heard_share: float | None = None
    rounds_left: int | None = None
