"""JULABO circulator: the temperature of the baths.

Source: JULABO CORIO CD, MAGIO MS and CF31 operating manuals, chapter "Remote control". OUT
commands are never answered; a refusal shows only as the next `status`. It must never take a
command for done that it did not read back.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

from drivers.errors import InstrumentError, Kind, garbled
from drivers.framing import LF, Line
from drivers.link import Identity, Link
from drivers.port import NANO, Port, Sync

FRAMING: Final = Line(end=LF, drop=b"\x11\x13", limit=256)  # XON and XOFF may be mixed in
ANSWER_S: Final = 1.5
AFTER_OUT_S: Final = 0.25
AFTER_IN_S: Final = 0.01
STATUS_MAX: Final = 4  # refusals that may be pending before a command
PLAUSIBLE: Final = (-100.0, 400.0)  # degC
AGREES: Final = 0.06  # degC: some models keep one decimal
RUNNING: Final = frozenset({1, 3})
REMOTE_RUN: Final = 3
REFUSALS: Final = {
    -8: "invalid command",
    -9: "not allowed now: remote control is off",
    -10: "value too small",
    -11: "value too large",
    -13: "value outside the warning limits",
}
ALARMS: Final = {
    -1: "low liquid level",
    -3: "temperature above the high warning",
    -4: "temperature below the low warning",
    -5: "working sensor failed",
    -6: "sensors differ too much",
    -14: "excess-temperature protection",
    -33: "cable of the safety sensor",
    -38: "external sensor missing",
    -40: "early low liquid level",
    -60: "internal error",
    -61: "internal error",
    -62: "internal error",
    -63: "watchdog",
    -1109: "viscosity too high",
    -1501: "watchdog",
}

_NUMBER: Final = re.compile(rb" *([+-]?\d{1,4}(?:\.\d{1,4})?) *")
_STATUS: Final = re.compile(rb" *(-?\d{2,5})(?: +([ -~]*))?")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Status:
    """The circulator's own number and words: 0..3 states, negative refusals and alarms."""

    code: int
    text: str

    @property
    def running(self) -> bool:
        """Whether it tempers."""
        return self.code in RUNNING


class Julabo:
    """One circulator; `low`..`high` are the setpoints it may be given, degC."""

    SAFE_S: ClassVar[float] = 4.0
    SAFE_GAP_S: ClassVar[float] = AFTER_OUT_S
    LINK: ClassVar[Link] = Link(baud=4800, data_bits=7, parity="even", flow="rtscts")

    def __init__(self, port: Port, name: str, *, low: float = 2.0, high: float = 80.0) -> None:
        """Nothing is sent."""
        self.port = port
        self.name = name
        self.low = low
        self.high = high
        self._ready_ns = 0  # not before: the circulator needs a moment after each command
        self._sync = Sync(b"version\r", _in_step)

    # --- verbs ---------------------------------------------------------------------------------

    def connect(self) -> None:
        """See that a circulator answers."""
        self.port.drain()
        self.identify()

    def identify(self) -> Identity:
        """Model and firmware from `version`."""
        return self._ask("version", _version)

    def sense(self) -> float:
        """The bath's temperature in degC."""
        return self.temperature()

    def prepare(self) -> None:
        """Clear old refusals; raises for an alarm that stands. Switches nothing."""
        self.port.drain()
        self._forget_refusals()
        self.temperature()

    def safe(self) -> None:
        """Stop tempering, and see that it stopped; within SAFE_S."""
        for command in self.safe_bytes():
            self.port.write(command, who=self.name)
            self.port.pause(AFTER_OUT_S)
        self._forget_refusals(alarms=False)
        self.stop()

    def safe_bytes(self) -> tuple[bytes, ...]:
        """What the dead-man sends, SAFE_GAP_S apart: spoil a cut command, then stop.

        A bare CR would complete `out_sp_00 8` of `out_sp_00 80`; the letter makes it no number.
        """
        return b"x\r", b"out_mode_05 0\r"

    def close(self) -> None:
        """Nothing is kept; the port belongs to the bus."""

    # --- acts ----------------------------------------------------------------------------------

    def temperature(self) -> float:
        """The bath's temperature in degC."""
        return self._ask("in_pv_00", _degrees)

    def setpoint(self) -> float:
        """The temperature it works towards, degC."""
        return self._ask("in_sp_00", _degrees)

    def status(self) -> Status:
        """State, or a refusal, which reading clears; raises InstrumentError for an alarm."""
        status = self._ask("status", _status)
        if status.code < 0 and status.code not in REFUSALS:
            why = ALARMS.get(status.code, status.text or "see the manual")
            raise self._error(f"alarm {status.code}: {why}", "remove the cause at the circulator")
        return status

    def start(self, setpoint: float) -> None:
        """Temper to `setpoint` degC; returns when the circulator confirmed both."""
        if not self.low <= setpoint <= self.high:
            raise self._error(
                f"{setpoint:g} degC is outside {self.low:g}..{self.high:g} degC",
                "correct the recipe or the bench file",
                "limit",
            )
        self._forget_refusals()
        self._tell(f"out_sp_00 {setpoint:.2f}")
        kept = self.setpoint()
        if not math.isclose(kept, setpoint, abs_tol=AGREES):
            raise self._error(f"the setpoint is {kept:g}, {setpoint:g} was set", "set it again")
        if not self._tell("out_mode_05 1").running:
            raise self._error("it does not start", "enable remote control on its panel")

    def stop(self) -> None:
        """Stop tempering; nothing happens when it is stopped already."""
        if self._tell("out_mode_05 0", alarms=False).running:
            raise self._error("it does not stop", "switch the circulator off")

    # --- wire ----------------------------------------------------------------------------------

    def _ask(self, question: str, parse: Callable[[bytes], T]) -> T:
        self.port.pause_until(self._ready_ns)
        data = question.encode("ascii") + b"\r"
        answer = self.port.ask(data, FRAMING, ANSWER_S, parse, who=self.name, sync=self._sync)
        self._ready_ns = self.port.clock.now_ns() + round(AFTER_IN_S * NANO)
        return answer

    def _tell(self, words: str, *, alarms: bool = True) -> Status:
        """An OUT command; raises when the next status is its refusal, else returns that status."""
        self.port.pause_until(self._ready_ns)
        self.port.write(words.encode("ascii") + b"\r", who=self.name)
        self._ready_ns = self.port.clock.now_ns() + round(AFTER_OUT_S * NANO)
        status = self.status() if alarms else self._ask("status", _status)
        if status.code in REFUSALS:
            raise InstrumentError(
                f"{REFUSALS[status.code]} ({status.code})",
                kind="refused",
                cure="enable remote control on its panel, check its limits",
            ).at(self.name, self.port.resource, words.encode())
        return status

    def _forget_refusals(self, *, alarms: bool = True) -> None:
        """Read away what earlier commands left, so that the next refusal is the next command's."""
        for _ in range(STATUS_MAX):
            status = self.status() if alarms else self._ask("status", _status)
            if status.code not in REFUSALS:
                return

    def _error(self, cause: str, cure: str, kind: Kind = "fault") -> InstrumentError:
        return InstrumentError(cause, kind=kind, cure=cure).at(self.name, self.port.resource)


def _degrees(line: bytes) -> float:
    """A temperature answer in degC; raises InstrumentError for anything else."""
    match = _NUMBER.fullmatch(line)
    if match is None or not PLAUSIBLE[0] <= float(match[1]) <= PLAUSIBLE[1]:
        raise garbled(line, "a temperature")
    return float(match[1])


def _status(line: bytes) -> Status:
    """`03 REMOTE START`, `-08 INVALID COMMAND` and the like."""
    match = _STATUS.fullmatch(line)
    if match is None:
        raise garbled(line, "a status")
    return Status(int(match[1]), (match[2] or b"").decode("ascii"))


def _version(line: bytes) -> Identity:
    """`JULABO MAGIO MS-1000F VERSION 1.1.2`; the circulator does not tell its serial number."""
    words = line.decode("ascii", "backslashreplace")
    if not _in_step(line):
        raise garbled(line, "a JULABO's version")
    model, _, firmware = words[len("JULABO") :].partition(" VERSION ")
    return Identity("JULABO", model.strip(), "", firmware.strip())


def _in_step(line: bytes) -> bool:
    """Whether this can only be the answer to `version`."""
    return line[:6].upper() == b"JULABO"
