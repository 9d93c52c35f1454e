"""Commands of frozen datasets: list, freeze, compare, check and describe them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transcribe.commands.app import ML_TEAMS, AsJson, Debug, Workspace, console, group, open_workspace
from transcribe.console import Answer

if TYPE_CHECKING:
    from transcribe.datasets.manifest import Frozen
    from transcribe.wiring import Wiring


def _answer_list(workspace: Path | None) -> None:
    with open_workspace(workspace) as wiring:
        console.answer(list_datasets(wiring))


dataset = group("dataset", "Frozen datasets to learn from and to measure with.", ML_TEAMS, _answer_list)


@dataset.command("list", epilog="Example: boli dataset list")
def dataset_list(workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """List all frozen datasets with their sizes."""
    _answer_list(workspace)


Name = Annotated[str, typer.Argument(metavar="NAME", help="The dataset's name.")]


@dataset.command("freeze", epilog="Example: boli dataset freeze 2026-11")
def dataset_freeze(name: Name, workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Freeze what stands now: texts, splits and origins, under a hash; the test's own stays out of the training."""
    with open_workspace(workspace) as wiring:
        console.answer(freeze_dataset(wiring, name))


@dataset.command("diff", epilog="Example: boli dataset diff 2026-10 2026-11")
def dataset_diff(
    a: Annotated[str, typer.Argument(metavar="A", help="The one before.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The one after.")],
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """List what was added, removed and changed, and whether anything moved between splits."""
    with open_workspace(workspace) as wiring:
        console.answer(compare_datasets(wiring, a, b))


@dataset.command("card", epilog="Example: boli dataset card 2026-11 --out CARD.md")
def dataset_card(
    name: Name,
    out: Annotated[Path | None, typer.Option(help="Write it here.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write what must be known before it is used: sizes, origins, licences, limits; Markdown."""
    with open_workspace(workspace) as wiring:
        console.answer(describe_dataset(wiring, name, out))


@dataset.command("check", epilog="Example: boli dataset check 2026-11 --leakage")
def dataset_check(
    name: Name,
    leakage: Annotated[bool, typer.Option("--leakage", help="Exit code 7 if training knows what is tested.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Check that it is as it was frozen."""
    with open_workspace(workspace) as wiring:
        console.answer(check_dataset(wiring, name, leakage=leakage))


def list_datasets(wiring: Wiring) -> Answer:
    """List the workspace's datasets, by name, with the texts of each split."""
    from transcribe.datasets.manifest import FACTS
    from transcribe.terminal import stack, table

    names = sorted(file.parent.name for file in wiring.workspace.glob(f"datasets/[!.]*/{FACTS}"))
    datasets = {name: wiring.open_dataset(name, whole=True) for name in names}
    texts = {
        name: {split: sum(cell["stretches"] for cell in cells.values()) for split, cells in frozen.counts.items()}
        for name, frozen in datasets.items()
    }
    document = [{"name": name, "sha256": frozen.sha256, "texts": texts[name]} for name, frozen in datasets.items()]
    rows = [
        (name, ", ".join(f"{split} {count}" for split, count in texts[name].items()) or "none", frozen.sha256[:12])
        for name, frozen in datasets.items()
    ]
    lines = ["no dataset is frozen yet; boli dataset freeze NAME freezes what was corrected"] * (not rows)
    return Answer(data={"datasets": document}, text=stack(lines, table(("name", "texts", "hash"), rows)))


def freeze_dataset(wiring: Wiring, name: str) -> Answer:
    """Freeze the workspace's present texts as the dataset *name*."""
    from transcribe import datasets
    from transcribe.self_training import list_pseudo_labels
    from transcribe.voice_links import warn_of_shared_voices

    rules = wiring.dataset_rules()
    pseudo_labels = list_pseudo_labels(wiring.store, rules, weight=wiring.settings.grow.weight)
    frozen = datasets.freeze(wiring.store, wiring.dataset_folder(name), rules, extra=pseudo_labels)
    document = {"name": name, "sha256": frozen.sha256, "counts": frozen.counts, **frozen.facts}
    text = "\n".join([f"{name}: {frozen.sha256}", *_format_counts(frozen), *_format_left_out(frozen)])
    return Answer(data=document, text=text, warnings=warn_of_shared_voices(wiring.store))


def compare_datasets(wiring: Wiring, a: str, b: str) -> Answer:
    """Show how the dataset *b* differs from *a*."""
    from transcribe import datasets

    difference = datasets.differ(wiring.open_dataset(a, whole=True), wiring.open_dataset(b, whole=True))
    return Answer(data=difference.data(), text=difference.text())


def describe_dataset(wiring: Wiring, name: str, out: Path | None) -> Answer:
    """Print the dataset's card, or write it to *out*."""
    from transcribe import datasets
    from transcribe.consent import find_changes_since

    frozen = wiring.open_dataset(name)
    text = datasets.card(name, frozen, changed=find_changes_since(wiring, frozen))
    if out is None:
        return Answer(data={"card": text}, text=text)
    out.write_text(text, encoding="utf-8")
    return Answer(data={"file": str(out)}, text=f"wrote {out}")


def check_dataset(wiring: Wiring, name: str, *, leakage: bool) -> Answer:
    """Check that the dataset is whole and, with *leakage*, that training knows nothing of its test, or exit with 7."""
    from transcribe import datasets

    frozen = wiring.open_dataset(name, whole=True)
    document: dict[str, object] = {"name": name, "sha256": frozen.sha256}
    text = f"{name} is as it was frozen: {frozen.sha256}"
    if not leakage:
        return Answer(data=document, text=text)
    leaks = datasets.leaks(frozen, wiring.dataset_rules(), names=wiring.store.speakers.fetch_names())
    leaks.refuse()
    recordings = {example.audio for example in frozen.examples()}
    gone = recordings - {recording.id for recording in wiring.store.recordings.fetch(ids=recordings, withheld=True)}
    warning = f"W_GONE: {len(gone)} of its recordings are no longer in the workspace; freeze a new one without them"
    begun = [f"{count} test texts began as a draft of {model[:12]}" for model, count in leaks.begun_from_drafts.items()]
    lines = [text, *leaks.compared.lines, *begun]
    warnings = [*leaks.warnings, *[warning] * bool(gone)]
    return Answer(data=document | leaks.data(), text="\n".join(lines), warnings=warnings)


def _format_counts(frozen: Frozen) -> list[str]:
    return [
        f"{split}: {sum(cell['stretches'] for cell in cells.values())} stretches of {', '.join(cells)}"
        for split, cells in frozen.counts.items()
    ]


def _format_left_out(frozen: Frozen) -> list[str]:
    left_out = [f"left out by {reason}: {count}" for reason, count in frozen.facts["left_out"].items()]
    if frozen.facts["closed_vocabulary"]:
        left_out.append("the vocabulary is declared closed: training keeps sentences that the test has")
    return left_out
