"""Repeatable chance: a number drawn by (seed, stream, count), with no state to save.

Never keeps a position in a sequence: the same question has the same answer in any order, so
a snapshot need not remember what was drawn, and asking twice changes nothing.
"""

import math

LAYER = 1
PHOTODIODE = 2
PUMP = 3
BUBBLE_SIZE = 4
CRYSTAL = 5
BUBBLE = 21
CLEARING = 22
STICKING = 23
SPIKE = 24
VALVE = 25
PRESSURE = 26

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_MOST_SIGMA = 4.0


def uniform(seed: int, stream: int, count: int) -> float:
    """Return a number in (0, 1) that depends on nothing but the three integers."""
    key = _mixed((seed & _MASK) ^ _mixed(stream * _GOLDEN & _MASK))
    return ((_mixed((key + count * _GOLDEN) & _MASK) >> 11) + 0.5) * 2.0**-53


def normal(seed: int, stream: int, count: int) -> float:
    """Return a standard normal number, by Box and Muller (1958), cut at 4 sigma.

    The cut keeps a 3 % scatter from ever turning an amount negative.
    """
    radius = math.sqrt(-2.0 * math.log(uniform(seed, stream, 2 * count)))
    value = radius * math.cos(2.0 * math.pi * uniform(seed, stream, 2 * count + 1))
    return max(-_MOST_SIGMA, min(_MOST_SIGMA, value))


def _mixed(x: int) -> int:
    """Return the output function of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)
