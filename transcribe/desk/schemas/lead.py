"""The shapes of a lead's pages and of one's own work, in and out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from transcribe.desk.schemas.common import In, Out, Tag
from transcribe.desk.schemas.segments import Heartbeat, SentBack
from transcribe.desk_records import Decision, Role

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Note = Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Definitions = dict[str, str]
SettingValue = bool | int | float | str | None


class DialectOut(Out):
    """The progress of one dialect, in the words of ``definitions``."""

    dialect: str
    name: str
    segments: dict[str, int]
    sound_ms: int
    drafted_ms: int
    waiting_ms: int
    reviewing_ms: int
    accepted_ms: int
    reviewed_ms: int
    unclear_ms: int
    pace_ms_a_day: int
    days_left: int | None
    #: By state: since when the oldest segment waits.
    oldest: dict[str, str]


class ProgressOut(Out):
    dialects: list[DialectOut]
    sound_ms: int
    accepted_ms: int
    server_time: str
    definitions: Definitions


class DoubtsRow(Out):
    """The errors among the words that are marked as doubtful, and among the others."""

    #: Accepted words that were looked at, and whether they are enough to calibrate by.
    words: int
    calibrated: bool
    shaded_words: int
    shaded_errors: int
    plain_words: int
    plain_errors: int


class QualityRow(Out):
    """The quality of one dialect's texts; shares are of 1, ``None`` where there is nothing to tell it by."""

    dialect: str
    name: str
    #: Segments that two people wrote blindly, how far they differ, and the 95 % interval by speaker.
    pairs: int
    disagreement: float | None
    ci_low: float | None
    ci_high: float | None
    state: str
    gold_segments: int
    gold_error: float | None
    reviewed: int
    accepted_first_time: int
    reworded: int
    sent_back: int
    reasons: dict[str, int]
    #: ``None`` where no accepted word was drafted.
    doubts: DoubtsRow | None


class QualityOut(Out):
    dialects: list[QualityRow]
    definitions: Definitions


class SpanOfWork(Out):
    """The sums of somebody's work since a moment."""

    since: str | None = None
    segments: int
    sound_ms: int
    active_ms: int
    #: Minutes of sound an active hour; ``None`` without active time.
    sound_minutes_an_hour: float | None
    reviewed: int
    accepted_first_time: int
    #: Of texts that began with a draft: words of the draft, and how many were put in, taken out or replaced.
    draft_words: int
    words_changed: int


class ReturnedOut(Out):
    segment: str
    sent_back: SentBack | None


class WorkOut(Out):
    """One's own work; nobody else's is in it."""

    today: SpanOfWork
    week: SpanOfWork
    all: SpanOfWork
    #: The last eight weeks, the oldest first.
    weeks: list[SpanOfWork]
    returned: list[ReturnedOut]
    leases: list[Heartbeat]
    #: What the words mean, for people.
    definitions: Definitions


class PersonSpan(SpanOfWork):
    name: str


class DialectSpan(SpanOfWork):
    dialect: str
    name: str


class ProductivityOut(Out):
    """The work by person in alphabetical order: nobody is ranked."""

    people: list[PersonSpan]
    dialects: list[DialectSpan]
    definitions: Definitions


class PayLine(Out):
    name: str
    segment: str
    dialect: str
    at: str
    sound_ms: int
    active_ms: int
    rate: float
    amount: float
    due: bool
    sent_back: int
    late: bool


class PaySum(Out):
    name: str
    segments: int
    sound_ms: int
    amount: float
    not_due: float


class PayOut(Out):
    """A statement; ``currency`` is ``None`` where the workspace has no rates, and every amount is 0 then."""

    currency: str | None
    people: list[PaySum]
    lines: list[PayLine]
    definitions: Definitions


class ObjectionOut(Out):
    id: str
    name: str
    segment: str
    note: str
    made_at: str
    outcome: Literal["right", "stays"] | None
    answer: str | None
    answered_at: str | None


class OwnPayOut(PayOut):
    """One's own statement, with what one objected to."""

    objections: list[ObjectionOut]


class ObjectionIn(In):
    segment: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    note: Note


class AnswerIn(In):
    outcome: Literal["right", "stays"]
    answer: Note


class DecidedOut(Out):
    """A reviewer's decision about a text of one's own; ``became`` is the text in its place, where there is one."""

    segment: str
    dialect: str
    at: str
    decision: Decision
    reasons: list[str]
    note: str
    text: str
    became: str | None


class HeardOut(Out):
    no: int
    at: str
    name: str
    recording: str
    path: str
    segment: str
    start_ms: int
    end_ms: int


class HeardPage(Out):
    """The listenings, the newest first. ``before`` asks for the next page; ``None``: there is none."""

    listenings: list[HeardOut]
    before: int | None


class SpellingOut(Out):
    dialect: str
    written: str
    other: str
    segment: str
    name: str
    at: str


class PersonOut(Out):
    id: str
    name: str
    roles: list[Role]
    dialects: list[str]
    disabled: bool
    has_password: bool
    invited_until: str | None
    seen_at: str | None
    added_at: str


class PersonIn(In):
    name: Name
    roles: Annotated[list[Role], Field(min_length=1, max_length=4)]
    dialects: Annotated[list[Tag], Field(max_length=50)] = Field(default_factory=list)


class PersonChange(In):
    """The fields of a person to change."""

    roles: Annotated[list[Role], Field(min_length=1, max_length=4)] | None = None
    dialects: Annotated[list[Tag], Field(max_length=50)] | None = None
    disabled: bool | None = None


class InvitationOut(Out):
    """The end of a link, good for one use until a moment; it is in no other answer."""

    person: str
    name: str
    key: str
    until: str


class InvitationLook(In):
    key: Key


class InvitationUse(In):
    key: Key
    password: Annotated[str, StringConstraints(min_length=10, max_length=1_024)]


class InvitedOut(Out):
    """The person that an invitation is for."""

    name: str


class SettingOut(Out):
    name: str
    value: SettingValue
    default: SettingValue
    kind: Literal["number", "integer", "boolean", "choice"]
    low: float | None
    high: float | None
    choices: list[str] | None
    #: Whether nothing may stand there.
    optional: bool
    changed: bool
    #: Set by the server's environment, so that a page cannot change it.
    fixed: bool


class SettingsOut(Out):
    settings: list[SettingOut]
