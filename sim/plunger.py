"""One stroke of a syringe plunger driven by a stepper, in closed form.

Source: Tecan Cavro XCalibur operating manual 733085-B, "Calculating plunger move times": start
speed, slope, top speed, cut-off speed, in pulses. Never steps through time and keeps no state.
"""

import math
from dataclasses import dataclass, field

_S_PER_NS = 1e-9
_NS_PER_S = 1e9


@dataclass(frozen=True, slots=True)
class Stroke:
    """A move from `origin` to `target` (pulses, 0 = empty syringe).

    `start`, `top` and `cutoff` are speeds in pulses/s, `slope` is in pulses/s2; a start or
    cut-off speed above the top speed counts as the top speed. Speeds jump to `start` and from
    `cutoff`, as a stepper's do.
    """

    start_ns: int
    origin: float
    target: float
    start: float
    top: float
    cutoff: float
    slope: float
    end_ns: int = field(init=False, compare=False)
    _phases: tuple[tuple[float, float, float], ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Work out the phases: (duration in s, speed at its start, acceleration)."""
        way = abs(self.target - self.origin)
        begin, end = min(self.start, self.top), min(self.cutoff, self.top)
        double = 2.0 * self.slope
        peak = min(self.top, math.sqrt((double * way + begin * begin + end * end) / 2.0))
        if peak <= max(begin, end):  # too short to gain speed
            phases: tuple[tuple[float, float, float], ...] = ((way / begin, begin, 0.0),)
        else:
            rise = (peak * peak - begin * begin) / double
            fall = (peak * peak - end * end) / double
            phases = (
                ((peak - begin) / self.slope, begin, self.slope),
                (max(way - rise - fall, 0.0) / peak, peak, 0.0),
                ((peak - end) / self.slope, peak, -self.slope),
            )
        total = sum(duration for duration, _, _ in phases)
        object.__setattr__(self, "_phases", phases)
        object.__setattr__(self, "end_ns", self.start_ns + math.ceil(total * _NS_PER_S))

    def at(self, now_ns: int) -> float:
        """Return the position; exactly `target` from `end_ns` on, `origin` before the start."""
        if now_ns >= self.end_ns:
            return self.target
        left = max(now_ns - self.start_ns, 0) * _S_PER_NS
        way = 0.0
        for duration, speed, slope in self._phases:
            part = min(left, duration)
            way += part * (speed + slope * part / 2.0)
            left -= part
        way = min(way, abs(self.target - self.origin))
        return self.origin + math.copysign(way, self.target - self.origin)

    def when(self, place: float) -> int:
        """Return when a position on the way is passed; the end for one beyond the target."""
        left = abs(place - self.origin)
        seconds = 0.0
        for duration, speed, slope in self._phases:
            way = duration * (speed + slope * duration / 2.0)
            if left <= way:
                root = math.sqrt(max(speed * speed + 2.0 * slope * left, 0.0))
                seconds += 2.0 * left / (speed + root) if left > 0.0 else 0.0
                return min(self.start_ns + round(seconds * _NS_PER_S), self.end_ns)
            left -= way
            seconds += duration
        return self.end_ns

    def speed(self, now_ns: int) -> float:
        """Return pulses/s, above 0 toward a filled syringe; 0 before and after the move."""
        left = (now_ns - self.start_ns) * _S_PER_NS
        if left < 0.0 or now_ns >= self.end_ns:
            return 0.0
        for duration, speed, slope in self._phases:
            if left <= duration:
                return math.copysign(speed + slope * left, self.target - self.origin)
            left -= duration
        return 0.0

    def plain(self) -> list[float]:
        """Return the stroke as JSON data."""
        return [
            self.start_ns,
            self.origin,
            self.target,
            self.start,
            self.top,
            self.cutoff,
            self.slope,
        ]

    @classmethod
    def of(cls, plain: list[float]) -> "Stroke":
        """Return the stroke that `plain()` wrote down."""
        return cls(int(plain[0]), *(float(value) for value in plain[1:]))
