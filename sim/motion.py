"""A move of one axis in closed form: where it is at any nanosecond, and when it passes a place.

Never steps through time and never keeps state: a move is a frozen fact from which the axis
model answers positions and the world reads the instant a surface is crossed.
"""

import math
from dataclasses import dataclass, field

_S_PER_NS = 1e-9
_NS_PER_S = 1e9
# Closer than any encoder sees (mm or deg): a place that near the target counts as met there.
_NEAR = 1e-9


@dataclass(frozen=True, slots=True)
class Motion:
    """A trapezoidal move from `origin` to `target`, ending at rest.

    Positions are mm (a linear axis) or deg (a carousel), `speed` is unit/s and `accel` unit/s2,
    both positive. `velocity` (signed, unit/s) is the speed at the start: 0 for a fresh move,
    other than 0 when a moving axis is stopped or sent elsewhere. Acceleration and deceleration
    are equal, the default of Zaber axes (Zaber ASCII Protocol Manual, setting `accel`).
    Three phases of constant acceleration; with `a` and a start at rest the peak speed is
    min(speed, sqrt(a * distance)), the textbook trapezoid or triangle.
    """

    start_ns: int
    origin: float
    target: float
    speed: float
    accel: float
    velocity: float = 0.0
    end_ns: int = field(init=False, compare=False)
    _phases: tuple[tuple[float, float, float, float], ...] = field(
        init=False, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        """Work out the phases; raise ValueError for a speed or acceleration that cannot be."""
        given = (self.origin, self.target, self.speed, self.accel, self.velocity)
        if not all(math.isfinite(value) for value in given):
            raise ValueError(f"a move needs finite numbers, got {given}")
        if self.speed <= 0.0 or self.accel <= 0.0:
            raise ValueError(
                f"a move needs speed and accel above 0, got {self.speed} and {self.accel}"
            )
        phases, duration = _phases(self.origin, self.target, self.speed, self.accel, self.velocity)
        object.__setattr__(self, "_phases", phases)
        object.__setattr__(self, "end_ns", self.start_ns + math.ceil(duration * _NS_PER_S))

    @classmethod
    def still(cls, position: float, now_ns: int = 0) -> "Motion":
        """Return the move of an axis that stands at `position`."""
        return cls(now_ns, position, position, 1.0, 1.0)

    @classmethod
    def of(cls, plain: list[float]) -> "Motion":
        """Return the move that `plain()` wrote down."""
        # Sorted JSON writes 24.0 as 24; a float again, so that what is printed is the same.
        return cls(int(plain[0]), *(float(value) for value in plain[1:]))

    def plain(self) -> list[float]:
        """Return the move as JSON data, for a snapshot."""
        return [
            self.start_ns,
            self.origin,
            self.target,
            self.speed,
            self.accel,
            self.velocity,
        ]

    def at(self, now_ns: int) -> float:
        """Return the position; exactly `target` from `end_ns` on, `origin` before the start."""
        if now_ns >= self.end_ns:
            return self.target
        if now_ns <= self.start_ns:
            return self.origin
        return _state(self._phases, (now_ns - self.start_ns) * _S_PER_NS)[0]

    def velocity_at(self, now_ns: int) -> float:
        """Return the signed speed (unit/s); 0 outside the move."""
        if now_ns >= self.end_ns or now_ns < self.start_ns:
            return 0.0
        return _state(self._phases, (now_ns - self.start_ns) * _S_PER_NS)[1]

    def when(self, position: float) -> int | None:
        """Return the first nanosecond at which the axis is at or past `position`, or None.

        A position equal to the origin is met at the start; one that the move turns back
        before is never met.
        """
        if position == self.origin:
            return self.start_ns
        first = _first(self._phases, position)
        if first is None:
            return self.end_ns if abs(position - self.target) <= _NEAR else None
        at_ns = self.start_ns + math.ceil(first * _NS_PER_S)
        return min(at_ns, self.end_ns)

    def span(self) -> tuple[float, float]:
        """Return the lowest and the highest position on the way (a turn-round included)."""
        rest = self.origin + self.velocity * abs(self.velocity) / (2.0 * self.accel)
        places = (self.origin, self.target, rest)
        return min(places), max(places)

    def legs(self) -> "tuple[Motion, ...]":
        """Return the move as one or two moves that do not turn back on the way."""
        rest = self.origin + self.velocity * abs(self.velocity) / (2.0 * self.accel)
        if (rest - self.origin) * (self.target - rest) >= 0.0:
            return (self,)
        speed = max(abs(self.velocity), self.speed)
        out = Motion(self.start_ns, self.origin, rest, speed, self.accel, self.velocity)
        return out, Motion(out.end_ns, rest, self.target, self.speed, self.accel)

    def stopped(self, now_ns: int, decel: float) -> "Motion":
        """Return the move that brings the axis to rest from `now_ns` on, at `decel` (unit/s2)."""
        position, velocity = self.at(now_ns), self.velocity_at(now_ns)
        rest = position + velocity * abs(velocity) / (2.0 * decel)
        return Motion(now_ns, position, rest, max(abs(velocity), 1e-9), decel, velocity)

    def diverted(self, now_ns: int, target: float, speed: float, accel: float) -> "Motion":
        """Return the move to another target that takes over at `now_ns`, without a halt."""
        position, velocity = self.at(now_ns), self.velocity_at(now_ns)
        return Motion(now_ns, position, target, speed, accel, velocity)


def _phases(
    origin: float, target: float, speed: float, accel: float, velocity: float
) -> tuple[tuple[tuple[float, float, float, float], ...], float]:
    """Return phases (begins at s, position, velocity, acceleration) and the duration in s.

    With the stopping place q = origin + v|v|/2a the axis heads for target - q. Its peak speed
    follows from  peak^2 = a * distance + v^2 / 2  (both ramps at `a`), capped by `speed`.
    """
    way = target - (origin + velocity * abs(velocity) / (2.0 * accel))
    sign = 1.0 if way >= 0.0 else -1.0
    ahead = sign * velocity
    room = max(accel * sign * (target - origin) + 0.5 * velocity * velocity, 0.0)
    # A plain stop ends where braking ends; rounding must not add a creep to it.
    peak = min(speed, math.sqrt(room)) if way != 0.0 else 0.0
    ramp = accel if peak >= ahead else -accel
    first_s = (peak - ahead) / ramp
    last_s = peak / accel
    run_in = (peak * peak - ahead * ahead) / (2.0 * ramp)
    cruise = max(sign * (target - origin) - run_in - peak * last_s / 2.0, 0.0)
    cruise_s = cruise / peak if peak > 0.0 else 0.0
    begin2 = origin + sign * run_in
    begin3 = begin2 + sign * cruise
    phases = (
        (0.0, origin, velocity, sign * ramp),
        (first_s, begin2, sign * peak, 0.0),
        (first_s + cruise_s, begin3, sign * peak, -sign * accel),
    )
    return phases, first_s + cruise_s + last_s


def _state(
    phases: tuple[tuple[float, float, float, float], ...], since_s: float
) -> tuple[float, float]:
    """Return position and velocity `since_s` seconds after the start."""
    begin_s, position, velocity, accel = phases[0]
    for phase in phases[1:]:
        if since_s < phase[0]:
            break
        begin_s, position, velocity, accel = phase
    dt = since_s - begin_s
    return position + (velocity + 0.5 * accel * dt) * dt, velocity + accel * dt


def _first(phases: tuple[tuple[float, float, float, float], ...], position: float) -> float | None:
    """Return the first time (s) at which any phase passes `position`, or None.

    A phase is asked 1 ns beyond its end: a place on the seam of two phases would otherwise be
    lost to rounding in both.
    """
    for number, (begin_s, begin, velocity, accel) in enumerate(phases):
        last = number == len(phases) - 1
        until_s = abs(velocity / accel) if last else phases[number + 1][0] - begin_s
        dt = _root(position - begin, velocity, accel)
        if dt is not None and dt <= until_s + _S_PER_NS:
            return begin_s + min(dt, until_s)
    return None


def _root(way: float, velocity: float, accel: float) -> float | None:
    """Return the least dt >= 0 with  velocity*dt + accel*dt^2/2 = way,  or None."""
    if way == 0.0:
        return 0.0
    if accel == 0.0:
        return way / velocity if velocity * way > 0.0 else None
    inside = velocity * velocity + 2.0 * accel * way
    if inside < 0.0:
        return None
    # Both roots in the form that does not subtract nearly equal numbers.
    q = velocity + math.copysign(math.sqrt(inside), velocity if velocity != 0.0 else way)
    roots = [2.0 * way / q] if q != 0.0 else []
    roots.append(q / -accel)
    ahead = [root for root in roots if root >= 0.0]
    return min(ahead) if ahead else None
