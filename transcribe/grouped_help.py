"""Help grouped by the people who use a command, in plain text: drawing it with rich costs half a second of imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.core import TyperGroup

if TYPE_CHECKING:
    import typer


class GroupedHelp(TyperGroup):
    """A group of commands whose help has one section for each ``rich_help_panel``, in the order they were added."""

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        sections: dict[str, list[tuple[str, str]]] = {}
        width = max((len(name) for name in self.commands), default=0)
        for name, command in self.commands.items():
            if not command.hidden:
                panel = getattr(command, "rich_help_panel", None)
                help_line = command.get_short_help_str(formatter.width - width - 6)
                sections.setdefault(panel if isinstance(panel, str) else "Commands", []).append((name, help_line))
        for title, rows in sections.items():
            with formatter.section(title):
                formatter.write_dl(rows)
