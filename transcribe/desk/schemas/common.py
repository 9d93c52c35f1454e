"""The base of requests and answers, the types of their fields, errors, and who is signed in."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from transcribe.desk_records import Permission, Role

OpId = Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
#: JSON has no tuples, only lists.
SpellingPair = Annotated[tuple[Tag, Tag], Field(strict=False)]
#: What every database can count to.
Count = Annotated[int, Field(ge=0, le=2**53)]
#: Milliseconds of a day, more than anybody works on one segment.
Active = Annotated[int, Field(ge=0, le=86_400_000)]


def _drop_titles(schema: JsonDict) -> None:
    """Drop the titles that pydantic makes of names: they say no more, on half the lines of the types made of it."""
    schema.pop("title", None)
    for field in cast("dict[str, JsonDict]", schema.get("properties", {})).values():
        field.pop("title", None)


class In(BaseModel):
    """The base of requests: unknown keys are refused, a number is not taken for a text."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, json_schema_extra=_drop_titles)


class Out(BaseModel):
    """The base of answers: a field with a default is sent with it."""

    model_config = ConfigDict(
        frozen=True, json_schema_serialization_defaults_required=True, json_schema_extra=_drop_titles
    )


class SignIn(In):
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=1_024)]


class Me(Out):
    """The person who is signed in, and settings that their pages need."""

    id: str
    name: str
    roles: list[Role]
    permissions: list[Permission]
    dialects: list[str]
    #: Goes back with every change as ``X-Boli-Csrf``; ``None`` for tokens.
    csrf: str | None
    offline_audio: Literal["memory", "encrypted"]
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

    schema_: Annotated[Literal["boli.error/1"], Field(alias="schema")] = "boli.error/1"
    ok: Literal[False] = False
    error: Trouble


class HealthOut(Out):
    status: Literal["ok"]
