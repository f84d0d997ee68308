"""What the planner needs to know of a bench: plain frozen data, built from the bench file.

Must never hold a driver, a resource or anything that can move.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

_SQUARE_CM_MM: Final = 0.1  # kg/m2/h from 1 cm2 is 0.1 mL/h
_HOUR_S: Final = 3600.0

Side = Literal["", "positive", "negative"]
Purpose = Literal["primer", "positive", "negative", "rinse", "any"]


@dataclass(frozen=True, slots=True)
class Bath:
    """One bath: its station `at` (deg), `volume` it is filled with and `capacity` (mL).

    A rinse bath with a `side` serves that side only. `holds` pins a solution to the bath.
    `area` is the open surface (cm2) from which water evaporates; a lid cuts that down.
    `capacity` 0 means twice the volume. On a flow bench it is a reservoir: `position` of the
    selector, and `returned` says that what comes out of the cell goes back into it.
    """

    name: str
    purpose: Purpose
    at: float
    volume: float
    side: Side = ""
    capacity: float = 0.0
    holds: str = ""
    area: float = 0.0
    lidded: bool = True
    position: int = 0
    returned: bool = False


@dataclass(frozen=True, slots=True)
class Arm:
    """The arm's geometry and kinematics: mm, mm/s, mm/s2; deg, deg/s, deg/s2; s.

    z grows downward. `up` is clear of every rim, at `down` the substrate is dipped in, from
    `surface` on downward it is wholly covered (None: count the whole transfer as air time).
    `settle` is added to each leg. The carousel never passes its end stops: from 288 to 36 deg
    it turns back.
    """

    up: float
    down: float
    withdraw: float
    lower: float
    turn: float
    z_accel: float
    x_accel: float
    settle: float
    surface: float | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """The closed cell of a flow bench and what leads to it; volumes in mL, rate in mL/min.

    `residual` is the share of `volume` that stays behind when the cell is drained. What was in
    `line` (selector to pump) comes first after the selector has turned; `dead` stays in syringe
    and valve and mixes with what is drawn next; `feed` (reservoir to selector) is full of gas
    until it was primed. `source`, `inlet` and `waste` are among the `ports` of the pump's valve.
    `room` is how much waste fits at the start; what is drawn from the reservoir named `shares`
    makes more.
    """

    volume: float
    residual: float
    line: float
    dead: float
    feed: float
    rate: float
    source: int
    inlet: int
    waste: int
    room: float
    shares: str = ""
    ports: int = 9


@dataclass(frozen=True, slots=True)
class Dosing:
    """A pump that tops up one bath: rate in mL/min; stock and step (one top-up) in mL."""

    vessel: str
    rate: float
    stock: float
    step: float


@dataclass(frozen=True, slots=True)
class Equipment:
    """A bench as the planner sees it: one with an arm, or one with a cell.

    `roles` are the roles that have an instrument (`photometer`, `light`, `pump`,
    `thermostat`, ...). `readout` is the bath the photometer looks through, empty if none.
    `drag_out` is what one dip carries over, clamp drop included (mL). `evaporation` is in
    kg/m2/h from an open surface and `evaporation_lidded` the same under a lid. `temperature`
    is the range the thermostat can hold (degC). `zero` and `measure` are how long the
    photometer takes for its reference and for a reading (s), `lit` for how long of it the light is
    on (s), `irradiance` how bright it is at the film (uW/cm2, 0: the bench does not say), and
    `instruments` how many there are. `stirrer` is how fast the liquids can be stirred (rpm, 0: they
    cannot).
    """

    name: str
    arm: Arm | None
    baths: tuple[Bath, ...]
    kind: str = "dip"
    cell: Cell | None = None
    simulated: bool = False
    dosing: Dosing | None = None
    readout: str = ""
    roles: frozenset[str] = field(default_factory=frozenset)
    drag_out: float = 0.003
    evaporation: float = 0.1
    evaporation_lidded: float = 0.005
    temperature: tuple[float, float] = (15.0, 40.0)
    zero: float = 3.0
    measure: float = 3.0
    lit: float = 0.0
    irradiance: float = 0.0
    instruments: int = 0
    stirrer: float = 0.0


def evaporation(bath: Bath, equipment: Equipment) -> float:
    """Return what evaporates from a bath (mL/s)."""
    rate = equipment.evaporation_lidded if bath.lidded else equipment.evaporation
    return bath.area * rate * _SQUARE_CM_MM / _HOUR_S
