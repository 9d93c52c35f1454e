"""
Other programs' formats, in and out. Each module is a family; ``formats`` finds them by name.

What is written is there whole or not at all. Texts go through unchanged, as far as the format has room for them.
"""

from transcribe.formats.formats import FORMATS, Written, read_texts, write_texts
from transcribe.formats.records import TimedText

__all__ = ["FORMATS", "TimedText", "Written", "read_texts", "write_texts"]
