"""
Print what a command says: the result on stdout, everything else on stderr.

With ``--json`` exactly one document goes to stdout, whatever happens, in the shapes that scripts hold on to.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from dialects.errors import DialectError
from transcribe.errors import BoliError, Failure, InputError, Interrupted, PartlyFailed, UsageError
from transcribe.records import Milliseconds

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import TaskID

#: Plain progress lines come at every tenth of the work, or after so many seconds.
PLAIN_EVERY_S: Final = 10.0

#: Commands whose second word belongs to their name.
GROUPS: Final = frozenset({"import", "config", "people", "report", "dataset", "models", "speakers"})


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The result of a command: for scripts, for eyes, and what was odd or failed on the way."""

    data: Mapping[str, Any]
    #: Printed for people; a string or anything that rich can draw.
    text: RenderableType = ""
    warnings: Sequence[str] = ()
    failures: Sequence[Failure] = ()


class _Answered(PartlyFailed):
    """The error that some items failed, when the answer has said so: nothing is left to print."""


class Console:
    """The output of one command."""

    def __init__(self, command: str, *, as_json: bool = False, debug: bool = False, progress: str = "auto") -> None:
        self.command = command
        self.as_json = as_json
        self.debug = debug
        self._progress = progress

    def speak_for(self, arguments: Sequence[str]) -> None:
        """
        Take name and manners from *arguments* before they are parsed, so that a wrong word is reported rightly too.
        """
        words = [word for word in arguments if not word.startswith("-")][:2]
        self.command = "-".join(words[: 2 if words and words[0] in GROUPS else 1]) or "help"
        self.as_json = "--json" in arguments
        self.debug = "--debug" in arguments
        for previous, word in zip(["", *arguments], [*arguments, ""], strict=True):
            if previous == "--progress" or word.startswith("--progress="):
                self._progress = word.removeprefix("--progress=")

    def answer(self, answer: Answer) -> None:
        """Print the result; failures among the items make the command end with exit code 6, after the result."""
        if self.as_json:
            document: dict[str, Any] = {
                "schema": f"boli.{self.command}/1",
                "ok": not answer.failures,
                "data": answer.data,
                "warnings": list(answer.warnings),
            }
            if answer.failures:
                document["failures"] = [_describe_failure(failure) for failure in answer.failures]
            _print_json(document)
        else:
            for warning in answer.warnings:
                self.note(printable(warning))
            for failure in answer.failures:
                self.note(f"failed  {printable(failure.item)}\n        {printable(failure.message)}")
            if answer.text:
                _stdout_print(answer.text)
        if answer.failures:
            failure_error = _Answered(f"{len(answer.failures)} failed; the rest is kept", answer.failures)
            if not self.as_json:
                self.note(f"boli {self.command}: {failure_error.message}")
            raise failure_error

    def bug(self, error: BaseException) -> None:
        """Report an error of our own making that a batch went past: where it happened, with ``--debug``."""
        if self.debug:
            traceback.print_exception(error)

    def note(self, text: str) -> None:
        """Print a line for people, on stderr."""
        print(text, file=sys.stderr, flush=True)

    def run(self, body: Callable[[], object]) -> int:
        """Run *body* and return its exit code; errors are printed once, in the shape that was asked for."""
        try:
            code = body()
        except _Answered as error:
            return error.exit_code
        except (KeyboardInterrupt, Interrupted):
            return self.fail(Interrupted("stopped; what was done is kept", hint="run the same command again to go on"))
        except BoliError as error:
            return self.fail(error)
        except DialectError as error:
            return self.fail(_translate(error))
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except Exception as error:  # the last place that can turn a bug into a sentence
            if self.debug:
                traceback.print_exc()
            return self.fail(
                BoliError(f"{type(error).__name__}: {error}", hint="this is a bug; --debug shows where it happened")
            )
        return code if isinstance(code, int) else 0

    def fail(self, error: BoliError) -> int:
        """Print *error* and return its exit code."""
        if self.as_json:
            document = {"code": error.code, "message": error.message, "hint": error.hint, "item": error.item}
            _print_json({"schema": "boli.error/1", "ok": False, "error": document})
        else:
            self.note(f"boli {self.command}: {printable(str(error))}")
        if self.debug and error.__cause__ is not None:
            traceback.print_exception(error)
        return error.exit_code

    @contextmanager
    def progress(self, title: str, *, items: int | None, sound: Milliseconds | None = None) -> Iterator[Progress]:
        """Show the progress of work on *items* files with *sound* of audio in all, on stderr, fit for where it goes."""
        style = self._progress
        if style == "auto":
            plain = not sys.stderr.isatty() or any(os.environ.get(name) for name in ("CI", "NO_COLOR"))
            style = "plain" if plain or os.environ.get("TERM") == "dumb" else "bars"
        meter = Meter(title=title, items=items, sound=sound)
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

    def close(self) -> None: ...


class Meter:
    """The counts of work done, and what follows from them: share, real-time factor, time left."""

    def __init__(self, *, title: str, items: int | None, sound: Milliseconds | None) -> None:
        self.title, self.items, self.sound = title, items, sound
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
        total = "" if self.items is None else f" of {self.items}"
        failed = f", {self.failed} failed" if self.failed else ""
        sound = f", {self.heard / 60_000:.1f} min of audio, {self.speed:.1f}x real time" if self.heard else ""
        return f"{self.title}: {self.done}{total}{failed}{sound}{time_left}"


class _PlainLines:
    def __init__(self, meter: Meter) -> None:
        self._meter, self._told_at, self._told_tenths, self._told_done = meter, time.monotonic(), 0, 0

    def step(self, *, sound: Milliseconds = 0, failed: bool = False, items: int = 1) -> None:
        self._meter.add(sound=sound, failed=failed, items=items)
        tenths = int((self._meter.share or 0.0) * 10 + 1e-9)
        if tenths > self._told_tenths or time.monotonic() - self._told_at >= PLAIN_EVERY_S:
            self._told_at, self._told_tenths, self._told_done = time.monotonic(), tenths, self._meter.done
            self.tell()

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
        total = "" if meter.items is None else f"/{meter.items}"
        trouble = f"  [red]{meter.failed} failed[/red]" if meter.failed else ""
        sound_done = f"  {meter.heard / 60_000:.1f} min  {meter.speed:.1f}x" if meter.heard else ""
        done = meter.heard if meter.sound else meter.done
        self._bars.update(self._task, completed=done, told=f"{meter.done}{total}{sound_done}{trouble}")

    def close(self) -> None:
        return None


def _translate(error: DialectError) -> BoliError:
    """Translate an error of ``dialects``, which knows no exit codes; a table that names no language needs an option."""
    kind = UsageError if error.code == "E_NORMALISER_NEEDED" else InputError
    where = [f"row {error.row}"] if error.row is not None else []
    where += [f"column {error.column}"] if error.column is not None else []
    return kind(error.message, code=error.code, hint=error.hint, item=", ".join(where) or None)


def printable(text: str) -> str:
    r"""
    Return *text* with control and format characters escaped, so that a file name cannot paint the terminal.

    >>> print(printable("a\x1b[31m\nb"))
    a\x1b[31m\nb
    """
    keep = "\u200c\u200d"  # joiners shape Indic words
    characters = [c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text]
    return "".join(characters).encode("utf-8", "backslashreplace").decode()


def _format_clock(seconds: float) -> str:
    whole = round(seconds)
    hours, remainder = divmod(whole, 3600)
    return f"{hours}:{remainder // 60:02d}:{remainder % 60:02d}" if hours else f"{remainder // 60}:{remainder % 60:02d}"


def _describe_failure(failure: Failure) -> dict[str, str]:
    return {"item": failure.item, "code": failure.code, "message": failure.message}


def _print_json(document: Mapping[str, Any]) -> None:
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    text = json.dumps(document, ensure_ascii=not utf8, allow_nan=False)
    # A lone surrogate, as in a file name that is no UTF-8, is written as the escape that JSON has for it.
    print("".join(c if not 0xD800 <= ord(c) <= 0xDFFF else f"\\u{ord(c):04x}" for c in text), flush=True)


def _write(text: str) -> None:
    """Print a line on stdout; file names that are no UTF-8 are escaped rather than the result lost."""
    print(
        text.encode(sys.stdout.encoding or "utf-8", "backslashreplace").decode(sys.stdout.encoding or "utf-8"),
        flush=True,
    )


def _stdout_print(text: RenderableType) -> None:
    if isinstance(text, str):
        _write(text)
        return
    from rich.console import Console as RichConsole

    width = None if sys.stdout.isatty() else 200
    RichConsole(width=width, soft_wrap=not sys.stdout.isatty(), highlight=False).print(text)
