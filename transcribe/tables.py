"""Tables as `dialects.tables` reads them, with the errors of this package; and the numbers in their cells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, cast

from dialects import tables
from dialects.tables import Row
from transcribe.errors import InputError
from transcribe.records import Milliseconds

__all__ = ["Row", "Table", "from_milliseconds", "from_seconds"]

#: Seconds as programs print them. At most 9 digits before the point: 30 years.
_SECONDS: Final = re.compile(r"[+-]?(\d{1,9}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,2})?")
_WHOLE: Final = re.compile(r"[+-]?\d{1,12}(\.0{1,30})?")


@dataclass(frozen=True, kw_only=True)
class Table(tables.Table):
    """A table whose faults are input errors."""

    code: str = "E_MANIFEST"

    def entries(self) -> Iterator[Row | InputError]:
        """Yield the rows, and for one that cannot be read its error, in its place."""
        return cast("Iterator[Row | InputError]", super().entries())

    def fault(
        self, line: int, what: str, *, column: str | None = None, hint: str | None, code: str | None = None
    ) -> InputError:
        """Return the error about one row, for the caller to raise."""
        message = f"{self.locate(line, column)}: {what}"
        return InputError(message, code=code or self.code, hint=hint, item=f"{self.file.name}:{line}")

    def file_fault(self, what: str, *, hint: str) -> InputError:
        """Return the error about the file as a whole."""
        return InputError(what, code=self.code, hint=hint, item=str(self.file))


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
