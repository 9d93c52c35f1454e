"""
Freeze accepted corrections as a hashed dataset, and describe and check one.

    leakage      a recording's texts as examples; what may not be learnt from because it is tested on
    freeze       the whole store through that, a million stretches in bounded memory
    manifest     the hashed folder, written and read
    diff         what two datasets differ in, and whether one leaks
    card         what a person must know before they use one
"""

from transcribe.datasets.card import card
from transcribe.datasets.diff import Difference, Leaks, differ, leaks
from transcribe.datasets.freeze import freeze
from transcribe.datasets.leakage import Rules

__all__ = ["Difference", "Leaks", "Rules", "card", "differ", "freeze", "leaks"]
