"""Reference turns of conversations, out of the corrections of a frozen dataset."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from transcribe.datasets.manifest import Example, Frozen
from transcribe.protocols import LabelledSpan, Span
from transcribe.records import Milliseconds, Split

#: Share of the speech of a conversation that may be uncorrected; of one with more, too little is known.
MOST_OPEN: Final = 0.2


@dataclass(frozen=True, kw_only=True)
class CorrectedConversation:
    """One recording of which people corrected nearly all."""

    #: Id of the recording.
    recording: str
    split: Split
    #: The conversation that the recording is a part of: its session, or the recording.
    session: str
    #: Dialect that most of the speech is in; ``None`` where nobody said.
    dialect: str | None
    #: By start; the labels are the names of the speakers.
    turns: tuple[LabelledSpan, ...]
    #: Speech that nobody corrected or may hear, in time order: it is not judged.
    unscored: tuple[Span, ...] = ()

    @property
    def speech(self) -> Mapping[str, Milliseconds]:
        """The length of each speaker's speech."""
        return _durations(self.turns)

    def scored_spans(self, duration: Milliseconds) -> list[tuple[Milliseconds, Milliseconds]]:
        """List the stretches of a recording of *duration* that are judged, in order and apart."""
        spans, start = [], 0
        for span in sorted(self.unscored, key=lambda span: span.start):
            if span.start > start:
                spans.append((start, span.start))
            start = max(start, span.end)
        return [*spans, (start, duration)] if start < duration else spans


def corrected_conversations(
    frozen: Frozen, *splits: Split, unwritten: Mapping[str, Sequence[Span]] | None = None
) -> Iterator[CorrectedConversation]:
    """
    Yield the conversations of *splits* of which people corrected nearly all and named every speaker, by recording.

    Recordings of channels that are kept apart tell nothing: each channel is one person's.

    Args:
        frozen: The corrections.
        splits: All where none is named.
        unwritten: Further speech that nobody corrected or may hear, by recording.
    """
    for recording, group in itertools.groupby(frozen.examples(*splits), key=lambda example: example.audio):
        uncorrected = (unwritten or {}).get(recording, ())
        conversation = _make_conversation(recording, list(group), uncorrected)
        if conversation is not None:
            yield conversation


def _make_conversation(
    recording: str, examples: list[Example], unwritten: Iterable[Span]
) -> CorrectedConversation | None:
    written = [example for example in examples if _tells_a_speaker(example)]
    others = [Span(start=example.start, end=example.end) for example in examples if not _is_checked(example)]
    spoken = {(example.start, example.end) for example in written}
    unscored = {span for span in (*others, *unwritten) if (span.start, span.end) not in spoken}
    if not written or any(example.channel is not None or example.person == recording for example in written):
        return None
    written_ms = sum(example.end - example.start for example in written)
    if sum(span.end - span.start for span in unscored) > MOST_OPEN * written_ms:
        return None
    dialects = Counter[str | None]()
    for example in written:
        dialects[example.dialect] += example.end - example.start
    return CorrectedConversation(
        recording=recording,
        split=written[0].split,
        session=written[0].session or recording,
        dialect=dialects.most_common(1)[0][0],
        turns=tuple(LabelledSpan(start=line.start, end=line.end, label=line.person) for line in written),
        unscored=tuple(sorted(unscored, key=lambda span: (span.start, span.end))),
    )


def _is_checked(example: Example) -> bool:
    """Tell if a person wrote *example*: a draft that counts without one has the diariser's own speaker."""
    return example.text is not None and example.provenance is not None and example.provenance.kind == "person"


def _tells_a_speaker(example: Example) -> bool:
    """Tell if a person says that somebody speaks in *example*; an empty text says that nobody does."""
    return _is_checked(example) and bool((example.text or "").strip())


def _durations(turns: Iterable[LabelledSpan]) -> dict[str, Milliseconds]:
    durations = Counter[str]()
    for turn in turns:
        durations[turn.label] += turn.end - turn.start
    return dict(durations)


def speech_by_person(conversations: Iterable[CorrectedConversation]) -> dict[str, Milliseconds]:
    """Add up how long each person speaks in all of *conversations*."""
    return _durations(turn for conversation in conversations for turn in conversation.turns)
