"""Draft by Whisper in CTranslate2: windows in batches, words with their blanks and times, texts aligned by force."""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from transcribe.backends.hypotheses import Decoded, choose_hypothesis, is_spoken
from transcribe.backends.processors import count_cores, preload_cublas
from transcribe.backends.whisper_folder import find, read_tokenizer, refusal
from transcribe.backends.whisper_words import encode_text, longest_answer, split_words, time_words
from transcribe.errors import ConfigError, MissingError
from transcribe.protocols import SAMPLE_RATE_HZ, Heard, Pcm, Window
from transcribe.records import Milliseconds, Word

if TYPE_CHECKING:
    from ctranslate2 import StorageView
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer


#: Mean log-probability of a token below which the model is asked which language it hears. English that was heard as
#: Tamil had -0.45 to -0.73, English that was heard as English mostly over -0.2.
DOUBTED_LANGUAGE: Final = -0.4

#: Texts drawn by lot of which the likeliest is kept, and the seed of the lot.
DRAWS: Final = 5
SEED: Final = 0

#: Recordings heard at once on a processor, each by its share of the cores: one alone leaves cores idle between its
#: steps, more need more memory.
MOST_WORKERS: Final = 2


class FasterWhisperRecogniser:
    """
    Whisper in CTranslate2.

    Windows of one language and prompt are decoded together in batches. A window is at most 30 s: Whisper hears no more.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        device: str = "auto",
        compute_type: str = "default",
        beam_size: int = 5,
        batch_size: int = 8,
        threads: int = 0,
        allow_download: bool = False,
    ) -> None:
        """
        Load the model; the first use of a hub id downloads it, only where *allow_download* says so.

        Raises:
            MissingError: No such folder, a hub id that is not here and may not or cannot be fetched, or no such device.
            InputError: E_MODEL if the folder is not a Whisper model in CTranslate2's format.
            ConfigError: A compute type that the device cannot do.
        """
        folder = find(str(model), allow_download=allow_download)
        self.id = folder.id
        #: Longest window that this model was made for.
        self.window: Milliseconds = folder.window
        #: Whether it understands a prompt and hotwords.
        self.takes_prompt = folder.takes_prompt
        self._beam_size, self._batch_size = beam_size, batch_size
        on_gpu = _choose_device(device) == "cuda"
        #: Calls of `recognise` that run beside each other.
        self.workers = 1 if on_gpu or threads else min(MOST_WORKERS, count_cores())
        self._model = _load(
            folder.path,
            device=device,
            compute_type=compute_type,
            threads=threads or (0 if on_gpu else count_cores() // self.workers),
            workers=self.workers,
        )

    @property
    def only_language(self) -> str | None:
        """The Whisper code of the one language that the model was made for; ``None``: it knows many."""
        return None if self._model.model.is_multilingual else "en"

    def recognise(self, pcm: Pcm, windows: Sequence[Window]) -> list[Heard]:
        """
        Recognise each window, in the same order; word times count from the start of *pcm*.

        A window without a language is heard in the language that the model detects in it. Windows may overlap.
        """
        groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
        for index, window in enumerate(windows):
            key = (window.language, window.prompt, window.hotwords, window.beam_size, window.temperature)
            groups[key].append(index)
        answers: dict[int, Heard] = {}
        for indices in groups.values():
            # Windows of about one length end together.
            indices.sort(key=lambda index: windows[index].duration)
            answers.update(
                zip(indices, self._recognise_in_batches(pcm, [windows[index] for index in indices]), strict=True)
            )
        return [answers[index] for index in range(len(windows))]

    def count_tokens(self, text: str) -> int:
        """Count the model's tokens in *text*."""
        return len(self._get_tokenizer("en").encode(text))

    def align(self, pcm: Pcm, window: Window, text: str) -> tuple[Word, ...]:
        """
        Time each word of *text*, which somebody wrote for *window*, by Whisper's own attention.

        The text is kept as it is, whatever the model would have written. *window* names its language.
        """
        return self.align_texts(pcm, [window], [text])[0]

    def align_texts(self, pcm: Pcm, windows: Sequence[Window], texts: Sequence[str]) -> list[tuple[Word, ...]]:
        """
        Return the words of each of *texts* with the times that `align` gives them, in batches.

        Of a text that is too long for the model, some 440 tokens, the end is missing.
        """
        by_language: dict[str | None, list[int]] = defaultdict(list)
        for index in sorted(range(len(windows)), key=lambda index: windows[index].duration):
            by_language[windows[index].language].append(index)
        words: dict[int, tuple[Word, ...]] = {}
        for language, indices in by_language.items():
            for first in range(0, len(indices), self._batch_size):
                batch = indices[first : first + self._batch_size]
                part = [windows[index] for index in batch]
                aligned = self._align_alike(pcm, part, [texts[index] for index in batch], language)
                words.update(zip(batch, aligned, strict=True))
        return [words[index] for index in range(len(windows))]

    def _align_alike(
        self, pcm: Pcm, windows: Sequence[Window], texts: Sequence[str], language: str | None
    ) -> list[tuple[Word, ...]]:
        """Align the words of *texts*, all in *language*, in one batch."""
        tokenizer = self._get_tokenizer(language)
        room = self._model.max_length - len(tokenizer.sot_sequence) - 2
        tokens = [encode_text(tokenizer, text)[:room] for text in texts]
        alignments = self._align_tokens(self._encode(pcm, windows), tokenizer, windows, tokens)
        return [
            self._make_words(window, spelling, alignment, tokenizer)
            for window, spelling, alignment in zip(windows, tokens, alignments, strict=True)
        ]

    def _recognise_in_batches(self, pcm: Pcm, windows: Sequence[Window]) -> Iterator[Heard]:
        """
        Recognise windows that share language and prompt; in smaller batches from then on, if the GPU's memory is too
        small.
        """
        first = 0
        while first < len(windows):
            batch = windows[first : first + self._batch_size]
            try:
                yield from self._recognise_alike(pcm, batch)
            except RuntimeError as error:
                if "out of memory" not in str(error) or self._batch_size == 1:
                    raise
                self._batch_size //= 2
            else:
                first += len(batch)

    def _recognise_alike(self, pcm: Pcm, windows: Sequence[Window]) -> list[Heard]:
        encoded = self._encode(pcm, windows)
        unknown: list[tuple[str | None, float | None]] = [(None, None)] * len(windows)
        detected = unknown if windows[0].language else self._detect(encoded, len(windows))
        languages = [
            window.language or detected_language
            for window, (detected_language, _) in zip(windows, detected, strict=True)
        ]
        tokenizers = [self._get_tokenizer(language) for language in languages]
        decoded = self._decode(encoded, windows, tokenizers)
        # Asking costs a twentieth of a hearing, and a text in the wrong language is never a likely one.
        if windows[0].language and any(text.log_probability < DOUBTED_LANGUAGE for text in decoded):
            detected = self._detect(encoded, len(windows))
        alignments = self._align_by_language(encoded, tokenizers, windows, decoded)
        return [
            Heard(
                window=window,
                words=self._make_words(window, text.tokens, alignment, tokenizer) if is_spoken(text) else (),
                log_probability=round(text.log_probability, 4),
                no_speech=round(text.no_speech, 4),
                language=language,
                detected=detected_language,
                detected_probability=probability,
            )
            for window, text, alignment, tokenizer, language, (detected_language, probability) in zip(
                windows, decoded, alignments, tokenizers, languages, detected, strict=True
            )
        ]

    def _encode(self, pcm: Pcm, windows: Sequence[Window]) -> StorageView:
        """Return the encoder's answers to *windows*, each filled up with silence to 30 s."""
        from faster_whisper.audio import pad_or_trim

        extract = self._model.feature_extractor
        features = [pad_or_trim(extract(cut_sound(pcm, window))[..., :-1]) for window in windows]
        return self._model.encode(np.stack(features))

    def _detect(self, encoded: StorageView, count: int) -> list[tuple[str | None, float | None]]:
        """Return language and its probability for each window; unknown where the model knows but one."""
        engine = self._model.model
        if not engine.is_multilingual:
            return [(None, None)] * count
        best = [languages[0] for languages in engine.detect_language(encoded)]
        return [(token.strip("<|>"), round(float(probability), 4)) for token, probability in best]

    def _decode(
        self, encoded: StorageView, windows: Sequence[Window], tokenizers: Sequence[Tokenizer]
    ) -> list[Decoded]:
        first = windows[0]
        prompts = [self._make_prompt(first, tokenizer) for tokenizer in tokenizers]
        # A window without a declared language may be in any of them.
        answer = max(
            longest_answer(window.duration, tokenizer.language_code)
            for window, tokenizer in zip(windows, tokenizers, strict=True)
        )
        # CTranslate2 lets an answer have half of this, and no more than a prompt leaves.
        room = answer + max(answer, len(prompts[0]))
        if first.temperature:
            import ctranslate2

            ctranslate2.set_random_seed(SEED)
            search = {"beam_size": 1, "num_hypotheses": DRAWS, "sampling_topk": 0}
        else:
            beam_size = first.beam_size or self._beam_size
            search = {"beam_size": beam_size, "num_hypotheses": beam_size}
        results = self._model.model.generate(
            encoded,
            prompts,
            max_length=min(room, self._model.max_length),
            # Otherwise the first token is never the end, and a window without speech gets a made-up word.
            suppress_blank=False,
            suppress_tokens=list(self._suppressed_tokens),
            return_scores=True,
            return_no_speech_prob=True,
            sampling_temperature=first.temperature or 1.0,
            **search,
        )
        return [choose_hypothesis(result, tokenizer) for result, tokenizer in zip(results, tokenizers, strict=True)]

    def _make_prompt(self, window: Window, tokenizer: Tokenizer) -> list[int]:
        prompt_tokens = tokenizer.encode(" " + window.prompt.strip()) if window.prompt and self.takes_prompt else []
        hotwords = window.hotwords if self.takes_prompt else None
        prompt: list[int] = self._model.get_prompt(tokenizer, prompt_tokens, without_timestamps=True, hotwords=hotwords)
        return prompt

    def _align_by_language(
        self,
        encoded: StorageView,
        tokenizers: Sequence[Tokenizer],
        windows: Sequence[Window],
        decoded: Sequence[Decoded],
    ) -> list[Any]:
        """Align each window; CTranslate2 takes one language at a time, so mixed batches take some calls."""
        alignments: list[Any] = [None] * len(windows)
        tokens = [text.tokens for text in decoded]
        for tokenizer in dict.fromkeys(tokenizers):
            everyone = self._align_tokens(encoded, tokenizer, windows, tokens)
            for index, window_tokenizer in enumerate(tokenizers):
                if window_tokenizer is tokenizer:
                    alignments[index] = everyone[index]
        return alignments

    def _align_tokens(
        self, encoded: StorageView, tokenizer: Tokenizer, windows: Sequence[Window], tokens: Sequence[list[int]]
    ) -> list[Any]:
        frames_per_ms = self._model.frames_per_second / 1_000
        frames = [math.ceil(window.duration * frames_per_ms) for window in windows]
        aligned: list[Any] = self._model.model.align(encoded, tokenizer.sot_sequence, list(tokens), frames)
        return aligned

    def _make_words(
        self, window: Window, tokens: Sequence[int], alignment: Any, tokenizer: Tokenizer
    ) -> tuple[Word, ...]:
        if not tokens:
            return ()
        timed = time_words(split_words(tokenizer, tokens), alignment, self._model.tokens_per_second)
        return tuple(
            Word(
                text=word.text,
                start=window.moment(round(word.start_s * 1_000)),
                end=max(window.moment(round(word.end_s * 1_000) - 1) + 1, window.moment(round(word.start_s * 1_000))),
                probability=round(word.probability, 4),
                blank=word.blank,
            )
            for word in timed
        )

    def _get_tokenizer(self, language: str | None) -> Tokenizer:
        return self._tokenizers(language if self._model.model.is_multilingual else "en")

    @cached_property
    def _tokenizers(self) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        model = self._model

        @lru_cache
        def make(language: str) -> Tokenizer:
            return Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language=language)

        return make

    @cached_property
    def _suppressed_tokens(self) -> tuple[int, ...]:
        """The tokens that no transcript holds: signs of music and of speakers, and the model's own marks."""
        from faster_whisper.transcribe import get_suppressed_tokens

        suppressed: tuple[int, ...] = get_suppressed_tokens(self._get_tokenizer("en"), [-1])
        return suppressed


def cut_sound(pcm: Pcm, window: Window) -> npt.NDArray[np.float32]:
    """Return the sound of *window*, shape ``(samples,)``, from -1 to 1; what lies outside *pcm* is left out."""
    samples = SAMPLE_RATE_HZ // 1_000
    parts = [pcm[max(span.start, 0) * samples : max(span.end, 0) * samples] for span in window.spans]
    return np.concatenate(parts).astype(np.float32) / np.float32(32_768)


def _choose_device(device: str) -> str:
    """Return "cuda" or "cpu"; where any will do, a GPU that is here."""
    import ctranslate2

    return "cuda" if device == "auto" and ctranslate2.get_cuda_device_count() else device.replace("auto", "cpu")


def _load(folder: Path, *, device: str, compute_type: str, threads: int, workers: int) -> WhisperModel:
    preload_cublas()
    import ctranslate2
    from faster_whisper import WhisperModel

    # A CPU has no half floats, and computes with whole ones: the same text, which is no reason for a warning.
    ctranslate2.set_log_level(logging.ERROR)
    wanted = _choose_device(device)
    _refuse_compute_type(compute_type, wanted)
    try:
        return WhisperModel(
            str(folder), device=wanted, compute_type=compute_type, cpu_threads=threads, num_workers=workers
        )
    except Exception as error:
        # tokenizers raises Exception itself for a damaged tokenizer.json, and does not name it.
        read_tokenizer(folder)
        if wanted == "cuda":
            raise MissingError(
                f"the recogniser cannot use the GPU: {error}",
                code="E_GPU",
                hint="pip install 'boli[gpu]', or set recogniser.device = \"cpu\"",
            ) from error
        raise refusal(folder, f"model.bin and its settings are not loaded ({error})") from error


def _refuse_compute_type(compute_type: str, device: str) -> None:
    import ctranslate2

    try:
        able = {"default", "auto"} | ctranslate2.get_supported_compute_types(device)
    except (RuntimeError, ValueError) as error:
        raise MissingError(
            f"the recogniser was told to use {device}, and CTranslate2 finds none: {error}",
            code="E_GPU",
            hint="set recogniser.device to auto or cpu",
        ) from error
    if compute_type not in able:
        raise ConfigError(
            f"recogniser.compute_type is {compute_type!r}, which {device} cannot do here",
            hint=f"one of {', '.join(sorted(able))}",
            item="recogniser.compute_type",
        )
