"""
Corrections to a better model.

    finetune   a Whisper of transformers, from dataset to folder    preparation      what it starts with
    windows    training windows of transcribed speech               shards           their audio, their features
    collate    which are drawn, their targets, a step's tensors     augmentation     changes of sound
    whisper    forward pass that is cheap on short audio            trainer          the network and its steps
    validation errors on the dev part                               evaluate         two models on one frozen test
    convert    to CTranslate2, with proof                           derive           back to transformers, with proof
    loop       all of it, killed and run again                      gate             may the candidate draft or diarise?
    tracking   written down                                         decoding_search  a dialect's decoding profile

    diariser_loop, diariser_evaluation   the same for the diariser, from corrected_turns

Import from the modules: torch is imported only by those that compute.
"""
