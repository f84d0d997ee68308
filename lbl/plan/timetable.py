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
from lbl.plan.equipment import Bath, Equipment
from lbl.plan.exchange import way
from lbl.plan.feeding import Feeding
from lbl.plan.itinerary import STAYING, Look, Stop
from lbl.plan.recipe import Recipe, not_above
from lbl.plan.schedule import Class, Step
from lbl.plan.transfer import Transfer
from lbl.plan.washing import Washing

CALM_NS: Final = 1_000_000_000  # after an arrival, before anything is read or pumped
GUARD_NS: Final = 3_000_000_000  # before a lift: it is armed two seconds ahead
BUSY: Final = STAYING - {"wait"}  # stops that are an act themselves: nothing else happens in them
_AGAIN: Final[Class] = "repeatable"


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
        self._feeding = Feeding(equipment, self._held)
        self._washing = washing
        self._rounds: dict[int, list[int]] = {}  # repetition: its steps that ask whether to go on

    def follow(self, stops: Sequence[Stop]) -> None:
        """Add the steps of all stops."""
        for stop in stops:
            way = self._way(stop)
            arrival_ns = self._now_ns + way.duration_ns
            if way.legs:
                self._feeding.leave(self._here)
            self._put(stop)
            dwell_ns, detail = self._washed(stop, way)
            self._feeding.pass_time((way.duration_ns + dwell_ns) / 1e9)
            self._ended(stop)
            here = len(self.steps)
            self.steps.append(self._immersion(stop, way, dwell_ns, detail))
            self._inside(stop, arrival_ns, dwell_ns)
            if stop.ask is not None and not stop.round_of:
                self._onward(here)
            self._now_ns = arrival_ns + dwell_ns
            self._here = stop.bath
        self.problems += self._feeding.problems()
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

    def _put(self, stop: Stop) -> None:
        """What a refill by hand puts into its target, and what a prime takes out of it."""
        if stop.target is None:
            return
        volume, place = float(str(stop.detail["volume"])), self._recipe.place(stop.route)
        if self._washing is None:
            self._feeding.pour(stop.target, volume, place)
        elif stop.kind == "prime":
            self._washing.prime(stop.target)
        else:
            self._washing.pour(stop.target, volume, place)

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
        wishes = dict.fromkeys(("rinse", "stir", "prime", "park"), _AGAIN)
        acted_on = stop.target or stop.bath
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
            vessel=acted_on.name if acted_on is not None else "",
            solution=self._held[stop.target.name] if stop.target is not None else stop.solution,
            bilayer=stop.bilayer,
            deposition=stop.deposition,
            completes=stop.completes,
            exchange=stop.exchange,
            detail=detail,
            on_resume=stop.on_resume,
            ask=stop.ask,
        )

    def _inside(self, stop: Stop, arrival_ns: int, dwell_ns: int) -> None:
        """A dose or top-up after the arrival, looks before the lift."""
        looks_ns = sum(look.duration_ns for look in stop.looks)
        begin_ns = arrival_ns + dwell_ns - GUARD_NS - looks_ns
        calm_ns, number = arrival_ns + CALM_NS, len(self.steps)
        sure = stop.ask is None or stop.round_of > 0  # a stay that may not come tops nothing up
        if stop.dose:
            place = self._recipe.place((*stop.route, "volume"))
            self.steps.append(self._feeding.dose(stop.dose, calm_ns, number, stop.bilayer, place))
        elif stop.kind not in BUSY:
            where, until_ns = stop.bath.name if stop.bath else "", begin_ns if sure else arrival_ns
            due = self._feeding.due(where, calm_ns, until_ns, number, stop.bilayer)
            self.steps += [due] if due is not None else []
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
