"""Compare two datasets, and find what training shares with the test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from transcribe.datasets.leakage import Ledger, Reason, Rules, with_link
from transcribe.datasets.manifest import Example, Frozen
from transcribe.errors import GateFailed

#: Stretches that are named, of each kind that is found.
_NAMED: Final = 5


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The difference of dataset B from dataset A, in written stretches by split."""

    added: Mapping[str, int]
    removed: Mapping[str, int]
    #: The same stretch with another text, span or origin.
    changed: Mapping[str, int]
    #: Recordings and speakers that were in one split and are in another: none, while splits never move.
    moved: tuple[str, ...]

    @property
    def same(self) -> bool:
        return not (self.added or self.removed or self.changed)

    def data(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {"same": self.same, **asdict(self), "moved": list(self.moved)}

    def text(self) -> str:
        """Describe the difference for people."""
        if self.same:
            return "they hold the same texts of the same sound"
        lines = [
            f"{split}: {self.added.get(split, 0):+} added, {-self.removed.get(split, 0):+} removed, "
            f"{self.changed.get(split, 0)} changed"
            for split in ("train", "dev", "test")
        ]
        moved = [f"{len(self.moved)} recordings or speakers moved between splits, as {self.moved[0]}"] * bool(
            self.moved
        )
        return "\n".join([*lines, *moved])


def differ(a: Frozen, b: Frozen) -> Difference:
    """Compare *b* with *a*; each stretch of *a* is remembered as one hash."""
    hash_and_split_by_id: dict[str, tuple[int, str]] = {}
    split_by_name: dict[str, str] = {}
    for example in a.examples():
        if example.text is not None:
            hash_and_split_by_id[example.id] = (hash(example), example.split)
            split_by_name.update(_split_by_name(example))
    added, changed = Counter[str](), Counter[str]()
    moved: set[str] = set()
    for example in b.examples():
        if example.text is None:
            continue
        moved.update(name for name, split in _split_by_name(example).items() if split_by_name.get(name, split) != split)
        earlier = hash_and_split_by_id.pop(example.id, None)
        if earlier is None:
            added[example.split] += 1
        elif earlier[0] != hash(example):
            changed[example.split] += 1
    removed = Counter(split for _, split in hash_and_split_by_id.values())
    return Difference(added=dict(added), removed=dict(removed), changed=dict(changed), moved=tuple(sorted(moved)))


def _split_by_name(example: Example) -> dict[str, str]:
    names = [f"recording {example.audio[:12]}", *[f"speaker {example.person}"] * bool(example.speaker)]
    return dict.fromkeys(names, str(example.split))


@dataclass(frozen=True, kw_only=True)
class Leaks:
    """The speakers, conversations and sentences that training shares with what it is tested on."""

    counts: Mapping[Reason, int]
    #: A few of them, by id.
    example_ids: Mapping[Reason, tuple[str, ...]]
    #: Test stretches that began as a model's draft, by model: kept out where that model is judged.
    begun_from_drafts: Mapping[str, int]

    def data(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        named = {reason: list(ids) for reason, ids in self.example_ids.items()}
        return {"leaks": dict(self.counts), "named": named, "test_begun_from_drafts": dict(self.begun_from_drafts)}

    def refuse(self) -> None:
        """
        Raise an error where anything is shared.

        Raises:
            GateFailed: E_LEAKAGE, with the numbers and an example of each kind.
        """
        if self.counts:
            shared = [f"{count} by {reason}, as {self.example_ids[reason][0]}" for reason, count in self.counts.items()]
            message = f"nothing of the test was to be known in training; shared are {'; '.join(shared)}"
            raise GateFailed(message, code="E_LEAKAGE", hint="boli dataset freeze NAME makes one without them")


def leaks(frozen: Frozen, rules: Rules, *, names: Mapping[str, str] | None = None) -> Leaks:
    """
    Find what the training of *frozen*, and what is watched in it, shares with its test.

    Args:
        names: The one name of each speaker that is linked now, whatever was linked when it was frozen.
    """
    ledger = Ledger(rules.spellings)
    ids: list[str] = []
    begun: Counter[str] = Counter()
    for example in frozen.examples():
        ledger.add(with_link(example, names or {}))
        ids.append(example.id)
        if example.split == "test" and example.provenance is not None and example.provenance.draft is not None:
            begun[example.provenance.draft] += 1
    counts: Counter[Reason] = Counter()
    ids_by_reason: dict[Reason, list[str]] = {}
    closed = bool(frozen.facts.get("closed_vocabulary", False))
    for id, reason in zip(ids, ledger.reasons(closed_vocabulary=closed), strict=True):
        if reason is not None:
            counts[reason] += 1
            if len(example_ids := ids_by_reason.setdefault(reason, [])) < _NAMED:
                example_ids.append(id)
    return Leaks(
        counts=dict(counts),
        example_ids={reason: tuple(example_ids) for reason, example_ids in ids_by_reason.items()},
        begun_from_drafts=dict(begun),
    )
