"""Liquids: vessels with what is dissolved in them, what a wet substrate carries, evaporation.

Conserves mass: what leaves one place arrives at another. Knows no film and no time but the
last moment each vessel was settled; between such moments its volume follows in closed form.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sim.heat import Wear
from sim.suspension import Suspension

# The species that adsorbs as membrane patches; every other is a polyelectrolyte.
PROTEIN = "BR"
_S_PER_NS = 1e-9
# 1 kg of water per m2 and h is 1e-3 m3 / 1e4 cm2 / 3600 s.
_ML_PER_CM2_S = 1000.0 / 1e4 / 3600.0
_MM_PER_CM = 10.0
_ML_PER_UL = 1e-3
# v_drag is quoted at this withdrawal speed.
_SPEED_OF_V_DRAG = 2.0
# A standing substrate still carries something; keeps the power law away from 0.
_LEAST_SPEED = 0.01
_S_PER_H = 3600.0
_S_PER_D = 86_400.0
# Water in equilibrium with the carbon dioxide of air, and the pH that pH_drift is quoted at.
_PH_AIR = 5.6
_PH_QUOTED = 9.0


@dataclass(frozen=True, slots=True)
class Solution:
    """A liquid as its label says: `concentration` mg/mL, `charge` -1, 0 (a rinse) or 1.

    `species` names what is dissolved. "BR" adsorbs as membrane patches; any other charged
    species adsorbs as a polyelectrolyte of its charge (PDAC, PEI, PSS, ...).
    """

    name: str
    species: str
    concentration: float
    pH: float
    charge: int


@dataclass(frozen=True, slots=True)
class VesselSpec:
    """A vessel of the bench: `at` carousel deg, `volume` and `capacity` mL, `area` cm2 open."""

    name: str
    at: float
    volume: float
    area: float
    lidded: bool
    capacity: float


@dataclass(frozen=True, slots=True)
class Carried:
    """The liquid on a withdrawn substrate: mL in the film and in the drop, mg dissolved."""

    film: float
    drop: float
    amounts: Mapping[str, float]
    vessel: str
    left_ns: int


def standing(now_ns: int) -> Wear:
    """Return the clocks of what stands at 22 degC, counted from time zero."""
    seconds = now_ns * _S_PER_NS
    return Wear(seconds, seconds, 0.0)


class Vessel:
    """One bath: mL of liquid, mg of every species, and the solution it was filled with.

    `leak` mL/h runs out of it, `haste` is how many times too fast it ages, `aged` in s at 22 degC
    and `harm` by heat since it was filled; `lumped` is the share of its membrane in aggregates,
    `sediment` the mg that settled out, `lost` the mL that leaked since it was filled.
    """

    __slots__ = (
        "_drift",
        "_evaporates",
        "_old",
        "_perish",
        "_since_ns",
        "_suspension",
        "_wear",
        "_worn",
        "aged",
        "amounts",
        "full",
        "haste",
        "harm",
        "leak",
        "lost",
        "lumped",
        "sediment",
        "solution",
        "spec",
        "volume",
    )

    def __init__(
        self,
        spec: VesselSpec,
        parameters: Mapping[str, float],
        wear: Callable[[int], Wear] = standing,
    ) -> None:
        """Make an empty vessel; evaporation in mL/s follows from lid and open area.

        `wear` tells the clocks that run with its temperature. A lid slows the uptake of carbon
        dioxide as it slows evaporation (a guess).
        """
        self.spec = spec
        self.solution: Solution | None = None
        self.volume = self.full = 0.0
        self.amounts: dict[str, float] = {}
        flux = parameters["E_lid"] if spec.lidded else parameters["E_evap"]
        self._evaporates = flux * spec.area * _ML_PER_CM2_S
        self._perish = (parameters["k_age_BR"], parameters["k_age_PDAC"])
        self._old = parameters["age_BR"] * _S_PER_D
        held = parameters["buffered"]
        drift = held * parameters["pH_drift_buffered"] + (1.0 - held) * parameters["pH_drift"]
        shut = parameters["E_lid"] / parameters["E_evap"] if parameters["E_evap"] > 0.0 else 1.0
        share = min(shut, 1.0) if spec.lidded else 1.0
        self._drift = drift * share / _S_PER_H / (_PH_QUOTED - _PH_AIR)
        self._suspension = Suspension.of(parameters)
        self._wear = wear
        self._worn = wear(0)
        self._since_ns = 0
        self.aged = self.harm = self.lumped = self.sediment = self.leak = self.lost = 0.0
        self.haste = 1.0

    def fill(self, solution: Solution, strength: float, volume: float, now_ns: int) -> None:
        """Throw the old liquid away and fill to the mark; ValueError beyond the capacity.

        `strength` is the true concentration in mg/mL, which the label may miss.
        """
        if not 0.0 <= volume <= self.spec.capacity:
            raise ValueError(
                f"vessel {self.spec.name}: {volume:g} mL does not go into {self.spec.capacity:g} mL"
            )
        self.solution = solution
        self.volume = self.full = volume
        self.amounts = {}
        if solution.charge != 0 and strength > 0.0:
            self.amounts[solution.species] = strength * volume
        self.aged = self.harm = self.sediment = self.lost = self.lumped = 0.0
        if solution.species == PROTEIN:
            self.aged = self._old
            self.lumped = self._suspension.stood(self._suspension.fresh, self._old, 0.0)[0]
        self._since_ns = now_ns
        self._worn = self._wear(now_ns)

    def resize(self, volume: float) -> None:
        """Be a vessel of another size and the same shape: `volume` mL stand at the mark."""
        factor = volume / self.spec.volume
        spec, self._evaporates = self.spec, self._evaporates * factor
        self.spec = replace(
            spec, volume=volume, area=spec.area * factor, capacity=spec.capacity * factor
        )

    def label(self) -> str:
        """Return the name on the label, "" without one."""
        return self.solution.name if self.solution is not None else ""

    def species(self) -> str:
        """Return what the label says is dissolved, "" without one."""
        return self.solution.species if self.solution is not None else ""

    def age_h(self, now_ns: int) -> float:
        """Return the age in h at 22 degC."""
        return self._ages(self._wear(now_ns)) / _S_PER_H

    def volume_at(self, now_ns: int) -> float:
        """Return mL left after leak and evaporation, of which the latter takes water only."""
        return max(self.volume - self._dried(self._wear(now_ns)) - self._leaked(now_ns), 0.0)

    def lost_at(self, now_ns: int) -> float:
        """Return mL that leaked since it was filled."""
        leaked = self._leaked(now_ns)
        losses = leaked + self._dried(self._wear(now_ns))
        return self.lost + leaked * (min(self.volume / losses, 1.0) if losses > 0.0 else 0.0)

    def settle(self, now_ns: int) -> None:
        """Book evaporation, leak, age and sediment up to now."""
        wear = self._wear(now_ns)
        if self.leak > 0.0:
            self._run_out(wear, now_ns)
        else:
            self.volume = max(self.volume - self._dried(wear), 0.0)
        self.aged, self.harm = self._ages(wear), self._harmed(wear)
        membrane = self.amounts.get(PROTEIN, 0.0)
        if membrane > 0.0 and self.lumped > 0.0:
            seconds = (now_ns - self._since_ns) * _S_PER_NS
            area = self.spec.area  # what has none, a bottle or bag, is shaken before use
            depth = _MM_PER_CM * self.volume / area if area > 0.0 else 0.0
            self.lumped, afloat = self._suspension.stood(self.lumped, seconds, depth)
            self.sediment += membrane * (1.0 - afloat)
            self.amounts[PROTEIN] = membrane * afloat
        self._since_ns, self._worn = now_ns, wear

    def concentration(self, species: str, now_ns: int) -> float:
        """Return mg/mL of a species; 0 in an empty vessel."""
        volume = self.volume_at(now_ns)
        if volume <= 0.0:
            return 0.0
        mass = self.amounts.get(species, 0.0)
        if self.leak > 0.0:
            mass *= self._kept(self._wear(now_ns), now_ns)
        return mass / volume

    def active(self, species: str, now_ns: int) -> float:
        """Return the share of a species that age and heat have left fit to adsorb.

        First order: k_age per day at 22 degC (the rates are guesses that give 5 % within the
        keeping times usual in laboratories, 5 d for membrane and 30 d for polyelectrolyte).
        """
        if self.solution is None or self.solution.charge == 0:
            return 1.0  # what was dragged into a rinse is too little to matter
        wear = self._wear(now_ns)
        days = self._ages(wear) / _S_PER_D
        if species == PROTEIN:
            return math.exp(-self._perish[0] * days - self._harmed(wear))
        return math.exp(-self._perish[1] * days)

    def acidity(self, now_ns: int) -> float:
        """Return the pH: the label's, drifting toward that of water in air as CO2 dissolves.

        At pH 9 it begins with pH_drift per hour of age and slows as it comes near 5.6.
        """
        if self.solution is None:
            return 7.0
        gone = math.exp(self._drift * self._ages(self._wear(now_ns)))
        return _PH_AIR + (self.solution.pH - _PH_AIR) * gone

    def blend(self, source: "Vessel", share: float) -> None:
        """Take over age, harm and aggregates of what was poured in, `share` of what is there."""
        self.aged += (source.aged - self.aged) * share
        self.harm += (source.harm - self.harm) * share
        self.lumped += (source.lumped - self.lumped) * share

    def leading(self, charges: Mapping[str, int]) -> str:
        """Return the charged species of which there is most, "" in pure rinse."""
        # A tie goes by name: the order of a mapping does not survive sorted JSON.
        best, most = "", 0.0
        for species, mass in self.amounts.items():
            if charges[species] != 0 and (mass, species) > (most, best):
                best, most = species, mass
        return best

    def fall(self, now_ns: int) -> float:
        """Return by how many mm the level stands below the mark."""
        if self.spec.area <= 0.0:
            return 0.0
        return _MM_PER_CM * (self.full - self.volume_at(now_ns)) / self.spec.area

    def take(self, volume: float) -> dict[str, float]:
        """Remove mL (at most all) and return the mg that went with it."""
        share = min(volume / self.volume, 1.0) if self.volume > 0.0 else 0.0
        gone = {species: mass * share for species, mass in self.amounts.items()}
        for species, mass in gone.items():
            self.amounts[species] -= mass
        self.volume = max(self.volume - volume, 0.0)
        return gone

    def add(self, volume: float, amounts: Mapping[str, float]) -> float:
        """Mix in mL and mg; return the mL that ran over (well mixed, so mg go with them)."""
        self.volume += volume
        for species, mass in amounts.items():
            self.amounts[species] = self.amounts.get(species, 0.0) + mass
        over = self.volume - self.spec.capacity
        if over <= 0.0:
            return 0.0
        self.take(over)
        return over

    def trade(self, species: str, mass: float) -> None:
        """Give mg to the bath (negative: take), never below nothing."""
        self.amounts[species] = max(self.amounts.get(species, 0.0) + mass, 0.0)

    def _dried(self, wear: Wear) -> float:
        """Return mL of water gone since the last settling."""
        return self._evaporates * (wear.vapour - self._worn.vapour)

    def _leaked(self, now_ns: int) -> float:
        """Return mL of liquid gone since the last settling, if there was as much."""
        if self.leak <= 0.0:
            return 0.0
        return self.leak * (now_ns - self._since_ns) * _S_PER_NS / _S_PER_H

    def _kept(self, wear: Wear, now_ns: int) -> float:
        """Return the share of the solutes that has not leaked: (V/V0)^(leak / all losses).

        From m' = -m l/V and V' = -(l + e), with constant losses l by leak and e of water.
        """
        leaked = self._leaked(now_ns)
        losses = leaked + self._dried(wear)
        if losses <= 0.0 or self.volume <= 0.0:
            return 1.0
        left = max(1.0 - losses / self.volume, 0.0)
        return math.pow(left, leaked / losses)

    def _run_out(self, wear: Wear, now_ns: int) -> None:
        """Book a leak, and the evaporation beside it."""
        kept = self._kept(wear, now_ns)
        self.lost = self.lost_at(now_ns)
        self.volume = max(self.volume - self._leaked(now_ns) - self._dried(wear), 0.0)
        for species in self.amounts:
            self.amounts[species] *= kept

    def _ages(self, wear: Wear) -> float:
        """Return the age in s at 22 degC."""
        return self.aged + self.haste * (wear.age - self._worn.age)

    def _harmed(self, wear: Wear) -> float:
        """Return the harm done by heat, an exponent."""
        return self.harm + (wear.harm - self._worn.harm)

    def plain(self, start_ns: int) -> list[object]:
        """Return the state as JSON data, times counted from `start_ns`."""
        label = self.solution
        return [
            self.volume,
            self.full,
            self._since_ns - start_ns,
            dict(self.amounts),
            [self.aged, self.harm, self.lumped, self.sediment, self.leak, self.lost, self.haste],
            [*self._worn],
            None
            if label is None
            else [label.name, label.species, label.concentration, label.pH, label.charge],
        ]

    def load(self, plain: list[Any], start_ns: int) -> None:
        """Take back what `plain` wrote."""
        self.volume, self.full, since_ns, amounts, state, worn, label = plain
        self.aged, self.harm, self.lumped, self.sediment, self.leak, self.lost, self.haste = state
        self._worn = Wear(*worn)
        self._since_ns = int(since_ns) + start_ns
        self.amounts = dict(amounts)
        self.solution = None if label is None else Solution(*label)


def dragged(parameters: Mapping[str, float], area: float, speed: float) -> float:
    """Return mL of liquid film on `area` cm2 withdrawn at `speed` mm/s.

    Landau and Levich (1942) for a flat plate:  h = 0.94 l_c Ca^(2/3),  l_c = sqrt(gamma/rho g),
    so h goes as speed^(2/3) and gravity^(-1/2) from the value v_drag at 2 mm/s and 1 g. The
    hold-up of a mesh does not drain; it is also the most that any surface can keep, which
    bounds the law as gravity goes to 0 (the bound is a guess).
    """
    most = parameters["v_drag_mesh"]
    gravity = parameters["gravity"]
    if parameters["f_A"] > 1.0 or gravity <= 0.0:
        return most * area * _ML_PER_UL
    pace = max(speed, _LEAST_SPEED) / _SPEED_OF_V_DRAG
    film = parameters["v_drag"] * math.pow(pace, 2.0 / 3.0) / math.sqrt(gravity)
    return min(film, most) * area * _ML_PER_UL


def evaporated(
    parameters: Mapping[str, float], area: float, seconds: float, flux: str = "E_evap"
) -> float:
    """Return the mL that leave a wet substrate of `area` cm2 in open air in a time.

    A film of 1.5 um is dry after 54 s at 0.1 kg/(m2 h). In a closed cell `flux` is "E_lid".
    """
    return parameters[flux] * area * _ML_PER_CM2_S * seconds
