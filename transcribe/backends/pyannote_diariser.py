"""
Diarise by a pipeline of pyannote.audio: the small embedded one or a large one through the same loader.

The library reports its use to its makers unless told not to; here it is told before it is imported.
"""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from transcribe.backends.hub import hub, hub_answers
from transcribe.backends.identity import folder_id, looks_like_hub_id
from transcribe.backends.model_catalogue import find_entry
from transcribe.backends.model_manifest import check_manifest
from transcribe.backends.processors import count_cores
from transcribe.errors import MissingError
from transcribe.protocols import SAMPLE_RATE_HZ, Diarisation, LabelledSpan, Pcm, SpeakerCount
from transcribe.records import Milliseconds

if TYPE_CHECKING:
    from pyannote.audio.pipelines import SpeakerDiarization
    from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput
    from pyannote.core import Annotation

Device = Literal["auto", "cpu", "cuda"]


class PyannoteDiariser:
    """
    A pyannote.audio pipeline as a `Diariser`.

    Args:
        model: Folder with a ``config.yaml``, or a hub id such as ``pyannote/speaker-diarization-community-1``.
        revision: Commit, tag or branch of a hub id.
        device: ``auto`` takes a GPU where there is one.
        threads: Threads of torch on a CPU, for the whole process; 0 leaves its default.
        allow_download: Whether a hub id that is not on this machine may be fetched.

    Raises:
        MissingError: If the library, the folder, the hub id or the GPU is not there; the hint mends it.
        InputError: E_MODEL if the folder holds something else than a pipeline of this library, or asks to run code;
            E_MODEL_CHECKSUM if a file of it is not what its manifest states.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        revision: str | None = None,
        device: Device = "auto",
        threads: int = 0,
        allow_download: bool = False,
    ) -> None:
        # The library reads this at each event, and opens its exporter when it is imported.
        os.environ["PYANNOTE_METRICS_ENABLED"] = "false"
        with hub(reachable=allow_download):
            # Before the library, which takes seconds to import: a model that is not here is told at once.
            folder = _find_folder(str(model), revision, allow_download=allow_download)
            check_manifest(folder)
            _need_library()
            self._pipeline = _load(folder, device)
        import torch

        # The recogniser runs beside it, and threads of both that wait for each other on the same cores do no work.
        torch.set_num_threads(threads or max(1, count_cores() // 2))
        self._id = folder_id(folder) if Path(model).is_dir() else f"{model}@{folder.name}"

    @property
    def id(self) -> str:
        """The hash of the folder's files, or hub id and commit."""
        return self._id

    @property
    def pipeline(self) -> SpeakerDiarization:
        """The library's pipeline, loaded."""
        return self._pipeline

    def diarise(self, pcm: Pcm, *, speakers: SpeakerCount = SpeakerCount()) -> Diarisation:
        """
        Find the turns in *pcm*; none where nobody speaks.

        Turns end with the recording at the latest. Labels are ``SPEAKER_00``, ``SPEAKER_01`` and so on.
        """
        import torch

        if not len(pcm):
            return Diarisation(turns=(), exclusive=())
        waveform = torch.from_numpy(np.asarray(pcm, dtype=np.float32) / 32_768)[None]
        counts = {
            "num_speakers": speakers.exactly,
            "min_speakers": speakers.at_least,
            "max_speakers": speakers.at_most,
        }
        hints = {name: count for name, count in counts.items() if count is not None}
        with _redirect_output():
            output = self._pipeline({"waveform": waveform, "sample_rate": SAMPLE_RATE_HZ}, **hints)
        end = len(pcm) * 1_000 // SAMPLE_RATE_HZ
        return Diarisation(
            turns=_collect_spans(output.speaker_diarization, end),
            exclusive=_collect_spans(output.exclusive_speaker_diarization, end),
            voices=_collect_voices(output),
        )


def _need_library() -> None:
    try:
        with _redirect_output():
            import pyannote.audio  # noqa: F401 - whether it imports is the question
    except ImportError as reason:
        raise MissingError(
            f"diarisation was asked for, but pyannote.audio cannot be imported ({reason})",
            code="E_EXTRA",
            hint="run: pip install 'boli[diarise]'",
        ) from reason


def _load(folder: Path, device: Device) -> SpeakerDiarization:
    import torch

    from transcribe.backends.pipeline_folder import load_pipeline
    from transcribe.backends.pyannote_embeddings import share_trunk

    if device == "cuda" and not torch.cuda.is_available():
        raise MissingError(
            "the diariser was told to use a GPU, but torch finds none",
            code="E_GPU",
            hint="set diariser.device to auto or cpu",
        )
    with _redirect_output():
        pipeline = load_pipeline(folder)
    # Older pipelines give the bare annotation unless told otherwise.
    pipeline.legacy = False
    share_trunk(pipeline)
    if device != "cpu" and torch.cuda.is_available():
        pipeline.to(torch.device("cuda"))
    return pipeline


def _find_folder(model: str, revision: str | None, *, allow_download: bool) -> Path:
    """Return the folder of the pipeline's files on this machine, fetched first where that is needed and allowed."""
    local = Path(model).expanduser()
    if local.is_dir():
        if not (local / "config.yaml").is_file():
            raise MissingError(
                f"a pyannote pipeline was expected in the folder {model}, but it holds no config.yaml",
                code="E_MODEL",
                hint="set diariser.model to embedded, or to the folder that holds config.yaml",
            )
        return local
    if not looks_like_hub_id(model):
        raise MissingError(
            f"the diariser {model} is neither a folder here nor a hub id",
            code="E_MODEL",
            hint="set diariser.model to embedded, to a folder with config.yaml, or to an id such as OWNER/NAME",
        )
    from huggingface_hub import snapshot_download

    answers = allow_download and hub_answers()
    try:
        # A hub that does not answer leaves what was fetched before.
        return Path(snapshot_download(model, revision=revision, local_files_only=not answers))
    except Exception as reason:
        # The hub's client raises dozens of kinds for "not here"; all of them mean one thing to the user.
        refusal = f"the hub did not give it ({type(reason).__name__})" if answers else "the hub does not answer"
        raise _missing_error(model, refusal if allow_download else "downloads are off") from reason


def _missing_error(model: str, why: str) -> MissingError:
    entry = find_entry(model)
    fetching = f"hf download {model}" if entry is None else entry.command
    return MissingError(
        f"the diariser {model} was asked for, but it is not on this machine: {why}",
        code="E_MODEL",
        hint=(
            f"accept its conditions at https://hf.co/{model} and run: hf auth login && {fetching}; "
            "or set diariser.model to embedded or to a folder with config.yaml"
        ),
    )


@contextlib.contextmanager
def _redirect_output() -> Iterator[None]:
    """Send what the library prints to standard error, since standard output carries the result; drop its warnings."""
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _collect_voices(output: DiarizeOutput) -> dict[str, tuple[float, ...]]:
    """Return unit vectors of the voices by label; a voice that no vector could be made of is left out."""
    vectors = output.speaker_embeddings
    if vectors is None:
        return {}
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    labelled_units = zip(output.speaker_diarization.labels(), units, strict=False)
    return {str(label): tuple(unit.tolist()) for label, unit in labelled_units if np.isfinite(unit).all()}


def _collect_spans(annotation: Annotation, end: Milliseconds) -> tuple[LabelledSpan, ...]:
    """Return the turns of *annotation* in whole milliseconds within the recording, by start, then label."""
    turns: list[Any] = [
        (max(0, round(turn.start * 1_000)), min(end, round(turn.end * 1_000)), str(label))
        for turn, _, label in annotation.itertracks(yield_label=True)
    ]
    spans = [LabelledSpan(start=start, end=stop, label=label) for start, stop, label in turns if start < stop]
    return tuple(sorted(spans, key=lambda span: (span.start, span.label, span.end)))
