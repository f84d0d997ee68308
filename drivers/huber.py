"""Huber thermostat with a Pilot ONE: the temperature of the baths, in PB commands.

Source: Huber, Data Communication PB (V1.2.0en, V2.6.0en), by way of other clients that cite it. A
malformed command is not answered; a value that is not allowed shows only in the answer, which
carries the value in force. It must never take a command for done whose answer says otherwise, and
never take the -151 degC of a missing sensor for a temperature.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

from drivers.errors import InstrumentError, Kind, garbled
from drivers.framing import LF, Line
from drivers.link import Identity, Link
from drivers.port import Port, Sync

FRAMING: Final = Line(end=LF, limit=64)
ANSWER_S: Final = 1.0  # an answer is waited for before the next command
AGREES: Final = 0.011  # degC: one unit of the protocol, and rounding
PLAUSIBLE: Final = (-150.0, 500.0)  # degC
LOWEST: Final = -15_111  # hundredths; what is below is meant without a sign (above 327 degC)
NO_SENSOR: Final = -15_100
CLOSED: Final = 0x7FFF  # the variable does not exist or is not unlocked
# variables, by their names in the manual
V_SP: Final = 0x00
V_TI: Final = 0x01
V_ERROR: Final = 0x05
V_STATUS: Final = 0x0A
V_TMP_ACTIVE: Final = 0x14
V_SNR_LOW: Final = 0x1B
V_SNR_HIGH: Final = 0x1C
RUNNING_BIT: Final = 0
ERROR_BIT: Final = 8

_ANSWER: Final = re.compile(rb"\{S([0-9A-Fa-f]{2})([0-9A-Fa-f]{4})")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HuberSense:
    """Bath and setpoint in degC, and whether it tempers."""

    bath: float
    setpoint: float
    running: bool


class Huber:
    """One thermostat; `low`..`high` are the setpoints it may be given, degC."""

    SAFE_S: ClassVar[float] = 5.0
    SAFE_GAP_S: ClassVar[float] = 0.1
    LINK: ClassVar[Link] = Link(baud=9600)

    def __init__(self, port: Port, name: str, *, low: float = 2.0, high: float = 80.0) -> None:
        """Nothing is sent."""
        self.port = port
        self.name = name
        self.low = low
        self.high = high
        self._sync = Sync(question(V_SNR_LOW), _in_step)

    # --- verbs ---------------------------------------------------------------------------------

    def connect(self) -> None:
        """See that a thermostat answers."""
        self.port.drain()
        self.identify()

    def identify(self) -> Identity:
        """The serial number; PB commands tell neither model nor firmware."""
        low, high = self._get(V_SNR_LOW), self._get(V_SNR_HIGH)
        told = CLOSED not in (low, high)
        return Identity("Huber", "PB thermostat", str(high << 16 | low) if told else "", "")

    def sense(self) -> HuberSense:
        """Bath, setpoint, and whether it tempers; raises InstrumentError for a standing error."""
        running = self._running()
        return HuberSense(self.temperature(), self.setpoint(), running)

    def prepare(self) -> None:
        """Raises for an error that stands, or for a bath without a sensor. Switches nothing."""
        self.port.drain()
        self.sense()

    def safe(self) -> None:
        """Stop tempering, and see that it stopped; within SAFE_S."""
        for command in self.safe_bytes():
            self.port.write(command, who=self.name)
            self.port.pause(self.SAFE_GAP_S)
        self.stop()

    def safe_bytes(self) -> tuple[bytes, ...]:
        """What the dead-man sends, SAFE_GAP_S apart: spoil a cut command, then stop.

        A bare CR LF would complete a command that lacks only its end; with a letter before it the
        command is a character too long.
        """
        return b"x\r\n", order(V_TMP_ACTIVE, 0)

    def close(self) -> None:
        """Nothing is kept; the port belongs to the bus."""

    # --- acts ----------------------------------------------------------------------------------

    def temperature(self) -> float:
        """The bath's (internal) temperature in degC."""
        return self._ask(question(V_TI), V_TI, degrees)

    def setpoint(self) -> float:
        """The temperature it works towards, degC."""
        return self._ask(question(V_SP), V_SP, degrees)

    def start(self, setpoint: float) -> None:
        """Temper to `setpoint` degC; returns when the thermostat confirmed both.

        A setpoint that was sent is lost with the power: it then falls back to its panel's.
        """
        if not self.low <= setpoint <= self.high:
            raise self._error(
                f"{setpoint:g} degC is outside {self.low:g}..{self.high:g} degC",
                "correct the recipe or the bench file",
                "limit",
            )
        self._running()
        kept = self._ask(order(V_SP, round(setpoint * 100)), V_SP, degrees)
        if not math.isclose(kept, setpoint, abs_tol=AGREES):
            cause = f"the setpoint is {kept:g}, {setpoint:g} was set"
            raise self._error(cause, "check its limits on its panel", "refused")
        self._put(V_TMP_ACTIVE, 1)
        if not self._running():
            raise self._error("it does not start", "look at its panel")

    def stop(self) -> None:
        """Stop tempering; nothing happens when it is stopped already."""
        self._put(V_TMP_ACTIVE, 0)
        if self._get(V_TMP_ACTIVE) != 0:
            raise self._error("it does not stop", "switch the thermostat off")

    # --- wire ----------------------------------------------------------------------------------

    def _running(self) -> bool:
        """Whether it tempers; raises InstrumentError for an error that stands."""
        status = self._get(V_STATUS)
        if status >> ERROR_BIT & 1:
            number = signed(self._get(V_ERROR))
            raise self._error(f"error {number}", "remove the cause at the thermostat")
        return bool(status >> RUNNING_BIT & 1)

    def _get(self, variable: int) -> int:
        """A variable's sixteen bits."""
        return self._ask(question(variable), variable, _word)

    def _put(self, variable: int, value: int) -> int:
        """Set a variable; what it holds afterwards. Saying it twice does no harm."""
        return self._ask(order(variable, value), variable, _word)

    def _ask(self, data: bytes, variable: int, mean: Callable[[int], T]) -> T:
        def parse(line: bytes) -> T:
            return mean(answer(line, variable))

        return self.port.ask(data, FRAMING, ANSWER_S, parse, who=self.name, sync=self._sync)

    def _error(self, cause: str, cure: str, kind: Kind = "fault") -> InstrumentError:
        return InstrumentError(cause, kind=kind, cure=cure).at(self.name, self.port.resource)


def question(variable: int) -> bytes:
    """`{M01****` CR LF: what does this variable hold?"""
    return b"{M%02X****\r\n" % variable


def order(variable: int, value: int) -> bytes:
    """`{M00FC18` CR LF: hold this; sixteen bits, two's complement."""
    return b"{M%02X%04X\r\n" % (variable, value & 0xFFFF)


def answer(line: bytes, variable: int) -> int:
    """The sixteen bits of `{S01F6F5`, if it speaks of this variable; raises for anything else."""
    match = _ANSWER.fullmatch(line)
    if match is None or int(match[1], 16) != variable:
        raise garbled(line, f"the value of variable {variable:02X}")
    return int(match[2], 16)


def signed(word: int) -> int:
    """Sixteen bits as a number, two's complement."""
    return word - 0x10000 if word & 0x8000 else word


def degrees(word: int) -> float:
    """A temperature in degC; raises InstrumentError for a sensor that is not there."""
    if word == CLOSED:
        cure = "check that this controller knows the variable"
        raise InstrumentError("it does not tell this temperature", kind="fault", cure=cure)
    hundredths = signed(word)
    if hundredths == NO_SENSOR:
        raise InstrumentError("no temperature sensor", kind="fault", cure="look at its sensor")
    value = (word if hundredths < LOWEST else hundredths) / 100
    if not PLAUSIBLE[0] <= value <= PLAUSIBLE[1]:
        raise garbled(b"%04X" % word, "a temperature")
    return value


def _word(word: int) -> int:
    """Sixteen bits as they are."""
    return word


def _in_step(line: bytes) -> bool:
    """Whether this can only be the answer about the serial number."""
    return _ANSWER.fullmatch(line) is not None and int(line[2:4], 16) == V_SNR_LOW
