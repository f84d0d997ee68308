"""The liquid circuit of a flow bench: reservoirs, selector, lines, syringe, cell, waste.

Moves what a stroke of the pump moves, and conserves every mg of it. Knows no time and no film;
what the moving does to the film is for `sim.flow`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sim.cellar import Cellar
from sim.fluid import Vessel
from sim.plumbing import SPECK, Barrel, Parcel, Tube, blend, split
from sim.reservoirs import CELL, WASTE, FlowGeometry, Reservoir, cell, waste

Warn = Callable[[str, str, float], None]
_UL_PER_ML = 1e3


class Circuit:
    """What is where. `cell` is the vessel around the film, `origin` the mL in it by reservoir.

    `spilled` has left the bench (leaks, ports that lead nowhere), `held` is squeezed into the
    tubing before a blocked cell. `blocked` is the share of the cell's line that is shut and
    `leaking` the share of a stroke into the cell that never gets there.
    """

    def __init__(
        self,
        cellar: Cellar,
        parameters: Mapping[str, float],
        reservoirs: Sequence[Reservoir],
        geometry: FlowGeometry,
        warn: Warn,
    ) -> None:
        """Start dry: every line, the syringe and the cell full of gas, selector at 1."""
        self._cellar = cellar
        self._geometry = geometry
        self._warn = warn
        self._names = {one.position: one.name for one in reservoirs}
        self._give_way = parameters["C_tube"]
        self.cell = Vessel(cell(geometry), parameters, cellar.wear)
        self.waste = Vessel(waste(), parameters, cellar.wear)
        cellar.inner = {CELL: self.cell, WASTE: self.waste}
        self.origin: dict[str, float] = {}
        self.position = 1
        self.line = Tube(geometry.line)
        self.feeds = {one.name: Tube(geometry.feed) for one in reservoirs}
        self.barrel = Barrel(geometry.dead)
        self.spilled = Parcel()
        self.held = Parcel()
        self.blocked = 0.0
        self.leaking = 0.0

    @property
    def residual(self) -> float:
        """The mL that stay in a drained cell."""
        return self._geometry.residual * self._geometry.volume

    @property
    def selected(self) -> str | None:
        """The reservoir at the selector's position."""
        return self._names.get(self.position)

    def settle(self, port: int, now_ns: int) -> None:
        """Book what time has done to the liquid that is about to move through a port."""
        if port == self._geometry.inlet:
            self.cell.settle(now_ns)
        elif port == self._geometry.source and self.selected is not None:
            self._cellar.vessels[self.selected].settle(now_ns)

    # --- strokes ---

    def draw(self, port: int, ml: float, batch: int) -> None:
        """Draw mL into the syringe through a port; what is not there comes as gas."""
        geometry = self._geometry
        if port == geometry.source:
            parcels = self._from_reservoir(ml, batch)
        elif port == geometry.inlet:
            parcels = self._from_cell(ml, batch)
        elif port == geometry.waste:
            parcels = _filled(self._from_vessel(self.waste, WASTE, ml), ml, batch)
        else:
            parcels = [Parcel(gas=ml)]
        self.barrel.draw(parcels)

    def push(self, port: int, ml: float, batch: int) -> float:
        """Push mL out of the syringe through a port; return the mL of gas that reach the cell."""
        geometry = self._geometry
        parcels = self.barrel.push(ml, batch)
        if port == geometry.source:
            self._to_reservoir(parcels)
        elif port == geometry.inlet:
            return self._to_cell(parcels)
        elif port == geometry.waste:
            for parcel in parcels:
                self._discard(parcel, self.waste)
            self._press()
        else:
            for parcel in parcels:
                self._spill(parcel)
        return 0.0

    def until(self, level: float, pushing: bool) -> float:
        """Return the mL of a stroke until the cell holds `level` mL; inf if it never will."""
        if self.blocked >= 1.0 or self.leaking >= 1.0:
            return float("inf")
        if pushing:
            return self.barrel.content.gas + (level - self.cell.volume) / (1.0 - self.leaking)
        spare = self.held.ml + self.held.gas
        return spare + (self.cell.volume - level) / (1.0 - self.leaking)

    def release(self) -> None:
        """Let what is squeezed into the tubing go on into the cell."""
        held, self.held = self.held, Parcel()
        self._flood(held)

    def _from_vessel(self, vessel: Vessel, name: str, ml: float) -> Parcel:
        """Take at most mL out of a vessel."""
        had = min(ml, vessel.volume)
        return Parcel(had, vessel.take(had) if had > 0.0 else {}, {name: had})

    def _from_reservoir(self, ml: float, batch: int) -> list[Parcel]:
        """Draw from the selected reservoir through its feed and the line."""
        name = self.selected
        if name is None:
            return self.line.shift([Parcel(gas=ml)], True)
        vessel = self._cellar.vessels[name]
        parcels = _filled(self._from_vessel(vessel, name, ml), ml, batch)
        if parcels[-1].gas > 0.0:
            self._warn("empty", name, parcels[-1].gas)
        return self.line.shift(self.feeds[name].shift(parcels, True), True)

    def _from_cell(self, ml: float, batch: int) -> list[Parcel]:
        """Draw the cell down to its residual, then gas; a leak lets gas in."""
        held = self.held
        if held.volume > SPECK:
            share = min(ml / held.volume, 1.0)
            back = held.liquid(held.ml * share)
            back.gas, back.batch = held.gas * share, batch
            held.gas -= back.gas
            rest = ml - back.volume
            return [back, *self._from_cell(rest, batch)] if rest > SPECK else [back]
        if self.blocked >= 1.0:
            return [Parcel(gas=ml)]
        wanted = ml * (1.0 - self.leaking)
        had = min(max(self.cell.volume - self.residual, 0.0), wanted)
        if had <= 0.0:
            return [Parcel(gas=ml)]
        share = had / self.cell.volume
        sources = split(self.origin, share)
        return _filled(Parcel(had, self.cell.take(had), sources), ml, batch)

    def _to_reservoir(self, parcels: Sequence[Parcel]) -> None:
        """Push through line and feed into the selected reservoir, which lets gas out."""
        name = self.selected
        out = self.line.shift(parcels, False)
        if name is None:
            for parcel in out:
                self._spill(parcel)
            return
        vessel = self._cellar.vessels[name]
        for parcel in self.feeds[name].shift(out, False):
            over = _poured(vessel, parcel)
            if over.ml > 0.0:
                over.sources = {name: over.ml}
                self._spill(over)
                self._warn("overflow", name, over.ml)

    def _to_cell(self, parcels: Sequence[Parcel]) -> float:
        """Push into the cell; return the mL of gas that get there."""
        gas = 0.0
        for parcel in parcels:
            if self.blocked >= 1.0:
                self.held.add(parcel)
                continue
            if self.leaking > 0.0 and parcel.ml > 0.0:
                lost = parcel.liquid(parcel.ml * self.leaking)
                self._warn("leak", CELL, lost.ml)
                self._spill(lost)
            gas += parcel.gas
            self._flood(parcel)
        return gas

    def _flood(self, parcel: Parcel) -> None:
        """Mix liquid into the cell; what does not fit is lost."""
        blend(self.origin, parcel.sources)
        filled = self.cell.volume
        for name, ml in sorted(parcel.sources.items()):
            filled += ml
            if name in self._cellar.vessels and filled > 0.0:
                self.cell.blend(self._cellar.vessels[name], ml / filled)
        over = _poured(self.cell, parcel)
        if over.ml > 0.0:
            over.sources = split(self.origin, over.ml / (self.cell.volume + over.ml))
            self._spill(over)
            self._warn("overflow", CELL, over.ml)

    def _discard(self, parcel: Parcel, into: Vessel) -> None:
        """Let liquid go where it is of no more use."""
        into.add(parcel.ml, parcel.amounts)
        for name, ml in parcel.sources.items():
            vessel = self._cellar.vessels.get(name)
            if vessel is not None:
                self._cellar.spend(vessel, ml)

    def _spill(self, parcel: Parcel) -> None:
        """Lose liquid out of the bench."""
        self.spilled.add(Parcel(parcel.ml, parcel.amounts))
        for name, ml in parcel.sources.items():
            vessel = self._cellar.vessels.get(name)
            if vessel is not None:
                self._cellar.spend(vessel, ml)

    # --- pressure ---

    def squeezed(self) -> float:
        """Return the kPa that the container of rinse and waste presses back with."""
        geometry = self._geometry
        if geometry.bladder is None:
            return 0.0
        shared = self._cellar.vessels.get(geometry.shares or "")
        content = self.waste.volume + (shared.volume if shared is not None else 0.0)
        return max(content - geometry.bladder, 0.0) * _UL_PER_ML / self._give_way

    def strained(self) -> float:
        """Return the kPa of what is squeezed into the tubing before the cell."""
        return self.held.volume * _UL_PER_ML / self._give_way

    def _press(self) -> None:
        """Say that the container is full."""
        squeezed = self.squeezed()
        if squeezed > 0.0:
            self._warn("overflow", WASTE, squeezed * self._give_way / _UL_PER_ML)

    # --- the rest ---

    def swap(self, name: str) -> None:
        """Empty the waste with the container when the reservoir in it is filled anew."""
        if name == self._geometry.shares and self.squeezed() > 0.0:
            self.waste.volume, self.waste.amounts = 0.0, {}

    def main(self) -> str:
        """Return the reservoir that most of the cell's liquid came from, "" in a dry cell."""
        best, most = "", 0.0
        for name, ml in self.origin.items():
            if (ml, name) > (most, best):
                best, most = name, ml
        return best

    def gassy(self) -> bool:
        """Return whether there is gas in syringe or line, or too little liquid in the cell."""
        gas = self.line.gas + self.barrel.content.gas
        return gas > SPECK or self.cell.volume <= self._geometry.volume / 2.0

    def dissolved(self, species: str) -> float:
        """Return the mg of a species in lines, syringe, tubing and out of the bench."""
        tubes = [self.line, *self.feeds.values()]
        parcels = [piece for tube in tubes for piece in tube.pieces]
        parcels += [self.barrel.content, self.held, self.spilled]
        return sum(parcel.amounts.get(species, 0.0) for parcel in parcels)

    def plain(self) -> dict[str, Any]:
        """Return the state as JSON data; the vessels are written with the cellar."""
        return {
            "origin": dict(self.origin),
            "position": self.position,
            "line": self.line.plain(),
            "feeds": {name: feed.plain() for name, feed in self.feeds.items()},
            "barrel": self.barrel.content.plain(),
            "spilled": self.spilled.plain(),
            "held": self.held.plain(),
            "blocked": self.blocked,
            "leaking": self.leaking,
        }

    def load(self, plain: Mapping[str, Any]) -> None:
        """Take back what `plain` wrote."""
        self.origin = dict(plain["origin"])
        self.position = plain["position"]
        self.line.load(plain["line"])
        for name, feed in plain["feeds"].items():
            self.feeds[name].load(feed)
        self.barrel.content = Parcel(*plain["barrel"])
        self.spilled = Parcel(*plain["spilled"])
        self.held = Parcel(*plain["held"])
        self.blocked = float(plain["blocked"])
        self.leaking = float(plain["leaking"])


def _filled(liquid: Parcel, ml: float, batch: int) -> list[Parcel]:
    """Return liquid and the gas that makes it up to mL."""
    liquid.batch = batch
    parcels = [liquid] if liquid.ml > 0.0 else []
    if ml - liquid.ml > SPECK or not parcels:
        parcels.append(Parcel(gas=ml - liquid.ml))
    return parcels


def _poured(vessel: Vessel, parcel: Parcel) -> Parcel:
    """Mix liquid into a vessel; return what ran over, with the mg in it."""
    blend(vessel.amounts, parcel.amounts)
    vessel.volume += parcel.ml
    over = vessel.volume - vessel.spec.capacity
    return Parcel(over, vessel.take(over)) if over > 0.0 else Parcel()
