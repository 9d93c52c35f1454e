"""
How the embedded diariser was made, one command a stage; every stage reads and writes one working folder.

Each is run as ``python -m transcribe.embedded.train_diariser.STAGE --work FOLDER``, in this order:

================  =========================================================================
``bank``          clips of single voices, meetings with their truth -> ``bank/``
``embedding``     learn one vector a voice -> ``embedding.pt``
``segmentation``  learn who speaks when within five seconds -> ``segmentation.pt``
``vectors``       make plain angles compare voices -> ``evened.pt``, ``vectors.npz``
``tune``          try clusterings on held-out conversations -> ``clustering.json``
``export``        the folder that ``Pipeline.from_pretrained`` loads -> ``models/diariser``
================  =========================================================================

Real speech comes from the folder named by BOLI_TEST_DATA (default ``../shared/data``).
"""
