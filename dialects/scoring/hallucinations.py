"""The detection of hallucinations, loops and foreign scripts by the two texts of one segment alone."""

from __future__ import annotations

import functools
from typing import Final

import regex

from dialects.scoring.prepare import Prepared
from dialects.text.repetition import has_loop

#: So many words in a row that answer to nothing said are made up; a slip of the alignment is shorter.
INVENTED: Final = 5
_LETTERS = regex.compile(r"\p{L}")
#: Codes that stand for several scripts of Unicode.
_COMBINED_SCRIPTS = {
    "Jpan": ("Hira", "Kana", "Hani"),
    "Kore": ("Hang", "Hani"),
    "Hans": ("Hani",),
    "Hant": ("Hani",),
}


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


def foreign_share(text: str, script: str) -> float | None:
    """Return the share of letters of *text* outside *script* (ISO 15924); ``None`` without letters or script."""
    if script == "Latn" and text.isascii():
        return 0.0 if any(map(str.isalpha, text)) else None
    letters = in_script = 0
    for word in text.split():
        all_letters, script_letters = _count_letters(word, script)
        letters += all_letters
        in_script += script_letters
    return 1 - in_script / letters if letters and _letters_of(script) is not None else None


@functools.lru_cache(maxsize=100_000)
def _count_letters(word: str, script: str) -> tuple[int, int]:
    """Count the letters of *word*, and those of them in *script*. Cached, since words recur."""
    inside = _letters_of(script)
    return len(_LETTERS.findall(word)), len(inside.findall(word)) if inside is not None else 0


@functools.cache
def _letters_of(script: str) -> regex.Pattern[str] | None:
    if script == "Zyyy":
        return None
    scripts = _COMBINED_SCRIPTS.get(script, (script,))
    try:
        return regex.compile(r"[\p{L}&&[" + "".join(rf"\p{{Script={name}}}" for name in scripts) + "]]", regex.VERSION1)
    except regex.error:
        return None
