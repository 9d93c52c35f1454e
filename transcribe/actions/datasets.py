"""Frozen datasets: made, held against each other, checked, described."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from transcribe.console import Answer
from transcribe.errors import UsageError
from transcribe.frozen import Frozen, read
from transcribe.wiring import Wiring

if TYPE_CHECKING:
    from transcribe.dataset import Rules

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def freeze(wiring: Wiring, name: str) -> Answer:
    """Freeze what stands now."""
    from transcribe import dataset
    from transcribe.actions.growing import pseudo_labels
    from transcribe.actions.speakers import warn_of_shared_voices

    frozen = dataset.freeze(wiring.store, _place(wiring, name), rules(wiring), extra=pseudo_labels(wiring))
    data = {"name": name, "sha256": frozen.sha256, "counts": frozen.counts, **frozen.facts}
    text = "\n".join([f"{name}: {frozen.sha256}", *_counts(frozen), *_left_out(frozen)])
    return Answer(data=data, text=text, warnings=warn_of_shared_voices(wiring.store))


def diff(wiring: Wiring, a: str, b: str) -> Answer:
    """What the dataset *b* has against *a*."""
    from transcribe import dataset

    found = dataset.differ(opened(wiring, a), opened(wiring, b))
    return Answer(data=found.data(), text=found.text())


def card(wiring: Wiring, name: str, out: Path | None) -> Answer:
    """The dataset's card, printed or written."""
    from transcribe import dataset

    text = dataset.card(name, opened(wiring, name))
    if out is None:
        return Answer(data={"card": text}, text=text)
    out.write_text(text, encoding="utf-8")
    return Answer(data={"file": str(out)}, text=f"wrote {out}")


def check(wiring: Wiring, name: str, *, leakage: bool) -> Answer:
    """Whether the dataset is whole and, if asked, that training knows nothing of its test; exit code 7 if it does."""
    from transcribe import dataset

    frozen = opened(wiring, name)
    data: dict[str, object] = {"name": name, "sha256": frozen.sha256}
    text = f"{name} is as it was frozen: {frozen.sha256}"
    if not leakage:
        return Answer(data=data, text=text)
    found = dataset.leaks(frozen, rules(wiring), names=wiring.store.speaker_names())
    found.refuse()
    audio = {one.audio for one in frozen.examples()}
    gone = audio - {recording.id for recording in wiring.store.recordings(ids=audio)}
    told = f"W_GONE: {len(gone)} of its recordings are no longer in the workspace; freeze a new one without them"
    begun = [f"{count} test texts began as a draft of {model[:12]}" for model, count in found.begun_from_drafts.items()]
    lines = [text, "nothing of the test is known in training", *begun]
    return Answer(data=data | found.data(), text="\n".join(lines), warnings=[told] * bool(gone))


def opened(wiring: Wiring, name: str) -> Frozen:
    """The dataset called *name*, checked against its hash."""
    return read(_place(wiring, name))


def rules(wiring: Wiring) -> Rules:
    """What decides what a dataset of this workspace holds."""
    from transcribe import audio, dataset

    given = wiring.settings.dataset
    return dataset.Rules(
        catalogue=wiring.catalogue,
        closed_vocabulary=given.closed_vocabulary,
        guideline=given.guideline,
        refused_consent=frozenset(word.lower() for word in given.refused_consent),
        sounds=lambda recording: audio.locate(wiring.audio_folder, recording).is_file(),
    )


def _place(wiring: Wiring, name: str) -> Path:
    if not _NAME.fullmatch(name):
        hint = "letters, digits, dots, dashes and underlines, beginning with a letter or digit"
        raise UsageError(f"{name!r} was given as a dataset's name", hint=hint)
    return wiring.workspace / "datasets" / name


def _counts(frozen: Frozen) -> list[str]:
    return [
        f"{split}: {sum(cell['stretches'] for cell in found.values())} stretches of {', '.join(found)}"
        for split, found in frozen.counts.items()
    ]


def _left_out(frozen: Frozen) -> list[str]:
    left_out = [f"left out by {reason}: {count}" for reason, count in frozen.facts["left_out"].items()]
    if frozen.facts["closed_vocabulary"]:
        left_out.append("the vocabulary is declared closed: training keeps sentences that the test has")
    return left_out
