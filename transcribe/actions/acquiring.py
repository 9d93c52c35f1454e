"""What to correct next: the segments of a workspace that a model would learn most from, and the desk asked for them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from dialects.acquiring import UnlabelledSegment, acquire
from dialects.preparing import Preparer
from dialects.scoring import Pair, count, from_counts
from transcribe.growing import doubt
from transcribe.records import Correction, Draft, Milliseconds, Model, Recording, Segment
from transcribe.store import Store
from transcribe.store.scoring import merge_spans

#: What a draft without probabilities is doubted by.
_UNKNOWN_DOUBT = 0.5
#: Errors for which the machine's own doubt stands beside those that people found.
_OWN_DOUBT = 20.0
_MINUTE = 60_000


@dataclass(kw_only=True)
class _Known:
    """What people have written so far."""

    words: Counter[str] = field(default_factory=Counter)
    voices: Counter[str] = field(default_factory=Counter)
    #: Of each dialect.
    time: Counter[str] = field(default_factory=Counter)
    #: Of each dialect, for each draft that was written: errors that were expected of it, and that people found.
    trials: dict[str, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))

    def need(self, tags: Collection[str]) -> dict[str, float]:
        """
        How much each dialect needs to be written.

        The more, the fewer minutes of it are: by the root, so that none is left out. And what a model doubts is taken
        for as many errors as people found in such drafts of the dialect.
        """
        mean = sum(self.time[tag] for tag in tags) / max(len(tags), 1)
        few = {tag: ((_MINUTE + mean) / (_MINUTE + self.time[tag])) ** 0.5 for tag in tags}
        return {tag: few[tag] * _found(self.trials[tag]) for tag in tags}


def correct_next(store: Store, model: Model, prepare: Preparer, *, minutes: float) -> tuple[UnlabelledSegment, ...]:
    """The unwritten segments of the train split that are most worth a person's time, of *minutes* of sound at most."""
    waiting: list[UnlabelledSegment] = []
    known = _Known()
    for recording in store.recordings():
        if recording.split != "train":
            continue
        said = list(store.corrections(recording=recording.id, standing=True))
        for one in said:
            tag, words = _normalised(prepare, one.dialect or recording.dialect, one.text)
            known.words.update(words)
            known.voices[one.speaker or recording.id] += 1
            known.time[tag] += one.end - one.start
        spans, texts = merge_spans((one.start, one.end) for one in said), {one.segment: one for one in said}
        accepted = {one.segment for one in store.acceptances(recording=recording.id)}
        drafted = list(store.drafted_segments(recording.id, model.id))
        islands = unbroken([segment for segment, _ in drafted])
        for segment, draft in drafted:
            found = _waiting(prepare, recording, segment, draft, islands[segment.id])
            if segment.id in texts:
                known.trials[found.dialect].append((found.expected_errors, _errors(prepare, found, texts[segment.id])))
            elif segment.id not in accepted and not any(_mostly(segment, span) for span in spans):
                waiting.append(found)
    need = known.need({one.dialect for one in waiting})
    return acquire(waiting, minutes * 60, need=need, word_counts=known.words, speaker_counts=known.voices)


def _found(trials: Sequence[tuple[float, int]]) -> float:
    """Errors found for each that was expected, by *trials* of (expected, found), each of one segment."""
    return (_OWN_DOUBT + sum(found for _, found in trials)) / (_OWN_DOUBT + sum(expected for expected, _ in trials))


def _errors(prepare: Preparer, drafted: UnlabelledSegment, written: Correction) -> int:
    """Words that are wrong in what was *drafted*, by what a person has *written*."""
    _, words = _normalised(prepare, drafted.dialect, written.text)
    return from_counts(count(words, drafted.words)).errors


def unbroken(segments: Sequence[Segment]) -> dict[str, str]:
    """For each of *segments* of one recording the first that it overlaps with, by whatever lies between."""
    first: dict[str, str] = {}
    latest: dict[int | None, tuple[Milliseconds, str]] = {}
    for segment in sorted(segments, key=lambda one: (one.start, one.end, one.id)):
        end, island = latest.get(segment.channel, (0, segment.id))
        first[segment.id] = island if segment.start < end else segment.id
        latest[segment.channel] = max(end, segment.end), first[segment.id]
    return first


def _waiting(prepare: Preparer, recording: Recording, segment: Segment, draft: Draft, island: str) -> UnlabelledSegment:
    tag, words = _normalised(prepare, segment.dialect or recording.dialect, draft.text)
    own = None if draft.flags else doubt(draft)
    return UnlabelledSegment(
        id=segment.id,
        dialect=tag,
        speaker=segment.speaker,
        seconds=(segment.end - segment.start) / 1000,
        words=tuple(words),
        doubt=_UNKNOWN_DOUBT if own is None else own,
        flags=frozenset(draft.flags),
        island=island,
    )


def _normalised(prepare: Preparer, dialect: str | None, text: str) -> tuple[str, list[str]]:
    if dialect is None:
        return "und", text.split()
    rules = prepare.rules(Pair(id="", reference="", hypothesis="", dialect=dialect, speaker=""))
    return rules.dialect.tag, rules.normaliser(text).split()


def _mostly(segment: Segment, span: tuple[int, int]) -> bool:
    return 2 * (min(segment.end, span[1]) - max(segment.start, span[0])) >= segment.end - segment.start
