"""
Print what a command says: the result on stdout, everything else on stderr.

With ``--json`` exactly one document goes to stdout, whatever happens, in the shapes that scripts hold on to.
"""

from __future__ import annotations

import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from dialects.errors import DialectError
from transcribe.errors import (
    BoliError,
    Failure,
    InputError,
    Interrupted,
    PartlyFailed,
    UnfitError,
    UsageError,
    explain,
)
from transcribe.progress import Meter, Progress, show_progress
from transcribe.records import Milliseconds

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.console import ConsoleOptions, RenderableType
    from rich.segment import Segment

#: Controls, and marks that reorder what follows; joiners and marks of one character's direction are writing.
_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")

Stage = TypeVar("Stage", bound=str)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The result of a command: for scripts, for eyes, and what was odd or failed on the way."""

    data: Mapping[str, Any]
    #: Printed for people; a string or anything that rich can draw.
    text: RenderableType = ""
    warnings: Sequence[str] = ()
    failures: Sequence[Failure] = ()
    #: The text lists the failures already.
    is_listed: bool = False


class _Answered(PartlyFailed):
    """The error that some items failed, when the answer has said so: nothing is left to print."""


class Console:
    """The output of one command."""

    def __init__(self, command: str, *, as_json: bool = False, debug: bool = False, progress: str = "auto") -> None:
        #: Its words, with dashes in schemas of documents and with spaces for people.
        self.command = self.title = command
        self.as_json = as_json
        self.debug = debug
        self._progress = progress

    def speak_for(self, arguments: Sequence[str], groups: Mapping[str, Collection[str]]) -> None:
        """
        Take name and manners from *arguments* before they are parsed, so that a wrong word is reported rightly too.

        Args:
            groups: The commands of each command that has some of its own.
        """
        words = [word for word in arguments if not word.startswith("-")][:2]
        # The second word may also be the value of an option, as the folder of --workspace.
        words = words[: 2 if len(words) == 2 and words[1] in groups.get(words[0], ()) else 1] or ["help"]
        self.command, self.title = "-".join(words), " ".join(words)
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
            for failure in () if answer.is_listed else answer.failures:
                self.note(f"failed  {printable(failure.item)}\n        {printable(failure.message)}")
            if answer.text:
                _stdout_print(answer.text)
        if answer.failures:
            failure_error = _Answered(f"{len(answer.failures)} failed; the rest is kept", answer.failures)
            if not self.as_json:
                self.note(f"boli {self.title}: {failure_error.message}")
            raise failure_error

    def bug(self, error: BaseException) -> None:
        """Report an error of our own making that a batch went past: where it happened, with ``--debug``."""
        if self.debug:
            traceback.print_exception(error)

    def note(self, text: str) -> None:
        """Print lines for people, on stderr."""
        print(escape_controls(text), file=sys.stderr, flush=True)

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
        except OSError as error:
            if self.debug:
                traceback.print_exc()
            return self.fail(translate_os_error(error))
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
            self.note(f"boli {self.title}: {printable(str(error))}")
        if self.debug and error.__cause__ is not None:
            traceback.print_exception(error)
        return error.exit_code

    @contextmanager
    def stages(self, title: str, shares: Mapping[Stage, int]) -> Iterator[Callable[[Stage, float], None]]:
        """
        Show the progress of work in stages as one percentage, and yield a function that takes a stage and its progress.

        Args:
            shares: The part of the whole that each stage takes, roughly; progress is from 0 to 1.
        """
        done = dict.fromkeys(shares, 0)
        with self.progress(title, items=sum(shares.values()), in_percent=True) as progress:

            def tell(stage: Stage, share: float) -> None:
                reached = round(shares[stage] * min(share, 1.0))
                if reached > done[stage]:
                    progress.rename(f"{title}, {stage}")
                    progress.step(items=reached - done[stage])
                    done[stage] = reached

            yield tell

    @contextmanager
    def progress(
        self, title: str, *, items: int | None, sound: Milliseconds | None = None, in_percent: bool = False
    ) -> Iterator[Progress]:
        """Show the progress of work on *items* files with *sound* of audio in all, on stderr, fit for where it goes."""
        style = self._progress
        if style == "auto":
            plain = not sys.stderr.isatty() or any(os.environ.get(name) for name in ("CI", "NO_COLOR"))
            style = "plain" if plain or os.environ.get("TERM") == "dumb" else "bars"
        meter = Meter(title=title, items=items, sound=sound, in_percent=in_percent)
        with show_progress(style, meter) as display:
            yield display


def _translate(error: DialectError) -> BoliError:
    """Translate an error of ``dialects``, which knows no exit codes; a table that names no language needs an option."""
    kind = UsageError if error.code == "E_NORMALISER_NEEDED" else InputError
    where = [f"row {error.row}"] if error.row is not None else []
    where += [f"column {error.column}"] if error.column is not None else []
    return kind(error.message, code=error.code, hint=error.hint, item=", ".join(where) or None)


def translate_os_error(error: OSError) -> BoliError:
    """Translate an error of a file that nobody foresaw: it is not there, or the place cannot be used."""
    file = None if error.filename is None else os.fsdecode(error.filename)
    name = file or "a file"
    if isinstance(error, FileNotFoundError):
        return InputError(f"{name} is not there", code="E_FILE", hint="check the path", item=file)
    if isinstance(error, IsADirectoryError | NotADirectoryError):
        kind = "a folder, and no file" if isinstance(error, IsADirectoryError) else "below a file, which is no folder"
        return InputError(f"{name} is {kind}", code="E_FILE", hint="check the path", item=file)
    hint = "see that it may be read and written, and that its disk has room"
    return UnfitError(f"{name} cannot be used: {explain(error)}", hint=hint, item=file)


def printable(text: str) -> str:
    r"""
    Return *text* with control and format characters escaped, so that a file name cannot paint the terminal.

    >>> print(printable("a\x1b[31m\nb"))
    a\x1b[31m\nb
    """
    keep = "\u200c\u200d"  # joiners shape Indic words
    characters = [c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text]
    return "".join(characters).encode("utf-8", "backslashreplace").decode()


def escape_controls(text: str) -> str:
    r"""
    Escape what would move or paint the terminal, or turn the direction of what follows; line ends and tabs stay.

    All that commands print for people passes here, since names of files and people are in it.

    >>> print(escape_controls("a\x1b[31m b"))
    a\x1b[31m b
    """
    return _CONTROLS.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def _describe_failure(failure: Failure) -> dict[str, str]:
    return {"item": failure.item, "code": failure.code, "message": failure.message}


def _print_json(document: Mapping[str, Any]) -> None:
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    text = json.dumps(document, ensure_ascii=not utf8, allow_nan=False)
    # A lone surrogate, as in a file name that is no UTF-8, is written as the escape that JSON has for it.
    print("".join(c if not 0xD800 <= ord(c) <= 0xDFFF else f"\\u{ord(c):04x}" for c in text), flush=True)


def _write(text: str) -> None:
    """Print a line on stdout; file names that are no UTF-8 are escaped rather than the result lost."""
    text = escape_controls(text)
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
    RichConsole(width=width, soft_wrap=not sys.stdout.isatty(), highlight=False).print(_Escaped(text))


@dataclass(frozen=True)
class _Escaped:
    """The output of rich, with the controls in its texts escaped; those of rich itself are no texts."""

    inner: RenderableType

    def __rich_console__(self, console: RichConsole, options: ConsoleOptions) -> Iterator[Segment]:
        for segment in console.render(self.inner, options):
            yield segment if segment.control else segment._replace(text=escape_controls(segment.text))
