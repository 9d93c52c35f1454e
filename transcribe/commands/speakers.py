"""Commands of speakers that may be one person: propose, accept, refuse and list links."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transcribe.commands.app import LEADS, AsJson, Debug, Workspace, console, group, open_workspace
from transcribe.console import Answer

if TYPE_CHECKING:
    from transcribe.voice_links import SpeakerIndex, Voices
    from transcribe.wiring import Wiring


def _answer_proposals(workspace: Path | None) -> None:
    with open_workspace(workspace) as wiring:
        console.answer(propose_links(wiring))


speakers = group(
    "speakers",
    "Which speakers are likely one person, by their voices; alone, it lists them.",
    LEADS,
    _answer_proposals,
)
Speakers = Annotated[
    list[str],
    typer.Argument(metavar="SPEAKER SPEAKER | PROPOSAL", help="Two speakers as boli speakers shows them, or an id."),
]


@speakers.command("accept", epilog="Example: boli speakers accept 3f2a91c0")
def speakers_accept(
    names: Speakers, workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False
) -> None:
    """Declare two speakers one person: they count as one in splits, intervals and WER from now on."""
    with open_workspace(workspace) as wiring:
        console.answer(decide_link(wiring, names, accepted=True))


@speakers.command("refuse", epilog="Example: boli speakers refuse asha calls/7.wav/SPEAKER_01")
def speakers_refuse(
    names: Speakers, workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False
) -> None:
    """Declare two speakers two people: not proposed again, and no longer linked."""
    with open_workspace(workspace) as wiring:
        console.answer(decide_link(wiring, names, accepted=False))


@speakers.command("list", epilog="Example: boli speakers list")
def speakers_list(workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """List what people have said of two speakers so far, who and when."""
    with open_workspace(workspace) as wiring:
        console.answer(list_links(wiring))


def propose_links(wiring: Wiring) -> Answer:
    """Propose speakers, one of them unnamed at least, that are likely one person, with the probability."""
    from transcribe.terminal import stack, table
    from transcribe.voice_links import SpeakerIndex, Voices, proposal_id

    voices = Voices.of(wiring.store)
    proposals = voices.proposals()
    index = SpeakerIndex.of(wiring.store, [speaker for pair in proposals for speaker in (pair.first, pair.second)])
    document = {
        "voices": len(voices.speech),
        "proposals": [
            {
                "id": proposal_id(pair),
                "probability": round(pair.probability, 4),
                "speakers": [index.data(name, voices.speech[name]) for name in (pair.first, pair.second)],
            }
            for pair in proposals
        ],
    }
    rows = [
        (
            proposal_id(pair),
            f"{pair.probability:.0%}",
            *_format_speaker(index, pair.first, voices.speech[pair.first]),
            *_format_speaker(index, pair.second, voices.speech[pair.second]),
        )
        for pair in proposals
    ]
    head = ("proposal", "sure", "speaker", "speech", "split", "and", "speech", "split")
    return Answer(data=document, text=stack(_describe_proposals(voices, len(proposals)), table(head, rows)))


def decide_link(wiring: Wiring, names: Sequence[str], *, accepted: bool) -> Answer:
    """
    Save a person's decision that two speakers are one person, or that they are two.

    Args:
        names: Two speakers, or a proposal's id.

    Raises:
        UsageError: If neither was given.
        InputError: E_SPEAKER or E_PROPOSAL for what is not there, E_LINK if other links contradict.
    """
    from transcribe.voice_links import SpeakerIndex, find_pair, warn_of_links

    store = wiring.store
    first, second = find_pair(store, names)
    link = store.speakers.link(first, second, accepted=accepted, by=_account())
    index = SpeakerIndex.of(store, [link.first, link.second])
    canonical = store.speakers.fetch_names().get(link.first, link.first)
    document = {
        "speakers": [link.first, link.second],
        "accepted": accepted,
        "name": canonical if accepted else None,
        "by": link.by,
        "at": link.at,
    }
    names_of_two = f"{index.readable_name(link.first)} and {index.readable_name(link.second)}"
    if not accepted:
        return Answer(data=document, text=f"{names_of_two} are two people")
    text = f"{names_of_two} are one person: {SpeakerIndex.of(store, [canonical]).readable_name(canonical)}"
    return Answer(data=document, text=text, warnings=list(warn_of_links(store, within={link.first})))


def list_links(wiring: Wiring) -> Answer:
    """List all decisions on two speakers, with their author and time."""
    from transcribe.terminal import stack, table
    from transcribe.voice_links import SpeakerIndex

    links = wiring.store.speakers.fetch_links()
    names = wiring.store.speakers.fetch_names()
    index = SpeakerIndex.of(
        wiring.store, {*names.values(), *(name for link in links for name in (link.first, link.second))}
    )
    document = {
        "links": [
            {
                "speakers": [link.first, link.second],
                "names": [index.readable_name(link.first), index.readable_name(link.second)],
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
            index.readable_name(link.first),
            index.readable_name(link.second),
            f"one: {index.readable_name(names[link.first])}" if link.accepted else "two people",
            link.by or "–",
            link.at,
        )
        for link in links
    ]
    lines = ["nobody has linked speakers yet; boli speakers proposes some"] * (not links)
    return Answer(data=document, text=stack(lines, table(("speaker", "and", "are", "said by", "at"), rows)))


def _describe_proposals(voices: Voices, count: int) -> list[str]:
    if not voices.speech:
        return ["no voice is kept yet; boli run keeps them where the diariser gives them"]
    if not count:
        return [f"no two of {len(voices.speech)} speakers with a voice are likely one person"]
    return [
        f"{count} pairs of {len(voices.speech)} speakers with a voice are likely one person; hear them, then",
        "boli speakers accept PROPOSAL, or boli speakers refuse PROPOSAL",
    ]


def _account() -> str | None:
    """Return the account that runs the command; ``None`` where the machine has no name for it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return None


def _format_speaker(index: SpeakerIndex, speaker: str, speech: int) -> tuple[str, str, str]:
    """Return name, length of speech and splits of a speaker for people; *speech* in milliseconds."""
    from transcribe.terminal import minutes

    return index.readable_name(speaker), minutes(speech), ", ".join(index.splits(speaker))
