"""
Pending recordings to turns, segments and drafts: the pipeline that a GPU spends its day in.

Two stages run side by side: the diariser is already at the next recording while the recogniser is at this one, on a
processor at two of them. All that was made of a recording is saved in one transaction, so a machine that dies in the
middle loses the recordings in flight and nothing else. What is left to do is a query, never a flag.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from dialects.dialect import Catalogue
from dialects.errors import DialectError
from transcribe import audio
from transcribe.backends.whisper_words import longest_window
from transcribe.config import fingerprint
from transcribe.coverage import longest_missed, mean_log_probability
from transcribe.errors import BoliError, Failure
from transcribe.flagging import Evidence, find_flags, level_dbfs
from transcribe.glossary import FILE as GLOSSARY_FILE
from transcribe.glossary import Glossary, count_bytes, fit
from transcribe.levers import Lever, format_lever, make_window
from transcribe.name_finding import take_names
from transcribe.naming import name_turns, name_voices
from transcribe.protocols import (
    LONGEST_WINDOW,
    SAMPLE_RATE_HZ,
    Diariser,
    LabelledSpan,
    Pcm,
    Recogniser,
    Span,
    SpeakerCount,
    SpeechDetector,
    Window,
)
from transcribe.recognition import TEMPERATURES, Recognition, recognise_speech
from transcribe.records import Draft, Drafted, Milliseconds, Recording, Segment, Turn, Voice, Word, join_words
from transcribe.segmenting import adopt_speech, attribute, cut_segments
from transcribe.store import Store
from transcribe.windows import Stretch, WindowPlan, pack, unite_speech

#: Recordings that wait between the stages: enough that neither starves, few enough to be lost in a crash.
IN_FLIGHT: Final = 2

#: Changes when the rules of this module change what is drafted, so that old work is not taken for new.
RULES: Final = 10


@dataclass(frozen=True, kw_only=True)
class SecondOpinion:
    """A quick recogniser that makes one pass over everything; where it disagrees, a draft is flagged."""

    recogniser: Recogniser
    #: Longest window that it was made for.
    window: Milliseconds = LONGEST_WINDOW
    #: Whisper's code of the only language that it knows; ``None``: it knows many.
    language: str | None = None


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides what a draft says."""

    diariser: Diariser
    detector: SpeechDetector
    recogniser: Recogniser
    catalogue: Catalogue
    #: Longest window the recogniser was made for.
    window: Milliseconds
    join_gap: Milliseconds = 400
    longest: Milliseconds = 28_000
    second: SecondOpinion | None = None
    #: What helps single dialects, found on the dev part.
    levers: Mapping[str, Lever] = field(default_factory=dict)
    #: The project's own names.
    glossary: Glossary = field(default_factory=Glossary)
    #: Length of a text in the recogniser's tokens.
    count_tokens: Callable[[str], int] = count_bytes
    #: Decoding settings that change the text, as plain values.
    decoding: Mapping[str, object] = field(default_factory=dict)
    #: Recordings that the recogniser hears at once: how fast, not what.
    workers: int = 1

    @property
    def diarisation(self) -> str:
        """Key of the turns."""
        return fingerprint("turns", RULES, self.diariser.id)

    @property
    def settings(self) -> str:
        """Key of the drafts: the mark that says a recording is done."""
        # "once": of the words of one hearing, folded.
        second = None if self.second is None else ["once", self.second.recogniser.id, self.second.window]
        cutting = [self.join_gap, self.longest, self.window]
        return fingerprint(
            "drafts",
            RULES,
            self.diarisation,
            self.detector.id,
            self.recogniser.id,
            second,
            cutting,
            dict(self.decoding),
            self.catalogue.hash,
            *([{tag: format_lever(lever) for tag, lever in self.levers.items()}] if self.levers else []),
            *([["glossary", self.glossary.hash]] if self.glossary.terms else []),
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings about names that do not fit the recogniser's prompt, by the dialect that they are given for."""
        return tuple(
            f"W_GLOSSARY: {left_out} names of {GLOSSARY_FILE} for {dialect or 'all dialects'} do not fit into what the "
            "recogniser can be told beforehand; the first ones of the file are told"
            for dialect in self.glossary.dialects
            if (left_out := fit(self.glossary.of(dialect), self.count_tokens)[1])
        )

    def lever(self, dialect: str | None) -> Lever:
        """Return the lever of *dialect*: an empty one where none is set."""
        return self.levers.get(dialect or "", Lever())


@dataclass(frozen=True, kw_only=True)
class Step:
    """One recording finished or failed: what a progress display adds up."""

    recording: Recording
    segments: int = 0
    warnings: tuple[str, ...] = ()
    failure: Failure | None = None


@dataclass(frozen=True, kw_only=True)
class Track:
    """The sound of one recording, or of one of its channels, with where speech is and who speaks in it."""

    pcm: Pcm
    #: Stretches in which somebody speaks, whoever it is, in order and apart.
    speech: tuple[Span, ...]
    turns: tuple[Turn, ...]
    exclusive: tuple[Turn, ...]
    #: Of the speakers of *turns*, where they were diarised just now.
    voices: tuple[Voice, ...] = ()

    @property
    def duration(self) -> Milliseconds:
        return len(self.pcm) * 1_000 // SAMPLE_RATE_HZ


def draft_pending(
    store: Store,
    recipe: Recipe,
    audio_folder: Path,
    *,
    retry_failed: bool = False,
    ids: Collection[str] | None = None,
    waiting: bool = False,
    stop: threading.Event | None = None,
    on_bug: Callable[[BaseException], None] = lambda error: None,
) -> Iterator[Step]:
    """
    Draft every recording that is pending under *recipe*, or those of *ids*, longest first; one step as each is saved.
    If *waiting*, what people have written down throughout since it was drafted last stays as it is.

    A recording that fails is recorded with its reason and the next one goes on. Setting *stop* ends the work after
    the recordings in flight. *on_bug* is shown errors that are not the project's own, before they become a failure.
    """
    recordings = store.pending(recipe.settings, retry_failed=retry_failed, ids=ids, waiting=waiting)
    work = _DiariserStage(store, recipe, audio_folder, recordings, stop=stop or threading.Event())
    work.start()
    pool = ThreadPoolExecutor(recipe.workers, thread_name_prefix="recogniser")
    try:
        for recording, assembled in _assemble_ahead(pool, work.tracks(), recipe):
            try:
                drafted = assembled.result()
                store.save_drafted(drafted)
            except Exception as error:  # one bad recording must not end the batch
                yield Step(recording=recording, failure=_record_failure(store, recording, error, on_bug))
            else:
                yield Step(recording=recording, segments=len(drafted.segments), warnings=drafted.warnings)
    finally:
        pool.shutdown(cancel_futures=True)
        work.end()


def _assemble_ahead(
    pool: ThreadPoolExecutor, diarised: Iterable[tuple[Recording, list[Track] | Exception]], recipe: Recipe
) -> Iterator[tuple[Recording, Future[Drafted]]]:
    """Yield the recordings in the order in which they were *diarised*, while as many as `Recipe.workers` are heard."""
    waiting: deque[tuple[Recording, Future[Drafted]]] = deque()
    for recording, tracks in diarised:
        waiting.append((recording, pool.submit(_assemble_tracks, recording, tracks, recipe)))
        if len(waiting) >= recipe.workers:
            yield waiting.popleft()
    yield from waiting


def _assemble_tracks(recording: Recording, tracks: list[Track] | Exception, recipe: Recipe) -> Drafted:
    if isinstance(tracks, Exception):
        raise tracks
    return assemble(recording, tracks, recipe)


class _DiariserStage(threading.Thread):
    """The first stage: reads and diarises pending recordings, a bounded number ahead of the second."""

    def __init__(
        self,
        store: Store,
        recipe: Recipe,
        audio_folder: Path,
        recordings: Iterator[Recording],
        *,
        stop: threading.Event,
    ) -> None:
        super().__init__(name="diariser", daemon=True)
        self._store, self._recipe, self._audio_folder, self._recordings = store, recipe, audio_folder, recordings
        self._stop_asked, self._ended = stop, threading.Event()
        self._ready: queue.Queue[tuple[Recording, list[Track] | Exception] | None] = queue.Queue(maxsize=IN_FLIGHT)
        self._error: Exception | None = None

    def run(self) -> None:
        try:
            for recording in self._recordings:
                if self._stop_asked.is_set() or self._ended.is_set():
                    break
                self._queue((recording, self._load_tracks(recording)))
        except Exception as error:  # raised again in the thread that waits for us
            self._error = error
        finally:
            self._queue(None)

    def tracks(self) -> Iterator[tuple[Recording, list[Track] | Exception]]:
        """Yield recordings with their tracks, or with their error, and raise what ended this stage early."""
        while (diarised := self._ready.get()) is not None:
            yield diarised
        if self._error is not None:
            raise self._error

    def end(self) -> None:
        """Come to an end, whatever is still under way."""
        self._ended.set()
        self.join()

    def _load_tracks(self, recording: Recording) -> list[Track] | Exception:
        try:
            self._store.begin_attempt(recording.id)
            return load_tracks(recording, self._store, self._recipe, self._audio_folder)
        except Exception as error:  # handed to the other thread, which records it
            return error

    def _queue(self, diarised: tuple[Recording, list[Track] | Exception] | None) -> None:
        """Put in the queue when there is room, but do not wait for ever: the other stage may have gone."""
        while not self._ended.is_set():
            with suppress(queue.Full):
                self._ready.put(diarised, timeout=0.1)
                break


def _record_failure(
    store: Store, recording: Recording, error: Exception, on_bug: Callable[[BaseException], None]
) -> Failure:
    if isinstance(error, BoliError | DialectError):
        failure = Failure(item=recording.path, code=error.code, message=str(error))
    else:
        on_bug(error)
        sentence = f"E_BUG: {type(error).__name__} while drafting {recording.path}: {error}; run again with --debug"
        failure = Failure(item=recording.path, code="E_BUG", message=sentence)
    store.fail(recording.id, "run", failure)
    return failure


def load_tracks(recording: Recording, store: Store, recipe: Recipe, audio_folder: Path) -> list[Track]:
    """Load the audio and turns of *recording*; turns that the same diariser made before are taken from the store."""
    path = audio.locate(audio_folder, recording.id)
    saved_turns = store.turns(recording.id, recipe.diarisation)
    channels: Sequence[int | None] = range(recording.channels) if recording.channel_mode == "split" else [None]
    tracks = []
    for channel in channels:
        pcm = audio.read_samples(path, channel=channel)
        if saved_turns is not None:
            turns, exclusive = (tuple(turn for turn in group if turn.channel == channel) for group in saved_turns)
            tracks.append(Track(pcm=pcm, speech=recipe.detector.detect(pcm), turns=turns, exclusive=exclusive))
        else:
            tracks.append(diarise_track(recording, pcm, channel, recipe))
    return tracks


def diarise_track(recording: Recording, pcm: Pcm, channel: int | None, recipe: Recipe) -> Track:
    """Find who speaks when in *pcm*, the sound of *recording* or of one of its channels, and where speech is."""
    speakers = SpeakerCount(exactly=recording.num_speakers if channel is None else 1)
    diarisation = recipe.diariser.diarise(pcm, speakers=speakers)
    exclusive = name_turns(recording, diarisation.exclusive, channel=channel)
    return Track(
        pcm=pcm,
        speech=recipe.detector.detect(pcm),
        turns=name_turns(recording, diarisation.turns, channel=channel),
        exclusive=exclusive,
        voices=name_voices(exclusive, diarisation.voices, maker=recipe.diariser.id),
    )


def assemble(recording: Recording, tracks: Sequence[Track], recipe: Recipe) -> Drafted:
    """Make the segments and drafts of one diarised recording, which the store saves in one transaction."""
    drafted = [_draft_track(recording, track, channel, recipe) for channel, track in enumerate(tracks)]
    segments = [segment for track_segments, _ in drafted for segment in track_segments]
    return Drafted(
        recording=recording.id,
        diarisation=recipe.diarisation,
        settings=recipe.settings,
        model=recipe.recogniser.id,
        turns=tuple(turn for track in tracks for turn in track.turns),
        exclusive=tuple(turn for track in tracks for turn in track.exclusive),
        segments=tuple(segments),
        drafts=tuple(draft for _, track_drafts in drafted for draft in track_drafts),
        voices=tuple(voice for track in tracks for voice in track.voices),
        warnings=() if segments else (f"W_NO_SPEECH: nobody speaks in {recording.path}; nothing was drafted",),
    )


def _draft_track(recording: Recording, track: Track, number: int, recipe: Recipe) -> tuple[list[Segment], list[Draft]]:
    channel = number if recording.channel_mode == "split" else None
    adopted = adopt_speech(track.turns, track.speech, _nobody_turn(recording, channel))
    turns = sorted([*track.turns, *adopted], key=lambda turn: (turn.start, turn.speaker, turn.end))
    exclusive = sorted([*track.exclusive, *adopted], key=lambda turn: turn.start)
    segments = cut_segments(
        turns,
        join_gap=recipe.join_gap,
        longest=recipe.longest,
        cut_point=partial(audio.quietest, track.pcm),
    )
    speech = unite_speech(turns, track.speech, dialect=recording.dialect)
    first = _recognise(recording, track, speech, recipe)
    words = attribute(_add_names(first.words, recording, track, speech, recipe), exclusive, segments)
    others = _get_second_opinion(recording, track, speech, segments, exclusive, recipe)
    return segments, [
        _make_draft(
            segment,
            _spell(words[segment.id], segment, recipe),
            _spell(others[segment.id], segment, recipe) if segment.id in others else None,
            first,
            _Surroundings(
                track=track, turns=turns, language=_find_language(segment.dialect or recording.language, recipe)
            ),
            recipe,
        )
        for segment in segments
    ]


def _nobody_turn(recording: Recording, channel: int | None) -> Turn:
    """Return the turn of the speaker who is assumed where the diariser finds nobody in a whole recording."""
    return name_turns(recording, [LabelledSpan(start=0, end=recording.duration, label="SPEAKER_00")], channel=channel)[
        0
    ]


def _get_second_opinion(
    recording: Recording,
    track: Track,
    speech: Sequence[Stretch],
    segments: Sequence[Segment],
    exclusive: Sequence[Turn],
    recipe: Recipe,
) -> Mapping[str, tuple[Word, ...]]:
    """Return the second opinion's words by segment, without the segments in languages that it does not know."""
    second = recipe.second
    if second is None:
        return {}

    def knows(dialect: str | None) -> bool:
        return second.language in (None, _find_language(dialect or recording.language, recipe))

    known_speech = [stretch for stretch in speech if knows(stretch.dialect)]
    words = attribute(_recognise(recording, track, known_speech, recipe, second=second).words, exclusive, segments)
    return {segment.id: words[segment.id] for segment in segments if knows(segment.dialect)}


def _add_names(
    words: Sequence[Word], recording: Recording, track: Track, speech: Sequence[Stretch], recipe: Recipe
) -> Sequence[Word]:
    """Return *words* with the project's names where a recogniser that is prompted with them writes them."""
    named_speech = [stretch for stretch in speech if recipe.glossary.of(stretch.dialect)]
    if not named_speech:
        return words
    names = [term.text for stretch in named_speech for term in recipe.glossary.of(stretch.dialect)]
    return take_names(
        words, _recognise(recording, track, named_speech, recipe, with_names=True).words, list(dict.fromkeys(names))
    )


def _recognise(
    recording: Recording,
    track: Track,
    speech: Sequence[Stretch],
    recipe: Recipe,
    *,
    second: SecondOpinion | None = None,
    with_names: bool = False,
) -> Recognition:
    """Recognise *speech*: by the recipe's recogniser, or in one pass by *second* or by one prompted with the names."""
    languages = {stretch.dialect: _find_language(stretch.dialect or recording.language, recipe) for stretch in speech}
    cut_point = partial(audio.quietest, track.pcm)
    longest = recipe.window if second is None else min(recipe.window, second.window)
    longest = min((longest_window(language, longest) for language in languages.values()), default=longest)
    plans = pack(
        speech,
        duration=track.duration,
        longest=longest,
        languages=languages,
        cut_point=cut_point,
    )
    return recognise_speech(
        recipe.recogniser if second is None else second.recogniser,
        track.pcm,
        speech,
        plans,
        partial(_make_window, languages=languages, recipe=recipe, with_names=with_names),
        longest=longest,
        cut_point=cut_point,
        temperatures=() if second is not None or with_names else TEMPERATURES,
    )


def _find_language(tag: str | None, recipe: Recipe) -> str | None:
    """Return the language that Whisper is given: ``None``, so that it detects it, where nobody declared a known one."""
    return recipe.catalogue.find(tag).whisper if tag else None


def _make_window(
    plan: WindowPlan, languages: Mapping[str | None, str | None], recipe: Recipe, *, with_names: bool
) -> Window:
    dialect = recipe.catalogue.find(plan.dialect) if plan.dialect else None
    lever = recipe.lever(plan.dialect)
    names = fit(recipe.glossary.of(plan.dialect), recipe.count_tokens)[0] if with_names else ()
    window = make_window(plan.start, plan.end, languages[plan.dialect], plan.dialect, dialect, lever, names)
    return replace(window, start=plan.pieces[0].start, end=plan.pieces[-1].end, pieces=plan.pieces)


def _spell(words: tuple[Word, ...], segment: Segment, recipe: Recipe) -> tuple[Word, ...]:
    """Respell *words* as people who speak the segment's dialect write them, names as the project does."""
    lever = recipe.lever(segment.dialect)
    dialect_words = tuple(replace(word, text=lever.respell(word.text)) for word in words) if lever.spelling else words
    return recipe.glossary.spell(dialect_words, segment.dialect)


@dataclass(frozen=True, kw_only=True)
class _Surroundings:
    """Facts of the track that a segment lies in."""

    track: Track
    #: Of all speakers, those of speech that the diariser missed included.
    turns: Sequence[Turn]
    #: Whisper's code of the declared language.
    language: str | None


def _make_draft(
    segment: Segment,
    words: tuple[Word, ...],
    second: tuple[Word, ...] | None,
    recognition: Recognition,
    surroundings: _Surroundings,
    recipe: Recipe,
) -> Draft:
    dialect = recipe.catalogue.find(segment.dialect) if segment.dialect else None
    samples = SAMPLE_RATE_HZ // 1_000
    answers = [answer for answer in recognition.answers if _measure_overlap(answer.window.spans, segment)]
    main = max(answers, key=lambda answer: _measure_overlap(answer.window.spans, segment), default=None)
    others = [turn for turn in surroundings.turns if turn.speaker != segment.speaker]
    evidence = Evidence(
        duration=segment.end - segment.start,
        level_dbfs=level_dbfs(surroundings.track.pcm[segment.start * samples : segment.end * samples]),
        no_speech=max((answer.no_speech for answer in answers if answer.no_speech is not None), default=None),
        scripts=(dialect.script, *dialect.more_scripts) if dialect else (),
        second=second,
        missed=longest_missed(recognition.missed, segment),
        language=surroundings.language,
        detected=None if main is None else main.detected,
        detected_probability=(main.detected_probability or 0.0) if main else 0.0,
        overlap=_measure_overlap(others, segment),
    )
    scores = [answer.log_probability for answer in answers if answer.log_probability is not None]
    flag_names = find_flags(words, evidence)
    return Draft(
        segment=segment.id,
        model=recipe.recogniser.id,
        settings=recipe.settings,
        words=words,
        log_probability=round(sum(scores) / len(scores), 4) if scores else None,
        flags=flag_names,
        alternative=surer_text(words, second or ()) if "disagreement" in flag_names else None,
    )


def surer_text(words: Sequence[Word], second: Sequence[Word]) -> str | None:
    """Return the text of *second* where its words are likelier, by their mean log-probability, than *words*."""
    return join_words(second) if mean_log_probability(second) > mean_log_probability(words) else None


def _measure_overlap(spans: Iterable[Span | Turn], segment: Segment) -> Milliseconds:
    """Return how long *spans* overlap *segment* in all."""
    return sum(max(0, min(span.end, segment.end) - max(span.start, segment.start)) for span in spans)
