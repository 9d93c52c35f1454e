"""
The conversion of records to rows and back, the check that both databases can hold their text, and rows in bulk.

Text is kept as typed. Lists inside a row are compact JSON, the same bytes on both databases.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, fields, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Row, Table

from transcribe.consent_words import find_withheld
from transcribe.errors import InputError
from transcribe.records import (
    Correction,
    DeclaredTurn,
    Draft,
    Model,
    Quality,
    Recording,
    Segment,
    Turn,
    Word,
)
from transcribe.store.database import PAGE

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")

#: Digits that a probability keeps. More would differ between machines that did the same work.
DIGITS = 4
#: Bytes of a text that is looked up by: PostgreSQL's indexes take 2,704 at most.
KEY_BYTES = 2_000
_MEASURES = tuple(field.name for field in fields(Quality))
#: What a salt begins with whose text was erased.
ERASED_SALT = "erased:"

#: Made once: a recording has thousands of texts to write.
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
#: JSON's escape of the NUL character, not preceded by the backslash that would make it plain text.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def encode_json(value: object, what: str) -> str:
    """
    Encode *value* as JSON without spaces, keys sorted.

    Raises:
        InputError: If it holds a NUL character, half a surrogate pair or a number that is not finite.
    """
    try:
        text = _JSON.encode(value)
    except ValueError as error:
        raise _text_error(what, "a number that is not finite") from error
    if "\\u0000" in text and _NUL.search(text):
        raise _text_error(what, "a NUL character")
    _refuse_surrogates(text, what)
    return text


def check_text(text: str, what: str) -> str:
    """Return *text* itself, if both databases can hold it, else raise InputError."""
    if "\x00" in text:
        raise _text_error(what, "a NUL character")
    _refuse_surrogates(text, what)
    return text


def check_key(text: str, what: str) -> str:
    """Return *text* itself, if both databases can look it up, else raise InputError."""
    size = len(check_text(text, what).encode())
    if size > KEY_BYTES:
        raise InputError(
            f"{what} has {size} bytes, more than the {KEY_BYTES} that can be looked up",
            code="E_TEXT",
            hint="shorten it",
            item=text[:60],
        )
    return text


def check_optional_key(text: str | None, what: str) -> str | None:
    return None if text is None else check_key(text, what)


def round_probability(probability: float, what: str) -> float:
    """Round *probability* as it is stored; never to -0.0, of which SQLite makes 0.0 and PostgreSQL does not."""
    if not math.isfinite(probability):
        raise _text_error(what, "a number that is not finite")
    return round(probability, DIGITS) + 0.0


def check_span(start: int, end: int, what: str) -> tuple[int, int]:
    """Return *start* and *end* themselves, if they are a span of a recording, else raise InputError."""
    if not 0 <= start <= end < 2**63:
        raise InputError(
            f"{what} goes from {start} to {end} ms", code="E_SPAN", hint="give 0 <= start <= end, in milliseconds"
        )
    return start, end


def values_of_recording(recording: Recording, now: str) -> dict[str, object]:
    what = f"recording {recording.id[:12]}"
    names = ("dialect", "language", "speaker", "session", "consent", "licence", "source")
    return {
        "id": check_key(recording.id, what),
        "path": check_key(recording.path, f"the path of {what}"),
        "duration_ms": recording.duration,
        "rate_hz": recording.rate_hz,
        "channels": recording.channels,
        "channel_mode": recording.channel_mode,
        **{name: check_optional_key(getattr(recording, name), f"the {name} of {what}") for name in names},
        "num_speakers": recording.num_speakers,
        "split": recording.split,
        "withheld": recording.withheld or find_withheld(recording.consent),
        "facts": encode_json(dict(recording.facts), f"a fact of {what}"),
        "declared": encode_json(declared_values(recording), f"a declared turn of {what}"),
        "warnings": encode_json(list(recording.warnings), f"a warning of {what}"),
        "added_at": now,
        **_values_of_quality(recording.quality),
    }


def _values_of_quality(quality: Quality | None) -> dict[str, object]:
    names = {"cancelled": "cancelled_ms", "dead": "dead_ms"}
    measures: dict[str, Any] = dict.fromkeys(_MEASURES) if quality is None else asdict(quality)
    return {names.get(name, name): number for name, number in measures.items()}


def quality_of(row: Row[Any]) -> Quality | None:
    """Return the measured quality of a row of recordings; ``None`` if it was never measured."""
    if row.clipped_share is None:
        return None
    return Quality(
        level_dbfs=row.level_dbfs,
        snr_db=row.snr_db,
        clipped_share=row.clipped_share,
        bandwidth_hz=row.bandwidth_hz,
        cancelled=row.cancelled_ms,
        dead=row.dead_ms,
    )


def declared_values(recording: Recording) -> list[list[object]]:
    return [[turn.start, turn.end, turn.speaker, turn.dialect, turn.text] for turn in recording.declared]


def recording_of(row: Row[Any]) -> Recording:
    return Recording(
        id=row.id,
        path=row.path,
        duration=row.duration_ms,
        rate_hz=row.rate_hz,
        channels=row.channels,
        channel_mode=row.channel_mode,
        dialect=row.dialect,
        language=row.language,
        speaker=row.speaker,
        session=row.session,
        consent=row.consent,
        licence=row.licence,
        source=row.source,
        num_speakers=row.num_speakers,
        split=row.split,
        withheld=row.withheld,
        facts=json.loads(row.facts),
        declared=tuple(
            DeclaredTurn(start=start, end=end, speaker=speaker, dialect=dialect, text=text)
            for start, end, speaker, dialect, text in json.loads(row.declared)
        ),
        warnings=tuple(json.loads(row.warnings)),
        quality=quality_of(row),
    )


_OF_TURN = ("start", "end", "speaker", "dialect", "channel", "label")


def turns_text(turns: Iterable[Turn], what: str) -> str:
    values = []
    for turn in turns:
        check_span(turn.start, turn.end, f"a turn of {what}")
        values.append([turn.start, turn.end, turn.speaker, turn.dialect, turn.channel, turn.label])
    return encode_json(values, f"a turn of {what}")


def turns_of(text: str, recording: str) -> tuple[Turn, ...]:
    # Turns that were kept before labels were have five values.
    return tuple(Turn(recording=recording, **dict(zip(_OF_TURN, values, strict=False))) for values in json.loads(text))


def words_text(words: Iterable[Word], what: str) -> str:
    """Encode *words*: text, start, end, probability, and ``false`` behind them where no blank stands before it."""
    # Adding 0.0 as in `round_probability`; JSON itself refuses what is not finite.
    return encode_json(
        [
            [word.text, word.start, word.end, round(word.probability, DIGITS) + 0.0, *([] if word.blank else [False])]
            for word in words
        ],
        what,
    )


def words_of(text: str) -> tuple[Word, ...]:
    """Return the words in the JSON that `words_text` writes."""
    return tuple(
        Word(text=spelling, start=start, end=end, probability=probability, blank=not no_blank)
        for spelling, start, end, probability, *no_blank in json.loads(text)
    )


def segment_of(row: Row[Any], recording: str) -> Segment:
    segment = Segment(
        recording=recording,
        speaker=row.speaker,
        start=row.start_ms,
        end=row.end_ms,
        dialect=row.dialect,
        channel=row.channel,
    )
    return segment if segment.id == row.id else replace(segment, saved_id=row.id)


def draft_of(row: Row[Any], *, model: str, settings: str) -> Draft:
    return Draft(
        segment=row.id,
        model=model,
        settings=settings,
        words=words_of(row.words),
        log_probability=row.log_probability,
        flags=tuple(json.loads(row.flags)),
        alternative=row.alternative,
    )


def values_of_correction(correction: Correction) -> dict[str, object]:
    """Return the values of *correction* that need no look-up: not the recording's and the segment's numbers."""
    what = f"correction {correction.id[:40]}"
    start, end = check_span(correction.start, correction.end, what)
    return {
        "id": check_key(correction.id, what),
        "start_ms": start,
        "end_ms": end,
        "text": check_text(correction.text, f"the text of {what}"),
        **{
            name: check_optional_key(getattr(correction, name), f"the {name} of {what}")
            for name in ("speaker", "dialect", "model", "author", "normalised")
        },
        "accepted": correction.accepted,
    }


def correction_of(row: Row[Any], recording: str) -> Correction:
    """Build a correction from a row that has the segment's id as ``segment_id``."""
    return Correction(
        id=row.id,
        recording=recording,
        start=row.start_ms,
        end=row.end_ms,
        text=row.text,
        speaker=row.speaker,
        dialect=row.dialect,
        segment=row.segment_id,
        model=row.model,
        author=row.author,
        accepted=row.accepted,
        normalised=row.normalised,
    )


def values_of_model(model: Model) -> dict[str, object]:
    what = f"model {model.id[:40]}"
    return {
        "id": check_key(model.id, what),
        "place": check_text(model.place, f"the place of {what}"),
        "name": check_text(model.name, f"the name of {what}"),
        "window_ms": model.window,
        "kind": model.kind,
    }


def model_of(row: Row[Any]) -> Model:
    return Model(id=row.id, place=row.place, name=row.name, state=row.state, window=row.window_ms, kind=row.kind)


def speakers_of(recording: Recording) -> frozenset[str]:
    """Return everybody who is declared to speak in *recording*."""
    declared = {turn.speaker for turn in recording.declared}
    return frozenset(declared if recording.speaker is None else declared | {recording.speaker})


def chain_hash(previous: str, version: int, kind: str, person: str, text: str, salt: str, added_at: str) -> str:
    """
    Return the hash that binds a version to the *previous* one.

    The text is in it as a salted hash, so it may be erased.
    """
    text_hash = salted_hash(text, salt)
    return hashlib.sha256(json.dumps([previous, version, kind, person, text_hash, added_at]).encode()).hexdigest()


def salted_hash(text: str, salt: str) -> str:
    """Return the salted SHA-256 that the chain holds of a text; of an erased text it stands in place of the salt."""
    if salt.startswith(ERASED_SALT):
        return salt.removeprefix(ERASED_SALT)
    return hashlib.sha256(f"{salt}\n{text}".encode()).hexdigest()


def _refuse_surrogates(text: str, what: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _text_error(what, f"half a surrogate pair (character {error.start})") from error


def _text_error(what: str, problem: str) -> InputError:
    return InputError(f"{what} holds {problem}", code="E_TEXT", hint="remove it; everything else is kept as typed")


def batches(items: Iterable[T], size: int = PAGE) -> Iterator[list[T]]:
    """Yield *items* in lists of *size*, the last one shorter, and take no more from *items* than is yielded."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that knows ON CONFLICT, which SQLAlchemy has in each database's dialect only."""
    # Imported here: a dialect takes a tenth of a second, and only one is in use.
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as insert_sqlite

        return insert_sqlite(table)
    from sqlalchemy.dialects.postgresql import insert as insert_postgresql

    return insert_postgresql(table)


def insert_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[str | float | None, ...]]
) -> None:
    """
    Add many new *rows*, values in the order of *columns*: COPY on PostgreSQL, one prepared statement on SQLite.

    None of them may be there already. benchmarks/insert_segments.py holds the reason for going round the expression
    language here.
    """
    if not rows:
        return
    names = ", ".join(columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" for _ in columns)
        insert = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - our own tables' names
        connection.exec_driver_sql(insert, list(rows))
        return
    driver = connection.connection.driver_connection
    assert driver is not None, "a connection in a transaction has a driver behind it"
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
