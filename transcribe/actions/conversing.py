"""Conversations of a workspace: what people wrote of each one beside what a model heard, and under which label."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from dialects.preparing import remove_masks
from transcribe.errors import MissingError
from transcribe.masking import MASK, Span, Terms, hide_words, within
from transcribe.protocols import LabelledSpan
from transcribe.records import Correction, Milliseconds, Recording, Split, Turn, Word

if TYPE_CHECKING:
    from dialects.conversations import DiarisationError
    from dialects.meetings import Meeting, Stretch
    from dialects.number_folding import FoldedWord
    from dialects.preparing import Preparer
    from dialects.scoring import Pair
    from transcribe.records import Draft, Model, Segment
    from transcribe.store import Store


@dataclass
class Conversed:
    """The meetings that were given, and those that could not be judged in full."""

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


#: What counts errors of conversations and of turns, with the extra that installs it.
EXTRAS = (("meeteval", "meetings"), ("pyannote.metrics", "diarise"))


def missing_extras() -> tuple[tuple[str, str], ...]:
    """Those of `EXTRAS` that are not installed."""
    return tuple((package, extra) for package, extra in EXTRAS if not _installed(package))


def _installed(package: str) -> bool:
    return find_spec(package.partition(".")[0]) is not None and find_spec(package) is not None


def check_extras() -> None:
    """
    Say what conversations need, before anything is read.

    Raises:
        MissingError: If one of `EXTRAS` is not installed.
    """
    for package, extra in missing_extras():
        asked = f"errors of conversations were asked for, {package} is not installed"
        raise MissingError(asked, code="E_EXTRA", hint=f"pip install 'boli[{extra}]'")


def conversations(
    store: Store, model: Model, split: Split | None, prepare: Preparer, told: Conversed
) -> Iterator[Meeting]:
    """
    Each recording of *split* in which two people or more were corrected and that *model* has drafted. Streams.

    What was heard while nobody was corrected, and what is masked, is left out on both sides: it has no reference.
    """
    from dialects.meetings import Meeting
    from transcribe.store.scoring import merge_spans

    for recording in store.recordings():
        if split is not None and recording.split != split:
            continue
        said = [one for one, _ in store.corrections_with_words(recording.id) if one.speaker is not None]
        turns = store.turns_of_model(recording.id, model.id)
        if turns is None or len({one.speaker for one in said}) < 2:
            continue
        if any(turn.label is None for turn in turns[0]):
            told.unlabelled.append(recording.id)
        normalise = _Normalising(prepare, recording, said)
        within = merge_spans((one.start, one.end) for one in said)
        masked = [(mask.start, mask.end) for mask in store.masks(recording=recording.id)]
        drafted = [_spared(*each, masked, store.terms) for each in store.drafted_segments(recording.id, model.id)]
        yield Meeting(
            id=recording.id,
            reference=[_said(one, normalise) for one in said],
            hypothesis=list(_heard(drafted, _Labels(turns[1]), within, normalise)),
            dialects={str(one.speaker): normalise.tag(one.dialect) for one in said},
            turns=_judged(recording, said, turns[0], within),
        )


class _Normalising:
    """Normalises words of one recording; who has no dialect of his own speaks the recording's, or the first one's."""

    def __init__(self, prepare: Preparer, recording: Recording, said: Sequence[Correction]) -> None:
        self._prepare = prepare
        self._ordinary = recording.dialect or next((one.dialect for one in said if one.dialect), None) or "und"

    def tag(self, dialect: str | None) -> str:
        return self._prepare.rules(self._pair(dialect)).dialect.tag

    def words(self, text: str, dialect: str | None) -> list[str]:
        return self._prepare.rules(self._pair(dialect)).normaliser(remove_masks(text)).split()

    def words_of(self, texts: Sequence[str], dialect: str | None) -> list[FoldedWord]:
        """The normalised words of *texts* as one text, each with the texts that it stands for."""
        return self._prepare.rules(self._pair(dialect)).normaliser.split_parts(map(remove_masks, texts))

    def _pair(self, dialect: str | None) -> Pair:
        from dialects.scoring import Pair

        return Pair(id="", reference="", hypothesis="", dialect=dialect or self._ordinary, speaker="")


def _said(correction: Correction, normalise: _Normalising) -> Stretch:
    from dialects.meetings import Stretch

    return Stretch(
        speaker=str(correction.speaker),
        words=normalise.words(correction.text, correction.dialect),
        start=correction.start / 1000,
        end=correction.end / 1000,
    )


def _spared(segment: Segment, draft: Draft, masked: Sequence[Span], terms: Terms) -> tuple[Segment, Draft]:
    """A draft without what is masked in it."""
    spans = (*within(masked, segment.start, segment.end), *terms.spans(draft.words))
    if not spans:
        return segment, draft
    return segment, replace(draft, words=tuple(word for word in hide_words(draft.words, spans) if word.text != MASK))


class _Labels:
    """What the diariser called whoever speaks at a moment, beside the name that the turn was given."""

    def __init__(self, turns: Iterable[Turn]) -> None:
        self._turns: dict[tuple[str, int | None], list[Turn]] = {}
        for turn in turns:
            self._turns.setdefault((turn.speaker, turn.channel), []).append(turn)

    def of(self, segment: Segment, word: Word) -> str:
        """The label of the turn of the segment's speaker that holds the middle of *word*, else of the nearest."""
        turns = self._turns.get((segment.speaker, segment.channel))
        if not turns:
            return segment.speaker
        middle = (word.start + word.end) / 2
        nearest = min(turns, key=lambda turn: (max(turn.start - middle, middle - turn.end, 0.0), turn.start))
        return nearest.label or nearest.speaker


def _heard(
    drafted: Iterable[tuple[Segment, Draft]],
    labels: _Labels,
    within: Sequence[tuple[Milliseconds, Milliseconds]],
    normalise: _Normalising,
) -> Iterator[Stretch]:
    """The drafted words of each segment, parted where the label changes."""
    for segment, draft in drafted:
        group: list[Word] = []
        last: str | None = None
        for word in draft.words:
            if not _holds(within, (word.start + word.end) / 2):
                continue
            label = labels.of(segment, word)
            if label != last and last is not None:
                yield _stretch(last, group, segment.dialect, normalise)
                group = []
            last = label
            group.append(word)
        if last is not None:
            yield _stretch(last, group, segment.dialect, normalise)


def _stretch(label: str, group: Sequence[Word], dialect: str | None, normalise: _Normalising) -> Stretch:
    from dialects.meetings import Stretch

    words = normalise.words_of([word.text for word in group], dialect)
    return Stretch(
        speaker=label,
        words=[word.text for word in words],
        start=group[0].start / 1000,
        end=group[-1].end / 1000,
        times=[(group[word.first].start / 1000, group[word.last].end / 1000) for word in words],
    )


def _judged(
    recording: Recording, said: Sequence[Correction], turns: Sequence[Turn], within: Sequence[tuple[int, int]]
) -> DiarisationError:
    """
    How the diariser's turns fit those that were declared, over all the sound; or those that were corrected, there only.
    """
    from transcribe.backends.diarisation_error import der

    if recording.declared:
        truth = [LabelledSpan(start=one.start, end=one.end, label=one.speaker) for one in recording.declared]
        within = [(0, recording.duration)]
    else:
        truth = [LabelledSpan(start=one.start, end=one.end, label=str(one.speaker)) for one in said]
    found = [LabelledSpan(start=one.start, end=one.end, label=one.label or one.speaker) for one in turns]
    return der(truth, found, within=within)


def _holds(spans: Sequence[tuple[Milliseconds, Milliseconds]], moment: float) -> bool:
    at = bisect_right(spans, moment, key=lambda span: span[0]) - 1
    return at >= 0 and moment < spans[at][1]
