"""The preparation of a pair: its dialect, its normaliser, and the spellings that are free."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.metadata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dialects.dialect import Catalogue, Dialect
from dialects.errors import DialectError
from dialects.scoring.word_errors import ALIGNMENT, HIDDEN, Edit, Pair, align
from dialects.text.code_switching import label_words, remove_language_marks
from dialects.text.normalise import Normaliser, load_normaliser
from dialects.text.variants import Span, VariantSet, check_path, load_variants, parse_inline


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A pair with its dialect, ready to compare."""

    pair: Pair
    dialect: Dialect
    normaliser: Normaliser
    #: The reference as it counts, inline alternatives and marks of what is hidden and of languages taken out.
    reference_text: str
    #: The hypothesis as it counts, marks taken out too.
    hypothesis_text: str
    #: Words of the normalised texts.
    reference: list[str]
    hypothesis: list[str]
    #: Words that may stand for some of the reference words.
    spans: tuple[Span, ...]
    #: Words of both texts that were folded as numbers.
    folded: int = 0

    @functools.cached_property
    def path(self) -> tuple[Edit, ...]:
        """The alignment of the words."""
        return align(self.reference, self.hypothesis)

    @functools.cached_property
    def languages(self) -> list[str | None]:
        """The language that each word of the reference is marked with, by primary subtag; ``None`` for its own."""
        labels = label_words(self.pair.reference.replace(HIDDEN, " "), self.normaliser)
        return [None if label == self.dialect.language else label for label in labels]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The rules for the pairs of one dialect."""

    dialect: Dialect
    normaliser: Normaliser
    variants: VariantSet

    @functools.cached_property
    def hash(self) -> str:
        """The hash of all that decides the counts of two texts, the versions of the packages that count among it."""
        versions = (importlib.metadata.version(package) for package in ("boli", "rapidfuzz", "regex", "jiwer"))
        parts = (ALIGNMENT, self.normaliser.hash, self.variants.hash, *versions)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @functools.cached_property
    def has_segment_rules(self) -> bool:
        """``True`` if a rule holds for one segment only."""
        return any(rule.segment for rule in self.variants.rules)


class Preparer:
    """A callable that looks up each pair's dialect, normaliser and variants, and normalises both texts."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        normaliser: str | None = None,
        normaliser_folders: Sequence[Path] = (),
        variant_paths: Sequence[Path] = (),
        strict: bool = False,
        remember: bool = False,
    ) -> None:
        """
        Args:
            remember: Cache the prepared pairs, some 2 KB each, for those who go over the same pairs several times.
        """
        self.catalogue = catalogue
        self._name = normaliser
        self._normaliser_folders = tuple(normaliser_folders)
        self._variant_paths = tuple(variant_paths)
        self._strict = strict
        for path in self._variant_paths:
            check_path(path)
        self._remembered: dict[int, Prepared] | None = {} if remember else None
        self._known: dict[tuple[str, str | None], Rules] = {}

    def __call__(self, pair: Pair) -> Prepared:
        """
        Prepare *pair*.

        Raises:
            DialectError: E_DIALECT for a tag that cannot be taken; E_NORMALISER_NEEDED where neither dialect nor
                language is stated and no normaliser was named; E_VARIANTS for a broken variant file.
        """
        if self._remembered is None:
            return self._prepare(pair)
        prepared = self._remembered.get(id(pair))
        # The prepared pair holds the pair, so that no other one can get its id.
        if prepared is None:
            prepared = self._remembered[id(pair)] = self._prepare(pair)
        return prepared

    def _prepare(self, pair: Pair) -> Prepared:
        rules = self.rules(pair)
        normalise = rules.normaliser
        reference_text, hypothesis_text = remove_marks(pair.reference), remove_marks(pair.hypothesis)
        inline: tuple[Span, ...] = ()
        alternatives = parse_inline(reference_text) if "{" in reference_text else None
        reference_text = alternatives.text if alternatives is not None else reference_text
        reference, folded = normalise.split(reference_text)
        if alternatives is not None:
            # A number does not reach into a slot, or the slot would have no words of its own.
            reference, inline = alternatives.words(normalise)
        hypothesis, folded_hypothesis = normalise.split(hypothesis_text)
        return Prepared(
            pair=pair,
            dialect=rules.dialect,
            normaliser=normalise,
            reference_text=reference_text,
            hypothesis_text=hypothesis_text,
            reference=reference,
            hypothesis=hypothesis,
            spans=(*inline, *rules.variants.spans(reference, segment=pair.id), *_optional_spans(reference, normalise)),
            folded=folded + folded_hypothesis,
        )

    def key(self, pair: Pair) -> bytes:
        """Hash all that the counts of *pair* follow from, its texts and its rules, to 16 bytes."""
        rules = self.rules(pair)
        parts = (rules.hash, pair.id if rules.has_segment_rules else "", pair.reference, pair.hypothesis)
        # Lengths first, so that no two lists of parts make one text.
        text = f"{','.join(str(len(part)) for part in parts)}:{''.join(parts)}"
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()

    def rules(self, pair: Pair) -> Rules:
        """Return the rules for *pair*."""
        key = (pair.dialect, pair.language)
        if key not in self._known:
            self._known[key] = self._look_up(*key)
        return self._known[key]

    @property
    def has_own_variants(self) -> bool:
        """``True`` if variants come from elsewhere than the package too, so that they must be checked."""
        return bool(self._variant_paths)

    @property
    def variants(self) -> dict[str, VariantSet]:
        """The variant rules in force for each dialect met so far that has any, by canonical tag."""
        rules_by_tag = {rules.dialect.tag: rules.variants for rules in self._known.values() if rules.variants.rules}
        return dict(sorted(rules_by_tag.items()))

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
            if collided and self._remembered is not None:
                self._remembered.clear()
            warnings += [
                f"W_VARIANT: {rules.dialect.tag} has both {rule.canonical[0]} and {rule.variant[0]} as frequent words; "
                "the rule that makes them equal is left out"
                for rule in collided
            ]
        return tuple(sorted(set(warnings)))

    def _look_up(self, tag: str, language: str | None) -> Rules:
        dialect = self.catalogue.find(tag, strict=self._strict)
        spelling = dialect
        if language and self.catalogue.find(language).language != dialect.language:
            spelling = self.catalogue.find(language)
        if self._name is None and spelling.language == "und":
            message = f"pairs of the dialect {tag!r} are to be compared; neither their dialect nor language is known"
            raise DialectError("E_NORMALISER_NEEDED", message, hint="name one with --normaliser")
        normaliser = load_normaliser(self._name or spelling.normaliser, *self._normaliser_folders)
        variants = load_variants(dialect.tag, normaliser, *self._variant_paths)
        return Rules(dialect=dialect, normaliser=normaliser, variants=variants)


def remove_marks(text: str) -> str:
    """
    Remove the marks of redacted speech and of other languages from *text*: they are no words.

    >>> remove_marks("I met [masked] at the ⟨fr: gare⟩").split()
    ['I', 'met', 'at', 'the', 'gare']
    """
    return remove_language_marks(text.replace(HIDDEN, " ") if HIDDEN in text else text)


def _optional_spans(reference: Sequence[str], normaliser: Normaliser) -> tuple[Span, ...]:
    """Make empty spans for the fillers that the normaliser names as optional."""
    optional = normaliser.tables.get("optional")
    if not optional:
        return ()
    return tuple(Span(start=index, end=index + 1, words=()) for index, word in enumerate(reference) if word in optional)
