"""What every format is read into and written from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from transcribe.errors import InputError
from transcribe.ingest.timed import TimedText
from transcribe.records import Correction, Draft, Segment, Turn

__all__ = ["TimedText", "by_recording", "of_correction", "of_draft", "of_turn", "refusal", "single"]


def of_turn(turn: Turn) -> TimedText:
    """A diarised turn: who speaks when, without words."""
    return TimedText(
        recording=turn.recording, start=turn.start, end=turn.end, speaker=turn.speaker, dialect=turn.dialect
    )


def of_draft(segment: Segment, draft: Draft) -> TimedText:
    """A segment with the words that a model drafted."""
    return TimedText(
        recording=segment.recording,
        start=segment.start,
        end=segment.end,
        speaker=segment.speaker,
        text=draft.text,
        words=draft.words,
        dialect=segment.dialect,
    )


def of_correction(correction: Correction) -> TimedText:
    """A person's text. It has no word times."""
    return TimedText(
        recording=correction.recording,
        start=correction.start,
        end=correction.end,
        speaker=correction.speaker,
        text=correction.text,
        dialect=correction.dialect,
        normalised=correction.normalised,
    )


def by_recording(items: Iterable[TimedText]) -> Iterator[tuple[str, Iterator[TimedText]]]:
    """*items* recording by recording, for formats of one recording a file. They come in that order already."""
    return groupby(items, key=lambda item: item.recording)


def single(items: Iterable[TimedText], what: str) -> list[TimedText]:
    """
    *items* ordered by start, for a format that holds one recording.

    Raises:
        InputError: E_FORMAT if they are of several.
    """
    ordered = sorted(items, key=lambda item: (item.start, item.end, item.speaker or ""))
    names = {item.recording for item in ordered}
    if len(names) > 1:
        raise refusal(f"{what} holds one recording, and {len(names)} were given", "write one file for each")
    return ordered


def refusal(what: str, hint: str, *, item: str | None = None) -> InputError:
    """Something that a format cannot say, or a file that does not say it right: E_FORMAT."""
    return InputError(what, code="E_FORMAT", hint=hint, item=item)
