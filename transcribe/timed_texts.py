"""Drafts and corrections of a workspace as an export writes them, corrections with the times of their words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from transcribe import audio
from transcribe.errors import InputError, MissingError
from transcribe.formats.records import TimedText, of_correction, of_draft
from transcribe.pipeline.alignment import Aligner, Sound, time_words
from transcribe.records import Correction, Milliseconds, Model, Recording
from transcribe.redaction import hide_words, within
from transcribe.store import Store
from transcribe.wiring import Wiring


class WordClock:
    """Gives the corrections of a workspace with times for their words, and counts where these come from."""

    def __init__(self, wiring: Wiring, aligner: Aligner | None, why_not: str) -> None:
        self._wiring, self._aligner, self._why_not = wiring, aligner, why_not
        self.aligned = self.retimed = 0

    @classmethod
    def open(cls, wiring: Wiring, *, hear: bool) -> WordClock:
        """Open the clock with the promoted model, if it is to *hear* and is here."""
        promoted = wiring.store.models.find_promoted() if hear else None
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

    def measure(self) -> tuple[int, Milliseconds] | None:
        """Return number and length of the corrections that are to be heard; ``None`` where the draft gives times."""
        if self._aligner is None:
            return None
        lengths = [
            correction.end - correction.start for correction in self._wiring.store.corrections.fetch(standing=True)
        ]
        return len(lengths), sum(lengths)

    def time_corrections(self, on_timed: Callable[[Milliseconds], None] = lambda _: None) -> Iterator[TimedText]:
        """
        Yield standing corrections, recording by recording, with the times of their words.

        Args:
            on_timed: Called after each correction with its length.
        """
        for recording in self._wiring.store.recordings.fetch():
            corrected = self._wiring.store.corrections.fetch_with_words(recording.id)
            for timed in time_words(corrected, self._sound(recording), self._aligner_of(recording)):
                self.aligned += timed.aligned
                self.retimed += not timed.aligned
                on_timed(timed.correction.end - timed.correction.start)
                yield replace(of_correction(timed.correction), words=timed.words, recording=recording.path)

    def _aligner_of(self, recording: Recording) -> Aligner | None:
        """Return no aligner where the audio is gone: what was written of it can be exported still."""
        return self._aligner if audio.locate(self._wiring.audio_folder, recording.id).is_file() else None

    def _sound(self, recording: Recording) -> Sound:
        store, catalogue = self._wiring.store, self._wiring.catalogue
        file = audio.locate(self._wiring.audio_folder, recording.id)
        channels = {segment.speaker: segment.channel for segment in store.drafts.fetch_segments(recording.id)}

        def channel_of(correction: Correction) -> int | None:
            segment = store.drafts.find_segment(correction.segment) if correction.segment else None
            return channels.get(correction.speaker or "") if segment is None else segment.channel

        def language_of(correction: Correction) -> str | None:
            tag = correction.dialect or recording.dialect or recording.language
            return catalogue.find(tag).whisper if tag else None

        return Sound(
            read=lambda channel: audio.read_samples(file, channel=channel),
            channel_of=channel_of,
            language_of=language_of,
        )


def stream_drafts(store: Store, model: Model) -> Iterator[TimedText]:
    """Yield the drafts of *model*, recording by recording, without the words that are masked."""
    for recording in store.recordings.fetch():
        spans = [(mask.start, mask.end) for mask in store.redaction.fetch_masks(recording=recording.id)]
        for segment, draft in store.drafts.fetch_with_segments(recording.id, model.id):
            inside = (*within(spans, segment.start, segment.end), *store.database.terms.spans(draft.words))
            masked = replace(draft, words=hide_words(draft.words, inside))
            yield replace(of_draft(segment, masked), recording=recording.path)
