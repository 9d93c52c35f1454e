"""
Open media as a stream of sample blocks; runs in the sandboxed child only.

Plain WAV goes through libsndfile; all else through FFmpeg, opened with one demuxer, no protocol and a list of audio
decoders. What is decoded stands where the time stamps of the file put it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Protocol

import soundfile

from transcribe.audio import container_detection, riff, sound_sizes
from transcribe.audio.coded_source import BLOCK_S, CodedSource, Head, Samples, reopen
from transcribe.audio.container_detection import format_length, refusal
from transcribe.audio.spliced_file import Span, SplicedFile
from transcribe.audio.timeline import Timeline
from transcribe.errors import InputError
from transcribe.records import Milliseconds

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


class Source(Protocol):
    """A sound that is read once, from its beginning."""

    head: Head
    #: FFmpeg's name of the container.
    demuxer: str | None
    #: Pieces that could not be decoded and were left out. Complete when `blocks` has ended.
    bad_pieces: int
    #: Whether the last piece ended where the header puts the end, by the time stamps.
    reached_end: bool
    #: Whether the last piece is not whole, or the container not ended. Complete when `blocks` has ended.
    is_cut: bool
    #: How long before the last sound or picture of another track its sound ends. Complete when `blocks` has ended.
    lead: Milliseconds
    #: The silence that stands for what is missing.
    timeline: Timeline

    @property
    def is_chained(self) -> bool:
        """The sign that other recordings follow the first one in the same file."""
        ...

    def blocks(self) -> Iterator[tuple[Samples, int]]:
        """Yield samples, ``(samples, channels)``, and their rate, in order."""
        ...


def open_source(descriptor: int, *, stream: int | None, longest: Milliseconds) -> Source:
    """
    Open what *descriptor* holds, from its beginning.

    Args:
        descriptor: Opened for reading, able to seek.
        stream: Number of the audio track, from 1. ``None``: the only one.
        longest: Longest sound that is taken; time stamps beyond it are taken as jumps.

    Raises:
        InputError: With the verdict, if there is no sound that can be taken.
    """
    demuxer = container_detection.demuxer_of(descriptor)
    timeline = Timeline(longest=longest)
    if demuxer in ("wav", "w64"):
        return _open_wave(descriptor, demuxer, timeline, stream=stream)
    if demuxer == "mp3" and (count := container_detection.read_mpeg_count(descriptor)) is not None:
        return _open_counted(descriptor, count, timeline, stream=stream)
    sizes = sound_sizes.read_sizes(descriptor, demuxer)
    if sizes is not None:
        return CodedSource(
            descriptor,
            demuxer,
            timeline,
            stream=stream,
            file=sizes.open(descriptor),
            promised=sizes.promised,
            warnings=sizes.warnings,
        )
    return CodedSource(descriptor, demuxer, timeline, stream=stream)


def _open_wave(descriptor: int, demuxer: str, timeline: Timeline, *, stream: int | None) -> Source:
    """Open RIFF/WAVE or Wave64; where its header is not true, the libraries get one that is."""
    layout = riff.read_layout(descriptor)
    if layout is None:
        raise no_samples()
    is_plain = layout.format_tag in _PLAIN_TAGS and stream in (None, 1)
    if is_plain and (layout.is_odd or demuxer == "w64"):
        return PlainSource(riff.open_wave(descriptor, layout), layout, timeline, demuxer)
    if is_plain:
        return PlainSource(reopen(descriptor), layout, timeline, demuxer)
    open_corrected = riff.open_wave64 if demuxer == "w64" else riff.open_wave
    file = open_corrected(descriptor, layout) if layout.is_odd else None
    return CodedSource(
        descriptor, demuxer, timeline, stream=stream, file=file, promised=layout.promised, warnings=layout.warnings
    )


def no_samples() -> InputError:
    """Return the refusal of a header without sound."""
    return refusal("E_NO_SAMPLES", "has a header and no sound after it", "copy it again from where it was recorded")


def _open_counted(
    descriptor: int, count: container_detection.MpegCount, timeline: Timeline, *, stream: int | None
) -> CodedSource:
    """
    Open MPEG audio that states a number of frames, and let the frames decide.

    FFmpeg takes padding away where the stated number puts the end. Where that is wrong, it is hidden from FFmpeg.
    """
    source = CodedSource(descriptor, "mp3", timeline, stream=stream)
    packets = source.count_packets()
    # The counting frame itself may be counted.
    if abs(packets.number - count.frames) <= 1 or not packets.number:
        return CodedSource(descriptor, "mp3", timeline, stream=stream)
    size = os.fstat(descriptor).st_size
    pieces = (
        Span(start=0, size=count.offset),
        bytes(4),
        Span(start=count.offset + 4, size=size - count.offset - 4),
    )
    stated = round(count.frames * packets.length_s * 1_000) if source.head.declared is None else source.head.declared
    is_cut = packets.is_cut and count.frames > packets.number and (count.size is None or count.size > size)
    readable = round(packets.number * packets.length_s * 1_000)
    warning = (
        f"W_HEADER: its header says {format_length(stated)}, and {format_length(readable)} are there; the frames decide"
    )
    return CodedSource(
        descriptor,
        "mp3",
        timeline,
        stream=stream,
        file=SplicedFile(descriptor, pieces),
        promised=stated if is_cut else None,
        warnings=() if is_cut else (warning,),
    )


class PlainSource:
    """A WAV file whose samples need no decoder, read by libsndfile."""

    def __init__(self, file: Any, layout: riff.WaveLayout, timeline: Timeline, demuxer: str) -> None:
        try:
            self._file = soundfile.SoundFile(file)
        except soundfile.LibsndfileError as error:
            raise refusal("E_NOT_AUDIO", "holds no sound that can be read", "play it to see what it is") from error
        rate_hz, subtype = self._file.samplerate, self._file.subtype
        frames = layout.stated // layout.block_bytes if layout.block_bytes else self._file.frames
        self._whole = subtype == "PCM_16"
        self.demuxer: str | None = demuxer
        self.head = Head(
            codec=_PLAIN_CODECS.get(subtype, subtype.lower()),
            rate_hz=rate_hz,
            channels=self._file.channels,
            declared=frames * 1_000 // rate_hz,
            counted=True,
            warnings=layout.warnings,
        )
        self.bad_pieces = 0
        self.reached_end = False
        self.is_cut = False
        self.lead: Milliseconds = 0
        self.timeline = timeline

    @property
    def is_chained(self) -> bool:
        return False

    def blocks(self) -> Iterator[tuple[Samples, int]]:
        size = max(1_024, BLOCK_S * self.head.rate_hz)
        dtype = "int16" if self._whole else "float32"
        with self._file:
            while True:
                try:
                    block = self._file.read(size, dtype=dtype, always_2d=True)
                except soundfile.LibsndfileError:
                    self.bad_pieces = 1
                    return
                if not len(block):
                    return
                yield block, self.head.rate_hz
