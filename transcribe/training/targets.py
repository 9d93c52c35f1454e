"""Targets of the decoder: Whisper's own sequence of languages, times and words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tokenizers

from transcribe.errors import InputError
from transcribe.records import Milliseconds
from transcribe.training.windows import TrainingWindow

#: A token of time stands for 20 ms.
TIME_STEP: Milliseconds = 20


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Token ids of a window."""

    ids: list[int]
    #: Weight of each token in the loss; 0 for those that are a prompt.
    weights: list[float]


class TargetEncoder:
    """Encodes and decodes texts with the tokenizer of one model."""

    def __init__(self, base: Path) -> None:
        """Load the tokenizer of *base*, a model's folder of transformers."""
        self._tokenizer = tokenizers.Tokenizer.from_file(str(base / "tokenizer.json"))
        self.end, self.start = self._find_token("endoftext"), self._find_token("startoftranscript")
        self.no_times = self._find_token("notimestamps")
        #: A model of English alone has no tokens of languages and tasks.
        self.is_multilingual = self._tokenizer.token_to_id("<|hi|>") is not None

    def encode_opening(self, language: str, *, timed: bool) -> list[int]:
        """
        Return the tokens that prompt the decoder.

        Raises:
            InputError: E_LANGUAGE if the model knows no such language.
        """
        language_tokens = [self._find_token(language), self._find_token("transcribe")] if self.is_multilingual else []
        return [self.start, *language_tokens, *([] if timed else [self.no_times])]

    def encode(self, window: TrainingWindow, language: str, *, timed: bool, speed: float = 1.0) -> Targets:
        """
        Encode the texts of *window* in order of their start, each between its times if *timed*.

        A text is kept whole where the next speaker interrupts it; the next one then starts where it ends, because
        Whisper's times never go back. *speed* is how many times as fast the sound is played.
        """
        ids = self.encode_opening(language, timed=timed)
        weights = [0.0] * len(ids)
        latest_end: Milliseconds = 0
        for line in window.lines:
            start, end = (round(window.offset(moment) / speed) for moment in (line.start, line.end))
            first, latest_end = max(latest_end, start), max(latest_end, end)
            words = self.encode_words(line.text or "")
            line_ids = [self.encode_time(first), *words, self.encode_time(latest_end)] if timed and words else words
            ids += line_ids
            weights += [line.weight] * len(line_ids)
        # The end belongs to the last text.
        return Targets(ids=[*ids, self.end], weights=[*weights, window.lines[-1].weight if window.lines else 1.0])

    def encode_words(self, text: str) -> list[int]:
        """Return the token ids of *text*, a space before each word."""
        spaced = " ".join(text.split())
        return list(self._tokenizer.encode(f" {spaced}", add_special_tokens=False).ids) if spaced else []

    def decode_text(self, ids: list[int]) -> str:
        """Return the words of *ids*, without times and other special tokens."""
        return str(self._tokenizer.decode([token for token in ids if token < self.end])).strip()

    def encode_time(self, ms: Milliseconds) -> int:
        """Return the token of a moment of the window."""
        return self.no_times + 1 + round(ms / TIME_STEP)

    def _find_token(self, name: str) -> int:
        token = self._tokenizer.token_to_id(f"<|{name}|>")
        if token is None:
            raise InputError(
                f"the model has no token for {name}", code="E_LANGUAGE", hint="tune another base", item=name
            )
        return int(token)
