"""What tuning on corrections has bought: the models of a workspace on one test, by how much each was tuned on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from transcribe.actions.datasets import opened
from transcribe.errors import InputError
from transcribe.records import Model
from transcribe.wiring import Wiring

if TYPE_CHECKING:
    from dialects.dialect import Catalogue
    from dialects.learning import CurvePoint, LearningCurve
    from dialects.report import Report

#: Milliseconds of a minute.
_MINUTE = 60_000


def related(wiring: Wiring, model: Model) -> list[Model]:
    """The models that were tuned out of the same one as *model*, with that one and *model* itself, as they came."""
    root = _root(wiring, model.id)
    return [one for one in wiring.store.models() if _root(wiring, one.id) == root]


def taught(wiring: Wiring, model: Model) -> frozenset[str]:
    """Ids of the corrections that *model*, or one it was tuned from, learnt from; none of datasets that are gone."""
    found: set[str] = set()
    id, seen = model.id, set[str]()
    while id not in seen and (lineage := wiring.store.lineage(id)) is not None:
        seen.add(id)
        id = lineage.base
        with suppress(InputError):
            found.update(one.id for one in opened(wiring, lineage.dataset).examples("train") if one.text is not None)
    return frozenset(found)


def minutes_of(wiring: Wiring, model: Model, catalogue: Catalogue) -> dict[str, float] | None:
    """
    Minutes of each dialect that *model* was tuned on, by canonical tag; empty for one that was not tuned here.

    ``None`` where the dataset is not there any more.
    """
    lineage = wiring.store.lineage(model.id)
    if lineage is None:
        return {}
    try:
        frozen = opened(wiring, lineage.dataset)
    except InputError:
        return None
    found: Counter[str] = Counter()
    for tag, cell in frozen.counts.get("train", {}).items():
        found[catalogue.find(tag).tag] += cell["milliseconds"]
    return {tag: length / _MINUTE for tag, length in found.items()}


def curves(reports: Iterable[tuple[Report, dict[str, float]]], *, like: Report) -> tuple[LearningCurve, ...]:
    """
    The curve of each dialect that may be shown and that two models or more were scored on.

    Args:
        reports: Of each model, with its minutes by dialect.
        like: What the others must have been scored on: the same segments.
    """
    from dialects.learning import CurvePoint, learning_curve
    from dialects.statistics import standard_error

    lessons: dict[str, list[CurvePoint]] = defaultdict(list)
    for report, minutes in reports:
        if report.references != like.references:
            continue
        for row in report.rows:
            error = standard_error(*zip(*row.by_block.values(), strict=True)) if row.state != "suppressed" else None
            if row.wer is not None and error is not None:
                told = CurvePoint(
                    model=str(report.model), minutes=minutes.get(row.dialect, 0.0), wer=row.wer, standard_error=error
                )
                lessons[row.dialect].append(told)
    return tuple(learning_curve(tag, found) for tag, found in sorted(lessons.items()) if len(found) > 1)


def _root(wiring: Wiring, id: str) -> str:
    seen = {id}
    while (lineage := wiring.store.lineage(id)) is not None and lineage.base not in seen:
        id = lineage.base
        seen.add(id)
    return id
