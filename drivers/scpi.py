"""What SCPI instruments share: numbers, error-queue entries, line framing; pure functions.

Source: SCPI-1999 volume 1 (numeric response data) and volume 2, chapter 21 (SYSTem:ERRor).
This file must never touch a port.
"""

import re
from collections.abc import Callable
from typing import Final

from drivers.errors import InstrumentError, garbled
from drivers.framing import LF, Line
from drivers.link import Identity

LINE: Final = Line(end=LF, limit=512)
ERRORS_MAX: Final = 32  # entries of an error queue that are read away
OVERFLOW: Final = 9.0e37  # 9.9E37 and beyond mean "over range", not a value
_NUMBER: Final = re.compile(rb"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[Ee][+-]?\d{1,3})?")
_ERROR: Final = re.compile(rb'([+-]?\d{1,6}), ?"([^"]*)"')


def number(message: bytes) -> float:
    """A number answer such as `1.387234E-03`; raises InstrumentError for anything else."""
    if _NUMBER.fullmatch(message) is None:
        raise garbled(message, "a number")
    return float(message)


def measured(message: bytes) -> float:
    """A measured number; an over-range answer is a fault and never a value."""
    value = number(message)
    if abs(value) >= OVERFLOW:
        raise InstrumentError(
            "over range", kind="fault", cure="lower the signal, or let it choose its range"
        )
    return value


def switch(message: bytes) -> bool:
    """An on/off answer: `1`, `0`, `ON` or `OFF`."""
    answer = {b"1": True, b"ON": True, b"0": False, b"OFF": False}.get(message)
    if answer is None:
        raise garbled(message, "on or off")
    return answer


def error_entry(message: bytes) -> tuple[int, str]:
    """One entry of the error queue, (0, "No error") when it is empty."""
    match = _ERROR.fullmatch(message)
    if match is None:
        raise garbled(message, "an entry of the error queue")
    return int(match[1]), match[2].decode("ascii", "backslashreplace")


def first_error(ask: Callable[[], tuple[int, str]]) -> tuple[int, str] | None:
    """Read the error queue empty by `ask`; its first entry, or None when there was none."""
    first: tuple[int, str] | None = None
    for _ in range(ERRORS_MAX):
        entry = ask()
        if entry[0] == 0:
            break
        first = first or entry
    return first


def is_identity(message: bytes) -> bool:
    """Whether this can only be the answer to *IDN?, whatever was asked before."""
    return message.count(b",") == 3 and message[:1].isalpha()


def identity(message: bytes) -> Identity:
    """The four fields of an answer to *IDN?."""
    parts = message.decode("ascii", "backslashreplace").split(",")
    if len(parts) != 4:
        raise garbled(message, "an identity of four fields")
    maker, model, serial, firmware = (part.strip() for part in parts)
    return Identity(maker, model, serial, firmware)


def fixed(value: float, places: int) -> str:
    """`value` with so many places: no exponent, so that a cut command is never a larger one."""
    return f"{value:.{places}f}"
