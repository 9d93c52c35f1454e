"""Commands of what is stated of recordings: show, withdraw and give consent, and mend wrong facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from transcribe.commands.app import LEADS, AsJson, Debug, Dry, Workspace, app, console, group, open_workspace
from transcribe.console import Answer
from transcribe.errors import InputError, UsageError

if TYPE_CHECKING:
    from transcribe.store.facts import FactChange, Statement
    from transcribe.wiring import Wiring


def _answer_list(workspace: Path | None) -> None:
    with open_workspace(workspace) as wiring:
        console.answer(show_consent(wiring, Target()))


consent = group(
    "consent",
    "Consent of those who speak: its history and reach; alone, what is withheld.",
    LEADS,
    _answer_list,
    shows=True,
)

RecordingName = Annotated[str | None, typer.Argument(metavar="RECORDING", help="Path as ingested, or hash.")]
SpeakerName = Annotated[str | None, typer.Option("--speaker", help="Every recording in which they speak.")]
ManifestFile = Annotated[Path | None, typer.Option("--manifest", help="Every recording whose path is in it.")]
Source = Annotated[str | None, typer.Option("--source", help="Where you have it from, such as a letter.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Why.")]
Date = Annotated[str | None, typer.Option("--date", help="Since when, as 2026-05-03; default: now.")]


@dataclass(frozen=True, kw_only=True)
class Target:
    """The recordings that a command is about: one, a speaker's, a manifest's, or those that are withheld."""

    recording: str | None = None
    speaker: str | None = None
    manifest: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """Where a change comes from, in the words of the command line."""

    source: str | None
    reason: str | None
    date: str | None
    dry_run: bool


@consent.command("show", epilog="Example: boli consent show call.wav")
def consent_show(
    recording: RecordingName = None,
    speaker: SpeakerName = None,
    manifest: ManifestFile = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Show who said what when, what there is of it, and the datasets and models that hold it."""
    with open_workspace(workspace) as wiring:
        console.answer(show_consent(wiring, Target(recording=recording, speaker=speaker, manifest=manifest)))


@consent.command("withdraw", epilog='Example: boli consent withdraw --speaker S017 --source "letter of 3 May"')
def consent_withdraw(
    recording: RecordingName = None,
    speaker: SpeakerName = None,
    manifest: ManifestFile = None,
    source: Source = None,
    reason: Reason = None,
    date: Date = None,
    dry_run: Dry = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Withhold recordings from everything, from now on and all at once; nothing is deleted."""
    target = Target(recording=recording, speaker=speaker, manifest=manifest)
    grounds = Grounds(source=source, reason=reason, date=date, dry_run=dry_run)
    with open_workspace(workspace) as wiring:
        console.answer(change_consent(wiring, target, "withdrawn", grounds))


@consent.command("give", epilog='Example: boli consent give call.wav --source "form 12"')
def consent_give(
    recording: RecordingName = None,
    speaker: SpeakerName = None,
    manifest: ManifestFile = None,
    source: Source = None,
    reason: Reason = None,
    date: Date = None,
    dry_run: Dry = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Give consent, or give it again: what was withheld is back where it was."""
    target = Target(recording=recording, speaker=speaker, manifest=manifest)
    grounds = Grounds(source=source, reason=reason, date=date, dry_run=dry_run)
    with open_workspace(workspace) as wiring:
        console.answer(change_consent(wiring, target, "given", grounds))


@app.command(rich_help_panel=LEADS, epilog="Example: boli relabel call.wav --dialect en-US --reason 'wrong column'")
def relabel(
    recording: RecordingName = None,
    speaker: SpeakerName = None,
    manifest: ManifestFile = None,
    dialect: Annotated[str | None, typer.Option(help="The right BCP 47 tag.")] = None,
    to_speaker: Annotated[str | None, typer.Option("--to-speaker", help="Who really speaks.")] = None,
    session: Annotated[str | None, typer.Option(help="The conversation that it is a part of.")] = None,
    licence: Annotated[str | None, typer.Option(help="Its licence.")] = None,
    fact: Annotated[list[str] | None, typer.Option(help="A column of your own, as age=44; age= empties it.")] = None,
    source: Source = None,
    reason: Reason = None,
    date: Date = None,
    dry_run: Dry = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Mend wrong facts of recordings; drafts, texts and frozen datasets stay as they are."""
    target = Target(recording=recording, speaker=speaker, manifest=manifest)
    grounds = Grounds(source=source, reason=reason, date=date, dry_run=dry_run)
    facts = {"dialect": dialect, "speaker": to_speaker, "session": session, "licence": licence}
    with open_workspace(workspace) as wiring:
        console.answer(relabel_recordings(wiring, target, {**_drop_empty(facts), **_read_own(fact or [])}, grounds))


def show_consent(wiring: Wiring, target: Target) -> Answer:
    """Show consent, history and reach of *target*; without one, of all that is withheld."""
    from transcribe.consent import find_datasets, find_learners
    from transcribe.consent_words import read_consent
    from transcribe.erasure import find_linked
    from transcribe.terminal import stack, table

    facts = wiring.store.facts
    ids = list(facts.fetch_withheld()) if target == Target() else _find_ids(wiring, target)
    holdings, history = facts.fetch_holdings(ids), facts.fetch_history(ids)
    datasets, learners = find_datasets(wiring, ids) if ids else {}, find_learners(wiring, ids) if ids else ()
    paths = {held.recording: held.path for held in holdings}
    states = [held.withheld or read_consent(held.consent, wiring.refusing) for held in holdings]
    linked = [] if target.speaker is None else find_linked(wiring, target.speaker)
    document = {
        "linked": linked,
        "recordings": [asdict(held) | {"state": state} for held, state in zip(holdings, states, strict=True)],
        "history": [asdict(change) for change in history],
        "datasets": {name: list(among) for name, among in datasets.items()},
        "models": [
            {
                "id": learner.model.id,
                "name": learner.model.name,
                "state": learner.model.state,
                "recordings": list(learner.recordings),
            }
            for learner in learners
        ],
    }
    lines = [] if ids else ["nothing is withheld"]
    lines += [
        f"{held.path}: {state}, {held.segments} segments, {held.corrections} corrections, {held.texts} texts"
        for held, state in zip(holdings, states, strict=True)
    ]
    lines += [f"the dataset {name} holds {len(among)} of them" for name, among in datasets.items()]
    lines += [f"{each.model.name} ({each.model.state}) learnt from {len(each.recordings)} of them" for each in learners]
    lines += [f"{target.speaker} is linked with {', '.join(linked)}, who is named apart"] * bool(linked)
    lines += ["files that were exported, and reports written before, are not known here"] * bool(ids)
    return Answer(data=document, text=stack(lines, _format_history(history, paths, table)))


def change_consent(wiring: Wiring, target: Target, word: str, grounds: Grounds) -> Answer:
    """
    State the consent *word* of *target*, in one transaction.

    Raises:
        UsageError: Nothing was named.
        InputError: E_RECORDING or E_SPEAKER for a name that nobody has, E_DATE.
    """
    from rich.console import Group

    ids = _find_ids(wiring, target)
    changes = wiring.store.facts.change(
        {id: {"consent": word} for id in ids}, _make_statement(wiring, grounds, "boli consent")
    )
    shown = show_consent(wiring, target)
    verb = "would be" if grounds.dry_run else "is"
    states = f"consent of {len(changes)} of {len(ids)} recordings {verb} {word}"
    data = {"changed": [asdict(change) for change in changes], "dry_run": grounds.dry_run, **shown.data}
    return Answer(data=data, text=Group(states, shown.text))


def relabel_recordings(wiring: Wiring, target: Target, facts: Mapping[str, str | None], grounds: Grounds) -> Answer:
    """
    Mend *facts* of *target*, in one transaction.

    Raises:
        UsageError: No recording or no fact was named.
        InputError: E_SPLIT where people would be in two splits; DialectError for a tag that is none.
    """
    from transcribe.consent import find_datasets
    from transcribe.terminal import stack, table
    from transcribe.voice_links import find_speaker

    if not facts:
        raise UsageError("a fact to mend was asked for, found none", hint="boli relabel --help lists them")
    if facts.get("dialect") is not None:
        dialect = wiring.catalogue.find(str(facts["dialect"]), strict=wiring.settings.ingest.strict_dialects)
        facts = {**facts, "dialect": dialect.tag, "language": dialect.language}
    ids = _find_ids(wiring, target)
    statement = _make_statement(wiring, grounds, "boli relabel")
    if target.speaker is not None and "speaker" in facts:
        statement = replace(statement, speaker=find_speaker(wiring.store, target.speaker))
    changes = wiring.store.facts.change(dict.fromkeys(ids, facts), statement)
    changed = sorted({change.recording for change in changes})
    datasets = find_datasets(wiring, changed) if changed else {}
    document = {
        "recordings": changed,
        "changed": [asdict(change) for change in changes],
        "dry_run": grounds.dry_run,
        "datasets": {name: list(among) for name, among in datasets.items()},
    }
    paths = {recording.id: recording.path for recording in wiring.store.recordings.fetch(ids=ids, withheld=True)}
    verb = "would be mended" if grounds.dry_run else "are mended"
    lines = [f"facts of {len(changed)} of {len(ids)} recordings {verb}; drafts and texts stay"]
    lines += [
        f"{paths[change.recording]} moves from {change.before} to {change.after}, where its people are"
        for change in changes
        if change.name == "split"
    ]
    lines += [f"the dataset {name} stays as it was frozen; its card says so" for name in datasets]
    return Answer(data=document, text=stack(lines, _format_history(changes, paths, table)))


def _find_ids(wiring: Wiring, target: Target) -> list[str]:
    """Return the ids of the recordings that are meant, in order."""
    from transcribe.consent import find_recording
    from transcribe.voice_links import find_speaker

    named = [target.recording, target.speaker, target.manifest]
    if sum(name is not None for name in named) != 1:
        raise UsageError("one of RECORDING, --speaker and --manifest was asked for, found none or several")
    store = wiring.store
    if target.recording is not None:
        return [find_recording(store, target.recording).id]
    if target.speaker is not None:
        return list(store.facts.find_by_speaker(find_speaker(store, target.speaker)))
    return sorted({find_recording(store, path).id for path in _read_paths(target.manifest)})


def _read_paths(manifest: Path | None) -> list[str]:
    from transcribe.ingest.paths import readable
    from transcribe.tables import Table

    if manifest is None or not manifest.is_file():
        raise InputError(f"{manifest} is not there", code="E_NOT_FOUND", hint="check the path", item=str(manifest))
    return [
        readable(row.cells["path"]) for row in Table(file=manifest, any_of=("path",)).rows() if row.cells.get("path")
    ]


def _make_statement(wiring: Wiring, grounds: Grounds, command: str) -> Statement:
    """Make the statement of *grounds*; *command* and who gave it stand for a reason and a source that nobody named."""
    import getpass
    from datetime import datetime

    from transcribe.store.facts import Statement

    if grounds.date is not None:
        try:
            datetime.fromisoformat(grounds.date)
        except ValueError as error:
            message = f"{grounds.date} was given as a date"
            raise InputError(message, code="E_DATE", hint="write it as 2026-05-03", item=grounds.date) from error
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = None
    return Statement(
        source=grounds.source or user,
        reason=grounds.reason or command,
        stated_at=grounds.date,
        refusing=wiring.refusing,
        dry_run=grounds.dry_run,
    )


def _drop_empty(facts: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name: value for name, value in facts.items() if value is not None}


def _read_own(pairs: Sequence[str]) -> dict[str, str | None]:
    """Read facts of the project's own, written as NAME=VALUE."""
    from transcribe.store.facts import OWN

    if wrong := [pair for pair in pairs if "=" not in pair]:
        raise UsageError(f"--fact {wrong[0]} was given", hint="write it as NAME=VALUE")
    return {f"{OWN}{name}": value or None for name, _, value in (pair.partition("=") for pair in pairs)}


def _format_history(changes: Sequence[FactChange], paths: Mapping[str, str], table: Any) -> Any:
    rows = [
        (
            change.stated_at[:10],
            paths.get(change.recording, change.recording[:12]),
            change.name,
            f"{change.before or '–'} -> {change.after or '–'}",
            ", ".join(filter(None, (change.source, change.reason))),
        )
        for change in changes
    ]
    return table(("since", "recording", "what", "from -> to", "who says so"), rows)
