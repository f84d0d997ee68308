"""IKA magnetic stirrer (plate): turns a stirring bar, measures a temperature, never heats.

Source: IKA C-MAG HS and RCT operating manuals, "NAMUR commands". What is written is never
answered, and neither is what is not understood. It must never start the heater, and never take the
bar for turning, or for standing, that the plate does not say so of.
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

FRAMING: Final = Line(end=LF, limit=128)
END: Final = b" \r\n"  # a blank, CR and LF, both ways
ANSWER_S: Final = 1.0
AFTER_SET_S: Final = 0.1
POLL_S: Final = 0.25
SPIN_S: Final = 6.0  # to reach the speed, and to come to rest
NEAR: Final = 0.1  # of the speed wanted, that it may be off
NEAR_RPM: Final = 20.0
STILL_RPM: Final = 10.0  # what some plates show at rest
PLAUSIBLE: Final = (-50.0, 400.0)  # degC
PROBE: Final = 1
PLATE: Final = 2
SPEED: Final = 4

_NUMBER: Final = re.compile(rb" *(-?\d{1,5}(?:\.\d{1,3})?) +(\d) *")
_NAME: Final = re.compile(rb"[A-Za-z][ -~]{1,60}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StirSense:
    """Temperature in degC of the external probe or plate, and the speed in rpm."""

    temperature: float
    rpm: float


class Ika:
    """One plate; `rpm_max` is the fastest it may be told to turn.

    `temperature` is read at the external probe; without one say `probe=False` for the plate's.
    """

    SAFE_S: ClassVar[float] = 10.0
    SAFE_GAP_S: ClassVar[float] = AFTER_SET_S
    LINK: ClassVar[Link] = Link(baud=9600, data_bits=7, parity="even")

    def __init__(
        self, port: Port, name: str, *, rpm_max: float = 600.0, probe: bool = True
    ) -> None:
        """Refuse a speed that no plate reaches; nothing is sent."""
        if not 0 < rpm_max <= 3000:
            raise InstrumentError(
                f"{rpm_max:g} rpm is no limit", kind="limit", cure="0..3000", instrument=name
            )
        self.port = port
        self.name = name
        self.rpm_max = rpm_max
        self.probe = PROBE if probe else PLATE
        self._ready_ns = 0  # not before: the plate needs a moment after what it does not answer
        self._sync = Sync(b"IN_NAME" + END, _in_step)

    # --- verbs ---------------------------------------------------------------------------------

    def connect(self) -> None:
        """See that a plate answers."""
        self.port.drain()
        self.identify()

    def identify(self) -> Identity:
        """The name it calls itself; it tells neither serial number nor firmware."""
        return Identity("IKA", self._ask("IN_NAME", _name), "", "")

    def sense(self) -> StirSense:
        """Temperature and speed; changes nothing."""
        return StirSense(self.temperature(), self.rpm())

    def prepare(self) -> None:
        """Heater and stirrer off, and see that it reads. The bar comes to rest."""
        self.port.drain()
        self.stop()
        self.temperature()

    def safe(self) -> None:
        """Stirrer and heater off, and the bar seen to be at rest; within SAFE_S."""
        for command in self.safe_bytes():
            self.port.write(command, who=self.name)
            self.port.pause(self.SAFE_GAP_S)
        self._wait(lambda rpm: rpm <= STILL_RPM, "it does not stop")

    def safe_bytes(self) -> tuple[bytes, ...]:
        """What the dead-man sends: spoil a command cut in the middle, then stop both.

        A bare line end would complete `START_4`; the letter makes it unknown.
        """
        return b"x" + END, b"STOP_4" + END, b"STOP_1" + END, b"STOP_4" + END

    def close(self) -> None:
        """Nothing is kept; the port belongs to the bus."""

    # --- acts ----------------------------------------------------------------------------------

    def temperature(self) -> float:
        """The temperature in degC at the probe (or the plate)."""
        value = self._value(f"IN_PV_{self.probe}", self.probe)
        if not PLAUSIBLE[0] <= value <= PLAUSIBLE[1]:
            raise self._error(f"{value:g} degC is none", "look at the probe and its plug")
        return value

    def rpm(self) -> float:
        """The speed in rpm."""
        return self._value(f"IN_PV_{SPEED}", SPEED)

    def stir(self, rpm: float) -> None:
        """Turn the bar; returns when the plate says that it turns so fast.

        Raises InstrumentError: "limit" for a speed outside 0..rpm_max; "fault", after stopping
        it, when the speed was not kept or is not reached within SPIN_S.
        """
        wanted = round(rpm) if math.isfinite(rpm) else 0
        if not 0 < wanted <= self.rpm_max:
            raise self._error(
                f"{rpm:g} rpm is outside 0..{self.rpm_max:g} rpm", "correct the recipe", "limit"
            )
        self._tell(f"OUT_SP_{SPEED} {wanted}")
        kept = self._value(f"IN_SP_{SPEED}", SPEED)
        if abs(kept - wanted) > 1:
            raise self._error(f"the speed is {kept:g} after {wanted} was set", "set it again")
        near = max(NEAR * wanted, NEAR_RPM)
        try:
            self._tell(f"START_{SPEED}")
            self._wait(lambda now: abs(now - wanted) <= near, f"it does not reach {wanted} rpm")
        except InstrumentError:
            self._tell(f"STOP_{SPEED}")
            raise

    def stop(self) -> None:
        """Stirrer and heater off, and the bar seen to be at rest; again is no harm."""
        self._tell(f"STOP_{SPEED}")
        self._tell("STOP_1")
        self._wait(lambda rpm: rpm <= STILL_RPM, "it does not stop")

    # --- wire ----------------------------------------------------------------------------------

    def _value(self, question: str, channel: int) -> float:
        return self._ask(question, lambda line: number(line, channel))

    def _wait(self, enough: Callable[[float], bool], otherwise: str) -> None:
        """Poll the speed until it is right; raises InstrumentError after SPIN_S."""
        give_up_ns = self.port.clock.now_ns() + round(SPIN_S * NANO)
        for _ in range(math.ceil(SPIN_S / POLL_S)):
            if enough(self.rpm()):
                return
            if self.port.clock.now_ns() >= give_up_ns:
                break
            self.port.pause(POLL_S)
        raise self._error(otherwise, "look at bar and plate")

    def _ask(self, question: str, parse: Callable[[bytes], T]) -> T:
        self.port.pause_until(self._ready_ns)
        data = question.encode("ascii") + END
        return self.port.ask(data, FRAMING, ANSWER_S, parse, who=self.name, sync=self._sync)

    def _tell(self, words: str) -> None:
        self.port.pause_until(self._ready_ns)
        self.port.write(words.encode("ascii") + END, who=self.name)
        self._ready_ns = self.port.clock.now_ns() + round(AFTER_SET_S * NANO)

    def _error(self, cause: str, cure: str, kind: Kind = "fault") -> InstrumentError:
        return InstrumentError(cause, kind=kind, cure=cure).at(self.name, self.port.resource)


def number(line: bytes, channel: int) -> float:
    """`25.3 1 `: a value and the channel it belongs to, which must be the one asked for."""
    match = _NUMBER.fullmatch(line)
    if match is None or int(match[2]) != channel:
        raise garbled(line, f"a value of channel {channel}")
    return float(match[1])


def _name(line: bytes) -> str:
    """The answer to IN_NAME; raises InstrumentError for anything else."""
    if not _in_step(line):
        raise garbled(line, "a plate's name")
    return line.decode("ascii").strip()


def _in_step(line: bytes) -> bool:
    """Whether this can only be the answer to IN_NAME."""
    return _NAME.fullmatch(line) is not None
