"""Before two texts are compared: whose dialect it is, how it is normalised, and which spellings are free."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dialects.dialect import Catalogue, Dialect
from dialects.errors import DialectError
from dialects.normalise import Normaliser, load_normaliser
from dialects.scoring import Pair
from dialects.variants import Span, VariantSet, load_variants, parse_inline


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A pair with its dialect, ready to compare."""

    pair: Pair
    dialect: Dialect
    normaliser: Normaliser
    #: The reference as it counts, inline alternatives taken out.
    written: str
    #: Words of the normalised texts.
    reference: list[str]
    hypothesis: list[str]
    #: What may stand for some of the reference words.
    spans: tuple[Span, ...]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What is applied to the pairs of one dialect."""

    dialect: Dialect
    normaliser: Normaliser
    variants: VariantSet


class Preparer:
    """Looks up each pair's dialect, normaliser and variants, once for each distinct tag, and normalises both texts."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        normaliser: str | None = None,
        normaliser_folders: Sequence[Path] = (),
        variant_folders: Sequence[Path] = (),
        strict: bool = False,
    ) -> None:
        self._catalogue = catalogue
        self._name = normaliser
        self._normaliser_folders = tuple(normaliser_folders)
        self._variant_folders = tuple(variant_folders)
        self._strict = strict
        self._known: dict[tuple[str, str | None], Rules] = {}

    def __call__(self, pair: Pair) -> Prepared:
        """
        *pair* normalised.

        Raises:
            DialectError: E_DIALECT for a tag that cannot be taken; E_NORMALISER_NEEDED where neither dialect nor
                language is stated and no normaliser was named; E_VARIANTS for a broken variant file.
        """
        rules = self.rules(pair)
        normalise = rules.normaliser
        written = pair.reference
        inline: tuple[Span, ...] = ()
        if "{" in pair.reference:
            marked = parse_inline(pair.reference)
            written = marked.text
            _, inline = marked.words(normalise)
        reference = normalise(written).split()
        return Prepared(
            pair=pair,
            dialect=rules.dialect,
            normaliser=normalise,
            written=written,
            reference=reference,
            hypothesis=normalise(pair.hypothesis).split(),
            spans=(*inline, *rules.variants.spans(reference, segment=pair.id), *_gaps(reference, normalise)),
        )

    def rules(self, pair: Pair) -> Rules:
        """What is applied to *pair*."""
        key = (pair.dialect, pair.language)
        if key not in self._known:
            self._known[key] = self._look_up(*key)
        return self._known[key]

    @property
    def variants(self) -> dict[str, VariantSet]:
        """The variant rules in force for each dialect met so far that has any, by canonical tag."""
        found = {rules.dialect.tag: rules.variants for rules in self._known.values() if rules.variants.rules}
        return dict(sorted(found.items()))

    def reject_collisions(self, pairs: Iterable[Pair]) -> tuple[str, ...]:
        """
        Drop the rules that would make two frequent words of *pairs* equal.

        Returns:
            A ``W_VARIANT`` line for each rule dropped.
        """
        vocabularies: dict[tuple[str, str | None], Counter[str]] = {}
        for pair in pairs:
            if self.rules(pair).variants.rules:
                words = vocabularies.setdefault((pair.dialect, pair.language), Counter())
                words.update(self(pair).reference)
        warnings: list[str] = []
        for key, vocabulary in vocabularies.items():
            rules = self._known[key]
            collided = rules.variants.collisions(vocabulary)
            self._known[key] = dataclasses.replace(rules, variants=rules.variants.without(collided))
            warnings += [
                f"W_VARIANT: {rules.dialect.tag} has both {rule.canonical[0]} and {rule.variant[0]} as frequent words; "
                "the rule that makes them equal is left out"
                for rule in collided
            ]
        return tuple(sorted(set(warnings)))

    def _look_up(self, tag: str, language: str | None) -> Rules:
        dialect = self._catalogue.find(tag, strict=self._strict)
        spelling = dialect
        if language and self._catalogue.find(language).language != dialect.language:
            spelling = self._catalogue.find(language)
        if self._name is None and spelling.language == "und":
            message = f"pairs of the dialect {tag!r} are to be compared; neither their dialect nor language is known"
            raise DialectError("E_NORMALISER_NEEDED", message, hint="name one with --normaliser")
        normaliser = load_normaliser(self._name or spelling.normaliser, *self._normaliser_folders)
        variants = load_variants(dialect.tag, normaliser, *self._variant_folders)
        return Rules(dialect=dialect, normaliser=normaliser, variants=variants)


def _gaps(reference: Sequence[str], normaliser: Normaliser) -> tuple[Span, ...]:
    """Fillers that the normaliser names as optional may be missing."""
    optional = normaliser.tables.get("optional")
    if not optional:
        return ()
    return tuple(Span(start=at, end=at + 1, words=()) for at, word in enumerate(reference) if word in optional)
