"""Signed addresses of sound: good for one person, one hold, ten minutes."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from itsdangerous import BadSignature, URLSafeSerializer
from itsdangerous import Signer as Signature

from transcribe.errors import ConfigError

#: Seconds that an address is good for.
GOOD_FOR_S = 600
#: Bytes of a key as people write it; fewer can be guessed.
_SHORTEST = 32


@dataclass(frozen=True, kw_only=True)
class Link:
    """The segment, person and hold that an address was signed for."""

    segment: str
    person: str
    #: The hold that it belongs to; empty for who may hear without one.
    lease: str


class Signer:
    """Signs with the last of its keys, and knows its own signature under any of them."""

    def __init__(self, keys: list[str], *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._links = Signature(keys, salt="boli sound")
        self._tokens = URLSafeSerializer(keys, salt="boli csrf")
        self._clock = clock
        self._csrf = lru_cache(maxsize=10_000)(self._sign_session)

    def sign(self, link: Link) -> str:
        until = int(self._clock().timestamp()) + GOOD_FOR_S
        return self._links.sign(f"{link.segment}~{link.person}~{link.lease}~{until}").decode()

    def verify(self, signed: str) -> Link | None:
        """Return the link in *signed*; ``None`` if it was not signed here, or too long ago."""
        try:
            segment, person, lease, until = self._links.unsign(signed).decode().split("~")
        except (BadSignature, ValueError):
            return None
        if self._clock().timestamp() >= int(until):
            return None
        return Link(segment=segment, person=person, lease=lease)

    def csrf(self, session: str) -> str:
        """Return the token that a page of this session sends with every change, and that no other site can know."""
        return self._csrf(session)

    def _sign_session(self, session: str) -> str:
        return str(self._tokens.dumps(session[:32])).rsplit(".", 1)[1]


def read_keys(file: Path) -> list[str]:
    """
    Return the keys in *file*, one a line, the newest last; make it with one key, readable by its owner only, if it is
    not there.

    Raises:
        ConfigError: If a key is shorter than 32 characters or made of fewer than 8 different ones.
    """
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        keys = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    else:
        keys = [secrets.token_hex(32)]
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(f"{keys[0]}\n")
            stream.flush()
            os.fsync(handle)
    if not keys or any(len(key) < _SHORTEST or len(set(key)) < 8 for key in keys):
        raise ConfigError(
            f"{file} holds a key that can be guessed",
            code="E_WEAK_KEY",
            hint="remove the file, and the desk makes a good one; signed addresses of the old one end with it",
            item=str(file),
        )
    return keys
