"""
Freeze the accepted corrections of a store as a dataset, however many there are.

What may be learnt from depends on all that is tested, so the stretches go by twice: once out of the store into a file,
once from there into the manifest. Only a few numbers a stretch are held in memory.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from transcribe.datasets.leakage import Ledger, Rules, is_masked, with_link, without_text
from transcribe.datasets.manifest import Example, Frozen, Provenance, Writer, example_of, line_of, make
from transcribe.errors import InputError
from transcribe.records import Milliseconds, Recording
from transcribe.store import Store
from transcribe.store.dataset_source import Transcribed

#: Facts of a recording that a data card tells, in milliseconds of sound by what was said of it.
_FACTS: Final = ("licence", "consent", "source")


class _Counts:
    """The counts that are made while the stretches go by."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.ledger = Ledger(rules.spellings)
        self.left_out: Counter[str] = Counter()
        self.recordings = 0
        self._sound: Milliseconds = 0
        self._facts: dict[str, Counter[str]] = {name: Counter() for name in _FACTS}
        #: Written stretches by how they came about, and whether they are tested.
        self._origins: Counter[tuple[Provenance, bool]] = Counter()

    def add_recording(self, recording: Recording) -> None:
        self.recordings += 1
        self._sound += recording.duration
        for name, length_by_fact in self._facts.items():
            length_by_fact[str(getattr(recording, name) or "not stated")] += recording.duration

    def add(self, example: Example) -> None:
        self.ledger.add(example)
        if example.provenance is not None:
            self._origins[example.provenance, example.split == "test"] += 1

    def data(self) -> dict[str, Any]:
        """Return what stands in ``dataset.json`` beside the counts."""
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
            **{f"{name}s": dict(length_by_fact) for name, length_by_fact in self._facts.items()},
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
    Freeze what stands in *store* as the dataset *folder*, which is there whole, or not at all.

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
    counts = _Counts(rules)

    def fill(writer: Writer) -> None:
        with tempfile.TemporaryFile() as spool:
            _collect(store, counts, spool, extra or {})
            spool.seek(0)
            _settle(spool, counts, writer)
        _refuse_empty(counts, folder)
        writer.facts = counts.data()

    return make(folder, fill, named=named)


def _collect(store: Store, counts: _Counts, spool: BinaryIO, extra: Mapping[str, Iterable[Example]]) -> None:
    """Write every stretch on a line, in the order of the manifest."""
    names = store.speakers.fetch_names()
    for transcribed in store.dataset_source.fetch():
        if (refusal := counts.rules.refusal(transcribed.recording)) is not None:
            counts.left_out[refusal] += len(transcribed.written)
            continue
        counts.add_recording(transcribed.recording)
        if hidden := sum(is_masked(written, transcribed.masked) for written in transcribed.written):
            counts.left_out["masked"] += hidden
        examples = (with_link(example, names) for example in _list_examples(transcribed, counts.rules, extra))
        ordered = sorted(examples, key=lambda example: example.sort_key)
        for example in ordered:
            counts.add(example)
        spool.write("".join(f"{line_of(example)}\n" for example in ordered).encode())


def _list_examples(transcribed: Transcribed, rules: Rules, extra: Mapping[str, Iterable[Example]]) -> Iterator[Example]:
    further = list(extra.get(transcribed.recording.id, ()))
    # What a model heard takes the place of the segment that nobody wrote.
    heard_by_model = {example.id for example in further}
    yield from (example for example in rules.examples(transcribed) if example.id not in heard_by_model)
    yield from further


def _settle(spool: BinaryIO, counts: _Counts, writer: Writer) -> None:
    """Write the manifest: each line as it was found, or without its text where it may not be learnt from."""
    reasons = counts.ledger.reasons(closed_vocabulary=counts.rules.closed_vocabulary)
    for line, reason, cell in zip(spool, reasons, counts.ledger.cells(), strict=True):
        if reason is None:
            writer.add_line(line, cell)
        else:
            counts.left_out[reason] += 1
            writer.add(without_text(example_of(line.decode())))


def _refuse_empty(counts: _Counts, folder: Path) -> None:
    if counts.recordings == 0:
        message = f"{folder.name} was to be frozen; no correction that may be used stands in the workspace"
        raise InputError(
            message, code="E_DATASET", hint="boli import corrections FILE, or boli serve", item=folder.name
        )
