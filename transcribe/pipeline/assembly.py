"""The segments and drafts of one recording: who speaks when, the words of its windows, and whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from transcribe import audio
from transcribe.backends.whisper_words import longest_window
from transcribe.glossary import fit
from transcribe.pipeline.coverage import longest_missed, mean_log_probability
from transcribe.pipeline.draft_checks import Evidence, find_flags, level_dbfs
from transcribe.pipeline.name_finding import take_names
from transcribe.pipeline.recipe import Recipe, SecondOpinion, make_window
from transcribe.pipeline.recognition import TEMPERATURES, Recognition, recognise_speech
from transcribe.pipeline.same_voice import name_turns, name_voices
from transcribe.pipeline.segmentation import adopt_speech, attribute, cut_segments
from transcribe.pipeline.windows import Stretch, WindowPlan, pack, unite_speech
from transcribe.protocols import (
    SAMPLE_RATE_HZ,
    LabelledSpan,
    Pcm,
    Span,
    SpeakerCount,
    Window,
)
from transcribe.records import Draft, Drafted, Milliseconds, Recording, Segment, Turn, Voice, Word, join_words
from transcribe.store import Store


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


def load_tracks(recording: Recording, store: Store, recipe: Recipe, audio_folder: Path) -> list[Track]:
    """Load the audio and turns of *recording*; turns that the same diariser made before are taken from the store."""
    path = audio.locate(audio_folder, recording.id)
    saved_turns = store.drafts.fetch_turns(recording.id, recipe.diarisation)
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
