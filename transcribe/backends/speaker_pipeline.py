"""
Diarise by the real pipeline: pyannote's segmentation, voices of tracks, speakers.

The library takes one vector for each local voice of each chunk of five seconds. Such a chunk often holds a second or
less of a voice, and two people who do not overlap are often one local voice. Here local voices are joined over time
into tracks, tracks are cut where the voice changes, and the stretches are grouped by how much speech they stand for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pyannote.audio import Inference
from pyannote.core import SlidingWindow, SlidingWindowFeature

from transcribe.backends.ge2e import HOP, SPECTRA, Ge2eEncoder
from transcribe.backends.tracked_voices import TrackedVoices, average_voices, cut_tracks, vote
from transcribe.backends.voice_grouping import Grouping, Voice, group_stretches
from transcribe.backends.voice_tracks import Chunks, Track, build_tracks, link_voices, separate_seconds
from transcribe.backends.voted_pipeline import VotedDiarization, Votes

#: Spectra of speech between two windows of a voice (0.2 s).
WINDOW_HOP = 20

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


class TrackedDiarization(VotedDiarization):
    """
    The pipeline that diarises by tracks of local voices.

    The segmentation network is one that scores each local voice by itself, the embedding is a `Ge2eEncoder`. The
    clustering's threshold is the cosine distance of two speakers.

    Args:
        grouping: Other thresholds of speakers by the names of `Grouping`, where they are not the usual ones.
        params: As the library's own pipeline takes them.
    """

    _segmentation: Inference

    def __init__(self, *, grouping: Mapping[str, float] | None = None, **params: Any) -> None:
        super().__init__(**params)
        self._grouping = Grouping(**(grouping or {}))

    def vote(
        self,
        file: dict[str, Any],
        segmentations: SlidingWindowFeature,
        least: int,
        most: float,
        hook: Callable[..., None],
    ) -> Votes:
        """Let the tracks of the local voices vote for the speakers that their stretches were grouped to."""
        tracked = self.track(file, segmentations, self.segmentation.threshold)
        chunks = tracked.chunks
        frames = SlidingWindow(start=0.0, step=chunks.frame_s, duration=chunks.frame_s)
        if not tracked.voices:
            nobody = np.zeros(chunks.frames, dtype=np.int64)
            return Votes(scores=np.zeros((chunks.frames, 1)), at_once=nobody, frames=frames, voices=None)
        stretches = cut_tracks(tracked.voices, self.grouping, least=least)
        hook("embeddings", stretches)
        labels = group_stretches(stretches, tracked.separate_s, self.grouping, least=least, most=most)
        scores, at_once = vote(tracked, stretches, labels)
        return Votes(scores=scores, at_once=at_once, frames=frames, voices=average_voices(stretches, labels))

    @property
    def encoder(self) -> Ge2eEncoder:
        """The network that hears voices."""
        encoder = self._embedding.model_
        assert isinstance(encoder, Ge2eEncoder)
        return encoder

    @property
    def grouping(self) -> Grouping:
        """The thresholds of speakers."""
        # The threshold is written as one less the likeness, which leaves a rest in its last digits.
        return replace(self._grouping, join=round(1 - self.clustering.threshold, 6))

    def track(self, file: dict[str, Any], segmentations: SlidingWindowFeature, threshold: float) -> TrackedVoices:
        """
        Follow the local voices of *segmentations* over time and encode them; no thresholds of speakers take part.

        Args:
            file: As the library takes it.
            segmentations: Of *file*, ``(chunks, frames, voices)``.
            threshold: Score from which a local voice speaks.
        """
        chunks = self._make_chunks(segmentations, threshold)
        numbers = link_voices(chunks)
        waveform, _ = self._audio(file)
        voices = self._track_voices(waveform[0], build_tracks(chunks, numbers), chunks.frame_s)
        return TrackedVoices(
            chunks=chunks, tracks=numbers, voices=tuple(voices), separate_s=separate_seconds(chunks, numbers)
        )

    def _make_chunks(self, segmentations: SlidingWindowFeature, threshold: float) -> Chunks:
        frame_s = self._segmentation.model.receptive_field.step
        window = segmentations.sliding_window
        starts = np.rint(np.arange(len(segmentations.data)) * window.step / frame_s).astype(np.int64)
        scores = np.nan_to_num(segmentations.data).astype(np.float32)
        return Chunks(scores=scores, starts=starts, frame_s=frame_s, threshold=threshold)

    def _track_voices(self, waveform: torch.Tensor, tracks: Sequence[Track], frame_s: float) -> Iterator[Voice]:
        """Yield the windows of each of *tracks*."""
        encoder = self.encoder
        spectrum_s = HOP / self._audio.sample_rate
        for track in tracks:
            first = int(np.ceil(track.first * frame_s / spectrum_s))
            last = round((track.first + len(track.speech)) * frame_s / spectrum_s)
            sound = waveform[first * HOP : last * HOP]
            frames = ((first + np.arange(len(sound) // HOP + 1)) * spectrum_s / frame_s).astype(np.int64) - track.first
            spoken = track.speech[np.minimum(frames, len(track.speech) - 1)]
            if not spoken.any():
                spoken[:] = True
            with torch.inference_mode():
                mask = torch.from_numpy(spoken).to(self._embedding.device)
                vectors = encoder.windows(sound.to(self._embedding.device), mask, WINDOW_HOP).cpu().double().numpy()
            spectra = first + np.flatnonzero(spoken)
            starts = np.arange(len(vectors)) * WINDOW_HOP
            yield Voice(spectra=spectra, starts=starts, vectors=vectors, width=SPECTRA)
