"""
Diarise and recognise by rules: the answer follows from the sound alone, the same on every machine.

They stand behind the same seams as the models, so that whatever moves, stores and joins results can be exercised
without torch and in milliseconds. A voice is a band of frequencies, a word is a syllable for the pitch.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from transcribe.protocols import SAMPLE_RATE_HZ, Diarisation, Heard, LabelledSpan, Pcm, Span, SpeakerCount, Window
from transcribe.records import Milliseconds, Word, content_id

#: Root mean square level from which there is sound: a hundredth of full scale, -40 dB.
LEVEL: Final = 0.01

#: One look at the sound; 50 ms keep neighbouring tones 20 Hz apart.
FRAME: Final[Milliseconds] = 50

#: Upper edges of the bands, one voice each.
BAND_EDGES_HZ: Final = (300, 600, 1_200, SAMPLE_RATE_HZ // 2)

#: A band this far below the loudest of its frame is an overtone or an edge, not a second voice: -17 dB.
QUIETER: Final = 0.02

#: Pauses up to this long do not end a turn; shorter bursts are none.
BRIDGED: Final[Milliseconds] = 300
SHORTEST_TURN: Final[Milliseconds] = 150

#: Sound for one word.
WORD: Final[Milliseconds] = 400

#: One syllable for each semitone from 55 Hz; 90 of them reach over 8 kHz.
LOWEST_HZ: Final = 55.0
SYLLABLES: Final = tuple(consonant + vowel for consonant in "bdfghjklmnprstvwyz" for vowel in "aeiou")

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class ScriptedDiariser:
    """
    A diariser that hears a voice wherever a band of frequencies is over a level; two bands are two people talking.

    Args:
        level: Root mean square level from which a band is a voice, as a share of full scale.
        delay_s: Wait before each answer, so that work is in flight for as long as somebody wants to interrupt it.
    """

    def __init__(self, *, level: float = LEVEL, delay_s: float = 0.0) -> None:
        self._level, self._delay_s = level, delay_s

    @property
    def id(self) -> str:
        """The hash of the rules; the delay does not change the answers."""
        return content_id("scripted diariser", 2, self._level)

    def diarise(self, pcm: Pcm, *, speakers: SpeakerCount = SpeakerCount()) -> Diarisation:
        """
        Find the turns in *pcm*: labels ``SPEAKER_00`` upwards, from the lowest band to the highest.

        Where the number of speakers is bounded, bands share labels in turn.
        """
        time.sleep(self._delay_s)
        power = _measure_bands(pcm)
        voiced = (power > self._level**2) & (power > QUIETER * power.max(axis=1, keepdims=True))
        alone = voiced & (np.arange(power.shape[1]) == power.argmax(axis=1, keepdims=True))
        most = speakers.exactly or speakers.at_most or len(BAND_EDGES_HZ)
        end = _to_milliseconds(len(pcm))
        exclusive = _label_spans(alone, most, end, bridged=0)
        return Diarisation(
            turns=_label_spans(voiced, most, end), exclusive=exclusive, voices=_average_voices(exclusive, power)
        )


class ScriptedDetector:
    """
    A detector that hears speech wherever there is sound over a level.

    Args:
        level: Root mean square level from which sound is speech, as a share of full scale.
    """

    def __init__(self, *, level: float = LEVEL) -> None:
        self._level = level

    @property
    def id(self) -> str:
        """The hash of the rules."""
        return content_id("scripted detector", 1, self._level)

    def detect(self, pcm: Pcm) -> tuple[Span, ...]:
        """Find stretches of sound, in order and apart."""
        loud = np.any(_measure_bands(pcm) > self._level**2, axis=1)
        end = _to_milliseconds(len(pcm))
        runs = _find_runs(loud, BRIDGED // FRAME)
        return tuple(Span(start=first * FRAME, end=min(last * FRAME, end)) for first, last in runs)


class ScriptedRecogniser:
    """
    A recogniser that writes a syllable for each 400 ms of sound, named after its strongest frequency.

    The grid counts from the start of the recording, so the text depends on the sound and not on how windows were cut.

    Args:
        level: Root mean square level from which a step is written down, as a share of full scale.
        delay_s: Wait before each recording, so that work is in flight for as long as somebody wants to interrupt it.
    """

    #: Longest window, as the models declare theirs.
    window: Milliseconds = 28_000
    #: Calls that may run beside each other.
    workers = 1

    def __init__(self, *, level: float = LEVEL, delay_s: float = 0.0) -> None:
        self._level, self._delay_s = level, delay_s

    @property
    def id(self) -> str:
        """The hash of the rules; the delay does not change the answers."""
        return content_id("scripted recogniser", 1, self._level)

    def recognise(self, pcm: Pcm, windows: Sequence[Window]) -> list[Heard]:
        """Recognise each window, in the same order; a step belongs to the window that holds its middle."""
        time.sleep(self._delay_s)
        return [self._recognise_window(pcm, window) for window in windows]

    def _recognise_window(self, pcm: Pcm, window: Window) -> Heard:
        end = _to_milliseconds(len(pcm))
        steps = [(span, start) for span in window.spans for start in _list_steps(span, end)]
        written = [self._make_word(pcm, span, start) for span, start in steps]
        words = tuple(word for word in written if word is not None)
        return Heard(
            window=window,
            words=words,
            log_probability=round(float(np.mean(np.log([word.probability for word in words]))), 4) if words else None,
            no_speech=round(1 - len(words) / max(len(steps), 1), 4),
            language=window.language,
        )

    def _make_word(self, pcm: Pcm, span: Span, start: Milliseconds) -> Word | None:
        sound = _scale(pcm[_to_samples(start) : _to_samples(start + WORD)])
        if np.sqrt(np.mean(np.square(sound))) <= self._level:
            return None
        power = _measure_spectrum(sound)
        power[0] = 0.0
        peak = int(np.argmax(power))
        semitone = round(12 * np.log2(max(peak * SAMPLE_RATE_HZ / len(sound), LOWEST_HZ) / LOWEST_HZ))
        return Word(
            text=SYLLABLES[min(semitone, len(SYLLABLES) - 1)],
            start=max(start, span.start),
            end=min(start + WORD, span.end),
            # A pure tone stands in three bins of its windowed spectrum; noise is spread over all.
            probability=round(float(np.clip(power[max(peak - 1, 0) : peak + 2].sum() / power.sum(), 0.01, 0.99)), 4),
        )


def _list_steps(span: Span, end: Milliseconds) -> Iterator[Milliseconds]:
    """Yield the starts of the steps whose middle is inside *span* and whose end is inside the recording."""
    first = -(-(span.start - WORD // 2) // WORD)
    for start in range(max(first, 0) * WORD, span.end - WORD // 2, WORD):
        if start + WORD <= end:
            yield start


def _measure_bands(pcm: Pcm) -> Floats:
    """
    Return the mean square of each frame in each band, ``(frames, bands)``; a minute at a time, for long recordings.
    """
    length = _to_samples(FRAME)
    minute = 60_000 // FRAME * length
    hertz = np.fft.rfftfreq(length, 1 / SAMPLE_RATE_HZ)
    band = np.searchsorted(BAND_EDGES_HZ, hertz, side="left")
    members = np.eye(len(BAND_EDGES_HZ))[band]
    blocks = [np.empty((0, len(BAND_EDGES_HZ)))]
    for start in range(0, len(pcm), minute):
        sound = _scale(pcm[start : start + minute])
        frames = np.pad(sound, (0, -len(sound) % length)).reshape(-1, length)
        blocks.append(_measure_spectrum(frames) @ members)
    return np.concatenate(blocks)


def _measure_spectrum(sound: Floats) -> Floats:
    """Return power by frequency under a Hann window; sums to the mean square of *sound* along the last axis."""
    length = sound.shape[-1]
    shape = np.hanning(length)
    spectrum: Any = np.abs(np.fft.rfft(sound * shape)) ** 2
    return np.asarray(spectrum * 2 / (length * np.sum(shape**2)))


def _label_spans(
    voiced: Flags, most: int, end: Milliseconds, *, bridged: Milliseconds = BRIDGED
) -> tuple[LabelledSpan, ...]:
    """Return runs of frames as labelled spans, ordered by start, then label; *voiced* has shape ``(frames, bands)``."""
    spans = []
    for label in range(min(most, voiced.shape[1])):
        for first, last in _find_runs(np.any(voiced[:, label::most], axis=1), bridged // FRAME):
            if (last - first) * FRAME >= SHORTEST_TURN:
                span = LabelledSpan(start=first * FRAME, end=min(last * FRAME, end), label=f"SPEAKER_{label:02d}")
                spans.append(span)
    return tuple(sorted(spans, key=lambda span: (span.start, span.label)))


def _average_voices(exclusive: Sequence[LabelledSpan], power: Floats) -> dict[str, tuple[float, ...]]:
    """
    Return the mean spectrum of each label's turns in four bands, of unit length; *power* has shape ``(frames, bands)``.
    """
    sums: dict[str, Floats] = {}
    for span in exclusive:
        frames = power[span.start // FRAME : -(-span.end // FRAME)]
        sums[span.label] = sums.get(span.label, np.zeros(power.shape[1])) + frames.sum(axis=0)
    return {label: tuple((total / np.linalg.norm(total)).tolist()) for label, total in sums.items()}


def _find_runs(flags: Flags, gap: int) -> list[tuple[int, int]]:
    """Return runs of true as ``(first, one past the last)``, joined over gaps of at most *gap* frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8))).tolist()
    runs: list[tuple[int, int]] = []
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        if runs and first - runs[-1][1] <= gap:
            runs[-1] = (runs[-1][0], last)
        else:
            runs.append((first, last))
    return runs


def _scale(pcm: Pcm) -> Floats:
    return pcm.astype(np.float64) / 32_768


def _to_samples(time_ms: Milliseconds) -> int:
    return time_ms * SAMPLE_RATE_HZ // 1000


def _to_milliseconds(samples: int) -> Milliseconds:
    return samples * 1000 // SAMPLE_RATE_HZ
