"""Zaber stage: one axis of a device on a chain, spoken to in Zaber's ASCII protocol.

Source: Zaber ASCII Protocol Manual (firmware 6 and 7). It homes, moves to absolute positions and
says where it is. It must never move an axis that is not referenced, never outside its travel, and
never believe an answer whose checksum, address or number is not that of the question.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

from drivers.errors import InstrumentError, Kind, garbled
from drivers.link import Identity, Link
from drivers.port import Port
from drivers.zaber_ascii import (
    FAULTS,
    FRAMING,
    REJECTS,
    SPEED_UNIT,
    Reply,
    accel_data,
    encode,
    flags,
    integer,
    parse,
    speed_data,
)

ANSWER_S: Final = 0.5
POLL_S: Final = 0.05
HOME_S: Final = 120.0  # the longest way at the slowest home speed we allow
HOME_POLL_S: Final = 0.25
MOVE_SLACK: Final = 0.5  # a move may take that fraction longer than computed, plus
MOVE_EXTRA_S: Final = 2.0
IDS: Final = 100  # message ids have two digits
UNREFERENCED: Final = frozenset({"WR", "WH"})
DOUBTFUL: Final = frozenset({"WR", "WH", "WM", "WS", "WL"})  # worth homing again

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AxisSense:
    """Position in the axis's unit; `warning` lists the flags that stand, space between."""

    position: float
    referenced: bool
    moving: bool
    warning: str


class Zaber:
    """One axis. `microstep` is its unit (mm or deg) per microstep; `low`..`high` its travel there.

    `accel` in units/s2 is written to the device by `prepare`, so that planned move times hold.
    """

    SAFE_S: ClassVar[float] = 5.0
    SAFE_GAP_S: ClassVar[float] = 0.0
    LINK: ClassVar[Link] = Link(baud=115_200)

    def __init__(
        self,
        port: Port,
        name: str,
        address: int = 1,
        *,
        microstep: float,
        low: float,
        high: float,
        accel: float,
    ) -> None:
        """Refuse what makes no axis; nothing is sent."""
        if not 1 <= address <= 99 or microstep <= 0 or low >= high or accel <= 0:
            raise InstrumentError(
                f"address {address}, microstep {microstep:g}, travel {low:g}..{high:g}, "
                f"acceleration {accel:g} make no axis",
                kind="limit",
                cure="correct the bench file",
                instrument=name,
            )
        self.port = port
        self.name = name
        self.address = address
        self.microstep = microstep
        self.low = low
        self.high = high
        self.accel = accel
        self._ident = 0
        self._checked = False  # the device answers with checksums: then one without is garbage
        self._referenced = False
        self._speed = 0.0  # last commanded; 0 is unknown

    # --- verbs ---------------------------------------------------------------------------------

    def connect(self) -> None:
        """See that a device answers at this address. Moves nothing."""
        self.port.drain()
        self.identify()

    def identify(self) -> Identity:
        """Device id, serial number and firmware version; one that has stalled says them too."""
        model, serial, version = (
            self._ask(f"get {name}", axis=0, faults=False).data
            for name in ("deviceid", "system.serial", "version")
        )
        return Identity("Zaber", f"device {model}", serial, version)

    def sense(self) -> AxisSense:
        """Position, reference, motion and every flag that stands. Moves nothing, raises no flag."""
        busy = self._ask("", faults=False).busy
        standing = self._ask_for("warnings", flags, faults=False)
        self._learn(standing)
        position = self._number("get pos", faults=False) * self.microstep
        return AxisSense(position, self._referenced, busy, " ".join(standing))

    def prepare(self) -> None:
        """Set checksums and acceleration, check the travel; home if the reference is in doubt.

        Moves: the axis to its home position, only when it is unreferenced or lost steps.
        Raises InstrumentError for faults that stand, a travel shorter than the bench file says,
        or a home that takes longer than HOME_S.
        """
        self.port.drain()
        self._use_checksums()
        found = self._ask_for("warnings clear", flags, faults=False)
        self._learn(self._ask_for("warnings", flags))
        self.limits()
        self._set("accel", accel_data(self.accel, self.microstep))
        self._speed = 0.0
        if not self._referenced or not DOUBTFUL.isdisjoint(found):
            self._ask("home")  # asking it twice is no harm
            self._wait_idle(HOME_S, HOME_POLL_S)
            self._learn(self._ask_for("warnings", flags))
            if not self._referenced:
                raise self._error("homing ended without a reference", "check the home sensor")

    def safe(self) -> None:
        """Stop, and see that it stands; within SAFE_S. Moves nothing but the stopping distance."""
        for command in self.safe_bytes():
            self.port.write(command, who=self.name)
        self.port.drain()
        self._wait_idle(self.SAFE_S, faults=False)

    def safe_bytes(self) -> tuple[bytes, ...]:
        """What the dead-man sends: spoil a command cut in the middle, then stop, twice.

        A bare line end would complete `move abs 20` of `move abs 2000`; the letter makes it a
        command that the device refuses.
        """
        return b"x\n", self.stop_bytes(), self.stop_bytes()

    def close(self) -> None:
        """Forget what is known of the axis; the port belongs to the bus."""
        self._referenced = False
        self._speed = 0.0

    # --- acts ----------------------------------------------------------------------------------

    def position(self) -> float:
        """Where the axis is, in mm or deg."""
        return self._number("get pos") * self.microstep

    @property
    def referenced(self) -> bool:
        """Whether it knew its zero when it last answered; asks nothing."""
        return self._referenced

    def set_speed(self, speed: float) -> None:
        """Speed of the moves to come, in units/s; nothing is sent when it is that already."""
        data = speed_data(speed, self.microstep) if math.isfinite(speed) else 0
        if data < 1:
            raise self._refusal(f"{speed:g} per second is no speed", "set_speed")
        if speed == self._speed:
            return
        self._set("maxspeed", data)
        self._speed = speed

    def move_bytes(self, target: float) -> bytes:
        """The command that moves to `target`; raises InstrumentError outside the travel."""
        slack = 1e-9 * (self.high - self.low)
        if not self.low - slack <= target <= self.high + slack:
            raise self._refusal(
                f"{target:g} is outside the travel {self.low:g}..{self.high:g}", "move"
            )
        return encode(self.address, 1, f"move abs {round(target / self.microstep)}")

    def limits(self) -> dict[str, tuple[float, float]]:
        """The device's own travel. Raises "limit" when the bench file's is not inside."""
        low = self._number("get limit.min") * self.microstep
        high = self._number("get limit.max") * self.microstep
        if self.low < low - self.microstep or self.high > high + self.microstep:
            raise self._error(
                f"the device's travel is {low:g}..{high:g}, the bench file says "
                f"{self.low:g}..{self.high:g}",
                "correct the travel in the bench file, or limit.min and limit.max of the device",
                kind="limit",
            )
        return {"travel": (low, high)}

    def stop_bytes(self) -> bytes:
        """The command that brings the axis to rest with its normal deceleration."""
        return encode(self.address, 1, "stop")

    def arm_move(self, target: float, deadline_ns: int, latest_ns: int, tag: int = 0) -> int:
        """Have the pacer fire a move in [deadline, latest] of its clock; the entry's id.

        The answer is checked by the next exchange on the port: a refusal or a fault raises there.
        """
        self._require_reference()
        return self.port.arm(
            self.move_bytes(target),
            FRAMING,
            deadline_ns,
            latest_ns,
            check=self._check_fired,
            tag=tag,
            who=self.name,
        )

    def moving(self) -> bool:
        """One poll: whether it moves. Raises InstrumentError on a refusal or a fault flag."""
        return self._ask("").busy

    def move(self, target: float) -> None:
        """Move and wait until it stands at `target`; bounded by the computed time and a slack."""
        command = f"move abs {round(target / self.microstep)}"
        self.move_bytes(target)  # for its limits
        self._require_reference()
        if not self._speed:
            speed = self._number("get maxspeed")
            self._speed = speed / SPEED_UNIT * self.microstep
        way = abs(target - self.position())
        expected_s = way / self._speed + self._speed / self.accel
        self._ask(command)  # absolute, so that asking it twice is no harm
        self.port.pause(expected_s)
        self._wait_idle(expected_s * MOVE_SLACK + MOVE_EXTRA_S)
        reached = self.position()
        if abs(reached - target) > self.microstep:
            raise self._error(
                f"it stands at {reached:g} instead of {target:g}", "look for what stopped it"
            )

    # --- wire ----------------------------------------------------------------------------------

    def _ask(self, words: str, *, axis: int = 1, faults: bool = True) -> Reply:
        """Send words with a fresh message id and return the answer that bears it."""
        return self._ask_for(words, _whole, axis=axis, faults=faults)

    def _number(self, words: str, *, faults: bool = True) -> int:
        """The same for an answer that is a whole number."""
        return self._ask_for(words, integer, faults=faults)

    def _ask_for(
        self, words: str, read: Callable[[Reply], T], *, axis: int = 1, faults: bool = True
    ) -> T:
        self._ident = ident = (self._ident + 1) % IDS
        return self.port.ask(
            encode(self.address, axis, words, ident),
            FRAMING,
            ANSWER_S,
            lambda line: read(self._judge(line, axis, ident, faults)),
            who=self.name,
        )

    def _judge(self, line: bytes, axis: int, ident: int | None, faults: bool = True) -> Reply:
        """The answer if it is ours and says yes; raises InstrumentError otherwise."""
        reply = parse(line)
        if reply.address != self.address or reply.axis != axis or reply.ident != ident:
            raise garbled(line, "the answer to this question")
        if self._checked and not reply.checked:
            raise garbled(line, "intact: its checksum is missing")
        if reply.flag in UNREFERENCED:
            self._referenced = False
        if not reply.accepted:
            why = REJECTS.get(reply.data, "refused")
            raise InstrumentError(
                f"{why} ({reply.data})", kind="refused", cure="check the bench file and the axis"
            )
        if faults and reply.flag[0] == "F":
            raise InstrumentError(
                f"fault {reply.flag}: {FAULTS.get(reply.flag, 'see the manual')}",
                kind="fault",
                cure="remove the cause, then prepare the axis again",
            )
        return reply

    def _check_fired(self, line: bytes) -> None:
        """The answer of an armed move, which bears no id."""
        self._judge(line, 1, None)

    def _set(self, setting: str, value: int) -> None:
        """Write a setting and read it back."""
        self._ask(f"set {setting} {value}")
        kept = self._number(f"get {setting}")
        if kept != value:
            raise self._error(f"{setting} is {kept} after it was set to {value}", "set it again")

    def _use_checksums(self) -> None:
        """From here on the device's answers are protected too, where it can."""
        try:
            self._ask("set comm.checksum 1", axis=0, faults=False)
        except InstrumentError as error:
            if error.kind != "refused":
                raise
            self.port.note(f"{self.name}: answers have no checksum")
            return
        self._checked = self._ask("", faults=False).checked

    def _wait_idle(self, bound_s: float, poll_s: float = POLL_S, *, faults: bool = True) -> None:
        """Poll until it stands; raises InstrumentError (kind "busy") after the bound."""
        for _ in range(math.ceil(bound_s / poll_s)):
            if not self._ask("", faults=faults).busy:
                return
            self.port.pause(poll_s)
        raise self._error(f"still moving after {bound_s:g} s", "look at the axis", kind="busy")

    def _learn(self, standing: tuple[str, ...]) -> None:
        self._referenced = UNREFERENCED.isdisjoint(standing)
        if not self._referenced:
            self._speed = 0.0  # it may have lost power, and its settings

    def _require_reference(self) -> None:
        if not self._referenced:
            raise self._refusal("the axis is not referenced", "move", "prepare (home) it first")

    def _refusal(self, cause: str, command: str, cure: str = "correct the plan") -> InstrumentError:
        error = InstrumentError(cause, kind="limit", cure=cure)
        return error.at(self.name, self.port.resource, command.encode())

    def _error(self, cause: str, cure: str, kind: Kind = "fault") -> InstrumentError:
        return InstrumentError(cause, kind=kind, cure=cure).at(self.name, self.port.resource)


def _whole(reply: Reply) -> Reply:
    return reply
