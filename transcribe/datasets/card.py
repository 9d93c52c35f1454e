"""Write a dataset's card: what a person must know of it before they use it, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from transcribe.datasets.manifest import Frozen
from transcribe.records import Milliseconds

_WHY: Mapping[str, str] = {
    "speaker": "their speaker is heard in a stronger split",
    "conversation": "their conversation goes on in a stronger split",
    "sentence": "their sentence is said in the test",
    "masked": "they touch what nobody may hear or read",
    "erased": "their sound was erased",
    # Of datasets that were frozen before consents withheld whole recordings.
    "consent": "the consent of the recording refuses it",
}
_LIMITS = (
    "- For tuning and measuring speech recognition of the dialects above, under the licences above.",
    "- Not for telling who speaks, and not for judging a speaker's origin.",
    "- Rates of a dialect with few speakers say little, however many stretches there are.",
)


def card(name: str, frozen: Frozen, *, changed: Mapping[str, int] | None = None) -> str:
    """
    Return the card of *frozen*, which was frozen as *name*; nobody's name stands in it.

    Args:
        changed: Recordings of which a fact is another one now, counted by the fact's name.
    """
    since = _describe_changes(frozen, changed or {})
    parts = [
        f"# {name}",
        f"Transcribed speech, frozen: SHA-256 `{frozen.sha256}` of `manifest.jsonl`. "
        "A dataset with this hash holds these texts of this sound and no others.",
        *_format_section("What is in it", _describe_contents(frozen)),
        *_format_section("Where it comes from", _describe_origins(frozen.facts)),
        *_format_section("What keeps the test honest", _describe_safeguards(frozen.facts)),
        *(_format_section("What changed since it was frozen", since) if since else ()),
        *_format_section("What it is for, and what not", _LIMITS),
    ]
    return "\n\n".join(parts) + "\n"


def _format_section(title: str, lines: Sequence[str]) -> tuple[str, str]:
    return f"## {title}", "\n".join(lines)


def _describe_contents(frozen: Frozen) -> list[str]:
    people: Mapping[str, Mapping[str, int]] = frozen.facts.get("speakers", {})
    rows = ["| split | dialect | stretches | words | hours | speakers |", "|---|---|---|---|---|---|"]
    for split in ("train", "dev", "test"):
        for dialect, cell in frozen.counts.get(split, {}).items():
            speakers = people.get(split, {}).get(dialect, 0)
            hours = _format_hours(cell["milliseconds"])
            rows.append(
                f"| {split} | {_escape_cell(dialect)} | {cell['stretches']} | {cell['words']} | {hours} | {speakers} |"
            )
    return rows


def _describe_origins(facts: Mapping[str, Any]) -> list[str]:
    origins: Mapping[str, int] = facts.get("origins", {})
    lines = [
        f"- {facts.get('recordings', 0)} recordings, {_format_hours(facts.get('sound_ms', 0))} hours of sound",
        f"- {origins.get('person', 0)} texts by {facts.get('authors', 0)} people or files, "
        f"{origins.get('reviewed', 0)} of them accepted by {facts.get('reviewers', 0)} reviewers",
        f"- {origins.get('drafted', 0)} texts began as a model's draft; "
        f"{origins.get('pseudo', 0)} are a model's alone and weigh less",
        f"- transcription rules: {_escape_cell(facts.get('guideline') or 'version not stated')}",
    ]
    for name in ("licence", "consent", "source"):
        length_by_fact: Mapping[str, Milliseconds] = facts.get(f"{name}s", {})
        listed = ", ".join(
            f"{_escape_cell(value)} ({_format_hours(length)} h)" for value, length in sorted(length_by_fact.items())
        )
        lines.append(f"- {name}: {listed or 'not stated'}")
    return lines


def _describe_safeguards(facts: Mapping[str, Any]) -> list[str]:
    lines = ["- Splits were drawn by speaker and conversation when recordings came in, and never move."]
    if facts.get("closed_vocabulary"):
        lines.append("- The vocabulary is declared closed: sentences of the test are said in training too.")
    else:
        lines.append("- Sentences of four words and more that the test has were left out of training.")
    left_out: Mapping[str, int] = facts.get("left_out", {})
    lines += [f"- {count} stretches were left out because {_WHY[reason]}." for reason, count in left_out.items()]
    for model, count in sorted(facts.get("test_begun_from_drafts", {}).items()):
        lines.append(
            f"- {count} test texts began as a draft of model `{model[:12]}`; they do not count for that model."
        )
    return lines


def _describe_changes(frozen: Frozen, changed: Mapping[str, int]) -> list[str]:
    """List the recordings that are withheld since, and the facts that were mended: the dataset itself stays."""
    lines = [
        f"- Recording `{recording[:12]}` is withheld: its consent was refused or withdrawn. It stands in the folder, "
        "and no training or test of boli uses it."
        for recording in sorted(frozen.withheld)
    ]
    return lines + [
        f"- {_escape_cell(name)} of {count} recordings is another one now." for name, count in changed.items()
    ]


def _format_hours(length: Milliseconds) -> str:
    return f"{length / 3_600_000:.2f}"


def _escape_cell(text: str) -> str:
    """Escape *text* for a table or a line: what a recording says of itself must not draw another table."""
    return " ".join(str(text).replace("|", "/").replace("`", "'").replace("<", "‹").split())
