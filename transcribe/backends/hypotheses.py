"""
Choose between several texts for the same sound: the one that is nearest to all of them, by how likely each is; or none.

The likeliest text is the best guess at the whole sentence; what is counted is words. Minimum Bayes risk over the texts
that beam search ends with (Kumar and Byrne, "Minimum Bayes-risk decoding for statistical machine translation", 2004;
for word errors Stolcke, König and Weintraub, "Explicit word error minimization in N-best list rescoring", 1997).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from rapidfuzz.distance import Levenshtein

from dialects.text.repetition import bare_word

if TYPE_CHECKING:
    from ctranslate2.models import WhisperGenerationResult
    from faster_whisper.tokenizer import Tokenizer


#: Scale of the log-probabilities before they weigh texts. Whisper is too sure of its first one: of 0, 0.05, 0.1, 0.15,
#: 0.3, 0.6 and 1 those up to 0.1 take away 3 to 4 % of the word errors of read speech, and the rest none.
SCALE: Final = 0.1
#: Silence is likelier than speech, and the mean log-probability of a token of the text is below one in e.
LIKELY_SILENT, UNLIKELY_TEXT = 0.5, -1.0


def choose_text(texts: Sequence[str], log_probabilities: Sequence[float]) -> int:
    """
    Return the index of the text with the fewest word errors to expect against the others; the first of equals.

    Case and punctuation do not count.

    Args:
        texts: Of the same sound.
        log_probabilities: Sum over the tokens of each.

    >>> choose_text(["a cat sad", "the cat sat", "a cat sat"], [-1.0, -1.1, -1.2])
    2
    """
    words = [[bare_word(word) for word in text.split()] for text in texts]
    scaled = SCALE * np.array(log_probabilities)
    weights = np.exp(scaled - scaled.max())
    risks = [
        sum(weights[j] * Levenshtein.distance(words[j], candidate) for j in range(len(words))) for candidate in words
    ]
    return int(np.argmin(risks))


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """The tokens of one window's text, and how likely they and silence are."""

    tokens: list[int]
    log_probability: float
    no_speech: float


def is_spoken(text: Decoded) -> bool:
    """
    Tell if a decoded text is speech: not where silence is likelier and the text most unlikely.

    Beam search never gives back an empty text. Whisper's own loop drops such texts by a rule of this kind (Radford et
    al., "Robust speech recognition via large-scale weak supervision", 2022, section 4.5); the batched one has none.
    """
    return not (text.no_speech > LIKELY_SILENT and text.log_probability < UNLIKELY_TEXT)


def choose_hypothesis(result: WhisperGenerationResult, tokenizer: Tokenizer) -> Decoded:
    """Choose the text that agrees most with all that the search ended with."""
    # A score is a mean over the tokens, the end of the text among them.
    sums = [score * len(tokens) for score, tokens in zip(result.scores, result.sequences_ids, strict=True)]
    best = choose_text([tokenizer.decode(tokens) for tokens in result.sequences_ids], sums)
    tokens = result.sequences_ids[best]
    return Decoded(
        tokens=[token for token in tokens if token < tokenizer.eot],
        log_probability=sums[best] / (len(tokens) + 1),
        no_speech=float(result.no_speech_prob),
    )
