"""Conversations of a workspace: the words and labels of a model beside what people wrote, for cpWER and DER."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec

from dialects.scoring.cpwer import DiarisationError
from dialects.scoring.meetings import Meeting, Stretch
from dialects.scoring.prepare import Preparer, remove_marks
from dialects.scoring.word_errors import Pair
from dialects.text.number_folding import FoldedWord
from transcribe.errors import MissingError
from transcribe.protocols import LabelledSpan
from transcribe.records import Correction, Draft, Model, Recording, Segment, Split, Turn, Word
from transcribe.redaction import MASK, Span, Terms, hide_words, within
from transcribe.store import Store
from transcribe.store.word_assignment import merge_spans


@dataclass
class LabelGaps:
    """Conversations that cannot be scored in full for want of the diariser's labels."""

    #: Recordings whose turns were kept without the diariser's own labels.
    unlabelled: list[str] = field(default_factory=list)

    @property
    def warnings(self) -> tuple[str, ...]:
        if not self.unlabelled:
            return ()
        return (
            f"W_LABELS: the turns of {len(self.unlabelled)} conversations were kept before the diariser's own labels "
            "were, so names that were declared count as its own and what wrong attribution costs looks too small",
        )


#: Packages that count errors of conversations and of turns, each with the extra that installs it.
EXTRAS = (("meeteval", "meetings"), ("pyannote.metrics", "diarise"))


def missing_extras() -> tuple[tuple[str, str], ...]:
    """Return those of `EXTRAS` that are not installed."""
    return tuple((package, extra) for package, extra in EXTRAS if not _is_installed(package))


def _is_installed(package: str) -> bool:
    return find_spec(package.partition(".")[0]) is not None and find_spec(package) is not None


def check_extras() -> None:
    """
    Refuse to score conversations without the packages that count their errors, before anything is read.

    Raises:
        MissingError: If one of `EXTRAS` is not installed.
    """
    for package, extra in missing_extras():
        message = f"errors of conversations were asked for, {package} is not installed"
        raise MissingError(message, code="E_EXTRA", hint=f"pip install 'boli[{extra}]'")


def read_conversations(
    store: Store, model: Model, split: Split | None, prepare: Preparer, gaps: LabelGaps
) -> Iterator[Meeting]:
    """
    Stream the recordings of *split* in which two people or more were corrected and that *model* has drafted.

    What was heard while nobody was corrected, and what is masked, is left out on both sides: it has no reference.
    """
    for recording in store.recordings.fetch():
        if split is not None and recording.split != split:
            continue
        corrections = [
            correction
            for correction, _ in store.corrections.fetch_with_words(recording.id)
            if correction.speaker is not None
        ]
        turns = store.drafts.fetch_turns_of_model(recording.id, model.id)
        if turns is None or len({correction.speaker for correction in corrections}) < 2:
            continue
        if any(turn.label is None for turn in turns[0]):
            gaps.unlabelled.append(recording.id)
        normalise = _RecordingNormaliser(prepare, recording, corrections)
        within = merge_spans((correction.start, correction.end) for correction in corrections)
        masked = [(mask.start, mask.end) for mask in store.redaction.fetch_masks(recording=recording.id)]
        drafted = [
            (segment, _drop_masked(segment, draft, masked, store.database.terms))
            for segment, draft in store.drafts.fetch_with_segments(recording.id, model.id)
        ]
        yield Meeting(
            id=recording.id,
            reference=[_reference_stretch(correction, normalise) for correction in corrections],
            hypothesis=list(_split_by_label(drafted, _Labels(turns[1]), within, normalise)),
            dialects={str(correction.speaker): normalise.tag(correction.dialect) for correction in corrections},
            turns=_score_turns(recording, corrections, turns[0], within),
        )


class _RecordingNormaliser:
    """Normalises words of one recording; a speaker without a dialect speaks the recording's, or the first one's."""

    def __init__(self, prepare: Preparer, recording: Recording, corrections: Iterable[Correction]) -> None:
        self._prepare = prepare
        dialects = (recording.dialect, *(correction.dialect for correction in corrections))
        self._default = next(filter(None, dialects), "und")

    def tag(self, dialect: str | None) -> str:
        return self._prepare.rules(self._pair(dialect)).dialect.tag

    def words(self, text: str, dialect: str | None) -> list[str]:
        return self._prepare.rules(self._pair(dialect)).normaliser(remove_marks(text)).split()

    def words_of(self, texts: Sequence[str], dialect: str | None) -> list[FoldedWord]:
        """Normalise *texts* as one text; each word names the texts that it stands for."""
        return self._prepare.rules(self._pair(dialect)).normaliser.split_parts(map(remove_marks, texts))

    def _pair(self, dialect: str | None) -> Pair:
        return Pair(id="", reference="", hypothesis="", dialect=dialect or self._default, speaker="")


def _reference_stretch(correction: Correction, normalise: _RecordingNormaliser) -> Stretch:
    return Stretch(
        speaker=str(correction.speaker),
        words=normalise.words(correction.text, correction.dialect),
        start=correction.start / 1000,
        end=correction.end / 1000,
    )


def _drop_masked(segment: Segment, draft: Draft, masked: Sequence[Span], terms: Terms) -> Draft:
    """Return *draft* without its words in *masked* spans or with *terms*."""
    spans = (*within(masked, segment.start, segment.end), *terms.spans(draft.words))
    if not spans:
        return draft
    return replace(draft, words=tuple(word for word in hide_words(draft.words, spans) if word.text != MASK))


class _Labels:
    """The diariser's own labels, by the speaker's name and channel of the turns that they were given to."""

    def __init__(self, turns: Iterable[Turn]) -> None:
        self._turns: dict[tuple[str, int | None], list[Turn]] = {}
        for turn in turns:
            self._turns.setdefault((turn.speaker, turn.channel), []).append(turn)

    def of(self, segment: Segment, word: Word) -> str:
        """Return the label of the speaker's turn that holds the middle of *word*, else of the nearest turn."""
        turns = self._turns.get((segment.speaker, segment.channel))
        if not turns:
            return segment.speaker
        middle = (word.start + word.end) / 2
        nearest = min(turns, key=lambda turn: (max(turn.start - middle, middle - turn.end, 0.0), turn.start))
        return nearest.label or nearest.speaker


def _split_by_label(
    drafted: Iterable[tuple[Segment, Draft]],
    labels: _Labels,
    within: Sequence[Span],
    normalise: _RecordingNormaliser,
) -> Iterator[Stretch]:
    """Yield the drafted words of each segment, split where the label changes."""
    for segment, draft in drafted:
        group: list[Word] = []
        last: str | None = None
        for word in draft.words:
            if not _contain(within, (word.start + word.end) / 2):
                continue
            label = labels.of(segment, word)
            if label != last and last is not None:
                yield _hypothesis_stretch(last, group, segment.dialect, normalise)
                group = []
            last = label
            group.append(word)
        if last is not None:
            yield _hypothesis_stretch(last, group, segment.dialect, normalise)


def _hypothesis_stretch(
    label: str, group: Sequence[Word], dialect: str | None, normalise: _RecordingNormaliser
) -> Stretch:
    words = normalise.words_of([word.text for word in group], dialect)
    return Stretch(
        speaker=label,
        words=[word.text for word in words],
        start=group[0].start / 1000,
        end=group[-1].end / 1000,
        times=[(group[word.first].start / 1000, group[word.last].end / 1000) for word in words],
    )


def _score_turns(
    recording: Recording, corrections: Iterable[Correction], turns: Iterable[Turn], within: Sequence[Span]
) -> DiarisationError:
    """Score the diariser's turns against the declared ones over all the audio, else against corrections in *within*."""
    from transcribe.backends.diarisation_error import der

    if recording.declared:
        truth = [LabelledSpan(start=turn.start, end=turn.end, label=turn.speaker) for turn in recording.declared]
        within = [(0, recording.duration)]
    else:
        truth = [LabelledSpan(start=text.start, end=text.end, label=str(text.speaker)) for text in corrections]
    hypothesis = [LabelledSpan(start=turn.start, end=turn.end, label=turn.label or turn.speaker) for turn in turns]
    return der(truth, hypothesis, within=within)


def _contain(spans: Sequence[Span], moment: float) -> bool:
    index = bisect_right(spans, moment, key=lambda span: span[0]) - 1
    return index >= 0 and moment < spans[index][1]
