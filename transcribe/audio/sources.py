"""
Open media as a stream of sample blocks; runs in the sandboxed child only.

Plain WAV and FLAC go through libsndfile, which counts samples where FFmpeg counts time stamps; all else through
FFmpeg, opened with one demuxer, no protocol and a list of audio decoders.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import av
import av.logging
import av.subtitles.codeccontext
import av.subtitles.stream
import numpy as np
import numpy.typing as npt
import soundfile
from av.stream import Discard

from transcribe.audio import container_detection
from transcribe.audio.container_detection import escape_name, format_length, refusal
from transcribe.errors import InputError
from transcribe.records import Milliseconds

#: Samples as shape ``(samples, channels)``: int16, or float32 where full scale is 1.
Samples: TypeAlias = npt.NDArray[Any]

_BLOCK_S = 2
#: WAVE format tags that libsndfile reads without a codec of its own: PCM, float, A-law, mu-law, extensible.
_PLAIN_TAGS = (0x0001, 0x0003, 0x0006, 0x0007, 0xFFFE)
_PLAIN_CODECS = {
    "PCM_16": "pcm_s16le",
    "PCM_24": "pcm_s24le",
    "PCM_32": "pcm_s32le",
    "PCM_U8": "pcm_u8",
    "FLOAT": "pcm_f32le",
    "DOUBLE": "pcm_f64le",
    "ALAW": "pcm_alaw",
    "ULAW": "pcm_mulaw",
}
#: Containers whose headers state a length that can be held against what was decoded. MPEG audio without a counting
#: frame, raw AAC and broadcast streams state none: what libraries report there is a guess from the bit rate.
_STATES_LENGTH = frozenset(
    ("mov", "matroska", "wav", "w64", "aiff", "caf", "au", "avi", "asf", "flv", "wv", "ape", "tta", "flac")
)
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
#: Sample entries of protected MP4: FairPlay, Audible, Common Encryption.
_LOCKED_TAGS = ("drms", "aavd", "enca")
_UNFILLED = "W_HEADER: its header does not state a length; the length was taken from the bytes that are there"


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


class Source(Protocol):
    """A sound that is read once, from its beginning."""

    head: Head
    #: FFmpeg's name of the container.
    demuxer: str | None
    #: Pieces that could not be decoded and were left out. Complete when `blocks` has ended.
    bad_pieces: int
    #: Whether the last piece ended where the header puts the end, by the time stamps.
    reached_end: bool

    @property
    def is_chained(self) -> bool:
        """The sign that other recordings follow the first one in the same file."""
        ...

    def blocks(self) -> Iterator[tuple[Samples, int]]:
        """Yield samples, ``(samples, channels)``, and their rate, in order."""
        ...


def open_source(descriptor: int, *, stream: int | None) -> Source:
    """
    Open what *descriptor* holds, from its beginning.

    Args:
        descriptor: Opened for reading, able to seek.
        stream: Number of the audio track, from 1. ``None``: the only one.

    Raises:
        InputError: With the verdict, if there is no sound that can be taken.
    """
    demuxer = container_detection.demuxer_of(descriptor)
    os.lseek(descriptor, 0, os.SEEK_SET)
    first = os.pread(descriptor, 4, 0)
    header = container_detection.wave_header(descriptor) if first == b"RIFF" else None
    if demuxer == "wav" and first == b"RIFF" and (header is None or header.present == 0):
        raise no_samples()
    lies = header is not None and header.lies
    plain = first == b"fLaC" or (header is not None and header.format_tag in _PLAIN_TAGS and not lies)
    if plain and stream in (None, 1):
        return PlainSource(descriptor, header)
    return CodedSource(descriptor, demuxer, stream=stream, lies=lies)


def no_samples() -> InputError:
    """Return the refusal of a header without sound."""
    return refusal("E_NO_SAMPLES", "has a header and no sound after it", "copy it again from where it was recorded")


class PlainSource:
    """A WAV or FLAC file, read by libsndfile."""

    def __init__(self, descriptor: int, header: container_detection.WaveHeader | None) -> None:
        try:
            self._file = soundfile.SoundFile(os.dup(descriptor), closefd=True)
        except soundfile.LibsndfileError as error:
            raise refusal("E_NOT_AUDIO", "holds no sound that can be read", "play it to see what it is") from error
        declared = self._file.frames
        if header is not None and header.block_bytes and self._file.subtype in _PLAIN_CODECS:
            declared = header.declared // header.block_bytes
        rate_hz = self._file.samplerate
        subtype = self._file.subtype
        self._whole = subtype == "PCM_16"
        self.demuxer: str | None = "flac" if header is None else "wav"
        self.head = Head(
            codec="flac" if header is None else _PLAIN_CODECS.get(subtype, subtype.lower()),
            rate_hz=rate_hz,
            channels=self._file.channels,
            # A FLAC that was streamed states no number of samples; libsndfile then reports the largest one.
            declared=declared * 1_000 // rate_hz if 0 < declared < 1 << 60 else None,
            counted=True,
        )
        self._descriptor = descriptor
        self.bad_pieces = 0
        self.reached_end = False

    @property
    def is_chained(self) -> bool:
        return False

    def blocks(self) -> Iterator[tuple[Samples, int]]:
        size = max(1_024, _BLOCK_S * self.head.rate_hz)
        dtype = "int16" if self._whole else "float32"
        done = 0
        with self._file:
            while True:
                try:
                    block = self._file.read(size, dtype=dtype, always_2d=True)
                except soundfile.LibsndfileError:
                    break
                if not len(block):
                    return
                done += len(block)
                yield block, self.head.rate_hz
        yield from self._decode_rest(done)

    def _decode_rest(self, done: int) -> Iterator[tuple[Samples, int]]:
        """
        Yield what follows the first *done* samples, by FFmpeg.

        libsndfile gives up a whole block for one bad frame, and all that comes after it.
        """
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        other = CodedSource(self._descriptor, self.demuxer, stream=None, lies=False)
        for block, rate_hz in other.blocks():
            if len(block) > done:
                yield block[done:], rate_hz
            done = max(0, done - len(block))
        self.bad_pieces = max(1, other.bad_pieces)


class CodedSource:
    """A file of any other kind, read by FFmpeg."""

    def __init__(self, descriptor: int, demuxer: str | None, *, stream: int | None, lies: bool) -> None:
        self._descriptor = descriptor
        self.demuxer = demuxer
        self._lies = lies
        self._container = self._open()
        track = _choose_track(list(self._container.streams.audio), stream)
        context = track.codec_context
        if context is None:
            raise refusal("E_NOT_AUDIO", "uses an audio codec that is not known here", "save it as WAV or FLAC")
        if context.codec_tag in _LOCKED_TAGS or "enc_key_id" in track.metadata:
            raise _encryption_refusal()
        context.thread_count = 1
        if demuxer == "mov":
            # Each track states its own length here, so the pictures of a film need not even be read.
            for other in self._container.streams:
                other.discard = Discard.default if other.index == track.index else Discard.all
        self._track = track
        self.head = Head(
            codec=_name_codec(context.name),
            rate_hz=context.sample_rate,
            channels=context.channels,
            declared=self._read_length(),
            warnings=(_UNFILLED,) if lies else (),
        )
        self.bad_pieces = 0
        self.reached_end = False

    @property
    def is_chained(self) -> bool:
        return self.demuxer == "ogg" and container_detection.is_chained(self._descriptor)

    def blocks(self) -> Iterator[tuple[Samples, int]]:
        # Frames are small; joined in C they cost far less than as arrays of their own.
        fifo, rate_hz = av.AudioFifo(), self.head.rate_hz
        form: tuple[int, int, str] | None = None
        for frame in self._decode_frames():
            frame_form = (frame.sample_rate, frame.layout.nb_channels, frame.format.name)
            if frame_form != form:
                # The queue itself does not look at channels, and would read beyond a frame that has fewer.
                yield from _drain(fifo, rate_hz)
                fifo, form, rate_hz = av.AudioFifo(), frame_form, frame.sample_rate
            frame.pts = None  # or the queue would refuse a jump in time
            fifo.write(frame)
            if fifo.samples >= _BLOCK_S * rate_hz:
                yield from _drain(fifo, rate_hz)
        yield from _drain(fifo, rate_hz)

    def _open(self) -> av.container.InputContainer:
        options = {
            "format_whitelist": _PROBED if self.demuxer is None else self.demuxer,
            "protocol_whitelist": "none",
            "codec_whitelist": _DECODERS,
        }
        if self._lies:
            options["ignore_length"] = "1"
        try:
            file = open(self._descriptor, "rb", buffering=0, closefd=False)  # noqa: SIM115 - the descriptor is the caller's
            return av.open(file, format=self.demuxer, options=options, metadata_errors="replace")
        except (av.error.FFmpegError, ValueError) as error:
            if self.demuxer == "mov" and container_detection.lacks_index(self._descriptor):
                raise refusal(
                    "E_TRUNCATED",
                    "was cut off: the index at the end is missing, and without it nothing can be read",
                    "copy it again from where it was recorded",
                ) from error
            raise refusal("E_NOT_AUDIO", "holds no sound that can be read", "play it to see what it is") from error

    def _read_length(self) -> Milliseconds | None:
        counted = self.demuxer == "mp3" and container_detection.declares_length(self._descriptor)
        if self._lies or not (counted or self.demuxer in _STATES_LENGTH):
            return None
        lengths = []
        if self._track.duration is not None and self._track.time_base is not None:
            lengths.append(int(self._track.duration * self._track.time_base * 1_000))
        if self._container.duration is not None:
            lengths.append(self._container.duration // 1_000)
        return min((length for length in lengths if length > 0), default=None)

    def _decode_frames(self) -> Iterator[av.AudioFrame]:
        """Yield decoded frames; what cannot be decoded is counted and left out."""
        span, first = _Span(self._container.streams), True
        for packet in self._read_packets():
            span.take(packet)
            if packet.stream_index != self._track.index:
                continue
            try:
                frames = packet.decode()
            except av.error.FFmpegError as error:
                if packet.has_sidedata("encryption_info"):
                    raise _encryption_refusal() from error
                self.bad_pieces += 1
                continue
            if first and packet.has_sidedata("encryption_info"):
                raise _encryption_refusal()
            first = False
            yield from frames
        self.reached_end = span.reaches(self.head.declared)

    def _read_packets(self) -> Iterator[av.Packet]:
        """Yield the packets of all tracks, to the end or to where the container breaks off."""
        try:
            yield from self._container.demux()
        except av.error.FFmpegError:
            self.bad_pieces += 1


class _Span:
    """The time from the first to the last moment that the time stamps of any track name."""

    def __init__(self, tracks: Iterable[av.stream.Stream]) -> None:
        # As floats once: a fraction a packet would cost more than its decoding.
        self._units_s = {track.index: float(track.time_base) for track in tracks if track.time_base}
        self._start: float | None = None
        self._end = 0.0

    def take(self, packet: av.Packet) -> None:
        unit_s, pts = self._units_s.get(packet.stream_index), packet.pts
        if pts is None or unit_s is None:
            return
        if self._start is None:
            self._start = pts * unit_s
        self._end = max(self._end, (pts + (packet.duration or 0)) * unit_s)

    def reaches(self, declared: Milliseconds | None) -> bool:
        """Tell if the span is as long as declared, but for a second or a hundredth."""
        if declared is None or self._start is None:
            return False
        return (self._end - self._start) * 1_000 >= declared - max(1_000, declared // 100)


def _choose_track(tracks: list[av.AudioStream], stream: int | None) -> av.AudioStream:
    if not tracks:
        raise refusal("E_NO_AUDIO", "has no audio track", "hand in the sound that belongs to it")
    if stream is None and len(tracks) > 1:
        listed = ", ".join(f"{number}: {_describe(track)}" for number, track in enumerate(tracks, 1))
        raise refusal(
            "E_AMBIGUOUS_STREAM", f"has {len(tracks)} audio tracks ({listed})", "say which one with --stream NUMBER"
        )
    wanted = 1 if stream is None else stream
    if not 1 <= wanted <= len(tracks):
        raise refusal("E_STREAM", f"has no audio track {wanted}", f"choose one of 1 to {len(tracks)}")
    return tracks[wanted - 1]


def _describe(track: av.AudioStream) -> str:
    context = track.codec_context
    facts = ["unknown codec"]
    if context is not None:
        facts = [_name_codec(context.name), _name_channels(context.channels), f"{context.sample_rate} Hz"]
    if track.duration is not None and track.time_base is not None:
        facts.append(format_length(int(track.duration * track.time_base * 1_000)))
    facts.extend(escape_name(track.metadata[key], longest=40) for key in ("language", "title") if key in track.metadata)
    return " ".join(facts)


def _name_channels(number: int) -> str:
    return {1: "mono", 2: "stereo"}.get(number, f"{number} channels")


def _encryption_refusal() -> InputError:
    return refusal("E_ENCRYPTED", "is encrypted (DRM)", "ask its owner for a copy without protection")


def _name_codec(decoder: str) -> str:
    """Return the codec's common name, without the mark of the implementation."""
    for prefix in ("libopencore_", "lib"):
        decoder = decoder.removeprefix(prefix)
    return {"mp3float": "mp3", "mp2float": "mp2", "mp1float": "mp1"}.get(decoder, decoder)


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
