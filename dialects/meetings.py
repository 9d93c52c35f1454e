"""
Conversations as people and models heard them: who said what, who was said to have, and when.

cpWER counts a word under the wrong name twice. DI-cpWER (Neumann et al. 2024) hands every heard stretch to the speaker
whom it suits best, whatever its label; so cpWER less DI-cpWER is what wrong attribution costs. ORC-WER (Sklyar et al.
2021) does it the other way round, each said stretch to a label. tcpWER (von Neumann et al. 2023) is cpWER where a word
pairs only with one heard within *COLLAR_S* of it. The last three are meeteval's, by its greedy search, whose time
grows with the square of the words and not with the power of the speakers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, TypeAlias

from dialects.columns import columns, percent
from dialects.conversations import DiarisationError, cp_errors
from dialects.rows import Method, rounded
from dialects.scoring import ErrorCount, count, from_counts
from dialects.statistics import Interval, State, jackknife_interval

#: Seconds that a word may be heard early or late, as meeteval and the CHiME challenges have it.
COLLAR_S = 5.0
#: Speakers that meeteval's matchings take.
MOST_SPEAKERS = 20
#: Row of what was heard under labels that no speaker got.
UNASSIGNED = "unassigned"
OVERALL = "overall"


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """What one speaker said, or one label was heard to say, without anybody else's words in between."""

    who: str
    #: Normalised.
    words: Sequence[str]
    #: Seconds.
    start: float
    end: float
    #: Start and end of each word; empty where only the whole is timed.
    times: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """One conversation, and what a model made of it."""

    id: str
    said: Sequence[Stretch]
    #: Only what was heard while somebody is known to speak: the rest has no reference.
    heard: Sequence[Stretch]
    #: Dialect of each speaker.
    dialects: Mapping[str, str]
    #: How the turns fit; ``None`` where nobody looked.
    turns: DiarisationError | None = None


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The errors of some speech by each way of counting; the same words for all of them."""

    cp: ErrorCount = field(default_factory=ErrorCount)
    #: Attribution ignored; ``None`` with more speakers than meeteval takes.
    di_cp: ErrorCount | None = field(default_factory=ErrorCount)
    tcp: ErrorCount | None = field(default_factory=ErrorCount)

    @property
    def cost(self) -> float | None:
        """What wrong attribution adds to the rate."""
        if self.cp.rate is None or self.di_cp is None or self.di_cp.rate is None:
            return None
        return self.cp.rate - self.di_cp.rate

    def __add__(self, other: Judged) -> Judged:
        return Judged(cp=self.cp + other.cp, di_cp=_both(self.di_cp, other.di_cp), tcp=_both(self.tcp, other.tcp))


@dataclass(frozen=True, kw_only=True)
class MeetingRow:
    """One dialect in conversations, by the dialects of those who speak; or all of them."""

    dialect: str
    #: Conversations, which are the blocks of the interval.
    meetings: int
    speakers: int
    judged: Judged
    #: Of cpWER.
    interval: Interval | None
    state: State

    def data(self) -> dict[str, Any]:
        """For JSON."""
        low, high = self.interval or (None, None)
        cp = self.judged.cp
        return {
            "dialect": self.dialect,
            "conversations": self.meetings,
            "speakers": self.speakers,
            "words": cp.words,
            "substitutions": cp.substitutions,
            "deletions": cp.deletions,
            "insertions": cp.insertions,
            "cpwer": rounded(cp.rate),
            "ci_low": rounded(low),
            "ci_high": rounded(high),
            "di_cpwer": _rate(self.judged.di_cp),
            "tcpwer": _rate(self.judged.tcp),
            "cost_of_diarisation": rounded(self.judged.cost),
            "state": self.state,
        }


@dataclass(frozen=True, kw_only=True)
class Meetings:
    """How one model hears conversations."""

    rows: tuple[MeetingRow, ...]
    #: Insertions under labels that no speaker got.
    unassigned: ErrorCount
    overall: MeetingRow
    #: Each said stretch given to the label that it suits best.
    orc: ErrorCount | None
    #: How the turns fit, over all conversations.
    turns: DiarisationError | None
    #: Ids of conversations with more speakers than meeteval takes: cpWER alone counts them.
    crowded: tuple[str, ...] = ()

    def data(self, *, privacy_floor: bool = False) -> dict[str, Any]:
        """For JSON; *privacy_floor* leaves suppressed dialects out."""
        shown = [row for row in self.rows if not (privacy_floor and row.state == "suppressed")]
        return {
            "dialects": [row.data() for row in shown],
            "unassigned_insertions": self.unassigned.insertions,
            "overall": self.overall.data() | {"orcwer": _rate(self.orc)},
            "collar_s": COLLAR_S,
            "search": "greedy",
            "turns": self.turns.data() if self.turns else None,
            "crowded": list(self.crowded),
        }

    def table(self) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
        """Header and rows, what nobody said and all together last; a suppressed row shows counts only."""
        spare = f"+{self.unassigned.insertions:,}"
        nobody = [(UNASSIGNED, "", "", spare, *[""] * 6)] if self.unassigned.insertions else []
        return _HEADER, (*(_cells(row) for row in self.rows), *nobody, _cells(self.overall))

    def notes(self) -> tuple[str, ...]:
        """What to read under the table."""
        lines = [
            "cost is cpWER less DI-cpWER: errors that come of the wrong name alone; "
            f"tcpWER pairs only words within {COLLAR_S:g} s"
        ]
        if self.orc is not None and self.orc.rate is not None:
            lines.append(f"ORC-WER {percent(self.orc.rate)} over all conversations")
        if self.turns is not None and self.turns.rate is not None:
            lines.append(self.turns.sentence)
        if self.crowded:
            lines.append(
                f"{len(self.crowded)} conversations have over {MOST_SPEAKERS} speakers: cpWER alone is counted"
            )
        return tuple(lines)

    def text(self) -> str:
        """Table and notes for a terminal."""
        header, rows = self.table()
        return "\n".join(["conversations:", columns(header, rows, texts=(0, 9)), "", *self.notes()])


_HEADER = (
    *("dialect", "conversations", "speakers", "words", "cpWER %"),
    *("interval", "DI-cpWER %", "tcpWER %", "cost", "state"),
)


def _cells(row: MeetingRow) -> tuple[str, ...]:
    sizes = (row.dialect, f"{row.meetings:,}", f"{row.speakers:,}", f"{row.judged.cp.words:,}")
    if row.state == "suppressed":
        return (*sizes, *["–"] * 5, row.state)
    interval = f"{percent(row.interval[0])} – {percent(row.interval[1])}" if row.interval else "–"
    judged = row.judged
    rates = (percent(_rate(judged.di_cp)), percent(_rate(judged.tcp)), percent(judged.cost))
    return (*sizes, percent(judged.cp.rate), interval, *rates, row.state)


#: (errors of each speaker and, under ``None``, of labels that no speaker got; ORC-WER).
_Found: TypeAlias = tuple[dict[str | None, Judged], ErrorCount | None]


def meetings(found: Iterable[Meeting], *, method: Method | None = None) -> Meetings:
    """
    The errors of *found*, which may be a stream: memory grows with conversations and not with words.

    Needs meeteval (extra ``meetings``).
    """
    method = method or Method()
    by_dialect: dict[str, dict[str, Judged]] = defaultdict(dict)
    everyone: dict[str, Judged] = {}
    people: Counter[str] = Counter()
    unassigned = ErrorCount()
    orc: ErrorCount | None = ErrorCount()
    times: list[DiarisationError] = []
    crowded = []
    for meeting in found:
        judged, whole = _judge(meeting)
        orc = _both(orc, whole)
        times += [meeting.turns] if meeting.turns else []
        crowded += [meeting.id] if whole is None else []
        everyone[meeting.id] = reduce(Judged.__add__, judged.values(), Judged())
        unassigned += judged.pop(None).cp
        for speaker, errors in judged.items():
            dialect = meeting.dialects[str(speaker)]
            mine = by_dialect[dialect]
            mine[meeting.id] = mine.get(meeting.id, Judged()) + errors
            people[dialect] += 1
    return Meetings(
        rows=tuple(_row(tag, by_dialect[tag], people[tag], method) for tag in sorted(by_dialect)),
        unassigned=unassigned,
        overall=_row(OVERALL, everyone, people.total(), method),
        orc=orc,
        turns=reduce(DiarisationError.__add__, times) if times else None,
        crowded=tuple(sorted(crowded)),
    )


def _row(tag: str, parts: Mapping[str, Judged], speakers: int, method: Method) -> MeetingRow:
    errors, words = ([getattr(parts[id].cp, name) for id in sorted(parts)] for name in ("errors", "words"))
    return MeetingRow(
        dialect=tag,
        meetings=len(parts),
        speakers=speakers,
        judged=reduce(Judged.__add__, (parts[id] for id in sorted(parts)), Judged()),
        interval=jackknife_interval(errors, words, confidence=method.confidence),
        state=method.thresholds.state(blocks=len(parts), words=sum(words)),
    )


def _judge(meeting: Meeting) -> _Found:
    said, heard = _by_who(meeting.said), _by_who(meeting.heard)
    cp = cp_errors(said, heard)
    found: dict[str | None, ErrorCount] = {None: cp.unassigned} | dict(cp.speakers)
    if max(len(said), len(heard)) > MOST_SPEAKERS:
        return {who: Judged(cp=errors, di_cp=None, tcp=None) for who, errors in found.items()}, None
    best, timed = _reassigned(meeting), _timed(meeting)
    judged = {
        who: Judged(cp=errors, di_cp=_errors_of(said, best, who), tcp=timed.get(who, ErrorCount()))
        for who, errors in found.items()
    }
    return judged, _orc(meeting)


def _errors_of(said: Mapping[str, list[str]], heard: Mapping[str, list[str]], who: str | None) -> ErrorCount:
    return ErrorCount() if who is None else from_counts(count(said[who], heard.get(who, ())))


def _by_who(stretches: Iterable[Stretch]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for stretch in sorted(stretches, key=lambda one: (one.start, one.end, one.who)):
        found.setdefault(stretch.who, []).extend(stretch.words)
    return found


def _reassigned(meeting: Meeting) -> dict[str, list[str]]:
    """The heard words of each speaker, every stretch given to whomever it suits best."""
    from meeteval.wer.wer.di_cp import greedy_di_cp_word_error_rate

    if not meeting.heard:
        return {}
    # In order of time, which is also that of the assignment.
    heard = sorted(meeting.heard, key=lambda one: (one.start, one.end, one.who))
    owners = greedy_di_cp_word_error_rate(_seglst(meeting.said), _seglst(heard)).assignment
    found: dict[str, list[str]] = {}
    for owner, stretch in zip(owners, heard, strict=True):
        found.setdefault(owner, []).extend(stretch.words)
    return found


def _orc(meeting: Meeting) -> ErrorCount:
    from meeteval.wer.wer.orc import greedy_orc_word_error_rate

    if not meeting.heard:
        return ErrorCount(deletions=sum(len(one.words) for one in meeting.said))
    return _count_of(greedy_orc_word_error_rate(_seglst(meeting.said), _seglst(meeting.heard)))


def _timed(meeting: Meeting) -> dict[str | None, ErrorCount]:
    """tcpWER of each speaker under the match of labels with the fewest errors; under ``None`` that of spare labels."""
    from meeteval.wer.wer.time_constrained import tcp_word_error_rate, time_constrained_siso_word_error_rate

    said, heard = _by_who(meeting.said), _by_who(meeting.heard)
    words = _word_by_word(meeting.heard)
    matched = tcp_word_error_rate(_seglst(meeting.said), _seglst(words), collar=COLLAR_S).assignment if heard else ()
    spare = sum(len(heard[label]) for who, label in matched if who is None)
    found: dict[str | None, ErrorCount] = {who: ErrorCount(deletions=len(all)) for who, all in said.items()}
    found[None] = ErrorCount(insertions=spare)
    for who, label in matched:
        if who is not None and label is not None:
            mine = _seglst(one for one in meeting.said if one.who == who)
            theirs = _seglst(one for one in words if one.who == label)
            found[who] = _count_of(time_constrained_siso_word_error_rate(mine, theirs, collar=COLLAR_S))
    return found


def _word_by_word(heard: Iterable[Stretch]) -> list[Stretch]:
    return [
        Stretch(who=one.who, words=(word,), start=start, end=end)
        for one in heard
        for word, (start, end) in zip(one.words, one.times, strict=True)
    ]


def _seglst(stretches: Iterable[Stretch]) -> Any:
    from meeteval.io.seglst import SegLST

    return SegLST(
        [
            {"speaker": one.who, "words": " ".join(one.words), "start_time": one.start, "end_time": one.end}
            for one in sorted(stretches, key=lambda one: (one.start, one.end, one.who))
        ]
    )


def _count_of(theirs: Any) -> ErrorCount:
    hits = theirs.length - theirs.substitutions - theirs.deletions
    return ErrorCount(
        hits=hits, substitutions=theirs.substitutions, deletions=theirs.deletions, insertions=theirs.insertions
    )


def _both(one: ErrorCount | None, other: ErrorCount | None) -> ErrorCount | None:
    return None if one is None or other is None else one + other


def _rate(counts: ErrorCount | None) -> float | None:
    return rounded(counts.rate) if counts is not None else None
