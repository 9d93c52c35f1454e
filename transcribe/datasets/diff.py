"""Compare two datasets, and find what training shares with the test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from dialects.contamination import NEARLY, SHORTEST, NearDuplicates
from transcribe.datasets.leakage import Ledger, Reason, Rules, list_words, with_link
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
class Compared:
    """The numbers of stretches of a dataset, written down, that were compared for leaks, and of those that were not."""

    tested: int
    #: Of the training and of what is watched in it.
    trained: int
    #: Of both, those whose speaker nobody named: the recording stands for the speaker.
    unnamed: int
    #: Tested texts of four words and more, which are compared as sentences.
    sentences: int
    #: Of these, those that training says too, and those that it nearly says.
    equal: int
    near: int
    #: Shorter tested texts that training says too: not compared, since they recur wherever people talk.
    short_equal: int
    #: Sentences may be shared with the test.
    closed_vocabulary: bool

    @property
    def lines(self) -> list[str]:
        """Say what was and was not compared, and what was found."""
        lines = [
            f"compared by speaker and conversation: {self.tested:,} test texts with {self.trained:,} of train and dev",
            f"compared as sentences of {SHORTEST} words and more: {self.sentences:,} test texts; training says "
            f"{self.equal:,} of them too, and {self.near:,} nearly (pairs of words, Jaccard index from {NEARLY})",
        ]
        if short := self.tested - self.sentences:
            of_them = f"training says {self.short_equal:,} of them too"
            lines.append(f"not compared: {short:,} test texts under {SHORTEST} words; {of_them}")
        if self.unnamed:
            lines.append(f"not compared: speakers of {self.unnamed:,} texts, whom nobody named; their recordings were")
        if self.closed_vocabulary:
            lines.append("sentences are not held against training: the vocabulary is declared closed")
            return [*lines, "no speaker and no conversation of the test is known in training"]
        return [*lines, "nothing that was compared is known in training"]


@dataclass(frozen=True, kw_only=True)
class Leaks:
    """The speakers, conversations and sentences that training shares with what it is tested on."""

    counts: Mapping[Reason, int]
    #: A few of them, by id.
    example_ids: Mapping[Reason, tuple[str, ...]]
    compared: Compared
    #: Test stretches that training nearly says, by id, a few of them.
    near_ids: tuple[str, ...]
    #: Test stretches that began as a model's draft, by model: kept out where that model is judged.
    begun_from_drafts: Mapping[str, int]

    def data(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        named = {reason: list(ids) for reason, ids in self.example_ids.items()}
        return {
            "leaks": dict(self.counts),
            "named": named,
            "compared": asdict(self.compared),
            "near": list(self.near_ids),
            "test_begun_from_drafts": dict(self.begun_from_drafts),
        }

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warning where training nearly says what is tested."""
        if not self.compared.near:
            return ()
        return (f"W_NEAR: training nearly says {self.compared.near:,} test texts, as {self.near_ids[0]}",)

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
    tested = _Tested(rules)
    for example in frozen.examples():
        ledger.add(with_link(example, names or {}))
        ids.append(example.id)
        if example.split == "test" and example.text is not None:
            tested.add(example)
            if example.provenance is not None and example.provenance.draft is not None:
                begun[example.provenance.draft] += 1
    for example in frozen.examples():
        tested.compare(example)
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
        compared=tested.count(closed_vocabulary=closed),
        near_ids=tested.list_near()[:_NAMED],
        begun_from_drafts=dict(begun),
    )


class _Tested:
    """The tested texts, by what they say, and which of them training says."""

    def __init__(self, rules: Rules) -> None:
        self._spellings = rules.spellings
        self._index = NearDuplicates()
        #: Ids of tested texts, by what they say; sentences are numbered as they come.
        self._ids_by_text: dict[str, list[str]] = {}
        self._sentences: list[str] = []
        self._equal: set[str] = set()
        self._near: set[str] = set()
        self._trained = self._unnamed = 0

    def add(self, example: Example) -> None:
        """Add the tested *example*."""
        self._unnamed += example.speaker is None
        words = list_words(example, self._spellings)
        text = " ".join(words)
        if text not in self._ids_by_text and len(words) >= SHORTEST:
            self._index.add(words)
            self._sentences.append(text)
        self._ids_by_text.setdefault(text, []).append(example.id)

    def compare(self, example: Example) -> None:
        """Look for *example*, unless it is tested itself or nobody wrote it down, among what is tested."""
        if example.split == "test" or example.text is None:
            return
        self._trained += 1
        self._unnamed += example.speaker is None
        words = list_words(example, self._spellings)
        if (text := " ".join(words)) in self._ids_by_text:
            self._equal.add(text)
        if len(words) >= SHORTEST:
            self._near.update(self._sentences[number] for number in self._index.find(words))

    def list_near(self) -> tuple[str, ...]:
        """List the ids of the tested texts that training nearly says and does not say."""
        return tuple(id for text in sorted(self._near - self._equal) for id in self._ids_by_text[text])

    def count(self, *, closed_vocabulary: bool) -> Compared:
        """Count what was compared."""
        sentences = set(self._sentences)
        return Compared(
            tested=sum(map(len, self._ids_by_text.values())),
            trained=self._trained,
            unnamed=self._unnamed,
            sentences=self._count_texts(sentences),
            equal=self._count_texts(self._equal & sentences),
            near=self._count_texts(self._near - self._equal),
            short_equal=self._count_texts(self._equal - sentences - {""}),
            closed_vocabulary=closed_vocabulary,
        )

    def _count_texts(self, texts: Iterable[str]) -> int:
        return sum(len(self._ids_by_text[text]) for text in texts)
