"""
Decode one opened medium into one 16 kHz int16 FLAC, in blocks of seconds.

It runs in the sandboxed child and never in the caller. Memory stays the same whatever the length.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from transcribe import sandbox
from transcribe.audio.coded_source import Head, Samples
from transcribe.audio.container_detection import format_length, refusal
from transcribe.audio.mixing import ChannelMixer
from transcribe.audio.quality import QualityMeter
from transcribe.audio.sources import Source, no_samples, open_source
from transcribe.errors import InputError
from transcribe.protocols import SAMPLE_RATE_HZ
from transcribe.records import CLIPPED_SHARE, NARROW_BAND_HZ, Milliseconds, Quality

#: The most channels that FLAC holds.
_MOST_CHANNELS = 8
#: A hundredth of the samples may be no numbers before the file is doubted.
_BEARABLE = 0.01
#: Streams without time stamps: what is lost in them leaves no gap.
_UNTIMED = (None, "mp3", "aac", "ac3", "amr")
#: Lengths that differ by less are alike: coders add frames to fill up their last one.
_ALIKE: Milliseconds = 250
_SAVE_PARTS = "save its parts as files of their own"


@dataclass(frozen=True, kw_only=True)
class Order:
    """The options of one decoding."""

    #: Longest sound that is taken.
    longest: Milliseconds
    #: Keep the channels apart, instead of averaging them.
    split: bool = False
    #: Number of the audio track, from 1; ``None``: the only one.
    stream: int | None = None
    #: Take what can be read of a file that was cut off.
    partial: bool = False
    #: Processor seconds that are free, and those that a second of sound adds.
    cpu_s: int = 30
    cpu_s_a_second: float = 0.1


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The facts about the medium and the file that was written."""

    duration: Milliseconds
    rate_hz: int
    channels: int
    codec: str
    demuxer: str | None
    warnings: tuple[str, ...]
    quality: Quality


def decode(descriptors: Sequence[int], words: sandbox.Words) -> sandbox.Words:
    """
    Decode *descriptors* (the medium, and the file to write) as *words*, an `Order`, says, and return `Facts`.

    Raises:
        InputError: With the verdict of the bad-input table.
    """
    order = Order(**words)
    incoming, outgoing = descriptors
    source = open_source(incoming, stream=order.stream, longest=order.longest)
    _refuse_length(source.head, os.fstat(incoming).st_size, order)
    only_pass = _Pass(source, outgoing, order)
    only_pass.run()
    quality = only_pass.measure()
    facts = Facts(
        duration=only_pass.written * 1_000 // SAMPLE_RATE_HZ,
        rate_hz=source.head.rate_hz,
        channels=source.head.channels,
        codec=source.head.codec,
        demuxer=source.demuxer,
        warnings=(*source.head.warnings, *only_pass.warnings(quality)),
        quality=quality,
    )
    return asdict(facts)


def _refuse_length(head: Head, size: int, order: Order) -> None:
    """Refuse by the header alone, if it counts samples or can be believed: 20 bytes a second are very few."""
    declared = head.declared
    if declared is not None and declared > order.longest and (head.counted or size * 1_000 >= 20 * declared):
        raise _too_long(f"is {format_length(declared)} long, and the limit is {format_length(order.longest)}")


def _too_long(wrong: str) -> InputError:
    return refusal("E_TOO_LONG", wrong, "cut it into parts, or raise the limit")


class _Pass:
    """One pass of a source into the file: check each block, mix it, resample it to 16 kHz, write it."""

    def __init__(self, source: Source, outgoing: int, order: Order) -> None:
        self._source = source
        self._outgoing = outgoing
        self._order = order
        self._length_s = 0.0
        self._values = 0
        self._not_numbers = 0
        self._mixer = ChannelMixer(source.head.channels)
        self._meter = QualityMeter()
        self._resampler = _Resampler()
        #: Samples written, for each channel.
        self.written = 0

    def run(self) -> None:
        """
        Write the whole sound.

        Raises:
            InputError: If it is too long, cut off, empty, or full of values that are no numbers.
        """
        channels = self._source.head.channels if self._order.split else 1
        if channels > _MOST_CHANNELS:
            raise refusal("E_CHANNELS", f"has {channels} channels, and at most 8 can be kept apart", "mix them")
        os.ftruncate(self._outgoing, 0)
        os.lseek(self._outgoing, 0, os.SEEK_SET)
        with soundfile.SoundFile(
            os.dup(self._outgoing),
            "w",
            samplerate=SAMPLE_RATE_HZ,
            channels=channels,
            subtype="PCM_16",
            format="FLAC",
        ) as file:
            for piece in self._resample_blocks(channels):
                try:
                    file.write(piece)
                except soundfile.LibsndfileError as error:
                    raise refusal("E_WRITE", "could not be written") from error
                self.written += len(piece)
                self._meter.add_pcm(piece)
        self._refuse_faults()

    def measure(self) -> Quality:
        """Return the quality of the sound that was written."""
        return self._meter.measure(cancelled=self._mixer.cancelled, dead=self._mixer.dead)

    def warnings(self, quality: Quality) -> list[str]:
        """List what was odd but bearable."""
        head = self._source.head
        warnings = self._list_missing()
        if head.rate_hz < SAMPLE_RATE_HZ:
            warnings.append(f"W_NARROWBAND: recorded at {head.rate_hz} Hz, as on a telephone; high sounds are missing")
        elif quality.bandwidth_hz in NARROW_BAND_HZ:
            band = f"nothing is above {quality.bandwidth_hz} Hz, as on a telephone, though its rate is higher"
            warnings.append(f"W_NARROWBAND: {band}; high sounds are missing")
        if head.channels > 2 and not self._order.split:
            warnings.append(f"W_CHANNELS: its {head.channels} channels were averaged into one")
        warnings += self._mixer.warnings(split=self._order.split)
        if self._not_numbers:
            silenced = f"{self._not_numbers} of {self._values} values are no numbers and were silenced"
            warnings.append(f"W_BAD_SAMPLES: {silenced}")
        if quality.clipped_share > CLIPPED_SHARE:
            warnings.append(f"W_CLIPPED: {quality.clipped_share:.1%} of its samples are cut off at a ceiling")
        return warnings

    def _list_missing(self) -> list[str]:
        """List what is missing of the sound, and where."""
        source, stated = self._source, self._source.head.declared
        warnings = source.timeline.warnings()
        if self._is_short and (source.bad_pieces > 0 or source.is_cut or not source.reached_end):
            warnings.append(f"W_TRUNCATED: {self._readable_share}")
            return warnings
        if self._is_short:
            missing = format_length((stated or 0) - self._length)
            warnings.append(f"W_SHORT: its sound ends {missing} before the end that its header states")
        elif source.is_cut:
            readable = format_length(self._length)
            whole = "nothing says how long it was" if stated is None else f"it was {format_length(stated)} long"
            warnings.append(f"W_TRUNCATED: its end was cut off; {readable} are readable, and {whole}")
        elif source.lead > _ALIKE:
            warnings.append(f"W_SHORT: its sound ends {format_length(source.lead)} before another track of it")
        elif self._misses(_ALIKE):
            lengths = f"says {format_length(stated or 0)}, and {format_length(self._length)} are there"
            warnings.append(f"W_HEADER: its header {lengths}")
        if source.bad_pieces > source.is_cut:
            place = "later times may be too early" if source.demuxer in _UNTIMED else "silence stands in their place"
            warnings.append(f"W_DAMAGED: {source.bad_pieces} pieces could not be decoded; {place}")
        return warnings

    @property
    def _length(self) -> Milliseconds:
        return int(self._length_s * 1_000)

    @property
    def _readable_share(self) -> str:
        whole = (self._source.head.declared or 0) / 1_000
        return f"{self._length_s:.1f} of {whole:.1f} s are readable"

    @property
    def _is_short(self) -> bool:
        """The sign that the header states more than there is."""
        return self._misses(_ALIKE) and (self._source.head.declared or 0) > self._length

    @property
    def _is_truncated(self) -> bool:
        """The sign that much is missing at the end: more than a hundredth and more than a second."""
        source = self._source
        unfinished = source.bad_pieces > 0 or not source.reached_end
        return unfinished and self._is_short and self._misses(max(1_000, (source.head.declared or 0) // 100))

    def _misses(self, margin: Milliseconds) -> bool:
        """Tell if stated and decoded length differ by more than *margin*, with filled gaps and without."""
        declared, timeline = self._source.head.declared, self._source.timeline
        if declared is None or timeline.jumps:
            return False
        return all(abs(declared - length) > margin for length in (self._length, self._length - timeline.silence))

    def _resample_blocks(self, channels: int) -> Iterator[npt.NDArray[np.int16]]:
        allowed_s = self._order.cpu_s
        for block, rate_hz in self._source.blocks():
            start = self._length
            self._length_s += len(block) / rate_hz
            if self._length > self._order.longest:
                raise _too_long(f"is longer than the limit of {format_length(self._order.longest)}")
            if self._length_s * self._order.cpu_s_a_second > allowed_s:
                allowed_s = int(self._length_s * self._order.cpu_s_a_second) + 1
                sandbox.allow_cpu(allowed_s)
            yield self._resampler.feed(self._mix(block, channels, rate_hz, start), rate_hz)
        tail = self._resampler.flush()
        if len(tail):
            yield tail

    def _mix(self, block: Samples, channels: int, rate_hz: int, start: Milliseconds) -> Samples:
        """Mix a block into the channels that are written, ``(samples, channels)``, with zeros for what is no number."""
        self._values += block.size
        if block.dtype != np.int16 and not np.isfinite(block.sum()):
            broken = ~np.isfinite(block)
            self._not_numbers += int(broken.sum())
            block = np.where(broken, np.float32(0), block)
        self._meter.add_source(block)
        present = block.shape[1]
        if present != self._source.head.channels and self._order.split:
            raise refusal("E_CHAINED", "changes its number of channels on the way", _SAVE_PARTS)
        if present == 1:
            return block
        floats = block if block.dtype == np.float32 else block.astype(np.float32) / np.float32(32_768)
        if present != self._source.head.channels:
            return np.asarray(floats.mean(axis=1, dtype=np.float32)[:, None])
        mixed = self._mixer.mix(floats, rate_hz, start)
        return block if channels > 1 else mixed

    def _refuse_faults(self) -> None:
        source = self._source
        if source.bad_pieces and source.is_chained:
            raise refusal("E_CHAINED", "is several recordings in a row, made in different ways", _SAVE_PARTS)
        if not self.written and source.bad_pieces:
            raise refusal("E_NOT_AUDIO", "holds no sound that can be read", "play it to see what it is")
        if not self.written and source.head.declared and source.demuxer != "wav":
            raise refusal("E_TRUNCATED", f"was cut off: {self._readable_share}", "copy it again")
        if not self.written:
            raise no_samples()
        if self._not_numbers > _BEARABLE * self._values:
            share = 100 * self._not_numbers / self._values
            raise refusal("E_BAD_SAMPLES", f"is damaged: {share:.0f} % of its values are no numbers", "save it again")
        if self._is_truncated and not self._order.partial:
            raise refusal(
                "E_TRUNCATED",
                f"was cut off: {self._readable_share}",
                "copy it again, or take what is there with --allow-partial",
            )


class _Resampler:
    """Resamples blocks of any rate to int16 at 16 kHz; a change of rate in mid-stream begins anew without a gap."""

    def __init__(self) -> None:
        self._stream: soxr.ResampleStream | None = None
        self._rate_hz = SAMPLE_RATE_HZ
        self._channels = 1

    def feed(self, block: Samples, rate_hz: int) -> npt.NDArray[np.int16]:
        """Return the samples that are ready so far, ``(samples, channels)``."""
        flushed = self.flush() if rate_hz != self._rate_hz else None
        if rate_hz == SAMPLE_RATE_HZ:
            ready = self._round(block)
        else:
            if self._stream is None:
                self._rate_hz, self._channels = rate_hz, block.shape[1]
                self._stream = soxr.ResampleStream(
                    rate_hz, SAMPLE_RATE_HZ, self._channels, dtype="float32", quality="HQ"
                )
            floats = block if block.dtype == np.float32 else block.astype(np.float32) / np.float32(32_768)
            ready = self._round(self._stream.resample_chunk(np.ascontiguousarray(floats)))
        return ready if flushed is None else np.concatenate((flushed, ready))

    def flush(self) -> npt.NDArray[np.int16]:
        """Return the end of the sound that the filter still holds."""
        stream, self._stream, self._rate_hz = self._stream, None, SAMPLE_RATE_HZ
        silence = np.zeros((0, self._channels), np.float32)
        return self._round(silence if stream is None else stream.resample_chunk(silence, last=True))

    def _round(self, block: Samples) -> npt.NDArray[np.int16]:
        if block.dtype == np.int16:
            return block
        return np.clip(np.rint(block * np.float32(32_768)), -32_768, 32_767).astype(np.int16)
