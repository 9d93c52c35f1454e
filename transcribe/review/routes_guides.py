"""Everybody at the desk: how a dialect is written down."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool

from dialects.errors import DialectError
from dialects.guide import load_guide
from transcribe.review.access import AnyCaller
from transcribe.review.service import Json, Refused, ServiceOf
from transcribe.review.wire import Out

router = APIRouter(prefix="/api/v1", tags=["guides"])

#: Folder of the workspace with the project's own rules, a file a dialect.
FOLDER = "guides"


class RuleOut(Out):
    id: str
    #: A short sentence by language of the reader; ``en`` is always there.
    say: dict[str, str]
    good: list[str]
    bad: list[str]


class GuideOut(Out):
    """The rules of a dialect, those of wider ones first."""

    dialect: str
    version: str
    #: Whether the guide asks for a second text, in the usual spelling.
    normalised: bool
    rules: list[RuleOut]


@router.get("/guides/{tag}", response_model=GuideOut)
async def guide(
    tag: Annotated[str, Path(max_length=64, description="A dialect's tag.")], caller: AnyCaller, service: ServiceOf
) -> Json:
    """How a dialect is written down: the package's rules, and those of the project in ``guides/``."""
    try:
        found = await run_in_threadpool(load_guide, service.catalogue, tag, service.workspace / FOLDER)
    except DialectError as error:
        status = 404 if error.code == "E_DIALECT" else 503
        raise Refused(status, error.code, error.message, hint=error.hint) from error
    return asdict(found) | {"version": found.version}
