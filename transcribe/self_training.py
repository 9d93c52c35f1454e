"""Self-training on a workspace: accept drafts that are likely right as pseudo-labels, audit them, and train on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from dialects.confidence.calibration import CalibrationPoint, calibrate
from dialects.confidence.error_model import ErrorModel, LabelledExample, cross_validate, fit_error_model
from dialects.scoring.prepare import Preparer
from dialects.scoring.rows import round_number
from dialects.scoring.word_errors import ErrorCount, Pair, count, from_counts
from transcribe.datasets import Rules
from transcribe.datasets.manifest import Example, Provenance
from transcribe.pseudo_labels import Audit, Limits, audit_texts, choose_acceptable, draw_audits, signs, surroundings
from transcribe.records import Acceptance, Correction, Draft, Milliseconds, Model, Recording, ScoringSpan, Segment
from transcribe.redaction import Span, within
from transcribe.store import Store

#: More may be accepted; too much of what was accepted is wrong; too little is known yet.
State: TypeAlias = Literal["growing", "stopped", "waiting"]


@dataclass(frozen=True, kw_only=True)
class _CorrectedDraft:
    """A drafted segment that people have written, and how wrong the draft was."""

    #: ``None``: the draft is not to be relied on, whatever people wrote of others.
    features: tuple[float, ...] | None
    block: str
    counts: ErrorCount
    #: Whether everybody who wrote it wrote from the audio alone.
    blind: bool


@dataclass(kw_only=True)
class _DialectDrafts:
    """The drafts of one dialect outside the test split, with and without a person's text."""

    segments: int = 0
    corrected: dict[str, _CorrectedDraft] = field(default_factory=dict)
    #: Segments that nobody has written: recording, features, number of drafted words.
    uncorrected: dict[str, tuple[str, tuple[float, ...] | None, int]] = field(default_factory=dict)

    @property
    def reviewed(self) -> int:
        """The number of corrected drafts that tell of others."""
        return sum(draft.features is not None for draft in self.corrected.values())


@dataclass(frozen=True, kw_only=True)
class _FittedModel:
    """The error model of drafts, fitted on all dialects: a few hundred texts of one are few."""

    error_model: ErrorModel
    #: The doubt of each draft that people have written, by a model that was fitted without it.
    held_out: Mapping[str, float]

    @classmethod
    def fit(cls, drafts: Mapping[str, _DialectDrafts]) -> _FittedModel | None:
        """Fit on all corrected drafts; ``None`` where nobody has written anything yet."""
        examples = {
            segment: LabelledExample(features=draft.features, wrong=draft.counts.errors > 0, block=draft.block)
            for _, of_dialect in sorted(drafts.items())
            for segment, draft in of_dialect.corrected.items()
            if draft.features is not None
        }
        if not examples:
            return None
        held_out = dict(zip(examples, cross_validate(list(examples.values())), strict=True))
        return cls(error_model=fit_error_model(list(examples.values())), held_out=held_out)


@dataclass(frozen=True, kw_only=True)
class DialectState:
    """The state of acceptance of one dialect's drafts."""

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
        """Return the row for JSON."""
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


def accept_drafts(
    store: Store, model: Model, prepare: Preparer, limits: Limits, *, draw: Callable[[], float], dry_run: bool = False
) -> list[DialectState]:
    """
    Accept the drafts of *model* that are expected to be right enough, dialect by dialect.

    Where those who wrote some of them again found more errors than are allowed, nothing more is accepted, and what was
    is taken back. Of the test split nothing is accepted, ever.

    Args:
        draw: Gives a random number from 0 to 1 for each draft that may become an audit.
        dry_run: Change nothing.
    """
    standing: dict[str, list[Acceptance]] = defaultdict(list)
    for acceptance in store.pseudo_labels.fetch(model=model.id):
        standing[acceptance.dialect].append(acceptance)
    drafts = _read_drafts(store, model, prepare)
    acceptor = _Acceptor(
        store=store, model=model, fitted=_FittedModel.fit(drafts), limits=limits, draw=draw, dry_run=dry_run
    )
    return [acceptor.accept_dialect(tag, drafts[tag], standing[tag]) for tag in sorted(drafts)]


@dataclass(frozen=True, kw_only=True)
class _Acceptor:
    """Accepts drafts of one model by its limits, or takes them back."""

    store: Store
    model: Model
    fitted: _FittedModel | None
    limits: Limits
    draw: Callable[[], float]
    dry_run: bool

    def accept_dialect(self, tag: str, drafts: _DialectDrafts, standing: Sequence[Acceptance]) -> DialectState:
        """Accept further drafts of the dialect *tag*, or take back those *standing* where its audit says so."""
        audits = {acceptance.segment for acceptance in standing if acceptance.audit}
        audit = self._audit(drafts, audits)
        silent = sum(not acceptance.audit for acceptance in standing)
        state: State = "growing"
        reason, change = audit.stopped, 0
        if reason is not None:
            state, change, silent = "stopped", -silent, 0
            if not self.dry_run:
                self.store.pseudo_labels.withdraw(tag, self.model.id, reason=reason, but=audits)
        elif self.fitted is None or drafts.reviewed < self.limits.least_reviewed:
            missing = self.limits.least_reviewed - drafts.reviewed
            state, reason = "waiting", f"{missing} more segments are to be written first"
        else:
            fresh = self._choose(tag, drafts, self.fitted, {acceptance.segment for acceptance in standing})
            change, silent = len(fresh), silent + sum(not acceptance.audit for acceptance in fresh)
            if not self.dry_run:
                self.store.pseudo_labels.accept(fresh)
        return DialectState(
            dialect=tag,
            segments=drafts.segments,
            reviewed=drafts.reviewed,
            accepted=silent,
            change=change,
            audit=audit,
            state=state,
            reason=reason,
        )

    def _audit(self, drafts: _DialectDrafts, audits: Set[str]) -> Audit:
        """Count the errors of accepted drafts that people wrote again from the audio alone."""
        counts_by_block: dict[str, list[ErrorCount]] = defaultdict(list)
        for segment in sorted(audits & drafts.corrected.keys()):
            draft = drafts.corrected[segment]
            if draft.blind:
                counts_by_block[draft.block].append(draft.counts)
        return audit_texts(counts_by_block, self.limits)

    def _choose(self, tag: str, drafts: _DialectDrafts, fitted: _FittedModel, accepted: Set[str]) -> list[Acceptance]:
        """Choose the drafts to accept beyond those *accepted*, some of them as audits."""
        calibration = calibrate(
            CalibrationPoint(doubt=fitted.held_out[segment], errors=draft.counts.errors, words=draft.counts.words)
            for segment, draft in drafts.corrected.items()
            if segment in fitted.held_out
        )
        candidates = {
            segment: (None if features is None else fitted.error_model.error_probability(features), words)
            for segment, (_, features, words) in drafts.uncorrected.items()
            if segment not in accepted
        }
        chosen = choose_acceptable(candidates, calibration, self.limits)
        audits = draw_audits(chosen, self.limits, self.draw)
        recording_by_segment = {segment: drafts.uncorrected[segment][0] for segment in chosen}
        settings = {
            recording: next(self.store.drafts.fetch(recording, self.model.id)).settings
            for recording in set(recording_by_segment.values())
        }
        return [
            Acceptance(
                segment=segment,
                recording=recording_by_segment[segment],
                model=self.model.id,
                settings=settings[recording_by_segment[segment]],
                dialect=tag,
                doubt=doubt,
                risk=round(risk, 6),
                allowed=self.limits.limit,
                audit=segment in audits,
            )
            for segment, (doubt, risk) in sorted(chosen.items())
        ]


def _read_drafts(store: Store, model: Model, prepare: Preparer) -> dict[str, _DialectDrafts]:
    """Read the drafts of *model* outside the test split, by dialect, with what people wrote of them."""
    correction_by_id = {correction.id: correction for correction in store.corrections.fetch(standing=True)}
    spans: dict[str, list[ScoringSpan]] = defaultdict(list)
    for span in store.corrections.fetch_scoring_spans(model.id):
        if span.split != "test":
            spans[span.recording].append(span)
    drafts: dict[str, _DialectDrafts] = defaultdict(_DialectDrafts)
    for recording in store.recordings.fetch():
        if recording.split == "test":
            continue
        drafted = list(store.drafts.fetch_with_segments(recording.id, model.id))
        around = surroundings([segment for segment, _ in drafted])
        spans_by_segment = _assign_spans(drafted, spans[recording.id], correction_by_id)
        for segment, draft in drafted:
            dialect = segment.dialect or recording.dialect
            if dialect is None:
                continue
            of_dialect = drafts[prepare.catalogue.find(dialect).tag]
            of_dialect.segments += 1
            features = signs(segment, draft, around[segment.id])
            written = spans_by_segment.get(segment.id)
            if written is None:
                of_dialect.uncorrected[segment.id] = (recording.id, features, len(draft.words))
            else:
                of_dialect.corrected[segment.id] = _CorrectedDraft(
                    features=features,
                    block=recording.session or recording.id,
                    counts=_count_errors(written, dialect, prepare),
                    blind=all(correction_by_id[span.id].model is None for span in written),
                )
    return drafts


def _assign_spans(
    drafted: Sequence[tuple[Segment, Draft]], spans: Sequence[ScoringSpan], correction_by_id: Mapping[str, Correction]
) -> dict[str, list[ScoringSpan]]:
    """Assign each correction to the segment that it was made on, else to the one that it covers most."""
    ids = {segment.id for segment, _ in drafted}
    spans_by_segment: dict[str, list[ScoringSpan]] = defaultdict(list)
    for span in spans:
        named = correction_by_id[span.id].segment
        if named in ids:
            spans_by_segment[str(named)].append(span)
            continue
        best = max(
            (segment for segment, _ in drafted),
            key=lambda segment: (_overlap(segment, span), segment.speaker == span.speaker),
            default=None,
        )
        if best is not None and _overlap(best, span) > 0:
            spans_by_segment[best.id].append(span)
    return spans_by_segment


def _overlap(segment: Segment, span: ScoringSpan) -> Milliseconds:
    return min(segment.end, span.end) - max(segment.start, span.start)


def _count_errors(spans: Iterable[ScoringSpan], dialect: str, prepare: Preparer) -> ErrorCount:
    counts = ErrorCount()
    for span in spans:
        pair = Pair(
            id=span.id, reference=span.reference, hypothesis=span.hypothesis, dialect=dialect, speaker=str(span.speaker)
        )
        ready = prepare(pair)
        counts += from_counts(count(ready.reference, ready.hypothesis))
    return counts


def _stream_accepted(store: Store) -> Iterator[tuple[Recording, Segment, Draft]]:
    """Stream the drafts that stand accepted and are not to be written again, recording by recording."""
    silent: dict[str, dict[str, Acceptance]] = defaultdict(dict)
    for acceptance in store.pseudo_labels.fetch():
        if not acceptance.audit:
            silent[acceptance.recording][acceptance.segment] = acceptance
    for recording in store.recordings.fetch(ids=silent.keys()):
        by_segment = silent[recording.id]
        for model, settings in sorted({(acceptance.model, acceptance.settings) for acceptance in by_segment.values()}):
            for segment, draft in store.drafts.fetch_with_segments(recording.id, model, settings=settings):
                if segment.id in by_segment and by_segment[segment.id].settings == settings:
                    yield recording, segment, draft


def list_pseudo_labels(store: Store, rules: Rules, *, weight: float) -> dict[str, list[Example]]:
    """
    Return the accepted drafts as training examples, by recording: marked, and weighing less than what people wrote.

    What people are to write again is left out, so that an audit stays one, and what is masked.
    """
    spellings = rules.spellings
    examples: dict[str, list[Example]] = defaultdict(list)
    masked: dict[str, list[Span]] = defaultdict(list)
    for mask in store.redaction.fetch_masks():
        masked[mask.recording].append((mask.start, mask.end))
    for recording, segment, draft in _stream_accepted(store):
        if within(masked[recording.id], segment.start, segment.end) or store.database.terms.spans(draft.words):
            continue
        dialect = segment.dialect or recording.dialect
        example = Example(
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
        examples[recording.id].append(example)
    return examples
