"""Mettler Toledo balance: grams, in MT-SICS.

Source: MT-SICS reference manual for Excellence balances (11780711), levels 0 and 1. It must never
block the port until a weight is stable, never set a zero or a tare, and never take an over- or
underload for a weight.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

from drivers.errors import InstrumentError, Kind, garbled
from drivers.framing import LF, Line
from drivers.link import Identity, Link
from drivers.port import NANO, Port, Sync

FRAMING: Final = Line(end=LF, drop=b"\x11\x13", limit=256)
ANSWER_S: Final = 1.0
POLL_S: Final = 0.25
POLLS_MAX: Final = 10_000
LINES_MAX: Final = 4  # answers of a command that answers twice
GRAMS: Final = {"g": 1.0, "mg": 1e-3, "kg": 1e3}
COMPLAINTS: Final = {
    b"ES": "unknown command",
    b"ET": "transmission error",
    b"EL": "command not possible now",
    b"S +": "overload",
    b"S -": "underload",
    b"S L": "wrong parameter",
}

# the identifier is S; some emulators repeat SI
_WEIGHT: Final = re.compile(rb"SI? ([SD]) {1,10}(-?\d{1,8}(?:\.\d{1,6})?) (g|mg|kg) *")
_TEXT: Final = re.compile(rb'I(\d\d?) A "([^"]{0,80})"')

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Weight:
    """A weight in g and whether the balance calls it stable; None when it is busy."""

    grams: float
    stable: bool


class Mettler:
    """One balance."""

    SAFE_S: ClassVar[float] = 3.0
    SAFE_GAP_S: ClassVar[float] = 0.0
    LINK: ClassVar[Link] = Link(baud=9600)

    def __init__(self, port: Port, name: str) -> None:
        """Nothing is sent."""
        self.port = port
        self.name = name
        self._sync = Sync(b"I4\r\n", _in_step)

    # --- verbs ---------------------------------------------------------------------------------

    def connect(self) -> None:
        """See that a balance answers."""
        self.port.drain()
        self.identify()

    def identify(self) -> Identity:
        """Type, serial number and software."""
        model = self._ask("I2", lambda line: _text(line, 2))
        serial = self._ask("I4", lambda line: _text(line, 4))
        return Identity("Mettler Toledo", model, serial, self._ask("I3", lambda x: _text(x, 3)))

    def sense(self) -> float:
        """The weight in g, stable or not."""
        return self.grams()

    def prepare(self) -> None:
        """Cancel what an earlier program left running (`@`); sets no zero and no tare."""
        self.port.drain()
        self._ask("@", lambda line: _text(line, 4))
        self.port.drain()
        self.grams()

    def safe(self) -> None:
        """A balance does no harm; asks it to see that it is there."""
        self._ask("I4", lambda line: _text(line, 4))

    def safe_bytes(self) -> tuple[bytes, ...]:
        """Nothing: a balance does no harm."""
        return ()

    def close(self) -> None:
        """Nothing is kept; the port belongs to the bus."""

    # --- acts ----------------------------------------------------------------------------------

    def grams(self) -> float:
        """The weight in g at this moment, stable or not."""
        return self._ask("SI", weight).grams

    def stable_grams(self, timeout_s: float) -> float:
        """The first weight the balance calls stable; raises InstrumentError ("busy") after that.

        Asks every POLL_S, so that the port is free in between.
        """
        give_up_ns = self.port.clock.now_ns() + round(timeout_s * NANO)
        for _ in range(POLLS_MAX):
            now = self._ask("SI", weight)
            if now.stable:
                return now.grams
            if self.port.clock.now_ns() >= give_up_ns:
                break
            self.port.pause(POLL_S)
        raise self._error(
            f"no stable weight within {timeout_s:g} s", "keep draught and drips away", "busy"
        )

    # --- wire ----------------------------------------------------------------------------------

    def _ask(self, question: str, parse: Callable[[bytes], T]) -> T:
        data = question.encode("ascii") + b"\r\n"
        return self.port.ask(data, FRAMING, ANSWER_S, parse, who=self.name, sync=self._sync)

    def _error(self, cause: str, cure: str, kind: Kind = "fault") -> InstrumentError:
        return InstrumentError(cause, kind=kind, cure=cure).at(self.name, self.port.resource)


def weight(line: bytes) -> Weight:
    """`S S     100.00 g`: a weight right-aligned in ten columns; raises for anything else."""
    match = _WEIGHT.fullmatch(line)
    if match is None:
        raise _complaint(line, "a weight")
    return Weight(float(match[2]) * GRAMS[match[3].decode()], match[1] == b"S")


def _text(line: bytes, number: int) -> str:
    """The text in an answer to `In`."""
    match = _TEXT.fullmatch(line)
    if match is None or int(match[1]) != number:
        raise _complaint(line, f"an answer to I{number}")
    return match[2].decode("ascii", "backslashreplace")


def _complaint(line: bytes, wanted: str) -> InstrumentError:
    """What an answer that is not wanted means."""
    if line == b"S I" or line == b"SI I":
        return InstrumentError("busy", kind="busy", cure="wait until the balance has settled")
    if line in COMPLAINTS:
        kind: Kind = "garbled" if line in (b"ES", b"ET") else "fault"
        return InstrumentError(COMPLAINTS[line], kind=kind, cure="look at the balance")
    return garbled(line, wanted)


def _in_step(line: bytes) -> bool:
    """Whether this can only be the answer to `I4`."""
    return line.startswith(b'I4 A "')
