"""
Choose between several texts for the same sound: the one that is nearest to all of them, by how likely each is.

The likeliest text is the best guess at the whole sentence; what is counted is words. Minimum Bayes risk over the texts
that beam search ends with (Kumar and Byrne, "Minimum Bayes-risk decoding for statistical machine translation", 2004;
for word errors Stolcke, König and Weintraub, "Explicit word error minimization in N-best list rescoring", 1997).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from rapidfuzz.distance import Levenshtein

from dialects.text.repetition import bare_word

#: Scale of the log-probabilities before they weigh texts. Whisper is too sure of its first one: of 0, 0.05, 0.1, 0.15,
#: 0.3, 0.6 and 1 those up to 0.1 take away 3 to 4 % of the word errors of read speech, and the rest none.
SCALE: Final = 0.1


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
