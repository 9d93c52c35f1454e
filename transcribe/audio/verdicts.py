"""Word the refusals of files: ``CODE: <name> <what is wrong with it>; <what to do>``."""

from __future__ import annotations

import errno
import os
import unicodedata
from pathlib import Path

from transcribe.errors import InputError, UnfitError
from transcribe.records import Milliseconds


def escape_name(name: str | os.PathLike[str], *, longest: int = 80) -> str:
    r"""
    Escape a file name for a message: control and formatting characters and stray bytes.

    >>> escape_name("a\nb\u202e.wav")
    'a\\nb\\u202e.wav'
    """
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    escaped = "".join(map(_escape_character, text))
    return escaped if len(escaped) <= longest else f"{escaped[: longest - 12]}…{escaped[-11:]}"


def _escape_character(character: str) -> str:
    plain = character == " " or unicodedata.category(character)[0] not in "CZ"
    return character if plain else character.encode("unicode_escape").decode()


def refusal(code: str, wrong: str, hint: str | None = None) -> InputError:
    """Return a refusal that does not know its file's name yet; `refusal_of` adds it."""
    return InputError(wrong, code=code, hint=hint)


def refusal_of(source: str | os.PathLike[str], code: str, wrong: str, hint: str | None = None) -> InputError:
    """Return the refusal of *source*, as the user reads it."""
    item = os.fsencode(source).decode("utf-8", "backslashreplace")
    return InputError(f"{escape_name(Path(item).name)} {wrong}", code=code, hint=hint, item=item)


def format_length(duration: Milliseconds) -> str:
    """
    Format a length for people.

    >>> format_length(7_500), format_length(90_000), format_length(36_000_000)
    ('7.5 s', '1.5 min', '10.0 h')
    """
    if duration < 60_000:
        return f"{duration / 1_000:.1f} s"
    return f"{duration / 60_000:.1f} min" if duration < 3_600_000 else f"{duration / 3_600_000:.1f} h"


def unwritable(folder: Path, error: OSError) -> UnfitError:
    """Return the error that *folder* cannot be written, as the user reads it."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    code, hint = ("E_FULL", "free some space") if full else ("E_FOLDER", "see that it may be written")
    return UnfitError(f"{escape_name(folder)} cannot take the sound ({error.strerror})", code=code, hint=hint)
