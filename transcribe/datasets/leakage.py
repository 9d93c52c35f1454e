"""
Turn a recording's texts into examples, and leave out of training what is tested.

Splits are those that were drawn at ingest, and never move. Where a voice or a conversation turned up on both sides
since, and where a sentence of the test is said in training too, it is the training that goes without.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

from dialects.contamination import SHORTEST
from dialects.dialect import Catalogue
from dialects.text.code_switching import remove_language_marks
from dialects.text.normalise import Normaliser, load_normaliser
from dialects.text.variants import parse_inline
from transcribe.datasets.manifest import Cell, Example, Provenance
from transcribe.records import Recording, Segment, Split
from transcribe.redaction import MASK, Span
from transcribe.store.dataset_source import Transcribed, Written

#: Why a stretch is not learnt from.
Reason: TypeAlias = Literal["speaker", "conversation", "sentence"]
REASONS: Final[tuple[Reason | None, ...]] = (None, *get_args(Reason))
SPLITS: Final[tuple[Split, ...]] = get_args(Split)
#: Stands for the dialect of a stretch that nobody has written down.
_NOTHING: Final = 2**32 - 1
#: Longest stretch that a column holds: 49 days.
_MOST: Final = 2**32 - 1


class Spelling(NamedTuple):
    """The rules that make a dialect's texts comparable, and Whisper's name of its language."""

    normaliser: Normaliser
    whisper: str | None


class Spellings(dict[str | None, Spelling]):
    """The spelling of each tag, looked up once; ``None`` is a dialect that nobody stated."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__()
        self._catalogue = catalogue

    def __missing__(self, tag: str | None) -> Spelling:
        dialect = self._catalogue.find(tag or "und")
        spelling = self[tag] = Spelling(load_normaliser(dialect.normaliser), dialect.whisper if tag else None)
        return spelling


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The rules that decide what a dataset holds."""

    catalogue: Catalogue
    #: Sentences may be shared with the test.
    closed_vocabulary: bool = False
    #: Version of the rules that texts are written by.
    guideline: str | None = None
    #: Whether the sound of a recording, by id, is still there.
    sounds: Callable[[str], bool] = lambda recording: True

    @cached_property
    def spellings(self) -> Spellings:
        return Spellings(self.catalogue)

    def refusal(self, recording: Recording) -> Literal["erased"] | None:
        """Return why nothing of *recording* may be used; ``None`` if it may."""
        return None if self.sounds(recording.id) else "erased"

    def examples(self, transcribed: Transcribed) -> Iterator[Example]:
        """
        Yield the stretches of one recording, in no particular order; of the test only what is written down.

        Where something is masked there is speech that nobody wrote down, and a text that touches it is not there.
        """
        hidden: set[Span] = set()
        for written in transcribed.written:
            if is_masked(written, transcribed.masked):
                hidden.add((written.correction.start, written.correction.end))
            else:
                yield self._make_example(transcribed.recording, written)
        if transcribed.recording.split != "test":
            for segment in transcribed.unwritten:
                yield _make_unwritten(transcribed.recording, segment)
            for start, end in sorted(hidden.union(transcribed.masked)):
                segment = Segment(recording=transcribed.recording.id, speaker="", start=start, end=end)
                yield _make_unwritten(transcribed.recording, segment)

    def _make_example(self, recording: Recording, written: Written) -> Example:
        correction = written.correction
        dialect = correction.dialect if correction.dialect is not None else recording.dialect
        # A test keeps every allowed spelling; what is learnt is one of them.
        text = correction.text
        if recording.split != "test":
            text = _make_plain(text)
        return Example(
            id=correction.id,
            audio=recording.id,
            start=correction.start,
            end=correction.end,
            text=text,
            dialect=dialect,
            language=self.spellings[dialect or recording.language].whisper,
            speaker=correction.speaker if correction.speaker is not None else recording.speaker,
            channel=written.channel,
            session=recording.session,
            split=recording.split,
            provenance=Provenance(by=correction.author, draft=correction.model, reviewed=written.reviewer),
            guideline=self.guideline,
        )


def is_masked(written: Written, masked: Sequence[Span]) -> bool:
    """Tell if *written* touches a masked span, or has the mark in its text."""
    correction = written.correction
    return MASK in correction.text or (
        bool(masked) and any(start < correction.end and end > correction.start for start, end in masked)
    )


def _make_unwritten(recording: Recording, segment: Segment) -> Example:
    return Example(
        id=segment.id,
        audio=recording.id,
        start=segment.start,
        end=segment.end,
        text=None,
        dialect=segment.dialect if segment.dialect is not None else recording.dialect,
        speaker=segment.speaker or None,
        channel=segment.channel,
        session=recording.session,
        split=recording.split,
        provenance=None,
        weight=0.0,
    )


def with_link(example: Example, names: Mapping[str, str]) -> Example:
    """Return *example* with the name in *names* of its speaker, where accepted links make it one with others."""
    name = names.get(example.speaker or "")
    return example if name is None else replace(example, linked=name)


def without_text(example: Example) -> Example:
    """Return *example* as speech that nobody has written down: its sound is still no silence."""
    return replace(example, text=None, language=None, provenance=None, guideline=None, weight=0.0)


def sentence_of(example: Example, spellings: Spellings) -> str:
    """
    Return the normalised text of *example* by its dialect's rules; empty where it is too short to be told from chance.
    """
    words = list_words(example, spellings)
    return " ".join(words) if len(words) >= SHORTEST else ""


def list_words(example: Example, spellings: Spellings) -> list[str]:
    """List the normalised words of *example* by its dialect's rules."""
    return spellings[example.dialect or example.language].normaliser(_make_plain(example.text or "")).split()


def _make_plain(text: str) -> str:
    """Take inline alternatives and marks of other languages out of *text*."""
    text = remove_language_marks(text)
    return parse_inline(text).text if "{" in text else text


class Ledger:
    """
    The numbers by which stretches are recognised in another split, a few for each: a million must fit.

    Speakers, conversations and dialects are numbered as they come. A sentence is a hash of 64 bits; 0 is none.
    """

    def __init__(self, spellings: Spellings) -> None:
        self._spellings = spellings
        self._names: dict[str, int] = {}
        self._dialects: dict[str, int] = {}
        self._splits, self._of_dialects = array("B"), array("I")
        self._speakers, self._conversations, self._sentences = array("I"), array("I"), array("Q")
        self._words, self._lengths = array("I"), array("I")

    def add(self, example: Example) -> None:
        """Add the next stretch; a recording without a stated conversation is one of its own."""
        cell = Cell.of(example)
        self._splits.append(SPLITS.index(example.split))
        self._speakers.append(self._number(f"speaker {example.person}"))
        self._conversations.append(
            self._number(f"session {example.session}" if example.session else f"audio {example.audio}")
        )
        self._sentences.append(_hash(sentence_of(example, self._spellings)))
        dialect = _NOTHING if cell is None else self._dialects.setdefault(cell.dialect, len(self._dialects))
        self._of_dialects.append(dialect)
        self._words.append(0 if cell is None else cell.words)
        self._lengths.append(0 if cell is None else min(cell.milliseconds, _MOST))

    def cells(self) -> Iterator[Cell | None]:
        """Yield the cell in which each stretch counts, in the order in which they came."""
        tags = list(self._dialects)
        for split, dialect, words, length in zip(
            self._splits, self._of_dialects, self._words, self._lengths, strict=True
        ):
            yield None if dialect == _NOTHING else Cell(SPLITS[split], tags[dialect], words, length)

    def reasons(self, *, closed_vocabulary: bool) -> Iterator[Reason | None]:
        """
        Yield why each stretch may not be used, in the order in which they came; ``None`` where it may.

        The test always may; what is watched while training may not share with the test, and training with neither.
        """
        import numpy as np

        splits, speakers, conversations, sentences = (
            np.frombuffer(column, dtype=column.typecode)
            for column in (self._splits, self._speakers, self._conversations, self._sentences)
        )
        reason_indices = np.zeros(len(splits), dtype=np.int8)
        written = np.frombuffer(self._of_dialects, dtype="I") != _NOTHING
        in_test = splits == SPLITS.index("test")
        if not closed_vocabulary:
            tested_sentences = sentences[in_test & (sentences != 0)]
            reason_indices[~in_test & np.isin(sentences, tested_sentences)] = REASONS.index("sentence")
        for column, reason in ((conversations, "conversation"), (speakers, "speaker")):
            for weaker, stronger in (("train", "dev"), ("train", "test"), ("dev", "test")):
                stronger_keys = column[splits == SPLITS.index(stronger)]
                shared = np.isin(column, np.unique(stronger_keys)) & (splits == SPLITS.index(weaker))
                reason_indices[shared] = REASONS.index(reason)
        reason_indices[~written] = 0
        for number in reason_indices.tolist():
            yield REASONS[number]

    def speakers(self) -> dict[str, dict[str, int]]:
        """Count the speakers by split and dialect."""
        people: dict[tuple[str, str], set[int]] = {}
        tags = list(self._dialects)
        for split, dialect, speaker in zip(self._splits, self._of_dialects, self._speakers, strict=True):
            if dialect != _NOTHING:
                people.setdefault((SPLITS[split], tags[dialect]), set()).add(speaker)
        counts: dict[str, dict[str, int]] = {}
        for (part, tag), speakers in sorted(people.items()):
            counts.setdefault(part, {})[tag] = len(speakers)
        return counts

    def _number(self, name: str) -> int:
        return self._names.setdefault(name, len(self._names))


def _hash(text: str) -> int:
    if not text:
        return 0
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
