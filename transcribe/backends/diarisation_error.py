"""Measure diarisation error by pyannote.metrics: collar 0, overlapping speech scored."""

from __future__ import annotations

from collections.abc import Sequence

from dialects.scoring.cpwer import DiarisationError
from transcribe.protocols import LabelledSpan
from transcribe.records import Milliseconds

__all__ = ["DiarisationError", "der"]


def der(
    reference: Sequence[LabelledSpan],
    hypothesis: Sequence[LabelledSpan],
    *,
    within: Sequence[tuple[Milliseconds, Milliseconds]] | None = None,
) -> DiarisationError:
    """
    Measure how far *hypothesis* is from *reference*: NIST's diarisation error rate and its parts.

    Args:
        reference: The true turns.
        hypothesis: The turns to judge; labels need not agree with the reference's.
        within: The annotated stretches (UEM). Everything where absent.
    """
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    def annotate(spans: Sequence[LabelledSpan]) -> Annotation:
        annotation = Annotation()
        for track, span in enumerate(spans):
            annotation[Segment(span.start / 1_000, span.end / 1_000), track] = span.label
        return annotation

    end = max((span.end for span in (*reference, *hypothesis)), default=0)
    stretches = [(0, end)] if within is None else within
    metric = DiarizationErrorRate(collar=0.0, skip_overlap=False)
    parts = metric(
        annotate(reference),
        annotate(hypothesis),
        uem=Timeline([Segment(start / 1_000, stop / 1_000) for start, stop in stretches]),
        detailed=True,
    )
    return DiarisationError(
        speech=round(parts["total"] * 1_000),
        missed=round(parts["missed detection"] * 1_000),
        false_alarm=round(parts["false alarm"] * 1_000),
        confusion=round(parts["confusion"] * 1_000),
    )
