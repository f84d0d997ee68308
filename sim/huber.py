"""A Huber thermostat that speaks PB commands (Pilot ONE and other graphic controllers).

Source: Huber, Data Communication PB (V1.2.0en, V2.6.0en), by way of documents that cite it: form,
variables, status bits, 7FFF, -151, settings lost with the power. Every good command is answered
with the variable's value after it, every malformed one with nothing. Drives the bath through the
link `temperature(now_ns)`, `drive(on, setpoint, now_ns)`. Must never answer an unknown form.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from sim.port import Reply, Spec

LATENCY_NS: Final = 15_000_000  # guess
BYTE_NS: Final = 1_041_667  # ten bits at 9600 baud
LINE_MAX: Final = 32  # bytes of an unfinished command that are kept
LENGTH: Final = 8  # {Maadddd
DIGITS: Final = frozenset("0123456789ABCDEFabcdef")
READ: Final = "****"
CLOSED: Final = 0x7FFF  # the variable does not exist here, or is not unlocked
NO_SENSOR: Final = -151.0  # degC
ROOM: Final = 22.0  # degC, the bath when nothing is linked
PUMP_MBAR: Final = 1000  # guess: absolute pressure with the pump at rest; 400 more when it turns
PUMP_RPM: Final = 3200  # guess
LEVEL: Final = 750  # tenths of a percent
SERVICE_DAYS: Final = 338
LOW_LEVEL: Final = -33  # guess: the number of an error
# bits of vStatus1 (0x0A)
CONTROLS: Final = 0x0001
CIRCULATES: Final = 0x0002
PUMPS: Final = 0x0010
COOLS: Final = 0x0020  # cooling power is available
PID_AUTO: Final = 0x0080
FAULTY: Final = 0x0100
ON_SINCE: Final = 0x4000  # 0 in the first status after power-on; manuals number this bit variously


class HeatLink(Protocol):
    """What the thermostat does to the world and sees of it."""

    def temperature(self, now_ns: int, /) -> float:
        """Return the bath temperature in degC."""

    def drive(self, on: bool, setpoint: float, now_ns: int, /) -> None:
        """Control the bath to `setpoint` (degC), or let it go."""


class Huber:
    """One thermostat.

    Options, in degC: `setpoint` (what the panel keeps), `low` and `high` (its limits).
    `link`: a HeatLink or None.
    """

    def __init__(self, spec: Spec, link: HeatLink | None) -> None:
        self._link = link
        self._kept = float(spec.options.get("setpoint", 20.0))
        self._low = float(spec.options.get("low", -40.0))
        self._high = float(spec.options.get("high", 200.0))
        self._serial = int(spec.serial) if spec.serial.isdecimal() else 178_301
        self._buffer = b""
        self._setpoint = self._kept
        self._controls = self._circulates = False
        self._error = 0
        self._fresh = True  # until the first status after power-on

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Take bytes; CR LF ends a command."""
        lines = (self._buffer + data).split(b"\n")
        self._buffer = lines.pop()[: LINE_MAX + 1]
        out: list[Reply] = []
        for line in lines:
            answer = self._command(line, now_ns)
            if answer:
                out.append((now_ns + LATENCY_NS + BYTE_NS * len(answer), answer))
        return out

    def poll(self, now_ns: int) -> list[Reply]:
        """Return nothing: a thermostat never speaks unasked."""
        return []

    def next_ns(self) -> int | None:
        """Return None: a thermostat never speaks unasked."""
        return None

    def _command(self, line: bytes, now_ns: int) -> bytes:
        """Carry out one command; b"" for whatever breaks the form."""
        text = line[:-1].decode("latin-1")
        if line[-1:] != b"\r" or len(text) != LENGTH or text[:2] != "{M":
            return b""
        address, value = text[2:4], text[4:]
        if not DIGITS.issuperset(address) or not (value == READ or DIGITS.issuperset(value)):
            return b""
        number = int(address, 16)
        if value != READ:
            self._set(number, int(value, 16), now_ns)
        return f"{{S{number:02X}{self._value(number, now_ns) & 0xFFFF:04X}\r\n".encode("ascii")

    def _set(self, number: int, value: int, now_ns: int) -> None:
        """Take a value; one that is not allowed changes nothing, as the answer then shows."""
        if number == 0x00:
            degrees = _signed(value) / 100.0
            if not self._low <= degrees <= self._high:
                return
            self._setpoint = degrees
        elif number == 0x14 and value in (0, 1):
            self._controls = bool(value) and not self._error
            self._circulates = self._circulates and not self._controls
        elif number == 0x16 and value in (0, 1):  # circulating alone: without control
            self._circulates = bool(value) and not self._error
            self._controls = self._controls and not self._circulates
        else:
            return
        self._drive(now_ns)

    def _value(self, number: int, now_ns: int) -> int:
        """Return a variable as the answer carries it, CLOSED for those that are not here."""
        turns = self._controls or self._circulates
        bath = _hundredths(self._temperature(now_ns))
        if number == 0x0A:
            return self._status(turns)
        values = {
            0x00: _hundredths(self._setpoint), 0x01: bath, 0x02: bath,
            0x03: PUMP_MBAR + 400 * turns, 0x04: 0, 0x05: self._error, 0x06: 0,
            0x07: _hundredths(NO_SENSOR), 0x0F: LEVEL, 0x13: 0, 0x14: int(self._controls),
            0x16: int(self._circulates), 0x17: 0, 0x1B: self._serial, 0x1C: self._serial >> 16,
            0x26: PUMP_RPM * turns, 0x30: _hundredths(self._low), 0x31: _hundredths(self._high),
            0x3A: _hundredths(NO_SENSOR), 0x48: PUMP_RPM, 0x5C: SERVICE_DAYS,
        }  # fmt: skip
        return values.get(number, CLOSED)

    def _status(self, turns: bool) -> int:
        bits = PID_AUTO | COOLS | (0 if self._fresh else ON_SINCE)
        self._fresh = False
        bits |= CONTROLS * self._controls | CIRCULATES * self._circulates | PUMPS * turns
        return bits | FAULTY * bool(self._error)

    def _temperature(self, now_ns: int) -> float:
        return self._link.temperature(now_ns) if self._link is not None else ROOM

    def _drive(self, now_ns: int) -> None:
        if self._link is not None:
            self._link.drive(self._controls, self._setpoint, now_ns)

    # --- the rest of the Device contract ----------------------------------------------------

    def fail(self, now_ns: int, argument: float) -> bool:
        """Stop with an error until the next power-on."""
        self._error = LOW_LEVEL
        self._controls = self._circulates = False
        self._drive(now_ns)
        return True

    def power_cycle(self, now_ns: int) -> None:
        """Come back stopped, with the panel's setpoint: one that was sent is not kept."""
        self._buffer = b""
        self._setpoint = self._kept
        self._controls = self._circulates = False
        self._error = 0
        self._fresh = True
        self._drive(now_ns)

    def snapshot(self) -> dict[str, object]:
        """Return the whole dynamic state as plain JSON data."""
        return {
            "buffer": self._buffer.decode("latin-1"),
            "circulates": self._circulates,
            "controls": self._controls,
            "error": self._error,
            "fresh": self._fresh,
            "setpoint": self._setpoint,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a state that `snapshot` gave; the world restores its own half."""
        self._buffer = state["buffer"].encode("latin-1")
        self._circulates = state["circulates"]
        self._controls = state["controls"]
        self._error = state["error"]
        self._fresh = state["fresh"]
        self._setpoint = state["setpoint"]


def _signed(word: int) -> int:
    """Return 16 bits as a number, two's complement."""
    return word - 0x10000 if word & 0x8000 else word


def _hundredths(degrees: float) -> int:
    """Return a temperature in units of 0.01 degC."""
    return round(degrees * 100.0)
