"""Stops put in time: transfers, looks of the photometer and top-ups find their instants.

Pure. Must never move the substrate for a look or a top-up, and never let one of them end less
than GUARD_NS before the next lift.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from lbl import units
from lbl.errors import Problem
from lbl.plan.assign import Assignment
from lbl.plan.equipment import Bath, Equipment, evaporation
from lbl.plan.exchange import way
from lbl.plan.itinerary import STAYING, Look, Stop
from lbl.plan.recipe import Recipe, not_above
from lbl.plan.schedule import Class, Step
from lbl.plan.transfer import Transfer, whole_ms
from lbl.plan.washing import Washing

CALM_NS: Final = 1_000_000_000  # after an arrival, before anything is read or pumped
GUARD_NS: Final = 3_000_000_000  # before a lift: it is armed two seconds ahead
WEIGH_S: Final = 25.0  # of a top-up: the balance settles before and after, the pump starts


class Timetable:
    """Turns stops into steps; `air_worst` (s) is the longest planned time in air."""

    def __init__(
        self,
        recipe: Recipe,
        equipment: Equipment,
        assignment: Assignment,
        washing: Washing | None = None,
    ) -> None:
        """Begin at time zero, the substrate dry; `washing` follows the liquids of a cell."""
        self.steps: list[Step] = []
        self.problems: list[Problem] = []
        self.air_worst = 0.0
        self._recipe = recipe
        self._equipment = equipment
        self._held = assignment.vessels()
        self._ways: dict[tuple[str, str], Transfer] = {}
        self._now_ns = 0
        self._here: Bath | None = None
        self._dosing = _Dosing(equipment, self._held)
        self._washing = washing
        self._rounds: dict[int, list[int]] = {}  # repetition: its steps that ask whether to go on

    def follow(self, stops: Sequence[Stop]) -> None:
        """Add the steps of all stops."""
        for stop in stops:
            way = self._way(stop)
            arrival_ns = self._now_ns + way.duration_ns
            if way.legs:
                self._dosing.leave(self._here)
            dwell_ns, detail = self._washed(stop, way)
            self._dosing.pass_time((way.duration_ns + dwell_ns) / 1e9)
            self._ended(stop)
            here = len(self.steps)
            self.steps.append(self._immersion(stop, way, dwell_ns, detail))
            self._inside(stop, arrival_ns, dwell_ns)
            if stop.ask is not None and not stop.round_of:
                self._onward(here)
            self._now_ns = arrival_ns + dwell_ns
            self._here = stop.bath
        self.problems += self._dosing.problems()
        if self._washing is not None:
            self.problems += self._washing.problems()

    def _ended(self, stop: Stop) -> None:
        """Repetitions that end before this stop go on with it, once a reading ends them."""
        for loop in stop.after:
            for index in self._rounds.pop(loop, ()):
                self._onward(index)
                self._same_place(index, stop)
        if stop.round_of:
            self._rounds.setdefault(stop.round_of, []).append(len(self.steps))

    def _onward(self, index: int) -> None:
        """Where a step's condition does not hold, the run goes on with the next step to come."""
        step = self.steps[index]
        if step.ask is not None:
            self.steps[index] = replace(step, ask=replace(step.ask, otherwise=len(self.steps)))

    def _same_place(self, index: int, stop: Stop) -> None:
        """A repetition that may end early must end where each of its rounds begins."""
        before = (s for s in reversed(self.steps[:index]) if s.kind in ("expose", "rinse"))
        began, ends = next((s.vessel for s in before), ""), self._here.name if self._here else ""
        if began != ends:
            sentence = f"a repetition that may end early begins in {began} and ends in {ends}"
            remedy = "let each round end in the rinse that it begins in"
            problem = Problem("plan-rounds", sentence, self._recipe.place(stop.route), remedy)
            if problem not in self.problems:
                self.problems.append(problem)

    def _way(self, stop: Stop) -> Transfer:
        if stop.bath is None or stop.kind in STAYING:
            return Transfer((), 0, 0.0)
        key = (self._here.name if self._here is not None else "", stop.bath.name)
        if stop.kind == "park" and key[0] == key[1]:
            return Transfer((), 0, 0.0)
        if key not in self._ways:
            made = way(self._equipment, self._here, stop.bath)
            self._ways[key] = made
            self.air_worst = max(self.air_worst, made.air)
            self._judge_air(key, made.air)
        return self._ways[key]

    def _washed(self, stop: Stop, way: Transfer) -> tuple[int, dict[str, object]]:
        """The dwell of a stop, longer where its solution has become weak, and what to say of it."""
        dwell_ns = self._dwell(stop)
        if stop.detail:
            return dwell_ns, stop.detail
        if self._washing is None or stop.bath is None or not way.legs:
            return dwell_ns, {}
        self._washing.exchange(way, stop.bath)
        place = self._recipe.place((*stop.route, "for"))
        longer_ns, strength = self._washing.dwell(stop, dwell_ns, place)
        return longer_ns, {"c_over_c0": round(strength, 6)} if longer_ns > dwell_ns else {}

    def _judge_air(self, key: tuple[str, str], air: float) -> None:
        soft = self._recipe.limits.air.soft
        if not_above(air, soft):
            return
        sentence = (
            f"from {key[0]} to {key[1]} the film is {air:.1f} s in air, "
            f"and limits.air.soft allows {units.duration(soft)}"
        )
        remedy = "move the baths closer, withdraw faster, or raise the limit"
        place = self._recipe.place(("limits", "air", "soft"))
        self.problems.append(Problem("plan-air-time", sentence, place, remedy))

    def _dwell(self, stop: Stop) -> int:
        """The dwell of a stop, lengthened for the looks inside it; a problem if it cannot be."""
        if not stop.looks:
            return stop.dwell_ns
        needed = CALM_NS + sum(look.duration_ns for look in stop.looks) + GUARD_NS
        if needed > stop.latest_ns:
            sentence = (
                f"{stop.kind} must take {units.duration(needed / 1e9)} for the photometer, "
                f"and at most {units.duration(stop.latest_ns / 1e9)} are allowed"
            )
            place = self._recipe.place((*stop.route, "for"))
            problem = Problem("plan-dwell", sentence, place, "raise at_most")
            if problem not in self.problems:
                self.problems.append(problem)
        return max(stop.dwell_ns, needed)

    def _immersion(
        self, stop: Stop, way: Transfer, dwell_ns: int, detail: dict[str, object]
    ) -> Step:
        fixed = stop.kind == "expose" and stop.earliest_ns == stop.latest_ns
        wishes: dict[str, Class] = {"rinse": "repeatable", "park": "repeatable"}
        return Step(
            index=len(self.steps),
            kind=stop.kind,
            offset_ns=self._now_ns,
            duration_ns=way.duration_ns + dwell_ns,
            legs=way.legs,
            dwell_ns=dwell_ns,
            earliest_ns=stop.earliest_ns,
            latest_ns=stop.latest_ns,
            cls="once" if fixed else wishes.get(stop.kind, "extendable"),
            vessel=stop.bath.name if stop.bath is not None else "",
            solution=stop.solution,
            bilayer=stop.bilayer,
            deposition=stop.deposition,
            completes=stop.completes,
            exchange=stop.exchange,
            detail=detail,
            on_resume=stop.on_resume,
            ask=stop.ask,
        )

    def _inside(self, stop: Stop, arrival_ns: int, dwell_ns: int) -> None:
        """A top-up after the arrival, looks before the lift."""
        looks_ns = sum(look.duration_ns for look in stop.looks)
        begin_ns = arrival_ns + dwell_ns - GUARD_NS - looks_ns
        sure = stop.ask is None or stop.round_of > 0  # a stay that may not come tops nothing up
        until_ns = begin_ns if sure else arrival_ns
        due = self._dosing.due(stop, arrival_ns + CALM_NS, until_ns, len(self.steps))
        if due is not None:
            self.steps.append(due)
        for look in stop.looks:
            here = len(self.steps)
            self.steps.append(self._look(look, begin_ns, stop))
            self._onward(here)
            begin_ns += look.duration_ns

    def _look(self, look: Look, offset_ns: int, stop: Stop) -> Step:
        readout = self._equipment.readout or (stop.bath.name if stop.bath is not None else "")
        return Step(
            index=len(self.steps),
            kind=look.kind,
            offset_ns=offset_ns,
            duration_ns=look.duration_ns,
            vessel=readout,
            solution=self._held.get(readout, ""),
            bilayer=look.bilayer,
            deposition=look.deposition,
            detail={"wavelength_nm": look.wavelength},
            on_resume=look.on_resume,
            ask=look.ask,
        )


class _Dosing:
    """The top-ups of one bath: what it has lost, what was put back, when the pump may run."""

    def __init__(self, equipment: Equipment, held: dict[str, str]) -> None:
        self._pump = equipment.dosing
        self._drag_out = equipment.drag_out
        self._bath = next(
            (b for b in equipment.baths if self._pump and b.name == self._pump.vessel), None
        )
        self._solution = held.get(self._bath.name, "") if self._bath is not None else ""
        self._per_s = evaporation(self._bath, equipment) if self._bath is not None else 0.0
        self._lost = 0.0  # since the last top-up
        self._evaporated = 0.0
        self._total = 0.0
        self._overdue = False

    def leave(self, bath: Bath | None) -> None:
        """The substrate leaves a bath and drags some of it out."""
        if self._bath is not None and bath is not None and bath.name == self._bath.name:
            self._lost += self._drag_out

    def pass_time(self, seconds: float) -> None:
        """Time passes, and water evaporates."""
        self._lost += self._per_s * seconds
        self._evaporated += self._per_s * seconds

    def due(self, stop: Stop, begin_ns: int, end_ns: int, index: int) -> Step | None:
        """The top-up that is due, if it fits between two instants of a stop in another bath."""
        pump = self._pump
        if pump is None or not self._solution or not not_above(pump.step, self._lost):
            return None
        lasts_ns = whole_ms(pump.step / pump.rate * 60.0 + WEIGH_S)
        here = stop.bath.name if stop.bath is not None else pump.vessel
        if here == pump.vessel or begin_ns + lasts_ns > end_ns:
            self._overdue = self._overdue or self._lost > 2.0 * pump.step
            return None
        self._lost -= pump.step
        self._total += pump.step
        return Step(
            index=index,
            kind="dose",
            offset_ns=begin_ns,
            duration_ns=lasts_ns,
            cls="once",
            vessel=pump.vessel,
            solution=self._solution,
            bilayer=stop.bilayer,
            detail={"volume": pump.step, "rate": pump.rate, "total": self._total},
            on_resume="hold",
        )

    def problems(self) -> list[Problem]:
        """What cannot be topped up as it should, once the whole film is planned."""
        pump, bath = self._pump, self._bath
        found: list[Problem] = []
        if pump is None or bath is None:
            return found
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
        level = bath.volume + self._total - self._evaporated
        capacity = bath.capacity or 2.0 * bath.volume
        if not not_above(level, capacity):
            sentence = f"{bath.name} would hold {level:.1f} mL, and {capacity:g} mL fit"
            found.append(Problem("plan-volume", sentence, remedy="fill it less, or a larger bath"))
        return found
