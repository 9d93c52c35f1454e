"""
What a model was trained on must not be what it is tested on: the same people, or the same sentences.

A person whom a model knows is heard better than a stranger, and a sentence that it knows is not heard at all. So the
rates of the unseen are the report, and those of the seen stand beside it, or the report is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dialects.errors import DialectError
from dialects.grouping import Grouping, grouped_by
from dialects.normalise import Normaliser
from dialects.preparing import Preparer
from dialects.reading import read_rows
from dialects.rows import Method
from dialects.scoring import Pair

#: Words from which on a sentence is told by chance no more: shorter ones recur wherever people talk.
SHORTEST = 4
_TEXTS = ("text", "reference")


@dataclass(frozen=True, kw_only=True)
class Training:
    """Who and what a model was trained on."""

    speakers: frozenset[str]
    #: As written.
    sentences: frozenset[str]


def read_training(path: Path) -> Training:
    """
    The speakers and sentences of a train manifest: a CSV, JSONL or Parquet file.

    The columns ``speaker`` and ``text`` (or ``reference``) are read, at least one of them must be there; an empty cell
    is nobody, or nothing.

    Raises:
        DialectError: E_PAIRS for a file or row that cannot be taken, E_TRAIN if it has neither column.
    """
    speakers: set[str] = set()
    sentences: set[str] = set()
    columns: set[str] = set()
    for _, cells in read_rows(path):
        columns.update(cells)
        speakers.add(str(cells.get("speaker") or ""))
        sentences.update(str(cells.get(name) or "") for name in _TEXTS)
    if not columns.intersection(("speaker", *_TEXTS)):
        message = f"{path.name} was given as a train manifest; it has neither a speaker nor a text"
        raise DialectError("E_TRAIN", message, hint="name the columns speaker and text", row=1, column="speaker")
    return Training(speakers=frozenset(speakers - {""}), sentences=frozenset(sentences - {""}))


@dataclass(frozen=True, kw_only=True)
class Apart:
    """Pairs told apart by whether the training knew them."""

    unseen: tuple[Pair, ...]
    #: The speaker was heard in training.
    speaker: tuple[Pair, ...]
    #: The speaker was not, and the sentence was.
    sentence: tuple[Pair, ...]

    @property
    def sentence_for_people(self) -> str:
        """What was found, with examples."""
        found = []
        if self.speaker:
            names = sorted({pair.speaker for pair in self.speaker})
            found.append(f"{len(self.speaker)} segments of {len(names)} speakers heard in training, as {names[0]!r}")
        if self.sentence:
            found.append(f"{len(self.sentence)} segments whose sentence is in the training, as {self.sentence[0].id!r}")
        return " and ".join(found)

    def refuse(self) -> None:
        """
        Stop where anything was seen.

        Raises:
            DialectError: E_SEEN.
        """
        if self.speaker or self.sentence:
            message = f"speech that no training knew was to be scored; found {self.sentence_for_people}"
            hint = "take them out, or let --allow-seen print them as rows of their own"
            raise DialectError("E_SEEN", message, hint=hint)

    def grouped(self, prepare: Preparer, *, method: Method | None = None) -> Grouping:
        """The rates of the unseen, the seen speakers and the seen sentences, a row each."""
        named = ((0, "unseen", self.unseen), (1, "speaker seen", self.speaker), (2, "sentence seen", self.sentence))
        value = {id(pair): (at, name) for at, name, pairs in named for pair in pairs}
        every = (pair for _, _, pairs in named for pair in pairs)
        return grouped_by(every, prepare, lambda pair, _: (value[id(pair)],), keys=("training",), method=method)


def tell_apart(pairs: Iterable[Pair], training: Training, prepare: Preparer) -> Apart:
    """*pairs* by what *training* knew; sentences are compared normalised, from four words on."""
    known: dict[str, frozenset[str]] = {}
    unseen: list[Pair] = []
    speaker: list[Pair] = []
    sentence: list[Pair] = []
    for pair in pairs:
        normalise = prepare.rules(pair).normaliser
        if normalise.id not in known:
            known[normalise.id] = _sentences(training.sentences, normalise)
        if pair.speaker in training.speakers:
            speaker.append(pair)
        elif " ".join(prepare(pair).reference) in known[normalise.id]:
            sentence.append(pair)
        else:
            unseen.append(pair)
    return Apart(unseen=tuple(unseen), speaker=tuple(speaker), sentence=tuple(sentence))


def _sentences(written: Iterable[str], normalise: Normaliser) -> frozenset[str]:
    words: Iterable[Sequence[str]] = (normalise(text).split() for text in written)
    return frozenset(" ".join(one) for one in words if len(one) >= SHORTEST)
