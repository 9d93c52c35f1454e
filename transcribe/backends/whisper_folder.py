"""Find a Whisper in CTranslate2's format, check that it is whole, and read what it was made for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transcribe.backends.hub import hub, hub_answers
from transcribe.backends.identity import folder_id, looks_like_hub_id
from transcribe.backends.model_catalogue import find_entry
from transcribe.backends.model_manifest import check_manifest
from transcribe.backends.plain_folder import refuse_code
from transcribe.errors import InputError, MissingError
from transcribe.protocols import LONGEST_WINDOW
from transcribe.records import Milliseconds

if TYPE_CHECKING:
    from tokenizers import Tokenizer

#: Beside the weights: what the model was made for. ``{"window_ms": 10000, "prompt": false}``.
MANNERS_FILE = "boli.json"

#: Without these faster-whisper fails late, or asks the hub for what is missing.
NEEDED = ("model.bin", "config.json", "tokenizer.json")

#: Shortest and longest window that makes sense: Whisper hears 30 s.
WINDOWS = range(1_000, 30_001)


@dataclass(frozen=True, kw_only=True)
class WhisperFolder:
    """A model folder on this machine that was checked and not loaded."""

    path: Path
    #: Hash of its files.
    id: str
    #: Longest window that the model was made for.
    window: Milliseconds
    #: Whether it understands a prompt and hotwords.
    takes_prompt: bool


def find(model: str, *, allow_download: bool) -> WhisperFolder:
    """
    Find the folder that *model* names: a path, or a hub id or size that is fetched first, where that is allowed.

    Raises:
        MissingError: It is not on this machine and may not be, or cannot be, fetched; the hint mends it.
        InputError: E_MODEL if the folder is no Whisper in CTranslate2's format, or holds more than data;
            E_MODEL_CHECKSUM if a file of it is not what its manifest states.
    """
    folder = Path(model).expanduser()
    if not folder.is_dir():
        if "/" in model and not looks_like_hub_id(model):
            raise _missing_error(model, "there is no such folder", "name a folder that holds model.bin, or a hub id")
        folder = _fetch(model, allow_download=allow_download)
    for name in NEEDED:
        if not (folder / name).is_file():
            hint = "convert it with ct2-transformers-converter --copy_files tokenizer.json preprocessor_config.json"
            raise refusal(folder, f"it holds no {name}", hint)
    check_manifest(folder)
    refuse_code(folder)
    window, takes_prompt = read_manners(folder)
    return WhisperFolder(path=folder, id=folder_id(folder), window=window, takes_prompt=takes_prompt)


def refusal(folder: Path, what: str, hint: str = "convert it again from its source") -> InputError:
    """Return the error about a faulty model folder."""
    message = f"{folder} is not a Whisper model in CTranslate2's format: {what}"
    return InputError(message, code="E_MODEL", hint=hint, item=str(folder))


def _missing_error(model: str, why: str, hint: str) -> MissingError:
    message = f"the recogniser {model} is not on this machine: {why}"
    return MissingError(message, code="E_MODEL", hint=hint, item=model)


def _fetch(model: str, *, allow_download: bool) -> Path:
    """
    Return the hub's folder on this machine, also where the hub is down; no request leaves it unless *allow_download*.
    """
    elsewhere = f"set recogniser.model to a folder that holds {model}"
    answers = allow_download and hub_answers()
    with hub(reachable=answers):
        from faster_whisper.utils import download_model

        try:
            return Path(download_model(model, local_files_only=not answers))
        except Exception as error:
            # The hub's client raises dozens of kinds for "not here"; all of them mean one thing to the user.
            if answers:
                raise _missing_error(model, f"the hub did not give it ({type(error).__name__})", elsewhere) from error
            if allow_download:
                raise _missing_error(model, "the hub does not answer", f"check the line, or {elsewhere}") from error
            entry = find_entry(model)
            get = "" if entry is None else f"{entry.command} or "
            hint = f"{get}BOLI_MODELS__ALLOW_DOWNLOAD=true boli run fetches it; or {elsewhere}"
            raise _missing_error(model, "downloads are off", hint) from error


def read_manners(folder: Path) -> tuple[Milliseconds, bool]:
    """
    Return the longest window that the model in *folder* was made for, and whether it understands a prompt.

    Raises:
        InputError: E_MODEL if the file that says so cannot be read.
    """
    file = folder / MANNERS_FILE
    document: Any = {}
    if file.is_file():
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise refusal(folder, f"{MANNERS_FILE} is no JSON ({error})") from error
    manners: dict[str, Any] = {"window_ms": LONGEST_WINDOW, "prompt": True} | (
        document if isinstance(document, dict) else {"prompt": None}
    )
    if manners["window_ms"] not in WINDOWS or not isinstance(manners["prompt"], bool):
        wanted = f"window_ms, {WINDOWS.start} to {WINDOWS.stop - 1}, and prompt, true or false"
        raise refusal(folder, f"{MANNERS_FILE} says {document!r}", f"it may say {wanted}")
    return manners["window_ms"], manners["prompt"]


def read_tokenizer(folder: Path) -> Tokenizer:
    """
    Read ``tokenizer.json`` of *folder*, of either format.

    Raises:
        InputError: E_MODEL, naming the file, if it is no tokenizer.
    """
    import tokenizers

    file = folder / "tokenizer.json"
    try:
        return tokenizers.Tokenizer.from_file(str(file))
    except Exception as error:
        # The library raises Exception itself.
        hint = "fetch the folder again from a source that you trust"
        message = f"the tokenizer in {file} cannot be read: {error}"
        raise InputError(message, code="E_MODEL", hint=hint, item=str(file)) from error
