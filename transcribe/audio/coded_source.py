"""
Read media through FFmpeg, opened with one demuxer, no protocol and a list of audio decoders; in the child only.

What is decoded stands where the time stamps of the file put it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import IO, Any, Final, TypeAlias

import av
import av.logging
import av.subtitles.codeccontext
import av.subtitles.stream
import numpy as np
import numpy.typing as npt
from av.stream import Discard

from transcribe.audio import container_detection, truncation
from transcribe.audio.container_detection import refusal
from transcribe.audio.timeline import Timeline, are_scaled, are_times
from transcribe.audio.tracks import TrackSpans, choose_track, measure_stated_lead, name_codec
from transcribe.errors import InputError
from transcribe.records import Milliseconds

#: Samples as shape ``(samples, channels)``: int16, or float32 where full scale is 1.
Samples: TypeAlias = npt.NDArray[Any]

#: Blocks are of so many seconds.
BLOCK_S: Final = 2
#: Containers whose headers state a length that can be held against what was decoded. MPEG audio without a counting
#: frame, raw AAC and broadcast streams state none: what libraries report there is a guess from the bit rate.
_STATES_LENGTH = frozenset(
    ("mov", "matroska", "wav", "w64", "aiff", "caf", "au", "avi", "asf", "flv", "wv", "ape", "tta", "flac")
)
#: Containers whose times count from 0: what begins later begins late. Elsewhere times count from the first stamp.
_ABSOLUTE: Final = frozenset(("mov", "matroska"))
#: Containers of several tracks whose times count from the first stamp of any of them.
_SHARED_START: Final = frozenset(("mpegts", "mpeg", "flv", "asf", "avi"))
#: Containers that store no times: FFmpeg makes them from rates and sizes in the header, which may be wrong.
_UNTIMED: Final = frozenset(("avi", "wav", "w64", "aiff", "caf", "au"))
#: Codecs that leave frames out while nobody speaks, all through a silence alike.
_PAUSING: Final = frozenset(("opus", "speex"))
#: Frames by which it is judged whether stamps are times, and seconds; frames of a second take much memory.
_JUDGED: Final = 64
_JUDGED_S: Final = 8.0
#: Streams whose packets are frames with their headers. ``None``: one of them, that began in mid-stream.
_SELF_FRAMED: Final = frozenset(("mp3", "aac", "ac3", "mpegts", "mpeg", None))
#: Demuxers that may look at a file whose beginning says nothing: sound that starts in mid-stream.
_PROBED = "mp3,aac,ac3,eac3,mpegts,mpeg"
#: Decoders that may be opened, also while FFmpeg looks for the parameters of a stream. No video, no subtitles.
_DECODERS = ",".join(
    (
        *("aac", "aac_latm", "ac3", "eac3", "alac", "amrnb", "amrwb", "libopencore_amrnb", "libopencore_amrwb"),
        *("ape", "dca", "flac", "gsm", "gsm_ms", "g722", "g723_1", "g726", "g729", "libopus", "opus", "vorbis"),
        *("mp1float", "mp1", "mp2float", "mp2", "mp3float", "mp3", "speex", "libspeex", "tta", "wavpack"),
        *("wmav1", "wmav2", "wmapro", "wmavoice", "wmalossless", "cook", "truespeech", "nellymoser"),
        *("adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt", "adpcm_g722", "adpcm_g726", "adpcm_yamaha", "adpcm_swf"),
        *("pcm_alaw", "pcm_mulaw", "pcm_u8", "pcm_s8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be"),
        *("pcm_s32le", "pcm_s32be", "pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be"),
    )
)
#: Planes of a frame that PyAV reaches; it would read memory of others for more (av.audio.plane, AVFrame.data).
_MOST_PLANES: Final = 8
#: Sample entries of protected MP4: FairPlay, Audible, Common Encryption.
_LOCKED_TAGS = ("drms", "aavd", "enca")


# A sealed child can import nothing: what PyAV imports on first use is imported above. Its log would end nowhere.
av.logging.set_level(None)


@dataclass(frozen=True, kw_only=True)
class Head:
    """The facts that a file states of itself."""

    codec: str
    rate_hz: int
    channels: int
    #: Length by the header. ``None``: it states none.
    declared: Milliseconds | None = None
    #: Whether the header counts samples, and not time stamps, which may jump.
    counted: bool = False
    warnings: tuple[str, ...] = ()


def reopen(descriptor: int) -> IO[bytes]:
    """Open *descriptor* from its beginning, as a file whose end leaves it open."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    return open(descriptor, "rb", buffering=0, closefd=False)


@dataclass(frozen=True, kw_only=True)
class PacketCount:
    """The packets of a track, counted without decoding them."""

    number: int
    #: Length of the first.
    length_s: float
    #: Whether the last states more bytes than there are.
    is_cut: bool


class CodedSource:
    """A file of any other kind, read by FFmpeg."""

    def __init__(
        self,
        descriptor: int,
        demuxer: str | None,
        timeline: Timeline,
        *,
        stream: int | None,
        file: Any = None,
        promised: Milliseconds | None = None,
        warnings: tuple[str, ...] = (),
    ) -> None:
        """
        Open the medium.

        Args:
            file: What stands for the bytes of *descriptor*, where its header is not true.
            promised: The length that the header states, where that is more than there is.
        """
        self._descriptor = descriptor
        self.demuxer = demuxer
        self._container = self._open(reopen(descriptor) if file is None else file)
        if not self._container.streams.audio:
            self._refuse_lost_index(None)
        track = choose_track(list(self._container.streams.audio), stream)
        context = track.codec_context
        if context is None:
            raise refusal("E_NOT_AUDIO", "uses an audio codec that is not known here", "save it as WAV or FLAC")
        if _read_tag(context) in _LOCKED_TAGS or "enc_key_id" in track.metadata:
            raise _encryption_refusal()
        context.thread_count = 1
        if demuxer == "mov":
            # Each track states its own length here, so the pictures of a film need not even be read.
            for other in self._container.streams:
                other.discard = Discard.default if other.index == track.index else Discard.all
        self._track = track
        self.head = Head(
            codec=name_codec(context.name),
            rate_hz=context.sample_rate,
            channels=context.channels,
            declared=self._read_length() if promised is None else promised,
            counted=demuxer == "flac",
            warnings=warnings,
        )
        self.bad_pieces = 0
        self.reached_end = False
        self.is_cut = False
        self._is_overstated = promised is not None
        self.lead: Milliseconds = 0
        self.timeline = timeline

    @property
    def is_chained(self) -> bool:
        return self.demuxer == "ogg" and container_detection.is_chained(self._descriptor)

    @property
    def _framing(self) -> str | None:
        """The kind of frames that state their own size; ``None`` in containers that do it for them."""
        return self.head.codec if self.demuxer in _SELF_FRAMED else None

    def count_packets(self) -> PacketCount:
        """Count the packets of the track; nothing can be decoded after it."""
        number, length_s, last = 0, 0.0, None
        for packet in self._read_packets():
            if packet.stream.index == self._track.index and packet.size:
                if last is None and packet.duration and packet.time_base:
                    length_s = float(packet.duration * packet.time_base)
                number, last = number + 1, packet
        is_cut = last is not None and truncation.is_frame_cut(bytes(last), self._framing)
        return PacketCount(number=number, length_s=length_s, is_cut=is_cut)

    def blocks(self) -> Iterator[tuple[Samples, int]]:
        # Frames are small; joined in C they cost far less than as arrays of their own.
        fifo, rate_hz = av.AudioFifo(), self.head.rate_hz
        form: tuple[int, int, str] | None = None
        unit_s = 0.0
        for frame in self._judge_times(self._decode_frames()):
            if frame.format.is_planar and frame.layout.nb_channels > _MOST_PLANES:
                self._pass_over(frame, form)
                continue
            frame_form = (frame.sample_rate, frame.layout.nb_channels, frame.format.name)
            if frame_form != form:
                # The queue itself does not look at channels, and would read beyond a frame that has fewer.
                yield from _drain(fifo, rate_hz)
                fifo, form, rate_hz = av.AudioFifo(), frame_form, frame.sample_rate
            if not unit_s and frame.time_base:
                unit_s = float(frame.time_base)
                self._begin_timeline(unit_s)
            stamp_s = None if frame.pts is None else frame.pts * unit_s
            silence, cut = self.timeline.advance(stamp_s, frame.samples, rate_hz)
            if silence:
                yield from _drain(fifo, rate_hz)
                yield from _make_silence(silence, frame.layout.nb_channels, rate_hz)
            frame.pts = None  # or the queue would refuse a jump in time
            if cut < frame.samples:
                fifo.write(_shorten(frame, cut) if cut else frame)
            if fifo.samples >= BLOCK_S * rate_hz:
                yield from _drain(fifo, rate_hz)
        yield from _drain(fifo, rate_hz)

    def _judge_times(self, frames: Iterator[av.AudioFrame]) -> Iterator[av.AudioFrame]:
        """Yield *frames*, after the stamps of the first of them were held against their lengths."""
        first: list[av.AudioFrame] = []
        length_s = 0.0
        for frame in islice(frames, _JUDGED):
            first.append(frame)
            length_s += frame.samples / max(1, frame.sample_rate)
            if length_s > _JUDGED_S:
                break
        steps_s, lengths_s = _measure_steps(first)
        if self.demuxer in _UNTIMED:
            self.timeline.has_times = are_times(steps_s, lengths_s)
        elif self.head.codec not in _PAUSING:
            unit_s = float(self._track.time_base or 0)
            self.timeline.has_times = not are_scaled(steps_s, lengths_s, unit_s)
        if not self.timeline.has_times:
            # The length that the header states is made of the same rates.
            self.head = replace(self.head, declared=None)
        yield from first
        yield from frames
        self.lead = self.lead if self.timeline.has_times else 0

    def _pass_over(self, frame: av.AudioFrame, form: object) -> None:
        """Leave out a frame of more planes than PyAV can reach: damage, if the frames before it had fewer."""
        if form is None:
            wrong = (
                f"has {frame.layout.nb_channels} channels, and of {self.head.codec} at most {_MOST_PLANES} can be read"
            )
            raise refusal("E_CHANNELS", wrong, "save it as WAV, or with fewer channels")
        self.bad_pieces += 1

    def _begin_timeline(self, unit_s: float) -> None:
        self.timeline.unit_s = unit_s
        if self.demuxer in _ABSOLUTE:
            self.timeline.origin_s = 0.0
        elif self.demuxer in _SHARED_START and len(self._container.streams) > 1:
            start = self._container.start_time
            self.timeline.origin_s = None if start is None else start / av.time_base

    def _open(self, file: Any) -> av.container.InputContainer:
        options = {
            "format_whitelist": _PROBED if self.demuxer is None else self.demuxer,
            "protocol_whitelist": "none",
            "codec_whitelist": _DECODERS,
        }
        try:
            return av.open(file, format=self.demuxer, options=options, metadata_errors="replace")
        except (OSError, av.error.FFmpegError, ValueError) as error:  # OSError: a place that no file has
            self._refuse_lost_index(error)
            raise refusal("E_NOT_AUDIO", "holds no sound that can be read", "play it to see what it is") from error

    def _refuse_lost_index(self, error: Exception | None) -> None:
        if truncation.lacks_index(self._descriptor, self.demuxer):
            raise refusal(
                "E_TRUNCATED",
                "was cut off: the index at the end is missing, and without it nothing can be read",
                "copy it again from where it was recorded",
            ) from error

    def _read_length(self) -> Milliseconds | None:
        counted = self.demuxer == "mp3" and container_detection.read_mpeg_count(self._descriptor) is not None
        if not (counted or self.demuxer in _STATES_LENGTH):
            return None
        if self.demuxer == "asf":
            # FFmpeg guesses from the bit rate where bytes are missing, and the header knows.
            return truncation.read_asf_length(self._descriptor)
        if self.demuxer == "avi" and self._track.frames and self._track.time_base is not None:
            return int(self._track.frames * self._track.time_base * 1_000)
        lengths = []
        if self._track.duration is not None and self._track.time_base is not None:
            lengths.append(int(self._track.duration * self._track.time_base * 1_000))
        if self._container.duration is not None:
            lengths.append(self._container.duration // 1_000)
        return min((length for length in lengths if length > 0), default=None)

    def _decode_frames(self) -> Iterator[av.AudioFrame]:
        """Yield decoded frames; what cannot be decoded is counted and left out."""
        spans, first, framing = TrackSpans(self._container.streams), True, self._framing
        last_failed = False
        for packet in self._read_packets():
            spans.take(packet)
            # What flushes a decoder states index 0 itself, whatever its track.
            if packet.stream.index != self._track.index:
                continue
            last_failed = last_failed and not packet.size
            if framing is not None and packet.size and truncation.is_frame_cut(bytes(packet), framing):
                # Some decoders make full-scale noise of it.
                self.bad_pieces += 1
                last_failed = True
                continue
            try:
                frames = self._track.decode(packet)
            except av.error.FFmpegError as error:
                if packet.has_sidedata("encryption_info"):
                    raise _encryption_refusal() from error
                self.bad_pieces += 1
                last_failed = True
                continue
            if first and packet.has_sidedata("encryption_info"):
                raise _encryption_refusal()
            first = False
            yield from frames
        # The samples of a FLAC stream are all there if its last frame is whole, whatever the header counts.
        self.reached_end = not self.bad_pieces if self.head.counted else spans.reaches(self.head.declared)
        index = self._track.index
        is_discarded = self.demuxer == "mov"
        self.lead = measure_stated_lead(self._container.streams, index) if is_discarded else spans.measure_lead(index)
        is_part_cut = last_failed or self._is_overstated
        self.is_cut = is_part_cut or truncation.is_file_cut(self._descriptor, self.demuxer)

    def _read_packets(self) -> Iterator[av.Packet]:
        """Yield the packets of all tracks, to the end or to where the container breaks off."""
        try:
            yield from self._container.demux()
        except (OSError, IndexError, av.error.FFmpegError):  # IndexError: a track that begins on the way
            self.bad_pieces += 1


def _measure_steps(frames: Iterable[av.AudioFrame]) -> tuple[list[float], list[float]]:
    """Return the steps from one stamp to the next, and how long the sound between them is, in seconds."""
    steps_s, lengths_s = [], []
    stamp_s: float | None = None
    length_s = 0.0
    for frame in frames:
        if frame.pts is not None and frame.time_base:
            if stamp_s is not None:
                steps_s.append(float(frame.pts * frame.time_base) - stamp_s)
                lengths_s.append(length_s)
            stamp_s, length_s = float(frame.pts * frame.time_base), 0.0
        length_s += frame.samples / max(1, frame.sample_rate)
    return steps_s, lengths_s


def _encryption_refusal() -> InputError:
    return refusal("E_ENCRYPTED", "is encrypted (DRM)", "ask its owner for a copy without protection")


def _read_tag(context: av.AudioCodecContext) -> str:
    """Return the codec's tag in the container; empty where it is a number, as in RIFF, and no text."""
    try:
        tag: str = context.codec_tag
    except UnicodeDecodeError:
        return ""
    return tag


def _make_silence(samples: int, channels: int, rate_hz: int) -> Iterator[tuple[Samples, int]]:
    """Yield silence in blocks."""
    whole = np.zeros((min(samples, BLOCK_S * rate_hz), channels), np.int16)
    for start in range(0, samples, len(whole)):
        yield whole[: samples - start], rate_hz


def _shorten(frame: av.AudioFrame, cut: int) -> av.AudioFrame:
    """Return *frame* without its first *cut* samples."""
    fifo = av.AudioFifo()
    fifo.write(frame)
    fifo.read(cut)
    rest = fifo.read()
    assert rest is not None  # it has more samples than are cut
    rest.pts = None
    return rest


def _drain(fifo: av.AudioFifo, rate_hz: int) -> Iterator[tuple[Samples, int]]:
    """Yield all that waits in the queue as one block of shape ``(samples, channels)``, if there is anything."""
    frame = fifo.read()
    if frame is None:
        return
    whole = frame.to_ndarray()
    block: Samples = whole.T if frame.format.is_planar else whole.reshape(-1, frame.layout.nb_channels)
    if block.dtype == np.uint8:
        block = (block.astype(np.float32) - 128) / 128
    elif block.dtype == np.int32 or block.dtype == np.int64:
        block = block.astype(np.float32) / np.float32(-int(np.iinfo(block.dtype).min))
    elif block.dtype == np.float64:
        block = block.astype(np.float32)
    yield block, rate_hz
