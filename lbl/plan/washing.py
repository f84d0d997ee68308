"""Follows the liquids of a flow bench while a plan is made: strength, carry-over, stocks, waste.

Pure. Must never change a way or a stop; it says what they do.
"""

from collections.abc import Mapping
from typing import Final

from lbl import units
from lbl.errors import Problem
from lbl.plan.budget import Carried, Cascade
from lbl.plan.circuit import Circuit
from lbl.plan.equipment import Bath, Equipment
from lbl.plan.exchange import primed, priming
from lbl.plan.itinerary import Stop
from lbl.plan.recipe import not_above
from lbl.plan.schedule import Liquid, Pumping
from lbl.plan.transfer import Transfer, whole_ms

MARGIN: Final = 0.15  # of what is drawn for good must be left over
LEAST_DOSE: Final = 0.9  # of concentration x time, where a dwell cannot be long enough


class Washing:
    """The circuit of one plan under way; primed first, as the run will be."""

    def __init__(
        self, equipment: Equipment, liquids: Mapping[str, Liquid], held: Mapping[str, str]
    ) -> None:
        cell = equipment.cell
        if cell is None:
            raise ValueError(f"bench {equipment.name} has no cell")
        self._cell = cell
        self._liquids = liquids
        self._held = held
        self._reservoirs = [bath for bath in equipment.baths if bath.name in held]
        names = list(liquids)
        self.circuit = Circuit(cell, self._reservoirs, held, names)
        self._opposite = {
            sign: [number for number, name in enumerate(names) if liquids[name].charge == -sign]
            for sign in (1, -1)
        }
        self._worst = {1: Carried(), -1: Carried()}
        self._weak: dict[str, Problem] = {}
        self._wrong: dict[str, Problem] = {}  # by reservoir that runs dry, or over
        self._poured = dict.fromkeys((bath.name for bath in self._reservoirs), 0.0)
        for bath in self._reservoirs if primed(cell) > 0.0 else ():
            self.circuit.pump(priming(cell, bath))

    def exchange(self, way: Transfer, bath: Bath) -> None:
        """Carry out a way into a liquid; what is in the cell before counts as carried over."""
        solution = self._held[bath.name]
        sign = self._liquids[solution].charge
        if sign:
            share = self.circuit.share(self._opposite[sign])
            if share > self._worst[sign].share:
                self._worst[sign] = Carried(share, solution)
        for pumping in way.legs:
            if isinstance(pumping, Pumping):
                self.circuit.pump(pumping)

    def prime(self, bath: Bath) -> None:
        """Fill a reservoir's line with its liquid; the old goes to waste."""
        self.circuit.pump(priming(self._cell, bath))

    def pour(self, bath: Bath, volume: float, place: str) -> None:
        """A person adds so many mL to a reservoir, at `place` in the recipe."""
        self._judge(bath)  # what runs dry before is not mended by what comes after
        self.circuit.pour(bath.name, self._held[bath.name], volume)
        self._poured[bath.name] += volume
        level = self.circuit.volumes[bath.name]
        capacity = bath.capacity or 2.0 * bath.volume
        if not not_above(level, capacity):
            sentence = f"{bath.name} would hold {level:.1f} mL, and {capacity:g} mL fit"
            remedy = "add less, or fill it less"
            self._wrong.setdefault(bath.name, Problem("plan-volume", sentence, place, remedy))

    def dwell(self, stop: Stop, dwell_ns: int, place: str) -> tuple[int, float]:
        """Return the dwell that gives the same dose as at full strength, and c/c0 in the cell.

        Adsorption goes with concentration x time; a dwell grows as 1/c up to its window's end.
        """
        if stop.kind != "expose":
            return dwell_ns, 1.0
        strength = self.circuit.strength(stop.solution)
        wanted_ns = whole_ms(dwell_ns / 1e9 / max(strength, 1e-6))
        given_ns = max(dwell_ns, min(wanted_ns, stop.latest_ns))
        if given_ns < LEAST_DOSE * wanted_ns and stop.solution not in self._weak:
            sentence = (
                f"'{stop.solution}' is down to c/c0 {strength:.2f} in the cell: its dwell must be "
                f"{units.duration(wanted_ns / 1e9)}, and at most "
                f"{units.duration(stop.latest_ns / 1e9)} are allowed"
            )
            remedy = "give it a larger reservoir, or raise at_most"
            self._weak[stop.solution] = Problem("plan-dwell", sentence, place, remedy)
        return given_ns, strength

    def cascade(self) -> Cascade:
        """Return the worst carry-over so far and what is left of each film solution."""
        dilution = {
            self._held[bath.name]: self.circuit.left(bath.name, self._held[bath.name])
            for bath in self._reservoirs
            if self._liquids[self._held[bath.name]].charge
        }
        return Cascade(self._worst[1], self._worst[-1], dilution)

    def problems(self) -> list[Problem]:
        """Return what runs out, runs over or grows too weak, once the whole film is planned."""
        cell, circuit = self._cell, self.circuit
        room = cell.room
        for bath in self._reservoirs:
            self._judge(bath)
            if bath.name == cell.shares:
                room += max(bath.volume - circuit.volumes[bath.name], 0.0)
        found = [*self._weak.values(), *self._wrong.values()]
        if not not_above(circuit.waste, room):
            sentence = f"{circuit.waste:.1f} mL of waste come up, and there is room for {room:.1f}"
            remedy = "give the bladder more room, or rinse less"
            found.append(Problem("plan-waste", sentence, remedy=remedy))
        return found

    def _judge(self, bath: Bath) -> None:
        """Note when more is drawn from a reservoir than it has held so far."""
        held = bath.volume + self._poured[bath.name]
        needed = (held - self.circuit.volumes[bath.name]) * (1.0 + MARGIN)
        if not_above(needed, held):
            return
        sentence = (
            f"{needed:.1f} mL of '{self._held[bath.name]}' are needed, a margin of {MARGIN:.0%} "
            f"included, and {bath.name} holds {held:g} mL"
        )
        remedy = "fill a larger reservoir, or rinse less"
        self._wrong.setdefault(bath.name, Problem("plan-volume", sentence, remedy=remedy))
