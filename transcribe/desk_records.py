"""
The nouns of the correction desk: who works there, what they hold, what they wrote, what was decided about it.

Frozen records, as in `transcribe.records`. Moments of the clock are UTC text that sorts (``…_at``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from transcribe.records import Milliseconds, Quality, Word

#: What a person is in the project. One person may be several.
Role: TypeAlias = Literal["transcriber", "reviewer", "lead", "analyst"]
#: What a route asks for, and what a token may be limited to.
Permission: TypeAlias = Literal["work", "review", "progress", "people", "metrics"]
#: Where a segment stands on the desk: waiting, held by somebody, before a reviewer, with texts that differ, sent
#: back, put aside with a reason, done, given up as unclear, kept for checking people, no longer in the newest run,
#: erased with its speaker, made into others, or its draft accepted without a person.
State: TypeAlias = Literal[
    "open",
    "held",
    "review",
    "disputed",
    "returned",
    "aside",
    "accepted",
    "unclear",
    "gold",
    "gone",
    "erased",
    "reshaped",
    "grown",
]
#: Why somebody holds a segment: its first or second text, one sent back, one known already, or to review it.
Purpose: TypeAlias = Literal["first", "second", "again", "gold", "review"]
#: What became of a text that was sent.
Status: TypeAlias = Literal["applied", "duplicate", "conflict", "late", "rejected"]
#: How segments become others: one becomes two, two become one, a boundary moves, or a step is taken back.
Step: TypeAlias = Literal["split", "merge", "move", "undo"]
Decision: TypeAlias = Literal["accept", "send_back", "unclear", "reopen"]
#: Why a reviewer sends a text back or puts another in its place. ``dialect_form`` is no error: it feeds the guide.
Reason: TypeAlias = Literal["misheard", "spelling", "dialect_form", "speaker", "boundary", "tag", "typing"]
#: Why a person passes a segment on. ``dialect`` and ``later`` leave it to others, the rest asks a reviewer.
SkipReason: TypeAlias = Literal["dialect", "later", "bad_audio", "no_speech", "other_language", "private", "help"]

ROLES: tuple[Role, ...] = get_args(Role)
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)
SKIP_REASONS: tuple[SkipReason, ...] = get_args(SkipReason)
#: Reasons that leave a segment to other transcribers.
LEFT_TO_OTHERS: frozenset[str] = frozenset({"dialect", "later"})

GRANTS: Mapping[Role, frozenset[Permission]] = {
    "transcriber": frozenset({"work"}),
    "reviewer": frozenset({"review"}),
    "lead": frozenset({"review", "progress", "people", "metrics"}),
    "analyst": frozenset({"progress", "metrics"}),
}


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who works at the desk."""

    id: str
    #: What they sign in with and what stands beside their texts.
    name: str
    roles: tuple[Role, ...]
    #: Tags of the dialects they know, each with all below it; empty: nobody said, so they are asked for any.
    dialects: tuple[str, ...] = ()
    disabled: bool = False

    @property
    def permissions(self) -> frozenset[Permission]:
        return frozenset().union(*(GRANTS[role] for role in self.roles))


@dataclass(frozen=True, kw_only=True)
class Token:
    """A script's key: what it may do, until when. The key itself is known to its owner alone."""

    id: str
    person: str
    name: str
    scopes: tuple[Permission, ...]
    made_at: str
    until_at: str | None
    ended_at: str | None = None


@dataclass(frozen=True, kw_only=True)
class Lease:
    """A person's hold on a segment."""

    id: str
    segment: str
    person: str
    #: Grows with every hold on the segment: of two holders the later one has the higher.
    fence: int
    purpose: Purpose
    #: Version of the text that the holder was given; 0: none but the draft.
    base: int
    offline: bool
    taken_at: str
    until_at: str


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A text on its way in. *op_id* is made where it was typed; *body* is the hash of all the rest."""

    op_id: str
    body: str
    segment: str
    fence: int
    base_version: int
    text: str
    tags: tuple[str, ...] = ()
    active: Milliseconds = 0
    client_time: str | None = None
    seq: int = 0
    #: What else was said of the segment: ``normalised``, ``guideline``, ``speaker``, ``start_ms``, ``end_ms``.
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of an operation."""

    op_id: str
    status: Status
    #: The version made of it; of a conflict, the version that stands.
    version: int | None = None
    text_sha256: str | None = None
    #: Of a conflict: the text that stands.
    server_text: str | None = None
    #: Of a rejection: a stable word; ``withheld`` where consent was withdrawn since, and the text is kept unread.
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Reshape:
    """A step that makes segments into others, on its way in."""

    op_id: str
    body: str
    kind: Step
    segment: str
    fence: int
    #: Of a split: where; of a move: the new beginning, ``None`` for the old one.
    start: Milliseconds | None = None
    end: Milliseconds | None = None
    #: Of an undo: the step to take back.
    of: str | None = None


@dataclass(frozen=True, kw_only=True)
class Reshaped:
    """The outcome of a step."""

    op_id: str
    status: Status
    reason: str | None = None
    #: The new holds of who asked, by time.
    leases: tuple[Lease, ...] = ()
    #: Segments that are no more.
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Version:
    """One text of a segment, never changed."""

    segment: str
    version: int
    #: How it came to be: ``applied``, ``late``, ``conflict``, ``gold``, or ``review`` by a reviewer's hand.
    kind: str
    person: str
    text: str
    tags: tuple[str, ...]
    #: First (1) or second (2) hand, where a segment is written twice.
    hand: int
    added_at: str
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A reviewer's decision on a version, on its way in."""

    op_id: str
    body: str
    segment: str
    fence: int
    version: int
    decision: Decision
    #: The reviewer's own text; ``None`` leaves the version as it is.
    text: str | None = None
    #: The normalised tier of *text*; ``None`` leaves that of the version where *text* does.
    normalised: str | None = None
    tags: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    note: str = ""
    #: Spellings that are right too: the one written, and the other.
    variants: tuple[tuple[str, str], ...] = ()
    played: Milliseconds = 0


@dataclass(frozen=True, kw_only=True)
class DeskRules:
    """How the desk decides. Shares are of 1."""

    #: Texts that a reviewer sees before they count.
    review_share: float = 0.2
    #: Segments that two people write, neither knowing of the other, both without the draft.
    second_share: float = 0.1
    #: Segments whose text is known already, among those handed out.
    gold_share: float = 0.02
    #: Segments handed out by lot instead of by need.
    random_share: float = 0.1
    #: Disagreement of two hands above which a third decides.
    dispute_over: float = 0.15
    #: How often a text may be sent back.
    rounds: int = 2
    #: Part of the sound that a reviewer must have heard before accepting.
    heard_share: float = 0.8
    lease_s: int = 900
    offline_lease_s: int = 86_400
    #: Segments that one person may hold at a time.
    most_leases: int = 120


@dataclass(frozen=True, kw_only=True)
class Mask:
    """A stretch of a recording that nobody may hear or read."""

    id: str
    recording: str
    start: Milliseconds
    end: Milliseconds
    #: Name of who marked it; ``None``: a client's term was found there.
    by: str | None
    added_at: str


@dataclass(frozen=True, kw_only=True)
class View:
    """A segment as its holder sees it."""

    segment: str
    recording: str
    speaker: str
    start: Milliseconds
    end: Milliseconds
    dialect: str | None
    channel: int | None
    split: str
    state: State
    fence: int
    #: The version that stands, with its text; 0 and ``None``: none yet.
    version: int
    text: str | None
    #: The normalised tier of *text*, where somebody wrote one.
    normalised: str | None
    #: Words of the newest draft; ``None`` where it has none, or where it may not be shown.
    words: Sequence[Word] | None
    model: str | None
    flags: tuple[str, ...] = ()
    #: Text of a second opinion that disagrees with *words* and is surer of itself.
    alternative: str | None = None
    #: Masked spans in and near the segment. Nothing of them is in any text here.
    masks: tuple[tuple[Milliseconds, Milliseconds], ...] = ()
    #: Drafted text of the segments before and after, for the eye only.
    before: str | None = None
    after: str | None = None
    #: Of the whole recording; ``None``: never measured.
    quality: Quality | None = None


@dataclass(frozen=True, kw_only=True)
class DialectProgress:
    """How far one dialect is on the desk."""

    dialect: str
    segments: Mapping[str, int]
    sound: Milliseconds
    accepted: Milliseconds
    #: Since when the oldest one in a queue waits: by state.
    oldest: Mapping[str, str]
