"""
Lines of text files in whatever encoding they were saved, and JSON from strangers, parsed strictly.

UTF-8 and UTF-16 tell themselves apart by their bytes. Windows-1252 does not, and is taken only where nothing else fits.
"""

from __future__ import annotations

import codecs
import io
import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, Never, TypeAlias

#: Characters of the longest line. A file without line ends must not fill the memory.
LONGEST_LINE: Final = 1 << 22
#: Bytes looked at to tell UTF-16.
_HEAD: Final = 4_096
#: Digits of the longest integer that is taken. 64-bit numbers have at most 19.
LONGEST_INTEGER: Final = 19
#: Levels of objects and lists within each other. What people hand in has three or four.
DEEPEST: Final = 64

#: Makes the error of a line: its number, what is wrong, what to do.
LineFault: TypeAlias = Callable[[int, str, str], Exception]

_SIGNS: Final = frozenset("‘’“”–—•…€©«°»´·¿¡ªº\u00a0")
#: Letters whose byte is the same in Windows-1250, -1252 and -1254; then those of languages that are saved as
#: Windows-1252. The letters of a file are all of one of these.
_ALPHABETS: Final = tuple(
    map(
        frozenset,
        (
            "ÁÂÄÇÉËÍÎÓÔÖÚÜßáâäçéëíîóôöúü",
            "ÀÂÇÈÉÊËÎÏÔÙÛÜŒàâæçèéêëîïôùûüÿœ",
            "ÁÉÍÑÓÚÜáéíñóúü",
            "ÀÁÂÃÇÉÊÍÓÔÕÚàáâãçéêíóôõúü",
            "ÀÈÉÌÒÙàèéìòù",
            "ÄÅÆÉØÖåæäéøöü",
            "àçèéëïòöóúü",
        ),
    )
)
#: A letter that stands where no writer puts one: alone among other such letters, or with none of ASCII beside it.
_FOREIGN: Final = re.compile(r"[^\W\d_a-zA-Z]{3}|(?<![a-zA-Z])[^\W\d_a-zA-Z]+(?![a-zA-Z])|[a-zA-Z][‘“”–—•…€«»][a-zA-Z]")


def find_encoding(stream: BinaryIO, fault: LineFault) -> str:
    """
    Return the name of the encoding of *stream* for Python's codecs, and leave the stream at its start.

    Windows-1252 is taken where the bytes are no UTF-8, each stands for a sign or for a letter of one western language
    in it, and letters stand beside ASCII ones as in words.

    Raises:
        Exception: As *fault* makes it, for bytes that may be of several encodings, with the line of the first.
    """
    head = stream.read(_HEAD)
    stream.seek(0)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if zeros := head.count(0):
        if zeros * 5 <= len(head):
            return _find_single_byte(stream, fault)
        return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
    return _find_single_byte(stream, fault)


def _find_single_byte(stream: BinaryIO, fault: LineFault) -> str:
    position = _find_no_utf8(stream)
    if position is None:
        return "utf-8-sig"
    stream.seek(0)
    if _is_windows_1252(stream):
        return "cp1252"
    line, offset, byte = position
    what = f"byte {offset} ({byte:#04x}) is not UTF-8, nor surely of another encoding"
    raise fault(line, what, "save the file as UTF-8")


def _find_no_utf8(stream: BinaryIO) -> tuple[int, int, int] | None:
    """Return line, position in it and value of the first byte that is no UTF-8, both from 1; ``None`` without any."""
    for number, line in enumerate(iter(lambda: stream.readline(LONGEST_LINE * 4), b""), 1):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            return number, error.start + 1, line[error.start]
    return None


def _is_windows_1252(stream: BinaryIO) -> bool:
    signs: set[str] = set()
    for line in iter(lambda: stream.readline(LONGEST_LINE), b""):
        if line.isascii():
            continue
        try:
            text = line.decode("cp1252")
        except UnicodeDecodeError:
            return False
        if _FOREIGN.search(text):
            return False
        signs.update(sign for sign in text if not sign.isascii())
    return any(signs - _SIGNS <= letters for letters in _ALPHABETS)


def read_lines(stream: BinaryIO, fault: LineFault) -> Iterator[str]:
    """
    Yield the lines of *stream* with their ends, the first without byte order mark.

    Raises:
        Exception: As *fault* makes it, for a line of over 4 Mi characters or bytes of no known encoding.
    """
    encoding = find_encoding(stream, fault)
    stream.seek(0)
    # UTF-16 that breaks off in the middle of a character is read as far as it goes; the sign tells.
    errors = "replace" if encoding.startswith("utf-16") else "strict"
    text = io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="")
    try:
        number = 0
        while line := text.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise fault(number, f"it is over {LONGEST_LINE:,} characters long", "put each row on a line of its own")
            yield line.removeprefix("\ufeff") if number == 1 else line
    finally:
        if not stream.closed:  # else its owner was quicker
            text.detach()


def parse_json(text: str) -> Any:
    """
    Parse *text* as ``json.loads`` does, without what only an attack or a bug would write.

    Refused: duplicate keys, nesting beyond 64 levels, integers of over 19 digits, numbers that
    do not fit a float, NaN and infinities, and half surrogates, which no database can store.

    Raises:
        ValueError: With a sentence that begins in lower case and names what is wrong.

    >>> parse_json('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ...
    ValueError: the key 'a' is there twice
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_build_object,
            parse_int=_parse_integer,
            parse_float=_parse_float,
            parse_constant=_refuse_constant,
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at character {error.pos + 1}") from None
    _check_text(value, depth=0)
    return value


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {repeated!r} is there twice")
    return members


def _parse_integer(digits: str) -> int:
    if len(digits.lstrip("-")) > LONGEST_INTEGER:
        raise ValueError(f"an integer of {len(digits)} digits")
    return int(digits)


def _parse_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"the number {digits[:20]} does not fit")
    return value


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not a number that JSON has")


def _check_text(value: Any, *, depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError("it is nested too deeply")
    if isinstance(value, str):
        _refuse_surrogates(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            _refuse_surrogates(key)
            _check_text(inner, depth=depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check_text(inner, depth=depth + 1)


def _refuse_surrogates(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("half a surrogate pair, which is no character") from None
