"""
Freeze accepted corrections as a hashed dataset, and describe and check one.

    sorting      a recording's texts as examples; what may not be learnt from because it is tested on
    freezing     the whole store through that, a million stretches in bounded memory
    looking      what two datasets differ in, and whether one leaks
    card         what a person must know before they use one
"""

from transcribe.datasets.card import card
from transcribe.datasets.freezing import freeze
from transcribe.datasets.looking import Difference, Leaks, differ, leaks
from transcribe.datasets.sorting import Rules

__all__ = ["Difference", "Leaks", "Rules", "card", "differ", "freeze", "leaks"]
