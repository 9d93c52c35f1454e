"""Pairs and texts for tests: only what a test names differs from the ordinary."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import strategies as st

from dialects.scoring.word_errors import Pair

_LETTERS = "कखतदनमरवसह" + "\u093e\u093f\u0940\u0947\u094d\u0902\u0901\u093c\u0958" + "நமறக" + "\u0bcb\u0bc7\u0bcd"
_MORE = "aAeéßIİıςΣ'’-.,!₹$१२٣12" + "അന്\u0d7b" + "کكيىأآ\u064b\u0640" + "ฉัน" + "\u0301\u0308\u0345"
_HIDDEN = "\u200b\u200c\u200d\u200e\ufeff\u00ad"

#: Text as it comes: scripts, marks, joiners, direction marks and odd spaces, mixed without mercy.
texts = st.text(alphabet=st.one_of(st.sampled_from(_LETTERS + _MORE + _HIDDEN + "  \u00a0\t\n"), st.characters()))
#: A few words over a small vocabulary, so that hits are frequent.
sentences = st.lists(st.sampled_from(["a", "b", "c", "d", "मैं", "हूँ"]), max_size=8)


def pair(
    reference: str = "one two three",
    hypothesis: str | None = None,
    *,
    id: str = "s1",
    dialect: str = "en-US",
    speaker: str = "ann",
    model: str | None = None,
    session: str | None = None,
    duration_s: float | None = None,
    snr_db: float | None = None,
    language: str | None = None,
    context: str | None = None,
    overlapped: bool | None = None,
    missing: bool = False,
) -> Pair:
    """A pair that is right in every word unless told otherwise."""
    return Pair(
        id=id,
        reference=reference,
        hypothesis=reference if hypothesis is None else hypothesis,
        dialect=dialect,
        speaker=speaker,
        model=model,
        session=session,
        duration_s=duration_s,
        snr_db=snr_db,
        language=language,
        context=context,
        overlapped=overlapped,
        missing=missing,
    )


def corpus(
    *,
    dialects: Sequence[str] = ("en-US", "en-IN", "bho"),
    speakers: int = 5,
    segments: int = 20,
    error_rate: float = 0.2,
    seed: int = 7,
) -> list[Pair]:
    """A made-up set: *segments* for each of *speakers* in each dialect, speakers differing in how often they err."""
    chance = random.Random(seed)
    vocabulary = [f"w{number}" for number in range(60)]
    pairs: list[Pair] = []
    for dialect in dialects:
        for speaker in range(speakers):
            rate = error_rate * chance.uniform(0.5, 1.5)
            for segment in range(segments):
                words = [chance.choice(vocabulary) for _ in range(chance.randint(1, 18))]
                drafted = [word for word in words if chance.random() > rate / 3]
                drafted = [chance.choice(vocabulary) if chance.random() < rate / 2 else word for word in drafted]
                drafted += [chance.choice(vocabulary)] * (chance.random() < rate)
                name = f"{dialect}-{speaker}"
                pairs.append(
                    pair(" ".join(words), " ".join(drafted), id=f"{name}-{segment}", dialect=dialect, speaker=name)
                )
    return pairs
