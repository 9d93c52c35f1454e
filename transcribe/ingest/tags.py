"""Look up the dialect tags of what is taken in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dialects.dialect import Catalogue, Dialect
from transcribe.ingest.item import Arrival
from transcribe.records import DeclaredTurn


class Tagger:
    """Looks tags up, each once, and passes on a warning about one the first time it is met."""

    def __init__(self, catalogue: Catalogue, *, strict: bool, warn: Callable[[str], None]) -> None:
        self._catalogue = catalogue
        self._strict = strict
        self._warn = warn
        self._known: dict[str, Dialect] = {}

    def tag(self, arrival: Arrival) -> Arrival:
        """
        Return *arrival* with canonical tags; the language follows from the dialect, and from nothing else.

        Raises:
            DialectError: E_DIALECT, naming the nearest entry.
        """
        dialect = None if arrival.dialect is None else self._find(arrival.dialect)
        language = dialect if arrival.language is None else self._find(arrival.language)
        return replace(
            arrival,
            dialect=None if dialect is None else dialect.tag,
            language=None if language is None else language.language,
            declared=tuple(self._tag_turn(turn) for turn in arrival.declared),
        )

    def _tag_turn(self, turn: DeclaredTurn) -> DeclaredTurn:
        return turn if turn.dialect is None else replace(turn, dialect=self._find(turn.dialect).tag)

    def _find(self, tag: str) -> Dialect:
        if tag not in self._known:
            self._known[tag] = self._catalogue.find(tag, strict=self._strict)
            if (warning := self._known[tag].warning) is not None:
                self._warn(warning)
        return self._known[tag]
