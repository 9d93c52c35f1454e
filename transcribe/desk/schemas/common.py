"""The base of requests and answers, the types of their fields, errors, and who is signed in."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

OpId = Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
#: JSON has no tuples, only lists.
SpellingPair = Annotated[tuple[Tag, Tag], Field(strict=False)]
#: What every database can count to.
Count = Annotated[int, Field(ge=0, le=2**53)]
#: Milliseconds of a day, more than anybody works on one segment.
Active = Annotated[int, Field(ge=0, le=86_400_000)]


class In(BaseModel):
    """The base of requests: unknown keys are refused, a number is not taken for a text."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Out(BaseModel):
    """The base of answers."""

    model_config = ConfigDict(frozen=True)


class SignIn(In):
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=1_024)]


class Me(Out):
    """The person who is signed in, and settings that their pages need."""

    id: str
    name: str
    roles: list[str]
    permissions: list[str]
    dialects: list[str]
    #: Goes back with every change as ``X-Boli-Csrf``; ``None`` for tokens.
    csrf: str | None
    offline_audio: str
    #: Whether the project marks doubtful words.
    shading: bool
    server_time: str


class Trouble(Out):
    """An error, as in every command of boli."""

    code: str
    message: str
    hint: str | None
    item: str | None


class ErrorOut(Out):
    """An answer that is an error."""

    schema_: Annotated[str, Field(alias="schema")] = "boli.error/1"
    ok: bool = False
    error: Trouble
