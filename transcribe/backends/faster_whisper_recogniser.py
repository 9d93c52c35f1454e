"""Drafts by Whisper in CTranslate2, through faster-whisper's own batched pipeline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from transcribe.backends.preload import preload_cublas
from transcribe.backends.whisper_folder import find, refused
from transcribe.errors import ConfigError, MissingError
from transcribe.protocols import SAMPLE_RATE_HZ, Heard, Pcm, Window
from transcribe.records import Milliseconds, Word

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

#: Tokens a second of speech, with room: fast speech is about 5 words, and Indic words take several tokens. The bound
#: keeps one looping window from holding its batch to the decoder's 448 positions.
TOKENS_A_SECOND = 12
SHORTEST_ANSWER = 24

#: Silence is likelier than speech, and the mean log-probability of a token of the text is below one in e.
LIKELY_SILENT, UNLIKELY_TEXT = 0.5, -1.0


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
        self._model = _load(folder.place, device=device, compute_type=compute_type, threads=threads)

    def recognise(self, pcm: Pcm, windows: Sequence[Window]) -> list[Heard]:
        """
        What is said in each window, in the same order; word times count from the start of *pcm*.

        A window without a language is heard in the language that the model detects in it. Windows may overlap.
        """
        sound = pcm.astype(np.float32) / 32_768
        groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
        for index, (window, lane) in enumerate(zip(windows, lanes(windows), strict=True)):
            groups[window.language, window.prompt, window.hotwords, window.beam_size, lane].append(index)
        heard: dict[int, Heard] = {}
        for indices in groups.values():
            heard.update(zip(indices, self._recognise_alike(sound, [windows[i] for i in indices]), strict=True))
        return [heard[index] for index in range(len(windows))]

    def _recognise_alike(self, sound: Any, windows: Sequence[Window]) -> list[Heard]:
        """Windows that share language and prompt; in smaller batches from then on, if the GPU's memory is too small."""
        while True:
            try:
                return self._in_batches(sound, windows)
            except RuntimeError as error:
                if "out of memory" not in str(error) or self._batch_size == 1:
                    raise
                self._batch_size //= 2

    def _in_batches(self, sound: Any, windows: Sequence[Window]) -> list[Heard]:
        """The pipeline is new each time, because it remembers when the last word ended."""
        from faster_whisper import BatchedInferencePipeline

        first = windows[0]
        longest = max(window.end - window.start for window in windows)
        segments, info = BatchedInferencePipeline(self._model).transcribe(
            sound,
            language=first.language,
            multilingual=first.language is None,
            clip_timestamps=[{"start": window.start / 1000, "end": window.end / 1000} for window in windows],
            beam_size=first.beam_size or self._beam_size,
            batch_size=self._batch_size,
            temperature=0.0,
            word_timestamps=True,
            without_timestamps=True,
            vad_filter=False,
            # Otherwise the first token is never the end, and a window without speech gets a made-up word.
            suppress_blank=False,
            initial_prompt=first.prompt if self.takes_prompt else None,
            hotwords=first.hotwords if self.takes_prompt else None,
            max_new_tokens=min(SHORTEST_ANSWER + TOKENS_A_SECOND * longest // 1000, 220),
        )
        parts: list[list[Any]] = [[] for _ in windows]
        by_seek = {_seek(window, self._model.frames_per_second): i for i, window in enumerate(windows)}
        for segment in filter(spoken, segments):
            parts[by_seek[segment.seek]].append(segment)
        # With several windows the library names the language of the first only, though each was heard in its own.
        language = first.language or (info.language if len(windows) == 1 else None)
        return [_heard(window, own, language) for window, own in zip(windows, parts, strict=True)]


def lanes(windows: Sequence[Window]) -> list[int]:
    """Number windows that overlap apart: faster-whisper fails on clips that are longer together than the sound."""
    ends: list[Milliseconds] = []
    found = [0] * len(windows)
    for index in sorted(range(len(windows)), key=lambda i: windows[i].start):
        lane = next((lane for lane, end in enumerate(ends) if end <= windows[index].start), len(ends))
        ends[lane : lane + 1] = [windows[index].end]
        found[index] = lane
    return found


def spoken(segment: Any) -> bool:
    """
    Whether a segment of faster-whisper's holds speech: not where silence is likelier and the text most unlikely.

    Beam search never gives back an empty text. Whisper's own loop drops such texts by a rule of this kind (Radford et
    al., "Robust speech recognition via large-scale weak supervision", 2022, section 4.5); the batched one has none.
    """
    return not (segment.no_speech_prob > LIKELY_SILENT and segment.avg_logprob < UNLIKELY_TEXT)


def _seek(window: Window, frames_per_second: int) -> int:
    """The number by which faster-whisper names a window: its start in frames, cut to samples first, as it does."""
    return int(int(window.start / 1000 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ * frames_per_second)


def _heard(window: Window, segments: Sequence[Any], language: str | None) -> Heard:
    spoken = [word for segment in segments for word in segment.words or ()]
    words = tuple(
        Word(
            text=word.word.strip(),
            start=_inside(word.start, window),
            end=_inside(word.end, window),
            probability=round(float(word.probability), 4),
        )
        for word in spoken
        if word.word.strip()
    )
    return Heard(
        window=window,
        words=words,
        log_probability=round(float(np.mean([s.avg_logprob for s in segments])), 4) if segments else None,
        no_speech=round(float(max(s.no_speech_prob for s in segments)), 4) if segments else None,
        language=language,
    )


def _inside(seconds: float, window: Window) -> Milliseconds:
    return min(max(round(seconds * 1000), window.start), window.end)


def _load(folder: Path, *, device: str, compute_type: str, threads: int) -> WhisperModel:
    preload_cublas()
    import ctranslate2
    from faster_whisper import WhisperModel

    wanted = "cuda" if device == "auto" and ctranslate2.get_cuda_device_count() else device.replace("auto", "cpu")
    _refuse_compute_type(compute_type, wanted)
    try:
        return WhisperModel(str(folder), device=wanted, compute_type=compute_type, cpu_threads=threads)
    except Exception as error:
        # tokenizers raises Exception itself for a damaged tokenizer.json.
        if wanted == "cuda":
            raise MissingError(
                f"the recogniser cannot use the GPU: {error}",
                code="E_GPU",
                hint="pip install 'boli[gpu]', or set recogniser.device = \"cpu\"",
            ) from error
        raise refused(folder, str(error)) from error


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
