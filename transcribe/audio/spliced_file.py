"""Give spans of a file and bytes that stand for wrong ones as one file; nothing is copied."""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stretch of the file's bytes."""

    start: int
    size: int


class SplicedFile(io.RawIOBase):
    """
    Bytes and spans of *descriptor*, one after the other, as a file that is read only. Nothing is copied.
    """

    def __init__(self, descriptor: int, pieces: Sequence[bytes | Span]) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._pieces = pieces
        sizes = (len(piece) if isinstance(piece, bytes) else piece.size for piece in pieces)
        #: Where each piece begins in this file; at last, where it ends.
        self._starts = list(accumulate(sizes, initial=0))
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._starts[-1]}[whence]
        self._position = max(0, origin + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        if self._position >= self._starts[-1] or not view.nbytes:
            return 0
        index = bisect_right(self._starts, self._position) - 1
        piece, offset = self._pieces[index], self._position - self._starts[index]
        if isinstance(piece, bytes):
            part = piece[offset : offset + view.nbytes]
        else:
            part = os.pread(self._descriptor, min(view.nbytes, piece.size - offset), piece.start + offset)
        view[: len(part)] = part
        self._position += len(part)
        return len(part)
