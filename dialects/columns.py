"""Tables as plain text, for a terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def columns(header: Sequence[str], rows: Sequence[Sequence[str]], *, texts: Collection[int]) -> str:
    """
    Format *header* and *rows* under each other, with a rule between.

    Args:
        texts: Columns of words, by position: they start on the left, numbers end on the right.

    >>> print(columns(("who", "words"), [("ann", "7")], texts=[0]))
    who  words
    ----------
    ann      7
    """
    widths = [max(len(cell) for cell in cells) for cells in zip(header, *rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if column in texts else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (header, *rows)
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join(lines)


def percent(share: float | None) -> str:
    """
    Format a share in per cent with one digit; a dash where there is none.

    >>> percent(0.1234), percent(None)
    ('12.3', '–')
    """
    return "–" if share is None else f"{100 * share:.1f}"


def p_value(p: float) -> str:
    """
    Format a p-value, never as zero.

    >>> p_value(0.0123), p_value(0.0001)
    ('p = 0.012', 'p < 0.001')
    """
    return f"p = {p:.3f}" if p >= 0.001 else "p < 0.001"
