"""Active learning on a workspace: choose the unwritten segments that a model would learn most from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from dialects.active_learning import UnlabelledSegment, acquire
from dialects.scoring.prepare import Preparer
from dialects.scoring.word_errors import Pair, count, from_counts
from transcribe.pseudo_labels import doubt
from transcribe.records import Correction, Draft, Milliseconds, Model, Recording, Segment
from transcribe.store import Store
from transcribe.store.word_assignment import merge_spans

#: The doubt of a draft without probabilities.
_UNKNOWN_DOUBT = 0.5
#: Pseudo-count of errors that the model's own doubt weighs against those that people found.
_PRIOR_ERRORS = 20.0
_MINUTE = 60_000


@dataclass(kw_only=True)
class _Corrected:
    """Counts over all that people have written so far."""

    words: Counter[str] = field(default_factory=Counter)
    #: Corrections of each speaker.
    speakers: Counter[str] = field(default_factory=Counter)
    #: Milliseconds of each dialect.
    time: Counter[str] = field(default_factory=Counter)
    #: Of each dialect, for each draft that was written: errors that were expected of it, and that people found.
    trials: dict[str, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))

    def need(self, tags: Collection[str]) -> dict[str, float]:
        """
        Weigh how much each of the dialects *tags* needs corrections.

        A dialect weighs more the fewer minutes of it are written: by the root, so that none is left out. And what a
        model doubts is taken for as many errors as people found in such drafts of the dialect.
        """
        mean = sum(self.time[tag] for tag in tags) / max(len(tags), 1)
        few = {tag: ((_MINUTE + mean) / (_MINUTE + self.time[tag])) ** 0.5 for tag in tags}
        return {tag: few[tag] * _error_ratio(self.trials[tag]) for tag in tags}


def correct_next(
    store: Store, model: Model, prepare: Preparer, *, minutes: float, among: Collection[str] | None = None
) -> tuple[UnlabelledSegment, ...]:
    """
    Choose the unwritten segments of the train split that most deserve a person's time, *minutes* of them at most.

    Args:
        among: Only segments with these ids; ``None``: any.
    """
    unlabelled: list[UnlabelledSegment] = []
    corrected = _Corrected()
    for recording in store.recordings.fetch():
        if recording.split == "train":
            unlabelled += _read_recording(store, model, prepare, recording, corrected)
    if among is not None:
        unlabelled = [segment for segment in unlabelled if segment.id in among]
    need = corrected.need({segment.dialect for segment in unlabelled})
    return acquire(unlabelled, minutes * 60, need=need, word_counts=corrected.words, speaker_counts=corrected.speakers)


def _read_recording(
    store: Store, model: Model, prepare: Preparer, recording: Recording, corrected: _Corrected
) -> Iterator[UnlabelledSegment]:
    """Add the corrections of *recording* to *corrected*, and yield the segments that nobody wrote or accepted."""
    corrections = list(store.corrections.fetch(recording=recording.id, standing=True))
    for correction in corrections:
        tag, words = _normalise(prepare, correction.dialect or recording.dialect, correction.text)
        corrected.words.update(words)
        corrected.speakers[correction.speaker or recording.id] += 1
        corrected.time[tag] += correction.end - correction.start
    spans = merge_spans((correction.start, correction.end) for correction in corrections)
    correction_by_segment = {correction.segment: correction for correction in corrections}
    accepted = {acceptance.segment for acceptance in store.pseudo_labels.fetch(recording=recording.id)}
    drafted = list(store.drafts.fetch_with_segments(recording.id, model.id))
    islands = group_overlapping([segment for segment, _ in drafted])
    for segment, draft in drafted:
        candidate = _candidate(prepare, recording, segment, draft, islands[segment.id])
        reference = correction_by_segment.get(segment.id)
        if reference is not None:
            trial = (candidate.expected_errors, _count_errors(prepare, candidate, reference))
            corrected.trials[candidate.dialect].append(trial)
        elif segment.id not in accepted and not any(_covers_most(span, segment) for span in spans):
            yield candidate


def _error_ratio(trials: Sequence[tuple[float, int]]) -> float:
    """Return errors found for each that was expected, by *trials* of (expected, found), each of one segment."""
    expected_sum = sum(expected for expected, _ in trials)
    return (_PRIOR_ERRORS + sum(errors for _, errors in trials)) / (_PRIOR_ERRORS + expected_sum)


def _count_errors(prepare: Preparer, drafted: UnlabelledSegment, correction: Correction) -> int:
    _, words = _normalise(prepare, drafted.dialect, correction.text)
    return from_counts(count(words, drafted.words)).errors


def group_overlapping(segments: Sequence[Segment]) -> dict[str, str]:
    """Map the id of each of *segments* of one recording to the first that a chain of overlaps leads to."""
    first: dict[str, str] = {}
    latest: dict[int | None, tuple[Milliseconds, str]] = {}
    for segment in sorted(segments, key=lambda segment: (segment.start, segment.end, segment.id)):
        end, island = latest.get(segment.channel, (0, segment.id))
        first[segment.id] = island if segment.start < end else segment.id
        latest[segment.channel] = max(end, segment.end), first[segment.id]
    return first


def _candidate(
    prepare: Preparer, recording: Recording, segment: Segment, draft: Draft, island: str
) -> UnlabelledSegment:
    tag, words = _normalise(prepare, segment.dialect or recording.dialect, draft.text)
    draft_doubt = None if draft.flags else doubt(draft)
    return UnlabelledSegment(
        id=segment.id,
        dialect=tag,
        speaker=segment.speaker,
        seconds=(segment.end - segment.start) / 1000,
        words=tuple(words),
        doubt=_UNKNOWN_DOUBT if draft_doubt is None else draft_doubt,
        flags=frozenset(draft.flags),
        island=island,
    )


def _normalise(prepare: Preparer, dialect: str | None, text: str) -> tuple[str, list[str]]:
    """Return the canonical tag of *dialect* and the normalised words of *text*."""
    if dialect is None:
        return "und", text.split()
    rules = prepare.rules(Pair(id="", reference="", hypothesis="", dialect=dialect, speaker=""))
    return rules.dialect.tag, rules.normaliser(text).split()


def _covers_most(span: tuple[int, int], segment: Segment) -> bool:
    return 2 * (min(segment.end, span[1]) - max(segment.start, span[0])) >= segment.end - segment.start
