"""The guides to writing a dialect down: rules in short sentences, with spellings that keep them and that break them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from dialects.dialect import Catalogue, DialectTag
from dialects.errors import DialectError

_PACKAGED: Final = resources.files("dialects") / "catalogue" / "guides"
_KEYS: Final = frozenset({"normalised", "rule"})
_RULE_KEYS: Final = frozenset({"id", "say", "good", "bad"})


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule. The same id in the guide of a narrower dialect, or of the project, replaces it."""

    id: str
    #: A short sentence, by language of the reader; English is always there.
    say: Mapping[str, str]
    #: Spellings that keep the rule, and spellings that break it.
    good: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Guide:
    """The rules for people who write a dialect down."""

    dialect: str
    rules: tuple[Rule, ...]
    #: A second text stands beside the one as said: the same in the usual spelling.
    normalised: bool

    @property
    def version(self) -> str:
        """The name of exactly this content: ``hi-3f2a9c01d4``."""
        content = json.dumps(dataclasses.asdict(self), ensure_ascii=False, sort_keys=True)
        return f"{self.dialect}-{hashlib.sha256(content.encode()).hexdigest()[:10]}"


def load_guide(catalogue: Catalogue, tag: str, *folders: Path) -> Guide:
    """
    The guide of the dialect *tag*: what is said of wider dialects first, and of each the package's rules before those
    of *folders*, whose files are named by tag, ``bho.toml``.

    Raises:
        DialectError: E_DIALECT for a tag that cannot be taken; E_GUIDE, naming file and rule, for a broken file.
    """
    dialect = catalogue.find(tag)
    rules: dict[str, Rule] = {}
    normalised = False
    for wider in reversed(list_wider_tags(catalogue, dialect.tag)):
        for folder in (_PACKAGED, *folders):
            file = folder / f"{wider}.toml"
            if file.is_file():
                content = _read_file(file)
                normalised = content.get("normalised", normalised)
                rules |= {rule.id: rule for rule in _rules(file.name, content)}
    return Guide(dialect=dialect.tag, rules=tuple(rules.values()), normalised=normalised)


def list_wider_tags(catalogue: Catalogue, tag: str) -> list[str]:
    """List *tag*, then ever wider ones, those that the catalogue names as parents too."""
    parent = catalogue.find(tag).parent
    tags = [tag, *map(str, DialectTag.parse(tag).parents())]
    return list(dict.fromkeys([*tags, *(list_wider_tags(catalogue, parent) if parent is not None else ())]))


def _read_file(file: Traversable | Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _guide_error(file.name, str(error)) from None
    unknown = sorted(content.keys() - _KEYS)
    if unknown:
        raise _guide_error(file.name, f"{unknown[0]!r} is no key of a guide")
    if not isinstance(content.get("normalised", False), bool):
        raise _guide_error(file.name, "normalised is neither true nor false")
    return content


def _rules(name: str, content: Mapping[str, Any]) -> Iterator[Rule]:
    for rule in content.get("rule", []):
        unknown = sorted(rule.keys() - _RULE_KEYS)
        if unknown:
            raise _guide_error(name, f"{unknown[0]!r} is no key of a rule")
        id, say = rule.get("id"), rule.get("say", {})
        say = {"en": say} if isinstance(say, str) else say
        if not id or not isinstance(say, dict) or not say.get("en"):
            raise _guide_error(name, f"the rule {id!r} needs an id and a sentence, say or say.en")
        yield Rule(id=str(id), say=say, good=tuple(rule.get("good", ())), bad=tuple(rule.get("bad", ())))


def _guide_error(name: str, problem: str) -> DialectError:
    return DialectError("E_GUIDE", f"{name} was read as a guide; {problem}", hint="mend the file")
