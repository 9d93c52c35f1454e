"""The result of a check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "optional", "missing"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The result of checking one thing."""

    name: str
    #: ``missing`` where something that is needed cannot be used, ``warn`` where it can but somebody should look,
    #: ``optional`` where something is not installed that only some need.
    state: State
    #: The result, a sentence.
    detail: str
    #: The exact command that mends it, where there is one.
    mend: str | None = None
