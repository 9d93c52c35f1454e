"""The vocabulary: byte-level BPE for the project's texts, and Whisper's special tokens behind it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

#: CTranslate2 (4.8.5, models/whisper.cc) takes a Whisper model as multilingual if it has a token of no letters, as the
#: original's vocabulary happens to have before <|endoftext|>
EMPTY = ""
TIMESTAMPS = 1_501  # 0.00 s to 30.00 s in steps of 20 ms
TRAINED_TIMESTAMPS = 651  # up to 13 s; windows of training are shorter
TRAINED_LANGUAGES = ("en", "hi", "ta")

# Order and codes of openai/whisper, tokenizer.py, LANGUAGES: the engine looks them up by name.
# fmt: off
LANGUAGES = (
    "en", "zh", "de", "es", "ru", "ko", "fr", "ja", "pt", "tr", "pl", "ca", "nl", "ar", "sv", "it", "id", "hi",
    "fi", "vi", "he", "uk", "el", "ms", "cs", "ro", "da", "hu", "ta", "no", "th", "ur", "hr", "bg", "lt", "la",
    "mi", "ml", "cy", "sk", "te", "fa", "lv", "bn", "sr", "az", "sl", "kn", "et", "mk", "br", "eu", "is", "hy",
    "ne", "mn", "bs", "kk", "sq", "sw", "gl", "mr", "pa", "si", "km", "sn", "yo", "so", "af", "oc", "ka", "be",
    "tg", "sd", "gu", "am", "yi", "lo", "uz", "fo", "ht", "ps", "tk", "nn", "mt", "sa", "lb", "my", "bo", "tl",
    "mg", "as", "tt", "haw", "ln", "ha", "ba", "jw", "su",
)
# fmt: on
TASKS = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")

# faster-whisper suppresses the first token of each of these; they need tokens of their own, or it would suppress
# the bare space or a byte that other letters share (faster_whisper.tokenizer.Tokenizer.non_speech_tokens).
SUPPRESSED = (" -", " '", "-", "'", *(f" {note}" for note in "♩♪♫♬♭♮♯"), *"♩♪♫♬♭♮♯")

#: Letters that get a token of their own, so that a word never seen in training is spelled in few steps
ALPHABETS = (range(ord("a"), ord("z") + 1), range(0x905, 0x940), range(0xB85, 0xBBA))  # Latin, Devanagari, Tamil
LETTERS = tuple(chr(code) for alphabet in ALPHABETS for code in alphabet if chr(code).isalpha())


@dataclass(frozen=True, kw_only=True)
class Ids:
    """Token ids of one tokenizer, in the full vocabulary."""

    empty: int
    end: int
    start: int
    languages: dict[str, int]
    transcribe: int
    previous: int
    no_speech: int
    no_timestamps: int

    @property
    def first_timestamp(self) -> int:
        """Id of <|0.00|>."""
        return self.no_timestamps + 1

    @property
    def vocabulary(self) -> int:
        """How many ids there are, timestamps included."""
        return self.first_timestamp + TIMESTAMPS


def learn(texts: Iterable[str], size: int) -> tokenizers.Tokenizer:
    """
    Tokenizer with *size* text tokens learned from *texts*, then Whisper's special tokens up to <|notimestamps|>.

    Every byte is a token, so any word can be spelled. A word is learned as it follows a space.
    """
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False, min_frequency=1
    )
    # The repeats make these frequent enough to be merged first, whatever the texts hold.
    forced = [*SUPPRESSED, *LETTERS, *(f" {letter}" for letter in LETTERS)] * 1000
    tokenizer.train_from_iterator([*(f" {text}" for text in texts), *forced], trainer)
    tokenizer = _with_empty_token(tokenizer)
    special = ("endoftext", "startoftranscript", *LANGUAGES, *TASKS)
    tokenizer.add_special_tokens([f"<|{name}|>" for name in special])
    for symbol in SUPPRESSED:
        if len(tokenizer.encode(symbol).ids) != 1:
            raise ValueError(f"{symbol!r} should be one token of {size}, it is several: ask for more tokens")
    return tokenizer


def _with_empty_token(tokenizer: tokenizers.Tokenizer) -> tokenizers.Tokenizer:
    whole = json.loads(tokenizer.to_str())
    whole["model"]["vocab"][EMPTY] = len(whole["model"]["vocab"])
    return tokenizers.Tokenizer.from_str(json.dumps(whole))


def ids(tokenizer: tokenizers.Tokenizer) -> Ids:
    """Ids of the special tokens of *tokenizer*."""

    def one(name: str) -> int:
        found = tokenizer.token_to_id(f"<|{name}|>")
        if found is None:
            raise ValueError(f"<|{name}|> is missing from the tokenizer; make it with learn()")
        return int(found)

    empty = tokenizer.token_to_id(EMPTY)
    if empty is None:
        raise ValueError("the token of no letters is missing from the tokenizer; make it with learn()")
    return Ids(
        empty=empty,
        end=one("endoftext"),
        start=one("startoftranscript"),
        languages={language: one(language) for language in LANGUAGES},
        transcribe=one("transcribe"),
        previous=one("startofprev"),
        no_speech=one("nospeech"),
        no_timestamps=one("notimestamps"),
    )


def load(folder: Path) -> tokenizers.Tokenizer:
    """Tokenizer saved as tokenizer.json in *folder*."""
    return tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))


def encode(tokenizer: tokenizers.Tokenizer, text: str) -> list[list[int]]:
    """Token ids of each word of *text*; every word carries the space before it."""
    return [tokenizer.encode(f" {word}", add_special_tokens=False).ids for word in text.split()]


class Compact:
    """
    The rows that training computes, out of the full vocabulary.

    Full ids that are never said (untrained languages, late timestamps) share one row, the last. After export each has a
    copy of it; the log of their number belongs to the shared row's score, so that the softmax is the same.
    """

    def __init__(self, tokenizer: tokenizers.Tokenizer) -> None:
        special = ids(tokenizer)
        self.full = [*range(special.empty), special.end, special.start]
        self.full += [special.languages[language] for language in TRAINED_LANGUAGES]
        self.full += [special.transcribe, special.previous, special.no_speech, special.no_timestamps]
        self.full += range(special.first_timestamp, special.first_timestamp + TRAINED_TIMESTAMPS)
        self.shared = len(self.full)
        self.size = self.shared + 1
        self.rows_shared = special.vocabulary - self.shared
        self._vocabulary = special.vocabulary
        self._of = {full: row for row, full in enumerate(self.full)}

    def rows(self, full_ids: Sequence[int]) -> list[int]:
        """Compact rows of *full_ids*."""
        return [self._of.get(full, self.shared) for full in full_ids]

    def expansion(self) -> list[int]:
        """For each full id, the compact row to copy."""
        return self.rows(range(self._vocabulary))
