"""
The cache of counts of earlier reports: one SQLite file that may be deleted at any time.

With it a report aligns only what is new.

It is no part of the workspace's database, where a report only reads: it holds nothing that cannot be counted again, and
a workspace on PostgreSQL has it beside its other files.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from dialects.scoring.sums import PairCounts
from dialects.scoring.word_errors import PairRecount

#: Keys that are looked up in one statement; SQLite takes 999 at least.
_AT_ONCE: Final = 900
#: How long to wait for another report that writes, in seconds.
_PATIENCE_S: Final = 5.0


class ScoreCache:
    """
    The counts in one file, made where there is none. Use it in a ``with``.

    What cannot be read is unknown, and what cannot be written is counted again next time: a report never fails for it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS counts (key BLOB PRIMARY KEY, counts TEXT NOT NULL) WITHOUT ROWID"
            )
        except (OSError, sqlite3.OperationalError):
            self.close()
        except sqlite3.DatabaseError:
            self._delete_file()

    def __enter__(self) -> ScoreCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; nothing is known from then on."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def lookup(self, keys: Sequence[bytes]) -> Mapping[bytes, PairCounts]:
        """Return the counts of those of *keys* that are known."""
        counts_by_key: dict[bytes, PairCounts] = {}
        if self._connection is None:
            return counts_by_key
        try:
            for start in range(0, len(keys), _AT_ONCE):
                batch = keys[start : start + _AT_ONCE]
                marks = ",".join("?" * len(batch))
                rows = self._connection.execute(f"SELECT key, counts FROM counts WHERE key IN ({marks})", batch)  # noqa: S608 - marks only
                counts_by_key.update((key, _parse_counts(text)) for key, text in rows)
        except sqlite3.OperationalError:
            self.close()
            return {}
        except (sqlite3.DatabaseError, TypeError, ValueError):
            self._delete_file()
            return {}
        return counts_by_key

    def keep(self, counts: Mapping[bytes, PairCounts]) -> None:
        """Know *counts* from now on, all of them or none."""
        if self._connection is None or not counts:
            return
        rows = [(key, json.dumps(count, ensure_ascii=False)) for key, count in counts.items()]
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT OR REPLACE INTO counts VALUES (?, ?)", rows)
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            self.close()

    def _delete_file(self) -> None:
        """Remove a file that is broken or of another shape, so that the next report starts a new one."""
        self.close()
        with suppress(OSError):
            self._path.unlink()


def _parse_counts(text: str) -> PairCounts:
    values = json.loads(text)
    again, forgiven = values[-2:]
    return PairCounts._make((*values[:-2], PairRecount._make(again), tuple(tuple(spellings) for spellings in forgiven)))
