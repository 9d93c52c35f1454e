"""The records that every format is read into and written from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

import regex

from transcribe.errors import InputError
from transcribe.ingest.timed import TimedText
from transcribe.records import Correction, Draft, Segment

__all__ = [
    "TimedText",
    "group_by_recording",
    "is_visible",
    "of_correction",
    "of_draft",
    "order_single_recording",
    "refusal",
]

#: Anything but blanks, controls, joiners, marks of direction and letters that fonts show as nothing.
_VISIBLE: Final = regex.compile(r"[^\p{Z}\p{C}\p{Default_Ignorable_Code_Point}\u2800]")


def is_visible(text: str | None) -> bool:
    """
    Tell if *text* holds a character that can be seen; one that does not is as good as empty.

    >>> is_visible("\u200b\u00ad "), is_visible("…")
    (False, True)
    """
    return text is not None and _VISIBLE.search(text) is not None


def of_draft(segment: Segment, draft: Draft) -> TimedText:
    """Return a segment with the words that a model drafted."""
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
    """Return a person's text. It has no word times."""
    return TimedText(
        recording=correction.recording,
        start=correction.start,
        end=correction.end,
        speaker=correction.speaker,
        text=correction.text,
        dialect=correction.dialect,
        normalised=correction.normalised,
    )


def group_by_recording(items: Iterable[TimedText]) -> Iterator[tuple[str, Iterator[TimedText]]]:
    """Group *items*, which come recording by recording, for formats of one recording a file."""
    return groupby(items, key=lambda stretch: stretch.recording)


def order_single_recording(items: Iterable[TimedText], format_name: str) -> list[TimedText]:
    """
    Order *items* by start, for a format that holds one recording.

    Raises:
        InputError: E_FORMAT if they are of several.
    """
    ordered = sorted(items, key=lambda stretch: (stretch.start, stretch.end, stretch.speaker or ""))
    names = {stretch.recording for stretch in ordered}
    if len(names) > 1:
        raise refusal(f"{format_name} holds one recording, and {len(names)} were given", "write one file for each")
    return ordered


def refusal(message: str, hint: str, *, item: str | None = None) -> InputError:
    """Return an error for a fact that a format cannot hold, or a file that breaks the format: E_FORMAT."""
    return InputError(message, code="E_FORMAT", hint=hint, item=item)
