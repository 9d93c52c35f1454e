"""Everything that decides what a draft says, decoding profiles of dialects among it, and the keys that say so."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from dialects.dialect import Catalogue
from transcribe.config import fingerprint
from transcribe.errors import ConfigError, explain
from transcribe.glossary import FILE as GLOSSARY_FILE
from transcribe.glossary import Glossary, count_bytes, fit
from transcribe.protocols import (
    LONGEST_WINDOW,
    Diariser,
    Recogniser,
    SpeechDetector,
    Window,
)
from transcribe.records import Milliseconds

#: Changes when the rules of drafting change what is drafted, so that old work is not taken for new.
RULES: Final = 11
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


@dataclass(frozen=True, kw_only=True)
class SecondOpinion:
    """A quick recogniser that makes one pass over everything; where it disagrees, a draft is flagged."""

    recogniser: Recogniser
    #: Longest window that it was made for.
    window: Milliseconds = LONGEST_WINDOW
    #: Whisper's code of the only language that it knows; ``None``: it knows many.
    language: str | None = None


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides what a draft says."""

    diariser: Diariser
    detector: SpeechDetector
    recogniser: Recogniser
    catalogue: Catalogue
    #: Longest window the recogniser was made for.
    window: Milliseconds
    join_gap: Milliseconds = 400
    longest: Milliseconds = 28_000
    second: SecondOpinion | None = None
    #: What helps single dialects, found on the dev part.
    levers: Mapping[str, Lever] = field(default_factory=dict)
    #: The project's own names.
    glossary: Glossary = field(default_factory=Glossary)
    #: Length of a text in the recogniser's tokens.
    count_tokens: Callable[[str], int] = count_bytes
    #: Decoding settings that change the text, as plain values.
    decoding: Mapping[str, object] = field(default_factory=dict)
    #: Recordings that the recogniser hears at once: how fast, not what.
    workers: int = 1

    @property
    def diarisation(self) -> str:
        """Key of the turns."""
        return fingerprint("turns", RULES, self.diariser.id)

    @property
    def settings(self) -> str:
        """Key of the drafts: the mark that says a recording is done."""
        # "once": of the words of one hearing, folded.
        second = None if self.second is None else ["once", self.second.recogniser.id, self.second.window]
        cutting = [self.join_gap, self.longest, self.window]
        return fingerprint(
            "drafts",
            RULES,
            self.diarisation,
            self.detector.id,
            self.recogniser.id,
            second,
            cutting,
            dict(self.decoding),
            self.catalogue.hash,
            *([{tag: format_lever(lever) for tag, lever in self.levers.items()}] if self.levers else []),
            *([["glossary", self.glossary.hash]] if self.glossary.terms else []),
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings about names that do not fit the recogniser's prompt, by the dialect that they are given for."""
        return tuple(
            f"W_GLOSSARY: {left_out} names of {GLOSSARY_FILE} for {dialect or 'all dialects'} do not fit into what the "
            "recogniser can be told beforehand; the first ones of the file are told"
            for dialect in self.glossary.dialects
            if (left_out := fit(self.glossary.of(dialect), self.count_tokens)[1])
        )

    def lever(self, dialect: str | None) -> Lever:
        """Return the lever of *dialect*: an empty one where none is set."""
        return self.levers.get(dialect or "", Lever())
