"""Make corrections out of texts that come from a file and not from the desk."""

from __future__ import annotations

from transcribe.records import Correction, Milliseconds, content_id


def make_correction(
    *,
    recording: str,
    start: Milliseconds,
    end: Milliseconds,
    text: str,
    speaker: str | None = None,
    dialect: str | None = None,
    segment: str | None = None,
    author: str | None = None,
    normalised: str | None = None,
) -> Correction:
    """
    Make a correction whose id is a hash of its content, so that importing it twice is a no-op.

    Args:
        author: Name of the file.
    """
    content = (recording, start, end, text, speaker, dialect, segment, author)
    return Correction(
        # What has one text has the id that it had before there were two.
        id=content_id("imported", *content, *([normalised] if normalised is not None else ())),
        recording=recording,
        start=start,
        end=end,
        text=text,
        speaker=speaker,
        dialect=dialect,
        segment=segment,
        author=author,
        normalised=normalised,
    )
