"""What every vessel holds while a film grows: volume, strength, what got into it, waste.

The plan's steps are followed once more, with evaporation, for an account that is read by people.
Pure. Must never change a plan or decide anything.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from lbl.plan.budget import POURING
from lbl.plan.circuit import Circuit
from lbl.plan.equipment import Bath, Equipment, evaporation
from lbl.plan.exchange import primed, priming
from lbl.plan.schedule import Plan, Pumping, Step

NS: Final = 1e9


@dataclass(frozen=True, slots=True)
class Vessel:
    """One vessel over a whole run: mL, and shares relative to each solution's own strength.

    `strength` is c/c0 at the end, 1 for a rinse. `foreign` is how much got into it of what does not
    belong there, after each bilayer: of the opposite charge into a solution, of anything charged
    into a rinse. `most` names what most of it is at the end. `ends` is what the vessel holds then.
    """

    name: str
    solution: str
    volume: float
    ends: float
    strength: float
    foreign: tuple[float, ...]
    most: str

    @property
    def worst(self) -> tuple[float, int]:
        """The most that got in, and after which bilayer (0: there is none)."""
        worst = max(self.foreign, default=0.0)
        return worst, self.foreign.index(worst) + 1 if worst > 0.0 else 0


@dataclass(frozen=True, slots=True)
class Liquids:
    """The vessels; by bilayer its end (s from the first step) and the worst carry-over in it.

    `waste` are (s from the first step, mL of liquid given away so far): nothing on a dip bench,
    whose baths are emptied when the film is done. `fills` counts strokes into a cell.
    """

    vessels: tuple[Vessel, ...]
    bilayers: tuple[float, ...]
    carry_over: tuple[float, ...]
    waste: tuple[tuple[float, float], ...]
    fills: int


class _Holds(Protocol):
    """Whatever follows the liquids of one kind of bench."""

    @property
    def waste(self) -> float:
        """The mL given away so far."""

    @property
    def fills(self) -> int:
        """The strokes into a cell so far."""

    def step(self, step: Step) -> float:
        """Carry out a step; the share of the opposite charge that came with it."""

    def contents(self, at_s: float) -> Mapping[str, tuple[list[float], float]]:
        """The mixture (mL of each solution) and the volume of every vessel at a time."""


def follow(plan: Plan, equipment: Equipment) -> Liquids:
    """Follow all liquids of a plan; `equipment` must be the one that it was made for."""
    baths = [bath for bath in equipment.baths if bath.name in plan.assignments]
    holds: _Holds
    if equipment.cell is not None:
        holds = _Flowing(plan, equipment, baths)
    else:
        holds = _Dipping(plan, equipment, baths)
    foreign: dict[str, list[float]] = {bath.name: [] for bath in baths}
    intruders = {bath.name: _intruders(plan, bath) for bath in baths}
    ends, carry_over, waste = [], [], [(0.0, holds.waste)]
    for steps, end_s in _cycles(plan.steps):
        carried = max([holds.step(step) for step in steps], default=0.0)
        held = holds.contents(end_s)
        waste.append((end_s, holds.waste))
        if steps[0].bilayer:
            ends.append(end_s)
            carry_over.append(carried)
            for name, row in foreign.items():
                mix, volume = held[name]
                row.append(sum([mix[number] for number in intruders[name]]) / max(volume, 1e-9))
    held = holds.contents(plan.duration_ns / NS)
    vessels = tuple(
        _vessel(plan, bath, held[bath.name], foreign[bath.name], intruders[bath.name])
        for bath in baths
    )
    return Liquids(vessels, tuple(ends), tuple(carry_over), tuple(waste), holds.fills)


def _vessel(
    plan: Plan,
    bath: Bath,
    held: tuple[list[float], float],
    foreign: Sequence[float],
    intruders: Sequence[int],
) -> Vessel:
    mix, volume = held
    names, own = list(plan.solutions), plan.assignments[bath.name]
    charged = plan.solutions[own].charge != 0
    most = max(intruders, key=lambda number: mix[number], default=None)
    return Vessel(
        name=bath.name,
        solution=own,
        volume=bath.volume,
        ends=volume,
        strength=mix[names.index(own)] / volume if charged and volume > 0.0 else 1.0,
        foreign=tuple(foreign),
        most=names[most] if most is not None and mix[most] > 0.0 else "",
    )


def _cycles(steps: Sequence[Step]) -> Iterator[tuple[list[Step], float]]:
    """The steps of one bilayer after the other (and what is before and after), and their end."""
    cycle: list[Step] = []
    for step in steps:
        if cycle and step.bilayer != cycle[0].bilayer:
            yield cycle, step.offset_ns / NS
            cycle = []
        cycle.append(step)
    if cycle:
        yield cycle, max(step.end_ns for step in cycle) / NS


def _intruders(plan: Plan, bath: Bath) -> list[int]:
    """The numbers of the solutions that do not belong into a bath."""
    charges = [liquid.charge for liquid in plan.solutions.values()]
    sign = plan.solutions[plan.assignments[bath.name]].charge
    return [n for n, other in enumerate(charges) if (other == -sign if sign else other)]


class _Dipping:
    """Baths of a dip bench: what the substrate drags along, what evaporates, what is topped up."""

    def __init__(self, plan: Plan, equipment: Equipment, baths: Sequence[Bath]) -> None:
        names = list(plan.solutions)
        self.waste = 0.0
        self.fills = 0
        self._drag = equipment.drag_out
        self._volumes = {bath.name: bath.volume for bath in baths}
        self._mixes = {
            bath.name: [bath.volume * (name == plan.assignments[bath.name]) for name in names]
            for bath in baths
        }
        self._names = names
        self._per_s = {bath.name: evaporation(bath, equipment) for bath in baths}
        self._dried_s = dict.fromkeys(self._volumes, 0.0)
        self._charges = {name: plan.solutions[own].charge for name, own in plan.assignments.items()}
        self._opposite = {
            sign: [n for n, one in enumerate(plan.solutions.values()) if one.charge == -sign]
            for sign in (1, -1)
        }
        self._here = ""

    def step(self, step: Step) -> float:
        """Carry out a step; see _Holds."""
        at_s = step.offset_ns / NS
        if step.kind in POURING:
            added = float(str(step.detail["volume"]))
            self._volumes[step.vessel] += added
            self._mixes[step.vessel][self._names.index(step.solution)] += added
        if not step.legs:
            return 0.0
        film = self._leave(at_s)
        self._here = step.vessel
        if film is None:
            return 0.0
        mix = self._mixes[step.vessel]
        for number, amount in enumerate(film):
            mix[number] += amount
        self._volumes[step.vessel] += self._drag
        sign = self._charges[step.vessel]
        return sum([film[number] for number in self._opposite[sign]]) / self._drag if sign else 0.0

    def contents(self, at_s: float) -> Mapping[str, tuple[list[float], float]]:
        """What all baths hold; see _Holds."""
        for name in self._volumes:
            self._dry(name, at_s)
        return {name: (mix, self._volumes[name]) for name, mix in self._mixes.items()}

    def _leave(self, at_s: float) -> list[float] | None:
        """The mL of each solution that the substrate drags out, None from air."""
        if not self._here or self._drag <= 0.0:
            return None
        self._dry(self._here, at_s)
        mix, volume = self._mixes[self._here], self._volumes[self._here]
        share = min(self._drag / volume, 1.0) if volume > 0.0 else 0.0
        film = [amount * share for amount in mix]
        self._mixes[self._here] = [amount - gone for amount, gone in zip(mix, film, strict=True)]
        self._volumes[self._here] = max(volume - self._drag, 0.0)
        return film

    def _dry(self, name: str, at_s: float) -> None:
        lost = self._per_s[name] * (at_s - self._dried_s[name])
        self._volumes[name] = max(self._volumes[name] - lost, 0.0)
        self._dried_s[name] = at_s


class _Flowing:
    """Reservoirs of a flow bench: every stroke of the plan, the lines primed first."""

    def __init__(self, plan: Plan, equipment: Equipment, baths: Sequence[Bath]) -> None:
        cell = equipment.cell
        if cell is None:
            raise ValueError(f"bench {equipment.name} has no cell")
        names = list(plan.solutions)
        self.fills = 0
        self._cell = cell
        self._baths = {bath.name: bath for bath in baths}
        self._circuit = Circuit(cell, baths, plan.assignments, names)
        self._signs = {name: plan.solutions[own].charge for name, own in plan.assignments.items()}
        self._opposite = {
            sign: [n for n, one in enumerate(plan.solutions.values()) if one.charge == -sign]
            for sign in (1, -1)
        }
        self._gas = 0.0
        if primed(cell) > 0.0:  # what came first out of every line, and of valve and syringe
            self._gas = cell.feed * len(baths) + cell.line + cell.dead
            for bath in baths:
                self._circuit.pump(priming(cell, bath))

    @property
    def waste(self) -> float:
        """See _Holds; the gas of the lines is no waste."""
        return max(self._circuit.waste - self._gas, 0.0)

    def step(self, step: Step) -> float:
        """Carry out a step; see _Holds."""
        if step.kind in POURING:
            volume = float(str(step.detail["volume"]))
            self._circuit.pour(step.vessel, step.solution, volume)
        elif step.kind == "prime":
            self._circuit.pump(priming(self._cell, self._baths[step.vessel]))
        sign = self._signs.get(step.vessel, 0) if step.legs else 0
        carried = self._circuit.share(self._opposite[sign]) if sign else 0.0
        for pumping in step.legs:
            if isinstance(pumping, Pumping):
                self._circuit.pump(pumping)
                self.fills += sum(
                    port == self._cell.inlet and volume < 0.0 for port, volume in pumping.strokes
                )
        return carried

    def contents(self, at_s: float) -> Mapping[str, tuple[list[float], float]]:
        """What all reservoirs hold; nothing evaporates from a closed one. See _Holds."""
        volumes, stocks = self._circuit.volumes, self._circuit.stocks
        return {name: (stocks[name], volumes[name]) for name in volumes}
