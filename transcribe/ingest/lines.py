"""Read lines of UTF-8 text from a foreign file, and numbers from their fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from typing import BinaryIO, Final, TypeAlias

from transcribe.errors import InputError
from transcribe.records import Milliseconds

#: Bytes of the longest line. A file without line ends must not fill the memory.
LONGEST_LINE: Final = 1 << 20

#: Makes the error of a line: its number, what is wrong, what to do.
Fault: TypeAlias = Callable[[int, str, str], InputError]

#: Seconds as programs print them. At most 9 digits before the point: 30 years.
_SECONDS: Final = re.compile(r"[+-]?(\d{1,9}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,2})?")
_WHOLE: Final = re.compile(r"[+-]?\d{1,12}(\.0{1,30})?")


def read_lines(stream: BinaryIO, fault: Fault) -> Iterator[str]:
    """
    Yield the lines of *stream* with their ends, the first without byte order mark.

    Raises:
        InputError: As *fault* makes it, for a line over 1 MiB or bytes that are not UTF-8.
    """
    number = 0
    while raw := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(raw) > LONGEST_LINE:
            raise fault(number, f"it is over {LONGEST_LINE:,} bytes long", "put each row on a line of its own")
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            what = f"byte {error.start + 1} ({raw[error.start]:#04x}) is not UTF-8"
            raise fault(number, what, "save the file as UTF-8") from None
        yield text.removeprefix("\ufeff") if number == 1 else text


def refuse_utf16(head: bytes, fault: Fault) -> None:
    """Raise what *fault* makes if *head*, the first bytes of a file, is UTF-16: half of them are zero."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or head.count(0) > len(head) // 5:
        raise fault(1, "the file is UTF-16", "save it as UTF-8 (spreadsheets call it 'CSV UTF-8')")


def from_seconds(text: str) -> Milliseconds:
    """
    Convert seconds in decimal notation to milliseconds, rounded half to even.

    Raises:
        ValueError: With a sentence, for a comma, NaN, infinity, a negative or anything else.

    >>> from_seconds("1.2345")
    1234
    """
    if not _SECONDS.fullmatch(text):
        raise _number_error(text, "1.5")
    value = Decimal(text)
    if value < 0:
        raise ValueError(f"{text} is before the recording begins")
    return int((value * 1000).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def from_milliseconds(text: str) -> Milliseconds:
    """
    Parse a whole number of milliseconds; ``1500.0``, as spreadsheets write it, is whole.

    Raises:
        ValueError: With a sentence, for anything else and for negative numbers.
    """
    text = text.strip()
    if not _WHOLE.fullmatch(text):
        raise _number_error(text, "1500")
    value = int(text.partition(".")[0])
    if value < 0:
        raise ValueError(f"{text} is before the recording begins")
    return value


def _number_error(text: str, right: str) -> ValueError:
    if "," in text:
        return ValueError(f"{text[:40]!r} has a comma where a number such as {right} is wanted")
    return ValueError(f"{text[:40]!r} is no number such as {right}")
