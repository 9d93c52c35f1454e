"""
A recording's texts as examples, and which of them may not be learnt from because what is tested knows them.

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

from dialects.dialect import Catalogue
from dialects.normalise import Normaliser, load_normaliser
from dialects.seen import SHORTEST
from dialects.variants import parse_inline
from transcribe.frozen import Cell, Example, Provenance
from transcribe.masking import MASK, Span
from transcribe.records import Recording, Segment, Split
from transcribe.store.freezing import Transcribed, Written

#: Why a stretch is not learnt from.
Reason: TypeAlias = Literal["speaker", "conversation", "sentence"]
REASONS: Final[tuple[Reason | None, ...]] = (None, *get_args(Reason))
SPLITS: Final[tuple[Split, ...]] = get_args(Split)
#: Stands for the dialect of a stretch that nobody has written down.
_NOTHING: Final = 2**32 - 1
#: Longest stretch that a column holds: 49 days.
_MOST: Final = 2**32 - 1


class Spelling(NamedTuple):
    """How a dialect's texts are made comparable, and what Whisper calls its language."""

    normaliser: Normaliser
    whisper: str | None


class Spellings(dict[str | None, Spelling]):
    """The spelling of each tag, looked up once. ``None`` is a dialect that nobody stated."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__()
        self._catalogue = catalogue

    def __missing__(self, tag: str | None) -> Spelling:
        known = self._catalogue.find(tag or "und")
        found = self[tag] = Spelling(load_normaliser(known.normaliser), known.whisper if tag else None)
        return found


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What decides what a dataset holds."""

    catalogue: Catalogue
    #: Sentences may be shared with the test.
    closed_vocabulary: bool = False
    #: Version of the rules that texts are written by.
    guideline: str | None = None
    #: Consents that keep a recording out, in lower case.
    refused_consent: frozenset[str] = frozenset()
    #: Whether the sound of a recording, by id, is still there.
    sounds: Callable[[str], bool] = lambda recording: True

    @cached_property
    def spellings(self) -> Spellings:
        return Spellings(self.catalogue)

    def refusal(self, recording: Recording) -> Literal["consent", "erased"] | None:
        """Why nothing of *recording* may be used; ``None`` if it may."""
        if (recording.consent or "").strip().lower() in self.refused_consent:
            return "consent"
        return None if self.sounds(recording.id) else "erased"

    def examples(self, found: Transcribed) -> Iterator[Example]:
        """
        The stretches of one recording, in no particular order; of the test only what is written down.

        Where something is masked there is speech that nobody wrote down, and a text that touches it is not there.
        """
        hidden: set[Span] = set()
        for written in found.written:
            if is_masked(written, found.masked):
                hidden.add((written.correction.start, written.correction.end))
            else:
                yield self._example(found.recording, written)
        if found.recording.split != "test":
            for segment in found.unwritten:
                yield _unwritten(found.recording, segment)
            for start, end in sorted(hidden.union(found.masked)):
                segment = Segment(recording=found.recording.id, speaker="", start=start, end=end)
                yield _unwritten(found.recording, segment)

    def _example(self, recording: Recording, written: Written) -> Example:
        said = written.correction
        dialect = said.dialect if said.dialect is not None else recording.dialect
        # A test keeps every allowed spelling; what is learnt is one of them.
        text = said.text
        if recording.split != "test" and "{" in text:
            text = parse_inline(text).text
        return Example(
            id=said.id,
            audio=recording.id,
            start=said.start,
            end=said.end,
            text=text,
            dialect=dialect,
            language=self.spellings[dialect or recording.language].whisper,
            speaker=said.speaker if said.speaker is not None else recording.speaker,
            channel=written.channel,
            session=recording.session,
            split=recording.split,
            provenance=Provenance(by=said.author, draft=said.model, reviewed=written.reviewer),
            guideline=self.guideline,
        )


def is_masked(written: Written, masked: Sequence[Span]) -> bool:
    """Whether *written* touches what is masked, or has the mark in its text."""
    said = written.correction
    return MASK in said.text or (bool(masked) and any(start < said.end and end > said.start for start, end in masked))


def _unwritten(recording: Recording, segment: Segment) -> Example:
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


def with_link(one: Example, names: Mapping[str, str]) -> Example:
    """Give *one* the name in *names* of its speaker, where accepted links make it one with others."""
    name = names.get(one.speaker or "")
    return one if name is None else replace(one, linked=name)


def emptied(one: Example) -> Example:
    """*one* as speech that nobody has written down: its sound is still no silence."""
    return replace(one, text=None, language=None, provenance=None, guideline=None, weight=0.0)


def sentence_of(one: Example, spellings: Spellings) -> str:
    """What *one* says, by the spelling rules of its dialect; empty where it is too short to be told from chance."""
    text = one.text or ""
    if "{" in text:
        text = parse_inline(text).text
    words = spellings[one.dialect or one.language].normaliser(text).split()
    return " ".join(words) if len(words) >= SHORTEST else ""


class Ledger:
    """
    What stretches are recognised by in another split, a few numbers each: a million must fit.

    Speakers, conversations and dialects are numbered as they come. A sentence is a hash of 64 bits; 0 is none.
    """

    def __init__(self, spellings: Spellings) -> None:
        self._spellings = spellings
        self._names: dict[str, int] = {}
        self._dialects: dict[str, int] = {}
        self._splits, self._of_dialects = array("B"), array("I")
        self._speakers, self._conversations, self._sentences = array("I"), array("I"), array("Q")
        self._words, self._lengths = array("I"), array("I")

    def add(self, one: Example) -> None:
        """The next stretch. A recording without a stated conversation is one of its own."""
        cell = Cell.of(one)
        self._splits.append(SPLITS.index(one.split))
        self._speakers.append(self._number(f"speaker {one.person}"))
        self._conversations.append(self._number(f"session {one.session}" if one.session else f"audio {one.audio}"))
        self._sentences.append(_hash(sentence_of(one, self._spellings)))
        dialect = _NOTHING if cell is None else self._dialects.setdefault(cell.dialect, len(self._dialects))
        self._of_dialects.append(dialect)
        self._words.append(0 if cell is None else cell.words)
        self._lengths.append(0 if cell is None else min(cell.milliseconds, _MOST))

    def cells(self) -> Iterator[Cell | None]:
        """Where each stretch counts, in the order in which they came."""
        tags = list(self._dialects)
        for split, dialect, words, length in zip(
            self._splits, self._of_dialects, self._words, self._lengths, strict=True
        ):
            yield None if dialect == _NOTHING else Cell(SPLITS[split], tags[dialect], words, length)

    def reasons(self, *, closed_vocabulary: bool) -> Iterator[Reason | None]:
        """
        Why each stretch may not be used, in the order in which they came; ``None`` where it may.

        The test always may; what is watched while training may not share with the test, and training with neither.
        """
        import numpy as np

        splits, speakers, conversations, sentences = (
            np.frombuffer(column, dtype=column.typecode)
            for column in (self._splits, self._speakers, self._conversations, self._sentences)
        )
        found = np.zeros(len(splits), dtype=np.int8)
        written = np.frombuffer(self._of_dialects, dtype="I") != _NOTHING
        in_test = splits == SPLITS.index("test")
        if not closed_vocabulary:
            said = sentences[in_test & (sentences != 0)]
            found[~in_test & np.isin(sentences, said)] = REASONS.index("sentence")
        for column, reason in ((conversations, "conversation"), (speakers, "speaker")):
            for weaker, stronger in (("train", "dev"), ("train", "test"), ("dev", "test")):
                kept = column[splits == SPLITS.index(stronger)]
                shared = np.isin(column, np.unique(kept)) & (splits == SPLITS.index(weaker))
                found[shared] = REASONS.index(reason)
        found[~written] = 0
        for number in found.tolist():
            yield REASONS[number]

    def speakers(self) -> dict[str, dict[str, int]]:
        """How many people are heard, by split and dialect."""
        people: dict[tuple[str, str], set[int]] = {}
        tags = list(self._dialects)
        for split, dialect, speaker in zip(self._splits, self._of_dialects, self._speakers, strict=True):
            if dialect != _NOTHING:
                people.setdefault((SPLITS[split], tags[dialect]), set()).add(speaker)
        counts: dict[str, dict[str, int]] = {}
        for (part, tag), found in sorted(people.items()):
            counts.setdefault(part, {})[tag] = len(found)
        return counts

    def _number(self, name: str) -> int:
        return self._names.setdefault(name, len(self._names))


def _hash(text: str) -> int:
    if not text:
        return 0
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
