"""
The probability that two speakers of different recordings are one person, by the mean embeddings of their speech.

A mean over little speech is part voice, part what was said. Its cosine with another is corrected for that as a
correlation between unreliable measures is (Spearman 1904), then calibrated to a likelihood ratio by a logistic model
(Brümmer and du Preez 2006) whose width shrinks as speech grows. The more voices are compared, the rarer is a pair of
one person among the pairs: the prior is that each voice is heard in one other recording.

Speakers of one recording are different people by the diariser's word, and so are those that a person refused to link.

Turns get names and dialects from the people who declared them, where somebody did.
"""

from __future__ import annotations

import bisect
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

from transcribe.protocols import LabelledSpan
from transcribe.records import DeclaredTurn, Milliseconds, Recording, Turn, Voice
from transcribe.speaker_links import recording_of_unnamed

_Floats = npt.NDArray[np.float32]

#: Probability from which two speakers are proposed as one person.
PROPOSED: Final = 0.5
#: Rows of the matrix of cosines that are held in memory at a time: 40 MB of them with 20,000 voices.
_BLOCK: Final = 512


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """
    The parameters that turn a cosine into a likelihood ratio.

    The values are of the GE2E encoder on every second speaker of speechocean762 by id, from the first: 8 draws of 1, 2
    and 4 clips a recording, both classes weighed alike. `benchmarks.same_voice` finds them anew.
    """

    #: Seconds of speech after which half of a vector's variance is the voice.
    half_s: float = 0.883
    #: Corrected cosine at which one person and two are equally likely.
    boundary: float = 0.952
    #: Corrected cosine for one nat of log-odds, times the sum of the two inverse lengths in seconds.
    width: float = 0.0298
    #: Longest speech that was calibrated on, in seconds; more counts as this much.
    longest_s: float = 10.0

    def log_ratio(self, cosine: _Floats, first_s: _Floats, second_s: _Floats) -> _Floats:
        """Return the log-likelihood ratio of one person against two, in nats; lengths of speech are in seconds."""
        first_length, second_length = self.clip_seconds(first_s), self.clip_seconds(second_s)
        corrected = cosine * np.sqrt((1 + self.half_s / first_length) * (1 + self.half_s / second_length))
        return np.asarray((corrected - self.boundary) / (self.width * (1 / first_length + 1 / second_length)))

    def clip_seconds(self, seconds: _Floats) -> _Floats:
        """Clip *seconds* of speech to the lengths that were calibrated on."""
        return np.clip(seconds, 1e-3, self.longest_s)


@dataclass(frozen=True, kw_only=True)
class PooledVoice:
    """One speaker's voice over all recordings, as one maker of vectors has it."""

    speaker: str
    recordings: frozenset[str]
    speech: Milliseconds
    #: Unit length, shape ``(dimension,)``.
    vector: _Floats = field(compare=False)


@dataclass(frozen=True, kw_only=True)
class LikelyPair:
    """Two speakers that may be one person."""

    #: The smaller of the two names.
    first: str
    second: str
    probability: float


def pack_vector(components: Iterable[float]) -> bytes | None:
    """Pack a vector, scaled to unit length, as a `Voice` holds it; ``None`` if it has no direction."""
    vector = np.asarray(list(components), dtype=np.float64)
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length == 0:
        return None
    return (vector / length).astype("<f4").tobytes()


def find_likely_pairs(
    voices: Iterable[Voice],
    *,
    names: Mapping[str, str],
    refused: Collection[tuple[str, str]] = (),
    trust_names: bool = True,
    calibration: Calibration = Calibration(),
) -> list[LikelyPair]:
    """
    Find the pairs of speakers that are one person with a probability of `PROPOSED` or more, the likeliest first.

    Args:
        voices: Of all recordings.
        names: The one name of each linked speaker; its voices are pooled.
        refused: Pairs of speakers that a person has said to be two people.
        trust_names: Take two speakers with declared names for two people.
    """
    apart = {frozenset(names.get(speaker, speaker) for speaker in pair) for pair in refused}
    best: dict[tuple[str, str], float] = {}
    for pooled in _pool(voices, names).values():
        for first, second, probability in _compare(pooled, calibration):
            if first.recordings & second.recordings or {first.speaker, second.speaker} in apart:
                continue
            if not (trust_names and _is_named(first) and _is_named(second)):
                pair = first.speaker, second.speaker
                best[pair] = max(best.get(pair, 0.0), probability)
    ordered = sorted(best.items(), key=lambda scored_pair: (-scored_pair[1], scored_pair[0]))
    return [LikelyPair(first=first, second=second, probability=probability) for (first, second), probability in ordered]


def choose_proposals(pairs: Sequence[LikelyPair]) -> list[LikelyPair]:
    """
    Choose the *pairs* that join speakers to groups in which every two are likely one person (complete linkage).

    A chain of likely pairs whose ends are unlike does not make one person of all of them. A group of n speakers is
    joined by n - 1 pairs, the likeliest first.

    >>> pairs = [LikelyPair(first=a, second=b, probability=p) for a, b, p in [("a", "b", 0.9), ("b", "c", 0.8)]]
    >>> [(pair.first, pair.second) for pair in choose_proposals(pairs)]
    [('a', 'b')]
    """
    likely = {frozenset({pair.first, pair.second}) for pair in pairs}
    groups: dict[str, frozenset[str]] = {}
    proposals = []
    for pair in sorted(pairs, key=lambda pair: (-pair.probability, pair.first, pair.second)):
        first, second = (groups.get(speaker, frozenset({speaker})) for speaker in (pair.first, pair.second))
        if first != second and all(frozenset(speakers) in likely for speakers in product(first, second)):
            groups.update(dict.fromkeys(first | second, first | second))
            proposals.append(pair)
    return proposals


def _is_named(voice: PooledVoice) -> bool:
    return recording_of_unnamed(voice.speaker) is None


def _pool(voices: Iterable[Voice], names: Mapping[str, str]) -> dict[str, list[PooledVoice]]:
    """Average the vectors of each speaker by maker, weighed by speech; in the order of the speakers' names."""
    by_maker: dict[str, dict[str, list[Voice]]] = defaultdict(lambda: defaultdict(list))
    for voice in voices:
        by_maker[voice.maker][names.get(voice.speaker, voice.speaker)].append(voice)
    return {
        maker: [_mean(speaker, group) for speaker, group in sorted(by_speaker.items())]
        for maker, by_speaker in by_maker.items()
    }


def _mean(speaker: str, voices: Sequence[Voice]) -> PooledVoice:
    vectors = np.stack([np.frombuffer(voice.vector, dtype="<f4") for voice in voices])
    weights = np.array([max(voice.speech, 1) for voice in voices], dtype=np.float32)
    total = weights @ vectors
    return PooledVoice(
        speaker=speaker,
        recordings=frozenset(voice.recording for voice in voices),
        speech=sum(voice.speech for voice in voices),
        vector=np.asarray(total / max(float(np.linalg.norm(total)), 1e-9), dtype=np.float32),
    )


def _compare(
    voices: Sequence[PooledVoice], calibration: Calibration
) -> Iterator[tuple[PooledVoice, PooledVoice, float]]:
    """Yield each two of *voices* that are likely one person, in order, with the probability; block by block."""
    if len(voices) < 2:
        return
    vectors = np.stack([voice.vector for voice in voices])
    seconds: _Floats = np.array([voice.speech / 1_000 for voice in voices], dtype=np.float32)
    prior = np.log(len(voices) - 1)
    wanted = prior + np.log(PROPOSED / (1 - PROPOSED))
    for start in range(0, len(voices), _BLOCK):
        rows = slice(start, start + _BLOCK)
        cosines = vectors[rows] @ vectors[start:].T
        ratios = calibration.log_ratio(cosines, seconds[rows, None], seconds[None, start:])
        # Only what lies right of the diagonal: each pair once.
        for row, column in np.argwhere(np.triu(ratios >= wanted, k=1)).tolist():
            probability = 1 / (1 + np.exp(prior - float(ratios[row, column])))
            yield voices[start + row], voices[start + column], float(probability)


def name_turns(recording: Recording, spans: Iterable[LabelledSpan], *, channel: int | None = None) -> tuple[Turn, ...]:
    """
    Make turns of *recording* out of the diariser's labelled spans.

    A span takes speaker and dialect from the declared turn that it overlaps most. Where none overlaps it, the speaker
    is the recording's declared one, else ``<recording>/<label>`` (``<recording>/<channel>/<label>`` where channels are
    kept apart, since labels are local to what was diarised), and the dialect the recording's.

    Returns:
        Turns ordered by start, then speaker.
    """
    declared_turns = _DeclaredTurns(recording.declared)
    prefix = recording.id if channel is None else f"{recording.id}/{channel}"
    turns = []
    for span in spans:
        best = declared_turns.find_most_overlapping(span.start, span.end)
        turns.append(
            Turn(
                recording=recording.id,
                speaker=best.speaker if best else recording.speaker or f"{prefix}/{span.label}",
                start=span.start,
                end=span.end,
                dialect=(best.dialect if best else None) or recording.dialect,
                channel=channel,
                label=span.label if channel is None else f"{channel}/{span.label}",
            )
        )
    return tuple(sorted(turns, key=lambda turn: (turn.start, turn.speaker, turn.end)))


def name_voices(exclusive: Iterable[Turn], vectors: Mapping[str, Sequence[float]], *, maker: str) -> tuple[Voice, ...]:
    """
    Return the voices of one recording, or of one of its channels, under the names of its turns.

    A label whose turns have several names is the voice of the one that has most of its time. What has no turn, or a
    vector without a direction, is left out.

    Args:
        exclusive: Turns of one speaker at any moment: the speech that is the speaker's alone.
        vectors: Mean embeddings by the diariser's labels.
        maker: Id of the diariser.
    """
    turns: dict[str, list[Turn]] = defaultdict(list)
    for turn in exclusive:
        label = turn.label or ""
        turns[label if turn.channel is None else label.removeprefix(f"{turn.channel}/")].append(turn)
    voices = (_name_voice(turns[label], vectors[label], maker) for label in sorted(vectors) if label in turns)
    return tuple(voice for voice in voices if voice is not None)


def _name_voice(turns: Sequence[Turn], components: Sequence[float], maker: str) -> Voice | None:
    vector = pack_vector(components)
    if vector is None:
        return None
    time_by_speaker: Counter[str] = Counter()
    for turn in turns:
        time_by_speaker[turn.speaker] += turn.end - turn.start
    speaker, speech = min(time_by_speaker.items(), key=lambda speaker_time: (-speaker_time[1], speaker_time[0]))
    return Voice(
        recording=turns[0].recording,
        speaker=speaker,
        channel=turns[0].channel,
        vector=vector,
        speech=speech,
        maker=maker,
    )


class _DeclaredTurns:
    """Declared turns ordered by start, searched by bisection."""

    def __init__(self, turns: Sequence[DeclaredTurn]) -> None:
        self._turns = sorted(turns, key=lambda turn: (turn.start, turn.end, turn.speaker))
        self._starts = [turn.start for turn in self._turns]
        self._longest = max((turn.end - turn.start for turn in self._turns), default=0)

    def find_most_overlapping(self, start: Milliseconds, end: Milliseconds) -> DeclaredTurn | None:
        low = bisect.bisect_left(self._starts, start - self._longest)
        high = bisect.bisect_left(self._starts, end)
        touching = [turn for turn in self._turns[low:high] if turn.end > start]
        return max(touching, key=lambda turn: min(turn.end, end) - max(turn.start, start), default=None)
