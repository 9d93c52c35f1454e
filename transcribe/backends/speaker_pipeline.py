"""
The pipeline of the real diariser: pyannote's segmentation, voices of tracks, speakers.

The library takes one vector for each local voice of each chunk of five seconds. Such a chunk often holds a second or
less of a voice, and two people who do not overlap are often one local voice. Here local voices are joined over time
into tracks, tracks are cut where the voice changes, and the stretches are grouped by how much speech they stand for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pyannote.audio import Inference
from pyannote.audio.pipelines import SpeakerDiarization
from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput
from pyannote.core import Annotation, SlidingWindow, SlidingWindowFeature

from transcribe.backends.ge2e import HOP, SPECTRA, Ge2eEncoder
from transcribe.backends.small_pipeline import active, bridged
from transcribe.backends.voice_grouping import Grouping, Stretch, Voice, cut_track, group_stretches
from transcribe.backends.voice_tracks import Chunks, Track, build_tracks, link_voices, separate_seconds

#: Spectra of speech between two windows of a voice (0.2 s).
WINDOW_HOP = 20

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


class TrackedDiarization(SpeakerDiarization):
    """
    Who speaks when, by tracks of local voices.

    The segmentation network is one that scores each local voice by itself, the embedding is a `Ge2eEncoder`. The
    clustering's threshold is the cosine distance of two speakers.
    """

    _segmentation: Inference

    def apply(
        self,
        file: dict[str, Any],
        num_speakers: int | None = None,
        min_speakers: int | None = None,
        max_speakers: int | None = None,
        hook: Callable[..., None] | None = None,
    ) -> DiarizeOutput | Annotation:
        """Diarise *file* as the library's own pipeline does, hints and all; ``legacy`` gives the bare annotation."""
        hook = self.setup_hook(file, hook=hook)
        _, least, most = self.set_num_speakers(num_speakers, min_speakers, max_speakers)
        segmentations = self.get_segmentations(file, hook=hook)
        hook("segmentation", segmentations)
        chunks = self._chunks(segmentations)
        tracks = link_voices(chunks)
        if tracks.max() < 0:
            return self._output(file, np.zeros((chunks.frames, 1)), np.zeros(chunks.frames, dtype=np.int64), chunks)
        stretches = self._stretches(file, build_tracks(chunks, tracks), chunks.frame_s, least)
        hook("embeddings", stretches)
        grouping = replace(Grouping(), join=1 - self.clustering.threshold)
        labels = group_stretches(stretches, separate_seconds(chunks, tracks), grouping, least=least, most=most)
        scores, at_once = vote(chunks, tracks, stretches, labels)
        return self._output(file, scores, at_once, chunks, _voices(stretches, labels))

    def _chunks(self, segmentations: SlidingWindowFeature) -> Chunks:
        frame_s = self._segmentation.model.receptive_field.step
        window = segmentations.sliding_window
        starts = np.rint(np.arange(len(segmentations.data)) * window.step / frame_s).astype(np.int64)
        scores = np.nan_to_num(segmentations.data).astype(np.float32)
        return Chunks(scores=scores, starts=starts, frame_s=frame_s, threshold=self.segmentation.threshold)

    def _stretches(self, file: dict[str, Any], tracks: Sequence[Track], frame_s: float, least: int) -> list[Stretch]:
        """Cut *tracks* where the voice changes, and wherever possible if that gives less than *least* stretches."""
        waveform, _ = self._audio(file)
        voices = list(self._track_voices(waveform[0], tracks, frame_s))
        stretches = [part for number, voice in voices for part in cut_track(voice, number, Grouping().cut)]
        if len(stretches) >= least:
            return stretches
        return [part for number, voice in voices for part in cut_track(voice, number, np.inf)]

    def _track_voices(
        self, waveform: torch.Tensor, tracks: Sequence[Track], frame_s: float
    ) -> Iterator[tuple[int, Voice]]:
        """Yield the number and the windows of each of *tracks*."""
        encoder = self._embedding.model_
        assert isinstance(encoder, Ge2eEncoder)
        spectrum_s = HOP / self._audio.sample_rate
        for number, track in enumerate(tracks):
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
            yield number, Voice(spectra=spectra, starts=starts, vectors=vectors, width=SPECTRA)

    def _output(
        self,
        file: dict[str, Any],
        scores: Floats,
        at_once: Numbers,
        chunks: Chunks,
        voices: Floats | None = None,
    ) -> DiarizeOutput | Annotation:
        frames = SlidingWindow(start=0.0, step=chunks.frame_s, duration=chunks.frame_s)
        pause_s = self.segmentation.min_duration_off
        loudest = bridged(active(scores, np.minimum(at_once, 1)), round(pause_s / chunks.frame_s))
        both = self.to_annotation(SlidingWindowFeature(active(scores, at_once), frames), min_duration_off=pause_s)
        alone = self.to_annotation(SlidingWindowFeature(loudest, frames), min_duration_off=0.0)
        both.uri = alone.uri = file["uri"]
        names = dict(zip(both.labels(), self.classes(), strict=False))
        output = DiarizeOutput(
            speaker_diarization=both.rename_labels(names),
            exclusive_speaker_diarization=alone.rename_labels(names),
            speaker_embeddings=None if voices is None else voices[both.labels()],
        )
        return output.speaker_diarization if self.legacy else output


def vote(chunks: Chunks, tracks: Numbers, stretches: Sequence[Stretch], labels: Numbers) -> tuple[Floats, Numbers]:
    """
    Let the chunks vote who speaks.

    Returns:
        The summed activity of each speaker at each frame, ``(frames, speakers)``, and how many speak at once,
        ``(frames,)``.
    """
    active_voices = chunks.active
    length, speakers = chunks.scores.shape[1], int(labels.max()) + 1
    owners = _owners(stretches, labels, chunks.frame_s)
    scores = np.zeros((chunks.frames, speakers))
    count, chances = np.zeros(chunks.frames), np.zeros(chunks.frames)
    places = np.arange(length)
    for chunk, start in enumerate(chunks.starts):
        heard, loud = np.zeros((length, speakers)), np.zeros((length, speakers), dtype=bool)
        for voice in np.flatnonzero(tracks[chunk] >= 0):
            edges, whose = owners[tracks[chunk, voice]]
            speaker = whose[np.searchsorted(edges, start + places, "right")]
            heard[places, speaker] = np.maximum(heard[places, speaker], chunks.scores[chunk, :, voice])
            loud[places, speaker] |= active_voices[chunk, :, voice]
        here = slice(start, start + length)
        scores[here] += heard
        count[here] += loud.sum(axis=1)
        chances[here] += 1
    return scores, np.rint(count / np.maximum(chances, 1)).astype(np.int64)


def _owners(stretches: Sequence[Stretch], labels: Numbers, frame_s: float) -> dict[int, tuple[Floats, Numbers]]:
    """List the frames at which the speaker of each track may change, midway between stretches, and the speakers."""
    members: dict[int, list[int]] = {}
    for number, stretch in enumerate(stretches):
        members.setdefault(stretch.track, []).append(number)
    owners = {}
    for track, numbers in members.items():
        parts = [stretches[number] for number in numbers]
        edges = [(before.end_s + after.start_s) / 2 / frame_s for before, after in pairwise(parts)]
        owners[track] = (np.array(edges), labels[numbers])
    return owners


def _voices(stretches: Sequence[Stretch], labels: Numbers) -> Floats:
    """Average the vectors of each speaker, weighted by speech, ``(speakers, size)``."""
    seconds = np.array([stretch.speech_s for stretch in stretches])
    vectors = np.stack([stretch.vector for stretch in stretches])
    means = [
        np.average(vectors[labels == speaker], axis=0, weights=seconds[labels == speaker])
        for speaker in range(int(labels.max()) + 1)
    ]
    return np.stack(means)
