"""Compute the voice embeddings of a diarisation, and do once what the library's own loop repeats."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pyannote.audio.pipelines import SpeakerDiarization
    from pyannote.core import SlidingWindowFeature


def share_trunk(pipeline: SpeakerDiarization) -> bool:
    """
    Let *pipeline* run its embedding network once a chunk instead of once for each of its speakers.

    The convolutions hear the whole chunk and only the pooling looks at the mask, so three masks can share them; chunks
    in which nobody speaks are not heard at all. The vectors of speakers who do speak stay the same.

    Returns:
        False where the network is not of a kind known to pool stacked masks: it then keeps the library's loop.
    """
    from pyannote.audio.models.embedding import XVectorMFCC, XVectorSincNet
    from pyannote.audio.models.embedding.wespeaker import BaseWeSpeakerResNet
    from pyannote.audio.pipelines.speaker_verification import PyannoteAudioPretrainedSpeakerEmbedding

    from transcribe.backends.small_nets import SpeakerNet

    embedding = getattr(pipeline, "_embedding", None)
    if not isinstance(embedding, PyannoteAudioPretrainedSpeakerEmbedding):
        return False
    if not isinstance(embedding.model_, SpeakerNet | XVectorMFCC | XVectorSincNet | BaseWeSpeakerResNet):
        return False

    def get_embeddings(file: Any, segmentations: SlidingWindowFeature, exclude_overlap: bool = False, **_: Any) -> Any:
        return compute_embeddings(pipeline, file, segmentations, exclude_overlap=exclude_overlap)

    pipeline.get_embeddings = get_embeddings
    return True


def compute_embeddings(
    pipeline: SpeakerDiarization, file: Any, segmentations: SlidingWindowFeature, *, exclude_overlap: bool
) -> NDArray[np.float32]:
    """
    Compute the vectors of all speakers of all chunks, ``(chunks, speakers, dimension)``.

    A speaker who is silent in a chunk has the vector of an empty mask there, which depends on no sound; the clustering
    leaves it out.
    """
    import torch

    network = pipeline._embedding
    active = np.nan_to_num(segmentations.data, nan=0.0).astype(np.float32)
    masks = _drop_overlap(active, _count_fewest_frames(pipeline, segmentations)) if exclude_overlap else active
    spoken_chunks = np.flatnonzero(active.any(axis=(1, 2)))
    vectors = np.empty((active.shape[0], active.shape[2], network.dimension), dtype=np.float32)

    def pool(waveforms: torch.Tensor, weights: torch.Tensor) -> NDArray[np.float32]:
        """Turn ``(batch, 1, samples)`` and ``(batch, speakers, frames)`` to ``(batch, speakers, dimension)``."""
        pooled: torch.Tensor = network.model_(waveforms.to(network.device), weights=weights.to(network.device))
        return pooled.cpu().numpy()

    with torch.inference_mode():
        for first in range(0, len(spoken_chunks), pipeline.embedding_batch_size):
            chunks = spoken_chunks[first : first + pipeline.embedding_batch_size]
            crops = [pipeline._audio.crop(file, segmentations.sliding_window[chunk], mode="pad")[0] for chunk in chunks]
            vectors[chunks] = pool(torch.stack(crops), torch.from_numpy(masks[chunks].swapaxes(1, 2).copy()))
        second = torch.zeros(1, 1, network.sample_rate)
        vectors[~active.any(axis=1)] = pool(second, torch.zeros(1, 1, active.shape[1]))[0, 0]
    return vectors


def _count_fewest_frames(pipeline: SpeakerDiarization, segmentations: SlidingWindowFeature) -> int:
    """Count the fewest frames that the network can take a voice from."""
    chunk = segmentations.sliding_window.duration * pipeline._embedding.sample_rate
    return math.ceil(segmentations.data.shape[1] * pipeline._embedding.min_num_samples / chunk)


def _drop_overlap(active: NDArray[np.float32], shortest: int) -> NDArray[np.float32]:
    """Return *active* where only one speaks; speakers with *shortest* such frames or fewer keep all of theirs."""
    alone = active * (active.sum(axis=2, keepdims=True) < 2)
    return np.where(alone.sum(axis=1, keepdims=True) > shortest, alone, active)
