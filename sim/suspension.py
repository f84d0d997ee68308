"""Membrane in suspension: patches that hardly sink, aggregates that do, and where they land.

Pure functions of parameters, time and gravity. Knows no vessel and no film: those keep the share
of aggregates and the amounts, and ask here what becomes of them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

_STANDARD_GRAVITY = 9.80665  # m/s2
_WATER = 997.8  # kg/m3 at 22 degC (CRC Handbook)
_VISCOSITY = 0.955e-3  # Pa s at 22 degC (CRC Handbook)
_KINEMATIC = _VISCOSITY / _WATER
_KT = 1.380649e-23 * 295.15  # J
_M_PER_UM = 1e-6
_M_PER_MM = 1e-3
_S_PER_H = 3600.0
_PATCH_M = 5e-9  # a membrane is one protein thick
# Share of membrane in the volume of a loose aggregate, the rest being water (a guess that gives
# the excess density of 90 kg/m3 usual for flocs).
_PACKING = 0.5
# Height over which the film hangs in the bath (a guess: a witness of 1 x 2 cm).
_PLATE_M = 0.02
_KG_M3_PER_MG_ML = 1.0
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class Suspension:
    """The constants of a suspension under the world's gravity, worked out once.

    `fresh` share of aggregates in a fresh solution; `growth` 1/s; `fall` of an aggregate and
    `sink` of a patch m/s; `land` m/s at which aggregates arrive on the film; `tilt` the CV from
    top to bottom of what they leave.
    """

    fresh: float
    growth: float
    fall: float
    sink: float
    land: float
    tilt: float

    @classmethod
    def of(cls, parameters: Mapping[str, float]) -> "Suspension":
        """Return the constants for these parameters."""
        gravity, up = parameters["gravity"], parameters["facing"]
        fall = falling(parameters, gravity)
        sink = sinking(parameters, gravity)
        return cls(
            fresh=parameters["f_agg"],
            growth=parameters["k_agg"] / _S_PER_H,
            fall=fall,
            sink=up * sink,
            land=arriving(parameters) + up * fall,
            tilt=(1.0 - up) * tilted(fall, parameters["K_mix"]),
        )

    def stood(self, share: float, seconds: float, depth: float) -> tuple[float, float]:
        """Return the share of aggregates, and what is still afloat, after a time standing.

        `depth` of the bath in mm. Patches become aggregates, dS/dt = -k S; aggregates settle out
        of the mixed bath, dL/dt = k S - L v / H (Martin and Nokes, J. Fluid Mech. 207, 1989,
        for a stirred vessel). Linear, so a time may be cut anywhere. The second number is
        (S + L) over what it was.
        """
        loss = self.fall / max(depth * _M_PER_MM, _PLATE_M) if depth > 0.0 else 0.0
        single = (1.0 - share) * math.exp(-self.growth * seconds)
        lumped = share * math.exp(-loss * seconds)
        lumped += (1.0 - share) * _handed_on(self.growth, loss, seconds)
        afloat = single + lumped
        return (lumped / afloat if afloat > _LEAST else 0.0), afloat


def falling(parameters: Mapping[str, float], gravity: float) -> float:
    """Return m/s at which an aggregate falls: Stokes, v = drho g d^2 / (18 eta).

    Half membrane, half water it is 91 kg/m3 denser than water: 0.05 um/s x (d/um)^2 at 1 g.
    """
    excess = _PACKING * (parameters["rho_PM"] - _WATER)
    size = parameters["d_agg"] * _M_PER_UM
    return excess * gravity * _STANDARD_GRAVITY * size * size / (18.0 * _VISCOSITY)


def sinking(parameters: Mapping[str, float], gravity: float) -> float:
    """Return m/s at which a single patch falls: a thin disc that tumbles.

    Its mean mobility is 1 / (12 eta a) (Happel and Brenner, Low Reynolds Number Hydrodynamics,
    ch. 5): 0.61 nm/s for 0.5 um and 5 nm at 1 g, 2 um in an hour.
    """
    radius = 0.5 * parameters["d_PM"] * _M_PER_UM
    mass = math.pi * radius * radius * _PATCH_M * (parameters["rho_PM"] - _WATER)
    return mass * gravity * _STANDARD_GRAVITY / (12.0 * _VISCOSITY * radius)


def arriving(parameters: Mapping[str, float]) -> float:
    """Return m/s at which aggregates reach an upright wall through the boundary layer.

    As for patches, 1/k = 1/k_surf + delta/D, with D = kT / (3 pi eta d) of Stokes and Einstein.
    """
    spread = _KT / (3.0 * math.pi * _VISCOSITY * parameters["d_agg"] * _M_PER_UM)
    resistance = 1.0 / parameters["k_surf"] + parameters["delta_flow"] * _M_PER_UM / spread
    return 1.0 / resistance


def tilted(fall: float, mixing: float) -> float:
    """Return the CV, top to bottom of the film, of a suspension that settles and is mixed.

    The profile of Rouse (1937) for a constant mixing K is exp(-v z / K); over a height h and
    with p = v h / K its CV is sqrt(p/2 coth(p/2) - 1). K is a guess.
    """
    half = 0.5 * fall * _PLATE_M / mixing
    if half < 1e-6:
        return half / math.sqrt(3.0)
    return math.sqrt(half / math.tanh(half) - 1.0)


def convective(parameters: Mapping[str, float], concentration: float) -> float:
    """Return the boundary layer in m beside a still upright wall that takes up membrane.

    Depleted liquid is lighter and rises: delta = (4 nu D x / (g drho/rho))^(1/4) at a height x of
    1 cm (Levich, Physicochemical Hydrodynamics, on free convection); 77 um at 1 g and 1 mg/mL,
    inf without gravity.
    """
    lightness = concentration * _KG_M3_PER_MG_ML * (1.0 / _WATER - 1.0 / parameters["rho_PM"])
    pull = parameters["gravity"] * _STANDARD_GRAVITY * lightness
    if pull <= 0.0:
        return math.inf
    return math.pow(4.0 * _KINEMATIC * parameters["D_PM"] * 0.5 * _PLATE_M / pull, 0.25)


def _handed_on(growth: float, loss: float, seconds: float) -> float:
    """Return k (e^(-k t) - e^(-l t)) / (l - k), what was made and has not yet settled."""
    gap = (loss - growth) * seconds
    if abs(gap) < 1e-9:
        return growth * seconds * math.exp(-growth * seconds)
    return growth * seconds * math.exp(-growth * seconds) * -math.expm1(-gap) / gap
