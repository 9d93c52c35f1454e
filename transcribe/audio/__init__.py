"""
Take sound in: decode foreign media once, in a sandbox, into 16 kHz FLAC named by its content, and read it from there.

    receiving    the caller's side: hash, decode, keep     sniffing    what a file is, before any library sees it
    reading     samples, lengths, peaks, hashes           sources     opened media as blocks (child only)
    erasing     sound that is to be forgotten
    clips        clips for the desk                         decoding    the decoder's task (child only)
"""

from transcribe.audio.clips import encode_opus, shape_clip, silence_spans
from transcribe.audio.erasing import SHARDS, erase_sound, erase_training_sound
from transcribe.audio.leftovers import copies, sweep
from transcribe.audio.reading import content_hash, duration, locate, peaks, quietest, read_samples
from transcribe.audio.receiving import Job, Limits, Received, receive, receive_many

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
