"""Build the folder of the real diariser from the two files of weights that the catalogue fetches."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
import yaml

from transcribe.backends.checkpoint import read_checkpoint, read_pickle
from transcribe.backends.network_folder import Network, NetworkDocument, TaskDocument, refusal, write_network
from transcribe.backends.pipeline_folder import CONFIG_FILE
from transcribe.backends.voice_grouping import Grouping

#: Mean of the encoder's unit vectors over the people of four corpora, each corpus counted once, ``(256,)``.
CENTRE_FILE: Final = Path(__file__).with_name("ge2e_centre.npy")

CONFIGURATION: Final[dict[str, Any]] = {
    "dependencies": {"pyannote.audio": "4.0.0"},
    "pipeline": {
        "name": "transcribe.backends.speaker_pipeline.TrackedDiarization",
        "params": {
            "segmentation": "$model/segmentation",
            "segmentation_batch_size": 32,
            "embedding": "$model/embedding",
            "embedding_batch_size": 32,
            "embedding_exclude_overlap": True,
            "clustering": "AgglomerativeClustering",
        },
    },
    "params": {
        "segmentation": {"threshold": 0.5, "min_duration_off": 0.1},
        # Cosine distance of two speakers.
        "clustering": {"method": "average", "min_cluster_size": 1, "threshold": 1 - Grouping().join},
    },
}


def build_diariser(segmentation: Path, encoder: Path, folder: Path) -> None:
    """
    Write a pipeline folder without pickles.

    Args:
        segmentation: Checkpoint of pyannote's segmentation network, checked.
        encoder: Resemblyzer's weights, checked.
        folder: Is made.

    Raises:
        InputError: E_MODEL, naming the file that does not hold such a network.
    """
    write_network(folder / "segmentation", read_checkpoint(segmentation))
    write_network(folder / "embedding", _read_encoder(encoder))
    (folder / CONFIG_FILE).write_text(yaml.safe_dump(CONFIGURATION, sort_keys=False), encoding="utf-8")


def _read_encoder(file: Path) -> Network:
    state = read_pickle(file).get("model_state")
    if not isinstance(state, dict):
        raise refusal(file, "it holds no model_state")
    weights = {name: tensor for name, tensor in state.items() if name.startswith(("lstm.", "linear."))}
    weights["centre"] = torch.from_numpy(np.load(CENTRE_FILE))
    task = TaskDocument(problem="REPRESENTATION", resolution="CHUNK", duration=5.0)
    document = NetworkDocument(architecture="Ge2eEncoder", hyper_parameters={}, specifications=task)
    return Network(document=document, weights=weights)
