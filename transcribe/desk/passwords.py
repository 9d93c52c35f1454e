"""Passwords: argon2id, never more than a few at a time, and the same time taken for names that are not there."""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from transcribe.desk.middleware import Refused
from transcribe.errors import UsageError

#: Characters of a password.
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 1_024
#: OWASP's second choice for argon2id: 19 MiB, two passes, about 70 ms. A desk on a laptop cannot spare the 64 MiB of
#: the library's default for everybody who signs in at nine.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
#: Guesses that a password has to stand, as zxcvbn counts them: ten times what it calls safe against a desk that delays.
_FEWEST_GUESSES = 10**9
#: Characters that are looked at: the time that it takes grows with their square.
_ESTIMATED = 72
#: The library keeps a person's words in one table for all.
_ESTIMATING = threading.Lock()
#: Hashes at a time: each holds its 19 MiB and a core.
_WORKERS = 2
#: Hashes that wait or are under way, in all and of one address: some two seconds of both workers.
_MOST_HASHES = 64
_MOST_OF_ADDRESS = 32
#: Below the priority of the threads that answer.
_NICENESS = 10
#: The hash that a password is compared with where a name is not there.
_NOBODY = _HASHER.hash(secrets.token_urlsafe(16))

T = TypeVar("T")


class HashQueue:
    """Threads of their own for passwords, a few and behind a short queue: nobody who is signed in waits for them."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_WORKERS, "desk-hash", initializer=os.nice, initargs=(_NICENESS,))
        self._by_address: Counter[str] = Counter()

    async def run(self, address: str, job: Callable[[], T]) -> T:
        """
        Run *job*, which hashes a password for somebody at *address*.

        Raises:
            Refused: 503 where too many wait already.
        """
        if self._by_address.total() >= _MOST_HASHES or self._by_address[address] >= _MOST_OF_ADDRESS:
            raise Refused(
                503, "E_BUSY", "too many people sign in just now", hint="try again in some seconds", retry_after=3
            )
        self._by_address[address] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, job)
        finally:
            self._by_address[address] -= 1
            self._by_address += Counter()

    def close(self) -> None:
        """End the threads; who still waits is not hashed."""
        self._pool.shutdown(cancel_futures=True)


def hash_password(password: str, *, name: str) -> str:
    """
    Return the *password* of the person called *name* hashed, with its salt and costs.

    Raises:
        UsageError: If it is shorter than 10 characters or longer than 1,024, or is found in few guesses.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise UsageError(
            f"a password of {len(password)} characters was given",
            hint=f"passwords have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD}; a few plain words are good",
        )
    _refuse_guessable(password, name)
    return _HASHER.hash(password)


def _refuse_guessable(password: str, name: str) -> None:
    """Refuse passwords that lists of leaked ones, names, dates and rows of keys give away, *name* among them."""
    from zxcvbn import zxcvbn

    with _ESTIMATING:
        guesses = zxcvbn(password[:_ESTIMATED], user_inputs=["boli", name, *name.split()])["guesses"]
    if guesses < _FEWEST_GUESSES:
        raise UsageError(
            "a password was given that is among the first that somebody would guess",
            hint="take no name, date or row of keys; four words that do not go together are good",
        )


def check_password(password: str, hashed: str | None) -> bool:
    """Check *password* against its hash. Takes as long where there is none."""
    if len(password) > LONGEST_PASSWORD:
        return False
    try:
        _HASHER.verify(hashed or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return hashed is not None


def generate_password() -> str:
    """Return a password for somebody new: 80 bits, easy to read aloud."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    password = "".join(secrets.choice(letters) for _ in range(16))
    return "-".join(password[n : n + 4] for n in range(0, 16, 4))
