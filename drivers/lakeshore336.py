"""Lake Shore 336 temperature controller: a bath's temperature and one heater, off unless wanted.

Source: Lake Shore 336 user's manual (revision 2.3), chapter 6, "Computer interface operation". It
must never heat before the setpoint was read back, never outside the bench file's limits, and never
return a reading that the controller itself marks as invalid.
"""

import math
import re
from collections.abc import Callable
from typing import ClassVar, Final, TypeVar

from drivers.errors import InstrumentError, Kind, garbled
from drivers.link import Identity, Link
from drivers.port import NANO, Port, Sync
from drivers.scpi import LINE, identity, is_identity

ANSWER_S: Final = 1.0
BETWEEN_S: Final = 0.05  # at most 20 messages a second
ZERO: Final = 273.15  # K at 0 degC
PLAUSIBLE: Final = (-100.0, 400.0)  # degC
AGREES: Final = 0.006  # degC
INPUTS: Final = "ABCD"
OUTPUTS: Final = (1, 2)
RANGES: Final = (1, 2, 3)  # low, medium, high heater range; 0 is off
CLOSED_LOOP: Final = 1
KELVIN: Final = 1  # unit of an input, and so of the setpoint of its loop
TROUBLES: Final = {
    1: "invalid reading",
    16: "temperature under range",
    32: "temperature over range",
    64: "sensor units zero",
    128: "sensor units over range",
}
COMMAND_ERROR: Final = 32
EXECUTION_ERROR: Final = 16

_NUMBER: Final = re.compile(rb"[+-]?\d{1,4}(?:\.\d{1,6})?")
_FLAGS: Final = re.compile(rb"\d{1,3}")
_FIELDS: Final = re.compile(rb"\d{1,3}(?:,\d{1,3}){0,5}")

T = TypeVar("T")


class LakeShore336:
    """One controller, one loop: input `channel` (A..D) and heater `output` (1 or 2).

    `low`..`high` are the setpoints it may be given, degC; `heater` is the range it heats with.
    """

    SAFE_S: ClassVar[float] = 4.0
    SAFE_GAP_S: ClassVar[float] = BETWEEN_S
    LINK: ClassVar[Link] = Link(baud=57_600, data_bits=7, parity="odd")

    def __init__(
        self,
        port: Port,
        name: str,
        *,
        channel: str = "A",
        output: int = 1,
        heater: int = 1,
        low: float = 2.0,
        high: float = 80.0,
    ) -> None:
        """Refuse what no 336 has; nothing is sent."""
        if len(channel) != 1 or channel not in INPUTS or output not in OUTPUTS:
            raise InstrumentError(
                f"input {channel!r}, output {output} make no loop",
                kind="limit",
                cure=f"input one of {INPUTS}, output 1 or 2",
                instrument=name,
            )
        if heater not in RANGES:
            raise InstrumentError(
                f"heater range {heater} is none", kind="limit", cure="1, 2 or 3", instrument=name
            )
        self.port = port
        self.name = name
        self.channel = channel
        self.output = output
        self.heater = heater
        self.low = low
        self.high = high
        self._ready_ns = 0  # not before: the controller takes 20 messages a second
        self._sync = Sync(b"*IDN?\n", is_identity)

    # --- verbs ---------------------------------------------------------------------------------

    def connect(self) -> None:
        """End what an earlier program left unfinished, and see that a controller answers."""
        self.port.drain()
        self._tell("")
        self.identify()

    def identify(self) -> Identity:
        """Maker, model, serial number and firmware, as *IDN? says."""
        return self._ask("*IDN?", identity)

    def sense(self) -> float:
        """The temperature of this loop's input in degC; changes nothing."""
        return self.temperature()

    def prepare(self) -> None:
        """Heater off; see that the loop is closed over the input, in kelvin, and reads well."""
        self.port.drain()
        self._ask("*ESR?", _whole)  # what earlier commands left is read away
        self.stop()
        self._check_loop()
        self.temperature()

    def safe(self) -> None:
        """Heater off, and seen to be off; within SAFE_S."""
        for command in self.safe_bytes():
            self.port.write(command, who=self.name)
            self.port.pause(self.SAFE_GAP_S)
        self.stop()

    def safe_bytes(self) -> tuple[bytes, ...]:
        """What the dead-man sends: spoil a command cut in the middle, then heater off, twice.

        A bare line end would complete `SETP 1,2` of `SETP 1,298.150`; the letter makes it no
        number.
        """
        off = f"RANGE {self.output},0\n".encode("ascii")
        return b"x\n", off, off

    def close(self) -> None:
        """Nothing is kept; the port belongs to the bus."""

    # --- acts ----------------------------------------------------------------------------------

    def temperature(self, channel: str = "") -> float:
        """The temperature of an input (this loop's without a name) in degC.

        Raises InstrumentError ("fault") for a reading that the controller marks as invalid.
        """
        name = channel or self.channel
        if len(name) != 1 or name not in INPUTS:
            raise self._error(f"input {name!r} is not one of {INPUTS}", "correct it", "limit")
        return self._ask(f"CRDG? {name};RDGST? {name}", reading)

    def setpoint(self) -> float:
        """The temperature it works towards, degC."""
        return self._ask(f"SETP? {self.output}", _kelvin) - ZERO

    def heating(self) -> bool:
        """Whether the heater's range is not off."""
        return self._ask(f"RANGE? {self.output}", _whole) != 0

    def start(self, setpoint: float) -> None:
        """Heat to `setpoint` degC; returns when the controller confirmed setpoint and range."""
        if not self.low <= setpoint <= self.high:
            raise self._error(
                f"{setpoint:g} degC is outside {self.low:g}..{self.high:g} degC",
                "correct the recipe or the bench file",
                "limit",
            )
        self._check_loop()
        self._set(f"SETP {self.output},{setpoint + ZERO:.3f}")
        kept = self.setpoint()
        if not math.isclose(kept, setpoint, abs_tol=AGREES):
            raise self._error(f"the setpoint is {kept:g}, {setpoint:g} was set", "set it again")
        self._set(f"RANGE {self.output},{self.heater}")
        if not self.heating():
            raise self._error("the heater stays off", "look at the controller's front panel")

    def stop(self) -> None:
        """Heater off, and seen to be off; nothing happens when it is off already."""
        self._tell(f"RANGE {self.output},0")
        if self.heating():
            raise self._error("the heater is still on", "switch the controller off")

    # --- wire ----------------------------------------------------------------------------------

    def _check_loop(self) -> None:
        """The setpoint means kelvin, and the loop looks at our input, or nothing is heated."""
        mode = self._ask(f"OUTMODE? {self.output}", _fields)
        wanted = INPUTS.index(self.channel) + 1
        if mode[:2] != (CLOSED_LOOP, wanted):
            raise self._error(
                f"output {self.output} has mode {mode}",
                f"set it to closed loop on input {self.channel} at the front panel",
            )
        unit = self._ask(f"INTYPE? {self.channel};*ESR?", unit_of_input)
        if unit is None:
            self.port.note(f"{self.name}: it does not tell its unit, which is taken as kelvin")
        elif unit != KELVIN:
            raise self._error(
                f"input {self.channel} is not set to kelvin", "set it at the front panel"
            )

    def _ask(self, question: str, parse: Callable[[bytes], T]) -> T:
        self.port.pause_until(self._ready_ns)
        data = question.encode("ascii") + b"\n"
        try:
            return self.port.ask(data, LINE, ANSWER_S, parse, who=self.name, sync=self._sync)
        finally:
            self._ready_ns = self.port.clock.now_ns() + round(BETWEEN_S * NANO)

    def _tell(self, words: str) -> None:
        self.port.pause_until(self._ready_ns)
        self.port.write(words.encode("ascii") + b"\n", who=self.name)
        self._ready_ns = self.port.clock.now_ns() + round(BETWEEN_S * NANO)

    def _set(self, words: str) -> None:
        """A command that is silent, and the event register behind it."""
        self._ask("*ESR?", _whole)
        self._tell(words)
        events = self._ask("*ESR?", _whole)
        if events & (COMMAND_ERROR | EXECUTION_ERROR):
            raise InstrumentError(
                f"the controller refused (events {events})", kind="refused", cure="check the model"
            ).at(self.name, self.port.resource, words.encode())

    def _error(self, cause: str, cure: str, kind: Kind = "fault") -> InstrumentError:
        return InstrumentError(cause, kind=kind, cure=cure).at(self.name, self.port.resource)


def reading(line: bytes) -> float:
    """degC from a reading and its status, such as `+022.41;000`."""
    value, _, status = line.partition(b";")
    if _NUMBER.fullmatch(value) is None or _FLAGS.fullmatch(status) is None:
        raise garbled(line, "a temperature and its status")
    marks = int(status)
    if marks:
        why = " and ".join(words for bit, words in TROUBLES.items() if marks & bit)
        raise InstrumentError(
            why or f"reading status {marks}", kind="fault", cure="look at sensor and cable"
        )
    if not PLAUSIBLE[0] <= float(value) <= PLAUSIBLE[1]:
        raise garbled(line, "a temperature of a bath")
    return float(value)


def unit_of_input(line: bytes) -> int | None:
    """The unit in `2,1,0,1,1;000`, an input's set-up and the event register.

    None for a command error alone: no 336 answers so, its setpoint can only mean kelvin.
    """
    fields, _, events = line.rpartition(b";")
    if _FLAGS.fullmatch(events) is None:
        raise garbled(line, "an input's set-up")
    if not fields and int(events) & COMMAND_ERROR and line == events:
        return None
    numbers = _fields(fields)
    if len(numbers) != 5:
        raise garbled(line, "an input's set-up of five numbers")
    return numbers[4]


def _kelvin(line: bytes) -> float:
    """A setpoint in K; raises InstrumentError for anything else."""
    if _NUMBER.fullmatch(line) is None:
        raise garbled(line, "a setpoint")
    return float(line)


def _whole(line: bytes) -> int:
    """A register or a range; raises InstrumentError for anything else."""
    if _FLAGS.fullmatch(line) is None:
        raise garbled(line, "a whole number")
    return int(line)


def _fields(line: bytes) -> tuple[int, ...]:
    """Whole numbers with commas between; raises InstrumentError for anything else."""
    if _FIELDS.fullmatch(line) is None:
        raise garbled(line, "a list of whole numbers")
    return tuple(int(field) for field in line.split(b","))
