"""What is put into the baths of a dip bench while a film grows: by a pump, or by a person.

Pure. Must never let the pump run while the substrate is in the bath that it feeds, and never let a
bath run over.
"""

from typing import Final

from lbl.errors import Problem
from lbl.plan.equipment import Bath, Dosing, Equipment, evaporation
from lbl.plan.recipe import not_above
from lbl.plan.schedule import Step
from lbl.plan.transfer import whole_ms

WEIGH_S: Final = 25.0  # of a dose: the balance settles before and after, the pump starts
MARGINS_S: Final = 4.0  # after an arrival, and before a lift, the pump stands


def dose_s(pump: Dosing, volume: float) -> float:
    """Return how long the substrate stays elsewhere for a dose of so many mL (s)."""
    return volume / pump.rate * 60.0 + WEIGH_S + MARGINS_S


class Feeding:
    """The levels of the baths, and the top-ups of the one that a pump feeds.

    What it has lost, what was put back, when the pump may run.
    """

    def __init__(self, equipment: Equipment, held: dict[str, str]) -> None:
        """Begin with all baths filled to the mark."""
        self._pump = equipment.dosing
        self._equipment = equipment
        self._held = held
        self._bath = next(
            (b for b in equipment.baths if self._pump and b.name == self._pump.vessel), None
        )
        self._solution = held.get(self._bath.name, "") if self._bath is not None else ""
        self._per_s = evaporation(self._bath, equipment) if self._bath is not None else 0.0
        self._lost = 0.0  # since the last top-up
        self._now = 0.0  # s
        self._total = 0.0  # mL by the pump
        self._overdue = False
        self._poured: dict[str, float] = {}  # mL by people, by bath
        self._over: dict[str, Problem] = {}

    def leave(self, bath: Bath | None) -> None:
        """The substrate leaves a bath and drags some of it out."""
        if self._bath is not None and bath is not None and bath.name == self._bath.name:
            self._lost += self._equipment.drag_out

    def pass_time(self, seconds: float) -> None:
        """Time passes, and water evaporates."""
        self._lost += self._per_s * seconds
        self._now += seconds

    def due(self, vessel: str, begin_ns: int, end_ns: int, index: int, bilayer: int) -> Step | None:
        """The top-up that is due, if it fits between two instants of a stop in `vessel`."""
        pump = self._pump
        if pump is None or not self._solution or not not_above(pump.step, self._lost):
            return None
        lasts_ns = _lasts_ns(pump, pump.step)
        if (vessel or pump.vessel) == pump.vessel or begin_ns + lasts_ns > end_ns:
            self._overdue = self._overdue or self._lost > 2.0 * pump.step
            return None
        return self._step(pump, pump.step, begin_ns, index, bilayer)

    def dose(self, volume: float, begin_ns: int, index: int, bilayer: int, place: str) -> Step:
        """The dose that a recipe asks for; ValueError on a bench without a pump."""
        pump, bath = self._pump, self._bath
        if pump is None or bath is None:
            raise ValueError(f"bench {self._equipment.name} has no pump that feeds a bath")
        made = self._step(pump, volume, begin_ns, index, bilayer)
        self._judge(bath, place)
        return made

    def pour(self, bath: Bath, volume: float, place: str) -> None:
        """A person adds so many mL to a bath, at `place` in the recipe."""
        self._poured[bath.name] = self._poured.get(bath.name, 0.0) + volume
        self._judge(bath, place)

    def _step(self, pump: Dosing, volume: float, begin_ns: int, index: int, bilayer: int) -> Step:
        self._lost -= volume
        self._total += volume
        return Step(
            index=index,
            kind="dose",
            offset_ns=begin_ns,
            duration_ns=_lasts_ns(pump, volume),
            cls="once",
            vessel=pump.vessel,
            solution=self._solution,
            bilayer=bilayer,
            detail={"volume": volume, "rate": pump.rate, "total": self._total},
            on_resume="hold",
        )

    def _judge(self, bath: Bath, place: str = "") -> None:
        """Note when a bath holds more than fits, as far as is known now."""
        level = bath.volume + self._poured.get(bath.name, 0.0)
        level -= evaporation(bath, self._equipment) * self._now
        if bath is self._bath:
            level += self._total
        capacity = bath.capacity or 2.0 * bath.volume
        if not not_above(level, capacity):
            sentence = f"{bath.name} would hold {level:.1f} mL, and {capacity:g} mL fit"
            remedy = "add less, fill it less, or take a larger bath"
            self._over.setdefault(bath.name, Problem("plan-volume", sentence, place, remedy))

    def problems(self) -> list[Problem]:
        """What cannot be fed as it should, once the whole film is planned."""
        pump, bath = self._pump, self._bath
        found: list[Problem] = []
        if pump is not None and bath is not None:
            self._judge(bath)
            if self._overdue:
                sentence = f"no stop outside {bath.name} is long enough to top it up"
                remedy = "pump faster, in smaller steps, or lengthen a dwell"
                found.append(Problem("plan-dwell", sentence, remedy=remedy))
            if not not_above(self._total, pump.stock):
                sentence = (
                    f"'{self._solution}' needs {self._total:g} mL of top-up, "
                    f"and the feed bottle holds {pump.stock:g} mL"
                )
                found.append(Problem("plan-volume", sentence, remedy="fill a larger bottle"))
        return [*found, *self._over.values()]


def _lasts_ns(pump: Dosing, volume: float) -> int:
    return whole_ms(volume / pump.rate * 60.0 + WEIGH_S)
