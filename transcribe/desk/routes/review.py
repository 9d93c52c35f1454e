"""Reviewers: segments that wait for a decision, the decisions, and the spellings that they find right."""

from __future__ import annotations

import csv
import hashlib
import io
import secrets
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib import resources
from pathlib import Path

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from dialects.dialect import Catalogue
from dialects.errors import DialectError
from dialects.scoring.prepare import Preparer
from dialects.scoring.word_errors import Pair
from dialects.text.normalise import Normaliser
from dialects.text.variants import COLUMNS
from transcribe.desk.auth import Caller, Reviewer, ServiceOf
from transcribe.desk.middleware import Refused
from transcribe.desk.routes.segments import version_out
from transcribe.desk.routes.work import leases_out
from transcribe.desk.schemas.review import ReviewOut
from transcribe.desk.schemas.segments import OutcomeOut, VerdictIn, outcome_out, verdict_of
from transcribe.desk.state import Json, Service
from transcribe.desk_records import Lease, Verdict, Version
from transcribe.errors import InputError
from transcribe.store.dashboard import Spelling

router = APIRouter(prefix="/api/v1", tags=["review"])
#: Below the workspace: `boli wer --variants variants` reads it.
VARIANTS_FOLDER = "variants"
_WRITING = threading.Lock()


@router.get("/review/next", response_model=ReviewOut)
async def get_next(caller: Reviewer, service: ServiceOf) -> Json:
    """Take the next segment to decide on; the same one until it is decided. Texts that differ come without names."""
    dialects = None
    if caller.person.dialects:
        dialects = await run_in_threadpool(service.rank_dialects, caller.person, None)
    lease = await service.writer.do(lambda: _take_review(service, caller.person.id, dialects))
    if lease is None:
        return {"waiting": False}
    return await run_in_threadpool(_review_out, service, caller, lease)


@router.post("/verdicts", response_model=OutcomeOut, response_model_exclude_none=True)
async def decide(body: VerdictIn, caller: Reviewer, service: ServiceOf) -> Json:
    """Decide: accept (with one's own text where it differs), send back, unclear, or open again. May be sent again."""
    verdict = verdict_of(body)
    try:
        outcome = await service.writer.do(
            lambda: service.store.reviews.decide(caller.person.id, verdict, service.rules)
        )
    except InputError as error:
        raise Refused(422, error.code, error.message, hint=error.hint) from error
    if outcome.reason == "own_text":
        raise Refused(403, "E_OWN_TEXT", "nobody decides on a text of their own", hint="leave it to another reviewer")
    service.metrics.texts.labels(f"verdict {outcome.status}").inc()
    if outcome.status == "applied" and verdict.variants:
        await run_in_threadpool(_add_spellings, service, verdict)
    return outcome_out(outcome)


def _take_review(service: Service, person: str, dialects: Sequence[str] | None) -> Lease | None:
    """Take or renew the lease of what *person* is to decide on: asking again is a sign of life."""
    lease = service.store.reviews.take(person, service.rules, dialects=dialects)
    return None if lease is None else service.store.leases.renew(lease.id, person, service.rules) or lease


def _review_out(service: Service, caller: Caller, lease: Lease) -> Json:
    [lease_fields] = leases_out(service, caller, [lease], reviewing=True)
    status = service.store.reviews.find_state(lease.segment)
    versions = [version for version in service.store.reviews.fetch_versions(lease.segment) if version.kind != "gold"]
    if status.state == "disputed":
        # In an order that tells nothing of who came first; the machine's words only for who asks for the segment.
        versions.sort(key=lambda version: _order_key(version, lease))
        lease_fields["draft"] = None
    blind = status.state == "disputed"
    return {
        "waiting": True,
        "kind": status.state,
        "reason": status.reason,
        "lease": lease_fields,
        "versions": [version_out(version, caller) | ({"at": None} if blind else {}) for version in versions],
        "heard_share": service.rules.heard_share,
        "rounds_left": max(0, service.rules.rounds - status.rounds),
    }


def _add_spellings(service: Service, verdict: Verdict) -> None:
    """Add the verdict's spellings to the variants of scoring. The decision is saved already, and stands without."""
    segment_spellings = service.store.dashboard.fetch_spellings(segment=verdict.segment)
    with suppress(OSError):
        add_variants(
            service.workspace / VARIANTS_FOLDER, segment_spellings[-len(verdict.variants) :], service.catalogue
        )


def _order_key(version: Version, lease: Lease) -> str:
    return hashlib.sha256(f"{lease.id} {version.version}".encode()).hexdigest()


def add_variants(folder: Path, spellings: Iterable[Spelling], catalogue: Catalogue) -> int:
    """
    Add *spellings* to the files of their dialects in *folder*, and count the new lines.

    A file begins with the package's own lines for the dialect, which it replaces in scoring. What says nothing after
    normalising is left out, and so is what no dialect is known of. A line that somebody removed comes back only when
    it is found right again.
    """
    prepare = Preparer(catalogue)
    count = 0
    with _WRITING:
        for spelling in spellings:
            try:
                rules = prepare.rules(Pair(id="", reference="", hypothesis="", dialect=spelling.dialect, speaker=""))
            except DialectError:
                continue
            row = _row_of(spelling, rules.normaliser)
            if row is not None:
                count += _append(folder, rules.dialect.tag, row)
    return count


def _row_of(spelling: Spelling, normalise: Normaliser) -> tuple[str, ...] | None:
    written, other = (" ".join(text.split()) for text in (spelling.written, spelling.other))
    if not normalise(written) or not normalise(other) or normalise(written) == normalise(other):
        return None
    return (written, other, "dialect", "reviewer", " ".join(spelling.name.split()), spelling.at[:10])


def _append(folder: Path, tag: str, row: tuple[str, ...]) -> bool:
    file = folder / f"{tag}.tsv"
    packaged = resources.files("dialects") / "catalogue" / "variants" / f"{tag}.tsv"
    if file.is_file():
        text = file.read_text(encoding="utf-8")
    else:
        text = packaged.read_text(encoding="utf-8") if packaged.is_file() else "\t".join(COLUMNS) + "\n"
    rows = csv.reader(io.StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE)
    if any(tuple(fields[:2]) == row[:2] for fields in rows):
        return False
    folder.mkdir(exist_ok=True)
    new_file = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    new_file.write_text(text + ("" if text.endswith("\n") else "\n") + "\t".join(row) + "\n", encoding="utf-8")
    new_file.replace(file)
    return True
