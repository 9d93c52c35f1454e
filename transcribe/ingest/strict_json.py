"""Parse JSON from strangers strictly: one object, without tricks."""

from __future__ import annotations

import json
import math
from typing import Any, Final, Never

#: Digits of the longest integer that is taken. 64-bit numbers have at most 19.
LONGEST_INTEGER: Final = 19
#: Levels of objects and lists within each other. What people hand in has three or four.
DEEPEST: Final = 64


def parse(text: str) -> Any:
    """
    Parse *text* as ``json.loads`` does, without what only an attack or a bug would write.

    Refused: duplicate keys, nesting beyond 64 levels, integers of over 19 digits, numbers that
    do not fit a float, NaN and infinities, and half surrogates, which no database can store.

    Raises:
        ValueError: With a sentence that begins in lower case and names what is wrong.

    >>> parse('{"a": 1, "a": 2}')
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
