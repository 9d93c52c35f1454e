"""
Pending recordings to turns, segments and drafts: the pipeline that a GPU spends its day in.

Two stages run side by side, a thread each: the diariser is already at the next recording while the recogniser is at
this one. All that was made of a recording is saved in one transaction, so a machine that dies in the middle loses the
recordings in flight and nothing else. What is left to do is a query, never a flag.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from dialects.dialect import Catalogue
from dialects.errors import DialectError
from transcribe import audio
from transcribe.config import fingerprint
from transcribe.errors import BoliError, Failure
from transcribe.flagging import Evidence, flags, level_dbfs
from transcribe.levers import Lever, asked_window, plain
from transcribe.naming import name_turns
from transcribe.protocols import SAMPLE_RATE_HZ, Diariser, Heard, Pcm, Recogniser, SpeakerCount, Window
from transcribe.records import Draft, Drafted, Milliseconds, Recording, Segment, Turn, Word
from transcribe.segmenting import Packed, attribute, cut, fit_to_speech, join, pack
from transcribe.store import Store

#: Recordings that wait between the stages: enough that neither starves, few enough to be lost in a crash.
IN_FLIGHT: Final = 2

#: Changes when the rules of this module change what is drafted, so that old work is not taken for new.
RULES: Final = 3


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides what a draft says."""

    diariser: Diariser
    recogniser: Recogniser
    catalogue: Catalogue
    #: Longest window the recogniser was made for.
    window: Milliseconds
    join_gap: Milliseconds = 400
    longest: Milliseconds = 28_000
    #: A quick second opinion, whose disagreement flags a draft.
    second: Recogniser | None = None
    #: What helps single dialects, found on the dev part.
    levers: Mapping[str, Lever] = field(default_factory=dict)
    #: Decoding settings that change the text, as plain values.
    decoding: Mapping[str, object] = field(default_factory=dict)

    @property
    def diarisation(self) -> str:
        """Key of the turns."""
        return fingerprint("turns", RULES, self.diariser.id)

    @property
    def settings(self) -> str:
        """Key of the drafts: the mark that says a recording is done."""
        second = None if self.second is None else self.second.id
        cutting = [self.join_gap, self.longest, self.window]
        return fingerprint(
            "drafts",
            RULES,
            self.diarisation,
            self.recogniser.id,
            second,
            cutting,
            dict(self.decoding),
            self.catalogue.hash,
            *([{tag: plain(lever) for tag, lever in self.levers.items()}] if self.levers else []),
        )

    def lever(self, dialect: str | None) -> Lever:
        """What helps *dialect*: an empty one where nothing does."""
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
    """The sound of one recording, or of one of its channels, with who speaks in it."""

    pcm: Pcm
    turns: tuple[Turn, ...]
    exclusive: tuple[Turn, ...]


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
    work = _Diarising(store, recipe, audio_folder, recordings, stop=stop or threading.Event())
    work.start()
    try:
        for recording, tracks in work.finished():
            try:
                if isinstance(tracks, Exception):
                    raise tracks
                drafted = assemble(recording, tracks, recipe)
                store.save_drafted(drafted)
            except Exception as error:  # one bad recording must not end the batch
                yield Step(recording=recording, failure=_record(store, recording, error, on_bug))
            else:
                yield Step(recording=recording, segments=len(drafted.segments), warnings=drafted.warnings)
    finally:
        work.end()


class _Diarising(threading.Thread):
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
        self._trouble: Exception | None = None

    def run(self) -> None:
        try:
            for recording in self._recordings:
                if self._stop_asked.is_set() or self._ended.is_set():
                    break
                self._put((recording, self._tracks(recording)))
        except Exception as error:  # raised again in the thread that waits for us
            self._trouble = error
        finally:
            self._put(None)

    def finished(self) -> Iterator[tuple[Recording, list[Track] | Exception]]:
        """Recordings with their tracks, or with what went wrong. Raises what ended this stage early."""
        while (item := self._ready.get()) is not None:
            yield item
        if self._trouble is not None:
            raise self._trouble

    def end(self) -> None:
        """Come to an end, whatever is still under way."""
        self._ended.set()
        self.join()

    def _tracks(self, recording: Recording) -> list[Track] | Exception:
        try:
            self._store.begin_attempt(recording.id)
            return tracks_of(recording, self._store, self._recipe, self._audio_folder)
        except Exception as error:  # handed to the other thread, which records it
            return error

    def _put(self, item: tuple[Recording, list[Track] | Exception] | None) -> None:
        """Wait for room, but not for ever: the other stage may have gone."""
        while not self._ended.is_set():
            with suppress(queue.Full):
                self._ready.put(item, timeout=0.1)
                break


def _record(store: Store, recording: Recording, error: Exception, on_bug: Callable[[BaseException], None]) -> Failure:
    if isinstance(error, BoliError | DialectError):
        failure = Failure(item=recording.path, code=error.code, message=str(error))
    else:
        on_bug(error)
        sentence = f"E_BUG: {type(error).__name__} while drafting {recording.path}: {error}; run again with --debug"
        failure = Failure(item=recording.path, code="E_BUG", message=sentence)
    store.fail(recording.id, "run", failure)
    return failure


def tracks_of(recording: Recording, store: Store, recipe: Recipe, audio_folder: Path) -> list[Track]:
    """Sound and turns of *recording*; turns that the same diariser made before are taken from the store."""
    place = audio.place(audio_folder, recording.id)
    known = store.turns(recording.id, recipe.diarisation)
    channels: Sequence[int | None] = range(recording.channels) if recording.channel_mode == "split" else [None]
    tracks = []
    for channel in channels:
        pcm = audio.read(place, channel=channel)
        if known is not None:
            turns, exclusive = known
            own = [tuple(turn for turn in some if turn.channel == channel) for some in (turns, exclusive)]
            tracks.append(Track(pcm=pcm, turns=own[0], exclusive=own[1]))
        else:
            tracks.append(_diarised(recording, pcm, channel, recipe.diariser))
    return tracks


def _diarised(recording: Recording, pcm: Pcm, channel: int | None, diariser: Diariser) -> Track:
    speakers = SpeakerCount(exactly=recording.num_speakers if channel is None else 1)
    found = diariser.diarise(pcm, speakers=speakers)
    return Track(
        pcm=pcm,
        turns=name_turns(recording, found.turns, channel=channel),
        exclusive=name_turns(recording, found.exclusive, channel=channel),
    )


def assemble(recording: Recording, tracks: Sequence[Track], recipe: Recipe) -> Drafted:
    """Segments and drafts of one diarised recording: what the store takes whole."""
    segments: list[Segment] = []
    drafts: list[Draft] = []
    for track in tracks:
        own = cut(
            track.turns,
            join_gap=recipe.join_gap,
            longest=recipe.longest,
            cut_point=partial(audio.quietest, track.pcm),
        )
        segments += own
        drafts += _drafts(recording, track, own, recipe)
    return Drafted(
        recording=recording.id,
        diarisation=recipe.diarisation,
        settings=recipe.settings,
        model=recipe.recogniser.id,
        turns=tuple(turn for track in tracks for turn in track.turns),
        exclusive=tuple(turn for track in tracks for turn in track.exclusive),
        segments=tuple(segments),
        drafts=tuple(drafts),
        warnings=() if segments else (f"W_NO_SPEECH: nobody speaks in {recording.path}; nothing was drafted",),
    )


def _drafts(recording: Recording, track: Track, segments: Sequence[Segment], recipe: Recipe) -> list[Draft]:
    tags = {turn.dialect for turn in track.turns}
    languages = {tag: _language(tag or recording.language, recipe.catalogue) for tag in tags}
    packed = pack(
        track.turns,
        duration=len(track.pcm) * 1000 // SAMPLE_RATE_HZ,
        longest=recipe.window,
        languages=languages,
        cut_point=partial(audio.quietest, track.pcm),
    )
    windows = [_window(stretch, languages[stretch.dialect], recipe) for stretch in packed]
    heard = recipe.recogniser.recognise(track.pcm, windows) if windows else []
    again = recipe.second.recognise(track.pcm, windows) if recipe.second and windows else None
    first = attribute(_words(heard, packed, track), track.exclusive, segments)
    second = None if again is None else attribute(_words(again, packed, track), track.exclusive, segments)
    return [
        _draft(
            segment,
            _spelt(first[segment.id], segment, recipe),
            None if second is None else _spelt(second[segment.id], segment, recipe),
            [answer for answer, stretch in zip(heard, packed, strict=True) if _meet(stretch, segment)],
            track,
            recipe,
        )
        for segment in segments
    ]


def _meet(stretch: Packed, segment: Segment) -> bool:
    return stretch.start < segment.end and stretch.end > segment.start


def _language(tag: str | None, catalogue: Catalogue) -> str | None:
    """What Whisper is told. ``None``, so that it listens for itself, where nobody declared a language that it knows."""
    return catalogue.find(tag).whisper if tag else None


def _window(stretch: Packed, language: str | None, recipe: Recipe) -> Window:
    known = recipe.catalogue.find(stretch.dialect) if stretch.dialect else None
    lever = recipe.lever(stretch.dialect)
    return asked_window(stretch.heard_from, stretch.heard_to, language, stretch.dialect, known, lever)


def _words(heard: Sequence[Heard], packed: Sequence[Packed], track: Track) -> list[Word]:
    return fit_to_speech(join([window.words for window in heard], packed), track.turns)


def _spelt(words: tuple[Word, ...], segment: Segment, recipe: Recipe) -> tuple[Word, ...]:
    """*words* as people who speak the segment's dialect write them."""
    lever = recipe.lever(segment.dialect)
    if not lever.spelling:
        return words
    return tuple(replace(word, text=lever.spelt(word.text)) for word in words)


def _draft(
    segment: Segment,
    words: tuple[Word, ...],
    second: tuple[Word, ...] | None,
    heard: Sequence[Heard],
    track: Track,
    recipe: Recipe,
) -> Draft:
    known = recipe.catalogue.find(segment.dialect) if segment.dialect else None
    sound = track.pcm[segment.start * SAMPLE_RATE_HZ // 1000 : segment.end * SAMPLE_RATE_HZ // 1000]
    evidence = Evidence(
        duration=segment.end - segment.start,
        level_dbfs=level_dbfs(sound),
        no_speech=max((h.no_speech for h in heard if h.no_speech is not None), default=None),
        script=known.script if known else None,
        second=second,
    )
    scores = [h.log_probability for h in heard if h.log_probability is not None]
    return Draft(
        segment=segment.id,
        model=recipe.recogniser.id,
        settings=recipe.settings,
        words=words,
        log_probability=round(sum(scores) / len(scores), 4) if scores else None,
        flags=flags(words, evidence),
    )
