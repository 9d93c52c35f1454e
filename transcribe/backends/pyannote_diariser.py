"""
Who speaks when, by a pipeline of pyannote.audio: the small embedded one or a large one through the same loader.

The library reports its use to its makers unless told not to; here it is told before it is imported.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from transcribe.backends.identity import folder_id
from transcribe.errors import InputError, MissingError
from transcribe.protocols import SAMPLE_RATE_HZ, Diarisation, LabelledSpan, Pcm, SpeakerCount
from transcribe.records import Milliseconds

if TYPE_CHECKING:
    from pyannote.audio.pipelines import SpeakerDiarization
    from pyannote.core import Annotation

Device = Literal["auto", "cpu", "cuda"]

#: Seconds after which a hub that does not answer counts as out of reach.
PATIENCE_S = 4.0


class PyannoteDiariser:
    """
    A pyannote.audio pipeline as a `Diariser`.

    Args:
        place: Folder with a ``config.yaml``, or a hub id such as ``pyannote/speaker-diarization-community-1``.
        revision: Commit, tag or branch of a hub id.
        device: ``auto`` takes a GPU where there is one.
        threads: Threads of torch on a CPU, for the whole process; 0 leaves its default.
        allow_download: Whether a hub id that is not on this machine may be fetched.

    Raises:
        MissingError: If the library, the folder, the hub id or the GPU is not there; the hint mends it.
        InputError: If the folder holds something else than a pipeline of this library.
    """

    def __init__(
        self,
        place: str | Path,
        *,
        revision: str | None = None,
        device: Device = "auto",
        threads: int = 0,
        allow_download: bool = False,
    ) -> None:
        # The library reads this at each event, and opens its exporter when it is imported.
        os.environ["PYANNOTE_METRICS_ENABLED"] = "false"
        _need_library()
        with _hub(reachable=allow_download):
            folder = _folder(str(place), revision, allow_download=allow_download)
            self._pipeline = _load(folder, str(place), device)
        if threads:
            import torch

            torch.set_num_threads(threads)
        self._id = folder_id(folder) if Path(place).is_dir() else f"{place}@{folder.name}"

    @property
    def id(self) -> str:
        """Hash of the folder's files, or hub id and commit."""
        return self._id

    def diarise(self, pcm: Pcm, *, speakers: SpeakerCount = SpeakerCount()) -> Diarisation:
        """
        Who speaks when in *pcm*; no turns where nobody does.

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
        known = {name: count for name, count in counts.items() if count is not None}
        with _quiet():
            found = self._pipeline({"waveform": waveform, "sample_rate": SAMPLE_RATE_HZ}, **known)
        end = len(pcm) * 1_000 // SAMPLE_RATE_HZ
        return Diarisation(
            turns=_spans(found.speaker_diarization, end), exclusive=_spans(found.exclusive_speaker_diarization, end)
        )


def _need_library() -> None:
    try:
        with _quiet():
            import pyannote.audio  # noqa: F401 - whether it imports is the question
    except ImportError as reason:
        raise MissingError(
            f"diarisation was asked for, but pyannote.audio cannot be imported ({reason})",
            code="E_EXTRA",
            hint="run: pip install 'boli[diarise]'",
        ) from reason


def _load(folder: Path, place: str, device: Device) -> SpeakerDiarization:
    import torch
    from pyannote.audio import Pipeline

    from transcribe.backends.pyannote_embeddings import share_trunk

    if device == "cuda" and not torch.cuda.is_available():
        raise MissingError(
            "the diariser was told to use a GPU, but torch finds none",
            code="E_GPU",
            hint="set diariser.device to auto or cpu",
        )
    try:
        with _quiet():
            pipeline: SpeakerDiarization = Pipeline.from_pretrained(str(folder))
            # Older pipelines give the bare annotation unless told otherwise.
            pipeline.legacy = False
    except Exception as reason:
        # YAML, unpickling, key, type and version errors all mean one thing to the user.
        raise InputError(
            f"a pyannote pipeline was expected in {place}, but it cannot be loaded ({type(reason).__name__}: {reason})",
            code="E_MODEL",
            hint="set diariser.model to embedded, or fetch the folder again",
            item=place,
        ) from reason
    share_trunk(pipeline)
    if device != "cpu" and torch.cuda.is_available():
        pipeline.to(torch.device("cuda"))
    return pipeline


def _folder(place: str, revision: str | None, *, allow_download: bool) -> Path:
    """Where the pipeline's files are on this machine, fetched first where that is needed and allowed."""
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    local = Path(place).expanduser()
    if local.is_dir():
        if not (local / "config.yaml").is_file():
            raise MissingError(
                f"a pyannote pipeline was expected in the folder {place}, but it holds no config.yaml",
                code="E_MODEL",
                hint="set diariser.model to embedded, or to the folder that holds config.yaml",
            )
        return local
    if allow_download and not _answers(huggingface_hub.constants.ENDPOINT):
        allow_download = False
    try:
        return Path(huggingface_hub.snapshot_download(place, revision=revision, local_files_only=not allow_download))
    except HFValidationError as reason:
        raise MissingError(
            f"the diariser {place} is neither a folder here nor a hub id",
            code="E_MODEL",
            hint="set diariser.model to embedded, to a folder with config.yaml, or to an id such as OWNER/NAME",
        ) from reason
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as reason:
        raise _absent(place, f"{type(reason).__name__}") from reason


def _absent(place: str, reason: str) -> MissingError:
    return MissingError(
        f"the diariser {place} was asked for, but it is not on this machine ({reason})",
        code="E_MODEL",
        hint=(
            f"accept its conditions at https://hf.co/{place} and run: hf auth login && hf download {place}; "
            "or set diariser.model to embedded or to a folder with config.yaml"
        ),
    )


def _answers(endpoint: str) -> bool:
    """Whether the hub answers at all within `PATIENCE_S`; names that never resolve would block for longer."""
    from huggingface_hub import get_session

    answered = threading.Event()

    def ask() -> None:
        with contextlib.suppress(Exception):
            get_session().head(endpoint, timeout=PATIENCE_S)
            answered.set()

    threading.Thread(target=ask, daemon=True).start()
    return answered.wait(PATIENCE_S)


@contextlib.contextmanager
def _hub(*, reachable: bool) -> Iterator[None]:
    """
    Keep the hub's client off the network unless *reachable*.

    The client reads its switch once, when it is imported, which another part of the program may have done.
    """
    if reachable:
        yield
        return
    before = os.environ.get("HF_HUB_OFFLINE")
    os.environ["HF_HUB_OFFLINE"] = "1"
    from huggingface_hub import constants

    switch, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = switch
        if before is None:
            del os.environ["HF_HUB_OFFLINE"]
        else:
            os.environ["HF_HUB_OFFLINE"] = before


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Send what the library prints to standard error, since standard output carries the result; drop its warnings."""
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _spans(annotation: Annotation, end: Milliseconds) -> tuple[LabelledSpan, ...]:
    """Turns of *annotation* in whole milliseconds within the recording, by start, then label."""
    found: list[Any] = [
        (max(0, round(turn.start * 1_000)), min(end, round(turn.end * 1_000)), str(label))
        for turn, _, label in annotation.itertracks(yield_label=True)
    ]
    spans = [LabelledSpan(start=start, end=stop, label=label) for start, stop, label in found if start < stop]
    return tuple(sorted(spans, key=lambda span: (span.start, span.label, span.end)))
