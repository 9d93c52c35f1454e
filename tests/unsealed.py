"""The decoder as it is where processes cannot be sealed: the library for that cannot be imported."""

import importlib
import sys

sys.modules["pyseccomp"] = None  # type: ignore[assignment]

decode = importlib.import_module("transcribe.audio.decoding").decode
