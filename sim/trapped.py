"""The bubble in a flow cell: where it comes from is drawn, how long it stays depends on gravity.

One bubble stands for all: another one joins it. Knows no pump and no film.
"""

import math
from collections.abc import Mapping
from typing import Any

from sim import chance
from sim.bubbles import clearance_s, diameter

_NS_PER_S = 1e9
_OD_PER_MOD = 1e-3
_CM2_PER_MM2 = 1e-2
_MM3_PER_ML = 1e3
# Light lost on the skin of a bubble, mOD: 10 to 500, evenly on a logarithmic scale (a guess).
_SPIKE_MOD = (10.0, 500.0)
# One that is gone within this time (s) is too quick to keep the film from anything.
_PASSING_S = 10.0


class Trapped:
    """The bubble; `size` is its diameter in mm, 0 without one. `leaves_ns` None: not by itself."""

    __slots__ = ("_area", "_gravity", "_height", "_pin", "_seed", "count", "leaves_ns", "size")

    def __init__(
        self, parameters: Mapping[str, float], seed: int, height: float, area: float
    ) -> None:
        """Start without; `height` mm of the cell, `area` cm2 of the film."""
        self._gravity = parameters["gravity"]
        self._pin = parameters["p_pin"]
        self._seed = seed
        self._height = height
        self._area = area
        self.size = 0.0
        self.count = 0
        self.leaves_ns: int | None = None

    def appear(self, count: int, now_ns: int, size: float | None, stuck: bool = False) -> None:
        """Come in with stroke `count`, mm wide or as drawn; stick with the chance p_pin."""
        size = diameter(self._seed, count) if size is None else size
        sticks = stuck or chance.uniform(self._seed, chance.STICKING, count) < self._pin
        sticks = sticks or (self.size > 0.0 and self.leaves_ns is None)
        self.size = math.cbrt(self.size**3 + size**3)
        self.count = count
        rise = clearance_s(self.size, self._height, self._gravity)
        free = not sticks and math.isfinite(rise)
        self.leaves_ns = now_ns + round(rise * _NS_PER_S) if free else None

    def clear(self) -> None:
        """Be gone."""
        self.size, self.leaves_ns = 0.0, None

    def covers(self, now_ns: int) -> float:
        """Return the share of the film that it keeps dry; 0 for one on its way out."""
        if self.size <= 0.0 or self._area <= 0.0:
            return 0.0
        if self.leaves_ns is not None and self.leaves_ns - now_ns < _PASSING_S * _NS_PER_S:
            return 0.0
        return min(math.pi / 4.0 * self.size**2 * _CM2_PER_MM2 / self._area, 1.0)

    def spike(self) -> float:
        """Return the absorbance that it adds to the light path."""
        if self.size <= 0.0:
            return 0.0
        low, high = _SPIKE_MOD
        drawn = chance.uniform(self._seed, chance.SPIKE, self.count)
        return low * math.pow(high / low, drawn) * _OD_PER_MOD

    def plain(self, start_ns: int) -> list[Any]:
        """Return the state as JSON data, times counted from `start_ns`."""
        leaves_ns = self.leaves_ns
        return [self.size, self.count, None if leaves_ns is None else leaves_ns - start_ns]

    def load(self, plain: list[Any], start_ns: int) -> None:
        """Take back what `plain` wrote."""
        self.size, self.count, leaves_ns = float(plain[0]), int(plain[1]), plain[2]
        self.leaves_ns = None if leaves_ns is None else int(leaves_ns) + start_ns


def ball(ml: float) -> float:
    """Return the diameter in mm of a ball of so many mL."""
    return math.cbrt(6.0 / math.pi * ml * _MM3_PER_ML)
