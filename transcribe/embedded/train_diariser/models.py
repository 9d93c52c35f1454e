"""The two networks, untrained, and the one way in which they are written to disk and read back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "false")

if TYPE_CHECKING:
    from pyannote.audio import Model

    from transcribe.backends.small_nets import SpeakerNet, TurnNet

SAMPLE_RATE_HZ = 16_000
#: Length of the chunks that both networks hear. Five seconds hold a few very short turns and seldom a fourth voice.
CHUNK_S = 5.0
CHUNK = int(CHUNK_S * SAMPLE_RATE_HZ)
#: Voices told apart within a chunk, and voices that may speak at once.
VOICES, AT_ONCE = 3, 2


def segmenter() -> TurnNet:
    """Untrained network from a waveform to classes of a powerset: silence, one of three voices, or two of them."""
    from pyannote.audio.core.task import Problem, Resolution, Specifications

    from transcribe.backends.small_nets import TurnNet

    model = TurnNet()
    model.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=CHUNK_S,
        classes=[f"voice{number}" for number in range(VOICES)],
        powerset_max_classes=AT_ONCE,
        permutation_invariant=True,
    )
    model.build()
    return model


def embedder() -> SpeakerNet:
    """Untrained network from a waveform and masks to one vector a voice."""
    from pyannote.audio.core.task import Problem, Resolution, Specifications

    from transcribe.backends.small_nets import SpeakerNet

    model = SpeakerNet()
    model.specifications = Specifications(
        problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=CHUNK_S, permutation_invariant=False
    )
    return model


def doubt_pairs(model: TurnNet, nats: float) -> None:
    """Make the network say that two speak at once only where it is surer by so many *nats* than it has learnt to be."""
    import torch

    with torch.no_grad():
        # In the library's order pairs come after nobody and each voice alone.
        model.classifier.bias[1 + VOICES :] -= nats


def save(model: Model, path: Path) -> None:
    """Write *model* as a checkpoint that ``pyannote.audio.Model.from_pretrained`` reads; parents are made."""
    import lightning
    import torch

    checkpoint = {
        "state_dict": {name: value.detach().cpu().clone() for name, value in model.state_dict().items()},
        "hyper_parameters": dict(model.hparams),
        "pytorch-lightning_version": lightning.__version__,
    }
    model.on_save_checkpoint(checkpoint)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    torch.save(checkpoint, fresh)
    fresh.replace(path)


def restore(model: Model, path: Path, *, parts: tuple[str, ...] = ()) -> bool:
    """
    Take the weights of *path* into *model*; false where there is no such file yet.

    With *parts* only layers whose names begin so are taken: what one network has learnt, another may begin with.
    """
    from transcribe.backends.checkpoint import read_pickle

    if not path.is_file():
        return False
    weights = read_pickle(path)["state_dict"]
    if parts:
        model.load_state_dict({name: one for name, one in weights.items() if name.startswith(parts)}, strict=False)
    else:
        model.load_state_dict(weights)
    return True
