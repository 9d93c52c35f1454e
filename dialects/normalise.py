"""
Make two texts comparable, without hiding what differs between dialects.

A normaliser is a list of named steps from a closed set, declared in ``catalogue/normalisers/<id>.toml`` with a version
and a hash. Reference and hypothesis go through the same one. No step can turn vowel signs into spaces, as the
``BasicTextNormalizer`` of Whisper does with every Indic, Thai or vowelled Arabic text (WER 44.0 % became 15.7 % on 25
words of Hindi, Tamil and Malayalam): there is no such step, and a table that would do it is refused when it is loaded.
"""

from __future__ import annotations

import functools
import hashlib
import json
import platform
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import regex

from dialects.errors import DialectError
from dialects.steps import STEPS, Step

#: Scripts whose nonspacing and spacing marks carry vowels, gender and case: no step may remove one.
GUARDED_SCRIPTS = (
    *("Deva", "Beng", "Guru", "Gujr", "Orya", "Taml", "Telu", "Knda", "Mlym", "Sinh", "Thai", "Khmr", "Mymr", "Tibt"),
)

#: Whisper's normalisers by the names people give them.
_REFUSED = regex.compile(
    r"whisper|basictext|remove[-_]?(symbols|diacritics|marks|punctuation)|^basic$", regex.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Normaliser:
    """
    A named, versioned list of steps. Call it with a text.

    >>> load_normaliser("indic-v1")("अवनी  आई।")
    'अवनी आई'
    """

    id: str
    version: int
    #: Names in the order in which they are applied.
    steps: tuple[str, ...]
    #: Steps that make distinct words equal; they only feed the column that says so.
    lossy: tuple[str, ...] = ()
    #: ``tags``: tokens to delete; ``map``: character to replacement; ``optional``: fillers that may be missing.
    tables: Mapping[str, Any] = field(default_factory=dict)
    #: What the report leads with: ``cer`` where the script does not put spaces between words.
    primary: Literal["wer", "cer"] = "wer"

    def __post_init__(self) -> None:
        _check(self)

    def __call__(self, text: str) -> str:
        """*text* after all steps but the lossy ones."""
        if "spaces" in self.steps:
            # No step looks across white space, so a word met before need not be worked out again.
            return " ".join(filter(None, map(self._words.__getitem__, text.split())))
        return self.apply(text)

    def apply(self, text: str) -> str:
        """The same as calling it, step by step."""
        for step in self._functions:
            text = step(text)
        return text

    def with_lossy(self, text: str) -> str:
        """*text* after all steps, then the lossy ones, then the plain ones again, since a fold may make new spaces."""
        if "spaces" in self.steps:
            return " ".join(filter(None, map(self._lossy_words.__getitem__, text.split())))
        return self._fold(text)

    def _fold(self, text: str) -> str:
        text = self.apply(text)
        for name in self.lossy:
            text = self._function(name)(text)
        return self.apply(text)

    @functools.cached_property
    def _words(self) -> WordMemory:
        return WordMemory(self.apply)

    @functools.cached_property
    def _lossy_words(self) -> WordMemory:
        return WordMemory(self._fold)

    @functools.cached_property
    def _functions(self) -> tuple[Step, ...]:
        return tuple(self._function(name) for name in self.steps)

    def _function(self, name: str) -> Step:
        if name == "drop-tags":
            return _tag_dropper(frozenset(self.tables.get("tags", ())))
        if name == "map":
            replacements: dict[str, str] = dict(self.tables.get("map", {}))
            table = str.maketrans(replacements)
            return lambda text: text.translate(table)
        return STEPS[name].apply

    @functools.cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON of all that decides the output, the Unicode version among it."""
        decides = {
            "id": self.id,
            "version": self.version,
            "steps": self.steps,
            "lossy": self.lossy,
            "tables": self.tables,
            "primary": self.primary,
            "unicode": unicodedata.unidata_version,
            # Case folding and categories come from the interpreter, script ranges of one lossy step from regex.
            "python": ".".join(platform.python_version_tuple()[:2]),
            "regex": regex.__version__,
        }
        text = json.dumps(decides, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


class WordMemory(dict[str, str]):
    """Words already normalised. Emptied when it grows past what a language's vocabulary needs."""

    def __init__(self, apply: Step, *, most: int = 500_000) -> None:
        super().__init__()
        self._apply = apply
        self._most = most

    def __missing__(self, word: str) -> str:
        if len(self) >= self._most:
            self.clear()
        self[word] = done = self._apply(word)
        return done


def load_normaliser(name: str, *folders: Path) -> Normaliser:
    """
    The normaliser with the id *name*, from *folders* (the last one wins) or from the package.

    Raises:
        DialectError: E_NORMALISER if there is none, or if its file names a step that does not exist, puts a lossy step
            among the plain ones, or would remove vowel signs.
    """
    if _REFUSED.search(name):
        raise DialectError("E_NORMALISER", f"the normaliser {name!r} was asked for; {_WHISPER_REASON}", hint=_choices())
    for folder in reversed(folders):
        file = folder / f"{name}.toml"
        if file.is_file():
            return _parse(name, file.read_text(encoding="utf-8"))
    return _packaged(name)


def normaliser_ids() -> tuple[str, ...]:
    """Ids of the normalisers that ship with the package, sorted."""
    folder = resources.files("dialects") / "catalogue" / "normalisers"
    return tuple(sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")))


_WHISPER_REASON = "it deletes vowel signs and dialect forms, which makes WER lower and not better, so it is not offered"


def _choices() -> str:
    return f"choose one of {', '.join(normaliser_ids())}"


@functools.cache
def _packaged(name: str) -> Normaliser:
    if name not in normaliser_ids():
        raise DialectError("E_NORMALISER", f"the normaliser {name!r} was asked for; there is none", hint=_choices())
    file = resources.files("dialects") / "catalogue" / "normalisers" / f"{name}.toml"
    return _parse(name, file.read_text(encoding="utf-8"))


def _parse(name: str, text: str) -> Normaliser:
    try:
        entry = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DialectError("E_NORMALISER", f"{name}.toml was read as a normaliser; {error}") from None
    unknown = entry.keys() - {"id", "version", "steps", "lossy", "tables", "primary"}
    if unknown or entry.get("id") != name or not isinstance(entry.get("version"), int) or "steps" not in entry:
        found = f"it holds {', '.join(sorted(entry))}"
        hint = f'it needs id = "{name}", version, steps, and may have lossy, tables, primary'
        raise DialectError("E_NORMALISER", f"{name}.toml was read as a normaliser; {found}", hint=hint)
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    return Normaliser(**fields)


def _check(normaliser: Normaliser) -> None:
    name = normaliser.id
    for step in (*normaliser.steps, *normaliser.lossy):
        if step not in STEPS:
            reason = _WHISPER_REASON if _REFUSED.search(step) else f"the steps are {', '.join(sorted(STEPS))}"
            raise DialectError("E_NORMALISER", f"{name} names the step {step!r}, which does not exist; {reason}")
    for step in normaliser.steps:
        if STEPS[step].lossy:
            message = f"{name} has {step!r} among its steps; it makes distinct words equal"
            raise DialectError("E_NORMALISER", message, hint="move it to lossy")
    if set(normaliser.tables) - {"tags", "map", "optional"}:
        raise DialectError("E_NORMALISER", f"{name}: tables may be tags, map and optional")
    if normaliser.primary not in ("wer", "cer"):
        raise DialectError("E_NORMALISER", f"{name}: primary is {normaliser.primary!r}", hint="write wer or cer")
    _refuse_lost_marks(normaliser)
    _refuse_unstable_map(normaliser)


def _refuse_lost_marks(normaliser: Normaliser) -> None:
    """Only a table can do it, since the built-in steps are tested; the whole is tried on every mark all the same."""
    for script, base, mark in guarded_marks():
        before = unicodedata.normalize("NFD", base + mark)
        after = unicodedata.normalize("NFD", normaliser(base + mark))
        if marks_of(after) != marks_of(before):
            code = f"U+{ord(mark):04X} {unicodedata.name(mark)}"
            message = f"{normaliser.id} removes {code}; marks of {script} carry vowels and grammar"
            raise DialectError("E_NORMALISER", message, hint="take the mark out of tables.map")


def marks_of(text: str) -> str:
    """The nonspacing and spacing marks of *text*, in order."""
    return "".join(character for character in text if unicodedata.category(character) in ("Mn", "Mc"))


@functools.cache
def guarded_marks() -> tuple[tuple[str, str, str], ...]:
    """Each mark of a guarded script, with the script and a letter of it: (script, letter, mark)."""
    everything = [chr(code) for code in (*range(0x0900, 0x1100), *range(0x1780, 0x1800), *range(0xA8E0, 0xAA80))]
    found: list[tuple[str, str, str]] = []
    for script in GUARDED_SCRIPTS:
        inside = regex.compile(rf"\p{{Script={script}}}")
        own = [character for character in everything if inside.match(character)]
        letter = next(character for character in own if unicodedata.category(character) == "Lo")
        found += [(script, letter, mark) for mark in own if unicodedata.category(mark) in ("Mn", "Mc")]
    return tuple(found)


def _refuse_unstable_map(normaliser: Normaliser) -> None:
    table: Mapping[str, str] = normaliser.tables.get("map", {})
    again = [key for key, value in table.items() if len(key) != 1 or set(value) & set(table) or value != value.strip()]
    if again:
        message = f"{normaliser.id}: tables.map replaces {again[0]!r} by {table[again[0]]!r}"
        hint = "a key is one character, and a replacement holds no key and no outer space, so that twice is as once"
        raise DialectError("E_NORMALISER", message, hint=hint)


def _tag_dropper(tags: frozenset[str]) -> Step:
    return lambda text: " ".join(word for word in text.split() if word.lower() not in tags) if tags else text


def hash_of(normalisers: Iterable[Normaliser]) -> str:
    """One hash for a set of normalisers: that of the only one, else SHA-256 over the sorted hashes."""
    hashes = sorted({normaliser.hash for normaliser in normalisers})
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()
