"""The small models and the demo's corpus that ship with the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

#: What settings call the models that ship here.
NAME = "embedded"


def whisper() -> Path:
    """Folder of the small Whisper in CTranslate2's format."""
    return _folder("models", "whisper")


def whisper_for_training() -> Path:
    """Folder of the same model for transformers: what fine-tuning starts from."""
    return _folder("models", "whisper-hf")


def diariser() -> Path:
    """Folder of the small pyannote pipeline."""
    return _folder("models", "diariser")


def demo_corpus() -> Path:
    """Folder of the demo's conversations, with their manifest, turns and texts."""
    return _folder("demo")


def _folder(*parts: str) -> Path:
    return Path(str(files(__package__).joinpath(*parts)))
