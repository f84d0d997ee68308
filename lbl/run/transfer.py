"""Carries the substrate from bath to bath: lift, turn, lower, each leg confirmed before the next.

A leg is armed in the core ahead of its deadline and fires by itself; the next leg is armed only
after the axis has said that it stands where it should. Sideways only while up. While the substrate
is in air the dead-man's programme lowers it into the bath that is under it, or will be. This file
must never decide where to go.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lbl.bench.bench import Bench
from lbl.plan.schedule import Leg
from lbl.run.acts import Waits
from lbl.run.clock import RunClock
from lbl.run.trouble import Trouble

LEAD_NS: Final = 2_000_000_000  # a lift is armed this long before its deadline
GRACE_NS: Final = 250_000_000  # real; latest - deadline, well above what a busy host is late
OPEN: Final = frozenset({"armed", "confirmed"})
LOOK_NS: Final = 5_000_000
NOTHING: Final = -1
PARKING_LOOKS: Final = 600  # half a minute: longer than any safe programme
POLL_NS: Final = 50_000_000
OVERTIME_NS: Final = 5_000_000_000  # a leg that lasts this much longer than planned is stuck
NEAR: Final = 0.05  # mm or deg between where an axis should stand and where it does


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a transfer went: when the lift fired, when the substrate was submerged."""

    lifted_ns: int
    immersed_ns: int
    planned_ns: int

    @property
    def air_s(self) -> float:
        """Time between leaving one bath and being submerged in the next."""
        return (self.immersed_ns - self.lifted_ns) / 1e9


class Carrier:
    """The arm, as the engine uses it. `in_air`: a lift has fired and no lowering has ended."""

    def __init__(self, bench: Bench, clock: RunClock) -> None:
        self._bench = bench
        self._clock = clock
        self._core = clock.core
        self._armed = NOTHING
        self._turning = False
        self.in_air = False

    def distrust(self) -> None:
        """A leg went wrong. Where it was a turn, nobody knows what is under the arm: stay up.

        A lift or a lowering that went wrong leaves the carousel at a station, and the dead-man's
        lowering safe.
        """
        if self._turning:
            self._bench.rest()

    def drop(self) -> Waits[None]:
        """Disarm everything; a lift that fired an instant before has put the substrate in air.

        A safe programme that is being sent is let to its end first.
        """
        self._core.hold()
        for _ in range(PARKING_LOOKS):
            if not self._core.parking:
                break
            yield self._clock.now_ns() + POLL_NS
        if self._armed != NOTHING and self._core.entry(self._armed)[0] == "fired":
            self.in_air = True
        self._armed = NOTHING
        self._core.clear()

    def transfer(
        self, legs: tuple[Leg, ...], start_ns: int, tag: int, lifted: Callable[[int], None]
    ) -> Waits[Arrival]:
        """Carry out `legs` from `start_ns`; yields the instants to wait for.

        Calls `lifted` as soon as the first leg is known to have fired. The result of the generator
        is its Arrival. Raises Trouble when a leg does not fire or does not arrive, InstrumentError
        from drivers.
        """
        deadline, lifted_ns = start_ns, 0
        for leg in legs:
            self._turning = leg.axis == "x"
            fired = yield from self._fire(leg, deadline, tag)
            if not lifted_ns:
                lifted_ns = fired
                lifted(fired)
            arrive = fired + leg.duration_ns - self._bench.settle_ns
            yield arrive
            yield from self._arrived(leg, arrive)
            deadline += leg.duration_ns
        self.in_air = self._turning = False
        self._bench.rest()
        return Arrival(lifted_ns, self._clock.now_ns(), deadline)

    def _fire(self, leg: Leg, deadline: int, tag: int) -> Waits[int]:
        axis = self._bench.axes[leg.axis]
        axis.set_speed(leg.speed)
        if self._core.held:  # the dead-man has parked, or another command was not sent in time
            raise Trouble.of_block(self._core.verdict, f"{leg.axis} to {leg.target:g}")
        latest = deadline + int(GRACE_NS * self._clock.rate)
        self._armed = axis.arm_move(leg.target, deadline, latest, tag)
        self._core.confirm(self._armed)
        yield deadline
        state, fired = self._core.entry(self._armed)
        while state in OPEN and self._clock.now_ns() <= latest:  # armed late: the pacer is at it
            yield self._clock.now_ns() + LOOK_NS
            state, fired = self._core.entry(self._armed)
        self._armed = NOTHING
        if state != "fired":
            raise Trouble.of_block(self._core.verdict, f"{leg.axis} to {leg.target:g}")
        self.in_air = True
        self._bench.rescue(leg)
        return fired

    def _arrived(self, leg: Leg, arrive: int) -> Waits[None]:
        """Poll until the axis rests where it should."""
        axis = self._bench.axes[leg.axis]
        wait = arrive
        while axis.moving():
            wait += POLL_NS
            if wait > arrive + OVERTIME_NS:
                raise Trouble(
                    "position-wrong", f"{leg.axis} did not arrive at {leg.target:g} in time"
                )
            yield wait
        at = axis.position()
        if abs(at - leg.target) > NEAR:
            raise Trouble(
                "position-wrong", f"{leg.axis} stands at {at:g} instead of {leg.target:g}"
            )
