"""Recordings by what files call them."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from functools import cached_property, lru_cache
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import regex

from transcribe.errors import InputError
from transcribe.records import Recording
from transcribe.store import Store

CODE: Final = "E_CORRECTION"
_PREFIX: Final = regex.compile(r"^[0-9a-f]{8}-")


class RecordingNames:
    """The recordings of a store, by what files call them: path, hash, name with or without folder and suffix."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # Entries of a recording stand together.
        self._find = lru_cache(maxsize=256)(self._find_by_any)

    def find(self, name: str, where: str) -> Recording:
        """
        Return the recording called *name*.

        Raises:
            InputError: E_CORRECTION at *where*: there is none, or several are called so.
        """
        matches = self._find(name)
        if len(matches) == 1:
            return matches[0]
        if not matches:
            what = f"no recording {name[:200]!r}"
            hint = "write its path as it was ingested, or its hash; `boli ingest` comes first"
        else:
            what = f"{name[:200]!r} may be {' or '.join(recording.path[:80] for recording in matches[:3])}"
            hint = "write the whole path"
        raise InputError(f"{where}: {what}", code=CODE, hint=hint, item=where)

    def _find_by_any(self, name: str) -> tuple[Recording, ...]:
        exact = self._store.recordings.find_by_path(name) or self._store.recordings.find(name.strip())
        if exact is not None:
            return (exact,)
        for spelling in _spell(name):
            if ids := self._ids.get(spelling):
                return tuple(self._store.recordings.fetch(ids=ids))
        return ()

    @cached_property
    def _ids(self) -> dict[str, set[str]]:
        ids: dict[str, set[str]] = defaultdict(set)
        for recording in self._store.recordings.fetch():
            for spelling in (*_spell(recording.path), recording.id):
                ids[spelling].add(recording.id)
        return ids


def _spell(name: str) -> tuple[str, ...]:
    """
    Return what *name*, a path or an address, may be called elsewhere, the fullest first.

    >>> _spell("/data/upload/3/1a2b3c4d-talk.wav")[-2:]
    ('talk.wav', 'talk')
    """
    parts = urlsplit(name) if "?" in name or "://" in name else None
    # Label Studio serves local files as ``?d=`` and gives uploads a prefix.
    text = name if parts is None else next(iter(parse_qs(parts.query).get("d", [])), parts.path)
    path = PurePosixPath(unicodedata.normalize("NFC", unquote(text) if parts else text).strip().lstrip("/").casefold())
    short = _PREFIX.sub("", path.name)
    spellings = [str(path), str(path.with_suffix("")) if path.name else "", path.name, path.stem]
    return tuple(dict.fromkeys(filter(None, [*spellings, short, PurePosixPath(short).stem])))
