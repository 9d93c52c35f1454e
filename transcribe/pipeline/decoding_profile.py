"""The decoding profile of a dialect: settings of the recogniser, the file that keeps them, the windows made by them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from transcribe.errors import ConfigError, explain
from transcribe.protocols import Window
from transcribe.records import Milliseconds

SCHEMA: Final = "boli.levers/1"
FILE: Final = "levers.json"


@dataclass(frozen=True, kw_only=True)
class Lever:
    """Settings of one dialect that need no training. What is empty is left as it is."""

    #: Words that the recogniser should expect, beside those of the catalogue.
    hotwords: tuple[str, ...] = ()
    #: Text that the recogniser is shown first, instead of the catalogue's.
    prompt: str | None = None
    beam_size: int | None = None
    #: A word as it is drafted, and as people write it.
    spelling: Mapping[str, str] = field(default_factory=dict)

    def respell(self, word: str) -> str:
        """Return *word* as people write it."""
        return self.spelling.get(word, word)


def read_levers(file: Path) -> dict[str, dict[str, Lever]]:
    """
    Read levers by model id and dialect; none where there is no *file*.

    Raises:
        ConfigError: E_CONFIG if the file cannot be read.
    """
    if not file.is_file():
        return {}
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        return {
            model: {tag: _parse_lever(fields) for tag, fields in levers.items()}
            for model, levers in document["models"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        hint = f"remove it and run boli decoding-profile, which writes {SCHEMA}"
        raise ConfigError(f"{file} cannot be read ({explain(error)})", hint=hint, item=str(file)) from error


def write_levers(file: Path, model: str, levers: Mapping[str, Lever]) -> None:
    """Write *levers* of *model*, beside those of other models; whole or not at all."""
    models: dict[str, Any] = {
        name: _format_levers(by_tag) for name, by_tag in {**read_levers(file), model: levers}.items() if by_tag
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(file.name + ".part")
    text = json.dumps({"schema": SCHEMA, "models": models}, indent=1, ensure_ascii=False, sort_keys=True)
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(file)


def format_lever(lever: Lever) -> dict[str, Any]:
    """Return the fields of *lever* for JSON and fingerprints."""
    return {**asdict(lever), "hotwords": list(lever.hotwords), "spelling": dict(sorted(lever.spelling.items()))}


def _format_levers(levers: Mapping[str, Lever]) -> dict[str, Any]:
    return {tag: format_lever(lever) for tag, lever in sorted(levers.items())}


def _parse_lever(fields: dict[str, Any]) -> Lever:
    return Lever(**{**fields, "hotwords": tuple(fields["hotwords"])})


def make_window(
    start: Milliseconds,
    end: Milliseconds,
    language: str | None,
    dialect: str | None,
    entry: Any,
    lever: Lever,
    names: Sequence[str] = (),
) -> Window:
    """Make a window with what the catalogue's *entry* (or ``None``), *lever* and a project's *names* say of it."""
    words = (*(entry.hotwords if entry else ()), *lever.hotwords, *names)
    return Window(
        start=start,
        end=end,
        language=language,
        dialect=dialect,
        prompt=lever.prompt or (entry.prompt if entry else None),
        hotwords=" ".join(dict.fromkeys(words)) or None,
        beam_size=lever.beam_size,
    )
