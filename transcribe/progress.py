"""The displays of progress: bars for a terminal, lines for logs, events for scripts, or nothing."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

from transcribe.records import Milliseconds

if TYPE_CHECKING:
    from rich.progress import TaskID

#: Plain progress lines come at every tenth of the work, or after so many seconds.
PLAIN_EVERY_S: Final = 10.0


@contextmanager
def show_progress(style: str, meter: Meter) -> Iterator[Progress]:
    """Show what *meter* counts on stderr: as ``bars``, ``jsonl``, ``none`` or, for any other *style*, in lines."""
    if style == "bars":
        with _show_bars(meter) as bars:
            yield bars
    else:
        kinds: dict[str, Callable[[Meter], Progress]] = {"jsonl": _JsonLines, "none": _Silent}
        lines = kinds.get(style, _PlainLines)(meter)
        yield lines
        lines.close()


class Progress(Protocol):
    """The display that a loop steps while it works."""

    def step(self, *, sound: Milliseconds = 0, failed: bool = False, items: int = 1) -> None: ...

    def rename(self, title: str) -> None: ...

    def close(self) -> None: ...


class Meter:
    """The counts of work done, and what follows from them: share, real-time factor, time left."""

    def __init__(self, *, title: str, items: int | None, sound: Milliseconds | None, in_percent: bool = False) -> None:
        self.title, self.items, self.sound, self.in_percent = title, items, sound, in_percent
        self.done = self.failed = 0
        self.heard: Milliseconds = 0
        self.began = time.monotonic()

    def add(self, *, sound: Milliseconds, failed: bool, items: int) -> None:
        self.done += items
        self.failed += failed
        self.heard += sound

    @property
    def seconds(self) -> float:
        return max(time.monotonic() - self.began, 1e-6)

    @property
    def speed(self) -> float:
        """The seconds of audio a second of work."""
        return self.heard / 1000 / self.seconds

    @property
    def share(self) -> float | None:
        """The part that is done: of the sound where its length is known, else of the items; ``None`` if neither is."""
        if self.sound:
            return min(self.heard / self.sound, 1.0)
        return min(self.done / self.items, 1.0) if self.items else None

    @property
    def seconds_left(self) -> float | None:
        return self.seconds * (1 - self.share) / self.share if self.share else None

    def sentence(self) -> str:
        time_left = "" if self.seconds_left is None else f", {_format_clock(self.seconds_left)} left"
        if self.in_percent:
            return f"{self.title}: {self.amount}{time_left}"
        failed = f", {self.failed} failed" if self.failed else ""
        sound = f", {self.heard / 60_000:.1f} min of audio, {self.speed:.1f}x real time" if self.heard else ""
        return f"{self.title}: {self.amount}{failed}{sound}{time_left}"

    @property
    def amount(self) -> str:
        """The work done, for people: in percent, or so many of all items."""
        if self.in_percent:
            return f"{self.share or 0.0:.0%}"
        return f"{self.done}" if self.items is None else f"{self.done} of {self.items}"


class _PlainLines:
    def __init__(self, meter: Meter) -> None:
        self._meter, self._told_at, self._told_tenths, self._told_done = meter, time.monotonic(), 0, 0

    def step(self, *, sound: Milliseconds = 0, failed: bool = False, items: int = 1) -> None:
        self._meter.add(sound=sound, failed=failed, items=items)
        tenths = int((self._meter.share or 0.0) * 10 + 1e-9)
        if tenths > self._told_tenths or time.monotonic() - self._told_at >= PLAIN_EVERY_S:
            self._told_at, self._told_tenths, self._told_done = time.monotonic(), tenths, self._meter.done
            self.tell()

    def rename(self, title: str) -> None:
        self._meter.title = title

    def tell(self) -> None:
        print(self._meter.sentence(), file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._meter.done != self._told_done:
            self.tell()


class _JsonLines(_PlainLines):
    def tell(self) -> None:
        meter = self._meter
        event = {
            "event": "progress",
            "title": meter.title,
            "done": meter.done,
            "items": meter.items,
            "failed": meter.failed,
            "audio_ms": meter.heard,
            "audio_total_ms": meter.sound,
            "real_time_factor": round(meter.speed, 2),
            "seconds_left": None if meter.seconds_left is None else round(meter.seconds_left, 1),
        }
        print(json.dumps(event), file=sys.stderr, flush=True)


class _Silent:
    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def step(self, *, sound: Milliseconds = 0, failed: bool = False, items: int = 1) -> None:
        self._meter.add(sound=sound, failed=failed, items=items)

    def rename(self, title: str) -> None:
        self._meter.title = title

    def close(self) -> None:
        return None


@contextmanager
def _show_bars(meter: Meter) -> Iterator[Progress]:
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[told]}"),
        TimeRemainingColumn(compact=True),
    )
    with RichProgress(*columns, console=RichConsole(stderr=True)) as bars:
        total = meter.sound or meter.items
        yield _Bars(bars, bars.add_task(meter.title, total=total, told=""), meter)


class _Bars:
    def __init__(self, bars: Any, task: TaskID, meter: Meter) -> None:
        self._bars, self._task, self._meter = bars, task, meter

    def step(self, *, sound: Milliseconds = 0, failed: bool = False, items: int = 1) -> None:
        meter = self._meter
        meter.add(sound=sound, failed=failed, items=items)
        amount = meter.amount.replace(" of ", "/")
        trouble = f"  [red]{meter.failed} failed[/red]" if meter.failed else ""
        sound_done = f"  {meter.heard / 60_000:.1f} min  {meter.speed:.1f}x" if meter.heard else ""
        done = meter.heard if meter.sound else meter.done
        self._bars.update(self._task, completed=done, told=f"{amount}{sound_done}{trouble}")

    def rename(self, title: str) -> None:
        self._bars.update(self._task, description=title)

    def close(self) -> None:
        return None


def _format_clock(seconds: float) -> str:
    whole = round(seconds)
    hours, remainder = divmod(whole, 3600)
    return f"{hours}:{remainder // 60:02d}:{remainder % 60:02d}" if hours else f"{remainder // 60}:{remainder % 60:02d}"
