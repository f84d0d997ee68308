"""The quartz crystal of a microbalance that hangs beside the substrate and grows the same film.

Pure functions: mass, liquid and temperature give frequency and resistance. Knows no instrument.
"""

import math
from collections.abc import Mapping

from sim import chance
from sim.film import SAUERBREY

FUNDAMENTAL_HZ = 5e6
_H_PER_NS = 1.0 / 3.6e12
# One face in water at 22 degC: f^(3/2) sqrt(rho eta / (pi rho_q mu_q)), Kanazawa and Gordon,
# Anal. Chem. 57, 1770 (1985), with 2648 kg/m3 and 2.947e10 Pa of AT quartz.
_LIQUID_HZ = FUNDAMENTAL_HZ**1.5 * math.sqrt(997.8 * 0.955e-3 / (math.pi * 2648.0 * 2.947e10))
_PER_KELVIN = 8.0  # Hz/K in water: it gets thinner when warm
_QUOTED_AT = 22.0
_DRY_OHM = 10.0
_WATER_OHM = 370.0  # added by one face in water (a guess, from makers' manuals)


def frequency(
    parameters: Mapping[str, float],
    mass: float,
    wet: bool,
    temperature: float,
    seed: int,
    since_ns: int,
) -> float:
    """Return Hz under a film of `mass` ng/cm2 (dry), `since_ns` after the start.

    Sauerbrey (Z. Phys. 155, 206, 1959): -1 Hz per 17.7 ng/cm2, the water in a wet film counting
    too (`hydration`, a guess). Drift and noise are drift_QCM and sig_QCM.
    """
    noise = parameters["sig_QCM"] * chance.normal(seed, chance.CRYSTAL, since_ns)
    drift = parameters["drift_QCM"] * since_ns * _H_PER_NS
    loaded = mass * (parameters["hydration"] if wet else 1.0) / SAUERBREY
    if wet:
        loaded += _LIQUID_HZ - _PER_KELVIN * (temperature - _QUOTED_AT)
    return FUNDAMENTAL_HZ - loaded + drift + noise


def resistance(wet: bool) -> float:
    """Return the motional resistance in ohm, in air or with one face in liquid."""
    return _DRY_OHM + (_WATER_OHM if wet else 0.0)
