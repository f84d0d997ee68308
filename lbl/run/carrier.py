"""Carries the substrate from bath to bath: lift, turn, lower, each leg confirmed before the next.

A leg is armed in the core ahead of its deadline and fires by itself; the next leg is armed only
after the axis has said that it stands where it should. Sideways only while up. While the substrate
is in air the dead-man's programme lowers it into the bath that is under it, or will be. This file
must never decide where to go.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Final

from lbl.bench.arm import ArmRig
from lbl.bench.bench import Bench
from lbl.plan.equipment import Arm, Bath, Equipment
from lbl.plan.schedule import Leg, Legs, Plan, Step
from lbl.plan.transfer import transfer
from lbl.run.acts import Waits
from lbl.run.clock import RunClock
from lbl.run.handling import Arrival
from lbl.run.trigger import Trigger
from lbl.run.trouble import Trouble

POLL_NS: Final = 50_000_000
OVERTIME_NS: Final = 5_000_000_000  # a leg that lasts this much longer than planned is stuck
NEAR: Final = 0.05  # mm or deg between where an axis should stand and where it does


class Carrier:
    """The arm, as the engine uses it. `in_air`: a lift has fired and no lowering has ended."""

    def __init__(
        self, arm: ArmRig, geometry: Arm, bench: Bench, equipment: Equipment, plan: Plan,
        clock: RunClock,
    ) -> None:  # fmt: skip
        self._arm = arm
        self._geometry = geometry
        self._baths = {bath.name: bath for bath in equipment.baths}
        self._plan = plan
        self._bench = bench
        self._clock = clock
        self._trigger = Trigger(clock)
        self._turning = False
        self.in_air = False

    def distrust(self) -> None:
        """A leg went wrong. Where it was a turn, nobody knows what is under the arm: stay up.

        A lift or a lowering that went wrong leaves the carousel at a station, and the dead-man's
        lowering safe, unless an axis has lost its zero: it would go through the bottom, or into a
        bath of the other side.
        """
        if self._turning or (self.in_air and self._arm.adrift):
            self._bench.rest()

    def drop(self) -> Waits[None]:
        """Disarm everything; a lift that fired an instant before has put the substrate in air."""
        fired = yield from self._trigger.drop()
        self.in_air = self.in_air or fired

    def ready(self) -> Waits[None]:
        """Nothing: the axes have homed."""
        yield from ()

    def transfer(
        self, legs: Legs, start_ns: int, tag: int, lifted: Callable[[int], None]
    ) -> Waits[Arrival]:
        """Carry out `legs` from `start_ns`; yields the instants to wait for.

        Calls `lifted` as soon as the first leg is known to have fired. The result of the generator
        is its Arrival. Raises Trouble when a leg does not fire or does not arrive, InstrumentError
        from drivers.
        """
        deadline, lifted_ns = start_ns, 0
        if not self.in_air:
            self._look()
        for leg in legs:
            if not isinstance(leg, Leg):
                raise TypeError(leg)
            self._turning = leg.axis == "x"
            fired = yield from self._fire(leg, deadline, tag)
            if not lifted_ns:
                lifted_ns = fired
                lifted(fired)
            arrive = fired + leg.duration_ns - self._arm.settle_ns
            yield arrive
            yield from self._arrived(leg, arrive)
            deadline += leg.duration_ns
        self.in_air = self._turning = False
        self._bench.rest()
        return Arrival(lifted_ns, self._clock.now_ns(), deadline)

    def _look(self) -> None:
        """Before the film leaves its liquid: both axes answer, and know where they are."""
        for name, axis in self._arm.axes.items():
            axis.position()
            if not axis.referenced:
                raise Trouble(
                    "position-wrong", f"{name} is not referenced any more: it has lost its zero"
                )

    def _fire(self, leg: Leg, deadline: int, tag: int) -> Waits[int]:
        axis = self._arm.axes[leg.axis]
        axis.set_speed(leg.speed)

        def arm(deadline_ns: int, latest_ns: int) -> int:
            return axis.arm_move(leg.target, deadline_ns, latest_ns, tag)

        fired = yield from self._trigger.fire(arm, deadline, f"{leg.axis} to {leg.target:g}")
        self.in_air = True
        self._arm.rescue(leg)
        return fired

    def _arrived(self, leg: Leg, arrive: int) -> Waits[None]:
        """Poll until the axis rests where it should."""
        axis = self._arm.axes[leg.axis]
        wait = arrive
        while axis.moving():
            wait += POLL_NS
            if wait > arrive + OVERTIME_NS:
                raise Trouble(
                    "position-wrong", f"{leg.axis} did not arrive at {leg.target:g} in time"
                )
            yield wait
        at = axis.position()
        if not axis.referenced:
            raise Trouble(
                "position-wrong",
                f"{leg.axis} is not referenced any more: it lost its zero on the way",
            )
        if abs(at - leg.target) > NEAR:
            raise Trouble(
                "position-wrong", f"{leg.axis} stands at {at:g} instead of {leg.target:g}"
            )

    def prime(self, vessel: str) -> Waits[None]:
        """Nothing: the substrate goes to its liquids, and no line lies between."""
        yield from ()

    # Where to, and where from.

    def legs(self, here: str, there: str) -> Legs:
        """The way from one bath to another."""
        return transfer(self._geometry, self._baths[here], self._baths[there]).legs

    def watch(self, until_ns: int) -> Waits[int]:
        """Wait; a bath needs no looking after."""
        yield until_ns
        return 0

    def where(self, known: str) -> str:
        """The bath that the axes say; they know better than any record."""
        where = self._arm.where()
        self.in_air = where == ""
        return where

    def refuge(self, meant: str, expected: Collection[str]) -> tuple[str, Legs]:
        """Down into the bath under the arm if it may hang there, else into the one that was meant.

        An arm that has homed, now or in a process that died since, hangs over some bath by chance.
        """
        at = self._arm.turned_to()
        if self._arm.adrift:
            raise Trouble("position-unknown", "the arm is in air, and an axis has lost its zero")
        under = self._arm.station(at)
        if under not in expected:
            under = ""
        if not (under or meant):
            raise Trouble("position-unknown", "the arm is in air over no bath that is known")
        there = self._baths[under or meant]
        here: Bath | None = None if under else replace(there, name="", at=at)
        return there.name, transfer(self._geometry, here, there).legs

    def way_out(self, vessel: str, step: Step) -> Sequence[str]:
        """Rinse baths of the vessel's own side that lie ahead, in the order of the bench file."""
        side = self._side(vessel)
        baths = [
            name
            for name, bath in self._baths.items()
            if bath.purpose == "rinse" and bath.side == side and name in self._plan.assignments
        ]
        return baths[baths.index(vessel) + 1 :] if vessel in baths else baths

    def _side(self, vessel: str) -> str:
        """Which charge a vessel belongs to: its own side, or that of what it holds."""
        if self._baths[vessel].side:
            return self._baths[vessel].side
        liquid = self._plan.solutions.get(self._plan.assignments.get(vessel, ""))
        return "negative" if liquid is not None and liquid.charge < 0 else "positive"
