"""
The accepted corrections of a store as a frozen dataset, however many there are.

What may be learnt from depends on all that is tested, so the stretches go by twice: once out of the store into a file,
once from there into the manifest. Only a few numbers a stretch are held in memory.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from transcribe.dataset.sorting import Ledger, Rules, emptied, is_masked, with_link
from transcribe.errors import InputError
from transcribe.frozen import Example, Frozen, Provenance, Writer, example_of, line_of, make
from transcribe.records import Milliseconds, Recording
from transcribe.store import Store
from transcribe.store.freezing import Transcribed

#: Facts of a recording that a data card tells, in milliseconds of sound by what was said of it.
_TOLD: Final = ("licence", "consent", "source")


class _Told:
    """What is counted while the stretches go by."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.ledger = Ledger(rules.spellings)
        self.left_out: Counter[str] = Counter()
        self.recordings = 0
        self._sound: Milliseconds = 0
        self._facts: dict[str, Counter[str]] = {name: Counter() for name in _TOLD}
        #: Written stretches by how they came about, and whether they are tested.
        self._origins: Counter[tuple[Provenance, bool]] = Counter()

    def add_recording(self, recording: Recording) -> None:
        self.recordings += 1
        self._sound += recording.duration
        for name, found in self._facts.items():
            found[str(getattr(recording, name) or "not stated")] += recording.duration

    def add(self, one: Example) -> None:
        self.ledger.add(one)
        if one.provenance is not None:
            self._origins[one.provenance, one.split == "test"] += 1

    def data(self) -> dict[str, Any]:
        """What stands in ``dataset.json`` beside the counts."""
        begun: Counter[str] = Counter()
        origins: Counter[str] = Counter()
        for (origin, tested), count in self._origins.items():
            origins[origin.kind] += count
            origins["reviewed"] += count * (origin.reviewed is not None)
            origins["drafted"] += count * (origin.draft is not None)
            if tested and origin.draft is not None:
                begun[origin.draft] += count
        return {
            "closed_vocabulary": self.rules.closed_vocabulary,
            "guideline": self.rules.guideline,
            "left_out": dict(self.left_out),
            "speakers": self.ledger.speakers(),
            "authors": len({origin.by for origin, _ in self._origins if origin.kind == "person" and origin.by}),
            "reviewers": len({origin.reviewed for origin, _ in self._origins if origin.reviewed}),
            "origins": dict(origins),
            "test_begun_from_drafts": dict(begun),
            "recordings": self.recordings,
            "sound_ms": self._sound,
            **{f"{name}s": dict(found) for name, found in self._facts.items()},
            "catalogue_sha256": self.rules.catalogue.hash,
        }


def freeze(
    store: Store,
    folder: Path,
    rules: Rules,
    *,
    extra: Mapping[str, Iterable[Example]] | None = None,
    named: Callable[[str], str] | None = None,
) -> Frozen:
    """
    Freeze what stands in *store* as the dataset *folder*: there whole, or not at all.

    The same state of the store gives the same bytes. Left out is what the test, and what is watched while training,
    has too: speakers (linked ones count as one), conversations and, unless the vocabulary is closed, sentences of four
    words and more; of the recording only the sound's place stays, as speech that nobody wrote down.

    Args:
        extra: Further stretches by recording, such as what a model heard where nobody wrote.
        named: Gives the dataset's name by its hash; *folder* is then where it is made.

    Raises:
        InputError: E_DATASET if the folder holds another dataset, or no correction stands.
        UnfitError: The place cannot be written.
    """
    told = _Told(rules)

    def fill(writer: Writer) -> None:
        with tempfile.TemporaryFile() as spool:
            _collect(store, told, spool, extra or {})
            spool.seek(0)
            _settle(spool, told, writer)
        _refuse_empty(told, folder)
        writer.facts = told.data()

    return make(folder, fill, named=named)


def _collect(store: Store, told: _Told, spool: BinaryIO, extra: Mapping[str, Iterable[Example]]) -> None:
    """Every stretch on a line, in the order of the manifest."""
    names = store.speaker_names()
    for found in store.transcribed_recordings():
        if (refusal := told.rules.refusal(found.recording)) is not None:
            told.left_out[refusal] += len(found.written)
            continue
        told.add_recording(found.recording)
        if hidden := sum(is_masked(written, found.masked) for written in found.written):
            told.left_out["masked"] += hidden
        examples = (with_link(example, names) for example in _all_of(found, told.rules, extra))
        ordered = sorted(examples, key=lambda each: each.place)
        for one in ordered:
            told.add(one)
        spool.write("".join(f"{line_of(one)}\n" for one in ordered).encode())


def _all_of(found: Transcribed, rules: Rules, extra: Mapping[str, Iterable[Example]]) -> Iterator[Example]:
    further = list(extra.get(found.recording.id, ()))
    # What a model heard takes the place of the segment that nobody wrote.
    heard_by_model = {one.id for one in further}
    yield from (one for one in rules.examples(found) if one.id not in heard_by_model)
    yield from further


def _settle(spool: BinaryIO, told: _Told, writer: Writer) -> None:
    """The manifest: each line as it was found, or without its text where it may not be learnt from."""
    reasons = told.ledger.reasons(closed_vocabulary=told.rules.closed_vocabulary)
    for line, reason, one in zip(spool, reasons, told.ledger.cells(), strict=True):
        if reason is None:
            writer.add_line(line, one)
        else:
            told.left_out[reason] += 1
            writer.add(emptied(example_of(line.decode())))


def _refuse_empty(told: _Told, folder: Path) -> None:
    if told.recordings == 0:
        message = f"{folder.name} was to be frozen; no correction that may be used stands in the workspace"
        raise InputError(
            message, code="E_DATASET", hint="boli import corrections FILE, or boli serve", item=folder.name
        )
