"""
Define the nouns of the pipeline: frozen records that pass between its steps.

Times are milliseconds from the start of the recording. ``None`` means unknown, never a default.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

#: Time from the start of a recording. Integers, because float seconds need patching after every sum.
Milliseconds: TypeAlias = int

#: Part of the corpus, drawn by speaker at ingest and never moved.
Split: TypeAlias = Literal["train", "dev", "test"]

#: How channels are heard: averaged into one, or each channel a person of its own.
ChannelMode: TypeAlias = Literal["mix", "split"]


#: What a recording's speakers said of its use, in one of four words.
Consent: TypeAlias = Literal["given", "refused", "withdrawn", "unknown"]
#: The consents under which a recording is withheld from everything.
Withheld: TypeAlias = Literal["refused", "withdrawn"]


def content_id(*parts: object) -> str:
    """Return a stable id made of content: 32 hexadecimal digits of SHA-256 over the JSON of *parts*."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


#: Bandwidths of telephone sound, at whatever rate it came. What ends lower is no speech.
NARROW_BAND_HZ = range(2_500, 4_301)
#: Share of clipped samples that can be heard.
CLIPPED_SHARE = 0.001


@dataclass(frozen=True, kw_only=True)
class Quality:
    """The quality of a recording's sound, measured while it was taken in. ``None``: too little sound to tell."""

    #: Mean level of speech, dB below full scale, pauses left out.
    level_dbfs: float | None
    #: Speech over the noise of the pauses, dB, 60 at most.
    snr_db: float | None
    #: Share of the samples that are cut off at a ceiling, from 0 to 1.
    clipped_share: float
    #: Frequency above which there is nothing: some 3,400 on a telephone, 8,000 at most.
    bandwidth_hz: int | None
    #: How long its channels cancel each other, and how long one is silent while another is not.
    cancelled: Milliseconds = 0
    dead: Milliseconds = 0


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One audio file as received. The same bytes are the same recording, whatever the file is called."""

    #: SHA-256 of the file's bytes, 64 hexadecimal digits.
    id: str
    #: Path as ingested, for people to recognise it. Never opened again: work reads the normalised copy.
    path: str
    #: Length of the decoded sound.
    duration: Milliseconds
    #: Sampling rate of the source; the normalised copy is 16 kHz.
    rate_hz: int
    #: Channels of the source.
    channels: int
    channel_mode: ChannelMode = "mix"
    #: BCP 47 tag, as declared. ``None`` when nobody said.
    dialect: str | None = None
    #: Primary language subtag; falls back to that of *dialect* and to nothing else.
    language: str | None = None
    #: Declared speaker of the whole recording.
    speaker: str | None = None
    session: str | None = None
    consent: str | None = None
    licence: str | None = None
    source: str | None = None
    #: Number of speakers, where somebody counted.
    num_speakers: int | None = None
    split: Split = "train"
    #: Set where nobody may hear, read, score or learn from it.
    withheld: Withheld | None = None
    #: Unknown manifest columns, kept as they came.
    facts: Mapping[str, str] = field(default_factory=dict)
    #: Turns of a sidecar: who really speaks when, for names and dialects of diarised turns.
    declared: tuple[DeclaredTurn, ...] = ()
    #: Codes and sentences of what was odd but bearable: ``W_NARROWBAND: …``.
    warnings: tuple[str, ...] = ()
    #: ``None``: taken in before quality was measured.
    quality: Quality | None = None


@dataclass(frozen=True, kw_only=True)
class DeclaredTurn:
    """A turn that came with the recording (RTTM, STM, JSONL): truth or somebody's claim, not the diariser's."""

    start: Milliseconds
    end: Milliseconds
    speaker: str
    dialect: str | None = None
    text: str | None = None


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One speaker's uninterrupted stretch, from the diariser. Turns of different speakers may overlap."""

    recording: str
    #: ``<recording>/<label>``, or the declared speaker that this turn overlaps most.
    speaker: str
    start: Milliseconds
    end: Milliseconds
    dialect: str | None = None
    #: Source channel, where channels are kept apart.
    channel: int | None = None
    #: What the diariser itself called the voice, whatever name it was given since: attribution is judged by it.
    label: str | None = None


@dataclass(frozen=True, kw_only=True)
class Voice:
    """The mean embedding of one speaker's speech in one recording: biometric data, which never leaves the store."""

    recording: str
    #: As the recording's turns name the speaker.
    speaker: str
    #: Source channel, where channels are kept apart.
    channel: int | None = None
    #: Components of a vector of unit length, little-endian float32.
    vector: bytes
    #: How long the speaker talks alone.
    speech: Milliseconds
    #: Id of what made the vector. Vectors of two makers cannot be compared.
    maker: str


@dataclass(frozen=True, kw_only=True)
class SpeakerLink:
    """A person's word that two speakers are one person, or that they are two."""

    #: The smaller of the two names.
    first: str
    second: str
    #: ``False``: they are two people.
    accepted: bool
    #: Name of the account that decided.
    by: str | None
    #: UTC.
    at: str


@dataclass(frozen=True, kw_only=True)
class Segment:
    """The unit that is heard, drafted and corrected: one speaker, at most 28 s."""

    recording: str
    speaker: str
    start: Milliseconds
    end: Milliseconds
    dialect: str | None = None
    channel: int | None = None
    #: The id that it was saved under, where its speaker was relabelled since.
    saved_id: str | None = None

    @property
    def id(self) -> str:
        """The id, made of content, so that a second run names the same stretch alike."""
        return self.saved_id or content_id(self.recording, self.speaker, self.start, self.end, self.channel)


@dataclass(frozen=True, kw_only=True)
class Word:
    """A word as drafted, with the times and the probability that the model gave it."""

    text: str
    start: Milliseconds
    end: Milliseconds
    probability: float
    #: Whether a blank stands before it: not in scripts that write none, whose words the model cuts finer than people.
    blank: bool = True


def join_words(words: Iterable[Word]) -> str:
    """
    Return the text of *words*: a blank before each word that has one, none at the start.

    >>> join_words([Word(text=t, start=0, end=1, probability=1, blank=b) for t, b in [("ไป", True), ("ไหน", False)]])
    'ไปไหน'
    """
    return "".join(f" {word.text}" if word.blank else word.text for word in words).removeprefix(" ")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A model's text for a segment, pinned to the model and the settings that made it."""

    #: Segment id.
    segment: str
    #: Id of the model: the hash of its files.
    model: str
    #: Hash of every setting that can change the text, the diarisation's included.
    settings: str
    words: tuple[Word, ...]
    #: Mean log-probability of the tokens of the windows it came from.
    log_probability: float | None = None
    #: Reasons to distrust it, by the names of `transcribe.pipeline.draft_checks.flags`.
    flags: tuple[str, ...] = ()
    #: Text of a second opinion that disagrees with it and is surer of itself.
    alternative: str | None = None

    @property
    def text(self) -> str:
        return join_words(self.words)


@dataclass(frozen=True, kw_only=True)
class Drafted:
    """The result of `boli run` for one recording: what the store takes in one transaction."""

    recording: str
    #: Hash of the diariser and the settings that made the turns.
    diarisation: str
    #: Hash of everything that made the drafts, *diarisation* included: the mark that this work is done.
    settings: str
    #: Id of the recogniser.
    model: str
    #: Overlap kept.
    turns: tuple[Turn, ...]
    #: One speaker at any moment; what words were given to.
    exclusive: tuple[Turn, ...]
    segments: tuple[Segment, ...]
    drafts: tuple[Draft, ...]
    warnings: tuple[str, ...] = ()
    #: Of the speakers of *turns*; empty where the diariser gives none, or the turns were in the store before.
    voices: tuple[Voice, ...] = ()


#: What was said as it was said, or the same in the usual spelling.
Tier: TypeAlias = Literal["verbatim", "normalised"]


@dataclass(frozen=True, kw_only=True)
class Correction:
    """
    A person's text for a stretch of a recording. Append-only: a change of mind is a new one.

    *segment* is set where the correction was made on a segment; the span is always there, because segments
    change when a recording is diarised again and corrections must not.
    """

    id: str
    recording: str
    start: Milliseconds
    end: Milliseconds
    text: str
    speaker: str | None = None
    dialect: str | None = None
    segment: str | None = None
    #: Model whose draft it began from; ``None`` when typed from the sound alone.
    model: str | None = None
    #: Who wrote it: a person's name in the project, or the file it was imported from.
    author: str | None = None
    accepted: bool = True
    #: The normalised tier: the same in the usual spelling. *text* is what was said, the verbatim tier.
    normalised: str | None = None


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """A draft that counts without a person having looked: a pseudo-label, never of the test split."""

    segment: str
    recording: str
    #: What made the draft.
    model: str
    settings: str
    #: Canonical tag.
    dialect: str
    #: How little the draft is to be relied on, and the error rate that this made expect.
    doubt: float
    risk: float
    #: The rate that was allowed.
    allowed: float
    #: Whether a person is to write it again, blindly.
    audit: bool = False


#: What a model does: it writes drafts, or tells speakers apart.
ModelKind: TypeAlias = Literal["recogniser", "diariser"]


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model that drafts can be made with."""

    #: Hash of the folder's files, or of hub id and revision.
    id: str
    #: Folder or hub id.
    place: str
    name: str
    state: Literal["candidate", "promoted", "retired"] = "candidate"
    #: Longest window that a recogniser was made for.
    window: Milliseconds = 28_000
    kind: ModelKind = "recogniser"


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """The origin of a tuned model."""

    #: Id of the model that was tuned.
    base: str
    #: Name and hash of the frozen dataset: which corrections, by whom written and reviewed, stands there.
    dataset: str
    dataset_sha256: str
    #: How it was tuned.
    parameters: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    #: Counts of the dataset that tell where its texts come from.
    origins: Mapping[str, int] = field(default_factory=dict)
    #: Version of the rules that the texts were written by.
    guideline: str | None = None
    #: How long tuning took.
    seconds: float = 0.0
    #: Recordings of the dataset that were withheld then, so that nothing of them was learnt.
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """A model that began to draft."""

    model: str
    #: The one that drafted until then.
    before: str | None
    #: ``gate``, ``chosen`` by name, ``rollback``.
    why: str
    #: UTC.
    at: str


@dataclass(frozen=True, kw_only=True)
class ScoringSpan:
    """One accepted correction beside the words a model drafted there: what WER is made of."""

    #: Correction id.
    id: str
    recording: str
    speaker: str | None
    dialect: str | None
    session: str | None
    split: Split
    start: Milliseconds
    end: Milliseconds
    reference: str
    hypothesis: str
    #: The name that accepted links give the speaker; ``None`` where there is no link.
    linked: str | None = None
    #: Where it was said, as the column ``context`` of the manifest has it.
    context: str | None = None
    #: Signal-to-noise ratio of the whole recording, where it was measured.
    snr_db: float | None = None

    @property
    def person(self) -> str:
        """The speaker under one name in all recordings; the recording where nobody said."""
        return self.linked or self.speaker or self.recording
