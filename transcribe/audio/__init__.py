"""
Sound in: foreign media once, in a jail, into 16 kHz FLAC named by its content; everything later from there.

    receiving   the caller's side: hash, jail, keep       sniffing    what a file is, before any library sees it
    reading     samples, lengths, peaks, hashes           sources     opened media as blocks (child only)
    erasing     sound that is to be forgotten
    clips       what a transcriber hears                  decoding    the decoder's task (child only)
"""

from transcribe.audio.clips import encode_opus, shape_clip, silenced
from transcribe.audio.erasing import SHARDS, erase_sound, erase_training_sound
from transcribe.audio.leftovers import copies, sweep
from transcribe.audio.reading import content_hash, duration, peaks, place, quietest, read
from transcribe.audio.receiving import Job, Limits, Received, jail_level, receive, receive_many
from transcribe.audio.verdicts import shown, spoken

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
    "jail_level",
    "peaks",
    "place",
    "quietest",
    "read",
    "receive",
    "receive_many",
    "shape_clip",
    "shown",
    "silenced",
    "spoken",
    "sweep",
]
