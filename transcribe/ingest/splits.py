"""
Find the recordings that must share a split: all that are linked by speakers, by hand or by conversation.

Recordings, speakers and sessions make a graph; each connected component of it is drawn once. A million rows have to
fit, so names are kept as 64-bit hashes in flat arrays and the components are found by numpy.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, get_args

import numpy as np
import numpy.typing as npt

from transcribe.records import Split

#: From the weakest to the strongest: where people of several splits meet, a voice of the test is not trained on.
_SPLITS: Final[tuple[Split, ...]] = get_args(Split)
#: Line of what is known from the store and stands in no manifest.
STORED_LINE: Final = 0
_NONE: Final = -1

_Keys = npt.NDArray[np.uint64]
_Indices = npt.NDArray[np.int64]
_Marks = npt.NDArray[np.int8]


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Shares of the speakers that are kept apart from training, and the seed that decides which."""

    dev: float = 0.1
    test: float = 0.1
    seed: int = 0

    def draw(self, key: str) -> Split:
        """Draw the split of *key*: always the same one, and over many keys in these shares."""
        digest = hashlib.sha256(f"{self.seed}\0{key}".encode()).digest()
        position = int.from_bytes(digest[:8], "big") / 2**64
        if position < self.test:
            return "test"
        return "dev" if position < self.test + self.dev else "train"


@dataclass(frozen=True, kw_only=True)
class Clash:
    """Two linked rows that were put into different splits; line 0 is a recording of the store."""

    line: int
    split: Split
    other_line: int
    other_split: Split


@dataclass(frozen=True, kw_only=True)
class Group:
    """A connected component: the key that its split is drawn by, and its split where one is settled already."""

    key: str
    split: Split | None


class Links:
    """The names that are heard in each recording, collected before ``groups`` links them."""

    def __init__(self) -> None:
        self._names = array("Q")
        self._recordings = array("Q")
        self._lines = array("I")
        self._splits = array("b")

    def add(self, recording: str, names: Iterable[str], *, line: int, split: Split | None = None) -> None:
        """
        Record that *names* (speakers and the session, see ``names_of``) are heard in *recording*.

        Args:
            line: Row that says so, ``STORED_LINE`` if the store does.
            split: What the row, or the store, puts it into.
        """
        key = _hash(recording)
        number = _NONE if split is None else _SPLITS.index(split)
        for name in names:
            self._names.append(_hash(name))
            self._recordings.append(key)
            self._lines.append(line)
            self._splits.append(number)

    def groups(self) -> Groups:
        """Return the components of all that was added."""
        unique, of_entry = np.unique(np.frombuffer(self._names, dtype=np.uint64), return_inverse=True)
        roots = _find_roots(len(unique), of_entry, np.frombuffer(self._recordings, dtype=np.uint64))
        splits = np.frombuffer(self._splits, dtype=np.int8)
        settled = np.full(len(unique), _NONE, dtype=np.int8)
        np.maximum.at(settled, roots[of_entry], splits)
        return Groups(
            names=unique, roots=roots, settled=settled, clash=self._find_clash(roots[of_entry], splits, settled)
        )

    def _find_clash(self, roots: _Indices, splits: _Marks, settled: _Marks) -> Clash | None:
        """
        Return the first row that is put into another split than the rows it is linked with.

        That the store alone has linked people in several splits is no clash: nobody can be moved any more.
        """
        put = splits != _NONE
        lines = np.frombuffer(self._lines, dtype=f"u{self._lines.itemsize}")
        with_rows = np.zeros(len(settled), dtype=np.bool_)
        with_rows[roots[put & (lines != STORED_LINE)]] = True
        odd = np.flatnonzero(put & (splits != settled[roots]) & with_rows[roots])
        if not len(odd):
            return None
        linked = np.flatnonzero(put & (roots == roots[odd[0]]))
        entries = sorted(zip(lines[linked].tolist(), splits[linked].tolist(), strict=True))
        rows = [entry for entry in entries if entry[0] != STORED_LINE]
        line, split = next((row for row in rows if row[1] != entries[0][1]), rows[0])
        other_line, other_split = next(entry for entry in entries if entry[1] != split)
        return Clash(line=other_line, split=_SPLITS[other_split], other_line=line, other_split=_SPLITS[split])


class Groups:
    """The components; a name that was never added is a component of its own."""

    def __init__(self, *, names: _Keys, roots: _Indices, settled: _Marks, clash: Clash | None) -> None:
        self._names, self._roots, self._settled = names, roots, settled
        #: A row and another row, or the store, that hang together and are put into different splits.
        self.clash = clash

    def of(self, names: Sequence[str]) -> Group | None:
        """Return the group of *names*, which were added together; ``None`` if there are none."""
        if not names:
            return None
        key = _hash(names[0])
        index = int(self._names.searchsorted(np.uint64(key)))
        if index == len(self._names) or int(self._names[index]) != key:
            return Group(key=f"{key:016x}", split=None)
        root = int(self._roots[index])
        settled = int(self._settled[root])
        return Group(key=f"{int(self._names[root]):016x}", split=None if settled == _NONE else _SPLITS[settled])


def names_of(speakers: Sequence[str], session: str | None) -> tuple[str, ...]:
    """Return the names that link a recording to others: its speakers and its conversation."""
    names = tuple(f"speaker {speaker}" for speaker in speakers)
    return names if session is None else (*names, f"session {session}")


def _find_roots(count: int, of_entry: _Indices, recordings: _Keys) -> _Indices:
    """
    Return the root of each of *count* names, the smallest name that it is linked with, shape ``(count,)``.

    Names of entries with the same recording are linked. Roots are hooked onto smaller ones and paths cut short until
    both ends of every link have the same root.
    """
    order = np.argsort(recordings, kind="stable")
    same = recordings[order[1:]] == recordings[order[:-1]]
    lefts, rights = of_entry[order[:-1][same]], of_entry[order[1:][same]]
    roots = np.arange(count, dtype=np.int64)
    while True:
        ends = roots[lefts], roots[rights]
        if np.array_equal(*ends):
            return roots
        np.minimum.at(roots, np.maximum(*ends), np.minimum(*ends))
        while not np.array_equal(roots, roots[roots]):
            roots = roots[roots]


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
