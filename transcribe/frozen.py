"""
A frozen dataset: what a model is tuned on and measured with, as a folder that is never changed again.

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

from transcribe.errors import InputError, UnfitError
from transcribe.records import Milliseconds, Split

MANIFEST: Final = "manifest.jsonl"
FACTS: Final = "dataset.json"
SCHEMA: Final = "boli.dataset/1"

_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a text comes from."""

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
    """A stretch of one person's speech, and what is said in it."""

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
        """Who speaks, under one name in all recordings; the recording where nobody said."""
        return self.linked or self.speaker or self.audio

    @property
    def place(self) -> tuple[str, int, Milliseconds, Milliseconds, str, str]:
        """What a manifest is ordered by."""
        return (
            self.audio,
            -1 if self.channel is None else self.channel,
            self.start,
            self.end,
            self.speaker or "",
            self.id,
        )


class Cell(NamedTuple):
    """Where and how much a stretch of written speech counts."""

    split: Split
    dialect: str
    words: int
    milliseconds: Milliseconds

    @classmethod
    def of(cls, one: Example) -> Cell | None:
        """``None`` for speech that nobody has written down."""
        if one.text is None:
            return None
        return cls(one.split, one.dialect or "und", len(one.text.split()), one.end - one.start)


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

    def examples(self, *splits: Split) -> Iterator[Example]:
        """
        The stretches of *splits*, or all, ordered by sound, channel, start, end, speaker. Streams.

        Raises:
            InputError: E_DATASET, naming the line, if one cannot be read.
        """
        for number, line in enumerate(self.lines(), 1):
            one = _example(self.folder, number, line)
            if not splits or one.split in splits:
                yield one

    def lines(self) -> Iterator[str]:
        """The manifest's lines as they stand, without their ends. Streams."""
        # Only "\n" ends a line: a text may hold one of Unicode's other line ends.
        with (self.folder / MANIFEST).open(encoding="utf-8", newline="\n") as stream:
            for line in stream:
                yield line.removesuffix("\n")


class Writer:
    """Takes the lines of a dataset in their order."""

    def __init__(self, folder: Path) -> None:
        self._stream = (folder / MANIFEST).open("wb")
        self._digest = hashlib.sha256()
        self._counts: dict[tuple[str, str], Counter[str]] = {}
        #: May be set until the dataset is whole.
        self.facts: Mapping[str, Any] = {}

    def add(self, one: Example) -> None:
        """The next example."""
        self.add_line(line_of(one).encode() + b"\n", Cell.of(one))

    def add_line(self, line: bytes, cell: Cell | None) -> None:
        """The next example as `line_of` wrote it, with its end."""
        self._stream.write(line)
        self._digest.update(line)
        if cell is not None:
            counter = self._counts.setdefault(cell[:2], Counter())
            counter["stretches"] += 1
            counter["words"] += cell.words
            counter["milliseconds"] += cell.milliseconds

    def close(self) -> None:
        """Let go of the file, finished or not."""
        self._stream.close()

    def finish(self, folder: Path) -> Frozen:
        """Write the counts and give the dataset, which still lies in *folder*."""
        self._stream.flush()
        os.fsync(self._stream.fileno())
        counts: dict[str, dict[str, dict[str, int]]] = {}
        for (split, dialect), found in sorted(self._counts.items()):
            counts.setdefault(split, {})[dialect] = dict(found)
        sha256 = self._digest.hexdigest()
        document = {"schema": SCHEMA, "sha256": sha256, "counts": counts, "facts": self.facts}
        text = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True)
        (folder / FACTS).write_text(text + "\n", encoding="utf-8")
        return Frozen(folder=folder, sha256=sha256, counts=counts, facts=self.facts)


def make(folder: Path, fill: Callable[[Writer], None], *, named: Callable[[str], str] | None = None) -> Frozen:
    """
    Make the dataset *folder* of what *fill* writes: it is there whole, or not at all.

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
        return _settled(made, folder / named(made.sha256) if named else folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _settled(made: Frozen, folder: Path) -> Frozen:
    if (folder / FACTS).is_file():
        known = read(folder)
        if known.sha256 != made.sha256:
            what = f"it holds another dataset ({known.sha256[:12]}, not {made.sha256[:12]}), and a frozen one stays"
            raise _refused(folder, what, "give the new one another name")
        return known
    made.folder.chmod(0o755)
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
        for one in sorted(examples, key=lambda each: each.place):
            writer.add(one)

    return make(folder, fill)


def read(folder: Path) -> Frozen:
    """
    The dataset in *folder*.

    Raises:
        InputError: E_DATASET if there is none, or it was changed since.
    """
    try:
        document = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        with (folder / MANIFEST).open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        known, counts, facts = document["sha256"], document["counts"], document["facts"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "freeze one with boli dataset freeze NAME"
        raise _refused(folder, f"it cannot be read ({type(error).__name__})", hint) from error
    if sha256 != known:
        hint = "freeze it again: a changed dataset is another one"
        raise _refused(folder, f"{MANIFEST} was changed after it was frozen", hint)
    return Frozen(folder=folder, sha256=sha256, counts=counts, facts=facts)


def line_of(one: Example) -> str:
    """*one* as a line of a manifest, without its end. Equal examples give equal bytes."""
    origin = one.provenance
    return _COMPACT.encode(
        {
            "id": one.id,
            "audio": one.audio,
            "start_ms": one.start,
            "end_ms": one.end,
            "text": one.text,
            "dialect": one.dialect,
            "language": one.language,
            "speaker": one.speaker,
            "channel": one.channel,
            "session": one.session,
            "split": one.split,
            "provenance": None if origin is None else vars(origin),
            "guideline": one.guideline,
            "weight": one.weight,
            **({} if one.linked is None else {"linked": one.linked}),
        }
    )


def example_of(line: str) -> Example:
    """
    The example that *line* holds.

    Raises:
        ValueError, KeyError, TypeError: If it holds none.
    """
    found = json.loads(line)
    start, end, origin = found.pop("start_ms"), found.pop("end_ms"), found.pop("provenance")
    return Example(start=start, end=end, provenance=None if origin is None else Provenance(**origin), **found)


def _example(folder: Path, number: int, line: str) -> Example:
    try:
        return example_of(line)
    except (ValueError, KeyError, TypeError) as error:
        what = f"line {number} of {MANIFEST} is none of ours ({error})"
        raise _refused(folder, what, "freeze it again with this version") from error


def _refused(folder: Path, what: str, hint: str) -> InputError:
    return InputError(f"{folder} is not a dataset to work with: {what}", code="E_DATASET", hint=hint, item=str(folder))
