"""
Which tiers of an ELAN file hold the texts: by linguistic types and parents, by the names that tools give, by content.

A speaker's tiers are a tree. Its texts may stand at the root, on a tier that refers to it, or below that; other tiers
hold numbers, translations, glosses, parts of speech and notes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final, Literal

import regex

from transcribe.records import Milliseconds

Role = Literal["text", "words", "other", "id"]

#: Parts of names of tiers and of their types, as Toolbox, FLEx, SayMore, CHAT and people write them.
_ROLE_NAMES: Final = """
text tx txt text texts transcription transcriptions transcript transkription transkript transcripción transcrição
text orth ortho orthography orthographic orthographie utterance utterances utt phrase phrases sentence sentences speech
text vernacular
words w word words wd token tokens wort wörter mot mots palabras
other ft ftr fte ftn lit translation translations free literal trans traduction traducción tradução übersetzung gls
other gloss glosses glosse ge gn gr gp note notes nt comment comments com cmt remark remarks kommentar mb mor morph
other morphs morpheme morphemes msa cf hn pos ps gra lemma pho ipa phonetic phonetics phones phonemes prosody tone
other gesture gestures gesten gestik gaze blick hand context noise event events topic lang language en eng
id ref id ids rf no nr num number segnum seg segment segments default paragraph chunk chunks label index time
"""
#: A name that says several says the first of these: a translation of the text is none.
_BY_WEIGHT: Final[tuple[Role, ...]] = ("other", "words", "text", "id")
_ROLES: Final = {(role, name) for role, *names in map(str.split, _ROLE_NAMES.strip().splitlines()) for name in names}
_NAME_PART: Final = regex.compile(r"[\p{L}\p{M}]+")
#: Numbers, times, and words with a number at their end: what a tool calls an annotation.
_LABEL: Final = regex.compile(
    r"\P{L}*|[\w.:/#-]*\d[\w.:/#-]*|\p{L}[\p{L}\p{M}]*(?:[\W_]*\d+)+|[\w-]+(?:[._/:#][\w-]+)+"
)
#: Annotations from which on the count of distinct ones tells something.
_MANY: Final = 6


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """A text on a tier, with the id of the one above it that has times of its own."""

    id: str
    anchor: str
    #: Its place among those of its tier and anchor.
    order: tuple[int, ...]
    #: ``None`` where it takes its times from its anchor, or has none.
    start: Milliseconds | None
    end: Milliseconds | None
    text: str


@dataclass(frozen=True, kw_only=True)
class Tier:
    """A tier; its parent is the name of the tier that it refers to."""

    name: str
    parent: str | None
    kind: str
    participant: str | None
    annotations: tuple[Annotation, ...]
    #: Steps from the root.
    depth: int = 0

    @property
    def texts(self) -> list[str]:
        """The texts that are not empty."""
        return [text for annotation in self.annotations if (text := annotation.text.strip())]

    @property
    def holds_texts(self) -> bool:
        """At least half of what it holds is more than a label."""
        return 2 * sum(_LABEL.fullmatch(text) is None for text in self.texts) >= max(1, len(self.texts))

    @property
    def holds_words(self) -> bool:
        """Each annotation is a word, and several share an anchor."""
        counts = [len(text.split()) for text in self.texts]
        anchors = {annotation.anchor for annotation in self.annotations if annotation.text.strip()}
        return bool(counts) and len(counts) > len(anchors) and median(counts) <= 1

    @property
    def role(self) -> Role | None:
        """The kind of annotations that its name tells; ``None`` for names of people."""
        name = self.name.partition("@")[0]
        if self.participant and name == self.participant:
            return None
        person = set(_NAME_PART.findall((self.participant or "").casefold()))
        # A type is shared by many tiers, so it speaks where the name does not.
        for part in (name, self.kind):
            names = set(_NAME_PART.findall(part.casefold())) - person
            for role in _BY_WEIGHT:
                if any((role, name) in _ROLES for name in names):
                    return role
        return None


class AmbiguousTiersError(ValueError):
    """Several tiers may hold the texts, or none does."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(", ".join(names))
        self.names = tuple(names)


def list_tiers(eaf: Any) -> list[Tier]:
    """Return the tiers of *eaf*, as pympi parses it, parents first, and annotations with what they belong to."""
    tiers: dict[str, Tier] = {}
    waiting = list(eaf.tiers)
    while waiting:
        ready = [name for name in waiting if eaf.tiers[name][2].get("PARENT_REF") not in waiting]
        # A circle of parents is none.
        for name in ready or waiting[:1]:
            waiting.remove(name)
            facts = eaf.tiers[name][2]
            parent = tiers.get(facts.get("PARENT_REF"))
            tiers[name] = Tier(
                name=name,
                parent=None if parent is None else parent.name,
                kind=facts.get("LINGUISTIC_TYPE_REF") or "",
                participant=facts.get("PARTICIPANT") or None,
                annotations=_list_annotations(eaf, name, parent),
                depth=0 if parent is None else parent.depth + 1,
            )
    return list(tiers.values())


def _list_annotations(eaf: Any, name: str, parent: Tier | None) -> tuple[Annotation, ...]:
    aligned, references = eaf.tiers[name][:2]
    times = dict(eaf.timeslots)
    if parent is not None:
        times |= _spread_slots([(first, last) for first, last, _, _ in aligned.values()], times)
    annotations = []
    by_span = {
        (annotation.start, annotation.end or 0): annotation
        for annotation in (parent.annotations if parent else ())
        if annotation.start is not None
    }
    spans = sorted(by_span)
    for id_, (first, last, text, _) in aligned.items():
        start, end = times.get(first), times.get(last)
        position = bisect_right(spans, (start or 0, 1 << 62)) - 1
        above = by_span[spans[position]] if start is not None and position >= 0 else None
        anchor = above.anchor if above is not None else id_
        annotations.append(
            Annotation(id=id_, anchor=anchor, order=(start or 0,), start=start, end=end, text=text or "")
        )
    above_by_id = {} if parent is None else {annotation.id: annotation for annotation in parent.annotations}
    places = _order_references(references)
    for id_, (owner, text, _, _) in references.items():
        above = above_by_id.get(owner)
        order = (*(above.order if above else ()), places[id_])
        # What refers to a tier without times of its own belongs to what that one refers to.
        anchor = owner if above is None or above.start is not None else above.anchor
        annotations.append(Annotation(id=id_, anchor=anchor, order=order, start=None, end=None, text=text or ""))
    return tuple(annotations)


def _spread_slots(pairs: Sequence[tuple[str, str]], times: Mapping[str, int | None]) -> dict[str, int]:
    """Give slots without a time, between those of annotations that follow each other, even parts of the time."""
    ends = dict(pairs)
    spread: dict[str, int] = {}
    for first in ends:
        if times.get(first) is None:
            continue
        chain = [first]
        while chain[-1] in ends and len(chain) <= len(ends) and (len(chain) == 1 or times.get(chain[-1]) is None):
            chain.append(ends[chain[-1]])
        start, end = times[first], times.get(chain[-1])
        if start is not None and end is not None:
            length = len(chain) - 1
            spread |= {slot: start + (end - start) * number // length for number, slot in enumerate(chain[1:-1], 1)}
    return spread


def _order_references(references: Mapping[str, tuple[str, str, str | None, Any]]) -> dict[str, int]:
    """Number annotations that refer to others, each after the one that it names as the one before it."""
    followers: dict[str | None, list[str]] = {}
    for id_, (_, _, previous, _) in references.items():
        followers.setdefault(previous if previous in references else None, []).append(id_)
    places: dict[str, int] = {}
    waiting = list(reversed(followers.get(None, [])))
    while waiting:
        id_ = waiting.pop()
        if id_ not in places:
            places[id_] = len(places)
            waiting += reversed(followers.get(id_, []))
    # A circle has no first one.
    return places | {id_: len(places) + number for number, id_ in enumerate(references) if id_ not in places}


def list_trees(tiers: Iterable[Tier]) -> list[list[Tier]]:
    """Return the trees of *tiers*, each with its root first."""
    by_name = {tier.name: tier for tier in tiers}
    trees: dict[str, list[Tier]] = defaultdict(list)
    for tier in sorted(by_name.values(), key=lambda tier: tier.depth):
        root = tier
        while root.parent in by_name and root.depth:
            root = by_name[root.parent]
        trees[root.name].append(tier)
    return list(trees.values())


def find_text_tiers(trees: Sequence[Sequence[Tier]]) -> list[Tier | AmbiguousTiersError]:
    """Return the tier of texts of each tree, or the error where it is in doubt; trees without texts are passed over."""
    choices = [_choose(tree) for tree in trees]
    if any(isinstance(choice, Tier) and choice.holds_texts for choice in choices):
        # Beside texts, a tree of labels or of translations is no speech.
        choices = [choice for choice in choices if not isinstance(choice, Tier) or _is_speech(choice)]
        return [choice for choice in choices if choice is not None]
    missing = [AmbiguousTiersError([tier.name for tier in tree]) for tree in trees if any(tier.texts for tier in tree)]
    certain = [choice for choice in choices if choice is not None]
    return certain or list(missing)


def _is_speech(tier: Tier) -> bool:
    is_named = tier.participant is not None and tier.name.startswith(tier.participant)
    return tier.holds_texts or is_named or tier.role == "text" or not tier.texts


def _choose(tree: Sequence[Tier]) -> Tier | AmbiguousTiersError | None:
    """Return the tier of texts in *tree*, or ``None`` where names or contents speak against all."""
    root = tree[0]
    if all(not tier.texts for tier in tree[1:]):
        return None if root.role == "other" else root
    candidates = [tier for tier in tree if tier.texts and tier.holds_texts and tier.role != "other"]
    if not candidates:
        # Numbers that were said, or translations of what nobody wrote down.
        if any(tier.texts and tier.holds_texts for tier in tree):
            return AmbiguousTiersError([tier.name for tier in tree if tier.texts])
        return next((tier for tier in tree if tier.texts and tier.role == "text"), root)
    candidates = _drop_repeated_labels(candidates)
    best = min(_rank(tier, candidates) for tier in candidates)
    nearest = [tier for tier in candidates if _rank(tier, candidates) == best]
    if len({tuple(tier.texts) for tier in nearest}) > 1:
        return AmbiguousTiersError([tier.name for tier in nearest])
    return nearest[0]


def _rank(tier: Tier, candidates: Sequence[Tier]) -> tuple[int, int]:
    """Rank what may hold the texts, the likeliest least: by name, the root before what refers to it."""
    role = tier.role
    if role == "id":
        return 4, tier.depth
    if role == "words" or (tier.depth and tier.holds_words):
        return 3, tier.depth
    is_single = all(len(text.split()) == 1 for text in tier.texts)
    has_longer = any(
        other.role == "text" and other.depth > tier.depth and any(len(text.split()) > 1 for text in other.texts)
        for other in candidates
    )
    if tier.depth == 0 and not (role is None and is_single and has_longer):
        return 0, 0
    return (1 if role == "text" else 2), tier.depth


def _drop_repeated_labels(candidates: Sequence[Tier]) -> list[Tier]:
    """Leave out tiers that say the same few things again and again where another does not."""
    shares = {tier.name: len(set(tier.texts)) / len(tier.texts) for tier in candidates}
    highest = max(shares.values())
    return [tier for tier in candidates if len(tier.texts) < _MANY or 2 * shares[tier.name] >= highest]


def pick_tiers(tiers: Sequence[Tier], name: str) -> list[Tier]:
    """
    Return the tiers called *name*, whole or before ``@``, or that are of that linguistic type.

    Raises:
        AmbiguousTiersError: There is none; all names are given.
    """
    for names in (
        lambda tier: (tier.name,),
        lambda tier: (tier.name.partition("@")[0], tier.kind),
    ):
        if chosen := [tier for tier in tiers if name in names(tier)]:
            return chosen
    raise AmbiguousTiersError([tier.name for tier in tiers])


def join_annotations(
    tier: Tier, anchors: Mapping[str, tuple[Milliseconds | None, Milliseconds | None]]
) -> list[Annotation]:
    """
    Return what *tier* says, an annotation for each anchor or, where they have times of their own, each by itself.

    Args:
        anchors: Times by the ids of annotations that have some. One that nothing on *tier* refers to has an empty text.
    """
    if not tier.depth or (
        not tier.holds_words and all(annotation.start is not None for annotation in tier.annotations)
    ):
        return list(tier.annotations)
    parts: dict[str, list[Annotation]] = {anchor: [] for anchor in anchors}
    for annotation in sorted(tier.annotations, key=lambda annotation: annotation.order):
        parts.setdefault(annotation.anchor, []).append(annotation)
    return [
        Annotation(
            id=anchor,
            anchor=anchor,
            order=(),
            start=anchors.get(anchor, (None, None))[0],
            end=anchors.get(anchor, (None, None))[1],
            text=" ".join(text for part in annotations if (text := part.text.strip())),
        )
        for anchor, annotations in parts.items()
    ]


def name_speaker(tier: Tier, root: Tier) -> str | None:
    """Return who speaks on *tier*: the participant, what stands behind ``@``, or the root's name before its role."""
    if tier.participant or root.participant:
        return tier.participant or root.participant
    for name in (tier.name, root.name):
        if name.partition("@")[2]:
            return name.partition("@")[2]
    if all(any((role, part) in _ROLES for role in _BY_WEIGHT) for part in _NAME_PART.findall(root.name.casefold())):
        return None if _NAME_PART.search(root.name) else root.name
    # As in Asha_transcription.
    person, _, ending = root.name.rpartition("_")
    return person if person and any((role, ending.casefold()) in _ROLES for role in _BY_WEIGHT) else root.name
