"""The equations of adsorption, each a pure function of what it is given.

Holds no state and draws no chance. Every law is in the closed form that lets a time be cut
anywhere: two halves one after the other give the whole.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sim.suspension import Suspension, convective

_GAS = 8.314462618e-3  # kJ/(mol K)
_ZERO_C = 273.15
# Rate constants are quoted at this temperature.
_QUOTED_AT = 22.0
_DENATURES_AT = 96.0
# Bimodal times are quoted at this concentration, mg/mL.
_QUOTED_C = 1.0
_M_PER_UM = 1e-6
_KG_M2_PER_NG_CM2 = 1e-8
# A power law never reaches 0; a bound keeps its negative powers finite.
_LEAST_FREE = 1e-12
_LANGMUIR = 1e-9


@dataclass(frozen=True, slots=True)
class Law:
    """The film's constants, worked out once from the parameters of the world."""

    rate: float
    blocking: float
    ceiling: float
    overgrowth: float
    fast: float
    slow: float
    fast_share: float
    loose_share: float
    loose_time: float
    strip: float
    activation: float
    switch_at: float
    switch_steepness: float
    scatter: float
    dry_loss: float
    dry_haze: float
    stir: float
    surface: float
    spread: float
    calm: float
    per_layer: float
    sinks: float
    lands: float
    tilt: float

    @classmethod
    def of(cls, parameters: Mapping[str, float], still: bool = False) -> "Law":
        """Return the constants; `rate` is monolayers per s at 1 mg/mL and 22 degC.

        In a `still` bath the bars stand, whatever the parameter `stir` says.

        Of a still bath: `surface` s/m, `spread` m2/s, `calm` the convective layer in m at
        1 mg/mL, `per_layer` monolayers per kg/m2. `sinks` and `lands` are monolayers per s and
        mg/mL of patches and aggregates that fall or run onto the film.
        """
        afloat = Suspension.of(parameters)
        per_layer = 1.0 / (parameters["G_PM"] * _KG_M2_PER_NG_CM2)
        return cls(
            rate=arrival(parameters),
            blocking=parameters["n_block"],
            ceiling=parameters["theta_j"],
            overgrowth=parameters["k_ex"],
            fast=parameters["t1"],
            slow=parameters["t2"],
            fast_share=parameters["A1"],
            loose_share=parameters["phi_loose"],
            loose_time=parameters["t_rinse"],
            strip=parameters["phi_strip"],
            activation=parameters["Ea_ads"],
            switch_at=parameters["pH0"],
            switch_steepness=parameters["s"],
            scatter=parameters["sig_layer"] / 100.0,
            dry_loss=parameters["t_dry_eff"],
            dry_haze=parameters["dry_scat"],
            stir=0.0 if still else parameters["stir"],
            surface=1.0 / parameters["k_surf"],
            spread=parameters["D_PM"],
            calm=convective(parameters, 1.0),
            per_layer=per_layer,
            sinks=afloat.sink * per_layer,
            lands=afloat.land * per_layer,
            tilt=afloat.tilt,
        )


def arrival(parameters: Mapping[str, float]) -> float:
    """Return the rate at which patches cover an empty surface: monolayers per s at 1 mg/mL.

    Transport through the boundary layer and the surface step lie in series:
    1/k_eff = 1/k_surf + delta/D  (Adamczyk's surface boundary layer; Schaaf, Voegel and
    Senger, J. Phys. Chem. B 104, 2204, 2000). With G_PM the mass of a full monolayer the rate
    is k_eff c / G_PM; 1 mg/mL is 1 kg/m3. The defaults give 4.1e-8 m/s, a time of 129 s.
    """
    resistance = 1.0 / parameters["k_surf"]
    resistance += parameters["delta_flow"] * _M_PER_UM / parameters["D_PM"]
    return 1.0 / (resistance * parameters["G_PM"] * _KG_M2_PER_NG_CM2)


def reached(law: Law, concentration: float, from_s: float, to_s: float) -> float:
    """Return what could cover an empty surface between two times after going in, per mg/mL.

    Stirred: rate * time. Still: the layer grows as sqrt(pi D t) (Cottrell) until free convection
    holds it at `calm` c^(-1/4); the integral of dt / (R + sqrt(pi/D) sqrt(t)) is
    (2/b) (sqrt t - R/b ln(1 + b sqrt(t) / R)). `stir` between 0 and 1 mixes the two.
    """
    stirred = law.rate * (to_s - from_s)
    if law.stir >= 1.0 or concentration <= 0.0:
        return stirred
    held = law.calm * math.pow(concentration, -0.25)
    still = _through(law, held, to_s) - _through(law, held, from_s)
    return law.stir * stirred + (1.0 - law.stir) * still * law.per_layer


def _through(law: Law, held: float, seconds: float) -> float:
    """Return the metres of liquid stripped of its patches in a time in a still bath."""
    full = held * held / (math.pi * law.spread)
    slope = math.sqrt(math.pi / law.spread)
    root = math.sqrt(min(seconds, full))
    grown = 2.0 / slope * (root - law.surface / slope * math.log1p(slope * root / law.surface))
    if seconds <= full:
        return grown
    return grown + (seconds - full) / (law.surface + held / law.spread)


def hotness(activation: float, temperature: float) -> float:
    """Return the factor on every rate by Arrhenius, 1 at 22 degC; kJ/mol and degC."""
    inverse = 1.0 / (temperature + _ZERO_C) - 1.0 / (_QUOTED_AT + _ZERO_C)
    return math.exp(-activation / _GAS * inverse)


def blocked(free: float, covering: float, blocking: float) -> float:
    """Return the free share u of the sites after  du = -u^n d(covering).

    `covering` is rate * c * t / theta_j. The blocking function B = (1 - theta/theta_j)^n is
    Langmuir's for n = 1 and the late stage of random sequential adsorption of discs for n = 3
    (J. Chem. Phys. 110, 3118, 1999; the value 1.5 for overlapping patches is a guess).
    Integrated: u = u0 exp(-covering) for n = 1, else u^(1-n) = u0^(1-n) + (n-1) covering.
    """
    power = blocking - 1.0
    if power < _LANGMUIR:
        return max(free * math.exp(-covering), _LEAST_FREE)
    inverse = math.pow(free, -power) + power * covering
    return max(math.pow(inverse, -1.0 / power), _LEAST_FREE)


def bimodal_times(fast: float, slow: float, concentration: float) -> tuple[float, float]:
    """Return arrival and rearrangement time (s) at a concentration in mg/mL.

    Two-process adsorption of PDADMAC: Guzman et al., J. Phys. Chem. C 116, 15474 (2012), for
    the form; the times are guesses. Arrival slows as 1/c; a chain must arrive before it can
    rearrange, so the second time grows by as much as the first (a guess).
    """
    arrives = fast * _QUOTED_C / concentration
    return arrives, max(slow + arrives - fast, arrives)


def sites(reversed_share: float) -> float:
    """Return the next layer's share of sites on a surface whose charge is so far reversed.

    f = x / (0.3 + 0.7 x): overcompensation makes the last part of a layer nearly unneeded
    (Schlenoff and Dubas, Macromolecules 34, 592, 2001, for the idea; the table is a guess).
    """
    share = min(max(reversed_share, 0.0), 1.0)
    return share / (share + 0.3 * (1.0 - share))  # in this form never above 1 by rounding


def orientation(pH: float, switch_at: float, steepness: float) -> float:
    """Return the mean direction of the patches: +1 cytoplasmic side down, -1 the other.

    p_cyt = 1 / (1 + 10^(s (pH0 - pH))): the photovoltage of PDAC/BR films changes sign at
    pH 7 (He et al., "Two orientations and photochromism of polyelectrolyte/bacteriorhodopsin
    alternative deposition multilayers"); the steepness is a guess.
    """
    return 2.0 / (1.0 + math.pow(10.0, steepness * (switch_at - pH))) - 1.0


def damage_rate(temperature: float, activation: float, life: float, onset: float) -> float:
    """Return the rate (1/s) at which heat unfolds BR for good; 0 up to the onset.

    `temperature` and `onset` degC, `activation` kJ/mol, `life` s. The denaturation of membrane is
    kinetic (doi 10.1007/BF00205809) with an apparent activation energy of 41 kcal/mol under
    light (Etoh et al. 1997). That it takes `life` at 96 degC, and that nothing happens below the
    onset, are guesses: k(T) - k(onset).
    """
    if temperature <= onset:
        return 0.0
    return (_unfolding(temperature, activation) - _unfolding(onset, activation)) / life


def _unfolding(temperature: float, activation: float) -> float:
    """Return the rate over that at 96 degC."""
    inverse = 1.0 / (temperature + _ZERO_C) - 1.0 / (_DENATURES_AT + _ZERO_C)
    return math.exp(-activation / _GAS * inverse)
