"""Zaber's ASCII protocol version 2: command lines, answer lines, units; pure functions.

Source: Zaber ASCII Protocol Manual (firmware 6 and 7): message format, checksum (LRC), warning
flags, reject reasons. This file must never touch a port.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from drivers.errors import garbled
from drivers.framing import LF, Line

SPEED_UNIT: Final = 1.6384  # speed data = microsteps/s x this
ACCEL_UNIT: Final = 1.6384 / 10_000  # acceleration data = microsteps/s2 x this
FRAMING: Final = Line(end=LF, skip=b"!#", limit=128)  # alerts and info lines are not answers

_REPLY: Final = re.compile(
    rb"@(\d\d) (\d) (?:(\d{2,3}) )?(OK|RJ) (IDLE|BUSY) (--|[FWN][A-Z0-9]) ([ -9;-~]+?)"
    rb"(?::([0-9A-F]{2}))?"
)
_INTEGER: Final = re.compile(r"-?\d{1,10}")
_WARNINGS: Final = re.compile(r"\d\d(?: [FWN][A-Z0-9])*")

FAULTS: Final = {
    "FS": "stalled and stopped",
    "FE": "hit a limit sensor",
    "FF": "critical system error",
    "FH": "emergency stop is pressed",
    "FO": "driver disabled by the user",
    "FD": "driver disabled by overheating or fault",
    "FV": "supply voltage out of range",
    "FM": "motor too hot",
    "FQ": "encoder error",
    "FN": "peripheral not supported",
    "FZ": "peripheral inactive",
    "FR": "overdrive limit exceeded",
    "FT": "twist beyond limit",
}
REJECTS: Final = {
    "BADDATA": "a value is out of range",
    "BADCOMMAND": "the command is unknown",
    "BADAXIS": "there is no such axis",
    "STATUSBUSY": "the axis is moving",
    "PARKED": "the axis is parked",
    "DRIVERDISABLED": "the motor driver is disabled",
    "REMOTE": "the axis is under control of a remote master",
    "NOACCESS": "the access level is too low",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer line; `ident` is None when it has no message id."""

    address: int
    axis: int
    ident: int | None
    accepted: bool
    busy: bool
    flag: str
    data: str
    checked: bool


def lrc(text: bytes) -> bytes:
    """Two upper-case hex digits: two's complement of the low byte of the sum of all bytes."""
    return b"%02X" % (-sum(text) & 0xFF)


@lru_cache(maxsize=1024)
def encode(address: int, axis: int, words: str = "", ident: int | None = None) -> bytes:
    """A command line with checksum, such as `/1 1 move abs 10000:40`; no words is a poll."""
    number = "" if ident is None else f" {ident:02d}"
    text = f"{address} {axis}{number}{' ' if words else ''}{words}".encode("ascii")
    return b"/" + text + b":" + lrc(text) + b"\n"


def parse(line: bytes) -> Reply:
    """An answer line without its end; raises InstrumentError (kind "garbled")."""
    match = _REPLY.fullmatch(line)
    if match is None:
        raise garbled(line, "an answer of a Zaber device")
    address, axis, ident, verdict, state, flag, data, checksum = match.groups()
    if checksum is not None and lrc(line[1:-3]) != checksum:
        raise garbled(line, "intact: its checksum is wrong")
    return Reply(
        int(address),
        int(axis),
        None if ident is None else int(ident),
        verdict == b"OK",
        state == b"BUSY",
        flag.decode(),
        data.decode(),
        checksum is not None,
    )


def speed_data(speed: float, microstep: float) -> int:
    """The value of `maxspeed` for a speed in units/s; `microstep` in units."""
    return round(speed / microstep * SPEED_UNIT)


def accel_data(accel: float, microstep: float) -> int:
    """The value of `accel` for an acceleration in units/s2."""
    return round(accel / microstep * ACCEL_UNIT)


def flags(reply: Reply) -> tuple[str, ...]:
    """The flags in an answer to `warnings`: `00`, or their number and names."""
    if _WARNINGS.fullmatch(reply.data) is None:
        raise garbled(reply.data.encode(), "a list of warnings")
    return tuple(reply.data.split()[1:])


def integer(reply: Reply) -> int:
    """The whole number in an answer; raises InstrumentError for anything else."""
    if _INTEGER.fullmatch(reply.data) is None:
        raise garbled(reply.data.encode(), "a whole number")
    return int(reply.data)
