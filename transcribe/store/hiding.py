"""The redaction of texts on their way out of the store: masked spans and a client's terms."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Select, and_, select

from transcribe.records import Correction, Tier, Word, join_words
from transcribe.redaction import MASK, Span, Terms, hide_both, hide_text, hide_words, within
from transcribe.store.desk_tables import MASKS
from transcribe.store.prepared import PreparedIn
from transcribe.store.rows import words_of
from transcribe.store.tables import DONE, DRAFTS, SEGMENTS

_SPANS = PreparedIn(
    select(MASKS.c.recording, MASKS.c.start_ms, MASKS.c.end_ms)
    .where(MASKS.c.lifted_at.is_(None))
    .order_by(MASKS.c.start_ms, MASKS.c.end_ms),
    MASKS.c.recording,
)


def spans_of(connection: Connection, recordings: Collection[int]) -> dict[int, list[Span]]:
    """Return masked spans by the recording's row number, in time order; empty ones for those without."""
    by_recording: dict[int, list[Span]] = defaultdict(list)
    for row in _SPANS.fetch_all(connection, sorted(recordings)):
        by_recording[row.recording].append((row.start_ms, row.end_ms))
    return by_recording


def make_redactor(connection: Connection, segment: str, terms: Terms) -> Callable[[str], str]:
    """Make a function that redacts people's texts of *segment*: what was said in masked spans, and *terms*."""
    row = connection.execute(_select_segment().where(SEGMENTS.c.id == segment)).one_or_none()
    if row is None:
        return terms.hide
    words = words_of(row.words) if row.words is not None else ()
    masked = (*spans_of(connection, [row.recording])[row.recording], *terms.spans(words))
    spans = within(masked, row.start_ms, row.end_ms)
    return lambda text: terms.hide(hide_text(text, words, spans))


@dataclass(frozen=True)
class SpanRedactor:
    """The redaction of one recording where its texts are compared."""

    spans: Sequence[Span]
    terms: Terms

    def __bool__(self) -> bool:
        return bool(self.spans or self.terms.phrases)

    def redact_words(self, words: Sequence[Word]) -> tuple[Word, ...]:
        """Return the drafted *words* of a span, marks in place of what is hidden; as they are where nothing is."""
        if not words:
            return ()
        spans = (*within(self.spans, words[0].start, max(word.end for word in words)), *self.terms.spans(words))
        return hide_words(words, spans) if spans else tuple(words)

    def redact_text(self, text: str, words: Sequence[Word], segment: Span) -> str:
        """Return a *text* of the span *segment*, where *words* were drafted, without what is hidden."""
        return self.terms.hide(hide_text(text, words, (*within(self.spans, *segment), *self.terms.spans(words))))

    def redact_pair(self, correction: Correction, words: Sequence[Word], tier: Tier) -> tuple[str, str]:
        """Return the text of *correction* that *tier* names and *words* drafted there, the same hidden in either."""
        wanted = correction.normalised if tier == "normalised" else None
        text = self.terms.hide(correction.text if wanted is None else wanted)
        spans = (*within(self.spans, correction.start, correction.end), *self.terms.spans(words))
        if spans or MASK in text:
            return hide_both(text, words, spans)
        return text, join_words(words)


class CorrectionRedactor:
    """The redaction of one recording's corrections, by the words that its newest run drafted there."""

    def __init__(self, connection: Connection, number: int, terms: Terms) -> None:
        self._terms = terms
        newest = select(DONE.c.no).where(DONE.c.recording == number).order_by(DONE.c.no.desc()).limit(1)
        query = select(DRAFTS.c.words, SEGMENTS.c.speaker).join(SEGMENTS, DRAFTS.c.segment == SEGMENTS.c.no)
        rows = connection.execute(query.where(DRAFTS.c.run == newest.scalar_subquery())).all()
        spoken = [(word, row.speaker) for row in rows for word in words_of(row.words)]
        self._spoken = sorted(spoken, key=lambda pair: pair[0].start + pair[0].end)
        self._middles = [(word.start + word.end) / 2 for word, _ in self._spoken]
        by_start = sorted((word for word, _ in spoken), key=lambda word: word.start)
        self._spans = (*spans_of(connection, [number])[number], *terms.spans(by_start))

    def redact(self, correction: Correction) -> Correction:
        """Return *correction* with both of its texts without what was said in masked spans, and without terms."""
        spans = within(self._spans, correction.start, correction.end)
        if not spans and not self._terms.phrases:
            return correction
        words = self._find_drafted_words(correction)
        first, second = (
            None if text is None else self._terms.hide(hide_text(text, words, spans))
            for text in (correction.text, correction.normalised)
        )
        return replace(correction, text=first or "", normalised=second)

    def drafted_words(self, correction: Correction) -> tuple[Word, ...]:
        """Return the words that were drafted there, marks among them."""
        return hide_words(self._find_drafted_words(correction), within(self._spans, correction.start, correction.end))

    def _find_drafted_words(self, correction: Correction) -> list[Word]:
        nearby = self._spoken[bisect_left(self._middles, correction.start) : bisect_left(self._middles, correction.end)]
        return sorted((word for word, who in nearby if correction.speaker in (None, who)), key=lambda word: word.start)


def _select_segment() -> Select[Any]:
    drafted = and_(DRAFTS.c.run == SEGMENTS.c.run, DRAFTS.c.segment == SEGMENTS.c.no)
    columns = (SEGMENTS.c.recording, SEGMENTS.c.start_ms, SEGMENTS.c.end_ms, DRAFTS.c.words)
    return select(*columns).outerjoin(DRAFTS, drafted)
