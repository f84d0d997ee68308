"""A stepper axis: where it stands, what it is doing, what it warns of.

The mechanical half of the Zaber model, without its text. Moves are closed-form trapezoids handed
to the world through the link `moved(motion)`. Must never parse a command, and never knows what
hangs from the axis.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from sim.motion import Motion

HALT_FACTOR: Final = 20.0  # guess: an emergency stop decelerates this many times faster
FLAGS: Final = (
    "FF", "FN", "FZ", "FH", "FV", "FO", "FD", "FC", "FM", "FQ", "FI", "FA", "FR", "FS", "FB",
    "FP", "FE", "FT", "WL", "WV", "WT", "WS", "WM", "WP", "WR", "WH", "NC", "NI", "ND", "NR",
    "NT", "NU", "NJ",
)  # fmt: skip  # warning flags, highest priority first
CLEARABLE: Final = frozenset({"FS", "FE", "WL", "WS", "WM", "NI", "NC"})


class AxisLink(Protocol):
    """What an axis tells the world."""

    def moved(self, motion: Motion, /) -> None:
        """The axis follows `motion` from its start on."""


class Axis:
    """Travel from 0 (the home sensor) to `high`, in mm or deg.

    `task` says what ends with the motion: "" (at rest), "move", "home" or "stall". `offset` is
    the position at which the axis reads 0; `flags` are sorted, `worst` is the first or "--".
    """

    def __init__(self, high: float, at: float, link: AxisLink | None) -> None:
        self._link = link
        self._high = high
        self.motion = Motion.still(at)
        self.offset = at
        self.task = ""
        self.parked = False
        self.flags = ["WR"]
        self.worst = "WR"
        if link is not None and at != 0.0:
            link.moved(self.motion)

    def busy(self, now_ns: int) -> bool:
        """Whether the axis moves."""
        return now_ns < self.motion.end_ns

    def settle(self, now_ns: int) -> None:
        """Do what the end of a motion brings with it, if it has ended."""
        if not self.task or now_ns < self.motion.end_ns:
            return
        if self.task == "home":
            self.offset = 0.0
            self.lower("WR")
        elif self.task == "stall":
            self.hoist("FS")
        self.task = ""

    def begin(self, task: str, target: float, speed: float, accel: float, now_ns: int) -> None:
        """Begin a motion (unit/s, unit/s2); past an end of the travel it runs into it and stalls.

        A fresh movement takes back the flags of the last one's end (guess).
        """
        self.lower("NI")
        self.lower("FS")
        if self.busy(now_ns):
            self.hoist("NI")
        place = min(max(target, 0.0), self._high)
        if abs(place - target) > 1e-6 * (self._high + 1.0):
            task = "stall"
        self._go(task, self.motion.diverted(now_ns, place, speed, accel))

    def brake(self, decel: float, now_ns: int) -> None:
        """Come to rest with `decel` (unit/s2)."""
        if self.busy(now_ns):
            self.hoist("NI")
            self._go("move", self.motion.stopped(now_ns, decel))

    def stall(self, share: float, now_ns: int) -> bool:
        """Stall after `share` of the way that is left; False while at rest."""
        if not self.busy(now_ns):
            return False
        motion = self.motion
        way = (motion.target - motion.at(now_ns)) * min(max(share, 0.0), 1.0)
        velocity = motion.velocity_at(now_ns)
        if abs(way) <= velocity * velocity / (2.0 * motion.accel):
            self._go("stall", motion.stopped(now_ns, motion.accel * HALT_FACTOR))
        else:
            place = motion.at(now_ns) + way
            self._go("stall", motion.diverted(now_ns, place, motion.speed, motion.accel))
        return True

    def wake(self, decel: float, now_ns: int) -> None:
        """Lose power: stop, and forget the position unless parked."""
        self.settle(now_ns)
        self.brake(decel, now_ns)
        self.task = ""
        if self.parked:
            self.flags = [flag for flag in self.flags if flag == "WR"]
        else:
            self.offset = self.motion.target
            self.flags = ["WR"]
        self._rank()

    def hoist(self, flag: str) -> None:
        """Raise a warning flag."""
        if flag not in self.flags:
            self.flags.append(flag)
            self._rank()

    def lower(self, flag: str) -> None:
        """Take a warning flag back."""
        if flag in self.flags:
            self.flags.remove(flag)
            self._rank()

    def acknowledge(self) -> None:
        """Clear the flags that a user may clear."""
        self.flags = [flag for flag in self.flags if flag not in CLEARABLE]
        self._rank()

    def _rank(self) -> None:
        self.flags.sort(key=FLAGS.index)
        self.worst = self.flags[0] if self.flags else "--"

    def _go(self, task: str, motion: Motion) -> None:
        self.task = task
        self.motion = motion
        if self._link is not None:
            self._link.moved(motion)

    def plain(self) -> dict[str, object]:
        """Return the whole dynamic state as JSON data."""
        return {
            "flags": list(self.flags),
            "motion": self.motion.plain(),
            "offset": self.offset,
            "parked": self.parked,
            "task": self.task,
        }

    def take(self, state: Mapping[str, Any]) -> None:
        """Take a state that `plain` gave; the world restores its own half."""
        self.flags = list(state["flags"])
        self.motion = Motion.of(state["motion"])
        self.offset = state["offset"]
        self.parked = state["parked"]
        self.task = state["task"]
        self._rank()
