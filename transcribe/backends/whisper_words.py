"""Turn Whisper's tokens to words with their blanks and times, and texts to tokens: neither way loses anything."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from transcribe.records import Milliseconds

if TYPE_CHECKING:
    from faster_whisper.tokenizer import Tokenizer

#: Whisper's codes of languages whose scripts put no blank between words.
UNSPACED_LANGUAGES: Final = frozenset({"bo", "ja", "km", "lo", "my", "th", "yue", "zh"})

#: Tokens a second of speech, with room: fast speech is about 5 words, of 2 tokens each in most languages. The bound
#: keeps one looping window from holding its batch for longer than its text can be.
TOKENS_A_SECOND: Final = 12
#: Of languages whose letters Whisper's tokens spell one by one, and byte by byte: Malayalam takes 18 tokens a second of
#: recorded sentences in the mean, 33 in the fastest of a hundred.
LETTERED_LANGUAGES: Final = frozenset({"hi", "mr", "ne", "sa", "ta"})
BYTED_LANGUAGES: Final = frozenset({"am", "as", "bn", "bo", "gu", "km", "kn", "lo", "ml", "my", "pa", "si", "te"})
TOKENS_A_SECOND_OF_LETTERS: Final = 20
TOKENS_A_SECOND_OF_BYTES: Final = 32
SHORTEST_ANSWER: Final = 24
#: The decoder has 448 positions, and CTranslate2 leaves half of them to a prompt, whether there is one or not.
LONGEST_ANSWER: Final = 220
#: Windows whose texts the longest answer has room for, at the pace of speech without pauses: 15 letters a second.
LONGEST_WINDOW_OF_LETTERS: Final[Milliseconds] = 14_000
LONGEST_WINDOW_OF_BYTES: Final[Milliseconds] = 8_000

#: Punctuation that belongs to the word behind it.
OPENING: Final = frozenset("([{«‹“‘\"'¿¡「『（【《〈")


def longest_answer(duration: Milliseconds, language: str | None) -> int:
    """Return how many tokens the text of a window of *duration* may have, by Whisper's code of its language."""
    rate = TOKENS_A_SECOND
    if language in BYTED_LANGUAGES:
        rate = TOKENS_A_SECOND_OF_BYTES
    elif language in LETTERED_LANGUAGES:
        rate = TOKENS_A_SECOND_OF_LETTERS
    return min(SHORTEST_ANSWER + rate * duration // 1_000, LONGEST_ANSWER)


def longest_window(language: str | None, longest: Milliseconds) -> Milliseconds:
    """Return how long a window in *language* may be, at most *longest*, for its text to be written to its end."""
    if language in BYTED_LANGUAGES:
        return min(longest, LONGEST_WINDOW_OF_BYTES)
    return min(longest, LONGEST_WINDOW_OF_LETTERS) if language in LETTERED_LANGUAGES else longest


@dataclass(frozen=True, kw_only=True)
class SpelledWord:
    """A word of a decoded text, with how many of the text's tokens spell it."""

    text: str
    blank: bool
    tokens: int


def split_words(tokenizer: Tokenizer, tokens: Sequence[int]) -> list[SpelledWord]:
    """
    Split *tokens* into the words that they spell, in order; together they have all of the tokens.

    A word begins where the text has a blank. In languages that write none it begins with each character that can
    stand alone, so that it has a time of its own.
    """
    pieces, piece_tokens = tokenizer.split_tokens_on_unicode(list(tokens))
    unspaced = tokenizer.language_code in UNSPACED_LANGUAGES
    words: list[SpelledWord] = []
    for piece, piece_ids in zip(pieces, piece_tokens, strict=True):
        last = words[-1] if words else None
        if last is not None and (_continues(last, piece) if unspaced else not piece[:1].isspace()):
            words[-1] = SpelledWord(text=last.text + piece, blank=last.blank, tokens=last.tokens + len(piece_ids))
        else:
            words.append(SpelledWord(text=piece, blank=piece[:1].isspace(), tokens=len(piece_ids)))
    return [SpelledWord(text=word.text.strip(), blank=word.blank, tokens=word.tokens) for word in words]


def _continues(word: SpelledWord, piece: str) -> bool:
    """Tell if *piece* cannot stand alone behind *word*: marks, closing punctuation, the rest of a Latin word."""
    spelling = word.text.strip()
    if not spelling or not piece:
        return True
    if piece[0].isspace():
        return False
    category = unicodedata.category(piece[0])
    if category[0] == "M" or spelling[-1] in OPENING:
        return True
    if category[0] == "P":
        return piece[0] not in OPENING
    return _is_latin(spelling[-1]) and _is_latin(piece[0])


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()


def encode_text(tokenizer: Tokenizer, text: str) -> list[int]:
    """
    Return the tokens of *text* as Whisper writes it, with a blank before the first word where the language has blanks.
    """
    lead = "" if tokenizer.language_code in UNSPACED_LANGUAGES else " "
    return tokenizer.encode(lead + " ".join(text.split()))


@dataclass(frozen=True, kw_only=True)
class TimedWord:
    """A word with its times in seconds from the start of what was heard, and the mean probability of its tokens."""

    text: str
    blank: bool
    start_s: float
    end_s: float
    probability: float


def time_words(words: Iterable[SpelledWord], alignment: Any, tokens_per_second: float) -> Iterator[TimedWord]:
    """
    Lay *words* on the path that CTranslate2's ``align`` found through Whisper's cross-attention.

    Args:
        words: Of the text that was aligned.
        alignment: ``WhisperAlignmentResult``: pairs of text token and audio token, and the tokens' probabilities.
        tokens_per_second: Audio tokens a second: 50.
    """
    path = np.array(alignment.alignments, dtype=np.int64).reshape(-1, 2)
    first = np.flatnonzero(np.diff(path[:, 0], prepend=-1))
    # When each token begins; the end of the text, which the path holds too, ends the last one.
    begins = path[first, 1] / tokens_per_second
    last = len(begins) - 1
    position = 0
    for word in words:
        upto = position + word.tokens
        if word.text:
            yield TimedWord(
                text=word.text,
                blank=word.blank,
                start_s=float(begins[min(position, last)]),
                end_s=float(begins[min(upto, last)]),
                probability=float(np.mean(alignment.text_token_probs[position:upto])),
            )
        position = upto
