"""What the decoder is taught to write: Whisper's own sequence of languages, times and words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tokenizers

from transcribe.errors import InputError
from transcribe.passages import Cut
from transcribe.records import Milliseconds

#: A token of time stands for 20 ms.
TIME_STEP: Milliseconds = 20


@dataclass(frozen=True, kw_only=True)
class Script:
    """Token ids of a window."""

    ids: list[int]
    #: What each token counts; 0 for those that are given and not taught.
    weights: list[float]


class Scribe:
    """Writes scripts with the tokenizer of one model."""

    def __init__(self, base: Path) -> None:
        """*base* is the model's folder for transformers."""
        self._tokenizer = tokenizers.Tokenizer.from_file(str(base / "tokenizer.json"))
        self.end, self.start = self._id("endoftext"), self._id("startoftranscript")
        self.no_times = self._id("notimestamps")
        #: A model of English alone has no tokens of languages and tasks.
        self.many = self._tokenizer.token_to_id("<|hi|>") is not None

    def opening(self, language: str, *, timed: bool) -> list[int]:
        """
        What the decoder is given before it writes.

        Raises:
            InputError: E_LANGUAGE if the model knows no such language.
        """
        told = [self._id(language), self._id("transcribe")] if self.many else []
        return [self.start, *told, *([] if timed else [self.no_times])]

    def script(self, cut: Cut, language: str, *, timed: bool, speed: float = 1.0) -> Script:
        """
        The texts of *cut* in order of their start, each between its times if *timed*.

        A text is kept whole where the next speaker interrupts it; the next one then starts where it ends, because
        Whisper's times never go back. *speed* is how many times as fast the sound is played.
        """
        ids = self.opening(language, timed=timed)
        weights = [0.0] * len(ids)
        said: Milliseconds = 0
        for line in cut.lines:
            start, end = (round(cut.offset(moment) / speed) for moment in (line.start, line.end))
            first, said = max(said, start), max(said, end)
            words = self.words(line.text or "")
            own = [self.time(first), *words, self.time(said)] if timed and words else words
            ids += own
            weights += [line.weight] * len(own)
        # The end belongs to the last text.
        return Script(ids=[*ids, self.end], weights=[*weights, cut.lines[-1].weight if cut.lines else 1.0])

    def words(self, text: str) -> list[int]:
        """Token ids of *text*, a space before each word."""
        spaced = " ".join(text.split())
        return list(self._tokenizer.encode(f" {spaced}", add_special_tokens=False).ids) if spaced else []

    def text(self, ids: list[int]) -> str:
        """Words of *ids*, without times and other tokens that are never said."""
        return str(self._tokenizer.decode([one for one in ids if one < self.end])).strip()

    def time(self, ms: Milliseconds) -> int:
        """Token of a moment of the window."""
        return self.no_times + 1 + round(ms / TIME_STEP)

    def _id(self, name: str) -> int:
        found = self._tokenizer.token_to_id(f"<|{name}|>")
        if found is None:
            raise InputError(
                f"the model has no token for {name}", code="E_LANGUAGE", hint="tune another base", item=name
            )
        return int(found)
