"""What is made of scored pairs: tables, files, and conditions that stop a script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from dialects.agreement import HumanBaseline, format_baselines, human_baselines
from dialects.breakdown import breakdown
from dialects.columns import p_value
from dialects.comparison import Comparison, Side, contrast
from dialects.counted import CountCache
from dialects.errors import DialectError
from dialects.examples import examples
from dialects.folder import FILES, write_folder
from dialects.gates import judge, parse_gate
from dialects.grouping import Grouping, group_pairs, parse_keys
from dialects.learning import LearningCurve
from dialects.meetings import Meeting, Meetings, meetings
from dialects.page import page
from dialects.preparing import Preparer
from dialects.report import Report, report_of
from dialects.rows import Method
from dialects.sampling import Need, needs
from dialects.scoring import Pair
from dialects.seen import Contamination, Training, find_contamination, read_training
from transcribe.actions.lessons import curves
from transcribe.actions.scoring import Scoring, method_of, preparer
from transcribe.actions.sides import side_of
from transcribe.config import ReportSettings
from transcribe.console import Answer, Console
from transcribe.errors import GateFailed, InputError, UsageError

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One model's report, and what was asked beside it."""

    report: Report
    pairs: Sequence[Pair]
    prepare: Preparer
    groupings: tuple[Grouping, ...] = ()
    #: How the unseen, the seen speakers and the seen sentences fare, where a training was named.
    seen: Grouping | None = None
    needs: tuple[Need, ...] = ()
    #: Against the report that must not be better, or the first model of the table.
    comparison: Comparison | None = None
    #: How far two people differ, by dialect; empty where nothing was written twice.
    floors: Mapping[str, HumanBaseline] = field(default_factory=dict)
    meetings: Meetings | None = None
    #: How rates fell with corrections so far.
    curves: tuple[LearningCurve, ...] = ()

    def data(self, *, privacy_floor: bool) -> dict[str, Any]:
        """What ``--json`` prints; what was not asked for has no key."""
        data = self.report.data(privacy_floor=privacy_floor)
        if self.groupings:
            data["by"] = [grouping.data(privacy_floor=privacy_floor) for grouping in self.groupings]
        if self.seen:
            data["training"] = self.seen.data(privacy_floor=privacy_floor)
        if self.needs:
            data["next"] = [need.data() for need in self.needs]
        if self.curves:
            data["learning"] = [curve.data() for curve in self.curves]
        if self.comparison:
            data["comparison"] = self.comparison.data()
        if self.floors:
            data["transcribers"] = [floor.data(wer=self.wers.get(tag)) for tag, floor in self.floors.items()]
        if self.meetings:
            data["conversations"] = self.meetings.data(privacy_floor=privacy_floor)
        return data

    @property
    def wers(self) -> dict[str, float | None]:
        """WER of each dialect."""
        return {row.dialect: row.wer for row in self.report.rows}

    def text(self, *, privacy_floor: bool) -> str:
        """The same for people."""
        parts = [self.report.text()]
        parts += [grouping.text(privacy_floor=privacy_floor) for grouping in self.groupings]
        parts += [self.seen.text(privacy_floor=privacy_floor)] if self.seen else []
        if self.needs:
            parts.append("\n".join(["what to record or transcribe next:", *(need.sentence for need in self.needs)]))
        if self.curves:
            parts.append("\n".join(["what corrections have brought:", *(curve.sentence for curve in self.curves)]))
        parts += [self.comparison.text()] if self.comparison else []
        parts += [format_baselines(self.floors.values(), self.wers)] if self.floors else []
        parts += [self.meetings.text()] if self.meetings else []
        return "\n\n".join(parts)


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What a workspace knows beside pairs."""

    #: Segments that two people wrote.
    twice: Iterable[Pair]
    #: Whole conversations.
    meetings: Callable[[Preparer], Iterable[Meeting]]
    #: Reports of the models that were tuned out of the same one, with the minutes that each learnt from, by dialect.
    tuned: Callable[[Preparer, Method], Iterable[tuple[Report, dict[str, float]]]]
    #: What turned out while the conversations went by.
    warnings: Callable[[], tuple[str, ...]]


def answered(
    models: Mapping[str | None, Iterable[Pair]],
    asked: Scoring,
    settings: ReportSettings,
    *,
    kept: CountCache | None = None,
    warnings: Sequence[str] = (),
    beside: Beside | None = None,
    console: Console | None = None,
) -> Answer:
    """
    The reports of *models*, written where that was asked for.

    Raises:
        GateFailed: If a condition holds that must not. With a *console* for people the report is printed first.
    """
    gates = [_of_option(parse_gate, text) for text in asked.fail_if]
    keys = [_of_option(parse_keys, text) for text in asked.by]
    _refuse_existing(asked)
    training = read_training(asked.train) if asked.train else None
    scored = [
        _scored(model, pairs, asked, settings, keys=keys, training=training, kept=kept)
        for model, pairs in models.items()
    ]
    scored = _compared(scored, asked, settings)
    if beside is not None:
        scored = [_with_people(one, beside, asked, method_of(settings)) for one in scored]
        warnings = (*warnings, *beside.warnings())
    files = [file for one in scored for file in _written(one, asked, alone=len(scored) == 1)]
    answer = _answer(scored, asked, files, warnings)
    failed = [
        _naming(one, verdict.sentence, alone=len(scored) == 1)
        for one in scored
        for verdict in (judge(one.report, gate) for gate in gates)
        if verdict.failed
    ]
    failed += [sentence for one in scored for sentence in _regressions(one, asked)]
    if failed:
        if console is not None and not console.as_json:
            console.answer(answer)
        raise GateFailed("; ".join(failed), hint="the report says which dialects and how sure that is", item=failed[0])
    return answer


def _of_option(parse: Callable[[str], T], text: str) -> T:
    """What an option's words mean; words without a meaning are wrong usage and no bad file."""
    try:
        return parse(text)
    except DialectError as error:
        raise UsageError(error.message, code=error.code, hint=error.hint) from None


def _scored(
    model: str | None,
    pairs: Iterable[Pair],
    asked: Scoring,
    settings: ReportSettings,
    *,
    keys: Sequence[tuple[str, ...]],
    training: Training | None,
    kept: CountCache | None,
) -> Scored:
    # A plain report reads a stream, however long; whatever else is asked for goes over the pairs again.
    again = bool(keys or asked.html or asked.out or asked.variants or training)
    prepare = preparer(settings, normaliser=asked.normaliser, variants=asked.variants, remember=again)
    method = method_of(settings)
    apart = _apart(pairs, training, prepare, asked) if training else None
    shown: Iterable[Pair] = apart.unseen if apart else tuple(pairs) if again else pairs
    report = report_of(shown, prepare, model=model, method=method, cache=kept)
    return Scored(
        report=report,
        pairs=shown if isinstance(shown, tuple) else (),
        prepare=prepare,
        groupings=tuple(group_pairs(shown, prepare, some, method=method, cache=kept) for some in keys),
        seen=apart.group(prepare, method=method) if apart else None,
        needs=needs(report.rows, method, half_width=asked.next / 100) if asked.next is not None else (),
    )


def _with_people(scored: Scored, beside: Beside, asked: Scoring, method: Method) -> Scored:
    return replace(
        scored,
        floors=human_baselines(beside.twice, scored.prepare, method=method),
        meetings=meetings(beside.meetings(scored.prepare), method=method) if asked.conversations else None,
        curves=curves(beside.tuned(scored.prepare, method), like=scored.report) if asked.next is not None else (),
    )


def _apart(pairs: Iterable[Pair], training: Training, prepare: Preparer, asked: Scoring) -> Contamination:
    found = find_contamination(pairs, training, prepare)
    if not asked.allow_seen:
        found.refuse()
    return found


def _compared(scored: Sequence[Scored], asked: Scoring, settings: ReportSettings) -> list[Scored]:
    """Each report beside the one that must not be better, or beside the first of the table."""
    method = method_of(settings)
    if asked.fail_if_regressed is not None:
        before = side_of(asked.fail_if_regressed, settings, normaliser=asked.normaliser)
        return [replace(one, comparison=contrast(before, one.report.side(), method=method)) for one in scored]
    first, *others = scored
    base: Side = first.report.side()
    return [first, *(replace(one, comparison=contrast(base, one.report.side(), method=method)) for one in others)]


def _regressions(scored: Scored, asked: Scoring) -> list[str]:
    if asked.fail_if_regressed is None or scored.comparison is None:
        return []
    return [
        f"{one.dialect} regressed: WER {100 * (one.wer_a or 0):.1f} % became {100 * (one.wer_b or 0):.1f} %, "
        f"{p_value((one.p if one.p_adjusted is None else one.p_adjusted) or 0)}"
        for one in scored.comparison.regressions
    ]


def _naming(scored: Scored, sentence: str, *, alone: bool) -> str:
    return sentence if alone else f"{scored.report.model}: {sentence}"


def _refuse_existing(asked: Scoring) -> None:
    places = [asked.html] if asked.html else []
    places += [asked.out / name for name in FILES] if asked.out else []
    for place in places:
        if place.exists() and not asked.overwrite:
            raise InputError(
                f"{place} is there already", code="E_EXISTS", hint="--overwrite replaces it", item=str(place)
            )


def _written(scored: Scored, asked: Scoring, *, alone: bool) -> list[Path]:
    """Files of one model; several models have a folder and a page each, under their names."""
    if asked.html is None and asked.out is None:
        return []
    errors = breakdown(scored.pairs, scored.prepare)
    html = page(
        scored.report,
        breakdowns=errors,
        examples=examples(scored.pairs, scored.prepare, errors),
        comparison=scored.comparison,
        groupings=(*scored.groupings, *([scored.seen] if scored.seen else [])),
        baselines=scored.floors,
        meetings=scored.meetings,
        curves=scored.curves,
        half_width=asked.next / 100 if asked.next is not None else 0.05,
    )
    name = quote(str(scored.report.model), safe="")
    written: list[Path] = []
    if asked.html is not None:
        place = asked.html if alone else asked.html.with_name(f"{asked.html.stem}-{name}{asked.html.suffix}")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(html, encoding="utf-8")
        written.append(place)
    if asked.out is not None:
        hidden = {row.dialect for row in scored.report.rows if asked.privacy_floor and row.state == "suppressed"}
        data = scored.data(privacy_floor=asked.privacy_floor)
        data["breakdowns"] = [found.data() for tag, found in errors.items() if tag not in hidden]
        folder = asked.out if alone else asked.out / name
        floor = asked.privacy_floor
        write = write_folder(
            folder, scored.report, scored.pairs, scored.prepare, data=data, html=html, privacy_floor=floor
        )
        written.extend(write)
    return written


def _answer(scored: Sequence[Scored], asked: Scoring, files: Sequence[Path], warnings: Sequence[str]) -> Answer:
    floor = asked.privacy_floor
    found = [one.data(privacy_floor=floor) for one in scored]
    texts = [one.text(privacy_floor=floor) for one in scored]
    if len(scored) > 1:
        texts = [f"model {one.report.model}\n{text}" for one, text in zip(scored, texts, strict=True)]
    told = [f"wrote {file}" for file in files]
    missing = [
        f"W_MISSING: {_naming(one, f'{count} segments have no hypothesis', alone=len(scored) == 1)}; "
        "their words count as deletions"
        for one in scored
        if (count := one.report.overall.tally.missing_hypotheses)
    ]
    of_reports = dict.fromkeys(warning for one in scored for warning in one.report.warnings)
    return Answer(
        data=found[0] if len(scored) == 1 else {"models": found},
        text="\n\n".join([*texts, *(["\n".join(told)] if told else [])]),
        warnings=(*of_reports, *missing, *warnings),
    )
