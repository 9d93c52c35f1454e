"""Speakers that may be one person: proposed by their voices, accepted or refused by a person, warned about."""

from __future__ import annotations

import difflib
import getpass
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from transcribe import printing
from transcribe.actions.tables import stacked, table
from transcribe.console import Answer
from transcribe.errors import InputError, UsageError
from transcribe.records import Recording, content_id
from transcribe.speaker_links import group_speakers, recording_of_unnamed
from transcribe.wiring import Wiring

if TYPE_CHECKING:
    from transcribe.same_voice import LikelyPair
    from transcribe.store import Store

#: Digits of a proposal's id that are shown; 32 bits tell thousands of proposals apart.
_ID_DIGITS: Final = 8
#: Pairs and groups that a warning names; the rest is counted.
_MOST_NAMED: Final = 10


def propose(wiring: Wiring) -> Answer:
    """Which speakers, one of them unnamed at least, are likely one person, and how sure that is."""
    voices = _Voices.of(wiring.store)
    proposals = voices.proposals()
    known = _Known.of(wiring.store, [speaker for pair in proposals for speaker in (pair.first, pair.second)])
    data = {
        "voices": len(voices.speech),
        "proposals": [
            {
                "id": _proposal_id(pair),
                "probability": round(pair.probability, 4),
                "speakers": [known.data(name, voices.speech[name]) for name in (pair.first, pair.second)],
            }
            for pair in proposals
        ],
    }
    rows = [
        (
            _proposal_id(pair),
            f"{pair.probability:.0%}",
            *known.cells(pair.first, voices.speech[pair.first]),
            *known.cells(pair.second, voices.speech[pair.second]),
        )
        for pair in proposals
    ]
    head = ("proposal", "sure", "speaker", "speech", "split", "and", "speech", "split")
    return Answer(data=data, text=stacked(_proposal_lines(voices, len(proposals)), table(head, rows)))


def decide(wiring: Wiring, names: Sequence[str], *, accepted: bool) -> Answer:
    """
    Keep a person's word that two speakers are one person, or that they are two.

    Args:
        names: Two speakers, or a proposal's id.

    Raises:
        UsageError: If neither was given.
        InputError: E_SPEAKER or E_PROPOSAL for what is not there, E_LINK if other links contradict.
    """
    store = wiring.store
    first, second = _pair_named(store, names)
    link = store.link_speakers(first, second, accepted=accepted, by=_account())
    known = _Known.of(store, [link.first, link.second])
    canonical = store.speaker_names().get(link.first, link.first)
    data = {
        "speakers": [link.first, link.second],
        "accepted": accepted,
        "name": canonical if accepted else None,
        "by": link.by,
        "at": link.at,
    }
    both = f"{known.shown(link.first)} and {known.shown(link.second)}"
    if not accepted:
        return Answer(data=data, text=f"{both} are two people")
    text = f"{both} are one person: {_Known.of(store, [canonical]).shown(canonical)}"
    return Answer(data=data, text=text, warnings=list(_warn_of_links(store, within={link.first})))


def list_links(wiring: Wiring) -> Answer:
    """All that people have said of two speakers, with who said it and when."""
    links = wiring.store.speaker_links()
    names = wiring.store.speaker_names()
    known = _Known.of(wiring.store, {*names.values(), *(name for link in links for name in (link.first, link.second))})
    data = {
        "links": [
            {
                "speakers": [link.first, link.second],
                "names": [known.shown(link.first), known.shown(link.second)],
                "accepted": link.accepted,
                "name": names[link.first] if link.accepted else None,
                "by": link.by,
                "at": link.at,
            }
            for link in links
        ]
    }
    rows = [
        (
            known.shown(link.first),
            known.shown(link.second),
            f"one: {known.shown(names[link.first])}" if link.accepted else "two people",
            link.by or "–",
            link.at,
        )
        for link in links
    ]
    lines = ["nobody has linked speakers yet; boli speakers proposes some"] * (not links)
    return Answer(data=data, text=stacked(lines, table(("speaker", "and", "are", "said by", "at"), rows)))


def warn_of_shared_voices(store: Store) -> list[str]:
    """
    Warnings of people who are in several splits: by accepted links, and likely ones in train and test by their voices.

    All recordings count, corrected or not, and declared names are not trusted to be two people.
    """
    return [*_warn_of_links(store), *_warn_of_likely(store)]


@dataclass(frozen=True, kw_only=True)
class _Voices:
    """What the store knows of voices, and how long each speaker talks, in milliseconds by the one name."""

    pairs: tuple[LikelyPair, ...]
    speech: Mapping[str, int]

    @classmethod
    def of(cls, store: Store, *, trust_names: bool = True) -> _Voices:
        """Compare all voices of *store*."""
        from transcribe.same_voice import find_likely_pairs

        names = store.speaker_names()
        voices = list(store.voices())
        refused = [(link.first, link.second) for link in store.speaker_links() if not link.accepted]
        speech: dict[str, int] = {}
        for voice in voices:
            name = names.get(voice.speaker, voice.speaker)
            speech[name] = speech.get(name, 0) + voice.speech
        pairs = find_likely_pairs(voices, names=names, refused=refused, trust_names=trust_names)
        return cls(pairs=tuple(pairs), speech=speech)

    def proposals(self) -> list[LikelyPair]:
        """Choose the pairs that a person is asked about."""
        from transcribe.same_voice import choose_proposals

        return choose_proposals(self.pairs)


@dataclass(frozen=True, kw_only=True)
class _Known:
    """Recordings of some speakers, those of all that are linked with them included, and paths for people to read."""

    recordings: Mapping[str, tuple[Recording, ...]]
    path_by_id: Mapping[str, str]

    @classmethod
    def of(cls, store: Store, speakers: Iterable[str]) -> _Known:
        """Look *speakers* up in *store*."""
        groups = group_speakers(store.speaker_links())
        members = {speaker: groups.get(speaker, frozenset({speaker})) for speaker in speakers}
        by_name = store.recordings_of_speakers({name for group in members.values() for name in group})
        recordings = {
            speaker: tuple({recording.id: recording for name in sorted(group) for recording in by_name[name]}.values())
            for speaker, group in members.items()
        }
        paths = {recording.id: recording.path for some in recordings.values() for recording in some}
        return cls(recordings=recordings, path_by_id=paths)

    def shown(self, speaker: str) -> str:
        """*speaker* as people read and type it: a path in place of an unnamed speaker's recording."""
        recording = recording_of_unnamed(speaker)
        if recording is None or recording not in self.path_by_id:
            return speaker
        return f"{self.path_by_id[recording]}{speaker.removeprefix(recording)}"

    def splits(self, speaker: str) -> list[str]:
        """The splits of the speaker's recordings, in order."""
        return sorted({recording.split for recording in self.recordings[speaker]})

    def data(self, speaker: str, speech: int) -> dict[str, Any]:
        """For JSON; *speech* in milliseconds."""
        recordings = [
            {"recording": recording.id, "path": recording.path, "split": recording.split}
            for recording in self.recordings[speaker]
        ]
        return {
            "speaker": speaker,
            "name": self.shown(speaker),
            "seconds": round(speech / 1_000, 1),
            "recordings": recordings,
        }

    def cells(self, speaker: str, speech: int) -> tuple[str, str, str]:
        """For people; *speech* in milliseconds."""
        return self.shown(speaker), printing.minutes(speech), ", ".join(self.splits(speaker))


def _proposal_lines(voices: _Voices, count: int) -> list[str]:
    if not voices.speech:
        return ["no voice is kept yet; boli run keeps them where the diariser gives them"]
    if not count:
        return [f"no two of {len(voices.speech)} speakers with a voice are likely one person"]
    return [
        f"{count} pairs of {len(voices.speech)} speakers with a voice are likely one person; hear them, then",
        "boli speakers accept PROPOSAL, or boli speakers refuse PROPOSAL",
    ]


def _proposal_id(pair: LikelyPair) -> str:
    return content_id(pair.first, pair.second)[:_ID_DIGITS]


def _pair_named(store: Store, names: Sequence[str]) -> tuple[str, str]:
    """The two speakers that *names* are, or that the proposal with that id is of."""
    if len(names) == 2:
        return _speaker_named(store, names[0]), _speaker_named(store, names[1])
    if len(names) != 1:
        raise UsageError(f"two speakers or one proposal were asked for, found {len(names)} names")
    proposals = {_proposal_id(pair): pair for pair in _Voices.of(store).proposals()}
    if names[0] not in proposals:
        message = f"the proposal {names[0]} was asked for; there are {len(proposals)}{_nearest(names[0], proposals)}"
        raise InputError(message, code="E_PROPOSAL", hint="boli speakers lists them", item=names[0])
    pair = proposals[names[0]]
    return pair.first, pair.second


def _speaker_named(store: Store, name: str) -> str:
    """The speaker called *name*, or whose recording's path and label it is, as ``calls/a.wav/SPEAKER_00``."""
    for speaker in (name, *_unnamed_at(store, name)):
        if store.knows_speaker(speaker):
            return speaker
    speakers = store.known_speakers()
    known = _Known.of(store, speakers)
    readable = [known.shown(speaker) for speaker in speakers]
    message = f"the speaker {name} was asked for; there are {len(readable)} others{_nearest(name, readable)}"
    raise InputError(message, code="E_SPEAKER", hint="boli speakers shows names as they are typed", item=name)


def _unnamed_at(store: Store, name: str) -> Iterator[str]:
    """The unnamed speakers that *name* may be: a path, then a label, or a channel and a label."""
    parts = name.split("/")
    for count in (1, 2):
        recording = store.recording_by_path("/".join(parts[:-count])) if len(parts) > count else None
        if recording is not None:
            yield "/".join([recording.id, *parts[-count:]])


def _nearest(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.4)
    return f", nearest {close[0]}" if close else ""


def _account() -> str | None:
    """The account that runs the command; ``None`` where the machine has no name for it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return None


def _warn_of_links(store: Store, *, within: Iterable[str] | None = None) -> Iterator[str]:
    """Name linked people who are in several splits; those alone that speakers of *within* are part of, if given."""
    groups = group_speakers(store.speaker_links())
    names = store.speaker_names()
    wanted = groups if within is None else within
    people = sorted({names[speaker] for speaker in wanted})
    known = _Known.of(store, {speaker for person in people for speaker in groups[person]})
    apart = [person for person in people if len(known.splits(person)) > 1]
    for person in apart[:_MOST_NAMED]:
        others = ", ".join(known.shown(speaker) for speaker in sorted(groups[person] - {person}))
        splits = " and ".join(known.splits(person))
        yield f"W_LINKED: {known.shown(person)} (also {others}) is in {splits}; training goes without what is tested"
    yield from _rest(len(apart), "W_LINKED", "linked people are in several splits")


def _warn_of_likely(store: Store) -> Iterator[str]:
    pairs = _Voices.of(store, trust_names=False).pairs
    known = _Known.of(store, {speaker for pair in pairs for speaker in (pair.first, pair.second)})
    apart = [pair for pair in pairs if _straddles(known.splits(pair.first), known.splits(pair.second))]
    for pair in apart[:_MOST_NAMED]:
        both = f"{known.shown(pair.first)} and {known.shown(pair.second)}"
        yield (
            f"W_SAME_VOICE: {both}, one in train and one in test, are one person with {pair.probability:.0%}; "
            "hear them, then boli speakers accept, or refuse"
        )
    yield from _rest(len(apart), "W_SAME_VOICE", "pairs in train and test are likely one person")


def _straddles(one: Sequence[str], other: Sequence[str]) -> bool:
    """Tell if one of two speakers is trained on and the other tested."""
    return ("train" in one and "test" in other) or ("test" in one and "train" in other)


def _rest(count: int, code: str, what: str) -> Iterator[str]:
    if count > _MOST_NAMED:
        yield f"{code}: {count - _MOST_NAMED} more {what}"
