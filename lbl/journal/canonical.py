"""Canonical JSON (RFC 8785): one value, one text, and the value read back is the value written.

`plain` turns what callers hand in into data that survives the round trip; `encode` writes it.
Numbers in RFC 8785 are doubles: an integer beyond 2**53 is kept as the integer whose digits are the
shortest text of its double. This file must never accept a value that would read back differently.
"""

import math
import sys
from collections.abc import Mapping
from json.encoder import encode_basestring
from numbers import Integral, Real
from typing import Any, Final

import rfc8785

SAFE: Final = 2**53
# From here RFC 8785 writes an exponent, so the text would read back as a float.
EXPONENT: Final = 1e21
# Below this Python and ECMAScript differ in when they write an exponent.
SMALL: Final = 1e-4
HUGE: Final = sys.float_info.max
DEPTH_MAX: Final = 16


class NotPlain(ValueError):
    """A value that canonical JSON cannot hold; the text says which and why."""


def plain(value: Any, depth: int = DEPTH_MAX) -> Any:
    """Return `value` as plain JSON data: None, bool, int, float, str, list, dict with text keys.

    Floats that are whole become integers, tuples become lists, NumPy scalars become numbers.
    Raises NotPlain for NaN, infinities, other types, lone surrogates, nesting beyond DEPTH_MAX.
    """
    kind = type(value)
    if kind is str:
        if not value.isascii():
            _text_only(value)
        return value
    if kind is int:
        return value if -SAFE < value < SAFE else _wide(value)
    if kind is bool or value is None:
        return value
    if kind is float:
        return _whole(value)
    return _container(value, depth)


def encode(value: Any) -> str:
    """Return the RFC 8785 text of plain data (see `plain`)."""
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    if kind is int:
        return int.__repr__(value)
    if kind is float:
        return repr(value) if SMALL <= abs(value) < SAFE else rfc8785.dumps(value).decode()
    if kind is dict:
        keys = sorted(value) if _ascii(value) else sorted(value, key=_utf16)
        return "{" + ",".join([f"{encode_basestring(k)}:{encode(value[k])}" for k in keys]) + "}"
    if kind is list:
        return "[" + ",".join([encode(item) for item in value]) + "]"
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    raise NotPlain(f"{value!r} is not plain data")


def _ascii(value: dict[str, Any]) -> bool:
    return "".join(value).isascii()


def _utf16(key: str) -> bytes:
    """Sort key: RFC 8785 section 3.2.3 orders members by their UTF-16 code units."""
    return key.encode("utf-16-be")


def _whole(value: float) -> int | float:
    if value.is_integer():  # NaN and infinities are not
        return int(value) if -SAFE < value < SAFE else _wide(value)
    if not math.isfinite(value):
        raise NotPlain(f"{value!r} is not a number that JSON can hold")
    return value


def _wide(value: float) -> int | float:
    """The integer that the shortest text of this double denotes."""
    if abs(value) >= EXPONENT:
        if abs(value) > HUGE:
            raise NotPlain(f"{value!r} is beyond the range of a double")
        return float(value)
    return int(rfc8785.dumps(float(value)))


def _text_only(value: str) -> None:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotPlain(f"{value!r} holds half a character (a lone surrogate)") from error


def _key(key: Any) -> str:
    if type(key) is str and key.isascii():
        return key
    if not isinstance(key, str):
        raise NotPlain(f"the key {key!r} is not text")
    _text_only(key)
    return str.__str__(key)


def _container(value: Any, depth: int) -> Any:
    if depth <= 0:
        raise NotPlain(f"the value is nested deeper than {DEPTH_MAX} levels")
    if isinstance(value, dict | Mapping):
        return {_key(key): plain(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, depth - 1) for item in value]
    if isinstance(value, str):
        return plain(str.__str__(value), depth)
    if isinstance(value, Integral):
        return plain(int(value), depth)
    if isinstance(value, Real):
        return plain(float(value), depth)
    raise NotPlain(f"{value!r} of type {type(value).__name__} is not plain data")
