"""Intake of texts, over the line or out of a saved outbox: the same rules for both."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from transcribe.desk.schemas.common import In
from transcribe.desk.schemas.segments import LONGEST_TEXT, CorrectionIn, operation_of
from transcribe.desk_records import DeskRules, Operation, Outcome
from transcribe.errors import InputError
from transcribe.store import Store
from transcribe.store.submissions import Differ

#: Largest file of saved work: some thousands of texts.
_LARGEST = 64 << 20


class SavedText(CorrectionIn):
    """One text that a browser kept, with how far it was: still ``typing``, or on its way."""

    state: Literal["typing", "waiting", "flying", "conflict", "refused"] = "waiting"


class OutboxOwner(In):
    id: str
    name: str


class Outbox(In):
    """
    The file that the screen saves where a browser may clear unsent work: what ``POST corrections`` takes, and whose.

    ``{"schema": "boli.outbox/1", "person": {"id", "name"}, "operations": [{"op_id", "segment", …, "state"}]}``
    """

    schema_: Annotated[Literal["boli.outbox/1"], Field(alias="schema")]
    person: OutboxOwner
    operations: list[SavedText]


def read_outbox(file: Path) -> Outbox:
    """
    Return the saved work in *file*.

    Raises:
        InputError: If it cannot be read or is no such file; what was typed is not repeated.
    """
    try:
        if file.stat().st_size > _LARGEST:
            raise InputError(f"{file} has more than {_LARGEST >> 20} MiB", code="E_OUTBOX", item=str(file))
        return Outbox.model_validate_json(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}", code="E_OUTBOX", item=str(file)) from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False)[0]
        location = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{file} is not what the desk's screen saves: {location}: {first['msg']}",
            code="E_OUTBOX",
            hint="take the file as the screen saved it",
            item=str(file),
        ) from None


def import_outbox(
    outbox: Outbox, store: Store, rules: DeskRules, differ: Differ, *, unfinished: bool
) -> Iterator[Outcome]:
    """
    Import saved work, the oldest first, each text once however often the file comes.

    Args:
        unfinished: Take texts in that their writer had not ended, too.
    """
    for saved in sorted(outbox.operations, key=lambda saved: saved.seq):
        if saved.state == "typing" and not unfinished:
            yield Outcome(op_id=saved.op_id, status="rejected", reason="unfinished")
            continue
        # As it would have come over the line: the state is no part of what an operation says.
        correction = CorrectionIn.model_validate(saved.model_dump(exclude={"state"}))
        yield accept_text(store, outbox.person.id, operation_of(correction), rules, differ)


def accept_text(store: Store, person: str, operation: Operation, rules: DeskRules, differ: Differ) -> Outcome:
    """Save a text of *person*, unless it is to be rejected, and return its outcome."""
    reason = refusal(operation)
    if reason is None:
        try:
            return store.submissions.save(person, operation, rules, differ)
        except InputError:
            reason = "bad_text"
    return Outcome(op_id=operation.op_id, status="rejected", reason=reason)


def refusal(operation: Operation) -> str | None:
    """Return why a text is not taken, as a stable word; ``None`` if it may be."""
    if len(operation.text) > LONGEST_TEXT:
        return "too_long"
    more = operation.more
    if more.get("end_ms", 2**53) < more.get("start_ms", 0):
        return "bad_span"
    # Spaces and what is not seen: such a segment is to be marked as unclear instead.
    if not any(unicodedata.category(character)[0] not in "ZC" for character in operation.text) and not operation.tags:
        return "empty"
    return None
