"""SRS QCM200: frequency and motional resistance of a quartz crystal.

Source: the commands that Stanford Research Systems' own Python client (srsinst.qcm) sends; the
manual was not at hand. It must never send `G` or `S` alone, which zero the offsets, and never
return what the instrument calls over or under range.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

from drivers.errors import InstrumentError, Kind, garbled
from drivers.framing import CR, Line
from drivers.link import Identity, Link
from drivers.port import Port, Sync

FRAMING: Final = Line(end=CR, limit=128)
ANSWER_S: Final = 1.0
AFTER_SET_S: Final = 0.05
GATES: Final = {0.1: 0, 1.0: 1, 10.0: 2}  # gate time in s -> P
CRYSTAL: Final = (4.5e6, 5.5e6)  # Hz: 5 MHz crystals
RESISTANCE_MAX: Final = 20_000.0  # ohm
OVER_RANGE: Final = 4
UNDER_RANGE: Final = 8

_NUMBER: Final = re.compile(rb" *([+-]?\d{1,8}(?:\.\d{1,6})?) *")
_WHOLE: Final = re.compile(rb" *(\d{1,3}) *")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class QcmSense:
    """Frequency in Hz and motional resistance in ohm of the last gate."""

    frequency: float
    resistance: float


class QCM200:
    """One instrument with one 5 MHz crystal; `gate` is its gate time in s: 0.1, 1 or 10."""

    SAFE_S: ClassVar[float] = 3.0
    SAFE_GAP_S: ClassVar[float] = 0.0
    LINK: ClassVar[Link] = Link(baud=9600)

    def __init__(self, port: Port, name: str, *, gate: float = 1.0) -> None:
        """Refuse a gate that the instrument does not have; nothing is sent."""
        if gate not in GATES:
            raise InstrumentError(
                f"a gate of {gate:g} s is none", kind="limit", cure="0.1, 1 or 10", instrument=name
            )
        self.port = port
        self.name = name
        self.gate = gate
        self._sync = Sync(b"I\r", _in_step)

    # --- verbs ---------------------------------------------------------------------------------

    def connect(self) -> None:
        """End what an earlier program left unfinished, and see that a QCM200 answers."""
        self.port.drain()
        self.port.write(b"\r", who=self.name)
        self.identify()

    def identify(self) -> Identity:
        """Model, serial number and firmware from `I`."""
        return self._ask("I", _identity)

    def sense(self) -> QcmSense:
        """Frequency and resistance; changes nothing."""
        return QcmSense(self.frequency(), self.resistance())

    def prepare(self) -> None:
        """Set the gate time and see that the crystal oscillates. Sets no offset to zero."""
        self.port.drain()
        self._ask("B?", _whole)  # what stood in the status byte is read away
        number = GATES[self.gate]
        self.port.write(b"P %d\r" % number, who=self.name)
        self.port.pause(AFTER_SET_S)
        kept = self._ask("P?", _whole)
        if kept != number:
            raise self._error(f"the gate is {kept} after {number} was set", "set it again")
        self.port.pause(self.gate)  # until then the values are those of the old gate
        self.sense()

    def safe(self) -> None:
        """A counter does no harm; asks it to see that it is there."""
        self.identify()

    def safe_bytes(self) -> tuple[bytes, ...]:
        """Nothing: a counter does no harm."""
        return ()

    def close(self) -> None:
        """Nothing is kept; the port belongs to the bus."""

    # --- acts ----------------------------------------------------------------------------------

    def frequency(self) -> float:
        """The absolute frequency in Hz of the last gate. Raises InstrumentError out of range."""
        value = self._ask("F?", _number)
        self._check_range()
        if not CRYSTAL[0] <= value <= CRYSTAL[1]:
            raise self._error(f"{value:g} Hz is no 5 MHz crystal", "look at crystal and holder")
        return value

    def resistance(self) -> float:
        """The motional resistance in ohm of the last gate."""
        value = self._ask("R?", _number)
        self._check_range()
        if not 0 <= value <= RESISTANCE_MAX:
            raise self._error(f"{value:g} ohm is no crystal's", "look at crystal and holder")
        return value

    # --- wire ----------------------------------------------------------------------------------

    def _ask(self, question: str, parse: Callable[[bytes], T]) -> T:
        data = question.encode("ascii") + b"\r"
        return self.port.ask(data, FRAMING, ANSWER_S, parse, who=self.name, sync=self._sync)

    def _check_range(self) -> None:
        """Reading the status byte clears its marks for new data, which nobody here uses.

        A status looks like a resistance: nothing of it may be left on the line.
        """
        status = self._ask("B?", _whole)
        self.port.drain()
        if status & (OVER_RANGE | UNDER_RANGE):
            which = "over" if status & OVER_RANGE else "under"
            raise self._error(f"{which} range", "look at crystal, holder and liquid")

    def _error(self, cause: str, cure: str, kind: Kind = "fault") -> InstrumentError:
        return InstrumentError(cause, kind=kind, cure=cure).at(self.name, self.port.resource)


def _number(line: bytes) -> float:
    """A frequency or a resistance; raises InstrumentError for anything else."""
    match = _NUMBER.fullmatch(line)
    if match is None:
        raise garbled(line, "a number")
    return float(match[1])


def _whole(line: bytes) -> int:
    """A status byte or a setting; raises InstrumentError for anything else."""
    match = _WHOLE.fullmatch(line)
    if match is None or int(match[1]) > 255:
        raise garbled(line, "a whole number of one byte")
    return int(match[1])


def _identity(line: bytes) -> Identity:
    """`QCM200_<firmware>_<?>_<serial>`; what the third part means is not known."""
    parts = line.decode("ascii", "backslashreplace").split("_")
    if not _in_step(line):
        raise garbled(line, "a QCM200's identity")
    return Identity("Stanford Research Systems", parts[0], parts[3], parts[1])


def _in_step(line: bytes) -> bool:
    """Whether this can only be the answer to `I`."""
    return line.startswith(b"QCM") and line.count(b"_") == 3
