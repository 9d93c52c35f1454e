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
from dialects.text.non_speech import has_brackets
from dialects.text.number_folding import FoldedWord, NumberFolder
from dialects.text.number_words import NumberWords, load_number_words, number_words_hash
from dialects.text.steps import STEPS, Step, fold_typed_letters

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
    #: ``tags``: tokens to delete; ``map``: character to replacement; ``optional``: fillers that may be missing;
    #: ``numbers``: languages whose number words are folded.
    tables: Mapping[str, Any] = field(default_factory=dict)
    #: The rate that the report leads with: ``cer`` where the script does not put spaces between words.
    primary: Literal["wer", "cer"] = "wer"

    def __post_init__(self) -> None:
        _check(self)

    def __call__(self, text: str) -> str:
        """Apply all steps but the lossy ones to *text*."""
        return self._fold_numbers(self.without_numbers(text))

    def split(self, text: str) -> tuple[list[str], int]:
        """The words of *text* after all steps but the lossy ones, and how many were folded as numbers."""
        words = self.without_numbers(text).split()
        if self._folder is None or not self._folder.has_numbers(words):
            return words, 0
        return self._folder.fold_texts(words)

    def split_parts(self, parts: Iterable[str]) -> list[FoldedWord]:
        """The normalised words of the text that *parts* make together, each with the parts that it stands for."""
        pairs = [(word, index) for index, part in enumerate(parts) for word in self.without_numbers(part).split()]
        if self._folder is None:
            return [FoldedWord(word, index, index) for word, index in pairs]
        folded = self._folder.fold([word for word, _ in pairs])
        return [word._replace(first=pairs[word.first][1], last=pairs[word.last][1]) for word in folded]

    def apply(self, text: str) -> str:
        """Apply all steps but the lossy ones to *text* one after another, without cached words."""
        return self._fold_numbers(self._apply_plain(text))

    def with_lossy(self, text: str) -> str:
        """Apply all steps, then the lossy ones, then the plain ones again, since a fold may make new spaces."""
        if "spaces" in self.steps:
            return " ".join(self.with_lossy_words(self(text).split()))
        return self._apply_with_lossy(text)

    def with_lossy_words(self, words: list[str]) -> list[str]:
        """The *words* of a normalised text after the lossy steps too."""
        folded = [self._lossy_words[word] for word in words]
        return words if folded == words else self._fold_numbers(" ".join(folded)).split()

    def without_numbers(self, text: str) -> str:
        """Apply the steps that look at one word at a time to *text*: numbers stay as they are written."""
        if has_brackets(text):
            for step in self._whole_text_steps:
                text = step(text)
        if "spaces" in self.steps:
            # These steps do not look across white space, so a word met before need not be worked out again.
            return " ".join(filter(None, map(self._words.__getitem__, text.split())))
        return self._apply_plain(text)

    def _apply_plain(self, text: str) -> str:
        for step in self._functions:
            text = step(text)
        return text

    def _fold_numbers(self, text: str) -> str:
        return text if self._folder is None else self._folder(text)

    def _apply_with_lossy(self, text: str) -> str:
        text = self._apply_plain(text)
        for name in self.lossy:
            text = self._function(name)(text)
        return self._apply_plain(text)

    @functools.cached_property
    def _folder(self) -> NumberFolder | None:
        return NumberFolder(self._number_words) if "fold-numbers" in self.steps else None

    @property
    def _number_words(self) -> NumberWords:
        return load_number_words(tuple(self.tables.get("numbers", ())))

    @functools.cached_property
    def _words(self) -> WordMemory:
        return WordMemory(self._apply_plain)

    @functools.cached_property
    def _lossy_words(self) -> WordMemory:
        return WordMemory(self._apply_with_lossy)

    @functools.cached_property
    def _functions(self) -> tuple[Step, ...]:
        return tuple(self._function(name) for name in self.steps if not STEPS[name].across_words)

    @functools.cached_property
    def _whole_text_steps(self) -> tuple[Step, ...]:
        """The steps up to the last that drops what has blanks inside."""
        ends = [number for number, name in enumerate(self.steps, 1) if STEPS[name].inside_blanks]
        return tuple(self._function(name) for name in self.steps[: max(ends, default=0)])

    def _function(self, name: str) -> Step:
        if name == "drop-tags":
            return _tag_dropper(frozenset(self.tables.get("tags", ())))
        if name == "read-number-marks":
            return _number_mark_reader(self._number_words)
        if name == "map":
            replacements: dict[str, str] = dict(self.tables.get("map", {}))
            table = str.maketrans(replacements)
            return lambda text: text.translate(table)
        return STEPS[name].apply

    @functools.cached_property
    def hash(self) -> str:
        """The SHA-256 of the canonical JSON of all that decides the output, the Unicode version among it."""
        decides: dict[str, Any] = {
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
        if "numbers" in self.tables:
            decides["number_words"] = number_words_hash(tuple(self.tables["numbers"]))
        text = json.dumps(decides, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


class WordMemory(dict[str, str]):
    """A cache of normalised words. Emptied when it grows past what a language's vocabulary needs."""

    def __init__(self, apply: Step, *, most: int = 500_000) -> None:
        super().__init__()
        self._apply = apply
        self._most = most

    def __missing__(self, word: str) -> str:
        if len(self) >= self._most:
            self.clear()
        self[word] = normalised = self._apply(word)
        return normalised


def load_normaliser(name: str, *folders: Path) -> Normaliser:
    """
    Load the normaliser with the id *name*, from *folders* (the last one wins) or from the package.

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
    return _load_packaged(name)


def normaliser_ids() -> tuple[str, ...]:
    """List the ids of the normalisers that ship with the package, sorted."""
    folder = resources.files("dialects") / "catalogue" / "normalisers"
    return tuple(sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")))


_WHISPER_REASON = "it deletes vowel signs and dialect forms, which makes WER lower and not better, so it is not offered"


def _choices() -> str:
    return f"choose one of {', '.join(normaliser_ids())}"


@functools.cache
def _load_packaged(name: str) -> Normaliser:
    if name not in normaliser_ids():
        raise DialectError("E_NORMALISER", f"the normaliser {name!r} was asked for; there is none", hint=_choices())
    file = resources.files("dialects") / "catalogue" / "normalisers" / f"{name}.toml"
    return _parse(name, file.read_text(encoding="utf-8"))


def _parse(name: str, text: str) -> Normaliser:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DialectError("E_NORMALISER", f"{name}.toml was read as a normaliser; {error}") from None
    unknown = content.keys() - {"id", "version", "steps", "lossy", "tables", "primary"}
    if unknown or content.get("id") != name or not isinstance(content.get("version"), int) or "steps" not in content:
        problem = f"it holds {', '.join(sorted(content))}"
        hint = f'it needs id = "{name}", version, steps, and may have lossy, tables, primary'
        raise DialectError("E_NORMALISER", f"{name}.toml was read as a normaliser; {problem}", hint=hint)
    fields: dict[str, Any] = {
        key: tuple(setting) if isinstance(setting, list) else setting for key, setting in content.items()
    }
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
    if set(normaliser.tables) - {"tags", "map", "optional", "numbers"}:
        raise DialectError("E_NORMALISER", f"{name}: tables may be tags, map, optional and numbers")
    _refuse_early_look_across(normaliser)
    if normaliser.primary not in ("wer", "cer"):
        raise DialectError("E_NORMALISER", f"{name}: primary is {normaliser.primary!r}", hint="write wer or cer")
    _refuse_lost_marks(normaliser)
    _refuse_unstable_map(normaliser)


def _refuse_early_look_across(normaliser: Normaliser) -> None:
    """Refuse steps after one that looks across words: they run word by word, and so before it."""
    across = [STEPS[step].across_words for step in normaliser.steps]
    if across != sorted(across) or (any(across) and "spaces" not in normaliser.steps):
        step = normaliser.steps[across.index(True)]
        message = f"{normaliser.id} has {step!r} before other steps, or no step 'spaces'"
        raise DialectError("E_NORMALISER", message, hint="put it last")


def _refuse_lost_marks(normaliser: Normaliser) -> None:
    """Refuse a table that removes a guarded mark: built-in steps are tested, and the whole is tried on every mark."""
    for script, base, mark in guarded_marks():
        if marks_of(normaliser(base + mark)) != marks_of(base + mark):
            code = f"U+{ord(mark):04X} {unicodedata.name(mark)}"
            message = f"{normaliser.id} removes {code}; marks of {script} carry vowels and grammar"
            raise DialectError("E_NORMALISER", message, hint="take the mark out of tables.map")


def marks_of(text: str) -> str:
    """List the nonspacing and spacing marks of *text*, in order; those that look and mean the same are one."""
    spelt = unicodedata.normalize("NFD", fold_typed_letters(text))
    return "".join(character for character in spelt if unicodedata.category(character) in ("Mn", "Mc"))


#: The letter for k in each guarded script, the first consonant.
_CONSONANT = regex.compile(r" (LETTER KA|LETTER ALPAPRAANA KAYANNA|CHARACTER KO KAI)$")


@functools.cache
def guarded_marks() -> tuple[tuple[str, str, str], ...]:
    """List each mark of a guarded script, with the script and a letter of it: (script, letter, mark)."""
    everything = [chr(code) for code in (*range(0x0900, 0x1100), *range(0x1780, 0x1800), *range(0xA8E0, 0xAA80))]
    marks: list[tuple[str, str, str]] = []
    for script in GUARDED_SCRIPTS:
        inside = regex.compile(rf"\p{{Script={script}}}")
        letters = [character for character in everything if inside.match(character)]
        # A consonant: vowels and their signs may be another way to type another vowel.
        letter = next(character for character in letters if _CONSONANT.search(unicodedata.name(character)))
        marks += [(script, letter, mark) for mark in letters if unicodedata.category(mark) in ("Mn", "Mc")]
    return tuple(marks)


def _refuse_unstable_map(normaliser: Normaliser) -> None:
    table: Mapping[str, str] = normaliser.tables.get("map", {})
    unstable = [
        key
        for key, replacement in table.items()
        if len(key) != 1 or set(replacement) & set(table) or replacement != replacement.strip()
    ]
    if unstable:
        message = f"{normaliser.id}: tables.map replaces {unstable[0]!r} by {table[unstable[0]]!r}"
        hint = "a key is one character, and a replacement holds no key and no outer space, so that twice is as once"
        raise DialectError("E_NORMALISER", message, hint=hint)


def _tag_dropper(tags: frozenset[str]) -> Step:
    return lambda text: " ".join(word for word in text.split() if word.lower() not in tags) if tags else text


#: A comma between digits groups them, by thousands or by lakhs.
_GROUPING = regex.compile(r"(?<=\p{Nd})[,\u066C](?=\p{Nd})")
#: One point in a number is decimal. Several part a date, a version or an address, and are no part of what is said.
_DECIMAL = regex.compile(r"(?<![\p{Nd}.])(\p{Nd}+|(?<![\p{L}\p{M}]))[.\u066B](\p{Nd}+)(?!\.?\p{Nd})")
#: All that makes the step worth a look.
_NUMBER_MARK = regex.compile("[%\u066a\uff05]|[.,\u066b\u066c]\\p{Nd}")
_PERCENT = regex.compile("[%\u066a\uff05]")


def _number_mark_reader(words: NumberWords) -> Step:
    point = rf"\1 {words.point[0]} \2" if words.point else r"\1 \2"
    percent = f" {' '.join(words.percent[0])} " if words.percent else " "

    def fold_numbers(text: str) -> str:
        if _NUMBER_MARK.search(text) is None:
            return text
        ungrouped: str = _GROUPING.sub("", text)
        return str(_PERCENT.sub(percent, _DECIMAL.sub(point, ungrouped)))

    return fold_numbers


def _keep(text: str) -> str:
    return text


def hash_of(normalisers: Iterable[Normaliser]) -> str:
    """Hash a set of normalisers: the hash of the only one, else SHA-256 over the sorted hashes."""
    hashes = sorted({normaliser.hash for normaliser in normalisers})
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()
