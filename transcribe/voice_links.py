"""Speakers of a workspace that may be one person: likely pairs by voice, names as people type them, warnings."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from transcribe.errors import InputError, UsageError, name_nearest
from transcribe.pipeline.same_voice import LikelyPair, choose_proposals, find_likely_pairs
from transcribe.records import Recording, content_id
from transcribe.speaker_links import group_speakers, recording_of_unnamed
from transcribe.store import Store

#: Digits of a proposal's id that are shown; 32 bits tell thousands of proposals apart.
_ID_DIGITS: Final = 8
#: Pairs and groups that a warning names; the rest is counted.
_MOST_NAMED: Final = 10


def warn_of_shared_voices(store: Store) -> list[str]:
    """
    Warn of people who are in several splits: by accepted links, and likely ones in train and test by their voices.

    All recordings count, corrected or not, and declared names are not trusted to be two people.
    """
    return [*warn_of_links(store), *_warn_of_likely(store)]


@dataclass(frozen=True, kw_only=True)
class Voices:
    """Likely pairs of the store's voices, and the speech of each speaker in milliseconds, by the one name."""

    pairs: tuple[LikelyPair, ...]
    speech: Mapping[str, int]

    @classmethod
    def of(cls, store: Store, *, trust_names: bool = True) -> Voices:
        """Compare all voices of *store*."""
        names = store.speakers.fetch_names()
        voices = list(store.speakers.fetch_voices())
        refused = [(link.first, link.second) for link in store.speakers.fetch_links() if not link.accepted]
        speech: dict[str, int] = {}
        for voice in voices:
            name = names.get(voice.speaker, voice.speaker)
            speech[name] = speech.get(name, 0) + voice.speech
        pairs = find_likely_pairs(voices, names=names, refused=refused, trust_names=trust_names)
        return cls(pairs=tuple(pairs), speech=speech)

    def proposals(self) -> list[LikelyPair]:
        """Choose the pairs that a person is asked about."""
        return choose_proposals(self.pairs)


@dataclass(frozen=True, kw_only=True)
class SpeakerIndex:
    """Recordings of some speakers, those of all that are linked with them included, and paths for people to read."""

    recordings: Mapping[str, tuple[Recording, ...]]
    path_by_id: Mapping[str, str]

    @classmethod
    def of(cls, store: Store, speakers: Iterable[str]) -> SpeakerIndex:
        """Look *speakers* up in *store*."""
        groups = group_speakers(store.speakers.fetch_links())
        members = {speaker: groups.get(speaker, frozenset({speaker})) for speaker in speakers}
        by_name = store.speakers.fetch_recordings({name for group in members.values() for name in group})
        recordings = {
            speaker: tuple({recording.id: recording for name in sorted(group) for recording in by_name[name]}.values())
            for speaker, group in members.items()
        }
        paths = {recording.id: recording.path for of_speaker in recordings.values() for recording in of_speaker}
        return cls(recordings=recordings, path_by_id=paths)

    def readable_name(self, speaker: str) -> str:
        """Return *speaker* as people read and type it: a path in place of an unnamed speaker's recording."""
        recording = recording_of_unnamed(speaker)
        if recording is None or recording not in self.path_by_id:
            return speaker
        return f"{self.path_by_id[recording]}{speaker.removeprefix(recording)}"

    def splits(self, speaker: str) -> list[str]:
        """Return the splits of the speaker's recordings, in order."""
        return sorted({recording.split for recording in self.recordings[speaker]})

    def data(self, speaker: str, speech: int) -> dict[str, Any]:
        """Return the speaker for JSON; *speech* in milliseconds."""
        recordings = [
            {"recording": recording.id, "path": recording.path, "split": recording.split}
            for recording in self.recordings[speaker]
        ]
        return {
            "speaker": speaker,
            "name": self.readable_name(speaker),
            "seconds": round(speech / 1_000, 1),
            "recordings": recordings,
        }


def proposal_id(pair: LikelyPair) -> str:
    """Return the id that a person decides on the pair by: eight hexadecimal digits."""
    return content_id(pair.first, pair.second)[:_ID_DIGITS]


def find_pair(store: Store, names: Sequence[str]) -> tuple[str, str]:
    """
    Return the two speakers that *names* are, or that the proposal with that id is of.

    Raises:
        UsageError: Neither was given.
        InputError: E_SPEAKER or E_PROPOSAL for what is not there.
    """
    if len(names) == 2:
        return find_speaker(store, names[0]), find_speaker(store, names[1])
    if len(names) != 1:
        raise UsageError(f"two speakers or one proposal were asked for, found {len(names)} names")
    proposals = {proposal_id(pair): pair for pair in Voices.of(store).proposals()}
    if names[0] not in proposals:
        message = (
            f"the proposal {names[0]} was asked for; there are {len(proposals)}{name_nearest(names[0], proposals)}"
        )
        raise InputError(message, code="E_PROPOSAL", hint="boli speakers lists them", item=names[0])
    pair = proposals[names[0]]
    return pair.first, pair.second


def find_speaker(store: Store, name: str) -> str:
    """Find the speaker called *name*, or with that recording's path and label, as ``calls/a.wav/SPEAKER_00``."""
    for speaker in (name, unicodedata.normalize("NFC", name), *_list_unnamed(store, name)):
        if store.speakers.is_known(speaker):
            return speaker
    speakers = store.speakers.fetch_known()
    index = SpeakerIndex.of(store, speakers)
    readable = [index.readable_name(speaker) for speaker in speakers]
    message = f"the speaker {name} was asked for; there are {len(readable)} others{name_nearest(name, readable)}"
    raise InputError(message, code="E_SPEAKER", hint="boli speakers shows names as they are typed", item=name)


def _list_unnamed(store: Store, name: str) -> Iterator[str]:
    """Yield the unnamed speakers that *name* may be: a path, then a label, or a channel and a label."""
    parts = name.split("/")
    for count in (1, 2):
        recording = store.recordings.find_by_path("/".join(parts[:-count])) if len(parts) > count else None
        if recording is not None:
            yield "/".join([recording.id, *parts[-count:]])


def warn_of_links(store: Store, *, within: Iterable[str] | None = None) -> Iterator[str]:
    """Name linked people who are in several splits; those alone that speakers of *within* are part of, if given."""
    groups = group_speakers(store.speakers.fetch_links())
    names = store.speakers.fetch_names()
    wanted = groups if within is None else within
    people = sorted({names[speaker] for speaker in wanted})
    index = SpeakerIndex.of(store, {speaker for person in people for speaker in groups[person]})
    apart = [person for person in people if len(index.splits(person)) > 1]
    for person in apart[:_MOST_NAMED]:
        others = ", ".join(index.readable_name(speaker) for speaker in sorted(groups[person] - {person}))
        splits = " and ".join(index.splits(person))
        name = index.readable_name(person)
        yield f"W_LINKED: {name} (also {others}) is in {splits}; training goes without what is tested"
    yield from _count_rest(len(apart), "W_LINKED", "linked people are in several splits")


def _warn_of_likely(store: Store) -> Iterator[str]:
    pairs = Voices.of(store, trust_names=False).pairs
    index = SpeakerIndex.of(store, {speaker for pair in pairs for speaker in (pair.first, pair.second)})
    apart = [pair for pair in pairs if _straddle_test(index.splits(pair.first), index.splits(pair.second))]
    for pair in apart[:_MOST_NAMED]:
        first, second = index.readable_name(pair.first), index.readable_name(pair.second)
        yield (
            f"W_SAME_VOICE: {first} and {second}, one in train and one in test, are one person with "
            f"{pair.probability:.0%}; hear them, then boli speakers accept, or refuse"
        )
    yield from _count_rest(len(apart), "W_SAME_VOICE", "pairs in train and test are likely one person")


def _straddle_test(splits: Sequence[str], other: Sequence[str]) -> bool:
    """Tell if one of two speakers is trained on and the other tested."""
    return ("train" in splits and "test" in other) or ("test" in splits and "train" in other)


def _count_rest(count: int, code: str, what: str) -> Iterator[str]:
    if count > _MOST_NAMED:
        yield f"{code}: {count - _MOST_NAMED} more {what}"
