"""Checkpoints as the library writes them, which is to say pickles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyannote.audio import Model


def write_checkpoint(model: Model, file: Path) -> Path:
    """Write *model* to *file* as ``pyannote.audio.Model.from_pretrained`` reads it; parents are made."""
    import lightning
    import torch

    checkpoint = {
        "state_dict": {name: weights.detach().cpu().clone() for name, weights in model.state_dict().items()},
        "hyper_parameters": dict(model.hparams),
        "pytorch-lightning_version": lightning.__version__,
    }
    model.on_save_checkpoint(checkpoint)
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.save(checkpoint, file)
    return file
