"""All liquids of the bench: the vessels, their feed bottles, and how much of each was used.

Knows what every label says and what is truly inside. Moves liquid, and never creates any but
by filling; it knows no film and no light.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sim import chance
from sim.fluid import PROTEIN, Solution, Vessel, VesselSpec, standing
from sim.heat import Wear

# Water at 22 degC (CRC Handbook), g/mL; dissolved matter does not show.
_DENSITY = 0.9978
_UNBOUNDED = 1e9
BOTTLE = " bottle"  # what a vessel's feed bottle is called after the vessel


@dataclass(frozen=True, slots=True)
class Stroke:
    """What a pump did, in mL: what `went`, what it was `short` of, what ran `over`."""

    went: float
    short: float
    over: float


class Cellar:
    """Vessels and feed bottles by name; `charges` of all species; `used` mL by solution.

    `inner` are vessels that nobody fills by hand: the cell of a flow bench, and its waste.
    """

    __slots__ = (
        "_given",
        "_parameters",
        "_seed",
        "_start_ns",
        "bottles",
        "charges",
        "inner",
        "used",
        "vessels",
        "wear",
    )

    def __init__(
        self,
        specs: Sequence[VesselSpec],
        parameters: Mapping[str, float],
        given: Mapping[str, float],
        seed: int,
        wear: Callable[[int], Wear] = standing,
        start_ns: int = 0,
    ) -> None:
        """Make the vessels, empty. `given` are the parameters that somebody set on purpose.

        `wear` tells the clocks that run with the warmth of the vessels; bottles stand at 22 degC.
        """
        self._parameters = parameters
        self._given = dict(given)
        self._seed = seed
        self._start_ns = start_ns
        self.wear = wear
        self.vessels = {spec.name: Vessel(spec, parameters, wear) for spec in specs}
        if len(self.vessels) != len(specs):
            raise ValueError("two vessels of the world have the same name")
        self.inner: dict[str, Vessel] = {}
        self.bottles: dict[str, Vessel] = {}
        self.charges: dict[str, int] = {}
        self.used: dict[str, float] = {}

    def vessel(self, name: str) -> Vessel:
        """Return a vessel; ValueError names those there are."""
        if name not in self.vessels:
            raise ValueError(f"no vessel {name!r}; the world has {', '.join(self.vessels)}")
        return self.vessels[name]

    def bottle(self, name: str, now_ns: int) -> Vessel:
        """Return the feed bottle of a vessel, put there when first asked for."""
        if name not in self.bottles:
            vessel = self.vessel(name)
            spec = VesselSpec(name + BOTTLE, 0.0, 0.0, 0.0, True, _UNBOUNDED)
            start_ns = self._start_ns
            self.bottles[name] = Vessel(
                spec, self._parameters, lambda at_ns: standing(at_ns - start_ns)
            )
            self.bottles[name].volume = self._parameters["bottle"]
            if vessel.solution is not None:
                self.stock(name, self._parameters["bottle"], now_ns)
        return self.bottles[name]

    def fill(self, name: str, solution: Solution, volume: float, now_ns: int) -> None:
        """Fill a vessel to the mark; what was in it counts as used.

        Raises ValueError for an unknown vessel, too much volume, or a charge that cannot be.
        """
        vessel = self.vessel(name)
        if solution.charge not in (-1, 0, 1):
            raise ValueError(f"{solution.name}: charge must be -1, 0 or 1, got {solution.charge}")
        if self.charges.get(solution.species, solution.charge) != solution.charge:
            raise ValueError(f"{solution.species} cannot have two charges in one world")
        vessel.settle(now_ns)
        discarded, old = vessel.volume + vessel.lost, vessel.solution
        true, strength = self._truly(solution)
        volume = self._filled(vessel, solution, volume)
        vessel.fill(true, strength, volume, now_ns)
        self.charges[solution.species] = solution.charge
        if old is not None:
            self.used[old.name] += discarded
        self.used.setdefault(solution.name, 0.0)
        bottle = self.bottles.get(name)
        if bottle is not None and bottle.solution is None:
            bottle.fill(true, strength, bottle.volume, now_ns)

    def stock(self, name: str, volume: float, now_ns: int) -> None:
        """Put a fresh bottle of `volume` mL, of what the vessel's label says."""
        label = self.vessel(name).solution
        if label is None:
            raise ValueError(f"vessel {name}: fill it before its feed bottle")
        true, strength = self._truly(label)
        self.bottle(name, now_ns).fill(true, strength, volume, now_ns)

    def pour(self, name: str, volume: float, now_ns: int) -> float:
        """Add mL of fresh solution, as the vessel's label says; return the mL that ran over.

        Raises ValueError for a vessel that was never filled.
        """
        vessel, label = self.vessel(name), self.vessel(name).solution
        if label is None:
            raise ValueError(f"vessel {name}: fill it before anybody adds to it")
        vessel.settle(now_ns)
        spec = VesselSpec(f"jug for {name}", 0.0, 0.0, 0.0, True, _UNBOUNDED)
        jug = Vessel(spec, self._parameters)
        true, strength = self._truly(label)
        jug.fill(true, strength, volume, 0)
        if vessel.volume + volume > 0.0:
            vessel.blend(jug, volume / (vessel.volume + volume))
        over = vessel.add(volume, jug.amounts)
        self.spend(vessel, over)
        return over

    def pump(self, name: str, asked: float, now_ns: int, since_ns: int) -> Stroke:
        """Pump mL from bottle to vessel (negative: back); `since_ns` draws the pump's chance.

        A syringe pump errs by a fixed acc_pump and a random rep_pump, both in %.
        """
        vessel, bottle = self.vessels[name], self.bottle(name, now_ns)
        vessel.settle(now_ns)
        bottle.settle(now_ns)
        chanced = chance.normal(self._seed, chance.PUMP, since_ns)
        error = self._parameters["acc_pump"] + self._parameters["rep_pump"] * chanced
        wanted = abs(asked) * (1.0 + error / 100.0)
        source, sink = (bottle, vessel) if asked >= 0.0 else (vessel, bottle)
        went = min(wanted, source.volume)
        amounts = source.take(went)
        if sink.volume + went > 0.0:
            sink.blend(source, went / (sink.volume + went))
        over = sink.add(went, amounts)
        self.spend(vessel, over)
        return Stroke(went if asked >= 0.0 else -went, wanted - went, over)

    def drain(self, name: str, now_ns: int) -> float:
        """Empty a vessel, or the bottle "NAME bottle", at once; return the mL that are gone."""
        bottle = name.removesuffix(BOTTLE)
        vessel = self.vessel(name) if bottle == name else self.bottle(bottle, now_ns)
        vessel.settle(now_ns)
        gone = vessel.volume
        vessel.take(gone)
        if bottle == name:
            self.spend(vessel, gone)
        return gone

    def spend(self, vessel: Vessel, volume: float) -> None:
        """Count mL of a vessel's solution as used."""
        if vessel.solution is not None:
            self.used[vessel.solution.name] += volume

    def grams(self) -> float:
        """Return the mass of all feed bottles, glass included."""
        volume = sum(bottle.volume for bottle in self.bottles.values())
        return self._parameters["tare"] + _DENSITY * volume

    def solutions(self, now_ns: int) -> dict[str, dict[str, float]]:
        """Return used_ml and c_over_c0 of every solution ever filled in (see World.truth)."""
        leaked = dict.fromkeys(self.used, 0.0)
        for vessel in self.vessels.values():
            if vessel.solution is not None:
                leaked[vessel.solution.name] += vessel.lost_at(now_ns)
        return {
            name: {"used_ml": used + leaked[name], "c_over_c0": self._strength(name, now_ns)}
            for name, used in self.used.items()
        }

    def contents(self, now_ns: int) -> dict[str, dict[str, Any]]:
        """Return label, mL, mg/mL of every species, pH, age in h at 22 degC, by vessel.

        active_share: what age and heat left of the named solute; aggregate_share of the membrane;
        sediment_mg: membrane that settled out.
        """
        return {
            name: {
                "solution": vessel.label(),
                "volume_ml": vessel.volume_at(now_ns),
                "mg_per_ml": {
                    species: vessel.concentration(species, now_ns) for species in vessel.amounts
                },
                "pH": vessel.acidity(now_ns),
                "age_h": vessel.age_h(now_ns),
                "active_share": vessel.active(vessel.species(), now_ns),
                "aggregate_share": vessel.lumped,
                "sediment_mg": vessel.sediment,
            }
            for name, vessel in [*self.vessels.items(), *self.inner.items()]
        }

    def plain(self, start_ns: int) -> dict[str, Any]:
        """Return the state as JSON data, times counted from `start_ns`."""
        return {
            "charges": dict(self.charges),
            "used": dict(self.used),
            "vessels": {name: one.plain(start_ns) for name, one in self.vessels.items()},
            "bottles": {name: one.plain(start_ns) for name, one in self.bottles.items()},
            "inner": {name: one.plain(start_ns) for name, one in self.inner.items()},
        }

    def load(self, plain: Mapping[str, Any], start_ns: int) -> None:
        """Take back what `plain` wrote; ValueError if the vessels are not the same."""
        if set(plain["vessels"]) != set(self.vessels):
            raise ValueError("this snapshot is of a world with other vessels")
        self.charges = dict(plain["charges"])
        self.used = dict(plain["used"])
        for name, vessel in plain["vessels"].items():
            self.vessels[name].load(vessel, start_ns)
        for name, vessel in plain["inner"].items():
            self.inner[name].load(vessel, start_ns)
        self.bottles = {}
        for name, bottle in plain["bottles"].items():
            self.bottle(name, start_ns).load(bottle, start_ns)

    def _truly(self, solution: Solution) -> tuple[Solution, float]:
        """Return the label with its true pH, and the true concentration."""
        strength = self._given.get(f"c_{solution.species}", solution.concentration)
        if solution.species == PROTEIN and "pH_BR" in self._given:
            solution = replace(solution, pH=self._given["pH_BR"])
        return solution, strength

    def _filled(self, vessel: Vessel, solution: Solution, volume: float) -> float:
        """Return the mL truly filled in; V_bath and V_rinse, where given, make the vessel."""
        truth = self._given.get("V_bath" if solution.charge else "V_rinse")
        if truth is None:
            return volume
        vessel.resize(truth)
        return truth

    def _strength(self, name: str, now_ns: int) -> float:
        """Return c/c0 of a solution over all its vessels; 1 where nothing is dissolved."""
        mass = volume = label = 0.0
        for vessel in self.vessels.values():
            solution = vessel.solution
            if solution is None or solution.name != name or solution.charge == 0:
                continue
            mass += vessel.amounts.get(solution.species, 0.0)
            volume += vessel.volume_at(now_ns)
            label = solution.concentration
        return mass / volume / label if volume * label > 0.0 else 1.0
