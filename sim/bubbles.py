"""A bubble of air: how big it is, how fast it rises, how soon it has left a cell.

Pure functions. Knows no cell, no film and no pump; what a bubble does where it sits is for those
who have it.
"""

import math

from sim import chance

_STANDARD_GRAVITY = 9.80665  # m/s2
_WATER = 997.8  # kg/m3 at 22 degC (CRC Handbook); the air in it weighs nothing beside it
_VISCOSITY = 0.955e-3  # Pa s at 22 degC (CRC Handbook)
_CAP = math.sqrt(0.5)  # v / sqrt(g d) of a big bubble: Davies and Taylor
# Sizes: guesses.
_MEDIAN_MM = 0.3
_SIGMA = 0.6
_M_PER_MM = 1e-3


def diameter(seed: int, count: int) -> float:
    """Return the diameter in mm of the `count`-th bubble: log-normal, median 0.3, sigma 0.6.

    Both numbers are guesses. The normal number behind it is cut at 4 sigma: 0.03 to 3.3 mm.
    """
    return _MEDIAN_MM * math.exp(_SIGMA * chance.normal(seed, chance.BUBBLE_SIZE, count))


def rise_speed(diameter_mm: float, gravity: float) -> float:
    """Return mm/s at which a free bubble rises; `gravity` in units of standard gravity.

    Stokes (1851), a sphere whose skin has stopped flowing, as in any water with protein in it:
    v = rho g d^2 / (18 eta), which is 1.4 mm/s for 50 um and 5.7 mm/s for 100 um at 1 g. Big
    bubbles are held back by inertia: v = 0.71 sqrt(g d) (Davies and Taylor, Proc. R. Soc. A
    200, 375, 1950), from 0.25 mm on at 1 g. The smaller of both counts, which is right to
    some tens of per cent between the two laws.
    """
    if diameter_mm <= 0.0 or gravity <= 0.0:
        return 0.0
    pull, size = gravity * _STANDARD_GRAVITY, diameter_mm * _M_PER_MM
    stokes = _WATER * pull * size * size / (18.0 * _VISCOSITY)
    return min(stokes, _CAP * math.sqrt(pull * size)) / _M_PER_MM


def clearance_s(diameter_mm: float, height_mm: float, gravity: float) -> float:
    """Return the seconds until a free bubble has left a cell `height_mm` high; inf without gravity.

    height / rise_speed: a bubble of 100 um leaves 10 mm in 2 s at 1 g and in weeks at 1e-6 g.
    One that sticks to a wall does not leave; whether it sticks is for the cell to say.
    """
    speed = rise_speed(diameter_mm, gravity)
    return height_mm / speed if speed > 0.0 else math.inf
