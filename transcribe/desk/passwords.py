"""Passwords: argon2id, never more than a few at a time, and the same time taken for names that are not there."""

from __future__ import annotations

import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from transcribe.errors import UsageError

#: Characters of a password.
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 1_024
#: OWASP's second choice for argon2id: 19 MiB, two passes, about 70 ms. A desk on a laptop cannot spare the 64 MiB of
#: the library's default for everybody who signs in at nine.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
#: Hashes at a time: each holds its 19 MiB and a core.
_HASH_TURNS = threading.BoundedSemaphore(2)
#: The hash that a password is compared with where a name is not there.
_NOBODY = _HASHER.hash(secrets.token_urlsafe(16))


def hash_password(password: str) -> str:
    """
    Return *password* hashed, with its salt and costs.

    Raises:
        UsageError: If it is shorter than 10 characters or longer than 1,024.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise UsageError(
            f"a password of {len(password)} characters was given",
            hint=f"passwords have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD}; a few plain words are good",
        )
    with _HASH_TURNS:
        return _HASHER.hash(password)


def check_password(password: str, hashed: str | None) -> bool:
    """Check *password* against its hash. Takes as long where there is none."""
    if len(password) > LONGEST_PASSWORD:
        return False
    with _HASH_TURNS:
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
