"""The corrections that people wrote, which never change, and the drafted words that stand against each."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, exists, func, or_, select

from transcribe.errors import InputError
from transcribe.records import Correction, Milliseconds, ScoringSpan, Split, Tier, Word
from transcribe.speaker_links import canonical_names
from transcribe.store.database import Database
from transcribe.store.recordings import Added, number_of, numbers_of, unknown_recording
from transcribe.store.redaction import CorrectionRedactor, SpanRedactor, spans_of
from transcribe.store.rows import batches, correction_of, insert_into, values_of_correction, words_of
from transcribe.store.schema import ACCEPTANCES, CORRECTIONS, DONE, DRAFTS, RECORDINGS, SEGMENTS, USABLE
from transcribe.store.speakers import links_in
from transcribe.store.word_assignment import Speech, Spoken, words_by_correction

#: Audio whose drafts are held in memory at a time: about 5,000 segments.
_GROUP_LENGTH: Milliseconds = 8 * 3_600_000
#: Recordings that are looked up at a time, however short.
_GROUP_SIZE = 200


@dataclass(frozen=True)
class Corrections:
    """The corrections of recordings. Rows are only ever added; triggers refuse the rest."""

    database: Database

    def add(self, corrections: Iterable[Correction]) -> Added:
        """
        Take *corrections*, reading them as they come and saving a batch at a time. Text is kept as typed.

        Raises:
            InputError: If one names a recording or a segment that is not there, holds text that no database can
                keep, or has the id of another one with other content. The batches before it are saved, and nothing
                of its own; giving all of them again goes on from there.
        """
        new_ids: list[str] = []
        existing_ids: list[str] = []
        for batch in batches(corrections):
            values = [values_of_correction(correction) for correction in batch]
            with self.database.begin_write() as connection:
                fresh = _insert_corrections(connection, batch, values, self.database.now())
            for correction in batch:
                (new_ids if correction.id in fresh else existing_ids).append(correction.id)
                fresh.discard(correction.id)
        return Added(new=tuple(new_ids), existing=tuple(existing_ids))

    def fetch(
        self, *, recording: str | None = None, split: Split | None = None, standing: bool = False
    ) -> Iterator[Correction]:
        """
        Yield corrections ordered by recording, start, end, speaker, then by when they came.

        Args:
            recording: Only those of this recording.
            split: Only those of recordings of this split.
            standing: Only those that count: accepted, and with no later one of the same span and speaker.
        """
        for group in page_recordings(self.database, recording, split):
            with self.database.begin_read() as connection:
                by_recording = _read_corrections(connection, group)
            for row in group:
                yield from select_standing(by_recording[row.no]) if standing else by_recording[row.no]

    def fetch_scoring_spans(
        self, model: str, *, split: Split | None = None, tier: Tier = "verbatim"
    ) -> Iterator[ScoringSpan]:
        """
        Yield each standing correction with the words that *model* drafted there in its newest run, by recording.

        A correction is given its `words_by_correction`. What is masked is hidden in both texts. Recordings that
        *model* never drafted are left out; `undrafted` counts them.

        Args:
            tier: Which of a correction's texts counts. One that has no normalised text counts as it was written.
        """
        return (span for span, _ in self.fetch_scored_words(model, split=split, tier=tier))

    def fetch_scored_words(
        self, model: str, *, split: Split | None = None, tier: Tier = "verbatim"
    ) -> Iterator[tuple[ScoringSpan, tuple[Word, ...]]]:
        """Yield each of `scoring_spans` with the drafted words that its hypothesis is made of."""
        with self.database.begin_read() as connection:
            names = canonical_names(links_in(connection))
        for group in page_recordings(self.database, None, split):
            with self.database.begin_read() as connection:
                runs = _find_newest_runs(connection, model, group)
                drafted = [row for row in group if row.no in runs]
                corrections = _read_corrections(connection, drafted)
                speeches = _read_speeches(connection, runs)
                masked = spans_of(connection, [row.no for row in drafted])
            for row in drafted:
                redactor = SpanRedactor(masked[row.no], self.database.terms)
                for span, words in _build_spans(
                    row, select_standing(corrections[row.no]), Speech(speeches[row.no]), redactor, tier
                ):
                    yield replace(span, linked=names.get(span.speaker or "")), words

    def count_undrafted(self, model: str, *, split: Split | None = None) -> int:
        """
        Count the standing corrections that `scoring_spans` leaves out because *model* never drafted their recording.
        """
        count = 0
        for group in page_recordings(self.database, None, split):
            with self.database.begin_read() as connection:
                runs = _find_newest_runs(connection, model, group)
                by_recording = _read_corrections(connection, [row for row in group if row.no not in runs])
            count += sum(len(select_standing(corrections)) for corrections in by_recording.values())
        return count

    def fetch_with_words(self, recording: str) -> Iterator[tuple[Correction, tuple[Word, ...]]]:
        """
        Yield standing corrections of *recording*, redacted, with the redacted words of the newest run, in time order.
        """
        corrections = list(self.fetch(recording=recording, standing=True))
        with self.database.begin_read() as connection:
            redactor = CorrectionRedactor(connection, number_of(connection, recording), self.database.terms)
        yield from ((redactor.redact(correction), redactor.drafted_words(correction)) for correction in corrections)

    def fetch_by_id(self, ids: Collection[str]) -> list[Correction]:
        """Return the corrections with *ids* that are there, by id, with nothing redacted in their texts."""
        corrections: list[Correction] = []
        for batch in batches(sorted(set(ids))):
            query = _select_corrections().where(CORRECTIONS.c.id.in_(batch)).order_by(CORRECTIONS.c.id)
            with self.database.begin_read() as connection:
                corrections += [correction_of(row, row.recording_id) for row in connection.execute(query)]
        return corrections


def page_recordings(
    database: Database, recording: str | None, split: Split | None, *, or_accepted: bool = False
) -> Iterator[list[Row[Any]]]:
    """
    Yield usable recordings with corrections, by id, in groups that are small in number and in length of audio.

    Args:
        or_accepted: Those too of which a draft was ever accepted without one.
    """
    has = exists().where(CORRECTIONS.c.recording == RECORDINGS.c.no)
    of_it = and_(SEGMENTS.c.no == ACCEPTANCES.c.segment, SEGMENTS.c.recording == RECORDINGS.c.no)
    query = select(RECORDINGS).where(USABLE, or_(has, exists().where(of_it)) if or_accepted else has)
    if recording is not None:
        query = query.where(RECORDINGS.c.id == recording)
    if split is not None:
        query = query.where(RECORDINGS.c.split == split)
    group: list[Row[Any]] = []
    for row in database.page_rows(query, [RECORDINGS.c.id]):
        sound = sum(member.duration_ms for member in group) + row.duration_ms
        if group and (sound > _GROUP_LENGTH or len(group) >= _GROUP_SIZE):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def select_standing(corrections: Iterable[Correction]) -> list[Correction]:
    """
    Select those of *corrections* that stand: the last of each span and speaker, if accepted.

    They must be in the order in which they came within each span.
    """
    last = {
        (correction.recording, correction.start, correction.end, correction.speaker): correction
        for correction in corrections
    }
    return [correction for correction in last.values() if correction.accepted]


def _insert_corrections(
    connection: Connection, corrections: Sequence[Correction], values: Sequence[Mapping[str, object]], now: str
) -> set[str]:
    """Insert the new corrections and return their ids; those that were there already must be the same."""
    recordings = numbers_of(connection, [correction.recording for correction in corrections])
    segments = _segment_numbers(connection, corrections)
    rows = []
    for correction, value in zip(corrections, values, strict=True):
        if correction.recording not in recordings:
            raise unknown_recording(correction.recording)
        if correction.segment is not None and correction.segment not in segments:
            raise _unknown_segment_error(correction)
        segment = segments[correction.segment] if correction.segment is not None else None
        rows.append({**value, "recording": recordings[correction.recording], "segment": segment, "added_at": now})
    insert = insert_into(connection, CORRECTIONS).on_conflict_do_nothing(index_elements=["id"])
    fresh = set(connection.execute(insert.returning(CORRECTIONS.c.id), rows).scalars())
    _refuse_changed(connection, corrections)
    return fresh


def _refuse_changed(connection: Connection, corrections: Sequence[Correction]) -> None:
    query = _select_corrections().where(CORRECTIONS.c.id.in_([correction.id for correction in corrections]))
    stored = {row.id: correction_of(row, row.recording_id) for row in connection.execute(query)}
    for correction in corrections:
        if stored[correction.id] != correction:
            raise InputError(
                f"correction {correction.id[:40]} is there already, with other content",
                code="E_KEY_REUSED",
                hint="give a changed correction an id of its own",
                item=correction.id,
            )


def _segment_numbers(connection: Connection, corrections: Iterable[Correction]) -> dict[str, int]:
    ids = {correction.segment for correction in corrections if correction.segment is not None}
    query = select(SEGMENTS.c.id, SEGMENTS.c.no).where(SEGMENTS.c.id.in_(sorted(ids)))
    return {row.id: row.no for row in connection.execute(query)}


def _unknown_segment_error(correction: Correction) -> InputError:
    return InputError(
        f"correction {correction.id[:40]} is of segment {str(correction.segment)[:40]}, which is not in the workspace",
        code="E_SEGMENT",
        hint="name the recording and the times instead",
        item=correction.id,
    )


def _select_corrections() -> Select[Any]:
    return (
        select(CORRECTIONS, SEGMENTS.c.id.label("segment_id"), RECORDINGS.c.id.label("recording_id"))
        .join(RECORDINGS, CORRECTIONS.c.recording == RECORDINGS.c.no)
        .outerjoin(SEGMENTS, CORRECTIONS.c.segment == SEGMENTS.c.no)
    )


def _read_corrections(connection: Connection, group: Sequence[Row[Any]]) -> dict[int, list[Correction]]:
    query = _select_corrections().where(CORRECTIONS.c.recording.in_([row.no for row in group]))
    by_recording: dict[int, list[Correction]] = defaultdict(list)
    # The databases sort NULL on different sides.
    nobody_first = (CORRECTIONS.c.speaker.is_not(None), CORRECTIONS.c.speaker)
    by_span = (CORRECTIONS.c.recording, CORRECTIONS.c.start_ms, CORRECTIONS.c.end_ms, *nobody_first)
    for row in connection.execute(query.order_by(*by_span, CORRECTIONS.c.no)):
        by_recording[row.recording].append(correction_of(row, row.recording_id))
    return by_recording


def _find_newest_runs(connection: Connection, model: str, group: Sequence[Row[Any]]) -> dict[int, int]:
    query = select(DONE.c.recording, func.max(DONE.c.no).label("run")).group_by(DONE.c.recording)
    query = query.where(DONE.c.model == model, DONE.c.recording.in_([row.no for row in group]))
    return {row.recording: row.run for row in connection.execute(query)}


def _read_speeches(connection: Connection, runs: Mapping[int, int]) -> dict[int, list[Spoken]]:
    query = (
        select(SEGMENTS.c.recording, SEGMENTS.c.speaker, SEGMENTS.c.start_ms, SEGMENTS.c.end_ms, DRAFTS.c.words)
        .join(DRAFTS, DRAFTS.c.segment == SEGMENTS.c.no)
        .where(DRAFTS.c.run.in_(list(runs.values())))
        .order_by(SEGMENTS.c.recording, SEGMENTS.c.start_ms, SEGMENTS.c.end_ms, SEGMENTS.c.speaker)
    )
    speeches: dict[int, list[Spoken]] = defaultdict(list)
    for row in connection.execute(query):
        spoken = Spoken(speaker=row.speaker, start=row.start_ms, end=row.end_ms, words=words_of(row.words))
        speeches[row.recording].append(spoken)
    return speeches


def _read_context(recording: Row[Any]) -> str | None:
    """Read the column ``context`` of the manifest, in whatever letter case it was headed."""
    facts: Mapping[str, str] = json.loads(recording.facts)
    contexts = (value.strip() for name, value in facts.items() if name.strip().lower() == "context")
    return next(contexts, None) or None


def _build_spans(
    recording: Row[Any], corrections: Sequence[Correction], speech: Speech, redactor: SpanRedactor, tier: Tier
) -> Iterator[tuple[ScoringSpan, tuple[Word, ...]]]:
    words_by_id = words_by_correction(corrections, speech)
    context = _read_context(recording)
    for correction in corrections:
        words = words_by_id[correction.id]
        reference, hypothesis = redactor.redact_pair(correction, words, tier)
        span = ScoringSpan(
            id=correction.id,
            recording=recording.id,
            speaker=correction.speaker if correction.speaker is not None else recording.speaker,
            dialect=correction.dialect if correction.dialect is not None else recording.dialect,
            session=recording.session,
            split=recording.split,
            start=correction.start,
            end=correction.end,
            reference=reference,
            hypothesis=hypothesis,
            context=context,
            snr_db=recording.snr_db,
        )
        yield span, tuple(words)
