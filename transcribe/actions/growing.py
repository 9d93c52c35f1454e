"""Drafts accepted without a person: which ones, how right they turn out, and what of them is learnt from."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from dialects.calibration import CalibrationPoint, calibrate
from dialects.columns import columns, percent
from dialects.preparing import Preparer
from dialects.rows import round_number
from dialects.scoring import ErrorCount, Pair, count, from_counts
from dialects.weighing import ErrorModel, LabelledExample, cross_validate, fit_error_model
from transcribe.actions.scoring import model_named, preparer
from transcribe.console import Answer
from transcribe.frozen import Example, Provenance
from transcribe.growing import Audit, Limits, audit_texts, choose_acceptable, draw_audits, signs, surroundings
from transcribe.masking import Span, within
from transcribe.records import Acceptance, Correction, Draft, Model, Recording, ScoringSpan, Segment
from transcribe.store import Store
from transcribe.wiring import Wiring

#: More may be accepted; too much of what was accepted is wrong; too little is known yet.
State: TypeAlias = Literal["growing", "stopped", "waiting"]


@dataclass(frozen=True, kw_only=True)
class _Written:
    """A drafted segment that people have written, and how wrong the draft was."""

    #: ``None``: the draft is not to be relied on, whatever people wrote of others.
    signs: tuple[float, ...] | None
    block: str
    counts: ErrorCount
    #: Whether everybody who wrote it wrote from the sound alone.
    blind: bool


@dataclass(kw_only=True)
class _Speech:
    """What is known of one dialect, the test split left out."""

    segments: int = 0
    written: dict[str, _Written] = field(default_factory=dict)
    #: Segments that nobody has written: recording, signs, drafted words.
    unwritten: dict[str, tuple[str, tuple[float, ...] | None, int]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Weighed:
    """What the signs of drafts are worth, learnt from all dialects: a few hundred texts of one are few."""

    weighing: ErrorModel
    #: The doubt of each draft that people have written, by a weighing that has not seen it.
    held_out: Mapping[str, float]

    @classmethod
    def of(cls, speech: Mapping[str, _Speech]) -> _Weighed | None:
        """``None`` where nobody has written anything yet."""
        seen = {
            segment: LabelledExample(features=one.signs, wrong=one.counts.errors > 0, block=one.block)
            for _, own in sorted(speech.items())
            for segment, one in own.written.items()
            if one.signs is not None
        }
        texts = list(seen.values())
        if not texts:
            return None
        held_out = dict(zip(seen, cross_validate(texts), strict=True))
        return cls(weighing=fit_error_model(texts), held_out=held_out)


@dataclass(frozen=True, kw_only=True)
class Grown:
    """How far one dialect is."""

    dialect: str
    segments: int
    reviewed: int
    #: Standing after this round, without those that people write again.
    accepted: int
    #: Accepted in this round, audits among them; less than zero: taken back.
    change: int
    audit: Audit
    state: State
    reason: str | None

    def data(self) -> dict[str, Any]:
        """For JSON."""
        low, high = self.audit.interval or (None, None)
        return {
            "dialect": self.dialect,
            "segments": self.segments,
            "reviewed": self.reviewed,
            "accepted": self.accepted,
            "change": self.change,
            "audited": self.audit.segments,
            "audited_words": self.audit.counts.words,
            "audited_errors": self.audit.counts.errors,
            "wer": round_number(self.audit.wer),
            "ci_low": round_number(low),
            "ci_high": round_number(high),
            "state": self.state,
            "reason": self.reason,
        }

    @property
    def cells(self) -> tuple[str, ...]:
        """A row for people."""
        low_high = self.audit.interval
        interval = f"{percent(low_high[0])} – {percent(low_high[1])}" if low_high else "–"
        sizes = [f"{one:,}" for one in (self.segments, self.reviewed, self.accepted, self.audit.segments)]
        return (self.dialect, *sizes, percent(self.audit.wer), interval, self.reason or self.state)


def accept(
    wiring: Wiring,
    *,
    limit: float | None = None,
    dry_run: bool = False,
    draw: Callable[[], float] = random.random,
) -> Answer:
    """
    Accept the drafts of the promoted model that are expected to be right enough, dialect by dialect.

    Where those who wrote some of them again found more errors than are allowed, nothing more is accepted, and what was
    is taken back. Of the test split nothing is accepted, ever.

    Args:
        limit: Highest error rate, as a share of words; else as the settings say.
        dry_run: Change nothing.
    """
    given = wiring.settings.grow
    limits = Limits(
        limit=given.limit if limit is None else limit,
        audit_share=given.audit_share,
        least_reviewed=given.least_reviewed,
        least_audited=given.least_audited,
    )
    store, model = wiring.store, model_named(wiring.store, None)
    standing: dict[str, list[Acceptance]] = defaultdict(list)
    for one in store.acceptances(model=model.id):
        standing[one.dialect].append(one)
    prepare = preparer(wiring.settings.report, normaliser=None)
    speech = _speech(store, model, prepare)
    weighed = _Weighed.of(speech)
    made = [
        _grow(store, model, tag, speech[tag], weighed, standing[tag], limits, draw=draw, dry_run=dry_run)
        for tag in sorted(speech)
    ]
    header = ("dialect", "segments", "reviewed", "accepted", "audited", "WER %", "interval", "state")
    return Answer(
        data={"model": model.id, "limit": limits.limit, "dry_run": dry_run, "dialects": [one.data() for one in made]},
        text=columns(header, [one.cells for one in made], texts=(0, 7)),
    )


def _grow(
    store: Store,
    model: Model,
    tag: str,
    speech: _Speech,
    weighed: _Weighed | None,
    before: Sequence[Acceptance],
    limits: Limits,
    *,
    draw: Callable[[], float],
    dry_run: bool,
) -> Grown:
    looked_at = {one.segment for one in before if one.audit}
    found: dict[str, list[ErrorCount]] = defaultdict(list)
    for segment in sorted(looked_at & speech.written.keys()):
        if speech.written[segment].blind:
            found[speech.written[segment].block].append(speech.written[segment].counts)
    audit = audit_texts(found, limits)
    reviewed = sum(one.signs is not None for one in speech.written.values())
    state: State = "growing"
    reason, change = audit.stopped, 0
    silent = sum(not one.audit for one in before)
    if reason is not None:
        state, change = "stopped", -silent
        if not dry_run:
            store.withdraw_acceptances(tag, model.id, reason=reason, but=looked_at)
    elif weighed is None or reviewed < limits.least_reviewed:
        state, reason = "waiting", f"{limits.least_reviewed - reviewed} more segments are to be written first"
    else:
        fresh = _fresh(store, model, tag, speech, weighed, {one.segment for one in before}, limits, draw)
        change, silent = len(fresh), silent + sum(not one.audit for one in fresh)
        if not dry_run:
            store.accept_drafts(fresh)
    return Grown(
        dialect=tag,
        segments=speech.segments,
        reviewed=reviewed,
        accepted=0 if state == "stopped" else silent,
        change=change,
        audit=audit,
        state=state,
        reason=reason,
    )


def _fresh(
    store: Store,
    model: Model,
    tag: str,
    speech: _Speech,
    weighed: _Weighed,
    known: set[str],
    limits: Limits,
    draw: Callable[[], float],
) -> list[Acceptance]:
    calibration = calibrate(
        CalibrationPoint(doubt=weighed.held_out[segment], errors=one.counts.errors, words=one.counts.words)
        for segment, one in speech.written.items()
        if segment in weighed.held_out
    )
    drafts = {
        segment: (None if own is None else weighed.weighing.error_probability(own), words)
        for segment, (_, own, words) in speech.unwritten.items()
        if segment not in known
    }
    chosen = choose_acceptable(drafts, calibration, limits)
    audits = draw_audits(chosen, limits, draw)
    settings: dict[str, str] = {}
    for recording in {speech.unwritten[segment][0] for segment in chosen}:
        settings[recording] = next(store.drafts(recording, model.id)).settings
    return [
        Acceptance(
            segment=segment,
            recording=speech.unwritten[segment][0],
            model=model.id,
            settings=settings[speech.unwritten[segment][0]],
            dialect=tag,
            doubt=one,
            risk=round(risk, 6),
            allowed=limits.limit,
            audit=segment in audits,
        )
        for segment, (one, risk) in sorted(chosen.items())
    ]


def _speech(store: Store, model: Model, prepare: Preparer) -> dict[str, _Speech]:
    """What *model* drafted of each dialect outside the test, and what people wrote of it."""
    wrote = {one.id: one for one in store.corrections(standing=True)}
    spans: dict[str, list[ScoringSpan]] = defaultdict(list)
    for span in store.scoring_spans(model.id):
        if span.split != "test":
            spans[span.recording].append(span)
    found: dict[str, _Speech] = defaultdict(_Speech)
    for recording in store.recordings():
        if recording.split == "test":
            continue
        drafted = list(store.drafted_segments(recording.id, model.id))
        around = surroundings([segment for segment, _ in drafted])
        made_on = _made_on(drafted, spans[recording.id], wrote)
        for segment, draft in drafted:
            dialect = segment.dialect or recording.dialect
            if dialect is None:
                continue
            mine = found[prepare.catalogue.find(dialect).tag]
            mine.segments += 1
            own = signs(segment, draft, around[segment.id])
            if segment.id in made_on:
                mine.written[segment.id] = _written(recording, dialect, own, made_on[segment.id], wrote, prepare)
            else:
                mine.unwritten[segment.id] = (recording.id, own, len(draft.words))
    return found


def _made_on(
    drafted: Sequence[tuple[Segment, Draft]], spans: Sequence[ScoringSpan], wrote: Mapping[str, Correction]
) -> dict[str, list[ScoringSpan]]:
    """What was written of each segment: a correction is of the one it was made on, else of the one it covers most."""
    ids = {segment.id for segment, _ in drafted}
    found: dict[str, list[ScoringSpan]] = defaultdict(list)
    for span in spans:
        named = wrote[span.id].segment
        if named in ids:
            found[str(named)].append(span)
            continue
        best = max(drafted, key=lambda one: (_shared(one[0], span), one[0].speaker == span.speaker), default=None)
        if best is not None and _shared(best[0], span) > 0:
            found[best[0].id].append(span)
    return found


def _shared(segment: Segment, span: ScoringSpan) -> int:
    return min(segment.end, span.end) - max(segment.start, span.start)


def _written(
    recording: Recording,
    dialect: str,
    own: tuple[float, ...] | None,
    spans: Sequence[ScoringSpan],
    wrote: Mapping[str, Correction],
    prepare: Preparer,
) -> _Written:
    counts = ErrorCount()
    for span in spans:
        pair = Pair(
            id=span.id, reference=span.reference, hypothesis=span.hypothesis, dialect=dialect, speaker=str(span.speaker)
        )
        ready = prepare(pair)
        counts += from_counts(count(ready.reference, ready.hypothesis))
    return _Written(
        signs=own,
        block=recording.session or recording.id,
        counts=counts,
        blind=all(wrote[span.id].model is None for span in spans),
    )


def accepted_drafts(store: Store) -> Iterator[tuple[Recording, Segment, Draft]]:
    """What stands accepted and is not to be written again, with its recording. By recording; streams."""
    silent: dict[str, dict[str, Acceptance]] = defaultdict(dict)
    for one in store.acceptances():
        if not one.audit:
            silent[one.recording][one.segment] = one
    for recording in store.recordings(ids=silent.keys()):
        mine = silent[recording.id]
        for model, settings in sorted({(one.model, one.settings) for one in mine.values()}):
            for segment, draft in store.drafted_segments(recording.id, model, settings=settings):
                if segment.id in mine and mine[segment.id].settings == settings:
                    yield recording, segment, draft


def pseudo_labels(wiring: Wiring) -> dict[str, list[Example]]:
    """
    What may be learnt from though no person looked, by recording: marked, and weighing less than what people wrote.

    What people are to write again is left out, so that an audit stays one, and what is masked.
    """
    from transcribe.actions.datasets import rules

    spellings, weight = rules(wiring).spellings, wiring.settings.grow.weight
    found: dict[str, list[Example]] = defaultdict(list)
    masked: dict[str, list[Span]] = defaultdict(list)
    for mask in wiring.store.masks():
        masked[mask.recording].append((mask.start, mask.end))
    for recording, segment, draft in accepted_drafts(wiring.store):
        if within(masked[recording.id], segment.start, segment.end) or wiring.store.terms.spans(draft.words):
            continue
        dialect = segment.dialect or recording.dialect
        made = Example(
            id=segment.id,
            audio=recording.id,
            start=segment.start,
            end=segment.end,
            text=draft.text,
            dialect=dialect,
            language=spellings[dialect or recording.language].whisper,
            speaker=segment.speaker,
            channel=segment.channel,
            session=recording.session,
            split=recording.split,
            provenance=Provenance(kind="pseudo", by=draft.model),
            weight=weight,
        )
        found[recording.id].append(made)
    return found
