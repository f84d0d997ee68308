"""How the liquid in a flow cell is changed: drawn empty, the old given away, the new fetched.

Pure. Must never leave the syringe filled, and never send what touched one side into a reservoir of
the other.
"""

from typing import Final

from lbl.plan.equipment import Bath, Cell, Equipment
from lbl.plan.schedule import Pumping
from lbl.plan.transfer import Transfer, transfer, whole_ms

PURGE: Final = 2.0  # lines' volumes that go to waste before fresh rinse goes to the cell
PRIME: Final = 3.0  # feed volumes drawn through each line before the first use
# Planning figures of the XCalibur and of a selector valve, as their manuals bound them.
PORT_S: Final = 0.25  # of the pump's valve, from one port to the next
RAMP_S: Final = 0.07  # start, stop and backlash of the plunger, a stroke
SELECT_S: Final = 1.2  # a turn of the selector and its answer
ASK_S: Final = 0.2  # until the pump has said that it is done
_UL: Final = 1000.0

Stroke = tuple[int, float]


def way(equipment: Equipment, here: Bath | None, there: Bath) -> Transfer:
    """Return the way from one liquid to the next on any bench (`here` None: from dry air)."""
    if equipment.cell is not None:
        return exchange(equipment.cell, here, there)
    if equipment.arm is None:
        raise ValueError(f"bench {equipment.name} has neither arm nor cell")
    return transfer(equipment.arm, here, there)


def exchange(cell: Cell, here: Bath | None, there: Bath) -> Transfer:
    """Return the strokes that replace what came from `here` (None: a dry cell) by `there`.

    What is drawn out of the cell goes to waste, or back to a reservoir that takes it. Between
    different liquids the line is purged with rinse; what adsorbs is too dear for that, and the
    little rinse in the line dilutes it. `air` counts from the first stroke to the last.
    """
    if here is None:
        whole = _whole(cell.volume)
        return _made(cell, 0, [(there.position, _fetch(cell, whole))], air=False)
    part = _whole(cell.volume * (1.0 - cell.residual))
    drain: Stroke = (cell.inlet, part)
    purge: tuple[Stroke, ...] = ()
    if here.position != there.position and not there.returned:
        rinse = _whole(PURGE * cell.line)
        purge = ((cell.source, rinse), (cell.waste, -rinse)) if rinse > 0.0 else ()
    if here.returned:
        back = (here.position, (drain, (cell.source, -part)))
        onward = (there.position, (*purge, *_fetch(cell, part)))
        return _made(cell, here.position, [back, onward])
    strokes = (drain, (cell.waste, -part), *purge, *_fetch(cell, part))
    return _made(cell, here.position, [(there.position, strokes)])


def refuge(cell: Cell, there: Bath) -> Transfer:
    """Return the strokes from anything to a cell full of `there`: the old goes to waste."""
    part = _whole(cell.volume * (1.0 - cell.residual))
    rinse = _whole(PURGE * cell.line)
    purge = ((cell.source, rinse), (cell.waste, -rinse)) if rinse > 0.0 else ()
    drain = ((cell.inlet, part), (cell.waste, -part))
    return _made(cell, 0, [(there.position, (*drain, *purge, *_fetch(cell, part)))])


def priming(cell: Cell, bath: Bath) -> Pumping:
    """Return the strokes that fill the line of a reservoir with its liquid, gas to waste."""
    volume = primed(cell)
    return _pumping(cell, 0, bath.position, ((cell.source, volume), (cell.waste, -volume)))


def primed(cell: Cell) -> float:
    """Return what priming one line takes (mL)."""
    return _whole(PRIME * (cell.feed + cell.line))


def _fetch(cell: Cell, volume: float) -> tuple[Stroke, Stroke]:
    return (cell.source, volume), (cell.inlet, -volume)


def _made(
    cell: Cell, selected: int, parts: list[tuple[int, tuple[Stroke, ...]]], air: bool = True
) -> Transfer:
    """The transfer of these strokes, the selector standing at `selected` (0: unknown)."""
    legs = []
    for position, strokes in parts:
        legs.append(_pumping(cell, selected, position, strokes))
        selected = position
    lasts = sum(leg.duration_ns for leg in legs)
    return Transfer(tuple(legs), lasts, lasts / 1e9 if air else 0.0)


def _pumping(cell: Cell, selected: int, position: int, strokes: tuple[Stroke, ...]) -> Pumping:
    moved, turns, valve = 0.0, 0, strokes[0][0]
    for port, volume in strokes:
        moved += abs(volume)
        turns += min(abs(port - valve), cell.ports - abs(port - valve))
        valve = port
    seconds = moved / cell.rate * 60.0 + turns * PORT_S + len(strokes) * RAMP_S + ASK_S
    seconds += SELECT_S * (position != selected)
    return Pumping(position, strokes, cell.rate, whole_ms(seconds))


def _whole(volume: float) -> float:
    """Whole microlitres: what a pump can say."""
    return round(volume * _UL) / _UL
