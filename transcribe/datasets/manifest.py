"""
Hold a frozen dataset: what a model is tuned on and measured with, as a folder that is never changed again.

``manifest.jsonl`` holds one stretch of speech a line, ``dataset.json`` the hash of that file and what was counted.
Two datasets with the same hash hold the same texts of the same sound, so a score can name what it was measured on.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from transcribe.errors import InputError, UnfitError, name_nearest
from transcribe.records import Lineage, Milliseconds, Split

MANIFEST: Final = "manifest.jsonl"
FACTS: Final = "dataset.json"
SCHEMA: Final = "boli.dataset/1"

_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """The origin of a text."""

    #: A person wrote or accepted it, or a model did and nobody looked.
    kind: Literal["person", "pseudo"] = "person"
    #: Who wrote it: the person's name in the project, the file that it was imported from, or the model's id.
    by: str | None = None
    #: Model whose draft it began from; ``None`` when typed from the sound alone.
    draft: str | None = None
    #: Who reviewed and accepted it; ``None`` if nobody did.
    reviewed: str | None = None


@dataclass(frozen=True, kw_only=True)
class Example:
    """A stretch of one person's speech, and the text of what is said in it."""

    #: Id of the correction, or of the segment where nobody has written.
    id: str
    #: SHA-256 of the recording's file: its id in the store.
    audio: str
    start: Milliseconds
    end: Milliseconds
    #: ``None``: somebody speaks here, and nobody has written it down. No window of training holds such a stretch.
    text: str | None
    dialect: str | None = None
    #: Whisper's language code; a text without one is not trained on.
    language: str | None = None
    speaker: str | None = None
    channel: int | None = None
    #: The conversation that the recording is a part of.
    session: str | None = None
    split: Split = "train"
    #: ``None`` where there is no text.
    provenance: Provenance | None = Provenance()
    #: Version of the rules that the text was written by.
    guideline: str | None = None
    #: How much it counts beside a text that a person wrote.
    weight: float = 1.0
    #: The name that accepted links gave the speaker when this was frozen; ``None`` where there was no link.
    linked: str | None = None

    @property
    def person(self) -> str:
        """The speaker under one name in all recordings; the recording where nobody said."""
        return self.linked or self.speaker or self.audio

    @property
    def sort_key(self) -> tuple[str, int, Milliseconds, Milliseconds, str, str]:
        """The key by which a manifest is ordered."""
        return (
            self.audio,
            -1 if self.channel is None else self.channel,
            self.start,
            self.end,
            self.speaker or "",
            self.id,
        )


class Cell(NamedTuple):
    """The split and dialect in which a stretch of written speech counts, and how much."""

    split: Split
    dialect: str
    words: int
    milliseconds: Milliseconds

    @classmethod
    def of(cls, example: Example) -> Cell | None:
        """Return the cell of *example*; ``None`` for speech that nobody has written down."""
        if example.text is None:
            return None
        return cls(example.split, example.dialect or "und", len(example.text.split()), example.end - example.start)


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """A dataset in its folder, checked against its hash when it was opened."""

    folder: Path
    #: SHA-256 of the manifest's bytes.
    sha256: str
    #: Stretches, words and milliseconds of written speech, by split and dialect (``und``: nobody declared one).
    counts: Mapping[str, Mapping[str, Mapping[str, int]]]
    #: What its maker noted beside the counts.
    facts: Mapping[str, Any]
    #: Recordings in it that nobody may learn from or measure on any more: none of their stretches is given.
    withheld: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """The hash of what it gives: that of the manifest, or of manifest and withheld recordings."""
        if not self.withheld:
            return self.sha256
        return hashlib.sha256("\n".join([self.sha256, *sorted(self.withheld)]).encode()).hexdigest()

    def is_of(self, lineage: Lineage) -> bool:
        """Tell if *lineage* is of a model that was tuned on just what this dataset gives."""
        return (lineage.dataset_sha256, frozenset(lineage.withheld)) == (self.sha256, self.withheld)

    def warnings(self) -> list[str]:
        """Warn of the recordings that are left out where there are any."""
        named = ", ".join(recording[:12] for recording in sorted(self.withheld)[:5])
        sentence = f"W_WITHHELD: {len(self.withheld)} recordings of {self.folder.name} are left out, their consent is"
        return [f"{sentence} refused or withdrawn: {named}"] if self.withheld else []

    def examples(self, *splits: Split) -> Iterator[Example]:
        """
        Yield the stretches of *splits*, or all, ordered by sound, channel, start, end, speaker.

        Raises:
            InputError: E_DATASET, naming the line, if one cannot be read.
        """
        for number, line in enumerate(self.lines(), 1):
            example = _parse_line(self.folder, number, line)
            if example.audio not in self.withheld and (not splits or example.split in splits):
                yield example

    def lines(self) -> Iterator[str]:
        """Yield the manifest's lines as they stand, without their ends."""
        # Only "\n" ends a line: a text may hold one of Unicode's other line ends.
        with (self.folder / MANIFEST).open(encoding="utf-8", newline="\n") as stream:
            for line in stream:
                yield line.removesuffix("\n")


class Writer:
    """The writer of a dataset, which takes its lines in their order."""

    def __init__(self, folder: Path) -> None:
        self._stream = (folder / MANIFEST).open("wb")
        self._digest = hashlib.sha256()
        self._counts: dict[tuple[str, str], Counter[str]] = {}
        #: May be set until the dataset is whole.
        self.facts: Mapping[str, Any] = {}

    def add(self, example: Example) -> None:
        """Add the next example."""
        self.add_line(line_of(example).encode() + b"\n", Cell.of(example))

    def add_line(self, line: bytes, cell: Cell | None) -> None:
        """Add the next example as `line_of` wrote it, with its end."""
        self._stream.write(line)
        self._digest.update(line)
        if cell is not None:
            counter = self._counts.setdefault(cell[:2], Counter())
            counter["stretches"] += 1
            counter["words"] += cell.words
            counter["milliseconds"] += cell.milliseconds

    def close(self) -> None:
        """Close the file, finished or not."""
        self._stream.close()

    def finish(self, folder: Path) -> Frozen:
        """Write the counts and return the dataset, which still lies in *folder*."""
        self._stream.flush()
        os.fsync(self._stream.fileno())
        counts: dict[str, dict[str, dict[str, int]]] = {}
        for (split, dialect), counter in sorted(self._counts.items()):
            counts.setdefault(split, {})[dialect] = dict(counter)
        sha256 = self._digest.hexdigest()
        document = {"schema": SCHEMA, "sha256": sha256, "counts": counts, "facts": self.facts}
        (folder / FACTS).write_bytes(_seal(document))
        return Frozen(folder=folder, sha256=sha256, counts=counts, facts=self.facts)


def make(folder: Path, fill: Callable[[Writer], None], *, named: Callable[[str], str] | None = None) -> Frozen:
    """
    Make the dataset *folder* of what *fill* writes; it is there whole, or not at all.

    The same lines again leave it as it is.

    Args:
        named: Gives the name by the manifest's hash; *folder* is then where it is made.

    Raises:
        InputError: E_DATASET if the folder holds another dataset.
        UnfitError: The place cannot be written.
    """
    parent, prefix = (folder, "frozen") if named else (folder.parent, folder.name)
    try:
        parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=parent, prefix=f".{prefix}."))
    except OSError as error:
        raise UnfitError(f"{folder} cannot be written: {error.strerror}", item=str(folder)) from error
    try:
        with closing(Writer(part)) as writer:
            fill(writer)
            made = writer.finish(part)
        return _settle(made, folder / named(made.sha256) if named else folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _settle(made: Frozen, folder: Path) -> Frozen:
    if (folder / FACTS).is_file():
        existing = read_dataset(folder)
        if existing.sha256 != made.sha256:
            what = f"it holds another dataset ({existing.sha256[:12]}, not {made.sha256[:12]}), and a frozen one stays"
            raise _refusal(folder, what, "give the new one another name")
        return existing
    made.folder.chmod(0o700)
    made.folder.replace(folder)
    return Frozen(folder=folder, sha256=made.sha256, counts=made.counts, facts=made.facts)


def write(folder: Path, examples: Iterable[Example], facts: Mapping[str, Any] | None = None) -> Frozen:
    """
    Freeze *examples* in *folder*: the same examples give the same bytes, whatever their order.

    Raises:
        InputError: E_DATASET if the folder holds another dataset.
    """

    def fill(writer: Writer) -> None:
        writer.facts = facts or {}
        for example in sorted(examples, key=lambda example: example.sort_key):
            writer.add(example)

    return make(folder, fill)


def read_dataset(folder: Path) -> Frozen:
    """
    Read the dataset in *folder*.

    Raises:
        InputError: E_DATASET if there is none, naming the nearest beside it, or it was changed since.
    """
    if not folder.exists():
        names = [file.parent.name for file in folder.parent.glob(f"[!.]*/{FACTS}")]
        message = f"the dataset {folder.name} was asked for; there are {len(names)}{name_nearest(folder.name, names)}"
        raise InputError(message, code="E_DATASET", hint="boli dataset list names them", item=folder.name)
    try:
        raw = (folder / FACTS).read_bytes()
        document = json.loads(raw)
        with (folder / MANIFEST).open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        # A flipped bit in this name must not pass for a dataset from before it was.
        is_whole = len(document) < 5 or _seal(document) == raw
        stated_sha256, counts, facts = document["sha256"], document["counts"], document["facts"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "freeze one with boli dataset freeze NAME"
        raise _refusal(folder, f"it cannot be read ({type(error).__name__})", hint) from error
    if sha256 != stated_sha256 or not is_whole:
        hint = "freeze it again: a changed dataset is another one"
        changed = MANIFEST if is_whole else FACTS
        raise _refusal(folder, f"{changed} was changed after it was frozen", hint)
    return Frozen(folder=folder, sha256=sha256, counts=counts, facts=facts)


def _seal(document: Mapping[str, Any]) -> bytes:
    """Encode what stands in ``dataset.json`` with the hash of all the rest, whatever hash it had."""
    bare = {name: field for name, field in document.items() if name != "facts_sha256"}
    seal = hashlib.sha256(json.dumps(bare, sort_keys=True).encode()).hexdigest()
    text = json.dumps({**bare, "facts_sha256": seal}, indent=1, ensure_ascii=False, sort_keys=True)
    return f"{text}\n".encode()


def line_of(example: Example) -> str:
    """Return *example* as a line of a manifest, without its end; equal examples give equal bytes."""
    origin = example.provenance
    return _COMPACT.encode(
        {
            "id": example.id,
            "audio": example.audio,
            "start_ms": example.start,
            "end_ms": example.end,
            "text": example.text,
            "dialect": example.dialect,
            "language": example.language,
            "speaker": example.speaker,
            "channel": example.channel,
            "session": example.session,
            "split": example.split,
            "provenance": None if origin is None else vars(origin),
            "guideline": example.guideline,
            "weight": example.weight,
            **({} if example.linked is None else {"linked": example.linked}),
        }
    )


def example_of(line: str) -> Example:
    """
    Read the example that *line* holds.

    Raises:
        ValueError, KeyError, TypeError: If it holds none.
    """
    fields = json.loads(line)
    start, end, origin = fields.pop("start_ms"), fields.pop("end_ms"), fields.pop("provenance")
    return Example(start=start, end=end, provenance=None if origin is None else Provenance(**origin), **fields)


def _parse_line(folder: Path, number: int, line: str) -> Example:
    try:
        return example_of(line)
    except (ValueError, KeyError, TypeError) as error:
        what = f"line {number} of {MANIFEST} is none of ours ({error})"
        raise _refusal(folder, what, "freeze it again with this version") from error


def _refusal(folder: Path, what: str, hint: str) -> InputError:
    return InputError(f"{folder} is not a dataset to work with: {what}", code="E_DATASET", hint=hint, item=str(folder))
