"""The reach of a recording's consent: datasets that hold it, models that learnt from it, facts that changed since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath

from transcribe.datasets.manifest import FACTS, Frozen
from transcribe.errors import InputError, name_nearest
from transcribe.records import Lineage, Model, Recording
from transcribe.store import Store
from transcribe.wiring import Wiring


@dataclass(frozen=True, kw_only=True)
class Learner:
    """A model that learnt from some recordings, itself or through the one that it was tuned from."""

    model: Model
    #: Their ids, in order.
    recordings: tuple[str, ...]


def find_recording(store: Store, name: str) -> Recording:
    """
    Return the recording that was ingested under the path *name*, or has that hash or one that begins so.

    Raises:
        InputError: E_RECORDING, naming the nearest paths.
    """
    folded = str(PurePosixPath(name))
    recordings = store.recordings
    recording = recordings.find_by_path(name) or recordings.find_by_path(folded) or recordings.find(name)
    if recording is not None:
        return recording
    every = list(store.recordings.fetch(withheld=True))
    matches = [recording for recording in every if len(name) >= _SHORTEST and recording.id.startswith(name)]
    if len(matches) == 1:
        return matches[0]
    near = name_nearest(name, (recording.path for recording in every))
    message = f"the recording {name} was asked for; there are {len(every)} others{near}"
    raise InputError(message, code="E_RECORDING", hint="name its path as ingested, or its hash", item=name)


#: Digits from which on the beginning of a hash names a recording.
_SHORTEST = 8


def find_datasets(wiring: Wiring, recordings: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return which of *recordings* each frozen dataset holds, by its name; datasets that hold none are left out."""
    names = sorted(file.parent.name for file in wiring.workspace.glob(f"datasets/[!.]*/{FACTS}"))
    held = {name: _list_held(wiring.open_dataset(name, whole=True), recordings) for name in names}
    return {name: among for name, among in held.items() if among}


def find_learners(wiring: Wiring, recordings: Collection[str]) -> tuple[Learner, ...]:
    """
    Return the models that learnt from *recordings*, in the order in which they came.

    What was withheld when a model was tuned it did not learn; what its base knew it knows too. A dataset whose folder
    is gone tells nothing.
    """
    models = wiring.store.models.fetch()
    lineages = {model.id: wiring.store.models.find_lineage(model.id) for model in models}
    taught = {id: _list_taught(wiring, lineage, recordings) for id, lineage in lineages.items() if lineage is not None}

    def list_known(id: str, visited: frozenset[str] = frozenset()) -> set[str]:
        lineage = lineages.get(id)
        if lineage is None or id in visited:
            return set()
        return taught[id] | list_known(lineage.base, visited | {id})

    known = {model.id: list_known(model.id) for model in models}
    return tuple(Learner(model=model, recordings=tuple(sorted(known[model.id]))) for model in models if known[model.id])


def find_changes_since(wiring: Wiring, frozen: Frozen) -> dict[str, int]:
    """Count the recordings of *frozen* of which a fact is another one since, by the fact's name, consents apart."""
    at = datetime.fromtimestamp((frozen.folder / FACTS).stat().st_mtime, UTC).isoformat(timespec="milliseconds")
    ids = {example.audio for example in frozen.examples()}
    history = wiring.store.facts.fetch_history(ids)
    changed = {(change.name, change.recording) for change in history if change.added_at > at and change.before}
    return dict(sorted(Counter(name for name, _ in changed if name != "consent").items()))


def _list_held(frozen: Frozen, recordings: Iterable[str], *splits: str) -> tuple[str, ...]:
    wanted = set(recordings)
    examples = frozen.examples(*splits)  # type: ignore[arg-type]
    return tuple(sorted({example.audio for example in examples} & wanted))


def _list_taught(wiring: Wiring, lineage: Lineage, recordings: Collection[str]) -> set[str]:
    """Return those of *recordings* that tuning heard, for weights or to choose among them."""
    with suppress(InputError):
        frozen = wiring.open_dataset(lineage.dataset, whole=True)
        return set(_list_held(frozen, recordings, "train", "dev")) - set(lineage.withheld)
    return set()
