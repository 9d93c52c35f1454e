"""
Cheap levers: settings that help a dialect in seconds, without training.

    mining    hotwords, prompt and spellings out of corrections
    trying    the search: each on the dev part, adopted only if it helps
    lever     the settings of a dialect, and their file
"""

from transcribe.levers.lever import FILE, Lever, format_lever, read_levers, write_levers
from transcribe.levers.trying import Found, Sound, Trial, find, make_window

__all__ = [
    "FILE",
    "Found",
    "Lever",
    "Sound",
    "Trial",
    "find",
    "format_lever",
    "make_window",
    "read_levers",
    "write_levers",
]
