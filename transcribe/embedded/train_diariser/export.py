"""Put the trained networks, the PLDA files and the tuned clustering into the folder that the library loads."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from transcribe.embedded.train_diariser import models

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Where the package keeps the folder.
PLACE = Path(__file__).parents[1] / "models" / "diariser"


def configuration(clustering: Mapping[str, object]) -> dict[str, object]:
    """The pipeline's own description, without names of files outside the folder; *clustering* is what `tune` chose."""
    return {
        "dependencies": {"pyannote.audio": "4.0.0"},
        "pipeline": {
            "name": "transcribe.backends.small_pipeline.DiarizationInContext",
            "params": {
                "segmentation": "$model/segmentation",
                "segmentation_step": clustering["step"],
                "segmentation_batch_size": 32,
                "embedding": "$model/embedding",
                "embedding_batch_size": 32,
                "embedding_exclude_overlap": True,
                "plda": "$model/plda",
                "clustering": clustering["name"],
            },
        },
        "params": {
            "segmentation": {"min_duration_off": clustering["min_duration_off"]},
            "clustering": clustering["params"],
        },
    }


def write_plda(folder: Path, vectors: NDArray[np.float64], voices: NDArray[np.int64]) -> None:
    """
    Fit and write the two files of the library's PLDA, in the layout of the VBx recipe (Landini et al. 2022).

    Args:
        folder: Takes ``xvec_transform.npz`` (``mean1``, ``lda``, ``mean2``) and ``plda.npz`` (``mu``, ``tr``, ``psi``).
        vectors: ``(count, dimension)`` embeddings of training voices.
        voices: ``(count,)`` whose each is.
    """
    import numpy as np
    from scipy.linalg import eigh

    dimension = vectors.shape[1]
    mean1 = vectors.mean(axis=0)
    unit = np.sqrt(dimension) * _unit(vectors - mean1)
    # No dimension is dropped: with a hundred of them there is nothing to save, so the LDA only turns and scales.
    within, between = scatter(unit, voices)
    _, directions = eigh(between, within)
    lda = directions[:, ::-1]
    turned = unit @ lda
    mean2 = turned.mean(axis=0)
    ready = np.sqrt(dimension) * _unit(turned - mean2)
    within, between = scatter(ready, voices)
    psi, basis = eigh(between, within)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "xvec_transform.npz", mean1=mean1, lda=lda, mean2=mean2)
    np.savez(folder / "plda.npz", mu=ready.mean(axis=0), tr=basis[:, ::-1].T, psi=np.maximum(psi[::-1], 1e-6))


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def scatter(vectors: NDArray[np.float64], voices: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Covariance within voices and between their means; a small ridge keeps the first invertible."""
    import numpy as np

    labels, places, counts = np.unique(voices, return_inverse=True, return_counts=True)
    means = np.stack([vectors[voices == label].mean(axis=0) for label in labels])
    apart = vectors - means[places]
    within = apart.T @ apart / len(vectors)
    centred = (means - vectors.mean(axis=0)) * np.sqrt(counts / len(vectors))[:, None]
    ridge = 1e-3 * np.trace(within) / len(within) * np.eye(len(within))
    return within + ridge, centred.T @ centred + 1e-6 * np.eye(len(within))


def write(folder: Path, work: Path) -> None:
    """Fill *folder* from the results of the earlier stages in *work*; files of an earlier export are replaced."""
    import numpy as np
    import yaml

    from transcribe.backends.network_folder import Network, document_of, write_network

    clustering = json.loads((work / "clustering.json").read_text(encoding="utf-8"))
    vectors = np.load(work / "vectors.npz")
    folder.mkdir(parents=True, exist_ok=True)
    parts = (("segmentation", models.segmenter(), "segmentation.pt"), ("embedding", models.embedder(), "evened.pt"))
    for name, model, weights in parts:
        models.restore(model, work / weights)
        if name == "segmentation":
            models.doubt_pairs(model, clustering["doubt"])
        write_network(folder / name, Network(document=document_of(model), weights=model.state_dict()))
    write_plda(folder / "plda", vectors["vectors"].astype(np.float64), vectors["voices"])
    text = yaml.safe_dump(configuration(clustering), sort_keys=False)
    (folder / "config.yaml").write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder of the earlier stages")
    parser.add_argument("--to", type=Path, default=PLACE, help="folder to fill")
    options = parser.parse_args()
    write(options.to, options.work)
    size = sum(file.stat().st_size for file in options.to.rglob("*") if file.is_file())
    print(f"{options.to}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
