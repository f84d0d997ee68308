"""INFICON SQM-160 multi-film monitor: thickness, rate, frequency and life of quartz crystals.

Source: SQM-160 operating manual, "Computer communications", as two independent clients speak it.
It must never set a thickness to zero, and never take the word of a sensor without a crystal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

from drivers.errors import InstrumentError, Kind, garbled
from drivers.link import Identity, Link
from drivers.port import Port, Sync
from drivers.sqm160_packet import Packet, answer, encode, number

FRAMING: Final = Packet()
ANSWER_S: Final = 1.0
SENSORS_MAX: Final = 6
NM: Final = 0.1  # of an angstrom
CRYSTAL: Final = (1.0e6, 1.0e7)  # Hz
LIFE: Final = (0.0, 100.0)  # percent
NAMES: Final = ("SQM", "MON")  # beginnings of what `@` answers

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FilmSense:
    """Thickness in nm, rate in nm/s, frequency in Hz, life in percent."""

    thickness_nm: float
    rate_nm: float
    frequency: float
    life: float


class SQM160:
    """One monitor; `sensor` is the one that `sense` looks at."""

    SAFE_S: ClassVar[float] = 3.0
    SAFE_GAP_S: ClassVar[float] = 0.0
    LINK: ClassVar[Link] = Link(baud=19_200)

    def __init__(self, port: Port, name: str, *, sensor: int = 1) -> None:
        """Refuse a sensor that no SQM-160 has; nothing is sent."""
        self.port = port
        self.name = name
        self.sensor = sensor
        self._sync = Sync(encode("@"), _in_step)
        self._check_sensor(sensor)

    # --- verbs ---------------------------------------------------------------------------------

    def connect(self) -> None:
        """See that a monitor answers."""
        self.port.drain()
        self.identify()

    def identify(self) -> Identity:
        """Model and firmware from `@`; the monitor does not tell its serial number."""
        return self._ask("@", _identity)

    def sense(self) -> FilmSense:
        """All four values of this driver's sensor; changes nothing."""
        n = self.sensor
        return FilmSense(self.thickness(n), self.rate(n), self.frequency(n), self.life(n))

    def prepare(self) -> None:
        """See that the sensor exists and has a crystal. Sets nothing, least of all zero."""
        self.port.drain()
        count = round(self._ask("J", number))
        if not self.sensor <= count <= SENSORS_MAX:
            raise self._error(
                f"sensor {self.sensor} is not one of its {count}", "correct the bench file"
            )
        if self._ask("Y", number) == 1:  # reading it clears it
            self.port.note(f"{self.name}: it was reset since it was last asked")
        self.frequency(self.sensor)

    def safe(self) -> None:
        """A monitor does no harm; asks it to see that it is there."""
        self.identify()

    def safe_bytes(self) -> tuple[bytes, ...]:
        """Nothing: a monitor does no harm."""
        return ()

    def close(self) -> None:
        """Nothing is kept; the port belongs to the bus."""

    # --- acts ----------------------------------------------------------------------------------

    def thickness(self, n: int) -> float:
        """Thickness in nm on sensor `n`, since its zero."""
        return self._value("N", n) * NM

    def rate(self, n: int) -> float:
        """Deposition rate in nm/s on sensor `n`."""
        return self._value("L", n, "?") * NM

    def frequency(self, n: int) -> float:
        """Frequency in Hz of sensor `n`; raises InstrumentError when no crystal oscillates."""
        value = self._value("P", n)
        if not CRYSTAL[0] <= value <= CRYSTAL[1]:
            raise self._error(
                f"{value:g} Hz on sensor {n} is no crystal", "look at crystal and holder"
            )
        return value

    def life(self, n: int) -> float:
        """Remaining life of sensor `n`'s crystal in percent."""
        value = self._value("R", n)
        if not LIFE[0] <= value <= LIFE[1]:
            raise self._error(f"a life of {value:g} % is none", "look at the crystal")
        return value

    # --- wire ----------------------------------------------------------------------------------

    def _value(self, letter: str, n: int, mark: str = "") -> float:
        self._check_sensor(n)
        return self._ask(f"{letter}{n}{mark}", number)

    def _ask(self, question: str, parse: Callable[[bytes], T]) -> T:
        data = encode(question)
        return self.port.ask(data, FRAMING, ANSWER_S, parse, who=self.name, sync=self._sync)

    def _check_sensor(self, n: int) -> None:
        if not 1 <= n <= SENSORS_MAX:
            raise self._error(
                f"sensor {n} is not one of 1..{SENSORS_MAX}", "correct the bench file", "limit"
            )

    def _error(self, cause: str, cure: str, kind: Kind = "fault") -> InstrumentError:
        return InstrumentError(cause, kind=kind, cure=cure).at(self.name, self.port.resource)


def _identity(message: bytes) -> Identity:
    """`SQM160 Ver 4.09`, or `MON Ver 4.13` as one was recorded."""
    words = answer(message).decode("ascii", "backslashreplace").strip()
    if not words.startswith(NAMES):
        raise garbled(message, "an SQM-160's version")
    return Identity("INFICON", "SQM-160", "", words.rpartition(" ")[2])


def _in_step(message: bytes) -> bool:
    """Whether this can only be the answer to `@`."""
    return message[:1] in (b"A", b"B") and message[1:4].decode("ascii", "replace") in NAMES
