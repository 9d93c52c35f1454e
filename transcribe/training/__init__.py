"""
Corrections to a better model.

    finetune     a Whisper of transformers, from dataset to folder   preparation      what it starts with
    windows      training windows of transcribed speech              sampler          which are drawn for a step
    shards       audio of the windows in flat files                  sources          sound of a window, augmentation
    targets      target tokens of a window                           collate          one step's tensors
    whisper      forward pass that is cheap on short audio           trainer          the network and its steps
    candidates   sampled softmax                                     validation       errors on the dev part
    convert      to CTranslate2, with proof                          derive           back to transformers, with proof
    evaluate     two models on one frozen test                       gate             may the candidate draft?
    loop         all of it, killed and run again                     tracking         written down
    hotwords     words that drafts miss                              decoding_search  a dialect's decoding profile

    diariser_loop, diariser_evaluation, diariser_gate   the same for the diariser, from corrected_turns

Import from the modules: torch is imported only by those that compute.
"""
