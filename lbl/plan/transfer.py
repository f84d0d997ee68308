"""How an arm takes the substrate from bath to bath: lift, turn, lower; how long, how long in air.

Closed-form trapezoids from rest to rest. Must never plan a turn while the substrate is down.
"""

import math
from dataclasses import dataclass
from typing import Final

from lbl.plan.equipment import Arm, Bath
from lbl.plan.schedule import Leg, Legs

MS: Final = 1_000_000  # ns; planned durations are whole milliseconds, rounded up
_NOISE: Final = 1e-6  # of a millisecond: rounding error of a float must not cost a whole one


@dataclass(frozen=True, slots=True)
class Transfer:
    """The legs of a way and how long the substrate is not wholly under liquid (s)."""

    legs: Legs
    duration_ns: int
    air: float


def whole_ms(seconds: float) -> int:
    """Return a time in ns, rounded up to whole milliseconds."""
    return math.ceil(seconds * 1000.0 - _NOISE) * MS


def travel_time(distance: float, speed: float, accel: float) -> float:
    """Return the time (s) of a symmetric trapezoidal move from rest to rest.

    A move too short to reach `speed` is a triangle; textbook kinematics, as in the Zaber ASCII
    Protocol Manual (settings maxspeed and accel).
    """
    if distance <= 0.0:
        return 0.0
    if distance >= speed * speed / accel:
        return distance / speed + speed / accel
    return 2.0 * math.sqrt(distance / accel)


def time_to(part: float, distance: float, speed: float, accel: float) -> float:
    """Return the time (s) after which the first `part` of a move of `distance` is done."""
    if part <= 0.0:
        return 0.0
    if part > distance / 2.0:
        total = travel_time(distance, speed, accel)
        return total - time_to(distance - part, distance, speed, accel)
    ramp = speed * speed / (2.0 * accel)
    if part <= ramp:
        return math.sqrt(2.0 * part / accel)
    return speed / accel + (part - ramp) / speed


def transfer(arm: Arm, here: Bath | None, there: Bath) -> Transfer:
    """Return the way from `here` (None: up, at the station of `there`) down into `there`."""
    legs = [
        _leg(arm, "z", 0.0 if here is None else arm.down - arm.up, arm.up, arm.withdraw),
        _leg(arm, "x", 0.0 if here is None else abs(there.at - here.at), there.at, arm.turn),
        _leg(arm, "z", arm.down - arm.up, arm.down, arm.lower),
    ]
    if here is not None and here.name == there.name:
        return Transfer((), 0, 0.0)
    moved = tuple(leg for leg in legs if leg.duration_ns)
    duration = sum(leg.duration_ns for leg in moved)
    return Transfer(moved, duration, _air(arm, here, duration / 1e9))


def _leg(arm: Arm, axis: str, distance: float, target: float, speed: float) -> Leg:
    accel = arm.z_accel if axis == "z" else arm.x_accel
    seconds = travel_time(distance, speed, accel)
    lasts = whole_ms(seconds + arm.settle) if distance > 0.0 else 0
    return Leg("z" if axis == "z" else "x", target, speed, lasts)


def _air(arm: Arm, here: Bath | None, whole: float) -> float:
    """Air time of a transfer that takes `whole` s; a dry substrate on its first way has none."""
    if here is None:
        return 0.0
    if arm.surface is None:
        return whole
    deep, depth = arm.down - arm.surface, arm.down - arm.up
    leaving = time_to(deep, depth, arm.withdraw, arm.z_accel)
    entering = time_to(deep, depth, arm.lower, arm.z_accel) + arm.settle
    return max(0.0, whole - leaving - entering)
