"""Choose the audio track of an opened container, and follow the times of all its tracks."""

from __future__ import annotations

from collections.abc import Iterable

import av
from av.stream import Disposition

from transcribe.audio.container_detection import escape_name, format_length, refusal
from transcribe.records import Milliseconds


def choose_track(tracks: list[av.AudioStream], stream: int | None) -> av.AudioStream:
    """
    Return audio track number *stream*, from 1; ``None``: the only one.

    Raises:
        InputError: ``E_NO_AUDIO``, ``E_AMBIGUOUS_STREAM`` or ``E_STREAM``.
    """
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
        facts = [name_codec(context.name), _name_channels(context.channels), f"{context.sample_rate} Hz"]
    if track.duration is not None and track.time_base is not None:
        facts.append(format_length(int(track.duration * track.time_base * 1_000)))
    facts.extend(escape_name(track.metadata[key], longest=40) for key in ("language", "title") if key in track.metadata)
    return " ".join(facts)


def _name_channels(number: int) -> str:
    return {1: "mono", 2: "stereo"}.get(number, f"{number} channels")


def name_codec(decoder: str) -> str:
    """Return the codec's common name, without the mark of the implementation."""
    for prefix in ("libopencore_", "lib"):
        decoder = decoder.removeprefix(prefix)
    return {"mp3float": "mp3", "mp2float": "mp2", "mp1float": "mp1"}.get(decoder, decoder)


class TrackSpans:
    """The time from the first to the last moment that the time stamps of any track name."""

    def __init__(self, tracks: Iterable[av.stream.Stream]) -> None:
        tracks = list(tracks)
        # As floats once: a fraction a packet would cost more than its decoding.
        self._units_s = {track.index: float(track.time_base) for track in tracks if track.time_base}
        self._timed = {track.index for track in tracks if is_timed(track)}
        self._start: float | None = None
        self._ends: dict[int, float] = {}

    def take(self, packet: av.Packet) -> None:
        """Add a packet of any track."""
        index, pts = packet.stream_index, packet.pts
        unit_s = self._units_s.get(index)
        if pts is None or unit_s is None:
            return
        if self._start is None:
            self._start = pts * unit_s
        self._ends[index] = max(self._ends.get(index, 0.0), (pts + (packet.duration or 0)) * unit_s)

    def reaches(self, declared: Milliseconds | None) -> bool:
        """Tell if the span is as long as declared, but for a second or a hundredth."""
        if declared is None or self._start is None:
            return False
        return (max(self._ends.values()) - self._start) * 1_000 >= declared - max(1_000, declared // 100)

    def measure_lead(self, index: int) -> Milliseconds:
        """Return how long before the last sound or picture of another track that of track *index* ends."""
        ends = {track: end for track, end in self._ends.items() if track in self._timed}
        return _measure_lead(ends, index)


def measure_stated_lead(tracks: Iterable[av.stream.Stream], index: int) -> Milliseconds:
    """Return how long before the longest other one track *index* ends, by the lengths that the file states."""
    return _measure_lead(
        {
            track.index: float(((track.start_time or 0) + track.duration) * track.time_base)
            for track in tracks
            if track.duration and track.time_base and is_timed(track)
        },
        index,
    )


def is_timed(track: av.stream.Stream) -> bool:
    """Tell if *track* is sound or moving pictures, which last as long as the recording; covers and titles do not."""
    is_cover = bool(track.disposition & Disposition.attached_pic)
    return track.type in ("audio", "video") and not is_cover


def _measure_lead(ends_s: dict[int, float], index: int) -> Milliseconds:
    if index not in ends_s:
        return 0
    return round(1_000 * (max(ends_s.values()) - ends_s[index]))
