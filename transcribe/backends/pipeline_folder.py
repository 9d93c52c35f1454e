"""
Load the folder of a pyannote pipeline without running anything that the folder names.

The library's own loader imports every class that a ``config.yaml`` names and unpickles what lies beside it. Here the
configuration is held against a list of what it may say, networks come from `network_folder`, and files outside the
folder are out of reach.
"""

from __future__ import annotations

import importlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from transcribe.backends.checkpoint import load_network
from transcribe.errors import InputError, explain

if TYPE_CHECKING:
    from pyannote.audio.core.plda import PLDA
    from pyannote.audio.pipelines import SpeakerDiarization

CONFIG_FILE: Final = "config.yaml"
#: Longest configuration that is read, in bytes; real ones have some five hundred.
LONGEST_CONFIG: Final = 65_536

#: The pipelines that a configuration may name, and where their classes lie.
PIPELINES: Final[Mapping[str, tuple[str, str]]] = {
    "pyannote.audio.pipelines.SpeakerDiarization": ("pyannote.audio.pipelines", "SpeakerDiarization"),
    "pyannote.audio.pipelines.speaker_diarization.SpeakerDiarization": (
        "pyannote.audio.pipelines",
        "SpeakerDiarization",
    ),
    "transcribe.backends.small_pipeline.DiarizationInContext": (
        "transcribe.backends.small_pipeline",
        "DiarizationInContext",
    ),
    "transcribe.backends.speaker_pipeline.TrackedDiarization": (
        "transcribe.backends.speaker_pipeline",
        "TrackedDiarization",
    ),
}

#: A part of the folder: one name, so that no path leads out of it.
Part: TypeAlias = Annotated[str, Field(pattern=r"^\$model/[A-Za-z0-9_-]+$")]


class _Allowed(BaseModel):
    """A part of a configuration. An unknown key is refused, since the library's loader might run what it names."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, protected_namespaces=())


class GroupingParameters(_Allowed):
    """Thresholds of speakers that were tuned, by the names of `transcribe.backends.voice_grouping.Grouping`."""

    cut: float = Field(ge=-1, le=1)
    short: float = Field(ge=0, le=1)
    apart: float = Field(ge=0, le=1)
    same_track: float = Field(ge=0, le=1)
    near: float = Field(ge=0, le=1)
    near_s: float = Field(ge=0, le=60)
    smallest_s: float = Field(ge=0, le=600)
    smallest_share: float = Field(ge=0, le=0.5)


class PipelineParts(_Allowed):
    """The networks of a pipeline and how they are run."""

    segmentation: Part
    segmentation_step: float = Field(default=0.1, gt=0, le=1)
    segmentation_batch_size: int = Field(default=1, ge=1)
    embedding: Part
    embedding_batch_size: int = Field(default=1, ge=1)
    embedding_exclude_overlap: bool = False
    plda: Part | None = None
    #: Of `TrackedDiarization` alone.
    grouping: GroupingParameters | None = None
    clustering: Literal["VBxClustering", "AgglomerativeClustering", "KMeansClustering"] = "VBxClustering"


class NamedPipeline(_Allowed):
    """The pipeline's class and its parts."""

    name: str
    params: PipelineParts


class SegmentationParameters(_Allowed):
    """Thresholds of turns; durations in seconds."""

    threshold: float | None = None
    min_duration_off: float | None = None
    min_duration_on: float | None = None


class ClusteringParameters(_Allowed):
    """Thresholds of speakers."""

    threshold: float | None = None
    method: Literal["average", "centroid", "complete", "median", "pool", "single", "ward", "weighted"] | None = None
    min_cluster_size: int | None = None
    Fa: float | None = None
    Fb: float | None = None


class Thresholds(_Allowed):
    """The parameters that were tuned."""

    segmentation: SegmentationParameters = SegmentationParameters()
    clustering: ClusteringParameters = ClusteringParameters()


class PipelineDocument(_Allowed):
    """All that a ``config.yaml`` may say."""

    dependencies: dict[Literal["pyannote.audio"], str | float] = {}
    pipeline: NamedPipeline
    params: Thresholds = Thresholds()


def read_configuration(folder: Path) -> PipelineDocument:
    """
    Read and check ``config.yaml`` of *folder*; nothing that it names is imported.

    Raises:
        InputError: E_MODEL, naming the file and each key that is not allowed.
    """
    file = folder / CONFIG_FILE
    try:
        with file.open("rb") as stream:
            text = stream.read(LONGEST_CONFIG + 1)
        if len(text) > LONGEST_CONFIG:
            raise refusal(file, f"it is longer than {LONGEST_CONFIG} bytes")
        document = PipelineDocument.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        raise refusal(file, _sentence(error)) from error
    except (OSError, yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise refusal(file, f"it cannot be read ({explain(error)})") from error
    if document.pipeline.name not in PIPELINES:
        raise refusal(file, f"pipeline.name is {document.pipeline.name}, allowed are {', '.join(sorted(PIPELINES))}")
    return document


def refusal(file: Path, reason: str) -> InputError:
    """Return the error that the configuration *file* is refused with; the caller raises it."""
    message = f"the pipeline described in {file} cannot be loaded: {reason}"
    hint = "set diariser.model to embedded, or fetch the folder again; what names code of its own is never loaded"
    return InputError(message, code="E_MODEL", hint=hint, item=str(file))


def _sentence(error: ValidationError) -> str:
    faults = []
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"]) or "the file"
        reason = "is not allowed" if fault["type"] == "extra_forbidden" else fault["msg"]
        faults.append(f"{key}: {reason}")
    return "; ".join(faults)


def load_pipeline(folder: Path) -> SpeakerDiarization:
    """
    Build the pipeline in *folder*.

    Raises:
        InputError: E_MODEL, naming the file that is missing, damaged, not allowed or asks to run code.
    """
    document = read_configuration(folder)
    parts = document.pipeline.params
    # The library's pipelines know no grouping: where none is named, they are given none.
    built: dict[str, Any] = parts.model_dump(exclude={"grouping"} if parts.grouping is None else None) | {
        "segmentation": load_network(_inside(folder, parts.segmentation)),
        "embedding": load_network(_inside(folder, parts.embedding)),
        "plda": _no_plda() if parts.plda is None else _load_plda(_inside(folder, parts.plda)),
    }
    module, name = PIPELINES[document.pipeline.name]
    try:
        pipeline: SpeakerDiarization = getattr(importlib.import_module(module), name)(**built)
        pipeline.instantiate(document.params.model_dump(exclude_none=True))
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        raise refusal(folder / CONFIG_FILE, f"{type(error).__name__}: {error}") from error
    return pipeline


def _inside(folder: Path, part: str) -> Path:
    return folder / part.removeprefix("$model/")


def _load_plda(folder: Path) -> PLDA:
    """Read the two matrices of numbers."""
    from pyannote.audio.core.plda import PLDA

    files = (folder / "xvec_transform.npz", folder / "plda.npz")
    for file in files:
        _refuse_objects(file)
    try:
        return PLDA(*files)
    except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, IndexError) as error:
        raise _plda_error(folder, error) from error


def _refuse_objects(file: Path) -> None:
    """Refuse a file that would need unpickling, or cannot be read; the library leaves such a one open."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            list(arrays.values())
    except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise _plda_error(file, error) from error


def _plda_error(path: Path, error: Exception) -> InputError:
    hint = "fetch the folder again from a source that you trust"
    return InputError(f"the PLDA in {path} cannot be loaded: {error}", code="E_MODEL", hint=hint, item=str(path))


def _no_plda() -> PLDA:
    """Return what stands for the PLDA of a clustering that uses none; without it the library asks its hub for one."""
    from pyannote.audio.core.plda import PLDA

    return PLDA.__new__(PLDA)
