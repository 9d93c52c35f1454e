"""
Corrections to a better model: a Whisper of transformers tuned on a frozen dataset.

    passages    what can be taught, and windows of it       drawing    which window is next
    shards      its sound, cut once                         script     what the decoder is to write
    hearing     a Whisper that short sound costs little     lessons    one step's tensors
    learner     the network and its steps                   testing    the dev part, heard while tuning
    tuning      the whole, from dataset to folder
"""

from transcribe.finetune.tuning import Point, Trained, TuneStep, tune

__all__ = ["Point", "Trained", "TuneStep", "tune"]
