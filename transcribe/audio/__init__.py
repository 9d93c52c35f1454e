"""
Take sound in: decode foreign media once, in a sandbox, into 16 kHz FLAC named by its content, and read it from there.

    import_media         the caller's side: hash, decode, keep      sources          opened media as blocks (child only)
    container_detection  kind and refusal of a file, before a library sees it
    readers              samples, lengths, peaks, hashes; erasure   decoding         the decoder's task (child only)
    clips                clips for the desk                         temporary_files  what killed processes left behind
"""

from transcribe.audio.clips import encode_opus, shape_clip, silence_spans
from transcribe.audio.import_media import Job, Limits, Received, receive, receive_many
from transcribe.audio.readers import (
    SHARDS,
    content_hash,
    duration,
    erase_sound,
    erase_training_sound,
    locate,
    peaks,
    quietest,
    read_samples,
)
from transcribe.audio.temporary_files import copies, sweep

__all__ = [
    "SHARDS",
    "Job",
    "Limits",
    "Received",
    "content_hash",
    "copies",
    "duration",
    "encode_opus",
    "erase_sound",
    "erase_training_sound",
    "locate",
    "peaks",
    "quietest",
    "read_samples",
    "receive",
    "receive_many",
    "shape_clip",
    "silence_spans",
    "sweep",
]
