"""
Rates of parts of the speech: by speaker, by length, by noise, by place, by language, and by any of these together.

A group is shown as a dialect is, when enough speakers are in it. Groups by speaker or by conversation are shown one by
one: without an interval, since one person says nothing about others, and never ranked.
"""

from __future__ import annotations

import difflib
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, TypeAlias

from dialects.columns import columns, percent
from dialects.errors import DialectError
from dialects.report.breakdown import DURATIONS_S, SNRS_DB, bin_of
from dialects.scoring.hallucinations import foreign_share
from dialects.scoring.prepare import Preparer, Rules
from dialects.scoring.rows import Method, by_block, round_number
from dialects.scoring.statistics import Interval, jackknife_interval
from dialects.scoring.sums import CountCache, PairCounts, Tally, count_all
from dialects.scoring.word_errors import Edit, Pair, PairRecount, character_errors
from dialects.text.code_switching import remove_language_marks

#: The value of a pair by one key: its position in the order of groups, and its name.
Value: TypeAlias = tuple[int, str]
_UNKNOWN = "unknown"
#: Pairs that are counted together.
_BATCH = 10_000


def _by_script(pair: Pair, rules: Rules) -> Value:
    """Group by whether a word of the reference is written in another script than the dialect."""
    shares = (foreign_share(word, rules.dialect.script) for word in pair.reference.split())
    mixed = any(share == 1.0 for share in shares)
    return (1, "other scripts too") if mixed else (0, "one script")


def _by_overlap(pair: Pair, rules: Rules) -> Value:
    return {None: (2, _UNKNOWN), False: (0, "alone"), True: (1, "overlapped")}[pair.overlapped]


#: Words that are not marked as those of another language.
_OWN_LANGUAGE: Value = (0, "own language")
#: The one key whose groups part the words of a segment.
_SWITCHED = "codeswitch"


_KEYS: Mapping[str, Callable[[Pair, Rules], Value]] = {
    "dialect": lambda pair, rules: (0, rules.dialect.tag),
    "speaker": lambda pair, rules: (0, pair.speaker),
    "session": lambda pair, rules: (pair.session is None, pair.session or _UNKNOWN),
    "language": lambda pair, rules: (0, pair.language or rules.dialect.language),
    "duration": lambda pair, rules: bin_of(pair.duration_s, DURATIONS_S, "s") or (len(DURATIONS_S), _UNKNOWN),
    "snr": lambda pair, rules: bin_of(pair.snr_db, SNRS_DB, "dB") or (len(SNRS_DB), _UNKNOWN),
    "script": _by_script,
    "overlap": _by_overlap,
    "context": lambda pair, rules: (pair.context is None, pair.context or _UNKNOWN),
    _SWITCHED: lambda pair, rules: _OWN_LANGUAGE,
}
KEYS = tuple(_KEYS)
#: Keys that name people, so that a group is one person or one conversation.
PERSONAL = frozenset({"speaker", "session"})


@dataclass(frozen=True, kw_only=True)
class Group:
    """The errors of one part."""

    #: One value a key.
    values: tuple[str, ...]
    speakers: int
    blocks: int
    sums: Tally
    interval: Interval | None
    #: As for a dialect, or ``individual``.
    state: str

    def data(self, keys: Sequence[str], *, privacy_floor: bool = False) -> dict[str, Any]:
        """Return plain values for JSON. The floor leaves only the sizes of suppressed and of personal groups."""
        counts = self.sums.counts
        low, high = self.interval or (None, None)
        size = {"segments": self.sums.segments, "speakers": self.speakers, "blocks": self.blocks, "words": counts.words}
        rates = {
            "hits": counts.hits,
            "substitutions": counts.substitutions,
            "deletions": counts.deletions,
            "insertions": counts.insertions,
            "wer": counts.rate,
            "ci_low": round_number(low),
            "ci_high": round_number(high),
            "cer": self._cer,
        }
        hidden = privacy_floor and self.state in ("suppressed", "individual")
        visible = dict.fromkeys(rates) if hidden else rates
        return dict(zip(keys, self.values, strict=True)) | size | visible | {"state": self.state}

    @property
    def _cer(self) -> float | None:
        return self.sums.character_errors / self.sums.characters if self.sums.characters else None

    def cells(self, *, privacy_floor: bool = False) -> tuple[str, ...]:
        """Return the cells of the group's row in a table."""
        counts = self.sums.counts
        size = (f"{self.sums.segments:,}", f"{self.speakers:,}", f"{counts.words:,}")
        if self.state == "suppressed" or (privacy_floor and self.state == "individual"):
            return (*self.values, *size, *("–",) * 6, self.state)
        interval = " – ".join(map(percent, self.interval)) if self.interval else "–"
        edits = (f"{counts.substitutions:,}", f"{counts.deletions:,}", f"{counts.insertions:,}")
        return (*self.values, *size, percent(counts.rate), interval, percent(self._cer), *edits, self.state)


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """The groups of some keys."""

    keys: tuple[str, ...]
    #: In alphabetical order, lengths and noise in theirs.
    groups: tuple[Group, ...]

    def hide_suppressed(self) -> Grouping:
        """
        Return the groups as people are shown them: a suppressed one never stands alone among those that add up to a
        dialect, or to the whole, since that total less the others would tell it. The smallest of the others joins it.
        """
        position = self.keys.index("dialect") if "dialect" in self.keys else None
        parts: dict[str | None, list[Group]] = {}
        for group in self.groups:
            parts.setdefault(None if position is None else group.values[position], []).append(group)
        joined = []
        for part in parts.values():
            visible = [group for group in part if group.state != "suppressed"]
            if visible and len(part) - len(visible) == 1:
                joined.append(min(visible, key=lambda group: group.sums.counts.words))
        hidden = {group.values for group in joined}
        groups = (replace(group, state="suppressed") if group.values in hidden else group for group in self.groups)
        return replace(self, groups=tuple(groups))

    def data(self, *, privacy_floor: bool = False) -> dict[str, Any]:
        """Return plain values for JSON."""
        visible = self.hide_suppressed() if privacy_floor else self
        groups = [group.data(self.keys, privacy_floor=privacy_floor) for group in visible.groups]
        return {"keys": list(self.keys), "groups": groups}

    def table(self, *, privacy_floor: bool = False) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Return header and rows."""
        header = (*self.keys, "segments", "speakers", "words", "WER %", "interval", "CER %", "S", "D", "I", "state")
        visible = self.hide_suppressed()
        return header, [group.cells(privacy_floor=privacy_floor) for group in visible.groups]

    def text(self, *, privacy_floor: bool = False) -> str:
        """Format a table for a terminal."""
        header, rows = self.table(privacy_floor=privacy_floor)
        return columns(header, rows, texts=[*range(len(self.keys)), len(header) - 1])


def parse_keys(text: str) -> tuple[str, ...]:
    """
    Parse the keys that *text* names, separated by commas.

    Raises:
        DialectError: E_BY, naming the nearest one.

    >>> parse_keys("dialect, duration")
    ('dialect', 'duration')
    """
    keys = tuple(word.strip() for word in text.split(","))
    for key in keys:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, n=1, cutoff=0.0)[0]
            message = f"errors by {text} were asked for; there is no key {key!r}"
            raise DialectError("E_BY", message, hint=f"did you mean {near}? There are {', '.join(KEYS)}")
    return tuple(dict.fromkeys(keys))


def group_pairs(
    pairs: Iterable[Pair],
    prepare: Preparer,
    keys: Sequence[str],
    *,
    method: Method | None = None,
    cache: CountCache | None = None,
) -> Grouping:
    """Count the errors of *pairs* for each combination of values of *keys*, those of :data:`KEYS`."""
    return group_pairs_by(
        pairs,
        prepare,
        lambda pair, rules: tuple(_KEYS[key](pair, rules) for key in keys),
        keys=tuple(keys),
        method=method,
        cache=cache,
    )


def group_pairs_by(
    pairs: Iterable[Pair],
    prepare: Preparer,
    of: Callable[[Pair, Rules], tuple[Value, ...]],
    *,
    keys: tuple[str, ...],
    method: Method | None = None,
    cache: CountCache | None = None,
) -> Grouping:
    """Like :func:`group_pairs`, by the values that *of* returns for a pair, one for each of *keys*."""
    sums: dict[tuple[Value, ...], dict[str, Tally]] = {}
    stream = iter(pairs)
    while batch := list(itertools.islice(stream, _BATCH)):
        for pair, counts in zip(batch, count_all(batch, prepare, with_recount=False, cache=cache), strict=True):
            values = of(pair, prepare.rules(pair))
            for language, part in _split_counts(pair, prepare, counts) if _SWITCHED in keys else [(None, counts)]:
                group = sums.setdefault(values if language is None else _replace_language(values, keys, language), {})
                if pair.speaker not in group:
                    group[pair.speaker] = Tally()
                group[pair.speaker].add(pair, part)
    personal = bool(PERSONAL & set(keys))
    groups = (_group(values, sums[values], method or Method(), personal) for values in sorted(sums))
    return Grouping(keys=keys, groups=tuple(groups))


def _replace_language(values: tuple[Value, ...], keys: Sequence[str], language: str) -> tuple[Value, ...]:
    return tuple((1, language) if key == _SWITCHED else value for key, value in zip(keys, values, strict=True))


def _split_counts(pair: Pair, prepare: Preparer, counts: PairCounts) -> list[tuple[str | None, PairCounts]]:
    """
    Split the counts of *pair* by the language that its words are marked with, ``None`` for that of the text, which add
    up to them.

    An inserted word is one of another language only between two words that are, or at an end beside one.
    """
    if remove_language_marks(pair.reference) == pair.reference:
        return [(None, counts)]
    ready = prepare(pair)
    labels = iter(ready.languages)
    spoken = [None if edit.reference is None else (next(labels, None),) for edit in ready.path]
    earlier, later = _fill(spoken), _fill(spoken[::-1])[::-1]
    edits_by_language: dict[str | None, list[Edit]] = {}
    for edit, first, second in zip(ready.path, earlier, later, strict=True):
        label = first or second or (None,)
        language = label[0] if second in (None, label) else None
        edits_by_language.setdefault(language, []).append(edit)
    return [(language, _count_edits(edits)) for language, edits in edits_by_language.items()]


_Label: TypeAlias = tuple[str | None]


def _fill(labels: Sequence[_Label | None]) -> list[_Label | None]:
    """Give each place without a label the last one before it."""
    places: list[_Label | None] = []
    for label in labels:
        places.append(label or (places[-1] if places else None))
    return places


def _count_edits(edits: Sequence[Edit]) -> PairCounts:
    """Count words and characters of *edits*; what no table of groups shows stays zero."""
    kinds = Counter[str](edit.kind for edit in edits)
    reference = [edit.reference for edit in edits if edit.reference is not None]
    hypothesis = [edit.hypothesis for edit in edits if edit.hypothesis is not None]
    edited, characters = character_errors(reference, hypothesis)
    words = {name: kinds[name[:-1]] for name in ("hits", "substitutions", "deletions", "insertions")}
    zeros = dict.fromkeys(PairCounts._fields, 0)
    others: dict[str, Any] = {"recount": PairRecount(errors=0, words=0, places=0), "forgiven": ()}
    return PairCounts(**(zeros | others | words | {"characters": characters, "character_errors": edited}))


def _group(values: tuple[Value, ...], speakers: Mapping[str, Tally], method: Method, personal: bool) -> Group:
    whole = reduce(Tally.__add__, (speakers[name] for name in sorted(speakers)), Tally())
    blocks = by_block(speakers)
    errors, words = [errors for errors, _ in blocks.values()], [words for _, words in blocks.values()]
    state = method.thresholds.state(blocks=len(blocks), words=whole.counts.words)
    return Group(
        values=tuple(name for _, name in values),
        speakers=len(speakers),
        blocks=len(blocks),
        sums=whole,
        interval=None if personal else jackknife_interval(errors, words, confidence=method.confidence),
        state="individual" if personal else state,
    )
