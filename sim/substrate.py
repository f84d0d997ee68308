"""The substrate with its film: in a liquid or in air, what it takes along, what it takes up.

The film is written forward only where its surroundings change (in, out, a pump stroke, a new
set point); to look in between, a copy is grown. So looking never changes what comes later.
"""

from collections.abc import Mapping
from typing import Any

from sim.cellar import Cellar
from sim.film import Film, Liquid
from sim.fluid import PROTEIN, Carried, Vessel, dragged, evaporated
from sim.heat import Heat
from sim.kinetics import Law, hotness

_S_PER_NS = 1e-9
_ML_PER_UL = 1e-3
_MG_PER_NG = 1e-6
_QUOTED_AT = 22.0


class Substrate:
    """One coated substrate: its film, the vessel it is in (None: air), the liquid it carries."""

    __slots__ = (
        "_area",
        "_cellar",
        "_heat",
        "_law",
        "_liquid",
        "_parameters",
        "_rpm",
        "_seed",
        "_since_ns",
        "carried",
        "film",
        "inside",
    )

    def __init__(
        self,
        parameters: Mapping[str, float],
        heat: Heat,
        cellar: Cellar,
        *,
        area: float,
        seed: int,
    ) -> None:
        """Start clean, dry and in air; `area` is the coated area of all sides in cm2."""
        self._parameters = parameters
        self._heat = heat
        self._cellar = cellar
        self._area = area
        self._seed = seed
        self._law = Law.of(parameters)
        self._rpm: float | None = None  # of the bars; None: there are none
        self._liquid = Liquid()
        self._since_ns = 0
        self.film = Film()
        self.inside: Vessel | None = None
        self.carried: Carried | None = None

    def enter(self, vessel: Vessel, bare: float, now_ns: int) -> bool:
        """Go into a liquid; return whether the film had dried in the air before.

        `bare` is the share of the height that a low level leaves out of the liquid.
        The carried liquid mixes into the bath at once. What it holds of the other charge
        fouls the film when the bath is one that adsorbs.
        """
        vessel.settle(now_ns)
        dried = self._arrive(vessel, now_ns)
        self.inside = vessel
        if bare > 0.0 and vessel.solution is not None and vessel.solution.charge != 0:
            self.film.miss(bare)
        self.look(now_ns)
        if self._liquid.own and self._liquid.species == PROTEIN:
            self.film.dips += 1
        return dried

    def leave(self, speed: float, now_ns: int) -> None:
        """Come out at so many mm/s, with a film and a drop of the bath."""
        vessel = self._in()
        self.settle(now_ns)
        film = dragged(self._parameters, self._area, speed)
        drop = self._parameters["v_clamp"] * _ML_PER_UL
        had = vessel.volume
        amounts = vessel.take(film + drop)
        share = min(had / (film + drop), 1.0) if film + drop > 0.0 else 0.0
        self.carried = Carried(film * share, drop * share, amounts, vessel.spec.name, now_ns)
        self._cellar.spend(vessel, (film + drop) * share)
        self.inside = None

    def flood(self, cell: Vessel, now_ns: int) -> bool:
        """Come under the liquid that rises in a closed cell; return whether the film had dried.

        What clings to the film is fouled and dried as in a bath, but stays part of the cell:
        only water leaves, and that slowly (E_lid).
        """
        carried, self.carried = self.carried, None
        self.film.stay = 0.0
        dried = False
        if carried is not None:
            seconds = (now_ns - carried.left_ns) * _S_PER_NS
            dried = evaporated(self._parameters, self._area, seconds, "E_lid") > carried.film
            if dried:
                self.film.dry(self._law)
            self._foul(carried, cell)
        self.inside = cell
        self.look(now_ns)
        if self._liquid.own and self._liquid.species == PROTEIN:
            self.film.dips += 1
        return dried

    def mask(self, share: float) -> None:
        """Keep a share of the film out of the liquid it is in: a bubble sits on it."""
        self.film.mask(share, self._law)

    def drain(self, speed: float, most: float, now_ns: int) -> None:
        """Stay behind as the liquid sinks at mm/s, wet with at most `most` mL of it."""
        cell = self._in()
        self.settle(now_ns)
        film = min(dragged(self._parameters, self._area, speed), most)
        share = film / cell.volume if cell.volume > film else 1.0
        amounts = {species: mass * share for species, mass in cell.amounts.items()}
        self.carried = Carried(film, 0.0, amounts, cell.spec.name, now_ns)
        self.inside = None

    def stir(self, rpm: float, now_ns: int) -> None:
        """Be in liquids that bars stir so fast from now on (rpm, 0: they stand)."""
        if rpm == self._rpm:
            return
        self.settle(now_ns)
        self._rpm = rpm
        self._law = Law.of(self._parameters, rpm == 0.0)
        self.film.stay = 0.0  # the layer of liquid around it forms anew

    def settle(self, now_ns: int) -> None:
        """Write film and bath forward to now; nothing to do in air."""
        vessel = self.inside
        if vessel is None:
            return
        vessel.settle(now_ns)
        before = self._mass(self.film)
        self._grow(self.film, now_ns)
        taken = (self._mass(self.film) - before) * self._milligrams()
        if taken != 0.0:
            vessel.trade(PROTEIN if self.film.species == PROTEIN else self._liquid.species, -taken)
        label = vessel.solution
        if taken > 0.0 and label is not None and label.concentration > 0.0:
            self._cellar.spend(vessel, taken / label.concentration)
        self.look(now_ns)

    def look(self, now_ns: int) -> None:
        """Note what the film is in from now on, and let the film meet it."""
        vessel = self._in()
        species = vessel.leading(self._cellar.charges)
        label = vessel.solution
        own = label is not None and label.charge != 0 and label.species == species
        sound = vessel.concentration(species, now_ns) * vessel.active(species, now_ns)
        lumped = vessel.lumped if own and species == PROTEIN else 0.0
        self._since_ns = now_ns
        self._liquid = Liquid(
            species,
            self._cellar.charges[species] if species else 0,
            sound * (1.0 - lumped),
            vessel.acidity(now_ns),
            own,
            sound * lumped,
        )
        stripped = self.film.meet(self._liquid, self._law, self._seed)
        if stripped > 0.0:
            vessel.trade(PROTEIN, stripped * self._parameters["G_PM"] * self._milligrams())

    def peek(self, now_ns: int) -> Film:
        """Return the film as it is now, without writing anything."""
        film = self.film.copy()
        if self.inside is not None:
            self._grow(film, now_ns)
        return film

    def report(self, now_ns: int) -> dict[str, float]:
        """Return what an ideal laboratory would find now (see Film.report)."""
        return self.peek(now_ns).report(self._law, self._parameters)

    def absorbance(self, now_ns: int) -> float:
        """Return the absorbance of one side at 570 nm, light-adapted, loose patches included.

        It falls by `thermo` per K: PM changes its spectrum reversibly with the temperature (Neebe
        et al., J. Phys. Chem. B 112, 6946, 2008); the slope is a guess.
        """
        warmer = self._heat.temperature(now_ns) - _QUOTED_AT
        colour = 1.0 - self._parameters["thermo"] / 100.0 * warmer
        return self.peek(now_ns).sound(self._law) * self._parameters["a570"] * 1e-3 * colour

    def plain(self, start_ns: int) -> dict[str, Any]:
        """Return the state as JSON data, times counted from `start_ns`."""
        wet, carried = self._liquid, self.carried
        return {
            "film": self.film.plain(),
            "inside": None if self.inside is None else self.inside.spec.name,
            "since": self._since_ns - start_ns,
            "rpm": self._rpm,
            "liquid": [wet.species, wet.charge, wet.concentration, wet.pH, wet.own, wet.lumps],
            "carried": None
            if carried is None
            else [
                carried.film,
                carried.drop,
                dict(carried.amounts),
                carried.vessel,
                carried.left_ns - start_ns,
            ],
        }

    def load(self, plain: Mapping[str, Any], start_ns: int) -> None:
        """Take back what `plain` wrote, after the cellar has."""
        self.film = Film(*plain["film"])
        inside, cellar = plain["inside"], self._cellar
        if inside is None:
            self.inside = None
        else:
            self.inside = cellar.inner.get(inside) or cellar.vessel(inside)
        self._since_ns = int(plain["since"]) + start_ns
        self._rpm = plain["rpm"]
        self._law = Law.of(self._parameters, self._rpm == 0.0)
        self._liquid = Liquid(*plain["liquid"])
        self.carried = None
        if plain["carried"] is not None:
            film, drop, amounts, vessel, left_ns = plain["carried"]
            self.carried = Carried(film, drop, dict(amounts), vessel, int(left_ns) + start_ns)

    def _arrive(self, vessel: Vessel, now_ns: int) -> bool:
        """Mix the carried liquid in, less what the air took; return whether the film dried."""
        carried, self.carried = self.carried, None
        self.film.stay = 0.0
        if carried is None:
            return False
        seconds = (now_ns - carried.left_ns) * _S_PER_NS
        lost = evaporated(self._parameters, self._area, seconds)
        dried = lost > carried.film
        if dried:
            self.film.dry(self._law)
        self._foul(carried, vessel)
        over = vessel.add(carried.drop + max(carried.film - lost, 0.0), carried.amounts)
        self._cellar.spend(vessel, over)
        return dried

    def _foul(self, carried: Carried, vessel: Vessel) -> None:
        """Hand the film what was dragged into a charged bath of the other sign."""
        label = vessel.solution
        if label is None or label.charge == 0:
            return
        mass = sum(
            amount
            for species, amount in sorted(carried.amounts.items())
            if self._cellar.charges[species] == -label.charge
        )
        layer = self._parameters["G_PM"] * self._milligrams()
        if mass > 0.0 and layer > 0.0:
            self.film.foul(mass / layer)

    def _grow(self, film: Film, now_ns: int) -> None:
        """Grow a film from the last change to now, at the mean temperature of that time."""
        warm = self._heat.mean(self._since_ns, now_ns)
        heat = hotness(self._law.activation, warm)
        harm = self._heat.harm(self._since_ns, now_ns)
        film.grow(self._liquid, (now_ns - self._since_ns) * _S_PER_NS, heat, self._law, harm)

    def _mass(self, film: Film) -> float:
        """Return the mass of the top layer in ng/cm2."""
        patches = film.bound(self._law) + film.extra + film.loose + film.landed
        chain = film.chain(self._law)
        return patches * self._parameters["G_PM"] + chain * self._parameters["G_PDAC"]

    def _milligrams(self) -> float:
        """Return the mg on the whole substrate that make 1 ng/cm2; a mesh has more area."""
        return self._area * self._parameters["f_A"] * _MG_PER_NG

    def _in(self) -> Vessel:
        """Return the vessel the substrate is in; RuntimeError in air (a bug of the world)."""
        if self.inside is None:
            raise RuntimeError("the substrate is in air; only a submerged one can do this")
        return self.inside
