"""The detection of hallucinations by the two texts of one segment alone."""

from __future__ import annotations

from typing import Final

from dialects.breakdown import has_loop
from dialects.preparing import Prepared

#: So many words in a row that answer to nothing said are made up; a slip of the alignment is shorter.
INVENTED: Final = 5


def is_hallucinated(ready: Prepared) -> bool:
    """
    Return ``True`` if the hypothesis loops, has words where nobody speaks, or five in a row that nobody said.

    A mere error stands for something that was said; these do not. Where the line is drawn is this project's own choice.
    """
    if not ready.reference:
        return bool(ready.hypothesis)
    unfolded = ready.normaliser.without_numbers
    # Digits of one number are no loop.
    if has_loop(unfolded(ready.hypothesis_text).split()) and not has_loop(unfolded(ready.reference_text).split()):
        return True
    run = 0
    for edit in ready.path:
        run = run + 1 if edit.kind == "insertion" else 0
        if run >= INVENTED:
            return True
    return False
