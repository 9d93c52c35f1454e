"""
Load a pyannote network from its folder, or from a pickled checkpoint without running anything that the pickle names.

torch's restricted unpickler is given two lists: the records that hold the network's task, and libraries whose objects
are left out. Whatever else a pickle asks for ends the reading.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import pickle
import re
import warnings
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transcribe.backends.model_cache import cache_folder
from transcribe.backends.network_folder import (
    ARCHITECTURES,
    DOCUMENT_FILE,
    PICKLE_FILE,
    WEIGHTS_FILE,
    Network,
    NetworkDocument,
    TaskDocument,
    read_network,
    refusal,
    write_network,
)
from transcribe.errors import InputError

if TYPE_CHECKING:
    from pyannote.audio import Model

#: Parts of what training leaves in a checkpoint, which the network does not need: their objects become empty ones.
LEFT_OUT: Final = ("omegaconf.", "pytorch_lightning.", "lightning.", "torch.torch_version.", "pyannote.audio.")
#: Plain types that such objects are filled with.
PLAIN: Final = {f"builtins.{kind.__name__}": kind for kind in (dict, list, tuple, set, int, float, str, bool)}
#: Weights of what is only there while training.
TRAINING_ONLY: Final = ("loss_func.", "validation_metric.")


class Empty:
    """A stand-in for an object that nothing needs; takes whatever it is given and does nothing with it."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def __setstate__(self, state: object) -> None: ...

    def __hash__(self) -> int:
        return id(self)


def load_network(folder: Path) -> Model:
    """
    Build the network in *folder*; a pickle is read restricted, once, and kept as safetensors in the cache.

    Raises:
        InputError: E_MODEL, naming the file that is missing, damaged, unknown or asks to run code.
    """
    if (folder / DOCUMENT_FILE).is_file():
        source = folder / WEIGHTS_FILE
        network = read_network(folder)
    elif (folder / PICKLE_FILE).is_file():
        source = folder / PICKLE_FILE
        network = _read_once(source)
    else:
        raise refusal(folder / DOCUMENT_FILE, "there is no such file")
    try:
        return network.build()
    except (ValueError, TypeError, KeyError, RuntimeError) as error:
        raise refusal(source, f"they do not fit the network that is named with them ({error})") from error


def _read_once(pickled: Path) -> Network:
    """Read a pickle, or what was kept of the same bytes before; a cache that cannot be written costs only time."""
    with pickled.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    converted = cache_folder() / "converted" / digest
    if (converted / DOCUMENT_FILE).is_file():
        with contextlib.suppress(InputError):
            return read_network(converted)
    network = read_checkpoint(pickled)
    with contextlib.suppress(OSError):
        write_network(converted, network)
    return network


def replace_pickles(folder: Path) -> None:
    """
    Write every pickled network below *folder* again as safetensors and remove the pickle.

    Raises:
        InputError: E_MODEL, naming the pickle that holds anything but a known network.
    """
    for pickled in sorted(folder.rglob(PICKLE_FILE)):
        write_network(pickled.parent, read_checkpoint(pickled))
        pickled.unlink()


def read_checkpoint(file: Path) -> Network:
    """
    Read the network in *file*, a checkpoint of pyannote.audio written by ``torch.save``.

    Raises:
        InputError: E_MODEL, naming *file*, if it asks for code, is no such checkpoint, or is of an unknown network.
    """
    from pydantic import ValidationError

    checkpoint = read_pickle(file)
    try:
        record = checkpoint["pyannote.audio"]
        kind = record["architecture"]["class"]
        if record["architecture"]["module"] not in {ARCHITECTURES[kind].module, *ARCHITECTURES[kind].also}:
            raise KeyError(kind)
        init_parameters = inspect.signature(ARCHITECTURES[kind].network().__init__).parameters
        parameters = {name: value for name, value in checkpoint["hyper_parameters"].items() if name in init_parameters}
        document = NetworkDocument(
            architecture=kind, hyper_parameters=parameters, specifications=TaskDocument.of(record["specifications"])
        )
        weights = {
            name: tensor for name, tensor in checkpoint["state_dict"].items() if not name.startswith(TRAINING_ONLY)
        }
    except (KeyError, TypeError, AttributeError, ValidationError) as error:
        raise refusal(file, f"it is no checkpoint of a network that is known here ({error!r})") from error
    return Network(document=document, weights=weights)


def read_pickle(file: Path) -> dict[str, Any]:
    """
    Read a file of ``torch.save`` onto the CPU, restricted as this module says.

    Raises:
        InputError: E_MODEL, naming *file*, if it asks for anything else, or holds no dictionary.
    """
    import torch
    from torch.serialization import safe_globals

    try:
        # torch warns of a pickle that it then refuses.
        with safe_globals(list(_list_allowed(file))), warnings.catch_warnings(action="ignore"):
            content = torch.load(file, weights_only=True, map_location="cpu")
    except (pickle.UnpicklingError, RuntimeError, ValueError, TypeError, KeyError, IndexError, EOFError) as error:
        match = re.search(r"GLOBAL (\S+)", str(error))
        reason = f"it asks for {match[1]}" if match else f"it cannot be read as weights alone ({type(error).__name__})"
        raise refusal(file, reason) from error
    except (AttributeError, OSError, UnicodeDecodeError, AssertionError) as error:
        raise refusal(file, f"it is damaged ({error!r})") from error
    if not isinstance(content, dict):
        raise refusal(file, f"it holds a {type(content).__name__} where named weights belong")
    return content


def _list_allowed(file: Path) -> Iterator[tuple[Any, str]]:
    """Yield the object that each global of *file* stands for, if it is on a list of this module."""
    from pyannote.audio.core.task import Problem, Resolution, Specifications

    for record in (Problem, Resolution, Specifications):
        yield record, f"{record.__module__}.{record.__name__}"
    yield defaultdict, "collections.defaultdict"
    yield Empty, "typing.Any"
    yield from ((kind, name) for name, kind in PLAIN.items())
    for name in _list_globals(file):
        if name.startswith(LEFT_OUT) and not name.startswith("pyannote.audio.core.task."):
            yield Empty, name


def _list_globals(file: Path) -> list[str]:
    """Return the names that a zipped pickle asks for, nothing loaded; the old format, not zipped, gives none."""
    from torch.serialization import get_unsafe_globals_in_checkpoint

    try:
        return get_unsafe_globals_in_checkpoint(file)
    except (ValueError, RuntimeError, pickle.UnpicklingError):
        return []
