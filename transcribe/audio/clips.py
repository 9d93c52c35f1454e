"""Cut the clips that a transcriber hears: shaped, and encoded for the browser."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from transcribe.protocols import SAMPLE_RATE_HZ, Pcm
from transcribe.records import Milliseconds

if TYPE_CHECKING:
    import av

_FADE: Milliseconds = 10
#: The tone over masked speech: 1 kHz, as broadcasters use.
_TONE_HZ = 1_000
#: Loudest sample after levelling, and the most that a quiet clip is lifted: noise must not become speech.
_HEADROOM_DB = 1.0
_MOST_GAIN_DB = 30.0
#: libopus's effort, of 10, and its longest frames: a third of the time that the defaults take, and a fifth fewer bytes.
#: Long frames cost delay in a call; a clip is no call.
_OPUS_OPTIONS = {"compression_level": "3", "frame_duration": "60"}
_OPUS_FRAME = SAMPLE_RATE_HZ // 50


def shape_clip(
    pcm: Pcm,
    start: Milliseconds,
    end: Milliseconds,
    *,
    context: Milliseconds = 300,
    masks: Sequence[tuple[Milliseconds, Milliseconds]] = (),
    level_dbfs: float = -20.0,
) -> Pcm:
    """
    Return the stretch from *start* to *end* as a person should hear it, int16, shape ``(samples,)``.

    A little *context* on both sides, an even level, faded ends, and a tone over masked speech.

    Args:
        pcm: The whole recording.
        start: Where the segment begins.
        end: Where it ends. Both are brought into the recording.
        context: Sound kept before and after, as far as there is any.
        masks: Spans that nobody may hear, in the times of the recording. Nothing of them is left in the clip.
        level_dbfs: Level that the clip is brought to, measured without the masked spans, below full scale.

    Returns:
        New samples. Silence stays silence; no clip is lifted by more than 30 dB.
    """
    whole = len(pcm) * 1_000 // SAMPLE_RATE_HZ
    first = min(max(0, start - context), whole)
    last = max(first, min(whole, end + context))
    samples = pcm[first * SAMPLE_RATE_HZ // 1_000 : last * SAMPLE_RATE_HZ // 1_000]
    if not len(samples):
        return np.zeros(0, np.int16)
    spans = [(max(a, first) - first, min(b, last) - first) for a, b in masks if max(a, first) < min(b, last)]
    pydub = _import_pydub()
    clip = _level(pydub, samples, spans, level_dbfs)
    for a, b in spans:
        sine = pydub.generators.Sine(_TONE_HZ, sample_rate=SAMPLE_RATE_HZ)
        tone = sine.to_audio_segment(b - a + 1, level_dbfs)[: b - a]
        # pydub's own `overlay` would add the tone to the speech; a masked word must be gone.
        clip = clip[:a].append(tone, crossfade=0).append(clip[b:], crossfade=0)
    fade = min(_FADE, len(clip) // 2)
    clip = clip.fade_in(fade).fade_out(fade) if fade else clip
    return np.array(clip.get_array_of_samples(), np.int16)


def silence_spans(pcm: Pcm, spans: Sequence[tuple[Milliseconds, Milliseconds]]) -> Pcm:
    """Copy *pcm* with silence in *spans*, which may reach beyond its ends."""
    quiet = pcm.copy()
    for start, end in spans:
        quiet[max(0, start) * SAMPLE_RATE_HZ // 1_000 : max(0, end) * SAMPLE_RATE_HZ // 1_000] = 0
    return quiet


def encode_opus(pcm: Pcm, *, bitrate: int = 16_000) -> bytes:
    """
    Encode *pcm* as Opus in WebM, which every browser plays; the same samples give the same bytes.

    A clip of nothing becomes one frame of silence: without any the container would not even begin.
    """
    import av

    target = io.BytesIO()
    with av.open(target, "w", format="webm", options={"fflags": "+bitexact"}) as output:
        stream = output.add_stream("libopus", rate=SAMPLE_RATE_HZ, layout="mono", options=_OPUS_OPTIONS)
        stream.bit_rate = bitrate
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        output.mux(stream.encode(_make_frame(pcm if len(pcm) else np.zeros(_OPUS_FRAME, np.int16))))
        output.mux(stream.encode(None))
    return target.getvalue()


def _level(
    pydub: ModuleType, samples: Pcm, spans: Sequence[tuple[Milliseconds, Milliseconds]], level_dbfs: float
) -> Any:
    """Return the clip at its level; what lies in *spans* is silenced before anything is measured."""
    audible = samples.copy()
    unmasked = np.ones(len(samples), bool)
    for a, b in spans:
        stretch = slice(a * SAMPLE_RATE_HZ // 1_000, b * SAMPLE_RATE_HZ // 1_000)
        audible[stretch], unmasked[stretch] = 0, False
    measured = _make_segment(pydub, audible[unmasked])
    clip = _make_segment(pydub, audible)
    if measured.rms == 0:
        return clip
    gain = min(level_dbfs - measured.dBFS, -_HEADROOM_DB - measured.max_dBFS, _MOST_GAIN_DB)
    return clip.apply_gain(gain)


def _make_segment(pydub: ModuleType, samples: Pcm) -> Any:
    return pydub.AudioSegment(data=samples.tobytes(), sample_width=2, frame_rate=SAMPLE_RATE_HZ, channels=1)


def _make_frame(pcm: Pcm) -> av.AudioFrame:
    import av

    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(pcm)[None], format="s16", layout="mono")
    frame.sample_rate = SAMPLE_RATE_HZ
    frame.pts = 0
    return frame


def _import_pydub() -> ModuleType:
    """
    Import pydub, which is fed with samples only.

    Its import warns of audioop, which Python 3.13 lacks and audioop-lts brings back; of escapes in its own regular
    expressions; and of a missing ffmpeg, which is needed for files alone. None of them concerns us.
    """
    with warnings.catch_warnings():
        for category in (DeprecationWarning, SyntaxWarning, RuntimeWarning):
            warnings.simplefilter("ignore", category)
        import pydub
        import pydub.generators
    return pydub  # type: ignore[no-any-return]
