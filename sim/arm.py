"""Where the substrate is: which station it hangs over, and when it meets rim, liquid, bottom.

Reads the trajectories of lift and carousel; decides nothing about liquids or film. z grows
downward from 0 (up). Above `clear` it hangs free of every rim.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sim.motion import Motion

_TURN = 360.0
_RIM_SHARE = 0.5
_BOTTOM_SLACK = 1e-6

RIM, LIQUID, BOTTOM = "rim", "liquid", "bottom"


@dataclass(frozen=True, slots=True)
class Geometry:
    """z of the liquid's mark and of the vessel bottom (mm); `tolerance` of a station (deg).

    The substrate counts as submerged from the instant its axis goes below `surface` to the
    instant it comes back above. Below `clear` its lower edge is in a vessel and it must not
    turn; without a value that is halfway to the surface. From clear to surface is its height.
    A level that sank leaves a stripe bare; one that sank by more than the height is missed.
    """

    surface: float
    bottom: float
    tolerance: float
    clear: float | None = None


@dataclass(frozen=True, slots=True)
class Crossing:
    """The axis passes a place at a time, `down` or up."""

    at_ns: int
    place: str
    down: bool


class Arm:
    """Lift z and carousel x, with the state of the three places: passed below them or not."""

    __slots__ = ("_geometry", "_stations", "below", "pending", "rim", "x", "z")

    def __init__(self, stations: Mapping[str, float], geometry: Geometry, now_ns: int) -> None:
        """Start up, over carousel position 0; raise ValueError for a geometry without room."""
        rim = geometry.surface * _RIM_SHARE if geometry.clear is None else geometry.clear
        if not 0.0 < rim <= geometry.surface < geometry.bottom:
            raise ValueError(
                f"geometry needs 0 < clear <= surface < bottom, got {rim}, "
                f"{geometry.surface} and {geometry.bottom} mm"
            )
        self._stations = dict(stations)
        self._geometry = geometry
        self.rim = rim
        self.z = Motion.still(0.0, now_ns)
        self.x = Motion.still(0.0, now_ns)
        self.below = {RIM: False, LIQUID: False, BOTTOM: False}
        self.pending: list[Crossing] = []

    def station(self, now_ns: int) -> str | None:
        """Return the vessel under the arm, None between stations."""
        angle = self.x.at(now_ns)
        for name, at in self._stations.items():
            off = (angle - at + _TURN / 2.0) % _TURN - _TURN / 2.0
            if abs(off) <= self._geometry.tolerance:
                return name
        return None

    def turning(self, now_ns: int) -> bool:
        """Return whether the carousel moves."""
        return self.x.start_ns <= now_ns < self.x.end_ns

    def foresee(self, now_ns: int, inside: str | None, fall: Callable[[str], float]) -> None:
        """Work out the crossings that lie ahead; `fall` tells how far a vessel's level sank.

        `inside` is the vessel the substrate is in or over, below the rim. Otherwise the level
        is that of the vessel which will be under the arm when the rim is passed.
        """
        found: list[Crossing] = []
        below = dict(self.below)
        for leg in self.z.legs():
            if leg.end_ns < now_ns:
                continue
            vessel = inside if below[RIM] else self._ahead(leg, now_ns)
            for place, z in self._places(vessel, fall, leg.target >= leg.origin):
                after = leg.target > z + _BOTTOM_SLACK if place == BOTTOM else leg.target >= z
                if after == below[place]:
                    continue
                found.append(Crossing(_met(leg, z, now_ns), place, after))
                below[place] = after
        self.pending = sorted(found, key=_time)

    def bare(self, fall: float) -> float:
        """Return the share of the height above a level that sank by `fall` mm, when lowered."""
        above = self._geometry.surface + fall - self.z.target
        height = self._geometry.surface - self.rim
        return min(max(above / height, 0.0), 1.0) if height > 0.0 else 0.0

    def _ahead(self, leg: Motion, now_ns: int) -> str | None:
        """Return the vessel under the arm when the leg passes the rim."""
        return self.station(_met(leg, self.rim, now_ns))

    def _places(
        self, vessel: str | None, fall: Callable[[str], float], down: bool
    ) -> Sequence[tuple[str, float]]:
        """Return the places in the order in which a leg meets them."""
        sunk = fall(vessel) if vessel is not None else 0.0
        surface = self._geometry.surface
        liquid = surface + max(sunk - (surface - self.rim), 0.0)
        places = ((RIM, self.rim), (LIQUID, liquid), (BOTTOM, self._geometry.bottom))
        return places if down else places[::-1]

    def plain(self, start_ns: int) -> dict[str, Any]:
        """Return the state as JSON data, times counted from `start_ns`."""
        return {
            "z": _since(self.z, start_ns),
            "x": _since(self.x, start_ns),
            "below": dict(self.below),
            "pending": [[one.at_ns - start_ns, one.place, one.down] for one in self.pending],
        }

    def load(self, plain: Mapping[str, Any], start_ns: int) -> None:
        """Take back what `plain` wrote."""
        z, x = plain["z"], plain["x"]
        self.z = Motion.of([int(z[0]) + start_ns, *z[1:]])
        self.x = Motion.of([int(x[0]) + start_ns, *x[1:]])
        self.below = dict(plain["below"])
        self.pending = [
            Crossing(int(at_ns) + start_ns, place, down) for at_ns, place, down in plain["pending"]
        ]


def _since(motion: Motion, start_ns: int) -> list[float]:
    """Return a motion as JSON data with its start counted from `start_ns`."""
    plain = motion.plain()
    plain[0] = motion.start_ns - start_ns
    return plain


def _met(leg: Motion, z: float, now_ns: int) -> int:
    """Return when a leg passes z, not before now."""
    at_ns = leg.when(z)
    return max(leg.end_ns if at_ns is None else at_ns, now_ns)


def _time(crossing: Crossing) -> int:
    """Return the sort key; the order in which places are met breaks ties."""
    return crossing.at_ns
