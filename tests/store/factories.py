"""Records for tests: each says only what matters to it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from transcribe.records import Correction, Draft, Drafted, Recording, Segment, Turn, Word

#: Ids of what made the drafts, where a test does not care.
DIARISATION, SETTINGS, MODEL = "diarisation-1", "settings-1", "model-1"


def recording_id(name: str) -> str:
    """Return the id of the recording that `recording` makes of *name*."""
    return hashlib.sha256(name.encode()).hexdigest()


def recording(name: str = "talk", **facts: Any) -> Recording:
    fields = {"path": f"{name}.wav", "duration": 60_000, "rate_hz": 16_000, "channels": 1} | facts
    return Recording(id=recording_id(name), **fields)


def words(text: str, start: int, end: int) -> tuple[Word, ...]:
    """Return the words of *text*, spread evenly from *start* to *end*."""
    spellings = text.split()
    step = (end - start) / max(len(spellings), 1)
    return tuple(
        Word(text=word, start=round(start + n * step), end=round(start + (n + 1) * step), probability=0.5)
        for n, word in enumerate(spellings)
    )


def make_drafted(
    name: str = "talk",
    spoken: Sequence[tuple[str, int, int, str]] = (("A", 0, 2_000, "one two"), ("B", 2_000, 3_000, "three")),
    *,
    model: str = MODEL,
    settings: str = SETTINGS,
    diarisation: str = DIARISATION,
    alternative: str | None = None,
    **facts: Any,
) -> Drafted:
    """
    Make the work on the recording *name*.

    *spoken* has speaker, start, end and text of each segment, and each draft has the same *alternative*.
    """
    id = recording_id(name)
    turns = tuple(Turn(recording=id, speaker=who, start=start, end=end) for who, start, end, _ in spoken)
    segments = tuple(Segment(recording=id, speaker=who, start=start, end=end) for who, start, end, _ in spoken)
    drafts = tuple(
        Draft(
            segment=segment.id,
            model=model,
            settings=settings,
            words=words(text, start, end),
            log_probability=-0.25,
            alternative=alternative,
        )
        for segment, (_, start, end, text) in zip(segments, spoken, strict=True)
    )
    return Drafted(
        recording=id,
        diarisation=diarisation,
        settings=settings,
        model=model,
        turns=turns,
        exclusive=turns,
        segments=segments,
        drafts=drafts,
        **facts,
    )


def correction(id: str, name: str = "talk", start: int = 0, end: int = 2_000, **facts: Any) -> Correction:
    return Correction(id=id, recording=recording_id(name), start=start, end=end, **({"text": "one too"} | facts))
