"""Commands of frozen datasets: freeze, compare, check and describe them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from transcribe.console import Answer
from transcribe.datasets.manifest import Frozen, read_dataset
from transcribe.errors import UsageError
from transcribe.wiring import Wiring

if TYPE_CHECKING:
    from transcribe.datasets import Rules

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def freeze(wiring: Wiring, name: str) -> Answer:
    """Freeze the workspace's present texts as the dataset *name*."""
    from transcribe import datasets
    from transcribe.actions.growing import pseudo_labels
    from transcribe.actions.speakers import warn_of_shared_voices

    frozen = datasets.freeze(wiring.store, _folder(wiring, name), rules_of(wiring), extra=pseudo_labels(wiring))
    document = {"name": name, "sha256": frozen.sha256, "counts": frozen.counts, **frozen.facts}
    text = "\n".join([f"{name}: {frozen.sha256}", *_format_counts(frozen), *_format_left_out(frozen)])
    return Answer(data=document, text=text, warnings=warn_of_shared_voices(wiring.store))


def diff(wiring: Wiring, a: str, b: str) -> Answer:
    """Show how the dataset *b* differs from *a*."""
    from transcribe import datasets

    difference = datasets.differ(open_dataset(wiring, a), open_dataset(wiring, b))
    return Answer(data=difference.data(), text=difference.text())


def card(wiring: Wiring, name: str, out: Path | None) -> Answer:
    """Print the dataset's card, or write it to *out*."""
    from transcribe import datasets

    text = datasets.card(name, open_dataset(wiring, name))
    if out is None:
        return Answer(data={"card": text}, text=text)
    out.write_text(text, encoding="utf-8")
    return Answer(data={"file": str(out)}, text=f"wrote {out}")


def check(wiring: Wiring, name: str, *, leakage: bool) -> Answer:
    """Check that the dataset is whole and, with *leakage*, that training knows nothing of its test, or exit with 7."""
    from transcribe import datasets

    frozen = open_dataset(wiring, name)
    document: dict[str, object] = {"name": name, "sha256": frozen.sha256}
    text = f"{name} is as it was frozen: {frozen.sha256}"
    if not leakage:
        return Answer(data=document, text=text)
    leaks = datasets.leaks(frozen, rules_of(wiring), names=wiring.store.speaker_names())
    leaks.refuse()
    recordings = {example.audio for example in frozen.examples()}
    gone = recordings - {recording.id for recording in wiring.store.recordings(ids=recordings)}
    warning = f"W_GONE: {len(gone)} of its recordings are no longer in the workspace; freeze a new one without them"
    begun = [f"{count} test texts began as a draft of {model[:12]}" for model, count in leaks.begun_from_drafts.items()]
    lines = [text, "nothing of the test is known in training", *begun]
    return Answer(data=document | leaks.data(), text="\n".join(lines), warnings=[warning] * bool(gone))


def open_dataset(wiring: Wiring, name: str) -> Frozen:
    """Open the dataset called *name*, checked against its hash."""
    return read_dataset(_folder(wiring, name))


def rules_of(wiring: Wiring) -> Rules:
    """Read from the workspace's settings the rules of its datasets."""
    from transcribe import audio, datasets

    settings = wiring.settings.dataset
    return datasets.Rules(
        catalogue=wiring.catalogue,
        closed_vocabulary=settings.closed_vocabulary,
        guideline=settings.guideline,
        refused_consent=frozenset(word.lower() for word in settings.refused_consent),
        sounds=lambda recording: audio.locate(wiring.audio_folder, recording).is_file(),
    )


def _folder(wiring: Wiring, name: str) -> Path:
    if not _NAME.fullmatch(name):
        hint = "letters, digits, dots, dashes and underlines, beginning with a letter or digit"
        raise UsageError(f"{name!r} was given as a dataset's name", hint=hint)
    return wiring.workspace / "datasets" / name


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
