"""
Store one network of a pyannote pipeline as a folder without code: ``model.json`` and ``model.safetensors``.

The first names one of the networks below and its plain parameters, the second holds the weights. `checkpoint` brings
a folder that came with the pickle ``pytorch_model.bin`` instead to this form.
"""

from __future__ import annotations

import importlib
import inspect
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from transcribe.errors import InputError

if TYPE_CHECKING:
    import torch
    from pyannote.audio import Model
    from pyannote.audio.core.task import Specifications

DOCUMENT_FILE: Final = "model.json"
WEIGHTS_FILE: Final = "model.safetensors"
PICKLE_FILE: Final = "pytorch_model.bin"

Plain: TypeAlias = bool | int | float | str | None
Parameters: TypeAlias = dict[str, Plain | list[Plain] | dict[str, Plain | list[Plain]]]


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """The module and name of a network's class, and other modules under which checkpoints name it."""

    module: str
    name: str
    also: tuple[str, ...] = ()

    def network(self) -> type[Model]:
        """Import the class."""
        network: type[Model] = getattr(importlib.import_module(self.module), self.name)
        return network


def _library(kind: str, name: str, *, part: str) -> Architecture:
    package = f"pyannote.audio.models.{kind}"
    return Architecture(module=f"{package}.{part}", name=name, also=(package,))


#: The networks that a folder may hold. A name outside this table is refused and never imported.
ARCHITECTURES: Final[Mapping[str, Architecture]] = {
    "PyanNet": _library("segmentation", "PyanNet", part="PyanNet"),
    "WeSpeakerResNet34": _library("embedding", "WeSpeakerResNet34", part="wespeaker"),
    "XVectorSincNet": _library("embedding", "XVectorSincNet", part="xvector"),
    "XVectorMFCC": _library("embedding", "XVectorMFCC", part="xvector"),
    "TurnNet": Architecture(module="transcribe.backends.small_nets", name="TurnNet"),
    "SpeakerNet": Architecture(module="transcribe.backends.small_nets", name="SpeakerNet"),
    "Ge2eEncoder": Architecture(module="transcribe.backends.ge2e", name="Ge2eEncoder"),
}


class TaskDocument(BaseModel):
    """The task that a network was trained for, as pyannote's ``Specifications`` hold it; durations in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    problem: Literal["MONO_LABEL_CLASSIFICATION", "MULTI_LABEL_CLASSIFICATION", "REPRESENTATION"]
    resolution: Literal["FRAME", "CHUNK"]
    duration: float = Field(gt=0, le=60)
    min_duration: float | None = None
    warm_up: tuple[float, float] | None = (0.0, 0.0)
    classes: list[str] | None = Field(default=None, max_length=64)
    powerset_max_classes: int | None = Field(default=None, ge=1, le=8)
    permutation_invariant: bool = False

    @classmethod
    def of(cls, specifications: Specifications) -> TaskDocument:
        """Take the fields of pyannote's record; what it has computed beside them is left."""
        names = {name: vars(specifications)[name] for name in cls.model_fields if name in vars(specifications)}
        named = {"problem": specifications.problem.name, "resolution": specifications.resolution.name}
        return cls.model_validate(names | named)

    def specifications(self) -> Specifications:
        """Return pyannote's record of the same."""
        from pyannote.audio.core.task import Problem, Resolution, Specifications

        fields = self.model_dump() | {"problem": Problem[self.problem], "resolution": Resolution[self.resolution]}
        return Specifications(**fields)


class NetworkDocument(BaseModel):
    """The content of ``model.json``."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    document: Literal["boli.network/1"] = Field(default="boli.network/1", alias="schema")
    architecture: str
    hyper_parameters: Parameters
    specifications: TaskDocument


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network that was read and not yet built."""

    document: NetworkDocument
    #: Tensors by name, on the CPU.
    weights: Mapping[str, torch.Tensor]

    def build(self) -> Model:
        """
        Build the network with its weights, for use and not for training.

        Raises:
            ValueError, TypeError, RuntimeError: The parameters or weights are not those of its class.
        """
        network = _find_architecture(self.document.architecture)
        unknown = set(self.document.hyper_parameters) - set(inspect.signature(network.__init__).parameters)
        if unknown:
            raise ValueError(f"{self.document.architecture} has no parameter {', '.join(sorted(unknown))}")
        model = network(**self.document.hyper_parameters)
        model.specifications = self.document.specifications.specifications()
        # Adds the layers that depend on the task.
        model.setup()
        model.load_state_dict(dict(self.weights))
        model.eval()
        return model


def refusal(file: Path, reason: str) -> InputError:
    """Return the error that *file* of a model folder is refused with; the caller raises it."""
    message = f"the weights in {file} cannot be loaded: {reason}"
    hint = "fetch the folder again from a source that you trust; files that ask to run code are never loaded"
    return InputError(message, code="E_MODEL", hint=hint, item=str(file))


def read_network(folder: Path) -> Network:
    """
    Read ``model.json`` and ``model.safetensors`` of *folder*.

    Raises:
        InputError: E_MODEL, naming the file that cannot be read.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    description, weights = folder / DOCUMENT_FILE, folder / WEIGHTS_FILE
    try:
        document = NetworkDocument.model_validate_json(description.read_bytes())
        _find_architecture(document.architecture)
    except (OSError, ValidationError, ValueError) as error:
        raise refusal(description, str(error)) from error
    try:
        return Network(document=document, weights=load_file(weights))
    except (OSError, SafetensorError) as error:
        raise refusal(weights, str(error)) from error


def write_network(folder: Path, network: Network) -> None:
    """Write *network* into *folder*, which is made; each file is whole or not there."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in network.weights.items()}
    with tempfile.TemporaryDirectory(dir=folder) as part:
        (Path(part) / WEIGHTS_FILE).write_bytes(save(weights))
        text = json.dumps(network.document.model_dump(mode="json", by_alias=True), indent=1) + "\n"
        (Path(part) / DOCUMENT_FILE).write_text(text, encoding="utf-8")
        # The description last: a folder counts as one of this form once it is there.
        for name in (WEIGHTS_FILE, DOCUMENT_FILE):
            (Path(part) / name).replace(folder / name)


def _find_architecture(name: str) -> type[Model]:
    if name not in ARCHITECTURES:
        raise ValueError(f"the network {name} is not one of {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[name].network()
