"""What two datasets differ in, and whether one knows in training what it tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from transcribe.dataset.sorting import Ledger, Reason, Rules, with_link
from transcribe.errors import GateFailed
from transcribe.frozen import Example, Frozen

#: Stretches that are named, of each kind that is found.
_NAMED: Final = 5


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What dataset B has against dataset A, in written stretches by split."""

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
        """For JSON."""
        return {"same": self.same, **asdict(self), "moved": list(self.moved)}

    def text(self) -> str:
        """For people."""
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
    """How *b* differs from *a*; what one holds is remembered as a hash a line."""
    known: dict[str, tuple[int, str]] = {}
    homes: dict[str, str] = {}
    for one in a.examples():
        if one.text is not None:
            known[one.id] = (hash(one), one.split)
            homes.update(_homes(one))
    added, changed = Counter[str](), Counter[str]()
    moved: set[str] = set()
    for one in b.examples():
        if one.text is None:
            continue
        moved.update(name for name, split in _homes(one).items() if homes.get(name, split) != split)
        before = known.pop(one.id, None)
        if before is None:
            added[one.split] += 1
        elif before[0] != hash(one):
            changed[one.split] += 1
    removed = Counter(split for _, split in known.values())
    return Difference(added=dict(added), removed=dict(removed), changed=dict(changed), moved=tuple(sorted(moved)))


def _homes(one: Example) -> dict[str, str]:
    names = [f"recording {one.audio[:12]}", *[f"speaker {one.person}"] * bool(one.speaker)]
    return dict.fromkeys(names, str(one.split))


@dataclass(frozen=True, kw_only=True)
class Leaks:
    """What training shares with what it is tested on."""

    found: Mapping[Reason, int]
    #: A few of them, by id.
    named: Mapping[Reason, tuple[str, ...]]
    #: Test stretches that began as a model's draft, by model: kept out where that model is judged.
    begun_from_drafts: Mapping[str, int]

    def data(self) -> dict[str, Any]:
        """For JSON."""
        named = {reason: list(ids) for reason, ids in self.named.items()}
        return {"leaks": dict(self.found), "named": named, "test_begun_from_drafts": dict(self.begun_from_drafts)}

    def refuse(self) -> None:
        """
        Stop where anything is shared.

        Raises:
            GateFailed: E_LEAKAGE, with the numbers and an example of each kind.
        """
        if self.found:
            told = [f"{count} by {reason}, as {self.named[reason][0]}" for reason, count in self.found.items()]
            message = f"nothing of the test was to be known in training; shared are {'; '.join(told)}"
            raise GateFailed(message, code="E_LEAKAGE", hint="boli dataset freeze NAME makes one without them")


def leaks(frozen: Frozen, rules: Rules, *, names: Mapping[str, str] | None = None) -> Leaks:
    """
    What the training of *frozen*, and what is watched in it, shares with its test.

    Args:
        names: The one name of each speaker that is linked now, whatever was linked when it was frozen.
    """
    ledger = Ledger(rules.spellings)
    ids: list[str] = []
    begun: Counter[str] = Counter()
    for one in frozen.examples():
        ledger.add(with_link(one, names or {}))
        ids.append(one.id)
        if one.split == "test" and one.provenance is not None and one.provenance.draft is not None:
            begun[one.provenance.draft] += 1
    found: Counter[Reason] = Counter()
    named: dict[Reason, list[str]] = {}
    closed = bool(frozen.facts.get("closed_vocabulary", False))
    for id, reason in zip(ids, ledger.reasons(closed_vocabulary=closed), strict=True):
        if reason is not None:
            found[reason] += 1
            if len(own := named.setdefault(reason, [])) < _NAMED:
                own.append(id)
    return Leaks(
        found=dict(found), named={reason: tuple(own) for reason, own in named.items()}, begun_from_drafts=dict(begun)
    )
