"""Corrections: what people wrote, never changed, and the drafted words that stand against it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, exists, func, or_, select

from transcribe.errors import InputError
from transcribe.records import Correction, Milliseconds, ScoringSpan, Split, Tier, Word
from transcribe.speaker_links import canonical_names
from transcribe.store.database import Database, batches, insert_into
from transcribe.store.hiding import Hidden, spans_of
from transcribe.store.recordings import Added, numbers_of, unknown_recording
from transcribe.store.rows import correction_of, values_of_correction, words_of
from transcribe.store.scoring import Speech, Spoken, words_by_correction
from transcribe.store.tables import ACCEPTANCES, CORRECTIONS, DONE, DRAFTS, RECORDINGS, SEGMENTS
from transcribe.store.voices import links_in

#: Sound whose drafts are held in memory at a time: about 5,000 segments.
_GROUP: Milliseconds = 8 * 3_600_000
#: Recordings that are looked up at a time, however short.
_GROUP_SIZE = 200


class Corrections(Database):
    """The part of the store that holds corrections. Rows are only ever added; triggers refuse the rest."""

    def add_corrections(self, corrections: Iterable[Correction]) -> Added:
        """
        Take *corrections*, reading them as they come and saving a batch at a time. Text is kept as typed.

        Raises:
            InputError: If one names a recording or a segment that is not there, holds text that no database can
                keep, or has the id of another one with other content. The batches before it are saved, and nothing
                of its own; giving all of them again goes on from there.
        """
        new: list[str] = []
        known: list[str] = []
        for batch in batches(corrections):
            values = [values_of_correction(correction) for correction in batch]
            with self.writing() as connection:
                fresh = _insert_corrections(connection, batch, values, self.now())
            for correction in batch:
                (new if correction.id in fresh else known).append(correction.id)
                fresh.discard(correction.id)
        return Added(new=tuple(new), known=tuple(known))

    def corrections(
        self, *, recording: str | None = None, split: Split | None = None, standing: bool = False
    ) -> Iterator[Correction]:
        """
        Corrections ordered by recording, start, end, speaker, then by when they came. Streams.

        Args:
            recording: Only those of this recording.
            split: Only those of recordings of this split.
            standing: Only those that count: accepted, and with no later one of the same span and speaker.
        """
        for group in self._corrected(recording, split):
            with self.reading() as connection:
                found = _corrections_of(connection, group)
            for row in group:
                yield from stands(found[row.no]) if standing else found[row.no]

    def scoring_spans(
        self, model: str, *, split: Split | None = None, tier: Tier = "verbatim"
    ) -> Iterator[ScoringSpan]:
        """
        Each standing correction beside the words that *model* drafted there in its newest run. Streams by recording.

        A correction is given its `words_by_correction`. What is masked is hidden in both texts. Recordings that
        *model* never drafted are left out; `undrafted` counts them.

        Args:
            tier: Which of a correction's texts counts. One that has no normalised text counts as it was written.
        """
        return (span for span, _ in self.scored_words(model, split=split, tier=tier))

    def scored_words(
        self, model: str, *, split: Split | None = None, tier: Tier = "verbatim"
    ) -> Iterator[tuple[ScoringSpan, tuple[Word, ...]]]:
        """Each of `scoring_spans` with the drafted words that its hypothesis is made of."""
        with self.reading() as connection:
            names = canonical_names(links_in(connection))
        for group in self._corrected(None, split):
            with self.reading() as connection:
                runs = _newest_runs(connection, model, group)
                drafted = [row for row in group if row.no in runs]
                corrections = _corrections_of(connection, drafted)
                speeches = _speeches(connection, runs)
                masked = spans_of(connection, [row.no for row in drafted])
            for row in drafted:
                hidden = Hidden(masked[row.no], self.terms)
                for span, words in _spans(row, stands(corrections[row.no]), Speech(speeches[row.no]), hidden, tier):
                    yield replace(span, linked=names.get(span.speaker or "")), words

    def undrafted(self, model: str, *, split: Split | None = None) -> int:
        """How many standing corrections `scoring_spans` leaves out, because *model* never drafted their recording."""
        count = 0
        for group in self._corrected(None, split):
            with self.reading() as connection:
                runs = _newest_runs(connection, model, group)
                found = _corrections_of(connection, [row for row in group if row.no not in runs])
            count += sum(len(stands(corrections)) for corrections in found.values())
        return count

    def _corrected(
        self, recording: str | None, split: Split | None, *, or_accepted: bool = False
    ) -> Iterator[list[Row[Any]]]:
        """
        Recordings that have corrections, by id, in groups that are small in number and in sound.

        Args:
            or_accepted: Those too of which a draft was ever accepted without one.
        """
        has = exists().where(CORRECTIONS.c.recording == RECORDINGS.c.no)
        of_it = and_(SEGMENTS.c.no == ACCEPTANCES.c.segment, SEGMENTS.c.recording == RECORDINGS.c.no)
        found = select(RECORDINGS).where(or_(has, exists().where(of_it)) if or_accepted else has)
        if recording is not None:
            found = found.where(RECORDINGS.c.id == recording)
        if split is not None:
            found = found.where(RECORDINGS.c.split == split)
        group: list[Row[Any]] = []
        for row in self.paged(found, [RECORDINGS.c.id]):
            sound = sum(each.duration_ms for each in group) + row.duration_ms
            if group and (sound > _GROUP or len(group) >= _GROUP_SIZE):
                yield group
                group = []
            group.append(row)
        if group:
            yield group


def stands(corrections: Iterable[Correction]) -> list[Correction]:
    """Of *corrections* in the order they came within each span, those that count: accepted, and the last of a span."""
    last = {(each.recording, each.start, each.end, each.speaker): each for each in corrections}
    return [correction for correction in last.values() if correction.accepted]


def _insert_corrections(
    connection: Connection, corrections: Sequence[Correction], values: Sequence[Mapping[str, object]], now: str
) -> set[str]:
    """Insert what is new and give its ids. What was there already must be the same."""
    recordings = numbers_of(connection, [correction.recording for correction in corrections])
    segments = _segments_of(connection, corrections)
    rows = []
    for correction, value in zip(corrections, values, strict=True):
        if correction.recording not in recordings:
            raise unknown_recording(correction.recording)
        if correction.segment is not None and correction.segment not in segments:
            raise _unknown_segment(correction)
        segment = segments[correction.segment] if correction.segment is not None else None
        rows.append({**value, "recording": recordings[correction.recording], "segment": segment, "added_at": now})
    insert = insert_into(connection, CORRECTIONS).on_conflict_do_nothing(index_elements=["id"])
    fresh = set(connection.execute(insert.returning(CORRECTIONS.c.id), rows).scalars())
    _refuse_changed(connection, corrections)
    return fresh


def _refuse_changed(connection: Connection, corrections: Sequence[Correction]) -> None:
    found = _select_corrections().where(CORRECTIONS.c.id.in_([correction.id for correction in corrections]))
    kept = {row.id: correction_of(row, row.recording_id) for row in connection.execute(found)}
    for correction in corrections:
        if kept[correction.id] != correction:
            raise InputError(
                f"correction {correction.id[:40]} is there already, with other content",
                code="E_KEY_REUSED",
                hint="give a changed correction an id of its own",
                item=correction.id,
            )


def _segments_of(connection: Connection, corrections: Iterable[Correction]) -> dict[str, int]:
    ids = {correction.segment for correction in corrections if correction.segment is not None}
    found = select(SEGMENTS.c.id, SEGMENTS.c.no).where(SEGMENTS.c.id.in_(sorted(ids)))
    return {row.id: row.no for row in connection.execute(found)}


def _unknown_segment(correction: Correction) -> InputError:
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


def _corrections_of(connection: Connection, group: Sequence[Row[Any]]) -> dict[int, list[Correction]]:
    found = _select_corrections().where(CORRECTIONS.c.recording.in_([row.no for row in group]))
    by_recording: dict[int, list[Correction]] = defaultdict(list)
    # The databases sort NULL on different sides.
    nobody_first = (CORRECTIONS.c.speaker.is_not(None), CORRECTIONS.c.speaker)
    by_span = (CORRECTIONS.c.recording, CORRECTIONS.c.start_ms, CORRECTIONS.c.end_ms, *nobody_first)
    for row in connection.execute(found.order_by(*by_span, CORRECTIONS.c.no)):
        by_recording[row.recording].append(correction_of(row, row.recording_id))
    return by_recording


def _newest_runs(connection: Connection, model: str, group: Sequence[Row[Any]]) -> dict[int, int]:
    found = select(DONE.c.recording, func.max(DONE.c.no).label("run")).group_by(DONE.c.recording)
    found = found.where(DONE.c.model == model, DONE.c.recording.in_([row.no for row in group]))
    return {row.recording: row.run for row in connection.execute(found)}


def _speeches(connection: Connection, runs: Mapping[int, int]) -> dict[int, list[Spoken]]:
    found = (
        select(SEGMENTS.c.recording, SEGMENTS.c.speaker, SEGMENTS.c.start_ms, SEGMENTS.c.end_ms, DRAFTS.c.words)
        .join(DRAFTS, DRAFTS.c.segment == SEGMENTS.c.no)
        .where(DRAFTS.c.run.in_(list(runs.values())))
        .order_by(SEGMENTS.c.recording, SEGMENTS.c.start_ms, SEGMENTS.c.end_ms, SEGMENTS.c.speaker)
    )
    speeches: dict[int, list[Spoken]] = defaultdict(list)
    for row in connection.execute(found):
        spoken = Spoken(speaker=row.speaker, start=row.start_ms, end=row.end_ms, words=words_of(row.words))
        speeches[row.recording].append(spoken)
    return speeches


def _spans(
    recording: Row[Any], corrections: Sequence[Correction], speech: Speech, hidden: Hidden, tier: Tier
) -> Iterator[tuple[ScoringSpan, tuple[Word, ...]]]:
    heard = words_by_correction(corrections, speech)
    for correction in corrections:
        words = heard[correction.id]
        reference, hypothesis = hidden.both(correction, words, tier)
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
        )
        yield span, tuple(words)
