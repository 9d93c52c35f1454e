"""
Derive the transformers folder, which tuning starts from, of a Whisper in CTranslate2's format.

A drafter's folder holds all weights of the model, only under other names. They are put back, and the way there is
proven by the way back: converted again, the weights must be the same, bit by bit.
"""

from __future__ import annotations

import json
import re
import shutil
import struct
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from transcribe.backends.identity import sha256_of
from transcribe.backends.model_manifest import write_manifest
from transcribe.backends.whisper_folder import MANNERS_FILE, find, read_tokenizer
from transcribe.errors import GateFailed, InputError, UsageError
from transcribe.training.convert import Quantization, to_ctranslate2

if TYPE_CHECKING:
    import torch

#: Version of the container, and name of what it must hold.
BINARY_VERSION, SPEC = 6, "WhisperSpec"
#: The types of variables in the order of the format's numbers; bfloat16 has none in numpy.
TYPES: Final = ("float32", "int8", "int16", "int32", "float16")
#: Tokens of Whisper's models for English alone; they have the tokens of other languages and never use them.
ENGLISH_VOCABULARY: Final = 51_864

#: Names of layers in the format and in transformers, within one layer.
LAYER_NAMES: Final = {
    "self_attention/layer_norm": "self_attn_layer_norm",
    "self_attention/linear_1": "self_attn.out_proj",
    "attention/layer_norm": "encoder_attn_layer_norm",
    "attention/linear_2": "encoder_attn.out_proj",
    "ffn/layer_norm": "final_layer_norm",
    "ffn/linear_0": "fc1",
    "ffn/linear_1": "fc2",
}
#: Projections that the format keeps stacked in one, and what of them transformers keeps apart.
STACKED: Final = {
    "self_attention/linear_0": ("self_attn", ("q_proj", "k_proj", "v_proj")),
    "attention/linear_0": ("encoder_attn", ("q_proj",)),
    "attention/linear_1": ("encoder_attn", ("k_proj", "v_proj")),
}
FIELDS: Final = {"gamma": "weight", "beta": "bias", "weight": "weight", "bias": "bias"}
PLAIN_NAMES: Final = {
    "position_encodings/encodings": "embed_positions.weight",
    "embeddings/weight": "embed_tokens.weight",
    **{f"{name}/{field}": f"{name}.{field}" for name in ("conv1", "conv2") for field in ("weight", "bias")},
    "layer_norm/gamma": "layer_norm.weight",
    "layer_norm/beta": "layer_norm.bias",
}


@dataclass(frozen=True, kw_only=True)
class Derived:
    """A folder of transformers, and how it was proven."""

    folder: Path
    #: SHA-256 of the weights that it was derived from, and of what converting it back gives.
    source_sha256: str
    back_sha256: str

    @property
    def identical(self) -> bool:
        """
        The sign that the way back gives the same file; else only settings were added that an older converter did not
        write.
        """
        return self.source_sha256 == self.back_sha256


class _Reader:
    """Reads the fields of a ``model.bin``; the file is one that somebody may have cut or made up."""

    def __init__(self, file: Path) -> None:
        self.file, self._content, self._position = file, file.read_bytes(), 0

    def take(self, count: int) -> bytes:
        """Return the next *count* bytes."""
        if count < 0 or self._position + count > len(self._content):
            raise refusal(self.file, "it ends in the middle of a variable")
        self._position += count
        return self._content[self._position - count : self._position]

    def number(self, code: str) -> int:
        """Return the next number, of the type *code* of `struct`."""
        return int(struct.unpack(f"<{code}", self.take(struct.calcsize(code)))[0])

    def text(self) -> str:
        """Return the next string, which ends in a zero byte."""
        try:
            return self.take(self.number("H"))[:-1].decode("utf-8")
        except UnicodeDecodeError as error:
            raise refusal(self.file, "a name in it is no text") from error

    def variable(self) -> NDArray[Any]:
        """Return the next array."""
        shape = [self.number("I") for _ in range(self.number("B"))]
        kind, size = self.number("B"), self.number("I")
        if kind >= len(TYPES):
            raise refusal(self.file, "its weights are of a type that is not read here, such as bfloat16")
        array = np.frombuffer(self.take(size), dtype=TYPES[kind])
        if array.size != int(np.prod(shape, dtype=np.int64)):
            raise refusal(self.file, "a variable in it has another size than its shape")
        return array.reshape(shape)


def refusal(file: Path, reason: str) -> InputError:
    """Return the error for a file that nothing can be derived from; the caller raises it."""
    message = f"a transformers folder was to be derived from {file}: {reason}"
    return InputError(message, code="E_MODEL", hint="name a CTranslate2 folder of a Whisper", item=str(file))


def read_variables(file: Path) -> dict[str, NDArray[Any]]:
    """
    Read all variables of a Whisper's ``model.bin``, by name.

    Raises:
        InputError: E_MODEL if it is no such file, or damaged.
    """
    reader = _Reader(file)
    version, spec = reader.number("I"), reader.text()
    if version != BINARY_VERSION or spec != SPEC:
        raise refusal(file, f"it holds {spec!r} in version {version}; wanted is {SPEC} in version {BINARY_VERSION}")
    reader.number("I")
    return {reader.text(): reader.variable() for _ in range(reader.number("I"))}


def derive(source: Path, to: Path) -> Derived:
    """
    Write the transformers folder *to* of the CTranslate2 Whisper in *source*, whole or not at all.

    Raises:
        InputError: E_MODEL if *source* holds no Whisper that can be read.
        UsageError: If *to* is there already.
        GateFailed: E_CONVERSION if converting it back gives other weights.
    """
    find(str(source), allow_download=False)
    if to.exists():
        raise UsageError(f"{to} is there already", hint="name a folder that is not there yet")
    variables = read_variables(source / "model.bin")
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=f".{to.name}.") as temporary:
        fresh = Path(temporary) / "hf"
        fresh.mkdir()
        _write(source, variables, fresh)
        back = to_ctranslate2(fresh, Path(temporary) / "ct2", quantization=_find_quantization(variables)).folder
        _compare(source, variables, back)
        derived = Derived(
            folder=to, source_sha256=sha256_of(source / "model.bin"), back_sha256=sha256_of(back / "model.bin")
        )
        write_manifest(fresh, to.name, derived=str(source), sha256=derived.source_sha256)
        fresh.replace(to)
    return derived


def _find_quantization(variables: Mapping[str, NDArray[Any]]) -> Quantization:
    """Name the type that the weights are kept in."""
    stored, norm = variables["decoder/embeddings/weight"].dtype, variables["decoder/layer_norm/gamma"].dtype
    if stored == np.int8:
        return "int8" if norm == np.float32 else "int8_float16"
    return "float16" if stored == np.float16 else "float32"


def _compare(source: Path, wanted: Mapping[str, NDArray[Any]], back: Path) -> None:
    """Compare what came back with *wanted*; a newer converter may only have added settings, single numbers."""
    returned = read_variables(back / "model.bin")
    differing = [
        name
        for name, array in wanted.items()
        if name not in returned or returned[name].dtype != array.dtype or not np.array_equal(returned[name], array)
    ]
    differing += [name for name in returned.keys() - wanted.keys() if returned[name].ndim]
    if differing:
        message = f"{source} converted there and back is another model: {', '.join(sorted(differing)[:5])} differ"
        hint = "report it with the folder's config.json; nothing was written"
        raise GateFailed(message, code="E_CONVERSION", hint=hint, item=str(source))


def state_of(variables: Mapping[str, NDArray[Any]]) -> dict[str, torch.Tensor]:
    """Name the weights of *variables* as ``WhisperForConditionalGeneration`` does; rounded ones become float32."""
    import torch

    state: dict[str, torch.Tensor] = {}
    for name, array in variables.items():
        if not array.ndim or name.endswith("_scale"):
            continue
        weights = torch.from_numpy(_unround(array, variables.get(f"{name}_scale")).copy())
        half, _, name_in_half = name.partition("/")
        for key, tensor in _map_name(name_in_half, weights).items():
            state[f"model.{half}.{key}"] = tensor
    # The output layer shares the embeddings; transformers ties them itself.
    return state


def _unround(array: NDArray[Any], scale: NDArray[Any] | None) -> NDArray[Any]:
    """Return rounded weights as they stand for, row by row; others as they are."""
    if scale is None:
        return array
    rows = scale.astype(np.float32).reshape(-1, *[1] * (array.ndim - 1))
    return array.astype(np.float32) / rows


def _map_name(name: str, weights: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return the weights of variable *name* of one half of the model by its name or names in transformers."""
    if name in PLAIN_NAMES:
        return {PLAIN_NAMES[name]: weights}
    matched = re.fullmatch(r"layer_(\d+)/(.+)/(\w+)", name)
    if matched is None or matched[3] not in FIELDS:
        raise KeyError(name)
    layer, part, field = f"layers.{matched[1]}", matched[2], FIELDS[matched[3]]
    if part not in STACKED:
        return {f"{layer}.{LAYER_NAMES[part]}.{field}": weights}
    attention, projections = STACKED[part]
    pieces = weights.chunk(len(projections))
    named = zip(projections, pieces, strict=True)
    # The projection of keys has no bias; the format fills it with zeros.
    return {f"{layer}.{attention}.{key}.{field}": piece for key, piece in named if (key, field) != ("k_proj", "bias")}


def _write(source: Path, variables: Mapping[str, NDArray[Any]], folder: Path) -> None:
    """Fill *folder* with weights, settings and tokenizer."""
    from safetensors.torch import save
    from transformers import GenerationConfig, WhisperConfig, WhisperFeatureExtractor

    try:
        state, shape = state_of(variables), _read_shape(variables)
        tokens = _Tokens(source)
        drafter_config = json.loads((source / "config.json").read_text(encoding="utf-8"))
        settings = _make_generation(drafter_config, tokens, many_languages=shape["vocab_size"] != ENGLISH_VOCABULARY)
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise refusal(source / "model.bin", f"something is missing or unknown ({error})") from error
    weights = {name: tensor.contiguous().clone() for name, tensor in state.items()}
    (folder / "model.safetensors").write_bytes(save(weights, metadata={"format": "pt"}))
    ids = {"bos_token_id": tokens.end, "eos_token_id": tokens.end, "pad_token_id": tokens.end}
    ids["decoder_start_token_id"] = tokens.start
    dtype = str(next(iter(weights.values())).dtype).removeprefix("torch.")
    named = {"architectures": ["WhisperForConditionalGeneration"], "dtype": dtype}
    WhisperConfig(**shape, **ids, **named, suppress_tokens=[], begin_suppress_tokens=[]).save_pretrained(str(folder))
    GenerationConfig(**settings, **ids).save_pretrained(str(folder))
    WhisperFeatureExtractor(feature_size=shape["num_mel_bins"]).save_pretrained(str(folder))
    _write_tokenizer(source, folder)


def _read_shape(variables: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Read the model's widths and depths off its weights."""
    layers = {tuple(name.split("/")[:2]) for name in variables if "/layer_" in name}
    vocabulary, width = variables["decoder/embeddings/weight"].shape
    shape = {"vocab_size": vocabulary, "d_model": width, "num_mel_bins": variables["encoder/conv1/weight"].shape[1]}
    for half, positions in (("encoder", "max_source_positions"), ("decoder", "max_target_positions")):
        shape[f"{half}_layers"] = sum(side == half and layer[6:].isdigit() for side, layer in layers)
        shape[f"{half}_attention_heads"] = int(variables[f"{half}/num_heads"])
        shape[f"{half}_ffn_dim"] = variables[f"{half}/layer_0/ffn/linear_0/weight"].shape[0]
        shape[positions] = variables[f"{half}/position_encodings/encodings"].shape[0]
    return shape


class _Tokens:
    """The numbers of the special tokens of a folder's tokenizer."""

    def __init__(self, folder: Path) -> None:
        self._tokenizer = read_tokenizer(folder)
        self.end, self.start = self.number("endoftext"), self.number("startoftranscript")

    def number(self, name: str) -> int:
        """Return the number of the special token *name*."""
        number = self._tokenizer.token_to_id(f"<|{name}|>")
        if number is None:
            raise KeyError(f"<|{name}|>")
        return int(number)

    def name(self, number: int) -> str:
        """Return the token with *number*, with its brackets."""
        return str(self._tokenizer.id_to_token(number))


def _make_generation(drafter_config: Mapping[str, Any], tokens: _Tokens, *, many_languages: bool) -> dict[str, Any]:
    """
    Return the settings of generation: those of the drafter's ``config.json``, *drafter_config*, and token numbers.
    """
    settings = {
        "suppress_tokens": drafter_config.get("suppress_ids") or [],
        "begin_suppress_tokens": drafter_config.get("suppress_ids_begin") or [],
        "alignment_heads": drafter_config["alignment_heads"],
        "no_timestamps_token_id": tokens.number("notimestamps"),
        "prev_sot_token_id": tokens.number("startofprev"),
        "max_initial_timestamp_index": 50,
        "max_length": 448,
        "return_timestamps": False,
        "is_multilingual": many_languages,
    }
    if many_languages:
        settings["lang_to_id"] = {tokens.name(number): number for number in drafter_config["lang_ids"]}
        settings["task_to_id"] = {task: tokens.number(task) for task in ("translate", "transcribe")}
    return settings


def _write_tokenizer(source: Path, folder: Path) -> None:
    """Write the tokenizer's own file byte by byte, and what transformers reads beside it."""
    from transformers import WhisperTokenizerFast

    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")
    added = read_tokenizer(folder).get_added_tokens_decoder()
    special = [token.content for _, token in sorted(added.items()) if token.special]
    splitting = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8")).get("pre_tokenizer") or {}
    fast = WhisperTokenizerFast.from_pretrained(
        str(folder),
        additional_special_tokens=special[1:],
        pad_token=special[0],
        add_prefix_space=bool(splitting.get("add_prefix_space")),
    )
    fast.save_pretrained(str(folder))
    # transformers writes it with a template that prefixes every text.
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")
    if (source / MANNERS_FILE).is_file():
        shutil.copyfile(source / MANNERS_FILE, folder / MANNERS_FILE)
