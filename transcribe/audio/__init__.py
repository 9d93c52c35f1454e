"""
Take sound in: decode foreign media once, in a sandbox, into 16 kHz FLAC named by its content, and read it from there.

    import_media         the caller's side: hash, decode, keep      readers          samples, lengths, peaks; erasure
    container_detection  kind and refusal, before a library sees it clips            clips for the desk
    truncation           signs that a file was cut off              temporary_files  what killed processes left behind
    integrity            hashes beside each sound, checked

`riff` (WAVE, Wave64) and `sound_sizes` (AIFF, CAF, AU) hold the sizes in headers against the bytes that are there, by
way of `chunks`; `spliced_file` gives libraries the corrected bytes.

In the child only: `decoding` (the task), `sources` and `coded_source` (opened media as blocks), `tracks` (which of
several, and when they end), `timeline` (gaps and late starts), `mixing` (channels into one), `quality` (level, noise,
clipping, band).
"""

from transcribe.audio.clips import encode_opus, shape_clip, silence_spans
from transcribe.audio.import_media import Job, Limits, Received, receive, receive_many
from transcribe.audio.integrity import find_fault
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
    "find_fault",
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
