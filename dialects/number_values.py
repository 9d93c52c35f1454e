"""The value of a number while its words go by: two hundred and five, ek lakh bees hazaar, 1.5 crore."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

#: ``unit``: adds its value. ``scale``: multiplies what stands before it. ``digits``: a number written in digits.
PieceKind: TypeAlias = Literal["unit", "scale", "digits"]


class Piece(NamedTuple):
    """The smallest part of a number word that has a value."""

    value: int
    kind: PieceKind = "unit"
    #: A unit below ten may follow: twenty, இருபத்தி.
    takes_units: bool = False


class NumberSum(NamedTuple):
    """
    A number so far. It grows by :meth:`add_piece`, which gives ``None`` where the piece begins another number.

    >>> value_of([Piece(2), Piece(100, "scale"), Piece(5)]), value_of([Piece(2), Piece(5)])
    (205, None)
    """

    #: The parts that were multiplied already: 200000 after two lakh.
    closed: int = 0
    #: The scale of the last of them; what follows is smaller. 0 before the first.
    bound: int = 0
    #: The part below the next scale; ``None`` before its first word.
    part: int | None = None
    #: What may be added to the part is smaller than this.
    room: int = 0
    after_scale: bool = False

    @property
    def value(self) -> int:
        """The number."""
        return self.closed + (self.part or 0)

    @property
    def is_empty(self) -> bool:
        """The number has no word yet."""
        return self.part is None and not self.bound

    def add_piece(self, piece: Piece) -> NumberSum | None:
        """The number with one more piece; ``None`` where it does not fit."""
        if piece.kind == "scale":
            return self._add_hundred() if piece.value == 100 else self._add_scale(piece.value)
        if piece.kind == "digits" and not (self.is_empty or self.after_scale):
            return None
        return self._add_unit(piece)

    def _add_unit(self, piece: Piece) -> NumberSum | None:
        room = 10 if piece.takes_units else 100 if piece.kind == "unit" and piece.value >= 100 else 0
        if self.is_empty:
            return NumberSum(part=piece.value, room=room)
        if piece.value == 0:
            return None
        if self.part is None:
            fits = piece.value < self.bound
            return self._replace(part=piece.value, room=room, after_scale=False) if fits else None
        fits = piece.value < self.room
        return self._replace(part=self.part + piece.value, room=room, after_scale=False) if fits else None

    def _add_hundred(self) -> NumberSum | None:
        if self.part is None:
            return self._replace(part=100, room=100, after_scale=True) if self.bound != 100 else None
        if not 0 < self.part < 100:
            return None
        return self._replace(part=self.part * 100, room=100, after_scale=True)

    def _add_scale(self, scale: int) -> NumberSum | None:
        if self.is_empty:
            return NumberSum(closed=scale, bound=scale, after_scale=True)
        if self.value == 0 or scale == self.bound or (self.part is None and scale < self.bound):
            return None
        if self.bound and scale > self.bound:
            return NumberSum(closed=self.value * scale, bound=scale, after_scale=True)
        return NumberSum(closed=self.closed + (self.part or 0) * scale, bound=scale, after_scale=True)


def value_of(pieces: Iterable[Piece]) -> int | None:
    """The one number that *pieces* make; ``None`` where they make several."""
    number: NumberSum | None = NumberSum()
    for piece in pieces:
        number = number.add_piece(piece) if number is not None else None
    return number.value if number is not None else None
