"""
Corrections to a better model: a Whisper of transformers tuned on a frozen dataset.

    shards      audio of the passages in flat files         drawing    sampler of training windows
    script      target tokens of a window                   lessons    collator: one step's tensors
    hearing     forward pass that is cheap on short audio   learner    the network and its steps
    testing     validation on the dev part                  tuning     the whole, from dataset to folder
"""

from transcribe.training.tuning import TunedModel, TuneProgress, ValidationPoint, tune

__all__ = ["TuneProgress", "TunedModel", "ValidationPoint", "tune"]
