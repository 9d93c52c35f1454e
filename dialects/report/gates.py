"""
Conditions on a report, for scripts that must stop when a model got worse: ``worst_reportable_wer > 0.35``.

A condition names what must not be. It is read from a closed list of measures, never evaluated as code.
"""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dialects.errors import DialectError
from dialects.report.table import Report
from dialects.scoring.rows import Row

_WORDS = re.compile(r"\s*([a-z_]+)(?:\[([^\]]+)\])?\s*(>=|<=|>|<)\s*([0-9.eE+-]+)\s*")
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A condition that fails a run when it holds."""

    measure: str
    #: Canonical tag or ``overall``; ``None`` where the measure is of all dialects.
    dialect: str | None
    relation: str
    limit: float

    def __str__(self) -> str:
        of = f"[{self.dialect}]" if self.dialect else ""
        return f"{self.measure}{of} {self.relation} {self.limit:g}"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The outcome of a gate."""

    gate: Gate
    #: The value found; ``None`` where the report cannot say, which fails too.
    value: float | None

    @property
    def failed(self) -> bool:
        """``True`` where the condition holds, or the report has no such value."""
        return self.value is None or _COMPARE[self.gate.relation](self.value, self.gate.limit)

    @property
    def sentence(self) -> str:
        """The outcome in words."""
        if self.value is None:
            return f"{self.gate}: the report has no such value, so the gate fails"
        return f"{self.gate}: {self.value:.6g}, {'fails' if self.failed else 'passes'}"


def _worst_of(value: Callable[[Row], float | None]) -> Callable[[Report], float | None]:
    def worst(report: Report) -> float | None:
        measures = [value(row) for row in report.rows if row.state == "reportable"]
        return max((measure for measure in measures if measure is not None), default=None)

    return worst


#: Measures over all dialects.
_OF_REPORT: Mapping[str, Callable[[Report], float | None]] = {
    "macro_wer": lambda report: report.macro_wer,
    "worst_reportable_wer": _worst_of(lambda row: row.wer),
    "worst_reportable_cer": _worst_of(lambda row: row.cer),
    "gap": lambda report: report.gaps.highest_less_lowest.value if report.gaps else None,
    "gap_p": lambda report: report.gaps.highest_less_lowest.p if report.gaps else None,
    "reportable_dialects": lambda report: float(sum(row.state == "reportable" for row in report.rows)),
}
#: Measures of one dialect, named in brackets, or of all speech together.
_OF_ROW: Mapping[str, Callable[[Row], float | None]] = {
    "wer": lambda row: row.wer,
    "cer": lambda row: row.cer,
    "ger": lambda row: row.ger,
    "ci_low": lambda row: row.interval[0] if row.interval else None,
    "ci_high": lambda row: row.interval[1] if row.interval else None,
    "words": lambda row: float(row.counts.words),
    "speakers": lambda row: float(row.speakers),
}
MEASURES = (*_OF_REPORT, *_OF_ROW)


def parse_gate(text: str) -> Gate:
    """
    Parse the condition that *text* writes.

    Raises:
        DialectError: E_GATE_SYNTAX, naming the nearest measure.

    >>> str(parse_gate("wer[bho]>0.35"))
    'wer[bho] > 0.35'
    """
    words = _WORDS.fullmatch(text)
    if words is None:
        hint = "write a measure, perhaps a dialect in brackets, one of > >= < <=, and a number: wer[hi] > 0.3"
        raise DialectError("E_GATE_SYNTAX", f"{text!r} was given as a condition; it is none", hint=hint)
    measure, dialect, relation, number = words.groups()
    if measure not in MEASURES:
        near = difflib.get_close_matches(measure, MEASURES, n=1, cutoff=0.0)[0]
        message = f"{text!r} was given as a condition; there is no measure {measure!r}"
        raise DialectError("E_GATE_SYNTAX", message, hint=f"did you mean {near}? There are {', '.join(MEASURES)}")
    if dialect is not None and measure in _OF_REPORT:
        raise DialectError("E_GATE_SYNTAX", f"{measure} is of all dialects together", hint="leave the brackets out")
    try:
        limit = float(number)
    except ValueError:
        raise DialectError("E_GATE_SYNTAX", f"{text!r} was given as a condition; {number!r} is no number") from None
    return Gate(measure=measure, dialect=dialect, relation=relation, limit=limit)


def judge(report: Report, gate: Gate) -> Verdict:
    """
    Judge whether *report* passes *gate*.

    A dialect that the report lacks, or that is suppressed, has no value: what cannot be shown cannot pass.
    """
    if gate.measure in _OF_REPORT:
        return Verdict(gate=gate, value=_OF_REPORT[gate.measure](report))
    wanted = gate.dialect or report.overall.dialect
    rows = (report.overall, *report.rows)
    row = next((row for row in rows if row.dialect.lower() == wanted.lower()), None)
    if row is None or (row.state == "suppressed" and gate.measure not in ("words", "speakers")):
        return Verdict(gate=gate, value=None)
    return Verdict(gate=gate, value=_OF_ROW[gate.measure](row))
