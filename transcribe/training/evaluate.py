"""
Two models on the same frozen test, each through the engine that drafts.

The test's recordings are drafted as `boli run` would, and saved as its drafts are: nothing is transcribed twice, a
killed evaluation goes on where it stopped, and a model that is promoted has drafted its test already.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any, Final

from dialects.report.table import Report, report_of
from dialects.scoring.comparison import Comparison, contrast
from dialects.scoring.hallucinations import is_hallucinated
from dialects.scoring.prepare import Preparer
from dialects.scoring.rows import Method, round_number
from dialects.scoring.word_errors import Pair
from transcribe.backends.by_dialect import part_id
from transcribe.datasets.manifest import Example, Frozen
from transcribe.errors import InputError, Interrupted
from transcribe.pipeline.assembly import assemble, load_tracks
from transcribe.pipeline.drafting import Step, draft_pending
from transcribe.pipeline.recipe import Recipe
from transcribe.records import Correction, Drafted, Milliseconds, Recording, join_words
from transcribe.store import Store
from transcribe.store.word_assignment import Speech, Spoken, words_by_correction

#: Length of the audio on which two models' speeds are compared, and how often.
_RACE: Final[Milliseconds] = 60_000
_ROUNDS: Final = 2


@dataclass(frozen=True, kw_only=True)
class Speed:
    """The work that drafting takes."""

    #: Seconds of work a second of sound; ``None`` where nobody measured.
    real_time_factor: float | None = None
    #: Seconds of work a letter of the drafts; ``None`` where they are empty too.
    seconds_a_letter: float | None = None

    def data(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        letter = self.seconds_a_letter
        return {
            "real_time_factor": round_number(self.real_time_factor),
            "seconds_a_letter": None if letter is None else round(letter, 6),
        }


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The scores of one model on a frozen test."""

    model: str
    report: Report
    #: Segments with what nobody said.
    hallucinations: int
    #: Length of the stretches that were scored.
    sound: Milliseconds
    speed: Speed = Speed()

    @property
    def hallucinations_an_hour(self) -> float:
        return self.hallucinations * 3_600_000 / self.sound if self.sound else 0.0

    def data(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "model": self.model,
            "hallucinations": self.hallucinations,
            "hallucinations_an_hour": round_number(self.hallucinations_an_hour),
            "sound_ms": self.sound,
            **self.speed.data(),
            "report": self.report.data(),
        }


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A candidate beside the model that drafts now."""

    dataset_sha256: str
    current: Scores
    candidate: Scores
    comparison: Comparison
    #: Test stretches that began as a draft of one of the two, and were not scored.
    begun_from_drafts: int

    def data(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "dataset_sha256": self.dataset_sha256,
            "current": self.current.data(),
            "candidate": self.candidate.data(),
            "comparison": self.comparison.data(),
            "begun_from_drafts": self.begun_from_drafts,
        }


def list_test_recordings(frozen: Frozen) -> tuple[str, ...]:
    """List the ids of the recordings that *frozen* is tested on, in order."""
    return tuple(dict.fromkeys(example.audio for example in frozen.examples("test")))


def draft_test(
    store: Store,
    recipe: Recipe,
    audio_folder: Path,
    frozen: Frozen,
    *,
    stop: Event | None = None,
    on_bug: Callable[[BaseException], None] = lambda error: None,
) -> Iterator[Step]:
    """Draft what of the test *recipe* has not drafted yet, a step a recording."""
    ids = list_test_recordings(frozen)
    return draft_pending(store, recipe, audio_folder, retry_failed=True, ids=ids, stop=stop, on_bug=on_bug)


def copy_alike(store: Store, current: Recipe, candidate: Recipe, frozen: Frozen) -> int:
    """
    Give *candidate* the drafts of *current* where the same model hears all dialects of a recording of the test.

    It would write the same; hearing it again would only take its time. Gives how many recordings that are.
    """
    same_cut = (current.diarisation, current.window) == (candidate.diarisation, candidate.window)
    if not same_cut or current.second is not None or candidate.second is not None:
        return 0
    copied = 0
    for recording in store.recordings.fetch(
        ids=store.attempts.find_undrafted(candidate.settings, list_test_recordings(frozen))
    ):
        drafted = list(store.drafts.fetch_with_segments(recording.id, current.recogniser.id, settings=current.settings))
        turns = store.drafts.fetch_turns(recording.id, current.diarisation)
        dialects = {segment.dialect or recording.dialect for segment, _ in drafted}
        if not drafted or turns is None or not all(_agree(current, candidate, dialect) for dialect in dialects):
            continue
        drafts = [replace(draft, model=candidate.recogniser.id, settings=candidate.settings) for _, draft in drafted]
        copied += store.drafts.save(
            Drafted(
                recording=recording.id,
                diarisation=candidate.diarisation,
                settings=candidate.settings,
                model=candidate.recogniser.id,
                turns=turns[0],
                exclusive=turns[1],
                segments=tuple(segment for segment, _ in drafted),
                drafts=tuple(drafts),
            )
        )
    return copied


def _agree(current: Recipe, candidate: Recipe, dialect: str | None) -> bool:
    """Say if the same model with the same help hears *dialect* for both."""
    return part_id(current.recogniser, dialect) == part_id(candidate.recogniser, dialect) and (
        current.lever(dialect) == candidate.lever(dialect)
    )


def pairs(store: Store, recipe: Recipe, frozen: Frozen, judged: frozenset[str]) -> Iterator[Pair]:
    """
    Pair each text of the test with the draft of *recipe* there, by the same rule as the workspace's pairs.

    Texts that began as a draft of one of the models *judged* are left out: they lean to what they would measure.

    Raises:
        InputError: E_TEST if a recording of the test was not drafted.
    """
    missing = store.attempts.find_undrafted(recipe.settings, list_test_recordings(frozen))
    if missing:
        message = f"{len(missing)} recordings of the test were not drafted by model {recipe.recogniser.id[:12]}"
        raise InputError(message, code="E_TEST", hint="boli status names what failed and why", item=missing[0])
    for audio, group in itertools.groupby(frozen.examples("test"), key=lambda example: example.audio):
        example_by_id = {example.id: example for example in group if example.text is not None}
        corrections = [_to_correction(example) for example in example_by_id.values()]
        speech = _load_speech(store, recipe, audio)
        words = words_by_correction(corrections, speech)
        for correction in corrections:
            example = example_by_id[correction.id]
            if example.provenance is not None and example.provenance.draft in judged:
                continue
            yield Pair(
                id=correction.id,
                reference=correction.text,
                hypothesis=join_words(words[correction.id]),
                dialect=example.dialect or "und",
                language=example.language,
                speaker=example.person,
                model=recipe.recogniser.id,
                session=example.session or audio,
                duration_s=(correction.end - correction.start) / 1000,
            )


def _to_correction(example: Example) -> Correction:
    return Correction(
        id=example.id,
        recording=example.audio,
        start=example.start,
        end=example.end,
        text=example.text or "",
        speaker=example.speaker,
    )


def _load_speech(store: Store, recipe: Recipe, audio: str) -> Speech:
    drafted = store.drafts.fetch_with_segments(audio, recipe.recogniser.id, settings=recipe.settings)
    return Speech(
        Spoken(speaker=segment.speaker, start=segment.start, end=segment.end, words=draft.words)
        for segment, draft in drafted
    )


def score(
    store: Store,
    recipe: Recipe,
    frozen: Frozen,
    *,
    judged: frozenset[str],
    prepare: Preparer,
    method: Method,
    speed: Speed = Speed(),
) -> Scores:
    """Score the drafts of *recipe* on the test: error rates by dialect, and a count of hallucinations."""
    scored_pairs = list(pairs(store, recipe, frozen, judged))
    return Scores(
        model=recipe.recogniser.id,
        report=report_of(scored_pairs, prepare, model=recipe.recogniser.id, method=method, with_recount=False),
        hallucinations=sum(is_hallucinated(prepare(pair)) for pair in scored_pairs),
        sound=round(sum((pair.duration_s or 0.0) * 1000 for pair in scored_pairs)),
        speed=speed,
    )


def evaluate(
    store: Store,
    frozen: Frozen,
    *,
    current: Recipe,
    candidate: Recipe,
    prepare: Preparer,
    method: Method,
    speeds: Mapping[str, Speed] | None = None,
) -> Evaluation:
    """
    Compare *candidate* with *current* on the test of *frozen*, which both have drafted.

    Args:
        speeds: By model, as `race` measures them.

    Raises:
        InputError: E_TEST if there is no test, or a recording of it was not drafted.
    """
    judged = frozenset({current.recogniser.id, candidate.recogniser.id})
    scores = [
        score(
            store,
            recipe,
            frozen,
            judged=judged,
            prepare=prepare,
            method=method,
            speed=(speeds or {}).get(recipe.recogniser.id, Speed()),
        )
        for recipe in (current, candidate)
    ]
    if not scores[0].report.rows:
        message = f"{frozen.folder.name} was to be tested on; nothing of its test can be scored"
        hint = "correct some recordings of the test split without a draft of the model that is judged"
        raise InputError(message, code="E_TEST", hint=hint)
    unscored = sum(
        example.provenance is not None and example.provenance.draft in judged
        for example in frozen.examples("test")
        if example.text is not None
    )
    return Evaluation(
        dataset_sha256=frozen.sha256,
        current=scores[0],
        candidate=scores[1],
        comparison=contrast(scores[0].report.side(), scores[1].report.side(), method=method),
        begun_from_drafts=unscored,
    )


def judge(
    store: Store,
    audio_folder: Path,
    frozen: Frozen,
    *,
    current: Recipe,
    candidate: Recipe,
    prepare: Preparer,
    method: Method,
    clock: Callable[[], float] = time.process_time,
    on_step: Callable[[Step], None] = lambda step: None,
    stop: Event | None = None,
) -> Evaluation:
    """
    Draft what of the test either has not drafted, measure both speeds, and compare the two.

    Args:
        on_step: Called with each recording that was drafted.

    Raises:
        InputError: E_TEST if there is no test, or a recording of it could not be drafted.
        Interrupted: *stop* was set; what was drafted is kept.
    """
    for recipe in (current, candidate):
        if recipe is candidate:
            copy_alike(store, current, candidate, frozen)
        for step in draft_test(store, recipe, audio_folder, frozen, stop=stop):
            on_step(step)
    if stop is not None and stop.is_set():
        raise Interrupted("the evaluation was stopped; what was drafted is kept", hint="run the same command to go on")
    speeds = race(store, (current, candidate), audio_folder, frozen, clock=clock)
    return evaluate(store, frozen, current=current, candidate=candidate, prepare=prepare, method=method, speeds=speeds)


def race(
    store: Store,
    recipes: Sequence[Recipe],
    audio_folder: Path,
    frozen: Frozen,
    *,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, Speed]:
    """
    Measure the speeds of *recipes* on the same minute of the test, by model: the best of two rounds, in turn.

    Args:
        clock: The processor's by default, which other work on the machine does not move; the real time's for a GPU.
    """
    recordings: list[Recording] = []
    for recording in store.recordings.fetch(ids=list_test_recordings(frozen)):
        if sum(recording.duration for recording in recordings) >= _RACE:
            break
        recordings.append(recording)
    tracks = [(recording, load_tracks(recording, store, recipes[0], audio_folder)) for recording in recordings]
    audio_seconds = sum(recording.duration for recording in recordings) / 1000
    seconds_by_model: dict[str, list[float]] = {recipe.recogniser.id: [] for recipe in recipes}
    letters: dict[str, int] = {}
    for _ in range(_ROUNDS):
        for recipe in recipes:
            began = clock()
            drafted = [assemble(recording, group, recipe) for recording, group in tracks]
            seconds_by_model[recipe.recogniser.id].append(clock() - began)
            letters[recipe.recogniser.id] = sum(map(_count_letters, drafted))
    if not audio_seconds:
        return {}
    return {
        model: Speed(
            real_time_factor=min(seconds) / audio_seconds,
            seconds_a_letter=min(seconds) / letters[model] if letters[model] else None,
        )
        for model, seconds in seconds_by_model.items()
    }


def _count_letters(drafted: Drafted) -> int:
    return sum(len(word.text) for draft in drafted.drafts for word in draft.words)
