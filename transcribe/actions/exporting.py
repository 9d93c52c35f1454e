"""Export of drafts and corrections to the formats of other programs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transcribe.actions.scoring import find_model
from transcribe.console import Answer, Console, Progress
from transcribe.errors import InputError, MissingError, UsageError
from transcribe.formats.records import of_correction
from transcribe.pipeline.alignment import Aligner, Sound, time_words
from transcribe.records import Correction, Recording
from transcribe.redaction import hide_words, within
from transcribe.wiring import Wiring

if TYPE_CHECKING:
    from transcribe.formats.formats import Written
    from transcribe.formats.records import TimedText
    from transcribe.records import Model
    from transcribe.store import Store


@dataclass(frozen=True, kw_only=True)
class Export:
    """An order to write drafts or corrections in one format."""

    #: Name of the format.
    kind: str
    #: ``drafts`` or ``corrections``.
    of: str
    #: Whose drafts; ``None``: the promoted model's.
    model: str | None = None
    overwrite: bool = False
    #: Whether the drafts give the times of corrected words, and no model hears them again.
    draft_times: bool = False


def export(wiring: Wiring, console: Console, out: Path | None, order: Export) -> Answer:
    """Write drafts or corrections in another program's format, recordings under the paths they were ingested by."""
    from transcribe import audio
    from transcribe.formats.formats import get_format, write_texts

    if order.of not in ("drafts", "corrections"):
        raise UsageError(f"--of {order.of} was asked for, there are drafts and corrections")
    if out is None:
        hint = f"boli export OUT --format {order.kind}"
        raise UsageError("a file or folder to write was asked for, found none", hint=hint)

    store = wiring.store

    def audio_of(path: str) -> str:
        recording = store.recording_by_path(path)
        return path if recording is None else str(audio.locate(wiring.audio_folder, recording.id))

    def write_items(items: Iterator[TimedText]) -> Written:
        return write_texts(items, out, order.kind, audio_of=audio_of, overwrite=order.overwrite)

    if order.of == "drafts":
        written, clock = write_items(_read_drafts(store, find_model(store, order.model))), None
    else:
        clock = WordClock.open(wiring, hear=get_format(order.kind).word_times and not order.draft_times)
        with clock.progress(console) as progress:
            written = write_items(clock.time_corrections(progress))
    document: dict[str, Any] = {"files": [str(file) for file in written.files], "items": written.items}
    text = f"{written.items} {order.of} in {len(written.files)} files below {out}"
    if clock is not None and get_format(order.kind).word_times:
        document |= {"aligned": clock.aligned, "retimed": clock.retimed}
        text = f"{text}; {clock.sentence}"
    return Answer(data=document, text=text)


class WordClock:
    """Gives the corrections of a workspace with times for their words, and counts where these come from."""

    def __init__(self, wiring: Wiring, aligner: Aligner | None, why_not: str) -> None:
        self._wiring, self._aligner, self._why_not = wiring, aligner, why_not
        self.aligned = self.retimed = 0

    @classmethod
    def open(cls, wiring: Wiring, *, hear: bool) -> WordClock:
        """Open the clock with the promoted model, if it is to *hear* and is here."""
        promoted = wiring.store.promoted_model() if hear else None
        if promoted is None:
            return cls(wiring, None, "no model is promoted" if hear else "")
        try:
            return cls(wiring, wiring.load_recogniser(promoted.place), "")
        except (MissingError, InputError) as error:
            return cls(wiring, None, f"{promoted.name} cannot hear them: {error.message}")

    @property
    def sentence(self) -> str:
        """The numbers of times from each source, for people."""
        sentence = f"word times: {self.aligned} heard by the promoted model, {self.retimed} by the draft"
        return f"{sentence} ({self._why_not})" if self._why_not else sentence

    def progress(self, console: Console) -> AbstractContextManager[Progress | None]:
        """Display the alignment, where there is any to be done."""
        if self._aligner is None:
            return nullcontext()
        items, sound = 0, 0
        for correction in self._wiring.store.corrections(standing=True):
            items += 1
            sound += correction.end - correction.start
        return console.progress("timing words", items=items, sound=sound)

    def time_corrections(self, progress: Progress | None) -> Iterator[TimedText]:
        """Yield standing corrections, recording by recording, with the times of their words."""
        for recording in self._wiring.store.recordings():
            corrected = self._wiring.store.corrections_with_words(recording.id)
            for timed in time_words(corrected, self._sound(recording), self._aligner_of(recording)):
                self.aligned += timed.aligned
                self.retimed += not timed.aligned
                if progress is not None:
                    progress.step(sound=timed.correction.end - timed.correction.start)
                yield replace(of_correction(timed.correction), words=timed.words, recording=recording.path)

    def _aligner_of(self, recording: Recording) -> Aligner | None:
        """Return no aligner where the audio is gone: what was written of it can be exported still."""
        from transcribe import audio

        return self._aligner if audio.locate(self._wiring.audio_folder, recording.id).is_file() else None

    def _sound(self, recording: Recording) -> Sound:
        from transcribe import audio

        store, catalogue = self._wiring.store, self._wiring.catalogue
        file = audio.locate(self._wiring.audio_folder, recording.id)
        channels = {segment.speaker: segment.channel for segment in store.segments(recording.id)}

        def channel_of(correction: Correction) -> int | None:
            segment = store.segment(correction.segment) if correction.segment else None
            return channels.get(correction.speaker or "") if segment is None else segment.channel

        def language_of(correction: Correction) -> str | None:
            tag = correction.dialect or recording.dialect or recording.language
            return catalogue.find(tag).whisper if tag else None

        return Sound(
            read=lambda channel: audio.read_samples(file, channel=channel),
            channel_of=channel_of,
            language_of=language_of,
        )


def _read_drafts(store: Store, model: Model) -> Iterator[TimedText]:
    from transcribe.formats.records import of_draft

    for recording in store.recordings():
        spans = [(mask.start, mask.end) for mask in store.masks(recording=recording.id)]
        for segment, draft in store.drafted_segments(recording.id, model.id):
            inside = (*within(spans, segment.start, segment.end), *store.terms.spans(draft.words))
            masked = replace(draft, words=hide_words(draft.words, inside))
            yield replace(of_draft(segment, masked), recording=recording.path)


def export_canonical(wiring: Wiring, out: Path | None, *, overwrite: bool = False) -> Answer:
    """Export everything that content decides, as sorted JSON lines: equal work gives equal bytes."""
    from transcribe.formats.files import write_lines

    lines = wiring.store.canonical()
    if out is None:
        for line in lines:
            print(line)  # noqa: T201 - the lines are the result
        return Answer(data={})
    if out.exists() and not overwrite:
        raise InputError(f"{out} is there already", code="E_EXISTS", hint="--overwrite replaces it", item=str(out))
    count = write_lines(lines, out)
    return Answer(data={"file": str(out), "lines": count}, text=f"{count} lines in {out}")
