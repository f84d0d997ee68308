"""The film: one layer that grows, the layers below it, and what they add up to.

Knows no clock and no vessel: it is told the liquid, the seconds and the heat. Both sides of
the substrate carry the same film. Coverage is in monolayers of patches, amounts of
polyelectrolyte in units of G_PDAC, masses in ng per cm2 of one side.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sim import chance
from sim.fluid import PROTEIN
from sim.kinetics import Law, bimodal_times, blocked, orientation, reached, sites

# Below this (mg/mL) nothing adsorbs in any time a film spends in a bath.
TRACE = 1e-6
# Sauerbrey (Z. Phys. 155, 206, 1959): ng per cm2 and Hz of a 5 MHz crystal.
SAUERBREY = 17.7
_PERCENT = 100.0
# Dry thickness of a polyelectrolyte layer of G_PDAC: 50 ng/cm2 at 1.0 g/cm3 (a guess).
_CHAIN_NM = 0.5
# Flaw and haze of a layer onto which a full layer of the other charge was dragged (guesses).
_FOUL_FLAW = 0.5
_FOUL_HAZE = 0.05
_DRY_FLAW = 0.3


@dataclass(frozen=True, slots=True)
class Liquid:
    """What the film sees of a bath: the charged species that leads, and at how much.

    `concentration` mg/mL of what can adsorb, `charge` -1, 0 or 1; `own` says that the species is
    the one on the bath's label and not a contamination; `lumps` mg/mL of aggregates.
    """

    species: str = ""
    charge: int = 0
    concentration: float = 0.0
    pH: float = 7.0
    own: bool = False
    lumps: float = 0.0


@dataclass(slots=True)
class Film:
    """The growing layer on top (fields without `below`) and the sums of those beneath.

    `began` is the share of the surface that was positive before the top layer, `sites` and
    `scatter` and `vigour` scale what the layer can hold, `free` is the free share of patch
    sites, `fast` and `slow` are the unfilled shares of the two polyelectrolyte processes.
    `landed` monolayers of aggregates and `unfolded` ones that heat has spoilt are of the whole
    film; `stay` is how long it has been in this bath, in s.
    """

    species: str = ""
    charge: int = -1
    began: float = 0.0
    sites: float = 0.0
    scatter: float = 1.0
    vigour: float = 1.0
    free: float = 1.0
    fast: float = 1.0
    slow: float = 1.0
    extra: float = 0.0
    loose: float = 0.0
    lean: float = 0.0
    layers: int = 0
    dips: int = 0
    patches_below: float = 0.0
    chains_below: float = 0.0
    leaning_below: float = 0.0
    sum_below: float = 0.0
    squares_below: float = 0.0
    anions_below: int = 0
    flaw: float = 0.0
    haze: float = 0.0
    damage: float = 0.0
    landed: float = 0.0
    unfolded: float = 0.0
    stay: float = 0.0

    def plain(self) -> list[Any]:
        """Return the state as JSON data."""
        return [
            self.species,
            self.charge,
            self.began,
            self.sites,
            self.scatter,
            self.vigour,
            self.free,
            self.fast,
            self.slow,
            self.extra,
            self.loose,
            self.lean,
            self.layers,
            self.dips,
            self.patches_below,
            self.chains_below,
            self.leaning_below,
            self.sum_below,
            self.squares_below,
            self.anions_below,
            self.flaw,
            self.haze,
            self.damage,
            self.landed,
            self.unfolded,
            self.stay,
        ]

    def copy(self) -> "Film":
        """Return an independent film in the same state."""
        return Film(*self.plain())

    def bound(self, law: Law) -> float:
        """Return the bound coverage of the top layer, overgrowth and loose share left out."""
        if self.species != PROTEIN:
            return 0.0
        return law.ceiling * self.sites * self.scatter * self.vigour * (1.0 - self.free)

    def chain(self, law: Law) -> float:
        """Return the amount of the top layer if it is a polyelectrolyte, in G_PDAC."""
        if self.species in ("", PROTEIN):
            return 0.0
        return self.sites * self.scatter * self.vigour * self._filled(law)

    def positive(self, law: Law) -> float:
        """Return the share of the surface that shows positive charge.

        A layer reverses what it covers: p = p0 + (1 - p0) F for a polycation, p = p0 (1 - F)
        for an anion, F being how full the layer is. Bare glass or PET is negative.
        """
        if self.species == "":
            return self.began
        full = (1.0 - self.free) if self.species == PROTEIN else self._filled(law)
        full *= self.vigour
        if self.charge > 0:
            return self.began + (1.0 - self.began) * full
        return self.began * (1.0 - full)

    def meet(self, liquid: Liquid, law: Law, seed: int) -> float:
        """Meet a liquid; return the loose coverage that it strips off at once.

        A liquid of the other charge begins a new layer. A polycation strips phi_strip of the
        loose patches (a step up followed by a small step down: Lvov et al.); what stays is
        bound for good. The same kind again goes on with the same layer, so a second exposure
        adds only what blocking still allows.
        """
        if liquid.charge == 0 or liquid.concentration < TRACE or self._same(liquid):
            return 0.0
        stripped = self.loose * law.strip if liquid.charge > 0 else 0.0
        self.loose -= stripped
        self._fold(law)
        self._begin(liquid, law, seed)
        return stripped

    def grow(
        self, liquid: Liquid, seconds: float, heat: float, law: Law, harm: float = 0.0
    ) -> None:
        """Stay in a liquid for a time; `heat` multiplies the adsorption rates.

        `harm` is the exponent by which this time's warmth unfolds the protein (see Wear).
        """
        begun = self.stay
        self.stay += seconds
        active = liquid.concentration >= TRACE and self._same(liquid)
        held = 0.0
        if active and self.species == PROTEIN:
            dose = liquid.concentration * seconds * heat
            reach = reached(law, liquid.concentration, begun, self.stay)
            covering = reach * liquid.concentration * heat / law.ceiling
            self.free = blocked(self.free, covering, law.blocking)
            self.extra += law.overgrowth * dose * self.sites
            self.extra += law.sinks * liquid.concentration * seconds
            self.landed += law.lands * liquid.lumps * seconds
            held = law.loose_share * law.ceiling * self.sites * min(liquid.concentration, 1.0)
        elif active:
            arrives, settles = bimodal_times(law.fast, law.slow, liquid.concentration)
            self.fast *= math.exp(-seconds * heat / arrives)
            self.slow *= math.exp(-seconds * heat / settles)
        if self.loose != held:
            self.loose = held + (self.loose - held) * math.exp(-seconds / law.loose_time)
        if harm > 0.0:
            patches = self.patches(law)
            self.unfolded = patches - max(patches - self.unfolded, 0.0) * math.exp(-harm)

    def dry(self, law: Law) -> None:
        """Suffer drying: the next layer finds fewer sites, and the film scatters for good.

        Drying "may hinder the assembly" (Lvov et al.); the amounts are guesses.
        """
        self.damage = law.dry_loss
        self.haze += law.dry_haze
        self.flaw += _DRY_FLAW

    def miss(self, share: float) -> None:
        """Stay out of the liquid with a share of the surface: the layer to come is striped."""
        self.damage = 1.0 - (1.0 - self.damage) * (1.0 - share)
        self.flaw += share

    def mask(self, share: float, law: Law) -> None:
        """Lie under a bubble with a share of the surface, which gets no more of this layer.

        What it has of the layer it keeps; the rest of the layer grows on the rest of the surface.
        """
        if self.species == PROTEIN:
            self.extra += share * self.bound(law)
        else:
            self.chains_below += share * self.chain(law)
        self.vigour *= 1.0 - share
        self.flaw += share

    def foul(self, layers: float) -> None:
        """Take a complex of both charges dragged in, as layers of the other species.

        Polycation and protein precipitate together when rinsing falls short (Decher, in
        Multilayer Thin Films, ch. 1); the sizes are guesses and stop at one full layer.
        """
        share = min(layers, 1.0)
        self.flaw += _FOUL_FLAW * share
        self.haze += _FOUL_HAZE * share

    def patches(self, law: Law) -> float:
        """Return all patches on one side in monolayers, loose ones and aggregates included."""
        return self.patches_below + self.bound(law) + self.extra + self.loose + self.landed

    def sound(self, law: Law) -> float:
        """Return the patches that heat has not unfolded: those that have a colour and work."""
        return max(self.patches(law) - self.unfolded, 0.0)

    def report(self, law: Law, parameters: Mapping[str, float]) -> dict[str, float]:
        """Return what an ideal laboratory would measure; one side, dry.

        thickness_nm: d_bl per bilayer (He et al., Langmuir 14, 1674, 1998), the polyelectrolyte
        taking 0.5 nm of it. mass_ng_cm2. a570_per_side: a570 per sound monolayer, light-adapted
        at 22 degC; a280: r280 times that of all; a700: s_scat of it, more by drying, fouling and
        s_agg per 1 % of aggregates. qcm_hz: Sauerbrey, 17.7 ng/(cm2 Hz). photovoltage_mV: pv per
        sound monolayer that lies cytoplasmic side down; active_share: sound over all patches.
        lateral_cv: layers of equal independent unevenness average out,
        sig_xy0 * n^-n_h with n = (sum)^2 / (sum of squares) of the layers' amounts, the
        effective number of layers (trend: He et al. 1998; sizes are guesses), and flaws and the
        lasting slope of aggregates from top to bottom add.
        coverage_per_dip: patches, without aggregates, per immersion in the protein; for a film
        without protein, the mean amount of its polyanion layers.
        """
        patches, chains = self.patches(law), self.chains_below + self.chain(law)
        top = self._anion(law)
        total, squares = self.sum_below + top, self.squares_below + top * top
        count = total * total / squares if squares > 0.0 else 0.0
        even = parameters["sig_xy0"] * count ** -parameters["n_h"] if count > 0.0 else 0.0
        anions = self.anions_below + (1 if self.species and self.charge < 0 else 0)
        leaning = self.leaning_below + self.lean * (self.bound(law) + self.extra + self.loose)
        dips = self.dips if self.dips else anions
        mass = patches * parameters["G_PM"] + chains * parameters["G_PDAC"]
        lumps = self.landed / patches if patches > 0.0 else 0.0
        active = self.sound(law) / patches if patches > 0.0 else 1.0
        haze = parameters["s_scat"] + self.haze + _PERCENT * parameters["s_agg"] * lumps
        colour = patches * parameters["a570"] * 1e-3
        flaw = self.flaw / count if count > 0.0 else 0.0
        return {
            "thickness_nm": patches * (parameters["d_bl"] - _CHAIN_NM) + chains * _CHAIN_NM,
            "a570_per_side": colour * active,
            "lateral_cv": math.hypot(even, flaw, law.tilt * lumps),
            "qcm_hz": -mass / SAUERBREY,
            "coverage_per_dip": (patches - self.landed if self.dips else total) / dips
            if dips
            else 0.0,
            "mass_ng_cm2": mass,
            "a280": colour * parameters["r280"],
            "a700": colour * haze,
            "photovoltage_mV": leaning * active * parameters["pv"],
            "active_share": active,
            "a700_to_a570": haze,
            "orientation": leaning / patches if patches > 0.0 else 0.0,
        }

    def _same(self, liquid: Liquid) -> bool:
        """Return whether the liquid goes on with the top layer: same charge, same kind."""
        if self.species == "" or liquid.charge != self.charge:
            return False
        return (liquid.species == PROTEIN) == (self.species == PROTEIN)

    def _filled(self, law: Law) -> float:
        """Return how full the top polyelectrolyte layer is: 1 - A1 e^(-t/t1) - A2 e^(-t/t2)."""
        return 1.0 - law.fast_share * self.fast - (1.0 - law.fast_share) * self.slow

    def _anion(self, law: Law) -> float:
        """Return the amount of the top layer if it is an anion, for the lateral statistics."""
        if self.species == PROTEIN:
            return self.bound(law) + self.extra + self.loose
        return self.chain(law) if self.charge < 0 else 0.0

    def _fold(self, law: Law) -> None:
        """Add the top layer to those below; its loose remainder is now buried."""
        buried = self.bound(law) + self.extra + self.loose
        self.patches_below += buried
        self.leaning_below += self.lean * buried
        self.chains_below += self.chain(law)
        if self.species and self.charge < 0:
            amount = self._anion(law)
            self.sum_below += amount
            self.squares_below += amount * amount
            self.anions_below += 1

    def _begin(self, liquid: Liquid, law: Law, seed: int) -> None:
        """Begin a layer on the surface as it is."""
        share = self.positive(law)
        self.began = share
        self.sites = sites(share if liquid.charge < 0 else 1.0 - share)
        self.scatter = 1.0 + law.scatter * chance.normal(seed, chance.LAYER, self.layers)
        self.vigour = 1.0 - self.damage
        self.damage = 0.0
        self.species, self.charge = liquid.species, liquid.charge
        self.free = self.fast = self.slow = 1.0
        self.extra = self.loose = self.lean = 0.0
        if liquid.species == PROTEIN:
            self.lean = orientation(liquid.pH, law.switch_at, law.switch_steepness)
        self.layers += 1
