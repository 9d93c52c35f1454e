"""
The errors behind a rate, for each dialect: patterns of words, confused letters, speakers and conditions.

A pattern counts as one of the dialect, and not of a person, when at least three speakers produce it. Some segments show
the most frequent ones, word by word.
"""

from __future__ import annotations

import functools
import itertools
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from dialects.scoring.hallucinations import foreign_share
from dialects.scoring.prepare import Prepared, Preparer
from dialects.scoring.word_errors import HIDDEN, Edit, ErrorCount, Pair, align, from_counts, graphemes
from dialects.text.repetition import has_loop

Kind: TypeAlias = Literal["substitution", "deletion", "insertion"]
KINDS: tuple[Kind, ...] = ("substitution", "deletion", "insertion")

#: Lower ends of the bins, in seconds and in dB; the last bin is open.
DURATIONS_S = (0.0, 2.0, 5.0, 10.0, 20.0)
SNRS_DB = (float("-inf"), 5.0, 10.0, 20.0)

#: Speakers that make a pattern one of the dialect.
SHARED_BY = 3
#: Segments of a dialect that are shown.
MOST_EXAMPLES = 3


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """A substitution, deletion or insertion of one word, as often as it happened."""

    kind: Kind
    #: Word of the reference; ``None`` for an insertion.
    reference: str | None
    #: Word of the hypothesis; ``None`` for a deletion.
    hypothesis: str | None
    count: int
    #: Share of all errors of the dialect.
    share: float
    speakers: int
    #: Ids of segments that show it, at most three, the first in alphabetical order.
    examples: tuple[str, ...]

    @property
    def of_the_dialect(self) -> bool:
        """``True`` if enough speakers produce it."""
        return self.speakers >= SHARED_BY


@dataclass(frozen=True, kw_only=True)
class Bin:
    """The word errors under one condition."""

    label: str
    segments: int
    counts: ErrorCount


@dataclass(frozen=True, kw_only=True)
class InventedText:
    """The words that a model wrote where the reference is empty."""

    segments: int
    #: Length of these segments; ``None`` where one does not state it.
    hours: float | None
    words: int
    #: Most frequent texts, with how often each came.
    phrases: tuple[tuple[str, int], ...]

    @property
    def words_per_hour(self) -> float | None:
        """The number of words per hour without speech."""
        return self.words / self.hours if self.hours else None


@dataclass(frozen=True, kw_only=True)
class Breakdown:
    """The errors of one dialect."""

    dialect: str
    #: Most frequent first.
    patterns: tuple[Pattern, ...]
    #: Single clusters taken for another, inside substituted words: (reference, hypothesis, count).
    confusions: tuple[tuple[str, str, int], ...]
    #: Edited clusters by what they are: vowel sign, nukta, nasal, virama, digit, Latin, other.
    classes: Mapping[str, int]
    speakers: tuple[Bin, ...]
    durations: tuple[Bin, ...]
    snrs: tuple[Bin, ...]
    invented: InventedText
    #: Ids of segments where the hypothesis goes round in circles.
    loops: tuple[str, ...]
    #: Ids of segments whose hypothesis is mostly in another script.
    foreign_scripts: tuple[str, ...]

    def top(self, kind: Kind, most: int = 20) -> tuple[Pattern, ...]:
        """Return the *most* frequent patterns of one kind."""
        return tuple(pattern for pattern in self.patterns if pattern.kind == kind)[:most]

    def data(self, *, most: int = 20) -> dict[str, Any]:
        """Return plain lists and dicts for JSON, *most* patterns of each kind."""
        return {
            "dialect": self.dialect,
            **{f"{kind}s": [_pattern_data(pattern) for pattern in self.top(kind, most)] for kind in KINDS},
            "confusions": [
                {"reference": reference, "hypothesis": hypothesis, "count": count}
                for reference, hypothesis, count in self.confusions[:most]
            ],
            "classes": dict(self.classes),
            "speakers": [_bin_data(speech_bin) for speech_bin in self.speakers],
            "durations": [_bin_data(speech_bin) for speech_bin in self.durations],
            "snrs": [_bin_data(speech_bin) for speech_bin in self.snrs],
            "invented": {
                "segments": self.invented.segments,
                "hours": self.invented.hours,
                "words": self.invented.words,
                "words_per_hour": self.invented.words_per_hour,
                "phrases": [{"text": text, "count": count} for text, count in self.invented.phrases],
            },
            "loops": list(self.loops),
            "foreign_scripts": list(self.foreign_scripts),
        }


def breakdown(pairs: Iterable[Pair], prepare: Callable[[Pair], Prepared]) -> dict[str, Breakdown]:
    """Break the errors of each dialect of *pairs* down, by canonical tag in alphabetical order."""
    sums_by_dialect: dict[str, _Sums] = {}
    for pair in pairs:
        ready = prepare(pair)
        sums_by_dialect.setdefault(ready.dialect.tag, _Sums()).add(ready)
    return {tag: sums_by_dialect[tag].finish(tag) for tag in sorted(sums_by_dialect)}


@functools.cache
def cluster_class(cluster: str) -> str:
    """
    Return the kind of an edited cluster: the first that fits of digit, Latin, nukta, nasal, virama, vowel sign.

    >>> cluster_class("की")
    'vowel sign'
    """
    decomposed = unicodedata.normalize("NFD", cluster)
    names = [unicodedata.name(character, "") for character in decomposed]
    if any(unicodedata.category(character) == "Nd" for character in decomposed):
        return "digit"
    if any(name.startswith("LATIN") for name in names):
        return "Latin"
    for kind, parts in _SIGNS.items():
        if any(part in name for name in names for part in parts):
            return kind
    return "other"


_SIGNS = {
    "nukta": ("SIGN NUKTA",),
    "nasal": ("CANDRABINDU", "ANUSVARA", "SIGN BINDI", "TIPPI"),
    "virama": ("SIGN VIRAMA",),
    "vowel sign": ("VOWEL SIGN", "LENGTH MARK"),
}


#: Index of each kind in the sums of a bin, after segments and hits.
_INDICES = {kind: index for index, kind in enumerate(KINDS, start=2)}


@dataclass
class _Sums:
    """The running sums of one dialect."""

    patterns: Counter[tuple[Kind, str | None, str | None]] = field(default_factory=Counter)
    people: dict[tuple[Kind, str | None, str | None], set[str]] = field(default_factory=dict)
    examples: dict[tuple[Kind, str | None, str | None], set[str]] = field(default_factory=dict)
    confusions: Counter[tuple[str, str]] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    speakers: dict[str, list[int]] = field(default_factory=dict)
    durations: dict[str, list[int]] = field(default_factory=dict)
    snrs: dict[str, list[int]] = field(default_factory=dict)
    silent: list[tuple[float | None, str]] = field(default_factory=list)
    loops: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def add(self, ready: Prepared) -> None:
        pair = ready.pair
        counts = [1, 0, 0, 0, 0]
        for edit in ready.path:
            kind = edit.kind
            if kind == "hit":
                counts[1] += 1
            else:
                counts[_INDICES[kind]] += 1
                self._add_edit(edit, kind, pair)
        _sum(self.speakers, pair.speaker, counts)
        _sum(self.durations, _label(bin_of(pair.duration_s, DURATIONS_S, "s")), counts)
        _sum(self.snrs, _label(bin_of(pair.snr_db, SNRS_DB, "dB")), counts)
        text = " ".join(ready.hypothesis)
        if not ready.reference:
            self.silent.append((pair.duration_s, text))
        # Digits of one number are no loop.
        if has_loop(ready.hypothesis) and has_loop(ready.normaliser.without_numbers(ready.hypothesis_text).split()):
            self.loops.append(pair.id)
        if (foreign_share(text, ready.dialect.script) or 0) > 0.5:
            self.foreign.append(pair.id)

    def _add_edit(self, edit: Edit, kind: Kind, pair: Pair) -> None:
        key = (kind, edit.reference, edit.hypothesis)
        self.patterns[key] += 1
        self.people.setdefault(key, set()).add(pair.speaker)
        examples = self.examples.setdefault(key, set())
        examples.add(pair.id)
        if len(examples) > 3:
            examples.remove(max(examples))
        if edit.reference is not None and edit.hypothesis is not None:
            self._add_clusters(edit.reference, edit.hypothesis)

    def _add_clusters(self, reference: str, hypothesis: str) -> None:
        for edit in _cluster_edits(reference, hypothesis):
            if edit.kind == "substitution":
                self.confusions[edit.reference or "", edit.hypothesis or ""] += 1
            self.classes[cluster_class(edit.reference or edit.hypothesis or "")] += 1

    def finish(self, tag: str) -> Breakdown:
        return Breakdown(
            dialect=tag,
            patterns=self._patterns(),
            confusions=tuple((*pair, count) for pair, count in _most(self.confusions)),
            classes=dict(_most(self.classes)),
            speakers=_bins(self.speakers, sorted(self.speakers)),
            durations=_bins(self.durations, labels_of(DURATIONS_S, "s")),
            snrs=_bins(self.snrs, labels_of(SNRS_DB, "dB")),
            invented=self._invented(),
            loops=tuple(sorted(self.loops)),
            foreign_scripts=tuple(sorted(self.foreign)),
        )

    def _patterns(self) -> tuple[Pattern, ...]:
        total = self.patterns.total()
        keys = sorted(self.patterns, key=lambda key: (-self.patterns[key], key[0], key[1] or "", key[2] or ""))
        return tuple(
            Pattern(
                kind=key[0],
                reference=key[1],
                hypothesis=key[2],
                count=self.patterns[key],
                share=self.patterns[key] / total,
                speakers=len(self.people[key]),
                examples=tuple(sorted(self.examples[key])),
            )
            for key in keys
        )

    def _invented(self) -> InventedText:
        lengths = [seconds for seconds, _ in self.silent]
        stated = [seconds for seconds in lengths if seconds is not None]
        phrases = Counter(text for _, text in self.silent if text)
        return InventedText(
            segments=len(lengths),
            hours=sum(stated) / 3600 if stated and len(stated) == len(lengths) else None,
            words=sum(len(text.split()) for _, text in self.silent),
            phrases=tuple(_most(phrases)[:20]),
        )


@functools.lru_cache(maxsize=100_000)
def _cluster_edits(reference: str, hypothesis: str) -> tuple[Edit, ...]:
    """Return the edits between two words. Cached, since a model takes the same word for the same other one again."""
    return tuple(edit for edit in align(graphemes(reference), graphemes(hypothesis)) if edit.kind != "hit")


def _sum(sums: dict[str, list[int]], label: str | None, counts: Sequence[int]) -> None:
    if label is not None:
        old = sums.get(label)
        if old is None:
            sums[label] = [*counts]
            return
        for index, addend in enumerate(counts):
            old[index] += addend


def _most(counts: Counter[Any]) -> list[tuple[Any, int]]:
    """Sort by count, highest first; equal ones in alphabetical order, so that the order of pairs does not show."""
    return sorted(counts.items(), key=lambda label_count: (-label_count[1], label_count[0]))


def _bins(sums: Mapping[str, Sequence[int]], labels: Iterable[str]) -> tuple[Bin, ...]:
    bins: list[Bin] = []
    for label in labels:
        if label in sums:
            segments, hits, substitutions, deletions, insertions = sums[label]
            counts = from_counts((hits, substitutions, deletions, insertions))
            bins.append(Bin(label=label, segments=segments, counts=counts))
    return tuple(bins)


@functools.cache
def labels_of(ends: tuple[float, ...], unit: str) -> list[str]:
    """Return the labels of the bins with the lower *ends*."""
    labels = [f"{low:g} – {high:g} {unit}" for low, high in itertools.pairwise(ends)]
    if ends[0] == float("-inf"):
        labels[0] = f"below {ends[1]:g} {unit}"
    return [*labels, f"{ends[-1]:g} {unit} and more"]


def _label(number_label: tuple[int, str] | None) -> str | None:
    return number_label[1] if number_label else None


def bin_of(value: float | None, ends: tuple[float, ...], unit: str) -> tuple[int, str] | None:
    """Return number and label of the bin that *value* falls into, by the lower *ends*; ``None`` for no value."""
    if value is None:
        return None
    index = max(number for number, low in enumerate(ends) if value >= low)
    return index, labels_of(ends, unit)[index]


def _pattern_data(pattern: Pattern) -> dict[str, Any]:
    return {
        "reference": pattern.reference,
        "hypothesis": pattern.hypothesis,
        "count": pattern.count,
        "share": round(pattern.share, 9),
        "speakers": pattern.speakers,
        "of_the_dialect": pattern.of_the_dialect,
        "examples": list(pattern.examples),
    }


def _bin_data(speech_bin: Bin) -> dict[str, Any]:
    return {
        "label": speech_bin.label,
        "segments": speech_bin.segments,
        "words": speech_bin.counts.words,
        "errors": speech_bin.counts.errors,
        "wer": speech_bin.counts.rate,
    }


@dataclass(frozen=True, kw_only=True)
class Example:
    """A segment that shows a pattern of its dialect."""

    id: str
    path: tuple[Edit, ...]
    #: Something in its texts is redacted.
    masked: bool = False
    #: What people know it by, such as file and time; its id where nothing else is known.
    name: str | None = None
    #: Address where a person may open it.
    link: str | None = None
    #: Sound of it, relative to the page.
    clip: str | None = None


def examples(
    pairs: Iterable[Pair], prepare: Preparer, breakdowns: Mapping[str, Breakdown], *, most: int = MOST_EXAMPLES
) -> dict[str, tuple[Example, ...]]:
    """
    Choose at most *most* segments of each dialect, one for each of its most frequent patterns that speakers share.

    Args:
        pairs: Those that *breakdowns* were made of.
    """
    wanted = {tag: _ids(breakdown, most) for tag, breakdown in breakdowns.items()}
    example_by_key: dict[tuple[str, str], Example] = {}
    for pair in pairs:
        tag = prepare.rules(pair).dialect.tag
        if pair.id in wanted.get(tag, ()):
            masked = HIDDEN in pair.reference or HIDDEN in pair.hypothesis
            example_by_key[tag, pair.id] = Example(id=pair.id, path=prepare(pair).path, masked=masked)
    return {tag: tuple(example_by_key[tag, id] for id in ids) for tag, ids in wanted.items()}


def _ids(breakdown: Breakdown, most: int) -> list[str]:
    ids: dict[str, None] = {}
    for pattern in breakdown.patterns:
        if len(ids) == most:
            break
        if pattern.of_the_dialect:
            ids[next((id for id in pattern.examples if id not in ids), pattern.examples[0])] = None
    return list(ids)
