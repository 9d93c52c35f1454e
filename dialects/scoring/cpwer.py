"""
The word errors of several people at once, where the model's speaker labels are names of its own.

cpWER (Watanabe et al. 2020): all that a speaker says is one text, and the labels are matched to the speakers so that
errors are fewest. So a word given to the wrong person counts twice, as missing there and as too much here. A speaker
without a label counts as deletions, a label without a speaker as insertions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from dialects.scoring.word_errors import ErrorCount, count, from_counts


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """The errors of one conversation under the best match of labels to speakers."""

    #: By reference speaker, so that each can be counted with the speaker's dialect.
    speakers: Mapping[str, ErrorCount]
    #: Label of each reference speaker; ``None`` where none was left.
    labels: Mapping[str, str | None]
    #: Insertions of the labels that no speaker got.
    unassigned: ErrorCount
    #: These labels.
    extra: tuple[str, ...]

    @property
    def counts(self) -> ErrorCount:
        """The sum of all errors, those of extra labels too."""
        return reduce(ErrorCount.__add__, self.speakers.values(), self.unassigned)


@dataclass(frozen=True, kw_only=True)
class DiarisationError:
    """The milliseconds of misjudged speech (DER of NIST, collar 0, overlap scored); they add, and the rate follows."""

    #: Speech in the reference; two people at once count twice.
    speech: int = 0
    #: Speech that nobody was found for.
    missed: int = 0
    #: Speakers found where fewer spoke.
    false_alarm: int = 0
    #: Speech given to somebody else, under the kindest pairing of labels.
    confusion: int = 0

    def __add__(self, other: DiarisationError) -> DiarisationError:
        return DiarisationError(
            speech=self.speech + other.speech,
            missed=self.missed + other.missed,
            false_alarm=self.false_alarm + other.false_alarm,
            confusion=self.confusion + other.confusion,
        )

    @property
    def total(self) -> int:
        """The sum of all misjudged speech, in milliseconds."""
        return self.missed + self.false_alarm + self.confusion

    @property
    def rate(self) -> float | None:
        """The DER; ``None`` where the reference holds no speech."""
        return self.total / self.speech if self.speech else None

    @property
    def sentence(self) -> str:
        """The rate and its parts in words."""
        if not self.speech:
            return "DER: nobody is known to speak"
        of = (
            (self.total, "DER"),
            (self.missed, "missed"),
            (self.false_alarm, "too much"),
            (self.confusion, "confused"),
        )
        parts = [f"{name} {100 * part / self.speech:.1f} %" for part, name in of]
        return f"{parts[0]} ({', '.join(parts[1:])}; collar 0 s, overlap scored)"

    def data(self) -> dict[str, Any]:
        """Return plain values for JSON, in milliseconds, with the settings of the rate."""
        return {
            "der": round(self.rate, 9) if self.rate is not None else None,
            "speech_ms": self.speech,
            "missed_ms": self.missed,
            "false_alarm_ms": self.false_alarm,
            "confusion_ms": self.confusion,
            "collar_s": 0.0,
            "overlap": "scored",
        }


def cp_errors(reference: Mapping[str, Sequence[str]], hypothesis: Mapping[str, Sequence[str]]) -> Conversation:
    """
    Count errors of *hypothesis* under the match of its labels to speakers with the fewest edits, then the most hits.

    Args:
        reference: Normalised words of each speaker, in order of time.
        hypothesis: The same of each label.

    The match is found in cubic time (Hungarian method), so the number of speakers is not bounded. Among equally good
    matches the one of the alphabetically first names is taken.
    """
    from scipy.optimize import linear_sum_assignment

    names: list[str | None] = [*sorted(reference), *[None] * max(0, len(hypothesis) - len(reference))]
    labels: list[str | None] = [*sorted(hypothesis), *[None] * max(0, len(reference) - len(hypothesis))]
    counts = [
        [count(reference[name] if name else (), hypothesis[label] if label else ()) for label in labels]
        for name in names
    ]
    words = sum(map(len, reference.values())) + sum(map(len, hypothesis.values())) + 1
    # Edits first; substitutions second, since of equal edits the fewest substitutions have the most hits.
    costs = np.array([[sum(cell[1:]) * words + cell[1] for cell in row] for row in counts], dtype=np.float64)
    rows, columns = linear_sum_assignment(costs) if names else ([], [])
    matched = {
        name: (labels[column], from_counts(counts[row][column]))
        for row, column in zip(rows, columns, strict=True)
        if (name := names[row]) is not None
    }
    matched_labels = {label for label, _ in matched.values()}
    extra = [label for label in sorted(hypothesis) if label not in matched_labels]
    inserted = (ErrorCount(insertions=len(hypothesis[label])) for label in extra)
    return Conversation(
        speakers={name: errors for name, (_, errors) in matched.items()},
        labels={name: label for name, (label, _) in matched.items()},
        unassigned=reduce(ErrorCount.__add__, inserted, ErrorCount.zero()),
        extra=tuple(extra),
    )
