"""What each check gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "missing"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    name: str
    #: ``missing`` where something cannot be used, ``warn`` where it can but somebody should look.
    state: State
    #: What was found, a sentence.
    detail: str
    #: The exact command that mends it, where there is one.
    mend: str | None = None
