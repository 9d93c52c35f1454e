"""Reports of scored pairs: tables, files, learning curves, and conditions that stop a script."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote

from dialects.columns import p_value
from dialects.contamination import Contamination, Training, find_contamination, read_training
from dialects.dialect import Catalogue
from dialects.errors import DialectError
from dialects.learning_curve import CurvePoint, LearningCurve, learning_curve
from dialects.report.breakdown import Breakdown, Example, breakdown, examples
from dialects.report.gates import Gate, judge, parse_gate
from dialects.report.grouping import Grouping, group_pairs, parse_keys
from dialects.report.page import page
from dialects.report.table import Report, report_of
from dialects.report.utterances import FILES, write_folder
from dialects.sample_size import Need, needs
from dialects.scoring.agreement import HumanBaseline, format_baselines, human_baselines
from dialects.scoring.comparison import Comparison, contrast
from dialects.scoring.meetings import Meeting, Meetings, meetings
from dialects.scoring.prepare import Preparer
from dialects.scoring.rows import Method
from dialects.scoring.statistics import standard_error
from dialects.scoring.sums import CountCache
from dialects.scoring.word_errors import Pair
from transcribe.config import ReportSettings
from transcribe.errors import InputError, UsageError
from transcribe.records import Model
from transcribe.scoring.comparison import read_side
from transcribe.scoring.rules import ScoreRequest, make_preparer, read_method
from transcribe.wiring import Wiring

T = TypeVar("T")
#: Milliseconds of a minute.
_MINUTE = 60_000


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One model's report, with the further tables that were asked for."""

    report: Report
    pairs: Sequence[Pair]
    prepare: Preparer
    groupings: tuple[Grouping, ...] = ()
    #: Unseen pairs, seen speakers and seen sentences apart, where a training was named.
    contamination: Grouping | None = None
    needs: tuple[Need, ...] = ()
    #: Against the report that must not be better, or the first model of the table.
    comparison: Comparison | None = None
    #: How far two people differ, by dialect; empty where nothing was written twice.
    baselines: Mapping[str, HumanBaseline] = field(default_factory=dict)
    meetings: Meetings | None = None
    #: How rates fell with corrections so far.
    curves: tuple[LearningCurve, ...] = ()

    def data(self, *, privacy_floor: bool) -> dict[str, Any]:
        """Return the document that ``--json`` prints; what was not asked for has no key."""
        document = self.report.data(privacy_floor=privacy_floor)
        if self.groupings:
            document["by"] = [grouping.data(privacy_floor=privacy_floor) for grouping in self.groupings]
        if self.contamination:
            document["training"] = self.contamination.data(privacy_floor=privacy_floor)
        if self.needs:
            document["next"] = [need.data() for need in self.needs]
        if self.curves:
            document["learning"] = [curve.data() for curve in self.curves]
        if self.comparison:
            document["comparison"] = self.comparison.data()
        if self.baselines:
            document["transcribers"] = [
                baseline.data(wer=self.wers.get(tag)) for tag, baseline in self.baselines.items()
            ]
        if self.meetings:
            document["conversations"] = self.meetings.data(privacy_floor=privacy_floor)
        return document

    @property
    def wers(self) -> dict[str, float | None]:
        """The WER of each dialect that may be shown."""
        return {row.dialect: row.wer for row in self.report.rows if row.state != "suppressed"}

    def text(self, *, privacy_floor: bool) -> str:
        """Format the report and its tables for people."""
        parts = [self.report.text()]
        parts += [grouping.text(privacy_floor=privacy_floor) for grouping in self.groupings]
        parts += [self.contamination.text(privacy_floor=privacy_floor)] if self.contamination else []
        if self.needs:
            parts.append("\n".join(["what to record or transcribe next:", *(need.sentence for need in self.needs)]))
        if self.curves:
            parts.append("\n".join(["what corrections have brought:", *(curve.sentence for curve in self.curves)]))
        parts += [self.comparison.text()] if self.comparison else []
        parts += [format_baselines(self.baselines.values(), self.wers)] if self.baselines else []
        parts += [self.meetings.text()] if self.meetings else []
        return "\n\n".join(parts)


#: Segments to show, by dialect.
Examples: TypeAlias = Mapping[str, Sequence[Example]]


@dataclass(frozen=True, kw_only=True)
class WorkspaceContext:
    """A workspace's knowledge of its pairs, for the further tables."""

    #: Segments that two people wrote, one text as the reference of the other.
    annotator_pairs: Iterable[Pair]
    #: Whole conversations.
    read_meetings: Callable[[Preparer], Iterable[Meeting]]
    #: Reports of the models with the same base, each with the minutes that it was tuned on, by dialect.
    report_relatives: Callable[[Preparer, Method], Iterable[tuple[Report, dict[str, float]]]]
    #: What people call the model.
    model: str
    #: Examples under the names that people know them by; with a folder, with their clips in it, and these files.
    place_examples: Callable[[Examples, Path | None], tuple[Examples, list[Path]]]
    #: Warnings about the conversations, once they are read.
    list_warnings: Callable[[], tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class ScoreReports:
    """The reports of all models that were asked for."""

    reports: Sequence[Scored]
    files: Sequence[Path]
    warnings: tuple[str, ...]
    #: Conditions that must not hold and do, in sentences.
    failures: Sequence[str]


def report_scores(
    models: Mapping[str | None, Iterable[Pair]],
    request: ScoreRequest,
    settings: ReportSettings,
    *,
    cache: CountCache | None = None,
    warnings: Sequence[str] = (),
    context: WorkspaceContext | None = None,
) -> ScoreReports:
    """Report the error rates of *models*, write the files that *request* names, and check its conditions."""
    gates = [_parse_option(parse_gate, text) for text in request.fail_if]
    keys = [_parse_option(parse_keys, text) for text in request.by]
    _refuse_existing(request)
    training = read_training(request.train) if request.train else None
    reports = [
        _score(model, pairs, request, settings, keys=keys, training=training, cache=cache)
        for model, pairs in models.items()
    ]
    reports = _compare(reports, request, settings)
    if context is not None:
        reports = [_add_context(scored, context, request, read_method(settings)) for scored in reports]
        warnings = (*warnings, *context.list_warnings())
    return ScoreReports(
        reports=reports,
        files=[file for scored in reports for file in _write_files(scored, request, context, alone=len(reports) == 1)],
        warnings=(*_list_warnings(reports), *warnings),
        failures=_list_failures(reports, request, gates),
    )


def _list_warnings(reports: Sequence[Scored]) -> Iterator[str]:
    """Yield the warnings of *reports*, each once."""
    yield from dict.fromkeys(warning for scored in reports for warning in scored.report.warnings)
    for scored in reports:
        if count := scored.report.overall.tally.missing_hypotheses:
            segments = _name_model(scored, f"{count} segments have no hypothesis", alone=len(reports) == 1)
            yield f"W_MISSING: {segments}; their words count as deletions"


def _list_failures(reports: Sequence[Scored], request: ScoreRequest, gates: Sequence[Gate]) -> list[str]:
    """Say which gates fail and which dialects regressed, in sentences."""
    verdicts = ((scored, judge(scored.report, gate)) for scored in reports for gate in gates)
    failures = [
        _name_model(scored, verdict.sentence, alone=len(reports) == 1) for scored, verdict in verdicts if verdict.failed
    ]
    return failures + [sentence for scored in reports for sentence in _list_regressions(scored, request)]


def _parse_option(parse: Callable[[str], T], text: str) -> T:
    """Parse an option's words; words without a meaning are wrong usage and no bad file."""
    try:
        return parse(text)
    except DialectError as error:
        raise UsageError(error.message, code=error.code, hint=error.hint) from None


def _score(
    model: str | None,
    pairs: Iterable[Pair],
    request: ScoreRequest,
    settings: ReportSettings,
    *,
    keys: Sequence[tuple[str, ...]],
    training: Training | None,
    cache: CountCache | None,
) -> Scored:
    # A plain report reads a stream, however long; whatever else is asked for goes over the pairs again.
    again = bool(keys or request.html or request.out or request.variants or training)
    prepare = make_preparer(settings, normaliser=request.normaliser, variants=request.variants, remember=again)
    method = read_method(settings)
    contamination = _find_contamination(pairs, training, prepare, request) if training else None
    scored: Iterable[Pair] = contamination.unseen if contamination else tuple(pairs) if again else pairs
    report = report_of(scored, prepare, model=model, method=method, cache=cache)
    return Scored(
        report=report,
        pairs=scored if isinstance(scored, tuple) else (),
        prepare=prepare,
        groupings=tuple(group_pairs(scored, prepare, names, method=method, cache=cache) for names in keys),
        contamination=contamination.group(prepare, method=method) if contamination else None,
        needs=needs(report.rows, method, half_width=request.next / 100) if request.next is not None else (),
    )


def _add_context(scored: Scored, context: WorkspaceContext, request: ScoreRequest, method: Method) -> Scored:
    """Add human baselines, and the conversations and learning curves that *request* asks for."""
    prepare = scored.prepare
    return replace(
        scored,
        baselines=human_baselines(context.annotator_pairs, prepare, method=method),
        meetings=meetings(context.read_meetings(prepare), method=method) if request.conversations else None,
        curves=(
            draw_curves(context.report_relatives(prepare, method), like=scored.report)
            if request.next is not None
            else ()
        ),
    )


def _find_contamination(
    pairs: Iterable[Pair], training: Training, prepare: Preparer, request: ScoreRequest
) -> Contamination:
    contamination = find_contamination(pairs, training, prepare)
    if not request.allow_seen:
        contamination.refuse()
    return contamination


def _compare(reports: Sequence[Scored], request: ScoreRequest, settings: ReportSettings) -> list[Scored]:
    """Compare each report with the one that must not be better, or with the first of the table."""
    method = read_method(settings)
    if request.fail_if_regressed is not None:
        base = read_side(request.fail_if_regressed, settings, normaliser=request.normaliser)
        return [replace(scored, comparison=contrast(base, scored.report.side(), method=method)) for scored in reports]
    first, *others = reports
    base = first.report.side()
    compared = (replace(scored, comparison=contrast(base, scored.report.side(), method=method)) for scored in others)
    return [first, *compared]


def _list_regressions(scored: Scored, request: ScoreRequest) -> list[str]:
    if request.fail_if_regressed is None or scored.comparison is None:
        return []
    hidden = "too little speech to show by how much"
    return [
        f"{row.dialect} regressed: {hidden}"
        if row.state == "suppressed"
        else f"{row.dialect} regressed: WER {100 * (row.wer_a or 0):.1f} % became {100 * (row.wer_b or 0):.1f} %, "
        f"{p_value((row.p if row.p_adjusted is None else row.p_adjusted) or 0)}"
        for row in scored.comparison.regressions
    ]


def _name_model(scored: Scored, sentence: str, *, alone: bool) -> str:
    return sentence if alone else f"{scored.report.model}: {sentence}"


def _refuse_existing(request: ScoreRequest) -> None:
    paths = [request.html] if request.html else []
    paths += [request.out / name for name in FILES] if request.out else []
    for path in paths:
        if path.exists() and not request.overwrite:
            raise InputError(
                f"{path} is there already", code="E_EXISTS", hint="--overwrite replaces it", item=str(path)
            )


def _write_files(scored: Scored, request: ScoreRequest, context: WorkspaceContext | None, *, alone: bool) -> list[Path]:
    """Write the files of one model; several models have a folder and a page each, under their names."""
    if request.html is None and request.out is None:
        return []
    errors = breakdown(scored.pairs, scored.prepare)
    name = quote(str(scored.report.model), safe="")
    files: list[Path] = []
    if request.html is not None:
        file = request.html if alone else request.html.with_name(f"{request.html.stem}-{name}{request.html.suffix}")
        html, _ = _write_page(scored, request, context, errors, None)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(html, encoding="utf-8")
        files.append(file)
    if request.out is not None:
        floor = request.privacy_floor
        hidden = {row.dialect for row in scored.report.rows if floor and row.state == "suppressed"}
        document = scored.data(privacy_floor=floor)
        document["breakdowns"] = [of_dialect.data() for tag, of_dialect in errors.items() if tag not in hidden]
        folder = request.out if alone else request.out / name
        html, clips = _write_page(scored, request, context, errors, folder)
        files += write_folder(
            folder, scored.report, scored.pairs, scored.prepare, data=document, html=html, privacy_floor=floor
        )
        files += clips
    return files


def _write_page(
    scored: Scored,
    request: ScoreRequest,
    context: WorkspaceContext | None,
    errors: Mapping[str, Breakdown],
    folder: Path | None,
) -> tuple[str, list[Path]]:
    """Write the page of one model, and the clips of its examples where *folder* is for them."""
    visible = {row.dialect for row in scored.report.rows if row.state != "suppressed"}
    chosen: Examples = examples(
        scored.pairs, scored.prepare, {tag: errors_of for tag, errors_of in errors.items() if tag in visible}
    )
    clips: list[Path] = []
    if context is not None:
        chosen, clips = context.place_examples(chosen, folder)
    html = page(
        scored.report,
        model=context.model if context is not None else None,
        breakdowns=errors,
        examples=chosen,
        comparison=scored.comparison,
        groupings=(*scored.groupings, *([scored.contamination] if scored.contamination else [])),
        baselines=scored.baselines,
        meetings=scored.meetings,
        curves=scored.curves,
        half_width=request.next / 100 if request.next is not None else 0.05,
    )
    return html, clips


def find_training_ids(wiring: Wiring, model: Model) -> frozenset[str]:
    """Return ids of the texts that *model*, or one it was tuned from, was tuned on; none of datasets that are gone."""
    training_ids: set[str] = set()
    id, visited = model.id, set[str]()
    while id not in visited and (lineage := wiring.store.models.find_lineage(id)) is not None:
        visited.add(id)
        id = lineage.base
        with suppress(InputError):
            examples = wiring.open_dataset(lineage.dataset, whole=True).examples("train")
            training_ids.update(example.id for example in examples if example.text is not None)
    return frozenset(training_ids)


def count_training_minutes(wiring: Wiring, model: Model, catalogue: Catalogue) -> dict[str, float] | None:
    """
    Count the minutes of each dialect that *model* was tuned on, by canonical tag; empty if it was not tuned here.

    ``None`` where the dataset is not there any more.
    """
    lineage = wiring.store.models.find_lineage(model.id)
    if lineage is None:
        return {}
    try:
        frozen = wiring.open_dataset(lineage.dataset, whole=True)
    except InputError:
        return None
    milliseconds: Counter[str] = Counter()
    for tag, cell in frozen.counts.get("train", {}).items():
        milliseconds[catalogue.find(tag).tag] += cell["milliseconds"]
    return {tag: length / _MINUTE for tag, length in milliseconds.items()}


def draw_curves(reports: Iterable[tuple[Report, dict[str, float]]], *, like: Report) -> tuple[LearningCurve, ...]:
    """
    Draw the learning curve of each dialect that may be shown and that two models or more were scored on.

    Args:
        reports: Of each model, with its minutes by dialect.
        like: What the others must have been scored on: the same segments.
    """
    points: dict[str, list[CurvePoint]] = defaultdict(list)
    for report, minutes in reports:
        if report.references != like.references:
            continue
        for row in report.rows:
            error = standard_error(*zip(*row.by_block.values(), strict=True)) if row.state != "suppressed" else None
            if row.wer is not None and error is not None:
                point = CurvePoint(
                    model=str(report.model), minutes=minutes.get(row.dialect, 0.0), wer=row.wer, standard_error=error
                )
                points[row.dialect].append(point)
    return tuple(learning_curve(tag, of_dialect) for tag, of_dialect in sorted(points.items()) if len(of_dialect) > 1)
