"""Liquids: vessels with what is dissolved in them, what a wet substrate carries, evaporation.

Conserves mass: what leaves one place arrives at another. Knows no film and no time but the
last moment each vessel was settled; between such moments its volume follows in closed form.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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


class Vessel:
    """One bath: mL of liquid, mg of every species, and the solution it was filled with."""

    __slots__ = ("_rate", "_since_ns", "amounts", "full", "solution", "spec", "volume")

    def __init__(self, spec: VesselSpec, parameters: Mapping[str, float]) -> None:
        """Make an empty vessel; evaporation in mL/s follows from lid and open area."""
        self.spec = spec
        self.solution: Solution | None = None
        self.volume = 0.0
        self.full = 0.0
        self.amounts: dict[str, float] = {}
        self._since_ns = 0
        flux = parameters["E_lid"] if spec.lidded else parameters["E_evap"]
        self._rate = flux * spec.area * _ML_PER_CM2_S

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
        self._since_ns = now_ns

    def label(self) -> str:
        """Return the name on the label, "" without one."""
        return self.solution.name if self.solution is not None else ""

    def volume_at(self, now_ns: int) -> float:
        """Return mL left after evaporation, which takes water only."""
        lost = self._rate * (now_ns - self._since_ns) * _S_PER_NS
        return max(self.volume - lost, 0.0)

    def settle(self, now_ns: int) -> None:
        """Book the evaporation up to now."""
        self.volume = self.volume_at(now_ns)
        self._since_ns = now_ns

    def concentration(self, species: str, now_ns: int) -> float:
        """Return mg/mL of a species; 0 in an empty vessel."""
        volume = self.volume_at(now_ns)
        return self.amounts.get(species, 0.0) / volume if volume > 0.0 else 0.0

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

    def plain(self, start_ns: int) -> list[object]:
        """Return the state as JSON data, times counted from `start_ns`."""
        label = self.solution
        return [
            self.volume,
            self.full,
            self._since_ns - start_ns,
            dict(self.amounts),
            None
            if label is None
            else [label.name, label.species, label.concentration, label.pH, label.charge],
        ]

    def load(self, plain: list[Any], start_ns: int) -> None:
        """Take back what `plain` wrote."""
        self.volume, self.full, since_ns, amounts, label = plain
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
