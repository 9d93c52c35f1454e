"""EAF, ELAN's files, through pympi: a tier for each speaker, who is its participant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final

from transcribe.formats.files import replace_file
from transcribe.formats.records import TimedText, order_single_recording, refusal
from transcribe.formats.tiers import lay_out, speaker_of

#: Name of the tier for texts without a speaker.
UNKNOWN: Final = "speech"
#: Bytes of the largest file that is read; an hour of dense speech takes about 2 MB.
LARGEST: Final = 256 << 20

_MEDIA_TYPES: Final = {".wav": "audio/x-wav", ".mp3": "audio/mpeg", ".mp4": "video/mp4", ".m4a": "audio/mp4"}
#: Characters that XML 1.0 cannot hold (section 2.2).
_NO_XML: Final = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_eaf(path: Path, *, recording: str | None = None) -> Iterator[TimedText]:
    """
    Read the annotations of *path* ordered by start. The speaker is the tier's participant, else the tier's name.

    Args:
        recording: The recording that they belong to; default is the file's name without suffix.

    Raises:
        InputError: E_FORMAT if the file cannot be read.
    """
    eaf = _parse(path)
    stretches = []
    for name, (aligned, _, facts, _) in eaf.tiers.items():
        speaker = facts.get("PARTICIPANT") or speaker_of(name, eaf.tiers, unknown=UNKNOWN)
        for first, last, text, _ in aligned.values():
            start, end = eaf.timeslots.get(first), eaf.timeslots.get(last)
            if start is None or end is None or not 0 <= start <= end:
                what = f"{path.name}: an annotation of the tier {name} has no times of its own"
                raise refusal(what, "align it in ELAN", item=str(path))
            stretches.append(
                TimedText(recording=recording or path.stem, start=start, end=end, speaker=speaker, text=text)
            )
    yield from sorted(stretches, key=lambda stretch: (stretch.start, stretch.end, stretch.speaker or ""))


def write_eaf(items: Iterable[TimedText], path: Path, *, media: str | None = None) -> int:
    """
    Write and count the *items* that have a length, a tier for each speaker. They are of one recording.

    What a speaker says at the same time as something else of his own goes to a further tier. Characters that XML
    cannot hold are left out.

    Args:
        media: Place of the sound, for ELAN to play.
    """
    from pympi.Elan import Eaf

    stretches = [stretch for stretch in order_single_recording(items, "an EAF file") if stretch.end > stretch.start]
    eaf = Eaf(author="boli")
    eaf.remove_tier("default")
    if media is not None:
        kind = _MEDIA_TYPES.get(PurePosixPath(media).suffix.lower(), "audio/*")
        media_url = Path(media).as_uri() if media.startswith("/") else _clean_text(media)
        eaf.add_linked_file(media_url, mimetype=kind)
    rows = lay_out(stretches, unknown=UNKNOWN)
    for name, row in rows or [(UNKNOWN, [])]:
        tier = _clean_text(name)
        eaf.add_tier(tier, part=_clean_text(row[0].speaker) if row and row[0].speaker else None)
        for stretch in row:
            eaf.add_annotation(tier, stretch.start, stretch.end, _clean_text(stretch.text or ""))
    with replace_file(path) as draft:
        draft.unlink()  # pympi would keep the empty file as a backup
        eaf.to_file(str(draft))
    return len(stretches)


def _clean_text(text: str) -> str:
    return _NO_XML.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _parse(path: Path) -> Any:
    from pympi.Elan import Eaf

    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"it is over {LARGEST >> 20} MiB")
        return Eaf(str(path), suppress_version_warning=True)
    except Exception as error:  # the parser fails in as many ways as a file can be wrong
        what = f"{path.name} cannot be read as EAF: {type(error).__name__} {error}"
        raise refusal(what, "open it in ELAN and save it again", item=str(path)) from error
