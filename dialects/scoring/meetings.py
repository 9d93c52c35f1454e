"""
Word error rates of conversations, with the speaker of each word (cpWER, DI-cpWER, ORC-WER) and its time (tcpWER).

cpWER counts a word under the wrong name twice. DI-cpWER (Neumann et al. 2024) gives every stretch of the hypothesis to
the speaker whom it suits best, whatever its label; so cpWER less DI-cpWER is what wrong attribution costs. ORC-WER
(Sklyar et al. 2021) does it the other way round, each stretch of the reference to a label. tcpWER (von Neumann et al.
2023) is cpWER where a word pairs only with one drafted within *COLLAR_S* of it. The last three are meeteval's, by its
greedy search, whose time grows with the square of the words and not with the power of the speakers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from dialects.columns import columns, percent
from dialects.scoring.cpwer import DiarisationError, cp_errors
from dialects.scoring.rows import Method, round_number
from dialects.scoring.statistics import Interval, State, jackknife_interval
from dialects.scoring.word_errors import ErrorCount, count, from_counts

#: Seconds that a word may be early or late, as meeteval and the CHiME challenges have it.
COLLAR_S = 5.0
#: Speakers that meeteval's matchings take.
MOST_SPEAKERS = 20
#: Row of the words under labels that no speaker got.
UNASSIGNED = "unassigned"
OVERALL = "overall"


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """The words of one speaker, or under one label, without anybody else's words in between."""

    speaker: str
    #: Normalised.
    words: Sequence[str]
    #: Seconds.
    start: float
    end: float
    #: Start and end of each word; empty where only the whole is timed.
    times: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """The reference and the hypothesis of one conversation."""

    id: str
    reference: Sequence[Stretch]
    #: Only words drafted while somebody is known to speak: the others have no reference.
    hypothesis: Sequence[Stretch]
    #: Dialect of each speaker.
    dialects: Mapping[str, str]
    #: How the turns fit; ``None`` where they were not compared.
    turns: DiarisationError | None = None


@dataclass(frozen=True, kw_only=True)
class MeetingErrors:
    """The errors of some speech by each way of counting; the same words for all of them."""

    cp: ErrorCount = field(default_factory=ErrorCount)
    #: Attribution ignored; ``None`` with more speakers than meeteval takes.
    di_cp: ErrorCount | None = field(default_factory=ErrorCount)
    tcp: ErrorCount | None = field(default_factory=ErrorCount)

    @property
    def cost(self) -> float | None:
        """The part of the rate that wrong attribution adds."""
        if self.cp.rate is None or self.di_cp is None or self.di_cp.rate is None:
            return None
        return self.cp.rate - self.di_cp.rate

    def __add__(self, other: MeetingErrors) -> MeetingErrors:
        return MeetingErrors(cp=self.cp + other.cp, di_cp=_add(self.di_cp, other.di_cp), tcp=_add(self.tcp, other.tcp))


@dataclass(frozen=True, kw_only=True)
class MeetingRow:
    """A dialect in conversations, by the dialects of those who speak; or all of them."""

    dialect: str
    #: Conversations, which are the blocks of the interval.
    meetings: int
    speakers: int
    errors: MeetingErrors
    #: Of cpWER.
    interval: Interval | None
    state: State

    def data(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        low, high = self.interval or (None, None)
        cp = self.errors.cp
        return {
            "dialect": self.dialect,
            "conversations": self.meetings,
            "speakers": self.speakers,
            "words": cp.words,
            "substitutions": cp.substitutions,
            "deletions": cp.deletions,
            "insertions": cp.insertions,
            "cpwer": round_number(cp.rate),
            "ci_low": round_number(low),
            "ci_high": round_number(high),
            "di_cpwer": _rate(self.errors.di_cp),
            "tcpwer": _rate(self.errors.tcp),
            "cost_of_diarisation": round_number(self.errors.cost),
            "state": self.state,
        }


@dataclass(frozen=True, kw_only=True)
class Meetings:
    """The errors of one model in conversations."""

    rows: tuple[MeetingRow, ...]
    #: Insertions under labels that no speaker got.
    unassigned: ErrorCount
    overall: MeetingRow
    #: Each stretch of the reference given to the label that it suits best.
    orc: ErrorCount | None
    #: How the turns fit, over all conversations.
    turns: DiarisationError | None
    #: Ids of conversations with more speakers than meeteval takes: cpWER alone counts them.
    crowded: tuple[str, ...] = ()

    def data(self, *, privacy_floor: bool = False) -> dict[str, Any]:
        """Return plain values for JSON; *privacy_floor* leaves suppressed dialects out, and totals that tell them."""
        if not privacy_floor:
            rows, overall = self.rows, self.overall.data() | {"orcwer": _rate(self.orc)}
        else:
            rows, overall = tuple(row for row in self.rows if row.state != "suppressed"), self._visible_total()
        return {
            "dialects": [row.data() for row in rows],
            "unassigned_insertions": self.unassigned.insertions,
            "overall": overall,
            "collar_s": COLLAR_S,
            "search": "greedy",
            "turns": self.turns.data() if self.turns else None,
            "crowded": list(self.crowded),
        }

    def hide_suppressed(self) -> Meetings:
        """Return the conversations as people are shown them: no total where it would tell what a row hides."""
        tells = any(row.state == "suppressed" for row in self.rows)
        return replace(self, overall=replace(self.overall, state="suppressed")) if tells else self

    def _visible_total(self) -> dict[str, Any]:
        total = self.hide_suppressed().overall
        cells = total.data() | {"orcwer": _rate(self.orc)}
        if total.state != "suppressed":
            return cells
        sizes = ("dialect", "conversations", "speakers", "words", "state")
        return {key: cell if key in sizes else None for key, cell in cells.items()}

    def table(self) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
        """Return header and rows, unassigned words and all speech last; a suppressed row shows counts only."""
        spare = f"+{self.unassigned.insertions:,}"
        nobody = [(UNASSIGNED, "", "", spare, *[""] * 6)] if self.unassigned.insertions else []
        return _HEADER, (*(_cells(row) for row in self.rows), *nobody, _cells(self.hide_suppressed().overall))

    def notes(self) -> tuple[str, ...]:
        """Return the notes that stand under the table."""
        lines = [
            "cost is cpWER less DI-cpWER: errors that come of the wrong name alone; "
            f"tcpWER pairs only words within {COLLAR_S:g} s"
        ]
        is_visible = self.hide_suppressed().overall.state != "suppressed"
        if is_visible and self.orc is not None and self.orc.rate is not None:
            lines.append(f"ORC-WER {percent(self.orc.rate)} over all conversations")
        if is_visible and self.turns is not None and self.turns.rate is not None:
            lines.append(self.turns.sentence)
        if self.crowded:
            lines.append(
                f"{len(self.crowded)} conversations have over {MOST_SPEAKERS} speakers: cpWER alone is counted"
            )
        return tuple(lines)

    def text(self) -> str:
        """Format table and notes for a terminal."""
        header, rows = self.table()
        return "\n".join(["conversations:", columns(header, rows, texts=(0, 9)), "", *self.notes()])


_HEADER = (
    *("dialect", "conversations", "speakers", "words", "cpWER %"),
    *("interval", "DI-cpWER %", "tcpWER %", "cost", "state"),
)


def _cells(row: MeetingRow) -> tuple[str, ...]:
    sizes = (row.dialect, f"{row.meetings:,}", f"{row.speakers:,}", f"{row.errors.cp.words:,}")
    if row.state == "suppressed":
        return (*sizes, *["–"] * 5, row.state)
    interval = f"{percent(row.interval[0])} – {percent(row.interval[1])}" if row.interval else "–"
    errors = row.errors
    rates = (percent(_rate(errors.di_cp)), percent(_rate(errors.tcp)), percent(errors.cost))
    return (*sizes, percent(errors.cp.rate), interval, *rates, row.state)


def meetings(conversations: Iterable[Meeting], *, method: Method | None = None) -> Meetings:
    """
    Count the errors of *conversations*, which may be a stream: memory grows with conversations and not with words.

    Needs meeteval (extra ``meetings``).
    """
    method = method or Method()
    by_dialect: dict[str, dict[str, MeetingErrors]] = defaultdict(dict)
    everyone: dict[str, MeetingErrors] = {}
    people: Counter[str] = Counter()
    unassigned = ErrorCount()
    orc: ErrorCount | None = ErrorCount()
    times: list[DiarisationError] = []
    crowded = []
    for meeting in conversations:
        errors_by_speaker, meeting_orc = _count_errors(meeting)
        orc = _add(orc, meeting_orc)
        times += [meeting.turns] if meeting.turns else []
        crowded += [meeting.id] if meeting_orc is None else []
        everyone[meeting.id] = reduce(MeetingErrors.__add__, errors_by_speaker.values(), MeetingErrors())
        unassigned += errors_by_speaker.pop(None).cp
        for speaker, errors in errors_by_speaker.items():
            dialect = meeting.dialects[str(speaker)]
            by_meeting = by_dialect[dialect]
            by_meeting[meeting.id] = by_meeting.get(meeting.id, MeetingErrors()) + errors
            people[dialect] += 1
    return Meetings(
        rows=tuple(_row(tag, by_dialect[tag], people[tag], method) for tag in sorted(by_dialect)),
        unassigned=unassigned,
        overall=_row(OVERALL, everyone, people.total(), method),
        orc=orc,
        turns=reduce(DiarisationError.__add__, times) if times else None,
        crowded=tuple(sorted(crowded)),
    )


def _row(tag: str, parts: Mapping[str, MeetingErrors], speakers: int, method: Method) -> MeetingRow:
    errors, words = ([getattr(parts[id].cp, name) for id in sorted(parts)] for name in ("errors", "words"))
    return MeetingRow(
        dialect=tag,
        meetings=len(parts),
        speakers=speakers,
        errors=reduce(MeetingErrors.__add__, (parts[id] for id in sorted(parts)), MeetingErrors()),
        interval=jackknife_interval(errors, words, confidence=method.confidence),
        state=method.thresholds.state(blocks=len(parts), words=sum(words)),
    )


def _count_errors(meeting: Meeting) -> tuple[dict[str | None, MeetingErrors], ErrorCount | None]:
    """Count errors by speaker, under ``None`` those of labels that no speaker got, and those of ORC-WER."""
    reference, hypothesis = _words_by_speaker(meeting.reference), _words_by_speaker(meeting.hypothesis)
    cp = cp_errors(reference, hypothesis)
    cp_by_speaker: dict[str | None, ErrorCount] = {None: cp.unassigned} | dict(cp.speakers)
    if max(len(reference), len(hypothesis)) > MOST_SPEAKERS:
        return {
            speaker: MeetingErrors(cp=errors, di_cp=None, tcp=None) for speaker, errors in cp_by_speaker.items()
        }, None
    reassigned, tcp_by_speaker = _reassign(meeting), _count_tcp(meeting)
    errors_by_speaker = {
        speaker: MeetingErrors(
            cp=errors, di_cp=_errors_of(reference, reassigned, speaker), tcp=tcp_by_speaker.get(speaker, ErrorCount())
        )
        for speaker, errors in cp_by_speaker.items()
    }
    return errors_by_speaker, _count_orc(meeting)


def _errors_of(
    reference: Mapping[str, list[str]], hypothesis: Mapping[str, list[str]], speaker: str | None
) -> ErrorCount:
    return ErrorCount() if speaker is None else from_counts(count(reference[speaker], hypothesis.get(speaker, ())))


def _words_by_speaker(stretches: Iterable[Stretch]) -> dict[str, list[str]]:
    words: dict[str, list[str]] = {}
    for stretch in _sort_by_time(stretches):
        words.setdefault(stretch.speaker, []).extend(stretch.words)
    return words


def _sort_by_time(stretches: Iterable[Stretch]) -> list[Stretch]:
    return sorted(stretches, key=lambda stretch: (stretch.start, stretch.end, stretch.speaker))


def _reassign(meeting: Meeting) -> dict[str, list[str]]:
    """Return the drafted words of each speaker, every stretch given to whomever it suits best."""
    from meeteval.wer.wer.di_cp import greedy_di_cp_word_error_rate

    if not meeting.hypothesis:
        return {}
    # In order of time, which is also that of the assignment.
    hypothesis = _sort_by_time(meeting.hypothesis)
    owners = greedy_di_cp_word_error_rate(_to_seglst(meeting.reference), _to_seglst(hypothesis)).assignment
    words: dict[str, list[str]] = {}
    for owner, stretch in zip(owners, hypothesis, strict=True):
        words.setdefault(owner, []).extend(stretch.words)
    return words


def _count_orc(meeting: Meeting) -> ErrorCount:
    from meeteval.wer.wer.orc import greedy_orc_word_error_rate

    if not meeting.hypothesis:
        return ErrorCount(deletions=sum(len(stretch.words) for stretch in meeting.reference))
    return _count_of(greedy_orc_word_error_rate(_to_seglst(meeting.reference), _to_seglst(meeting.hypothesis)))


def _count_tcp(meeting: Meeting) -> dict[str | None, ErrorCount]:
    """Count each speaker's errors by tcpWER, labels matched for the fewest errors; under ``None`` spare labels."""
    from meeteval.wer.wer.time_constrained import tcp_word_error_rate, time_constrained_siso_word_error_rate

    reference, hypothesis = _words_by_speaker(meeting.reference), _words_by_speaker(meeting.hypothesis)
    words = _word_by_word(meeting.hypothesis)
    matched = (
        tcp_word_error_rate(_to_seglst(meeting.reference), _to_seglst(words), collar=COLLAR_S).assignment
        if hypothesis
        else ()
    )
    spare = sum(len(hypothesis[label]) for speaker, label in matched if speaker is None)
    errors: dict[str | None, ErrorCount] = {
        speaker: ErrorCount(deletions=len(spoken)) for speaker, spoken in reference.items()
    }
    errors[None] = ErrorCount(insertions=spare)
    for speaker, label in matched:
        if speaker is not None and label is not None:
            spoken = _to_seglst(stretch for stretch in meeting.reference if stretch.speaker == speaker)
            drafted = _to_seglst(stretch for stretch in words if stretch.speaker == label)
            errors[speaker] = _count_of(time_constrained_siso_word_error_rate(spoken, drafted, collar=COLLAR_S))
    return errors


def _word_by_word(stretches: Iterable[Stretch]) -> list[Stretch]:
    return [
        Stretch(speaker=stretch.speaker, words=(word,), start=start, end=end)
        for stretch in stretches
        for word, (start, end) in zip(stretch.words, stretch.times, strict=True)
    ]


def _to_seglst(stretches: Iterable[Stretch]) -> Any:
    from meeteval.io.seglst import SegLST

    return SegLST(
        [
            {
                "speaker": stretch.speaker,
                "words": " ".join(stretch.words),
                "start_time": stretch.start,
                "end_time": stretch.end,
            }
            for stretch in _sort_by_time(stretches)
        ]
    )


def _count_of(error_rate: Any) -> ErrorCount:
    hits = error_rate.length - error_rate.substitutions - error_rate.deletions
    return ErrorCount(
        hits=hits,
        substitutions=error_rate.substitutions,
        deletions=error_rate.deletions,
        insertions=error_rate.insertions,
    )


def _add(first: ErrorCount | None, second: ErrorCount | None) -> ErrorCount | None:
    return None if first is None or second is None else first + second


def _rate(counts: ErrorCount | None) -> float | None:
    return round_number(counts.rate) if counts is not None else None
