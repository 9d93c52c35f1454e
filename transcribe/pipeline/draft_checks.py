"""
Draft checks that work where confidence cannot: looping text carries high probability (SYSTRAN/faster-whisper#506).

Each flag is one rule over a draft and the facts of its segment. A flag never removes a draft; it tells people and the
queue where to look first.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz.distance import Levenshtein

from dialects.text.repetition import has_loop
from transcribe.protocols import Pcm
from transcribe.records import Milliseconds, Word, join_words
from transcribe.redaction import fold_word

#: Letters a second of speech: Common Voice calls a clip odd above 30; under the lower bound words are missing.
SLOWEST_RATE: Final = 1.0
FASTEST_RATE: Final = 30.0

#: Share of letters outside the declared script from which a draft is doubted: one borrowed word is fine.
FOREIGN_SHARE: Final = 0.3

#: Below this level (dB of full scale) there is nothing to hear.
SILENCE_DBFS: Final = -55.0

#: Whisper's own probability of no speech, as its decoder's default threshold.
NO_SPEECH: Final = 0.6

#: Words that differ from the second opinion, as a share of the longer text.
DISAGREEMENT: Final = 0.3

#: Speech without a word from which a person is told: shorter stretches are breath, laughter and times that are rough.
SHORTEST_MISSED: Final[Milliseconds] = 1_000

#: How sure the model must be of another language than the declared one.
OTHER_LANGUAGE: Final = 0.8

#: Share of the segment in which somebody else talks too.
OVERLAPPED: Final = 0.2


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The facts of a segment that the rules use, beside the words themselves."""

    duration: Milliseconds
    #: Level of the segment's sound, dB of full scale.
    level_dbfs: float
    no_speech: float | None = None
    #: ISO 15924 codes of the scripts that the declared dialect is written in; none: nobody declared one.
    scripts: tuple[str, ...] = ()
    #: Words of a second opinion, where one was asked for.
    second: Sequence[Word] | None = None
    #: Speech that has no word after all hearings.
    missed: Milliseconds = 0
    #: Whisper's code of the declared language, and of the one that the model hears, with how sure it is.
    language: str | None = None
    detected: str | None = None
    detected_probability: float = 0.0
    #: How long somebody else talks at the same time.
    overlap: Milliseconds = 0


def find_flags(words: Sequence[Word], evidence: Evidence) -> tuple[str, ...]:
    """Return the names of all rules that *words* break, in the order of the rules below."""
    texts = [word.text for word in words]
    broken = {
        "no_words": evidence.missed >= SHORTEST_MISSED,
        "loop": has_loop(texts),
        "rate": has_odd_rate(texts, evidence.duration),
        "language": hears_other_language(evidence),
        "script": bool(evidence.scripts) and is_foreign(join_words(words), *evidence.scripts),
        "silence": bool(texts) and is_silent(evidence),
        "disagreement": evidence.second is not None and differs(texts, [word.text for word in evidence.second]),
        "overlap": evidence.overlap > OVERLAPPED * evidence.duration,
    }
    return tuple(name for name, holds in broken.items() if holds)


def hears_other_language(evidence: Evidence) -> bool:
    """Say if the model is sure of another language than somebody declared."""
    if evidence.language is None or evidence.detected is None:
        return False
    return evidence.detected != evidence.language and evidence.detected_probability >= OTHER_LANGUAGE


def has_odd_rate(words: Sequence[str], duration: Milliseconds) -> bool:
    """Say if the letters a second are outside the range of speech. Vowel signs count: they are said."""
    letters = sum(1 for word in words for character in word if unicodedata.category(character)[0] in "LMN")
    rate = letters * 1000 / max(duration, 1)
    return rate > FASTEST_RATE or (bool(words) and duration >= 1_000 and rate < SLOWEST_RATE)


#: First word of the Unicode name of a script's letters, for the scripts that the catalogue knows.
SCRIPT_NAMES: Final = {
    "Arab": "ARABIC",
    "Beng": "BENGALI",
    "Cyrl": "CYRILLIC",
    "Deva": "DEVANAGARI",
    "Ethi": "ETHIOPIC",
    "Grek": "GREEK",
    "Gujr": "GUJARATI",
    "Guru": "GURMUKHI",
    "Hebr": "HEBREW",
    "Khmr": "KHMER",
    "Knda": "KANNADA",
    "Laoo": "LAO",
    "Latn": "LATIN",
    "Mlym": "MALAYALAM",
    "Mtei": "MEETEI",
    "Mymr": "MYANMAR",
    "Olck": "OL",
    "Orya": "ORIYA",
    "Sinh": "SINHALA",
    "Taml": "TAMIL",
    "Telu": "TELUGU",
    "Thai": "THAI",
    "Tibt": "TIBETAN",
}


def is_foreign(text: str, *scripts: str) -> bool:
    """Say if more than *FOREIGN_SHARE* of the letters are outside *scripts*; ``False`` where one is not listed."""
    names = tuple(SCRIPT_NAMES.get(script, "") for script in scripts)
    letters = [character for character in text if character.isalpha()]
    if not all(names) or not letters:
        return False
    outside = sum(1 for character in letters if not unicodedata.name(character, "").startswith(names))
    return outside > FOREIGN_SHARE * len(letters)


def is_silent(evidence: Evidence) -> bool:
    """Say if nobody speaks, by the level of the audio or the model itself."""
    return evidence.level_dbfs < SILENCE_DBFS or (evidence.no_speech or 0.0) > NO_SPEECH


def differs(first: Sequence[str], second: Sequence[str]) -> bool:
    """
    Say if two opinions disagree in more than *DISAGREEMENT* of the words; case and punctuation do not count.

    >>> differs(["So,", "Ravi"], ["so", "ravi."]), differs(["So,", "Ravi"], ["so", "Robbie"])
    (False, True)
    """
    first_words, second_words = (list(filter(None, map(fold_word, words))) for words in (first, second))
    longer = max(len(first_words), len(second_words))
    return longer > 0 and Levenshtein.distance(first_words, second_words) > DISAGREEMENT * longer


def level_dbfs(pcm: Pcm) -> float:
    """Measure the root mean square level of int16 samples in dB of full scale; -120 for no sound at all."""
    import numpy as np

    if not len(pcm):
        return -120.0
    power = float(np.mean(np.square(pcm.astype(np.float64) / 32_768)))
    return float(max(-120.0, 10 * np.log10(max(power, 1e-12))))
