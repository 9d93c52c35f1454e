"""The one error of this package: something about a dialect, a text or a table that cannot be taken."""

from __future__ import annotations


class DialectError(ValueError):
    """
    A tag, a normaliser, a variant file or a table of pairs that cannot be taken.

    *code* is a stable word for scripts (``E_…``), *hint* the next step, *row* and *column* the place in a table:
    rows count from 1 as an editor shows them, the header included.
    """

    def __init__(
        self, code: str, message: str, *, hint: str | None = None, row: int | None = None, column: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.row = row
        self.column = column

    def __str__(self) -> str:
        text = f"{self.code}: {self.message}"
        return f"{text}; {self.hint}" if self.hint else text
