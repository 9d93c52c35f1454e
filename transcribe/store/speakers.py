"""The voices of speakers, and the links between speakers that a person has said to be one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select

from transcribe.errors import InputError
from transcribe.records import Recording, SpeakerLink, Voice, content_id
from transcribe.speaker_links import canonical_names, find_contradiction, group_speakers
from transcribe.store.database import Database
from transcribe.store.rows import batches, check_key, check_optional_key, insert_into, recording_of
from transcribe.store.schema import CORRECTIONS, RECORDINGS, SEGMENTS, SPEAKER_LINKS, SPEAKERS, USABLE, VOICES

_TABLES = (SPEAKERS, SEGMENTS, CORRECTIONS, VOICES)


@dataclass(frozen=True)
class Speakers:
    """The speakers, by their voices and links."""

    database: Database

    def fetch_voices(self) -> Iterator[Voice]:
        """Yield all voices of usable recordings, in the order in which they came."""
        query = select(VOICES, RECORDINGS.c.id.label("recording_id")).join(RECORDINGS).where(USABLE)
        for row in self.database.page_rows(query, [VOICES.c.no]):
            yield Voice(
                recording=row.recording_id,
                speaker=row.speaker,
                channel=row.channel,
                vector=bytes(row.vector),
                speech=row.speech_ms,
                maker=row.maker,
            )

    def fetch_links(self) -> tuple[SpeakerLink, ...]:
        """Return all links, accepted and refused, by the names."""
        with self.database.begin_read() as connection:
            return links_in(connection)

    def fetch_names(self) -> dict[str, str]:
        """Return the one name of each speaker that accepted links make one with others."""
        return canonical_names(self.fetch_links())

    def link(self, speaker: str, other: str, *, accepted: bool, by: str | None) -> SpeakerLink:
        """
        Save the word of *by* that two speakers are one person, or two; it replaces an earlier one on the same two.

        Raises:
            InputError: E_LINK if they are the same speaker, or the word contradicts other links.
        """
        first, second = sorted((speaker, other))
        if first == second:
            raise InputError(
                f"{first} was to be linked with itself", code="E_LINK", hint="name two speakers", item=first
            )
        link = SpeakerLink(first=first, second=second, accepted=accepted, by=by, at=self.database.now())
        with self.database.begin_write() as connection:
            _insert_link(connection, link)
            # Raised inside the transaction, which takes the insertion back.
            _refuse_contradiction(link, links_in(connection))
        return link

    def is_known(self, speaker: str) -> bool:
        """Tell if *speaker* is declared, drafted, corrected or has a voice."""
        with self.database.begin_read() as connection:
            return any(
                connection.execute(select(table.c.speaker).where(table.c.speaker == speaker).limit(1)).first()
                for table in _TABLES
            )

    def fetch_known(self) -> list[str]:
        """
        Return every speaker that is declared, drafted, corrected or has a voice, in order.

        Reads whole tables.
        """
        with self.database.begin_read() as connection:
            names = {
                name for table in _TABLES for name in connection.execute(select(table.c.speaker).distinct()).scalars()
            }
        return sorted(name for name in names if name)

    def fetch_recordings(self, speakers: Collection[str]) -> dict[str, tuple[Recording, ...]]:
        """Return the recordings in which each of *speakers* is declared, drafted or has a voice, by id."""
        by_speaker: dict[str, dict[str, Recording]] = {speaker: {} for speaker in speakers}
        with self.database.begin_read() as connection:
            for batch in batches(sorted(speakers)):
                for table in (SPEAKERS, SEGMENTS, VOICES):
                    query = select(RECORDINGS, table.c.speaker.label("who")).join(table).distinct()
                    for row in connection.execute(query.where(table.c.speaker.in_(batch))):
                        by_speaker[row.who][row.id] = recording_of(row)
        return {speaker: tuple(by_id[id] for id in sorted(by_id)) for speaker, by_id in by_speaker.items()}


def links_in(connection: Connection) -> tuple[SpeakerLink, ...]:
    """Return all links, accepted and refused, by the names."""
    rows = connection.execute(select(SPEAKER_LINKS).order_by(SPEAKER_LINKS.c.first, SPEAKER_LINKS.c.second))
    return tuple(
        SpeakerLink(first=row.first, second=row.second, accepted=row.accepted, by=row.decided_by, at=row.decided_at)
        for row in rows
    )


def include_linked(connection: Connection, speakers: Collection[str]) -> frozenset[str]:
    """Return *speakers* and all that accepted links make one person with any of them."""
    groups = group_speakers(links_in(connection))
    return frozenset(speakers).union(*(groups.get(speaker, ()) for speaker in speakers))


def replace_voices(connection: Connection, recording: int, voices: Sequence[Voice]) -> None:
    """Save *voices* of the recording with that row number, in place of those of an earlier diarisation."""
    connection.execute(delete(VOICES).where(VOICES.c.recording == recording))
    values = [
        {
            "recording": recording,
            "speaker": check_key(voice.speaker, "the speaker of a voice"),
            "channel": voice.channel,
            "vector": voice.vector,
            "speech_ms": voice.speech,
            "maker": check_key(voice.maker, "the maker of a voice"),
        }
        for voice in voices
    ]
    if values:
        connection.execute(insert(VOICES), values)


def speakers_in(connection: Connection, recording: int) -> frozenset[str]:
    """Return everybody who is declared, drafted or has a voice in the recording with that row number."""
    return frozenset(
        name
        for table in (SPEAKERS, SEGMENTS, VOICES)
        for name in connection.execute(select(table.c.speaker).where(table.c.recording == recording)).scalars()
    )


def erase_voices(connection: Connection, condition: ColumnElement[bool], speakers: Collection[str]) -> None:
    """Erase voices that fulfil *condition*, and the links of those of *speakers* who are in no recording any more."""
    connection.execute(delete(VOICES).where(condition))
    for batch in batches(sorted(speakers)):
        remaining = {
            name
            for table in (SPEAKERS, SEGMENTS, VOICES)
            for name in connection.execute(select(table.c.speaker).where(table.c.speaker.in_(batch))).scalars()
        }
        gone = [name for name in batch if name not in remaining]
        either = or_(SPEAKER_LINKS.c.first.in_(gone), SPEAKER_LINKS.c.second.in_(gone))
        connection.execute(delete(SPEAKER_LINKS).where(either))


def _insert_link(connection: Connection, link: SpeakerLink) -> None:
    values = {
        "id": content_id(link.first, link.second),
        "first": check_key(link.first, "a speaker"),
        "second": check_key(link.second, "a speaker"),
        "accepted": link.accepted,
        "decided_by": check_optional_key(link.by, "who decided"),
        "decided_at": link.at,
    }
    change = {name: values[name] for name in ("accepted", "decided_by", "decided_at")}
    keep = insert_into(connection, SPEAKER_LINKS).values(values)
    connection.execute(keep.on_conflict_do_update(index_elements=["id"], set_=change))


def _refuse_contradiction(link: SpeakerLink, links: Sequence[SpeakerLink]) -> None:
    refused = find_contradiction(links)
    if refused is None:
        return
    if link.accepted:
        message = (
            f"{link.first} and {link.second} were to be one person; then {refused.first} and {refused.second} were one"
        )
        hint = f"they were refused on {refused.at}; accept those two first, if that was wrong"
    else:
        message = f"{link.first} and {link.second} were to be two people; other accepted links make them one"
        hint = "boli speakers list shows them; refuse the one that is wrong"
    raise InputError(message, code="E_LINK", hint=hint, item=link.first)
