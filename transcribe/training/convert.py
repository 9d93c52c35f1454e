"""
Convert a tuned Whisper of transformers to the drafter's format, and prove that both hear the same.

Tuned models that are fine where they were trained and invent text once they are converted are a known failure: token
ids shift, suppressed tokens or generation settings get lost. So the converted model must know the same tokens and write
down the same on sound that the trainer hears too, before anybody sees it.
"""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import torch
from rapidfuzz.distance import Levenshtein
from torch.nn import functional as F

from transcribe.backends.model_manifest import write_manifest
from transcribe.backends.whisper_folder import MANNERS_FILE, find, read_tokenizer
from transcribe.datasets.manifest import Frozen
from transcribe.errors import GateFailed, InputError
from transcribe.protocols import Pcm
from transcribe.records import Milliseconds
from transcribe.training.collate import TargetEncoder
from transcribe.training.shards import AudioReader, cut_pieces
from transcribe.training.whisper import Features, check_folder, greedy, load_whisper, to_wave
from transcribe.training.windows import cut_windows, find_passages

Quantization: TypeAlias = Literal["float32", "float16", "bfloat16", "int8", "int8_float16", "int8_float32"]

#: Files that faster-whisper reads beside the weights.
_COPIED = ("tokenizer.json", "preprocessor_config.json")

#: Share of tokens that may differ from the trainer's on the probes: rounding to 8 bits decides close calls otherwise,
#: and one other token early in a window may change those after it.
TOLERANCES: Final[dict[str, float]] = {"float32": 0.01, "float16": 0.05, "bfloat16": 0.08}
ROUNDED_TOLERANCE: Final = 0.15

_SPECIAL = ("endoftext", "startoftranscript", "transcribe", "startofprev", "notimestamps")
_MOST_TOKENS = 96


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A window that both models hear."""

    pcm: Pcm
    #: Whisper's language code.
    language: str


@dataclass(frozen=True, kw_only=True)
class Converted:
    """A folder that faster-whisper loads, and how it was held against the trainer's."""

    folder: Path
    #: Tokens that the trainer wrote on the probes, times included, and how many of them were written otherwise.
    tokens: int
    differing: int


def probes(dataset: Frozen, sound: AudioReader, *, longest: Milliseconds, most: int = 8) -> list[Probe]:
    """
    Cut windows of the dev part of *dataset*, at most *longest* long, spread over its recordings.

    Those of the train part where there is no dev part: whether two models write the same can be asked of any speech.
    """
    speech = find_passages(dataset.examples("dev")) or find_passages(dataset.examples("train"))
    windows = [(passage, window) for passage in speech for window in cut_windows(passage, longest)]
    chosen = windows[:: -(-len(windows) // most)] if windows else []
    probe_list = []
    for (audio, channel), group in itertools.groupby(chosen, key=lambda pair: (pair[0].audio, pair[0].channel)):
        pcm = sound(audio, channel)
        for passage, window in group:
            probe_list.append(Probe(pcm=cut_pieces(pcm, window.pieces), language=passage.language))
    return probe_list


def to_ctranslate2(
    folder: Path, to: Path, *, probes: Sequence[Probe] = (), quantization: Quantization = "int8"
) -> Converted:
    """
    Convert the Whisper in *folder* to *to*, which is there whole afterwards or not at all.

    Args:
        folder: A folder of transformers, ``TunedModel.folder``.
        to: The CTranslate2 folder; one that is there is replaced.
        probes: Windows on which both must write the same, with times and without. Speech of the dev part.
        quantization: How weights are kept.

    Raises:
        InputError: E_MODEL if *folder* holds no Whisper that can be converted.
        GateFailed: E_CONVERSION if the converted model knows other tokens, or writes something else.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=f".{to.name}.") as temporary:
        fresh = Path(temporary) / "ct2"
        _convert(folder, fresh, quantization)
        if (folder / MANNERS_FILE).is_file():
            shutil.copyfile(folder / MANNERS_FILE, fresh / MANNERS_FILE)
        find(str(fresh), allow_download=False)
        _compare_tokens(folder, fresh)
        _compare_settings(folder, fresh)
        tokens, differing = _compare_texts(folder, fresh, probes)
        allowed = TOLERANCES.get(quantization, ROUNDED_TOLERANCE)
        if differing > max(2, allowed * tokens):
            raise _mismatch(to, f"of {tokens} tokens that the trainer writes, it writes {differing} otherwise")
        write_manifest(fresh, to.parent.name, converted=quantization)
        if to.exists():
            shutil.rmtree(to)
        fresh.replace(to)
    return Converted(folder=to, tokens=tokens, differing=differing)


def _convert(folder: Path, fresh: Path, quantization: Quantization) -> None:
    from ctranslate2.converters import TransformersConverter
    from safetensors import SafetensorError

    missing = [name for name in (*_COPIED, "config.json", "generation_config.json") if not (folder / name).is_file()]
    if missing:
        what, hint = f"{folder} lacks {', '.join(missing)}", "name the folder that tuning wrote"
        raise InputError(what, code="E_MODEL", hint=hint, item=str(folder))
    check_folder(folder)
    # Where it is damaged the converter would raise anything.
    read_tokenizer(folder)
    try:
        TransformersConverter(str(folder), copy_files=list(_COPIED)).convert(str(fresh), quantization=quantization)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        message = f"model.safetensors and settings in {folder} cannot be converted: {error}"
        raise InputError(message, code="E_MODEL", hint="name a Whisper folder of transformers") from error


def _compare_tokens(folder: Path, fresh: Path) -> None:
    """Check that each token has the same number on both sides, those of time among them."""
    tokenizer = read_tokenizer(folder)
    vocabulary = json.loads((fresh / "vocabulary.json").read_text(encoding="utf-8"))
    size = json.loads((folder / "config.json").read_text(encoding="utf-8"))["vocab_size"]
    if len(vocabulary) != size:
        raise _mismatch(fresh, f"the trainer has {size} tokens, it has {len(vocabulary)}")
    for name in _SPECIAL:
        number = tokenizer.token_to_id(f"<|{name}|>")
        if number is not None and vocabulary[number] != f"<|{name}|>":
            raise _mismatch(fresh, f"token {number} should be <|{name}|>, it is {vocabulary[number]}")
    first = int(tokenizer.token_to_id("<|notimestamps|>") or -1) + 1
    times = [f"<|{step * 0.02:.2f}|>" for step in range(size - first)]
    if vocabulary[first:] != times:
        raise _mismatch(fresh, f"the tokens from {first} on should be times, from {times[:1]}")


def _compare_settings(folder: Path, fresh: Path) -> None:
    """Check that suppressed tokens, the heads that tell times and the language tokens are the same."""
    wanted = json.loads((folder / "generation_config.json").read_text(encoding="utf-8"))
    converted = json.loads((fresh / "config.json").read_text(encoding="utf-8"))
    pairs = {
        "suppress_tokens": "suppress_ids",
        "begin_suppress_tokens": "suppress_ids_begin",
        "alignment_heads": "alignment_heads",
    }
    for theirs, ours in pairs.items():
        if theirs in wanted and (wanted[theirs] or []) != (converted.get(ours) or []):
            raise _mismatch(fresh, f"{theirs} of the trainer is {wanted[theirs]}, {ours} here is {converted.get(ours)}")
    languages = sorted((wanted.get("lang_to_id") or {}).values())
    if languages and languages != converted.get("lang_ids"):
        raise _mismatch(
            fresh, f"the trainer has {len(languages)} languages, it has {len(converted.get('lang_ids') or [])}"
        )


def _compare_texts(folder: Path, fresh: Path, probes: Sequence[Probe]) -> tuple[int, int]:
    """
    Count the tokens that the trainer's model writes on *probes*, and those that the converted one writes otherwise.
    """
    if not probes:
        return 0, 0
    trainer, drafter = _Trainer(folder), _Drafter(fresh, folder)
    tokens = differing = 0
    for probe in probes:
        mel = trainer.features(probe.pcm)
        for timed in (False, True):
            opening = trainer.scribe.encode_opening(probe.language, timed=timed)
            wanted, drafted = trainer.write(mel, opening), drafter.write(mel, opening)
            tokens += len(wanted)
            differing += Levenshtein.distance(wanted, drafted)
    return tokens, differing


class _Trainer:
    """The tuned model in transformers, hearing the full 30 s."""

    def __init__(self, folder: Path) -> None:
        whole = load_whisper(folder)
        self._net, self._settings = whole.eval().model, whole.generation_config
        self._features = Features(whole.config.num_mel_bins, torch.device("cpu"))
        self.scribe = TargetEncoder(folder)
        # transformers drops what it does not know from some folders' settings.
        self._settings.no_timestamps_token_id, self._settings.eos_token_id = self.scribe.no_times, self.scribe.end
        self._settings.max_initial_timestamp_index = _read_first_time(folder)

    def features(self, pcm: Pcm) -> Any:
        """Return the features of *pcm*, ``(1, bands, 3_000)``, padded as the drafter pads."""
        mel = self._features([to_wave(pcm)])
        return F.pad(mel, (0, 3_000 - mel.shape[-1]))

    def write(self, mel: Any, opening: list[int]) -> list[int]:
        """Write the likeliest tokens, with Whisper's own rules for times where the opening asks for them."""
        from transformers.generation.logits_process import WhisperTimeStampLogitsProcessor

        timed = self.scribe.no_times not in opening
        rule = WhisperTimeStampLogitsProcessor(self._settings, begin_index=len(opening)) if timed else None
        return greedy(self._net, mel, [opening], end=self.scribe.end, most=_MOST_TOKENS, rule=rule)[0]


class _Drafter:
    """The converted model, asked as plainly: greedily, with nothing suppressed that the trainer does not suppress."""

    def __init__(self, folder: Path, trainer: Path) -> None:
        import ctranslate2

        self._net = ctranslate2.models.Whisper(str(folder), device="cpu", compute_type="default", intra_threads=1)
        tokens = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        self._end = tokens.index("<|endoftext|>")
        self._first_time = _read_first_time(trainer)

    def write(self, mel: Any, opening: list[int]) -> list[int]:
        import ctranslate2

        features = ctranslate2.StorageView.from_array(np.ascontiguousarray(mel.numpy()))
        ids = self._net.generate(
            features,
            [opening],
            beam_size=1,
            # Half of it is for the prompt (models/whisper.cc).
            max_length=2 * _MOST_TOKENS,
            suppress_blank=False,
            suppress_tokens=[],
            max_initial_timestamp_index=self._first_time,
        )[0].sequences_ids[0]
        return list(ids[: ids.index(self._end)] if self._end in ids else ids)


def _read_first_time(trainer: Path) -> int:
    """Read how late the first time of a window may be, in steps of 20 ms; Whisper's own bound is 50."""
    settings = json.loads((trainer / "generation_config.json").read_text(encoding="utf-8"))
    return int(settings.get("max_initial_timestamp_index") or 50)


def _mismatch(folder: Path, what: str) -> GateFailed:
    hint = (
        "report it with the model's config.json and generation_config.json; the model drafts nothing until it is mended"
    )
    return GateFailed(
        f"the converted model is not the tuned one: {what}", code="E_CONVERSION", hint=hint, item=str(folder)
    )
