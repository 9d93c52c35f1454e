"""
Put decoded frames where the time stamps of their file say: gaps are silence of their length, what comes twice is cut.

Without it every moment after a gap would be too early against the original, for people and for exported times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from transcribe.records import Milliseconds

#: Gaps of more are filled. Less than an Opus frame (20 ms), which is the least that a recorder drops.
_GAP_S: Final = 0.015
#: Overlaps of more are cut. Wider than the jitter of live recordings, so that no speech is cut for it.
_OVERLAP_S: Final = 0.040
#: Times that go back by more begin anew: another recording follows, and is joined to the first.
_RESTART_S: Final = 1.0
#: Less missing sound than that is not worth a word.
_LEAST_SAID: Final[Milliseconds] = 20
#: Stamps are no times if they go on by so much more or less than the sound between them, as a share, in most places.
_STRAY_SHARE: Final = 0.02
#: Fewer steps from stamp to stamp say nothing of a rate, and that share of them must be alike.
_FEWEST_STEPS: Final = 16
_MOSTLY: Final = 0.9
#: Gaps that a warning lists.
_MOST_LISTED: Final = 3


def format_spans(spans: list[tuple[Milliseconds, Milliseconds]]) -> str:
    """
    Format starts and ends for a warning; of many the first ones.

    >>> format_spans([(4_000, 7_000)]), format_spans([(0, 500)] * 5)
    ('4.00–7.00 s', '0.00–0.50 s, 0.00–0.50 s, 0.00–0.50 s and 2 more')
    """
    listed = ", ".join(f"{start / 1_000:.2f}–{end / 1_000:.2f} s" for start, end in spans[:_MOST_LISTED])
    return f"{listed} and {len(spans) - _MOST_LISTED} more" if len(spans) > _MOST_LISTED else listed


def are_times(steps_s: Sequence[float], lengths_s: Sequence[float]) -> bool:
    """
    Tell if stamps go on by *steps_s* as the sound between them does, in the median, which a gap leaves alone.

    >>> are_times([0.02, 0.02, 3.02], [0.02] * 3), are_times([3.2] * 3, [0.02] * 3)
    (True, False)
    """
    if not steps_s:
        return True
    strays = [abs(step - length) for step, length in zip(steps_s, lengths_s, strict=True)]
    return median(strays) <= _STRAY_SHARE * median(lengths_s)


def are_scaled(steps_s: Sequence[float], lengths_s: Sequence[float], unit_s: float) -> bool:
    """
    Tell if stamps go on faster or slower than the sound, everywhere alike: a rate is wrong, and no sound is missing.

    >>> are_scaled([0.2] * 32, [0.02] * 32, 0.001), are_scaled([0.02] * 20 + [0.4] * 12, [0.02] * 32, 0.001)
    (True, False)
    """
    ratios = [step / length for step, length in zip(steps_s, lengths_s, strict=True) if length > 0]
    if len(ratios) < _FEWEST_STEPS:
        return False
    middle, coarseness = median(ratios), 1.5 * unit_s / median(lengths_s)
    margin = _STRAY_SHARE * max(1.0, middle) + coarseness
    alike = sum(abs(ratio - middle) <= margin for ratio in ratios)
    return alike >= _MOSTLY * len(ratios) and abs(middle - 1) > margin


@dataclass(kw_only=True)
class Timeline:
    """
    The time of a file, from its beginning, while its sound is read.

    Stamps that differ from the running time by less than 15 ms are taken as jitter. So no moment is ever more than that
    too early, as long as the stamps go forward.
    """

    #: The moment that stamps count from; ``None``: the first stamp.
    origin_s: float | None = None
    #: Coarseness of the stamps.
    unit_s: float = 0.0
    #: Whether the stamps of the file are times, or numbers that do not fit its sound.
    has_times: bool = True
    #: Longest sound that is taken: stamps beyond it are no times.
    longest: Milliseconds
    #: End of the sound so far.
    now_s: float = 0.0
    #: Starts and ends of silence that was put in, without that at the beginning.
    gaps: list[tuple[Milliseconds, Milliseconds]] = field(default_factory=list)
    #: Silence before the first sound, and all silence.
    late: Milliseconds = 0
    silence: Milliseconds = 0
    #: Sound that was cut because it came twice.
    repeated_s: float = 0.0
    #: Times that stamps jumped to where no sound can be; the sound was joined there.
    jumps: int = 0

    def advance(self, stamp_s: float | None, samples: int, rate_hz: int) -> tuple[int, int]:
        """
        Move on by a frame of *samples* at *rate_hz*, stamped *stamp_s*.

        Returns:
            Samples of silence to put before it, and samples to cut from its beginning; one of them is 0.
        """
        silence = cut = 0
        if stamp_s is not None and self.has_times:
            ahead_s = self._measure(stamp_s)
            if ahead_s > max(_GAP_S, 1.5 * self.unit_s):
                silence = round(ahead_s * rate_hz)
                self._note_silence(silence / rate_hz)
            elif ahead_s < -max(_OVERLAP_S, 1.5 * self.unit_s):
                cut = min(samples, round(-ahead_s * rate_hz))
                self.repeated_s += cut / rate_hz
        self.now_s += (silence + samples - cut) / rate_hz
        return silence, cut

    def warnings(self) -> list[str]:
        """List what was odd."""
        warnings = []
        if not self.has_times:
            warnings.append("W_TIMESTAMPS: the times inside it do not fit its sound; they were not used")
        if self.jumps:
            warnings.append("W_TIMESTAMPS: the times inside it jump; the sound was joined there without a gap")
        if self.repeated_s >= 0.1:
            warnings.append(
                f"W_OVERLAP: {self.repeated_s:.1f} s came twice, by the times inside it, and were taken once"
            )
        if self.late:
            warnings.append(f"W_LATE_START: its sound begins at {self.late / 1_000:.1f} s; silence stands before it")
        if sum(end - start for start, end in self.gaps) >= _LEAST_SAID:
            missing = f"{sum(end - start for start, end in self.gaps) / 1_000:.2f} s"
            spans = format_spans(self.gaps)
            warnings.append(
                f"W_GAPS: {missing} of sound are missing ({spans}); silence stands there, so that times fit"
            )
        return warnings

    def _measure(self, stamp_s: float) -> float:
        """Return how far *stamp_s* is ahead of the running time; begin anew where it cannot be a time."""
        # Sound that a player begins before 0 begins the timeline.
        if self.origin_s is None or (self.now_s == 0 and stamp_s < self.origin_s):
            self.origin_s = stamp_s - self.now_s
        ahead_s = stamp_s - self.origin_s - self.now_s
        if ahead_s < -_RESTART_S or (self.now_s + ahead_s) * 1_000 > self.longest:
            self.jumps += 1
            self.origin_s = stamp_s - self.now_s
            return 0.0
        return ahead_s

    def _note_silence(self, length_s: float) -> None:
        start, end = (round(moment_s * 1_000) for moment_s in (self.now_s, self.now_s + length_s))
        self.silence += end - start
        if self.now_s == 0:
            self.late = end
        elif self.gaps and self.gaps[-1][1] == start:
            self.gaps[-1] = (self.gaps[-1][0], end)
        elif len(self.gaps) < 10_000:
            self.gaps.append((start, end))
