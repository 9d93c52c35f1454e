"""
How the embedded diariser was made, one command a stage; every stage reads and writes one working folder.

Each is run as ``python -m transcribe.embedded.train_diariser.STAGE --work FOLDER``, in this order:

================  =========================================================================
``bank``          clips of single voices, meetings with their truth -> ``bank/``
``segmentation``  learn who speaks when within five seconds -> ``segmentation.pt``
``embedding``     learn one vector a voice -> ``embedding.pt``
``tune``          try clusterings on held-out conversations -> ``clustering.json``, ``evened.pt``
``export``        the folder that ``Pipeline.from_pretrained`` loads -> ``models/diariser``
================  =========================================================================

Real speech comes from the folder named by BOLI_TEST_DATA (default ``../shared/data``).
"""
