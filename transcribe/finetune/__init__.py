"""
Corrections to a better model: a Whisper of transformers tuned on a frozen dataset.

    shards      sound cut once                              drawing    which window is next
    script      what the decoder is to write                lessons    one step's tensors
    hearing     a Whisper that short sound costs little     learner    the network and its steps
    testing     the dev part, heard while tuning            tuning     the whole, from dataset to folder
"""

from transcribe.finetune.tuning import Point, Trained, TuneStep, tune

__all__ = ["Point", "Trained", "TuneStep", "tune"]
