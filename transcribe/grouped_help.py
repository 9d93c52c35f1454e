"""Help grouped by the people who use a command, in plain text: drawing it with rich costs half a second of imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.core import TyperGroup

if TYPE_CHECKING:
    import typer


class ShowByDefault(TyperGroup):
    """A group whose command ``show`` is meant where none is named: ``boli consent call.wav``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put ``show`` before words that begin with no command of the group."""
        if args and args[0] not in (*self.commands, "--help", "-h"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


class GroupedHelp(TyperGroup):
    """A group of commands whose help has one section for each ``rich_help_panel``, in the order they were added."""

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        sections: dict[str, list[str]] = {}
        for name, command in self.commands.items():
            if not command.hidden:
                panel = getattr(command, "rich_help_panel", None)
                sections.setdefault(panel if isinstance(panel, str) else "Commands", []).append(name)
        for title, names in sections.items():
            width = formatter.width - max(map(len, names)) - 6
            with formatter.section(title):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(width)) for name in names])
