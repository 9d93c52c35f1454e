"""What nobody may read, taken out of texts on their way out of the store: masked stretches and a client's terms."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Select, and_, select

from transcribe.masking import MASK, Span, Terms, hide_both, hide_text, hide_words, within
from transcribe.records import Correction, Tier, Word, join_words
from transcribe.store.desk_tables import MASKS
from transcribe.store.prepared import Among
from transcribe.store.rows import words_of
from transcribe.store.tables import DONE, DRAFTS, SEGMENTS

_SPANS = Among(
    select(MASKS.c.recording, MASKS.c.start_ms, MASKS.c.end_ms)
    .where(MASKS.c.lifted_at.is_(None))
    .order_by(MASKS.c.start_ms, MASKS.c.end_ms),
    MASKS.c.recording,
)


def spans_of(connection: Connection, recordings: Collection[int]) -> dict[int, list[Span]]:
    """Masked spans by the recording's row number, in time order; empty ones for those without."""
    by_recording: dict[int, list[Span]] = defaultdict(list)
    for row in _SPANS.all(connection, sorted(recordings)):
        by_recording[row.recording].append((row.start_ms, row.end_ms))
    return by_recording


def hider_of(connection: Connection, segment: str, terms: Terms) -> Callable[[str], str]:
    """What takes out of people's texts of *segment* what was said in masked stretches, and *terms*."""
    row = connection.execute(_segment().where(SEGMENTS.c.id == segment)).one_or_none()
    if row is None:
        return terms.hide
    words = words_of(row.words) if row.words is not None else ()
    masked = (*spans_of(connection, [row.recording])[row.recording], *terms.spans(words))
    spans = within(masked, row.start_ms, row.end_ms)
    return lambda text: terms.hide(hide_text(text, words, spans))


@dataclass(frozen=True)
class Hidden:
    """What is hidden of one recording where texts of it are compared."""

    spans: Sequence[Span]
    terms: Terms

    def __bool__(self) -> bool:
        return bool(self.spans or self.terms.phrases)

    def words(self, words: Sequence[Word]) -> tuple[Word, ...]:
        """The drafted *words* of a stretch, marks in place of what is hidden; as they are where nothing is."""
        if not words:
            return ()
        spans = (*within(self.spans, words[0].start, max(word.end for word in words)), *self.terms.spans(words))
        return hide_words(words, spans) if spans else tuple(words)

    def text(self, text: str, words: Sequence[Word], segment: Span) -> str:
        """A *text* of the stretch *segment*, where *words* were drafted, without what is hidden."""
        return self.terms.hide(hide_text(text, words, (*within(self.spans, *segment), *self.terms.spans(words))))

    def both(self, said: Correction, words: Sequence[Word], tier: Tier) -> tuple[str, str]:
        """What stands as *tier* of *said*, and *words* drafted there, the same hidden in either."""
        wanted = said.normalised if tier == "normalised" else None
        text = self.terms.hide(said.text if wanted is None else wanted)
        spans = (*within(self.spans, said.start, said.end), *self.terms.spans(words))
        if spans or MASK in text:
            return hide_both(text, words, spans)
        return text, join_words(words)


class Read:
    """What may be read of one recording: people's texts beside the words that its newest run drafted there."""

    def __init__(self, connection: Connection, number: int, terms: Terms) -> None:
        self._terms = terms
        newest = select(DONE.c.no).where(DONE.c.recording == number).order_by(DONE.c.no.desc()).limit(1)
        found = select(DRAFTS.c.words, SEGMENTS.c.speaker).join(SEGMENTS, DRAFTS.c.segment == SEGMENTS.c.no)
        rows = connection.execute(found.where(DRAFTS.c.run == newest.scalar_subquery())).all()
        spoken = [(word, row.speaker) for row in rows for word in words_of(row.words)]
        self._spoken = sorted(spoken, key=lambda each: each[0].start + each[0].end)
        self._middles = [(word.start + word.end) / 2 for word, _ in self._spoken]
        by_start = sorted((word for word, _ in spoken), key=lambda word: word.start)
        self._spans = (*spans_of(connection, [number])[number], *terms.spans(by_start))

    def shown(self, said: Correction) -> Correction:
        """*said* with both of its texts without what was said in masked stretches, and without terms."""
        spans = within(self._spans, said.start, said.end)
        if not spans and not self._terms.phrases:
            return said
        words = self._drafted(said)
        first, second = (
            None if text is None else self._terms.hide(hide_text(text, words, spans))
            for text in (said.text, said.normalised)
        )
        return replace(said, text=first or "", normalised=second)

    def words(self, said: Correction) -> tuple[Word, ...]:
        """The words that were drafted there, marks among them."""
        return hide_words(self._drafted(said), within(self._spans, said.start, said.end))

    def _drafted(self, said: Correction) -> list[Word]:
        here = self._spoken[bisect_left(self._middles, said.start) : bisect_left(self._middles, said.end)]
        return sorted((word for word, who in here if said.speaker in (None, who)), key=lambda word: word.start)


def _segment() -> Select[Any]:
    drafted = and_(DRAFTS.c.run == SEGMENTS.c.run, DRAFTS.c.segment == SEGMENTS.c.no)
    columns = (SEGMENTS.c.recording, SEGMENTS.c.start_ms, SEGMENTS.c.end_ms, DRAFTS.c.words)
    return select(*columns).outerjoin(DRAFTS, drafted)
