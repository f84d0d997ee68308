"""VICI Valco multiposition valve: one of its ports, reached and seen to be reached.

Source: VICI universal actuator manual, pages 14-19, and microelectric actuator manual, page 7. The
first answers `CP04`, the second `Position is  = 4`; both are understood. It must never take a turn
for done that the valve did not report, and never change what the actuator keeps in its memory.
"""

import math
import re
from collections.abc import Callable
from typing import ClassVar, Final, TypeVar

from drivers.errors import InstrumentError, Kind, garbled
from drivers.framing import CR, Line
from drivers.link import Identity, Link
from drivers.port import Port, Sync

# with IFM1 an action is echoed (GO04, some firmware go=4): a line nobody asked for
FRAMING: Final = Line(end=CR, skip=b"Gg", limit=128)
ANSWER_S: Final = 2.0  # some firmware answers a question only when the turn is over
STEP_S: Final = 0.2  # from one port to the next: an early "there" is not believed before
START_S: Final = 0.3
POLL_S: Final = 0.2
TURN_S: Final = 5.0  # a valve that is not there so long after the computed time is stuck
POSITIONS_MAX: Final = 96

_ADDRESS: Final = re.compile(r"(?:/?[0-9A-Z])?")
_POSITION: Final = re.compile(rb"(?:/?[0-9A-Z])?(?:CP ?(\d{1,2})|Position is *= *\"?(\d{1,2})\"?)")
_POSITIONS: Final = re.compile(rb"(?:/?[0-9A-Z])?NP *=? *(\d{1,2})|[ -<>-~]{0,40}= *(\d{1,2})")
_VERSION: Final = re.compile(rb"[ -~]{2,100}")

T = TypeVar("T")


class Vici:
    """One selector valve with `positions` ports.

    `address` is what the actuator wants in front of a command: "", "3" or "/3".
    """

    SAFE_S: ClassVar[float] = 8.0
    SAFE_GAP_S: ClassVar[float] = 0.0
    LINK: ClassVar[Link] = Link(baud=9600)

    def __init__(self, port: Port, name: str, address: str = "", *, positions: int = 10) -> None:
        """Refuse what makes no valve; nothing is sent."""
        if not 2 <= positions <= POSITIONS_MAX or not _ADDRESS.fullmatch(address):
            raise InstrumentError(
                f"address {address!r}, {positions} positions make no valve",
                kind="limit",
                cure=f"2..{POSITIONS_MAX} positions; address empty, 3 or /3",
                instrument=name,
            )
        self.port = port
        self.name = name
        self.address = address
        self.positions = positions
        self._sync = Sync(self._words("CP"), _in_step)

    # --- verbs ---------------------------------------------------------------------------------

    def connect(self) -> None:
        """See that an actuator answers."""
        self.port.drain()
        self.position()

    def identify(self) -> Identity:
        """Firmware as VR says it; the actuator tells no serial number."""
        firmware = self._ask("VR", _version)
        self.port.drain()  # some firmware says more than one line
        return Identity("VICI Valco", "actuator", "", firmware)

    def sense(self) -> int:
        """The port it stands at; moves nothing."""
        return self.position()

    def prepare(self) -> None:
        """See that it has as many ports as the bench file says and stands at one. Moves nothing."""
        self.port.drain()
        count = self._ask("NP", positions)
        if count != self.positions:
            raise self._error(
                f"the actuator is set to {count} positions, the bench file says {self.positions}",
                "correct the bench file, or set NP at the actuator",
            )
        self.position()

    def safe(self) -> None:
        """A valve is safe where it is: turning it would move liquid. Sees that it answers."""
        for command in self.safe_bytes():
            self.port.write(command, who=self.name)
        self.port.drain()
        self.position()

    def safe_bytes(self) -> tuple[bytes, ...]:
        """What the dead-man sends: spoil a command cut in the middle, and nothing else.

        A bare CR would complete `GO` or `GO1` of `GO10` and turn the valve; the letter makes it
        unknown.
        """
        return (b"x\r",)

    def close(self) -> None:
        """Nothing is kept; the port belongs to the bus."""

    # --- acts ----------------------------------------------------------------------------------

    def position(self) -> int:
        """The port it stands at, 1.."""
        found = self._ask("CP", position)
        if not 1 <= found <= self.positions:
            raise self._error(
                f"it stands at position {found} of {self.positions}", "home the valve by hand"
            )
        return found

    def turn(self, port: int) -> float:
        """Begin to turn to `port` by the shortest way; the s until it should stand there.

        Nothing is sent when it is there already: 0. Raises InstrumentError "limit" for a port it
        does not have. `position` tells whether it arrived.
        """
        if not 1 <= port <= self.positions:
            raise self._error(
                f"port {port} is not one of 1..{self.positions}", "correct the bench file", "limit"
            )
        way = abs(port - self.position())
        if not way:
            return 0.0
        self.port.write(self.go_bytes(port), who=self.name)
        return START_S + min(way, self.positions - way) * STEP_S

    def go(self, port: int) -> None:
        """Turn to `port` and wait until the valve says that it is there.

        Raises InstrumentError: "limit" for a port it does not have, "fault" when it has not arrived
        within TURN_S after the computed time.
        """
        lasts_s = self.turn(port)
        if not lasts_s:
            return
        self.port.pause(lasts_s)
        reached = 0
        for _ in range(math.ceil(TURN_S / POLL_S)):
            reached = self.position()
            if reached == port:
                return
            self.port.pause(POLL_S)
        raise self._error(f"it stands at {reached} instead of {port}", "look for what blocks it")

    def go_bytes(self, port: int) -> bytes:
        """What the dead-man sends to turn it to `port`."""
        return self._words(f"GO{port:02d}")

    # --- wire ----------------------------------------------------------------------------------

    def _words(self, command: str) -> bytes:
        return f"{self.address}{command}\r".encode("ascii")

    def _ask(self, question: str, parse: Callable[[bytes], T]) -> T:
        data = self._words(question)
        return self.port.ask(data, FRAMING, ANSWER_S, parse, who=self.name, sync=self._sync)

    def _error(self, cause: str, cure: str, kind: Kind = "fault") -> InstrumentError:
        return InstrumentError(cause, kind=kind, cure=cure).at(self.name, self.port.resource)


def position(line: bytes) -> int:
    """`CP04` or `Position is  = 4`; raises InstrumentError for anything else."""
    match = _POSITION.fullmatch(line.strip())
    if match is None:
        raise _complaint(line, "a position")
    return int(match[1] or match[2])


def positions(line: bytes) -> int:
    """`NP10`, or words that end in `= 10`; raises InstrumentError for anything else."""
    match = _POSITIONS.fullmatch(line.strip())
    if match is None or line.startswith(b"Position is"):
        raise _complaint(line, "a number of positions")
    return int(match[1] or match[2])


def _version(line: bytes) -> str:
    """The words of an answer to VR, which are free; never those of another answer."""
    if _VERSION.fullmatch(line) is None or _in_step(line) or b"ad command" in line:
        raise _complaint(line, "a firmware version")
    return line.decode("ascii").strip().removeprefix("VR ")


def _complaint(line: bytes, wanted: str) -> InstrumentError:
    """What an answer that is not wanted means."""
    if b"Bad command" in line:
        return InstrumentError("unknown command", kind="garbled", cure="check cable and model")
    return garbled(line, wanted)


def _in_step(line: bytes) -> bool:
    """Whether this can only be the answer to CP."""
    return _POSITION.fullmatch(line.strip()) is not None
