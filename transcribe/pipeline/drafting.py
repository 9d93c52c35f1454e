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
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dialects.errors import DialectError
from transcribe.errors import BoliError, Failure
from transcribe.pipeline.assembly import Track, assemble, load_tracks
from transcribe.pipeline.recipe import Recipe
from transcribe.records import Drafted, Recording
from transcribe.store import Store

#: Recordings that wait between the stages: enough that neither starves, few enough to be lost in a crash.
IN_FLIGHT: Final = 2


@dataclass(frozen=True, kw_only=True)
class Step:
    """One recording finished or failed: what a progress display adds up."""

    recording: Recording
    segments: int = 0
    warnings: tuple[str, ...] = ()
    failure: Failure | None = None


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
    the recordings in flight; an interrupt ends it at once, and no attempt at these counts. *on_bug* is shown errors
    that are not the project's own, before they become a failure.
    """
    recordings = store.attempts.fetch_pending(recipe.settings, retry_failed=retry_failed, ids=ids, waiting=waiting)
    work = _DiariserStage(store, recipe, audio_folder, recordings, stop=stop or threading.Event())
    work.start()
    pool = ThreadPoolExecutor(recipe.workers, thread_name_prefix="recogniser")
    try:
        for recording, assembled in _assemble_ahead(pool, work.tracks(), recipe):
            try:
                drafted = assembled.result()
                is_saved = store.drafts.save(drafted)
            except Exception as error:  # one bad recording must not end the batch
                yield Step(recording=recording, failure=_record_failure(store, recording, error, on_bug))
            else:
                yield Step(
                    recording=recording, segments=len(drafted.segments) if is_saved else 0, warnings=drafted.warnings
                )
            work.forget(recording)
    except (KeyboardInterrupt, GeneratorExit):
        # First, because the next impatient interrupt may end what follows.
        work.end_attempts()
        raise
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
        #: Ids of the recordings that were begun and have no result yet; guarded, and ``None`` once none may begin.
        self._begun: set[str] | None = set()
        self._begun_lock = threading.Lock()

    def run(self) -> None:
        try:
            for recording in self._recordings:
                if self._stop_asked.is_set() or self._ended.is_set():
                    break
                tracks = self._load_tracks(recording)
                if tracks is not None:
                    self._queue((recording, tracks))
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

    def forget(self, recording: Recording) -> None:
        """Take the result of *recording* as saved."""
        with self._begun_lock:
            if self._begun is not None:
                self._begun.discard(recording.id)

    def end_attempts(self) -> None:
        """Begin nothing more, and take back the marks of what was begun and has no result."""
        self._ended.set()
        with self._begun_lock:
            begun, self._begun = self._begun or set(), None
        for recording in begun:
            self._store.attempts.end(recording)

    def end(self) -> None:
        """Come to an end, whatever is still under way."""
        self._ended.set()
        self.join()

    def _load_tracks(self, recording: Recording) -> list[Track] | Exception | None:
        """Diarise *recording*, unless it was withheld since it was asked for."""
        try:
            with self._begun_lock:
                if self._begun is None or not self._store.attempts.begin(recording.id):
                    return None
                self._begun.add(recording.id)
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
    store.attempts.save_failure(recording.id, "run", failure)
    return failure
