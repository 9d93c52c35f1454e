"""
The catalogue of language varieties and their tags.

Tags are BCP 47 (RFC 5646). A Glottocode is four alphanumerics and four digits, exactly what a private-use subtag may
hold, so ``bho-Deva-x-maur1239`` is a valid tag and comes back as it went in.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import hashlib
import json
import re
import tomllib
import unicodedata
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from dialects.errors import DialectError

GLOTTOCODE = re.compile(r"[a-z0-9]{4}[0-9]{4}")

#: The normaliser of a script, where neither the language nor the variety names another one.
NORMALISER_OF_SCRIPT: Mapping[str, str] = {
    "Latn": "latn-v2",
    "Arab": "arab-v1",
    **dict.fromkeys(("Deva", "Beng", "Guru", "Gujr", "Orya", "Taml", "Telu", "Knda", "Mlym", "Sinh"), "indic-v3"),
    **dict.fromkeys(("Mtei", "Olck"), "indic-v3"),
    **dict.fromkeys(("Thai", "Khmr", "Laoo", "Mymr", "Hans", "Hant", "Hani", "Jpan", "Hira", "Kana"), "unspaced-v1"),
}
OTHER_NORMALISER = "all-v1"

#: Letters that a reader takes for Latin ones: enough to name the tag that was probably meant.
_LOOK_ALIKES = str.maketrans(
    "аеорсхіуһԁґѕјνοικηυωαβρτ‐‑‒–—−_",  # Cyrillic, then Greek, then dashes and the underscore
    "aeopcxiyhdrsjvoiknuwabpt-------",
)


@dataclass(frozen=True, kw_only=True)
class DialectTag:
    """
    A well-formed BCP 47 tag in its canonical case.

    >>> str(DialectTag.parse("BHO-deva-X-Maur1239"))
    'bho-Deva-x-maur1239'
    >>> DialectTag.parse("en-scotland").variants
    ('scotland',)
    """

    #: Primary language subtag, two or three letters.
    language: str
    #: ISO 15924, ``Deva``.
    script: str | None = None
    #: ISO 3166 (``GB``) or UN M.49 (``029``).
    region: str | None = None
    #: Registered variants, ``scotland``.
    variants: tuple[str, ...] = ()
    #: Extensions with their singleton, ``u-nu-deva``.
    extensions: tuple[str, ...] = ()
    #: Subtags after ``x``.
    private: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> DialectTag:
        """
        Parse *text* as a tag; letter case is free.

        An extended language subtag stands for its own language, as the registry prefers: ``ar-arz`` is ``arz``.

        Raises:
            DialectError: E_DIALECT if *text* is not a well-formed tag, or holds anything but ASCII letters, digits
                and hyphens: look-alike letters and direction marks make two tags that no reader can tell apart.
        """
        _refuse_foreign_characters(text)
        subtags = text.lower().split("-")
        if subtags[0] == "x" or not re.fullmatch(r"[a-z]{2,8}", subtags[0]):
            raise _tag_error(text, f"it starts with {subtags[0]!r}, which is no language subtag")
        remaining = _Subtags(text, subtags[1:])
        language = subtags[0]
        if len(language) <= 3:
            for extended in remaining.take(r"[a-z]{3}", at_most=3)[:1]:
                language = extended
        script = remaining.take(r"[a-z]{4}", at_most=1)
        region = remaining.take(r"[a-z]{2}|[0-9]{3}", at_most=1)
        variants = remaining.take(r"[a-z0-9]{5,8}|[0-9][a-z0-9]{3}")
        extensions = remaining.take_extensions()
        private = remaining.take_private()
        remaining.expect_end()
        if len(set(variants)) < len(variants):
            raise _tag_error(text, "a variant stands twice")
        return cls(
            language=language,
            script=script[0].title() if script else None,
            region=region[0].upper() if region else None,
            variants=variants,
            extensions=extensions,
            private=private,
        )

    def __str__(self) -> str:
        parts = [self.language, self.script, self.region, *self.variants, *self.extensions]
        private = ["x", *self.private] if self.private else []
        return "-".join([part for part in parts if part] + private)

    @property
    def glottocode(self) -> str | None:
        """The Glottocode among the private-use subtags, where there is one."""
        return next((subtag for subtag in self.private if GLOTTOCODE.fullmatch(subtag)), None)

    def parents(self) -> Iterator[DialectTag]:
        """
        Yield ever wider tags, nearest first, down to the bare language.

        The last subtag goes first (RFC 4647, lookup). After each tag with a script comes the one without it, so that
        ``en-Latn-GB`` finds ``en-GB``.
        """
        tag = self
        while True:
            if tag != self:
                yield tag
            if tag.script and (tag.region or tag.variants or tag.extensions or tag.private):
                yield dataclasses.replace(tag, script=None)
            for name in ("private", "extensions", "variants"):
                subtags = getattr(tag, name)
                if subtags:
                    tag = dataclasses.replace(tag, **{name: subtags[:-1]})
                    break
            else:
                if tag.region:
                    tag = dataclasses.replace(tag, region=None)
                elif tag.script:
                    tag = dataclasses.replace(tag, script=None)
                else:
                    return


class _Subtags:
    """The subtags not yet read, in order."""

    def __init__(self, text: str, subtags: list[str]) -> None:
        self._text = text
        self._left = subtags

    def take(self, pattern: str, *, at_most: int = 99) -> tuple[str, ...]:
        taken: list[str] = []
        while self._left and len(taken) < at_most and re.fullmatch(pattern, self._left[0]):
            taken.append(self._left.pop(0))
        return tuple(taken)

    def take_extensions(self) -> tuple[str, ...]:
        extensions: list[str] = []
        while self._left and re.fullmatch(r"[a-wyz0-9]", self._left[0]):
            singleton = self._left.pop(0)
            body = self.take(r"[a-z0-9]{2,8}")
            if not body or any(extension[0] == singleton for extension in extensions):
                raise _tag_error(self._text, f"the extension {singleton!r} is empty or stands twice")
            extensions.append("-".join((singleton, *body)))
        return tuple(extensions)

    def take_private(self) -> tuple[str, ...]:
        if not self._left or self._left[0] != "x":
            return ()
        self._left.pop(0)
        body = self.take(r"[a-z0-9]{1,8}")
        if not body:
            raise _tag_error(self._text, "nothing of 1 to 8 letters or digits follows 'x'")
        return body

    def expect_end(self) -> None:
        if self._left:
            raise _tag_error(self._text, f"{self._left[0]!r} is no subtag that can stand there")


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """A language variety; what its entry lacks comes from its parent."""

    #: BCP 47 tag in canonical case.
    tag: str
    #: What people call it in English.
    name: str
    #: Tag of the wider variety.
    parent: str | None
    #: ISO 639-3 code of the language.
    iso639_3: str | None
    #: Glottocode of exactly this variety, never of its parent.
    glottocode: str | None
    #: ISO 15924 code of the usual script.
    script: str
    #: Id of the normaliser that makes its texts comparable.
    normaliser: str
    #: Scripts that are right in its texts too, where languages are mixed.
    more_scripts: tuple[str, ...] = ()
    #: Language code a Whisper model is told; ``None`` where it knows neither the language nor one spelt like it.
    whisper: str | None = None
    #: Text a recogniser may be shown first, to set the spelling.
    prompt: str | None = None
    #: Words that a recogniser should expect.
    hotwords: tuple[str, ...] = ()
    #: False where the catalogue does not name the tag, and everything comes from *parent*.
    listed: bool = True

    @property
    def language(self) -> str:
        """The primary language subtag."""
        return self.tag.split("-", 1)[0]

    @property
    def warning(self) -> str | None:
        """The warning for a tag that the catalogue does not name, else ``None``."""
        if self.listed:
            return None
        return f"W_DIALECT: {self.tag} is not in the catalogue; it inherits from {self.parent}"


@dataclass(frozen=True)
class Catalogue:
    """The varieties that have an entry, by canonical tag."""

    dialects: Mapping[str, Dialect]

    def find(self, text: str, *, strict: bool = False) -> Dialect:
        """
        Find the variety that *text* names, or make one that inherits from its nearest parent.

        Args:
            text: A BCP 47 tag in any letter case.
            strict: Refuse a tag that has no entry of its own.

        Raises:
            DialectError: E_DIALECT for an ill-formed tag, an unknown language, or, if *strict*, an unlisted tag. The
                hint names the nearest entry.
        """
        try:
            tag = DialectTag.parse(text)
        except DialectError as error:
            raise DialectError(error.code, error.message, hint=self._did_you_mean(text)) from None
        listed = self.dialects.get(str(tag))
        if listed is not None:
            return listed
        if tag.language not in self.dialects:
            message = f"the language of {text!r} was looked up; {tag.language!r} is not in the catalogue"
            raise DialectError("E_DIALECT", message, hint=self._did_you_mean(text))
        parent = next(self.dialects[str(wider)] for wider in tag.parents() if str(wider) in self.dialects)
        if dataclasses.replace(tag, script=None) == DialectTag.parse(parent.tag) and tag.script == parent.script:
            # The usual script said aloud: ``bho-Deva`` is ``bho``, left as it was written.
            return dataclasses.replace(parent, tag=str(tag), parent=parent.tag)
        if strict:
            message = f"{text!r} has no entry of its own in the catalogue, and only listed dialects were asked for"
            raise DialectError("E_DIALECT", message, hint=self._did_you_mean(text))
        return _heir(tag, parent)

    def nearest(self, text: str) -> str:
        """Find the listed tag that *text* was probably meant to be: by name, by ISO 639-3 code, else by letters."""
        wanted = _fold_look_alikes(text)
        head, _, narrower = wanted.partition("-")
        for dialect in self.dialects.values():
            if wanted == dialect.name.lower():
                return dialect.tag
        for dialect in self.dialects.values():
            if head == dialect.iso639_3 and dialect.tag == dialect.language:
                longer = f"{dialect.tag}-{narrower}".lower()
                return next((tag for tag in self.dialects if tag.lower() == longer), dialect.tag)
        tags = {tag.lower(): tag for tag in self.dialects}
        subtags = wanted.split("-")
        for length in range(len(subtags), 0, -1):
            if "-".join(subtags[:length]) in tags:
                return tags["-".join(subtags[:length])]
        close = difflib.get_close_matches(wanted, list(tags), n=1, cutoff=0.0)
        return tags[close[0]]

    def _did_you_mean(self, text: str) -> str:
        return f"did you mean {self.nearest(text)}?"

    @property
    def hash(self) -> str:
        """The SHA-256 of all entries: two reports with the same hash knew the same dialects."""
        entries = [dataclasses.asdict(self.dialects[tag]) for tag in sorted(self.dialects)]
        return hashlib.sha256(json.dumps(entries, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def load_catalogue(*folders: Path) -> Catalogue:
    """
    Load the varieties of the package, then those of *folders*, the later replacing the earlier tag by tag.

    Each ``*.toml`` is one language: its own keys (``language``, ``name``, ``script``, …) and a list ``variety`` of
    tables with a ``tag`` and a ``name`` each, parents first. What a variety leaves out it takes from its parent.

    Raises:
        DialectError: E_CATALOGUE, naming the file and the key.
    """
    dialects = dict(_load_packaged().dialects)
    for folder in folders:
        dialects.update(_read_files(sorted(folder.glob("*.toml")), known_dialects=dialects))
    return Catalogue(dialects)


@functools.cache
def _load_packaged() -> Catalogue:
    files = sorted((resources.files("dialects") / "catalogue").iterdir(), key=lambda file: file.name)
    return Catalogue(_read_files([file for file in files if file.name.endswith(".toml")], known_dialects={}))


_LANGUAGE_KEYS = frozenset({"language", "parent", "variety"})
_SHARED_KEYS = frozenset(
    {"name", "iso639_3", "glottocode", "script", "normaliser", "whisper", "prompt", "hotwords", "more_scripts"}
)
_VARIETY_KEYS = frozenset({"tag", "parent"})


def _read_files(files: Iterable[Traversable | Path], *, known_dialects: Mapping[str, Dialect]) -> dict[str, Dialect]:
    dialects: dict[str, Dialect] = {}
    for file in files:
        try:
            language = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise DialectError("E_CATALOGUE", f"{file.name} was read as a dialect file; {error}") from None
        _refuse_unknown_keys(file.name, language, _LANGUAGE_KEYS | _SHARED_KEYS)
        if "language" in language and "name" in language and "script" in language:
            dialects[language["language"]] = _language(language)
        elif language.get("language") not in known_dialects:
            raise DialectError("E_CATALOGUE", f"{file.name} needs language, name and script")
        for variety in language.get("variety", []):
            _refuse_unknown_keys(file.name, variety, _VARIETY_KEYS | _SHARED_KEYS)
            dialect = _variety(file.name, variety, ChainMap(dialects, dict(known_dialects)))
            dialects[dialect.tag] = dialect
    return dialects


def _language(language: Mapping[str, Any]) -> Dialect:
    tag = str(DialectTag.parse(language["language"]))
    facts = {key: language[key] for key in _SHARED_KEYS & language.keys()}
    facts.setdefault("normaliser", NORMALISER_OF_SCRIPT.get(language["script"], OTHER_NORMALISER))
    facts |= {key: tuple(facts.get(key, ())) for key in ("hotwords", "more_scripts")}
    return Dialect(**{"tag": tag, "parent": language.get("parent"), "iso639_3": None, "glottocode": None, **facts})


def _variety(file: str, variety: Mapping[str, Any], known_dialects: Mapping[str, Dialect]) -> Dialect:
    if "tag" not in variety or "name" not in variety:
        raise DialectError("E_CATALOGUE", f"each variety of {file} needs a tag and a name")
    tag = DialectTag.parse(variety["tag"])
    wider = (str(parent) for parent in tag.parents())
    parent = str(variety.get("parent") or next((text for text in wider if text in known_dialects), "nowhere"))
    if parent not in known_dialects:
        raise DialectError("E_CATALOGUE", f"{file}: the parent of {tag} is {parent}, which has no entry")
    facts = {key: variety[key] for key in _SHARED_KEYS & variety.keys()}
    facts |= {key: tuple(facts[key]) for key in ("hotwords", "more_scripts") if key in facts}
    return dataclasses.replace(_heir(tag, known_dialects[parent]), listed=True, **facts)


def _heir(tag: DialectTag, parent: Dialect) -> Dialect:
    """Make a variety that is its parent in all but the tag. Another script brings that script's normaliser."""
    heir = dataclasses.replace(
        parent,
        tag=str(tag),
        name=f"{parent.name} ({tag})",
        parent=parent.tag,
        glottocode=tag.glottocode,
        listed=False,
    )
    if tag.script is None or tag.script == parent.script:
        return heir
    # A prompt or hotwords in the parent's script would pull the recogniser back to it.
    normaliser = NORMALISER_OF_SCRIPT.get(tag.script, OTHER_NORMALISER)
    return dataclasses.replace(heir, script=tag.script, normaliser=normaliser, prompt=None, hotwords=())


def _refuse_unknown_keys(file: str, table: Mapping[str, Any], allowed: frozenset[str]) -> None:
    for key in sorted(table.keys() - allowed):
        close = difflib.get_close_matches(key, sorted(allowed), n=1)
        hint = f"did you mean {close[0]}?" if close else f"it may hold {', '.join(sorted(allowed))}"
        raise DialectError("E_CATALOGUE", f"{file} holds the key {key!r}, which means nothing here", hint=hint)


def _refuse_foreign_characters(text: str) -> None:
    for character in text:
        if not (character.isascii() and (character.isalnum() or character == "-")):
            name = unicodedata.name(character, "a control character")
            code = f"U+{ord(character):04X} {name}"
            raise DialectError("E_DIALECT", f"{text!a} was given as a dialect tag; it holds {code}")


def _tag_error(text: str, reason: str) -> DialectError:
    return DialectError("E_DIALECT", f"{text!a} was given as a dialect tag; {reason}")


def _fold_look_alikes(text: str) -> str:
    """Fold letters of *text* that look like Latin ones, in small ASCII letters."""
    folded = unicodedata.normalize("NFKD", text).lower().translate(_LOOK_ALIKES)
    return "".join(character for character in folded if character.isascii() and character.isprintable()).strip()
