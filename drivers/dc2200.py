"""Thorlabs DC2200 LED driver: a lamp with a current, off unless somebody looks.

Source: DC2200 operation manual, section 4.3.2 "SCPI commands" (CCURENT is the instrument's own
spelling). It must never exceed the bench file's current, and never leave the lamp on after an
error in switching it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

from drivers.errors import InstrumentError, Kind
from drivers.link import Identity, Link
from drivers.port import Port, Sync
from drivers.scpi import (
    LINE,
    error_entry,
    first_error,
    fixed,
    identity,
    is_identity,
    number,
    switch,
)

ANSWER_S: Final = 1.0
PLACES: Final = 4  # 0.1 mA
AGREES: Final = 2e-4  # A
OFF: Final = b"OUTPUT1:STATE OFF\n"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LightSense:
    """Whether it shines, and the set current in A."""

    on: bool
    amps: float


class DC2200:
    """One LED on terminal 1 in constant-current mode; `limit` in A."""

    SAFE_S: ClassVar[float] = 3.0
    SAFE_GAP_S: ClassVar[float] = 0.0
    LINK: ClassVar[Link] = Link(baud=115_200)

    def __init__(self, port: Port, name: str, *, limit: float) -> None:
        """Refuse a limit that no DC2200 has."""
        if not 0 < limit <= 10:  # the DC2200 gives 4 A (terminal 1) or 10 A (terminal 2)
            raise InstrumentError(
                f"{limit:g} A is no limit", kind="limit", cure="0..10 A", instrument=name
            )
        self.port = port
        self.name = name
        self.limit = limit
        self._sync = Sync(b"*IDN?\n", is_identity)

    # --- verbs ---------------------------------------------------------------------------------

    def connect(self) -> None:
        """See that a lamp driver answers."""
        self.port.drain()
        self.identify()

    def identify(self) -> Identity:
        """Maker, model, serial number and firmware, as *IDN? says."""
        return self._ask("*IDN?", identity)

    def sense(self) -> LightSense:
        """On or off, and the set current. Changes nothing."""
        on = self._ask("OUTPUT1:STATE?", switch)
        return LightSense(on, self._ask("SOURCE1:CCURENT:CURRENT?", number))

    def prepare(self) -> None:
        """Off, constant current, no current set; the device's own limit must not be below ours."""
        self.port.drain()
        self.port.write(OFF, who=self.name)
        self._tell("*CLS")
        self._tell("SOURCE1:MODE CC")
        self._tell(f"SOURCE1:CCURENT:CURRENT {fixed(0.0, PLACES)}")
        self.port.write(OFF, who=self.name)
        self._check_errors()
        self.limits()
        self.off()

    def safe(self) -> None:
        """Off, and seen to be off; within SAFE_S."""
        for command in self.safe_bytes():
            self.port.write(command, who=self.name)
        if self._ask("OUTPUT1:STATE?", switch):
            raise self._error("the lamp is still on", "switch the lamp driver off")

    def safe_bytes(self) -> tuple[bytes, ...]:
        """What the dead-man sends: end a command cut in the middle, then off, twice.

        Whatever the cut command was, the lamp is off after it.
        """
        return b"\n", OFF, OFF

    def close(self) -> None:
        """Nothing is kept; the port belongs to the bus."""

    # --- acts ----------------------------------------------------------------------------------

    def on(self, amps: float) -> None:
        """Shine with so many amperes; on an error the lamp is switched off."""
        if not 0 < amps <= self.limit * (1 + 1e-9):
            raise self._error(
                f"{amps:g} A is outside 0..{self.limit:g} A", "correct the bench file", "limit"
            )
        try:
            self._tell(f"SOURCE1:CCURENT:CURRENT {fixed(amps, PLACES)}")
            self._tell("OUTPUT1:STATE ON")
            self._check_errors()
            state = self.sense()
            if not state.on or abs(state.amps - amps) > AGREES:
                raise self._error(f"it is {state} after {amps:g} A was set", "look at the lamp")
        except InstrumentError:
            self.port.write(OFF, who=self.name)
            raise

    def limits(self) -> dict[str, tuple[float, float]]:
        """The device's own limit in A. Raises "limit" when the bench file's is higher."""
        device = self._ask("SOURCE1:CURRENT:LIMIT?", number)
        if device < self.limit - AGREES:
            raise self._error(
                f"the device is limited to {device:g} A, the bench file says {self.limit:g} A",
                "set the limit on the device, or correct the bench file",
                "limit",
            )
        return {"current": (0.0, device)}

    def off(self) -> None:
        """Dark, and seen to be dark."""
        self.safe()

    # --- wire ----------------------------------------------------------------------------------

    def _ask(self, question: str, parse: Callable[[bytes], T]) -> T:
        data = question.encode("ascii") + b"\n"
        return self.port.ask(data, LINE, ANSWER_S, parse, who=self.name, sync=self._sync)

    def _tell(self, words: str) -> None:
        self.port.write(words.encode("ascii") + b"\n", who=self.name)

    def _check_errors(self) -> None:
        error = first_error(lambda: self._ask("SYST:ERR?", error_entry))
        if error is not None:
            raise self._error(f"error {error[0]}: {error[1]}", "look at the lamp", "refused")

    def _error(self, cause: str, cure: str, kind: Kind = "fault") -> InstrumentError:
        return InstrumentError(cause, kind=kind, cure=cure).at(self.name, self.port.resource)
