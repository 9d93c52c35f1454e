"""The application, its console and signals, the options that commands share, and how groups and workspaces open."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from transcribe.console import Answer, Console
from transcribe.grouped_help import GroupedHelp, ShowByDefault

if TYPE_CHECKING:
    from transcribe.wiring import Wiring


#: Sections of the help, by the people who use their commands.
ENGINEERS: Final = "Data engineers"
ML_TEAMS: Final = "ML teams"
LEADS: Final = "Transcription leads"
EVERYONE: Final = "Everyone"

app = typer.Typer(
    name="boli",
    help="Transcribe dialect-rich audio: diarise, draft, correct, measure per dialect, learn.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    cls=GroupedHelp,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(f"boli {version('boli')}")
        raise typer.Exit


@app.callback()
def _start(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None: ...


#: The voice of the running command; `cli.main` gives it the command's name and manners before anything is parsed.
console = Console("boli")

Workspace = Annotated[
    Path | None,
    typer.Option(
        "--workspace", "-w", help="The workspace; else BOLI_WORKSPACE, else the nearest folder with a boli.toml."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Exactly one JSON document on stdout.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show where an error came from.")]
Progress = Annotated[str, typer.Option("--progress", help="auto, plain, jsonl or none; on stderr.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


def group(
    name: str,
    help: str,
    panel: str,
    list_all: Callable[[Path | None], object] | None = None,
    *,
    shows: bool = False,
) -> typer.Typer:
    """
    Add a command with commands of its own, such as `boli people`, to the help's section *panel*.

    Args:
        list_all: Called with the workspace where the group's name stands alone; ``None``: its commands are listed.
        shows: Its command ``show`` is meant where none is named.
    """
    members = typer.Typer(help=help, rich_markup_mode=None, cls=ShowByDefault if shows else None)
    app.add_typer(members, name=name, rich_help_panel=panel)

    def alone(
        context: typer.Context, workspace: Workspace = None, as_json: AsJson = False, debug: Debug = False
    ) -> None:
        if context.invoked_subcommand is not None:
            return
        if list_all is None:
            console.answer(_list_commands(context))
        else:
            list_all(workspace)

    members.callback(invoke_without_command=True, help=help, epilog=f"Example: boli {name}")(alone)
    return members


def list_groups() -> dict[str, frozenset[str]]:
    """Return the names of the commands of each group."""
    return {
        str(info.name): frozenset(str(command.name) for command in info.typer_instance.registered_commands)
        for info in app.registered_groups
        if info.typer_instance is not None
    }


@contextmanager
def open_workspace(workspace: Path | None, overrides: Mapping[str, Any] | None = None) -> Iterator[Wiring]:
    """Open *workspace*, or the one around, with *overrides* over its settings; what that needs is imported only now."""
    from transcribe.wiring import Wiring

    with Wiring.open(workspace, overrides) as wiring:
        yield wiring


def _list_commands(context: typer.Context) -> Answer:
    names = list_groups()[str(context.info_name)]
    return Answer(data={"commands": sorted(names)}, text=context.get_help())


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """Set the event at the first Ctrl-C or SIGTERM, so that work in flight is finished; the second ends the process."""
    stop = threading.Event()

    def ask(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.default_int_handler)
        stop.set()

    with _handle_signals(ask):
        yield stop


@contextmanager
def interrupt_until_set() -> Iterator[threading.Event]:
    """
    Let Ctrl-C and SIGTERM interrupt at once until the event is set.

    A server that is open takes the signals itself, and hands them on when there is nothing left to stop.
    """
    is_open = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        if not is_open.is_set():
            raise KeyboardInterrupt

    with _handle_signals(stop):
        yield is_open


@contextmanager
def _handle_signals(handler: Callable[[int, object], None]) -> Iterator[None]:
    handlers = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, earlier in handlers.items():
            signal.signal(number, earlier)
