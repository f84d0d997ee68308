"""How long a run will take: what is planned, and what may come on top of it.

Time is planned from one epoch, so a late arrival takes from the dwell that follows and never adds
up. What does add up are the bubbles of a flow bench, whose dwell's clock stands while they are
driven out. Holds and faults are in no figure here. Pure. Must never read a clock.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from lbl.plan.equipment import Cell, Equipment
from lbl.plan.exchange import primed, priming
from lbl.plan.schedule import Plan

NS: Final = 1e9
# Instruments asked who they are, axes homed, light and dark read, the first move armed, and at the
# end everything switched off; as the benches that ship take it. A real axis may home for longer.
OPENING_S: Final = 11.0
STIRRER_S: Final = 7.5  # bars that come up to speed, and in the end to rest
BUBBLES_PER_FILL: Final = 0.002  # of degassed liquid (a guess; no instrument's manual says it)
AGAIN: Final = 0.2  # of the bubbles that a pulse does not drive out, but a reversal (a guess)
REVERSED: Final = 2.0  # what a reversal moves, of what a pulse does
LOOK_S: Final = 0.3  # turns of the valve, and another look into the cell
MINUTE_S: Final = 60.0
_EXACT: Final = 100.0  # up to this mean the Poisson distribution is summed, above it is normal


@dataclass(frozen=True, slots=True)
class Span:
    """s: `opening` before the first step, `planned` for the steps, and both with what is expected.

    `p50` and `p95`: half, and 95 of 100, of all runs without a hold are over by then. `bubbles` is
    how many are expected, `why` where the spread comes from, in sentences.
    """

    opening: float
    planned: float
    p50: float
    p95: float
    bubbles: float
    why: tuple[str, ...]


def span(plan: Plan, equipment: Equipment, fills: int) -> Span:
    """Return how long a plan takes on its bench; `fills` are the strokes into a cell."""
    planned = plan.duration_ns / NS
    opening, cell = OPENING_S, equipment.cell
    opening += STIRRER_S if equipment.stirrer > 0.0 else 0.0
    why = ["holds and faults are not in it", "a late arrival shortens a dwell and adds no time"]
    if cell is None:
        why.append("nothing else that adds time is known of a dip bench")
        return Span(opening, planned, opening + planned, opening + planned, 0.0, tuple(why))
    if primed(cell) > 0.0:
        used = [bath for bath in equipment.baths if bath.name in plan.assignments]
        opening += sum(priming(cell, bath).duration_ns for bath in used) / NS
    mean = fills * BUBBLES_PER_FILL
    each = clearing(cell)
    half, most = (quantile(mean, share) * each for share in (0.5, 0.95))
    why.append(
        f"the spread is bubbles: {BUBBLES_PER_FILL:g} a fill is a guess for degassed liquid, "
        f"{each:.1f} s to drive one out"
    )
    whole = opening + planned
    return Span(opening, planned, whole + half, whole + most, mean, tuple(why))


def clearing(cell: Cell) -> float:
    """Return how long it takes on the mean to drive a bubble out of a cell (s)."""
    pulse = cell.volume * (1.0 - cell.residual) / cell.rate * MINUTE_S
    return pulse + LOOK_S + AGAIN * (REVERSED * pulse + LOOK_S)


def quantile(mean: float, share: float) -> int:
    """Return the least count that a Poisson distribution does not exceed with this probability.

    Above a mean of 100 the normal distribution of the same mean and variance stands for it.
    """
    if mean > _EXACT:
        return math.ceil(NormalDist(mean, math.sqrt(mean)).inv_cdf(share))
    count, term = 0, math.exp(-mean)
    total = term
    while total < share:
        count += 1
        term *= mean / count
        total += term
    return count
