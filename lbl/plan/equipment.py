"""What the planner needs to know of a bench: plain frozen data, built from the bench file.

Must never hold a driver, a resource or anything that can move.
"""

from dataclasses import dataclass, field
from typing import Literal

Side = Literal["", "positive", "negative"]
Purpose = Literal["primer", "positive", "negative", "rinse", "any"]


@dataclass(frozen=True, slots=True)
class Bath:
    """One bath: its station `at` (deg), `volume` it is filled with and `capacity` (mL).

    A rinse bath with a `side` serves that side only. `holds` pins a solution to the bath.
    `area` is the open surface (cm2) from which water evaporates; a lid cuts that down.
    `capacity` 0 means twice the volume.
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
class Dosing:
    """A pump that tops up one bath: rate in mL/min; stock and step (one top-up) in mL."""

    vessel: str
    rate: float
    stock: float
    step: float


@dataclass(frozen=True, slots=True)
class Equipment:
    """A bench as the planner sees it.

    `roles` are the roles that have an instrument (`photometer`, `light`, `pump`,
    `thermostat`, ...). `readout` is the bath the photometer looks through, empty if none.
    `drag_out` is what one dip carries over, clamp drop included (mL). `evaporation` is in
    kg/m2/h from an open surface and `evaporation_lidded` the same under a lid. `temperature`
    is the range the thermostat can hold (degC). `zero` and `measure` are how long the
    photometer takes for its reference and for a reading (s).
    """

    name: str
    arm: Arm
    baths: tuple[Bath, ...]
    kind: str = "dip"
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
