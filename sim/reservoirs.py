"""The vessels and sizes of a flow bench as data: reservoirs, cell, lines, bladder.

Says what there is; moves nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sim.fluid import VesselSpec

CELL = "cell"
WASTE = "waste"
UNBOUNDED = 1e9
_ML_PER_UL = 1e-3
_MM_PER_CM = 10.0
# Room above the mark of a reservoir's bag, and between the cell's mark and its membrane (guesses).
_BAG_ROOM = 1.25
_HEADSPACE = 1.1


@dataclass(frozen=True, slots=True)
class Reservoir:
    """A bag of `volume` mL at a `position` of the selector (from 1).

    `returned` tells whether the cell's liquid is meant to go back into it: a plan's affair, the
    world lets any liquid go where the valves lead it. `capacity` mL fit; 0 is a quarter more than
    its volume.
    """

    name: str
    position: int
    volume: float
    returned: bool = False
    capacity: float = 0.0


@dataclass(frozen=True, slots=True)
class FlowGeometry:
    """Sizes of the flow bench: mL, mm, and the ports of the pump's valve.

    `residual` is the share of `volume` that stays in a drained cell. `line` lies between
    selector and pump, `feed` between each reservoir and the selector, `dead` in syringe and
    valve. `bladder` mL is the rigid container of the waste and of the reservoir `shares`;
    without one the waste has no end.
    """

    volume: float = 0.3
    residual: float = 0.05
    line: float = 0.005
    dead: float = 0.002
    feed: float = 0.06
    height: float = 10.0
    source: int = 1
    inlet: int = 2
    waste: int = 9
    bladder: float | None = None
    shares: str | None = None

    def truly(self, given: Mapping[str, float]) -> "FlowGeometry":
        """Return the sizes with those that somebody set on purpose."""
        return replace(
            self,
            volume=given.get("V_cell", self.volume),
            residual=given.get("r_res", self.residual),
            line=given.get("V_line", self.line / _ML_PER_UL) * _ML_PER_UL,
            dead=given.get("V_dead", self.dead / _ML_PER_UL) * _ML_PER_UL,
            feed=given.get("V_feed", self.feed / _ML_PER_UL) * _ML_PER_UL,
        )


def specs(reservoirs: Sequence[Reservoir], geometry: FlowGeometry) -> list[VesselSpec]:
    """Return the reservoirs as vessels of the world; raises ValueError for what cannot be."""
    names = {one.name for one in reservoirs}
    if len({one.position for one in reservoirs}) != len(reservoirs):
        raise ValueError("two reservoirs are at the same position of the selector")
    if names & {CELL, WASTE}:
        raise ValueError(f"no reservoir can be called {CELL!r} or {WASTE!r}")
    if geometry.shares is not None and geometry.shares not in names:
        raise ValueError(f"the bladder is shared with {geometry.shares!r}, which is not there")
    if len({geometry.source, geometry.inlet, geometry.waste}) != 3:
        raise ValueError("source, inlet and waste need three ports of the pump's valve")
    return [
        VesselSpec(
            one.name,
            float(one.position),
            one.volume,
            0.0,
            True,
            one.capacity or one.volume * _BAG_ROOM,
        )
        for one in reservoirs
    ]


def cell(geometry: FlowGeometry) -> VesselSpec:
    """Return the cell as a closed vessel: it breathes through its cross-section."""
    volume = geometry.volume
    area = volume * _MM_PER_CM / geometry.height if geometry.height > 0.0 else 0.0
    return VesselSpec(CELL, 0.0, volume, area, True, volume * _HEADSPACE)


def waste() -> VesselSpec:
    """Return the waste side of the bladder; what it holds is bounded by pressure."""
    return VesselSpec(WASTE, 0.0, 0.0, 0.0, True, UNBOUNDED)
