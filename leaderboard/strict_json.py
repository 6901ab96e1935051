"""JSON from strangers: sizes and depths are bounded before anything is parsed, and no text means two things.

A parser that takes the last of two equal keys, or reads ``NaN`` and ``1e999``, lets a file mean one thing to a reviewer
and another to a program. So both are refused, each by its own code.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

from vdf_bench.core.artifact import canonical

MAX_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 12
#: Larger whole numbers do not survive the numbers of other languages.
MAX_INTEGER: Final = 2**53


class JsonRefusedError(ValueError):
    """Not what is taken here.

    Attributes:
        code: ``size, encoding, depth, syntax, duplicate-key`` or ``number``.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def parse(data: bytes) -> Any:
    """The value of a JSON text.

    Raises:
        JsonRefusedError: with its code.
    """
    if len(data) > MAX_BYTES:
        raise JsonRefusedError("size", f"{len(data)} bytes, over {MAX_BYTES}")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JsonRefusedError("encoding", f"not UTF-8 at byte {error.start}") from None
    if text.startswith("\ufeff"):
        raise JsonRefusedError("encoding", "starts with a byte-order mark")
    if (depth := _depth(text)) > MAX_DEPTH:
        raise JsonRefusedError("depth", f"nested {depth} deep, over {MAX_DEPTH}")
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_integer
        )
    except json.JSONDecodeError as error:
        raise JsonRefusedError("syntax", f"{error.msg} at line {error.lineno}, column {error.colno}") from None


def canonical_bytes(value: Any) -> bytes:
    """The one text of a value: sorted keys, no spaces, ASCII, one newline at the end."""
    return canonical(value).encode() + b"\n"


def _depth(text: str) -> int:
    """Deepest nesting of brackets outside strings; the parser is recursive, so this must come first."""
    depth = deepest = 0
    quoted = escaped = False
    for sign in text:
        if quoted:
            quoted = escaped or sign != '"'
            escaped = sign == "\\" and not escaped
        elif sign == '"':
            quoted = True
        elif sign in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in "]}":
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise JsonRefusedError("duplicate-key", f"the key {twice[:60]!r} appears twice")
    return found


def _constant(text: str) -> Any:
    raise JsonRefusedError("number", f"{text} is not a number")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise JsonRefusedError("number", f"{text[:30]} is out of range")
    return value


def _integer(text: str) -> int:
    # The length is looked at first: reading a million digits is quadratic.
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise JsonRefusedError("number", f"{text[:30]} is out of range")
    return int(text)
