"""New Era pump language: numbers, commands, answers; pure functions.

Source: New Era NE-1000 manual (publication 1200-01), pages 38-39 and "RS-232 protocol". This file
must never touch a port.
"""

import math
import re
from dataclasses import dataclass
from typing import Final

from drivers.errors import InstrumentError, garbled
from drivers.framing import Bracket

FRAMING: Final = Bracket()
DIGITS_MAX: Final = 4  # digits of a number, beside the point
PLACES_MAX: Final = 3  # of them after the point
ROUNDING: Final = 0.01  # a number that changes more than that by rounding is refused
# rate units, coarse to fine, and what 1 mL/min is in each
RATE_UNITS: Final = (("MM", 1.0), ("UM", 1e3), ("UH", 6e4))
# mL, mL/min or mm of one unit as the pump reports it
PER_UNIT: Final = {
    "": 1.0,
    "ML": 1.0,
    "UL": 1e-3,
    "MM": 1.0,
    "UM": 1e-3,
    "MH": 1 / 60,
    "UH": 1 / 6e4,
}

_ANSWER: Final = re.compile(rb"(\d\d)(?:A\?([A-Z])|([IWSPTUX])([ -~]*))")
_VOLUMES: Final = re.compile(rb"I(\d{0,4}\.\d{0,3})W(\d{0,4}\.\d{0,3})(ML|UL)")
_VALUE: Final = re.compile(rb"(\d{0,4}\.\d{0,3})([A-Z]{0,2})")
_VERSION: Final = re.compile(rb"NE([0-9A-Z]+?)V(\d+\.\d+)")

ALARMS: Final = {
    "R": "the pump was reset: its power was interrupted",
    "S": "the motor stalled",
    "T": "no message came within the safe-mode time-out",
    "E": "the pumping program is in error",
    "O": "the pumping program's phase is out of range",
}
ERRORS: Final = {
    "?": "unknown command",
    "?NA": "not applicable now",
    "?OOR": "value out of range",
    "?COM": "damaged packet",
    "?IGN": "ignored, a new phase was starting",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: `state` is the prompt (I W S P T U X, or A with `alarm` set)."""

    address: int
    state: str
    alarm: str
    data: bytes


def encode(address: int, command: str) -> bytes:
    """A basic-mode command; an empty one asks for the state."""
    return f"{address}{command}\r".encode("ascii")


def parse(packet: bytes) -> Answer:
    """The text of an answer packet; raises InstrumentError (kind "garbled")."""
    match = _ANSWER.fullmatch(packet)
    if match is None:
        raise garbled(packet, "an answer of a New Era pump")
    address, alarm, state, data = match.groups()
    if alarm is not None:
        return Answer(int(address), "A", alarm.decode(), b"")
    return Answer(int(address), state.decode(), "", data)


def number(value: float) -> str:
    """`value` with at most 4 digits and at most 3 of them after the point.

    Raises InstrumentError when it does not fit, or when rounding would change it by over 1 %
    (a volume rounded to zero would mean "pump for ever").
    """
    if not math.isfinite(value) or value < 0:
        raise _unfit(value)
    for places in range(PLACES_MAX, -1, -1):
        text = f"{value:.{places}f}"
        if sum(map(str.isdigit, text)) <= DIGITS_MAX:
            if abs(float(text) - value) > ROUNDING * value:
                break
            return text
    raise _unfit(value)


def rate_words(rate: float) -> str:
    """`RAT` with the coarsest unit in which `rate` (mL/min) is at least 1, or the finest."""
    fitting = [pair for pair in RATE_UNITS if rate * pair[1] >= 1.0] or [RATE_UNITS[-1]]
    unit, factor = fitting[0]
    return f"RAT{number(rate * factor)}{unit}"


def volumes(data: bytes) -> tuple[float, float]:
    """Infused and withdrawn volume in mL from an answer to DIS, such as `I0.500W0.000ML`."""
    match = _VOLUMES.fullmatch(data)
    if match is None or b"." in match.groups()[:2]:
        raise garbled(data, "a pair of volumes")
    factor = PER_UNIT[match[3].decode()]
    return float(match[1]) * factor, float(match[2]) * factor


def value(data: bytes) -> tuple[float, str]:
    """Number and unit of an answer such as `14.43`, `1.000MM` or `0.500ML`."""
    match = _VALUE.fullmatch(data)
    if match is None or match[1] == b".":
        raise garbled(data, "a number of the pump")
    return float(match[1]), match[2].decode()


def version(data: bytes) -> tuple[str, str]:
    """Model and firmware from an answer to VER, such as `NE1000V3.923`."""
    match = _VERSION.fullmatch(data)
    if match is None:
        raise garbled(data, "a version of a New Era pump")
    return f"NE-{match[1].decode()}", match[2].decode()


def _unfit(value: float) -> InstrumentError:
    return InstrumentError(
        f"{value:g} cannot be said in {DIGITS_MAX} digits with {PLACES_MAX} after the point",
        kind="limit",
        cure="choose another volume, rate or syringe",
    )
