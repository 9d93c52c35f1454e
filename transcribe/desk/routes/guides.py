"""Everybody at the desk: the guide of a dialect, and the calibration of the recogniser's word confidences in it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool

from dialects.errors import DialectError
from dialects.text.guide import load_guide
from transcribe.desk.auth import AnyCaller, ServiceOf
from transcribe.desk.middleware import Refused
from transcribe.desk.schemas.common import Out
from transcribe.desk.state import Json, Service
from transcribe.errors import InputError
from transcribe.glossary import FILE as GLOSSARY_FILE
from transcribe.glossary import read_glossary

router = APIRouter(prefix="/api/v1", tags=["guides"])

Tag = Annotated[str, Path(max_length=64, description="A dialect's tag.")]
#: Folder of the workspace with the project's own rules, a file a dialect.
FOLDER = "guides"


class RuleOut(Out):
    id: str
    #: A short sentence by language of the reader; ``en`` is always there.
    say: dict[str, str]
    good: list[str]
    bad: list[str]


class NameOut(Out):
    """A name of the project."""

    term: str
    #: How a recogniser writes it down, or people misspell it.
    spoken: str | None


class GuideOut(Out):
    """The rules of a dialect, those of wider ones first, and the project's own names in it."""

    dialect: str
    version: str
    #: Whether the guide asks for a second text, in the usual spelling.
    normalised: bool
    rules: list[RuleOut]
    names: list[NameOut]


class DoubtsOut(Out):
    """The marking of words that *model* drafted of a dialect; it has no step until it is calibrated."""

    dialect: str
    model: str | None
    #: Accepted words that were looked at, and whether they are enough.
    words: int
    calibrated: bool
    #: Steps: up to this much doubt, one less the recogniser's probability, a word is right with that probability.
    ends: list[float]
    sure: list[float]
    #: Up to this probability of being right a word is doubtful, and very doubtful; ``None``: none is.
    doubtful: float | None
    very: float | None


@router.get("/doubts/{tag}", response_model=DoubtsOut)
async def doubts(tag: Tag, caller: AnyCaller, service: ServiceOf) -> Json:
    """Return the word-confidence calibration of a dialect, fitted on what was accepted so far."""
    marking = service.shadings.dialects.get(tag)
    usable = marking if marking is not None and marking.is_calibrated else None
    return {
        "dialect": tag,
        "model": service.shadings.model,
        "words": marking.words if marking is not None else 0,
        "calibrated": usable is not None,
        "ends": list(usable.calibration.ends) if usable else [],
        "sure": [_probability_right(risk) for risk in usable.calibration.risks] if usable else [],
        "doubtful": _probability_right(usable.doubtful) if usable and usable.doubtful is not None else None,
        "very": _probability_right(usable.very) if usable and usable.very is not None else None,
    }


def _probability_right(risk: float) -> float:
    return round(1 - risk, 4)


@router.get("/guides/{tag}", response_model=GuideOut)
async def guide(tag: Tag, caller: AnyCaller, service: ServiceOf) -> Json:
    """
    Return the guide of a dialect: the package's rules, those of the project in ``guides/``, and its names of
    ``glossary.tsv`` that nothing masks.
    """
    try:
        loaded = await run_in_threadpool(load_guide, service.catalogue, tag, service.workspace / FOLDER)
    except DialectError as error:
        status = 404 if error.code == "E_DIALECT" else 503
        raise Refused(status, error.code, error.message, hint=error.hint) from error
    names = await run_in_threadpool(_read_names, service, loaded.dialect)
    return asdict(loaded) | {"version": loaded.version, "names": names}


def _read_names(service: Service, dialect: str) -> list[Json]:
    try:
        glossary = read_glossary(service.workspace / GLOSSARY_FILE, service.catalogue)
    except InputError as error:
        raise Refused(503, error.code, error.message, hint=error.hint) from error
    hide = service.store.database.terms.hide
    return [
        {"term": term.text, "spoken": term.spoken}
        for term in glossary.of(dialect)
        if all(hide(text) == text for text in (term.text, term.spoken or ""))
    ]
