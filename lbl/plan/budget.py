"""What a plan takes: volumes, refills, carry-over and dilution, reckoned step by step.

Pure. Must never change a plan, only reckon it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from lbl.plan.equipment import Bath, Equipment, evaporation
from lbl.plan.schedule import Liquid, Refill, Step

POURING: Final[Mapping[str, Literal["pump", "person"]]] = {"dose": "pump", "refill": "person"}
"""Kinds of steps that put liquid into their vessel, and who does it."""
REFILL_SHARE: Final = 0.1  # of a bath's volume may evaporate before somebody must add liquid
MAX_REFILLS: Final = 1000  # of one bath by hand; a bench that needs more is not left alone


@dataclass(frozen=True, slots=True)
class Carried:
    """The worst share of an opposite solution that reached a bath: into which, from which."""

    share: float = 0.0
    into: str = ""


@dataclass(frozen=True, slots=True)
class Cascade:
    """Carry-over into the positive and the negative baths, and c/c0 of each film solution."""

    positive: Carried
    negative: Carried
    dilution: Mapping[str, float]

    @property
    def worst(self) -> float:
        """The worst carry-over between opposite charges."""
        return max(self.positive.share, self.negative.share)


def cascade(
    steps: Sequence[Step],
    volumes: Mapping[str, float],
    liquids: Mapping[str, Liquid],
    assignments: Mapping[str, str],
    drag_out: float,
) -> Cascade:
    """Follow every solution from bath to bath, dip by dip.

    Each dip mixes what the film drags in with the bath, c <- (c V + v c_in) / (V + v), and takes
    the same volume out again (ideal mixing of a static rinse, Decher and Schlenoff, Multilayer
    Thin Films, on rinsing by dilution). Concentrations are relative to the solution's own.
    """
    names = list(liquids)
    held = {bath: [float(name == own) for name in names] for bath, own in assignments.items()}
    filled = {bath: volumes[bath] for bath in assignments}
    opposite = {
        sign: [number for number, name in enumerate(names) if liquids[name].charge == -sign]
        for sign in (1, -1)
    }
    charge = {bath: liquids[own].charge for bath, own in assignments.items()}
    worst = {1: Carried(), -1: Carried()}
    film: list[float] | None = None
    for step in steps:
        bath = step.vessel
        if step.kind in POURING:
            _dose(step, held, filled, names)
        if not step.legs:
            continue
        if film is not None:
            sign = charge[bath]
            if sign:
                share = sum([film[number] for number in opposite[sign]])
                if share > worst[sign].share:
                    worst[sign] = Carried(share, step.solution)
            part = drag_out / (filled[bath] + drag_out)
            held[bath] = [c + (f - c) * part for c, f in zip(held[bath], film, strict=True)]
        film = held[bath]
    dilution = {
        own: held[bath][names.index(own)] for bath, own in assignments.items() if charge[bath]
    }
    return Cascade(worst[1], worst[-1], dilution)


def _dose(
    step: Step, held: dict[str, list[float]], filled: dict[str, float], names: Sequence[str]
) -> None:
    """Fresh solution into a bath; what evaporated before is taken to be replaced by it."""
    bath, added = step.vessel, float(str(step.detail["volume"]))
    fresh = added / (filled[bath] + added)
    held[bath] = [
        c + ((name == step.solution) - c) * fresh for c, name in zip(held[bath], names, strict=True)
    ]
    filled[bath] += added


def refills(
    steps: Sequence[Step], equipment: Equipment, assignments: Mapping[str, str]
) -> tuple[Refill, ...]:
    """Return what must be added while the run goes on, by the pump or by a person, in time."""
    found = [
        Refill(
            step.vessel,
            step.solution,
            float(str(step.detail["volume"])),
            step.offset_ns / 1e9,
            POURING[step.kind],
        )
        for step in steps
        if step.kind in POURING
    ]
    end = steps[-1].end_ns / 1e9 if steps else 0.0
    pumped = equipment.dosing.vessel if equipment.dosing is not None else ""
    for bath in equipment.baths:
        if bath.name in assignments and bath.name != pumped:
            found += _by_hand(bath, assignments[bath.name], evaporation(bath, equipment), end)
    return tuple(sorted(found, key=lambda refill: (refill.at, refill.vessel)))


def _by_hand(bath: Bath, solution: str, per_s: float, end: float) -> list[Refill]:
    volume = REFILL_SHARE * bath.volume
    if per_s <= 0.0 or volume <= 0.0:
        return []
    every = volume / per_s
    times = min(int(end / every), MAX_REFILLS)
    return [Refill(bath.name, solution, volume, n * every, "person") for n in range(1, times + 1)]


def volumes_of(
    baths: Sequence[Bath], assignments: Mapping[str, str], added: Sequence[Refill]
) -> dict[str, float]:
    """Return what must stand ready of each solution (mL): the fills and all refills."""
    needed: dict[str, float] = {}
    for bath in baths:
        solution = assignments.get(bath.name)
        if solution is not None:
            needed[solution] = needed.get(solution, 0.0) + bath.volume
    for refill in added:
        needed[refill.solution] += refill.volume
    return needed
