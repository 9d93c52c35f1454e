"""
Cheap levers: what helps a dialect in seconds, without training.

    mining    hotwords, prompt and spellings out of corrections
    trying    each on the dev part, kept only if it helps
    lever     what the drafter is told, and its file
"""

from transcribe.levers.lever import FILE, Lever, plain, read, write
from transcribe.levers.trying import Found, Sound, Trial, asked_window, find

__all__ = ["FILE", "Found", "Lever", "Sound", "Trial", "asked_window", "find", "plain", "read", "write"]
