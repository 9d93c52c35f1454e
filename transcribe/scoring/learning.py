"""Learning curves of a workspace: error rates of its models on one test, by the minutes each was tuned on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import suppress

from dialects.dialect import Catalogue
from dialects.learning_curve import CurvePoint, LearningCurve, learning_curve
from dialects.report.table import Report
from dialects.scoring.statistics import standard_error
from transcribe.errors import InputError
from transcribe.records import Model
from transcribe.wiring import Wiring

#: Milliseconds of a minute.
_MINUTE = 60_000


def find_relatives(wiring: Wiring, model: Model) -> list[Model]:
    """Return the models that share their base with *model*, the base and *model* among them, in order of arrival."""
    base = _find_base(wiring, model.id)
    return [other for other in wiring.store.models.fetch() if _find_base(wiring, other.id) == base]


def find_training_ids(wiring: Wiring, model: Model) -> frozenset[str]:
    """Return ids of the texts that *model*, or one it was tuned from, was tuned on; none of datasets that are gone."""
    training_ids: set[str] = set()
    id, visited = model.id, set[str]()
    while id not in visited and (lineage := wiring.store.models.find_lineage(id)) is not None:
        visited.add(id)
        id = lineage.base
        with suppress(InputError):
            examples = wiring.open_dataset(lineage.dataset).examples("train")
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
        frozen = wiring.open_dataset(lineage.dataset)
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


def _find_base(wiring: Wiring, id: str) -> str:
    """Return the model that *id* goes back to; of a circle of lineages, the last before it closes."""
    visited = {id}
    while (lineage := wiring.store.models.find_lineage(id)) is not None and lineage.base not in visited:
        id = lineage.base
        visited.add(id)
    return id
