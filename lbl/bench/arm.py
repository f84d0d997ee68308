"""The arm of a dip bench: two axes, where they stand, and what the dead-man does with them.

Must never decide where the substrate goes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from lbl.bench import roles
from lbl.bench.file import DipFile

_SECOND: Final = 1_000_000_000
NEAR_DEG: Final = 0.5

Timed = tuple[int, str, bytes]
"""Delay in ns, instrument, what is sent to it."""


class Leg(Protocol):
    """The part of a transfer's leg that the dead-man's programme needs."""

    @property
    def axis(self) -> str: ...  # noqa: D102
    @property
    def target(self) -> float: ...  # noqa: D102
    @property
    def duration_ns(self) -> int: ...  # noqa: D102


class ArmRig:
    """Lift and carousel. `still` gives the dead-man the programme of a wet film, plus more."""

    def __init__(
        self, file: DipFile, made: Mapping[str, Any], still: Callable[[Sequence[Timed]], None]
    ) -> None:
        self.file = file
        self.axes: dict[str, roles.Axis] = {
            "z": made[file.arm.lift], "x": made[file.arm.turn],
        }  # fmt: skip
        self.homed = False  # `preparations` had to find the axes' zero: the substrate is in air
        self.settle_ns = int(file.arm.settle * _SECOND)
        self._still = still
        lift = self.axes["z"]
        # The first of the safe bytes spoils a command that was cut in the middle.
        self._lowering = (lift.safe_bytes()[0], lift.move_bytes(file.arm.down))

    @property
    def movers(self) -> frozenset[str]:
        """The instruments that carry the substrate."""
        return frozenset({self.file.arm.lift, self.file.arm.turn})

    @property
    def handlers(self) -> frozenset[str]:
        """What brings the substrate somewhere."""
        return self.movers

    def turned_to(self) -> float:
        """Where the carousel stands, in deg."""
        return self.axes["x"].position()

    @property
    def adrift(self) -> bool:
        """Whether an axis has said that it lost its zero: where the arm is, nobody knows then."""
        return not all(axis.referenced for axis in self.axes.values())

    def station(self, at: float) -> str:
        """The vessel that is under the arm when the carousel stands at `at`; "" for none."""
        vessels = self.file.vessels.items()
        return next((name for name, one in vessels if abs(one.at - at) <= NEAR_DEG), "")

    def where(self) -> str:
        """The vessel in which the substrate is, as the axes say; "" is in air."""
        if self.axes["z"].position() < self.file.arm.surface:
            return ""
        return self.station(self.turned_to())

    def preparations(
        self, up: float, start: float, *, moves: bool
    ) -> Iterator[tuple[str, str, Callable[[], None]]]:
        """(name, what it may move, act): the lift homes up before the carousel may turn.

        Without `moves` the arm stays where it is, unless an axis has lost its reference.
        """
        arm, lift, turn = self.file.arm, self.axes["z"], self.axes["x"]

        def raise_it() -> None:
            self.homed = not (lift.sense().referenced and turn.sense().referenced)
            lift.prepare()
            if moves or self.homed:  # a carousel that must find its zero turns: out of the bath
                lift.set_speed(arm.withdraw)
                lift.move(up)

        def turn_it() -> None:
            turn.prepare()
            if moves:
                turn.set_speed(arm.speed)
                turn.move(start)

        first = f"may home; goes to {up:g} mm" if moves else "may home"
        yield arm.lift, first, raise_it
        second = f"may home; turns to {start:g} deg" if moves else "may home"
        yield arm.turn, second, turn_it

    def rescue(self, leg: Leg) -> None:
        """The dead-man's programme while a leg moves: end over a bath, in it, never sideways.

        Lifting: down again where it is. Turning: down once the turn is over. Lowering: go on.
        """
        if leg.axis != "x" and leg.target >= self.file.arm.surface:
            self._still(())
            return
        delay_ns = leg.duration_ns if leg.axis == "x" else 0
        self._still([(delay_ns, self.file.arm.lift, data) for data in self._lowering])
