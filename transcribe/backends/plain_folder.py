"""
Refuse a Whisper's folder that holds anything but data, before a library opens any of it.

Its makers are strangers. Code beside the weights, pickles, settings that name classes of their own, adapters that name
another base and templates are what the libraries might run, unpickle or fetch. Nothing here reads them, so that the
whole folder is refused, and the file is named.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from transcribe.errors import InputError, explain

#: Ends of names that no library takes for code or for a pickle; files without an end are licences and notes.
PLAIN_SUFFIXES: Final = frozenset({"", ".json", ".license", ".md", ".safetensors", ".txt"})
#: The weights of CTranslate2, in a format of its own, and the name of a Whisper that it begins with.
BINARY_FILE: Final = "model.bin"
BINARY_SPEC: Final = b"WhisperSpec"
#: Files of settings that the libraries take classes and options from.
SETTINGS_FILES: Final = (
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "special_tokens_map.json",
    "tokenizer_config.json",
)
#: Names the files of weights that were cut in parts.
INDEX_FILE: Final = "model.safetensors.index.json"
#: Longest file of settings that is read, in bytes; real ones have less than 300,000.
LONGEST_SETTINGS: Final = 4 << 20

#: Keys that name code, a template, or another folder; refused wherever they say anything.
REFUSED_KEYS: Final = frozenset(
    {
        "auto_map",
        "base_model_name_or_path",
        "chat_template",
        "custom_generate",
        "custom_pipelines",
        "kernel_config",
        "quantization_config",
        "trust_remote_code",
        "use_kernels",
    }
)
#: Keys that name a class or a method, with the names that a Whisper's may say.
ALLOWED_NAMES: Final[Mapping[str, frozenset[str]]] = {
    "architectures": frozenset({"WhisperForConditionalGeneration"}),
    "attn_implementation": frozenset({"eager", "sdpa"}),
    "_attn_implementation": frozenset({"eager", "sdpa"}),
    "feature_extractor_type": frozenset({"WhisperFeatureExtractor"}),
    "model_type": frozenset({"whisper"}),
    "processor_class": frozenset({"WhisperProcessor"}),
    "slow_tokenizer_class": frozenset({"WhisperTokenizer"}),
    "tokenizer_class": frozenset({"WhisperTokenizer", "WhisperTokenizerFast"}),
}


def refuse_code(folder: Path) -> None:
    """
    Refuse *folder* if it holds anything but a Whisper's data.

    Raises:
        InputError: E_MODEL, naming the first file that is not plain data, or says what it may not.
    """
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        # What begins with a dot is left by tools that fetch; no library looks for it.
        if file.is_file() and not f"/{name}".count("/."):
            _refuse_file(file, name)
    for name in SETTINGS_FILES:
        if (folder / name).is_file():
            _refuse_settings(folder / name)
    if (folder / INDEX_FILE).is_file():
        _refuse_index(folder / INDEX_FILE)


def _refuse_file(file: Path, name: str) -> None:
    if name == BINARY_FILE:
        if _read_head(file, 6 + len(BINARY_SPEC))[6:] != BINARY_SPEC:
            raise refusal(file, "it does not begin as a Whisper of CTranslate2 does")
    elif file.suffix == ".safetensors":
        # The length of a header in JSON, then the header.
        head = _read_head(file, 9)
        if head[8:] != b"{" or struct.unpack("<Q", head[:8])[0] > file.stat().st_size - 8:
            raise refusal(file, "it does not begin as safetensors do")
    elif name == "adapter_config.json":
        raise refusal(file, "an adapter is loaded with the base that it names; here a model is one whole")
    elif file.suffix.lower() not in PLAIN_SUFFIXES:
        raise refusal(file, f"files that end in {file.suffix} may hold code or a pickle")


def _read_head(file: Path, length: int) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(length)
    except OSError as error:
        raise refusal(file, f"it cannot be read ({explain(error)})") from error


def _refuse_settings(file: Path) -> None:
    settings = _read_settings(file)
    for key, content in _list_pairs(settings):
        if key in REFUSED_KEYS and content:
            raise refusal(file, f"it says {key}, which names what a library runs or fetches")
        names = content if isinstance(content, list) else [content]
        for name in names if key in ALLOWED_NAMES else []:
            if name is not None and name not in ALLOWED_NAMES[key]:
                raise refusal(file, f"{key} is {name!r}; allowed is {', '.join(sorted(ALLOWED_NAMES[key]))}")


def _refuse_index(file: Path) -> None:
    """Refuse an index that names anything but weights beside it."""
    parts = dict(_list_pairs(_read_settings(file))).get("weight_map")
    for part in parts.values() if isinstance(parts, dict) else [None]:
        if not isinstance(part, str) or not re.fullmatch(r"[\w-]+\.safetensors", part):
            raise refusal(file, f"it names {part!r}, which is no file of weights beside it")


def _read_settings(file: Path) -> Any:
    try:
        with file.open("rb") as stream:
            text = stream.read(LONGEST_SETTINGS + 1)
        if len(text) > LONGEST_SETTINGS:
            raise refusal(file, f"it is longer than {LONGEST_SETTINGS} bytes")
        return json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise refusal(file, f"it cannot be read ({explain(error)})") from error


def _list_pairs(content: object) -> Iterator[tuple[str, Any]]:
    """Yield every key with what it says, at any depth."""
    if isinstance(content, dict):
        for key, inner in content.items():
            yield key, inner
            yield from _list_pairs(inner)
    elif isinstance(content, list):
        for inner in content:
            yield from _list_pairs(inner)


def refusal(file: Path, reason: str) -> InputError:
    """Return the error that the model's folder is refused with because of *file*; the caller raises it."""
    message = f"the model in {file.parent} is not loaded because of {file.name}: {reason}"
    hint = "remove the file if the model needs it not, or fetch the folder again from a source that you trust"
    return InputError(message, code="E_MODEL", hint=hint, item=str(file))
