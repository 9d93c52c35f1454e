"""What to correct next: the segments of a workspace that a model would learn most from, and the desk asked for them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from dialects.acquiring import Waiting, acquire
from dialects.preparing import Preparer
from dialects.scoring import Pair
from transcribe.growing import doubt
from transcribe.records import Draft, Milliseconds, Model, Recording, Segment
from transcribe.store import Store
from transcribe.store.scoring import joined

#: What a draft without probabilities is doubted by.
_UNKNOWN_DOUBT = 0.5
_MINUTE = 60_000


def correct_next(store: Store, model: Model, prepare: Preparer, *, minutes: float) -> tuple[Waiting, ...]:
    """
    The unwritten segments of the train split that are most worth a person's time, of *minutes* of sound at most.

    A dialect needs it the more the fewer minutes of it are written: by the root, so that none is left out.
    """
    waiting: list[Waiting] = []
    heard: Counter[str] = Counter()
    voices: Counter[str] = Counter()
    written: dict[str, int] = defaultdict(int)
    for recording in store.recordings():
        if recording.split != "train":
            continue
        said = list(store.corrections(recording=recording.id, standing=True))
        for one in said:
            tag, words = _normalised(prepare, one.dialect or recording.dialect, one.text)
            heard.update(words)
            voices[one.speaker or recording.id] += 1
            written[tag] += one.end - one.start
        spans = joined((one.start, one.end) for one in said)
        accepted = {one.segment for one in store.acceptances(recording=recording.id)}
        drafted = list(store.drafted(recording.id, model.id))
        islands = unbroken([segment for segment, _ in drafted])
        for segment, draft in drafted:
            if segment.id not in accepted and not any(_mostly(segment, span) for span in spans):
                waiting.append(_waiting(prepare, recording, segment, draft, islands[segment.id]))
    return acquire(
        waiting, minutes * 60, need=_need({one.dialect for one in waiting}, written), heard=heard, voices=voices
    )


def _need(tags: set[str], written: Mapping[str, int]) -> dict[str, float]:
    mean = sum(written[tag] for tag in tags if tag in written) / max(len(tags), 1) / _MINUTE
    return {tag: ((1 + mean) / (1 + written.get(tag, 0) / _MINUTE)) ** 0.5 for tag in tags}


def unbroken(segments: Sequence[Segment]) -> dict[str, str]:
    """For each of *segments* of one recording the first that it overlaps with, by whatever lies between."""
    first: dict[str, str] = {}
    latest: dict[int | None, tuple[Milliseconds, str]] = {}
    for segment in sorted(segments, key=lambda one: (one.start, one.end, one.id)):
        end, island = latest.get(segment.channel, (0, segment.id))
        first[segment.id] = island if segment.start < end else segment.id
        latest[segment.channel] = max(end, segment.end), first[segment.id]
    return first


def _waiting(prepare: Preparer, recording: Recording, segment: Segment, draft: Draft, island: str) -> Waiting:
    tag, words = _normalised(prepare, segment.dialect or recording.dialect, draft.text)
    own = None if draft.flags else doubt(draft)
    return Waiting(
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
