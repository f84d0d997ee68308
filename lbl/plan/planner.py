"""Recipe and equipment to plan: a pure function that refuses what the chemistry forbids.

The same inputs give the same bytes. Must never read a clock, and never let a plan through that
would dry the film, mix opposite charges, or run out of liquid.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from lbl.errors import Problem, Refused
from lbl.plan import budget
from lbl.plan.assign import Assignment, assign
from lbl.plan.document import hashed
from lbl.plan.equipment import Equipment, Side
from lbl.plan.itinerary import PHOTOMETRY, Itinerary
from lbl.plan.recipe import (
    MAX_EXCHANGES,
    TOLERANCE,
    Expose,
    Measure,
    Recipe,
    Stir,
    Temperature,
    not_above,
)
from lbl.plan.rules import ageing, judge
from lbl.plan.schedule import Budget, Limits, Liquid, Plan, Quality, Substrate
from lbl.plan.timetable import Timetable
from lbl.plan.unroll import Act, unroll
from lbl.plan.washing import Washing

KINDS: Final = ("dip", "flow")
CHARGES: Final[dict[str, int]] = {"positive": 1, "none": 0, "negative": -1}
_SIDES: Final[tuple[Side, Side]] = ("positive", "negative")


def plan(recipe: Recipe, equipment: Equipment) -> Plan:
    """Return the plan of a recipe on a bench; raises Refused with every reason it can find."""
    problems = _unfit(recipe, equipment)
    acts = unroll(recipe)
    fresh = equipment.cell is not None
    assignment, missing = assign(recipe, acts, equipment.baths, fresh=fresh)
    judged = judge(recipe, acts)
    problems += [*missing, *_roles(recipe, acts, equipment), *judged.refused]
    if problems:
        raise Refused(*problems)
    made = _Planning(recipe, equipment, acts, assignment, judged.overridden).plan()
    return replace(made, warnings=(*judged.warned, *ageing(recipe, made)))


def _unfit(recipe: Recipe, equipment: Equipment) -> list[Problem]:
    """What the bench cannot do at all."""
    problems = []
    if equipment.kind not in KINDS:
        sentence = f"bench {equipment.name} is of kind '{equipment.kind}'"
        remedy = f"kinds this version plans for: {', '.join(KINDS)}"
        problems.append(Problem("plan-bench-kind", sentence, remedy=remedy))
    wanted = recipe.limits.temperature
    if wanted is None:
        return problems
    place = recipe.place(("limits", "temperature"))
    low, high = equipment.temperature
    if "thermostat" not in equipment.roles:
        sentence = "the bench has no thermostat to keep limits.temperature"
        problems.append(Problem("plan-temperature", sentence, place, "remove the limit"))
    elif not (not_above(low, wanted[1]) and not_above(wanted[0], high)):
        sentence = (
            f"the thermostat holds {low:g}..{high:g} degC, "
            f"and limits.temperature asks for {wanted[0]:g}..{wanted[1]:g} degC"
        )
        problems.append(Problem("plan-temperature", sentence, place, "widen the limit"))
    return problems


def _roles(recipe: Recipe, acts: Sequence[Act], equipment: Equipment) -> list[Problem]:
    """Instruments that phases need and the bench does not have."""
    problems = []
    first = next((act for act in acts if isinstance(act.options, Measure)), None)
    if first is not None:
        place = recipe.place(first.route)
        for role in PHOTOMETRY:
            if role not in equipment.roles:
                sentence = f"a measurement needs a {role}, and bench {equipment.name} has none"
                remedy = "remove the measurement, or add the instrument"
                problems.append(Problem("plan-no-role", sentence, place, remedy))
        if not problems and not equipment.readout and equipment.cell is None:
            sentence = f"bench {equipment.name} does not say through which bath it measures"
            problems.append(Problem("plan-readout", sentence, place, "name it in the bench file"))
    problems += _tempers(recipe, acts, equipment)
    problems += _stirs(recipe, acts, equipment)
    if equipment.dosing is not None and "pump" not in equipment.roles:
        sentence = f"bench {equipment.name} tops up {equipment.dosing.vessel} without a pump"
        problems.append(Problem("plan-no-role", sentence, remedy="add the pump"))
    return problems


def _tempers(recipe: Recipe, acts: Sequence[Act], equipment: Equipment) -> list[Problem]:
    """Temperatures that nobody can make, or that the recipe itself forbids."""
    problems: dict[Problem, None] = {}
    limits = _limits(recipe)
    for act in acts:
        if not isinstance(act.options, Temperature):
            continue
        place, to = recipe.place(act.route), act.options.to
        if "thermostat" not in equipment.roles:
            sentence = f"this needs a thermostat, and bench {equipment.name} has none"
            remedy = "remove the phase, or add the instrument"
            problems[Problem("plan-no-role", sentence, place, remedy)] = None
        low, high = limits.temperature_low, limits.temperature_high
        if not (not_above(low, to) and not_above(to, high)):
            sentence = f"{to:g} degC are outside limits.temperature, {low:g}..{high:g} degC"
            problems[Problem("plan-temperature", sentence, place, "widen the limit")] = None
    return list(problems)


def _stirs(recipe: Recipe, acts: Sequence[Act], equipment: Equipment) -> list[Problem]:
    """Speeds at which this bench stirs nothing."""
    problems: dict[Problem, None] = {}
    for act in acts:
        if not isinstance(act.options, Stir):
            continue
        place, remedy = recipe.place(act.route), "remove the phase, or add a stirrer"
        if equipment.cell is not None:
            sentence = f"the liquid in the cell of bench {equipment.name} is not stirred"
            remedy = "remove the phase, or take a bench with baths and a stirrer"
        elif equipment.stirrer <= 0.0:
            sentence = f"nothing stirs the baths of bench {equipment.name}"
        elif not not_above(act.options.at, equipment.stirrer):
            sentence = f"{act.options.at:g} rpm are asked for, and {equipment.stirrer:g} can be had"
            place, remedy = recipe.place((*act.route, "at")), "stir more slowly"
        else:
            continue
        problems[Problem("plan-stirrer", sentence, place, remedy)] = None
    return list(problems)


class _Planning:
    """One plan under way; exchanges are added until the rinses dilute enough."""

    def __init__(
        self,
        recipe: Recipe,
        equipment: Equipment,
        acts: Sequence[Act],
        assignment: Assignment,
        overridden: tuple[str, ...],
    ) -> None:
        self._overridden = overridden
        self._recipe = recipe
        self._equipment = equipment
        self._acts = acts
        self._assignment = assignment
        self._vessels = assignment.vessels()
        self._liquids = {name: _liquid(recipe, name) for name in recipe.solutions}

    def plan(self) -> Plan:
        """Return the plan, or raise Refused."""
        extra: dict[Side, int] = dict.fromkeys(_SIDES, 0)
        # Each turn adds an exchange to the rinses of a side, and their number is bounded.
        for _ in range(2 * MAX_EXCHANGES + 1):
            itinerary = Itinerary(self._recipe, self._equipment, self._assignment, extra)
            itinerary.follow(self._acts)
            washing = self._washing()
            table = Timetable(self._recipe, self._equipment, self._assignment, washing)
            if not itinerary.problems:
                table.follow(itinerary.stops)
            carried = self._cascade(table) if washing is None else washing.cascade()
            if not self._more(extra, carried, table):
                break
        problems = [*itinerary.problems, *table.problems, *self._carry_over(carried)]
        if problems:
            raise Refused(*problems)
        wasted = washing.circuit.waste if washing is not None else None
        return self._made(table, carried, wasted)

    def _washing(self) -> Washing | None:
        if self._equipment.cell is None:
            return None
        return Washing(self._equipment, self._liquids, self._vessels)

    def _cascade(self, table: Timetable) -> budget.Cascade:
        volumes = {bath.name: bath.volume for bath in self._equipment.baths}
        return budget.cascade(
            table.steps, volumes, self._liquids, self._vessels, self._equipment.drag_out
        )

    def _over(self, carried: budget.Carried) -> bool:
        return not not_above(carried.share, self._recipe.limits.carry_over)

    def _more(self, extra: dict[Side, int], carried: budget.Cascade, table: Timetable) -> bool:
        """Add exchanges on the sides that dilute too little; False if that changes nothing."""
        added = False
        # What reaches the positive baths has been rinsed on the negative side, and the reverse.
        reached: tuple[tuple[Side, budget.Carried], ...] = (
            ("negative", carried.positive),
            ("positive", carried.negative),
        )
        for side, into in reached:
            rinses = [
                len(baths) for (of, _), baths in self._assignment.rinses.items() if of == side
            ]
            if self._over(into) and extra[side] < max(rinses, default=0):
                extra[side] += self._lacking(into.share, table)
                added = True
        return added

    def _lacking(self, share: float, table: Timetable) -> int:
        """How many exchanges lack at least: one, or as many as a cell's residual tells at once.

        Each exchange of a cell leaves the same share r, so k of them leave r^k.
        """
        done = min((step.exchange[1] for step in table.steps if step.exchange[1]), default=0)
        if self._equipment.cell is None or not done or not 0.0 < share < 1.0:
            return 1
        wanted = math.log(self._recipe.limits.carry_over) / math.log(share) * done
        return max(1, math.ceil(wanted - TOLERANCE) - done)

    def _carry_over(self, carried: budget.Cascade) -> list[Problem]:
        limit = self._recipe.limits.carry_over
        problems = []
        for into in (carried.positive, carried.negative):
            if self._over(into):
                sentence = (
                    f"{into.share:.2g} of an opposite solution reaches '{into.into}', "
                    f"and limits.carry_over allows {limit:g}"
                )
                act = next(act for act in self._acts if _exposes_to(act, into.into))
                remedy = "rinse more often or in larger baths"
                place = self._recipe.place(act.route[:-1])
                problems.append(Problem("plan-carry-over", sentence, place, remedy))
        return problems

    def _made(self, table: Timetable, carried: budget.Cascade, wasted: float | None) -> Plan:
        recipe, equipment, steps = self._recipe, self._equipment, tuple(table.steps)
        first = next(bath for bath in equipment.baths if bath.name == _first_vessel(table))
        return hashed(
            Plan(
                recipe=recipe.name,
                version=recipe.version,
                bench=equipment.name,
                steps=steps,
                bilayers=max((step.bilayer for step in steps), default=0),
                depositions=max((step.deposition for step in steps), default=0),
                duration_ns=steps[-1].end_ns,
                assignments=self._vessels,
                solutions=self._liquids,
                substrate=Substrate(
                    recipe.substrate.area, recipe.substrate.form, recipe.substrate.sides
                ),
                parameters=dict(recipe.parameters),
                limits=_limits(recipe),
                quality=_quality(recipe),
                budget=self._budget(table, carried, wasted),
                up=equipment.arm.up if equipment.arm is not None else 0.0,
                start=first.at,
                hash="",
                overridden=self._overridden,
            )
        )

    def _budget(self, table: Timetable, carried: budget.Cascade, wasted: float | None) -> Budget:
        equipment = self._equipment
        added = budget.refills(table.steps, equipment, self._vessels)
        volumes = budget.volumes_of(equipment.baths, self._vessels, added)
        end = table.steps[-1].end_ns / 1e9
        by_hand = (refill.at for refill in added if refill.by == "person")
        asked = (step.offset_ns / 1e9 for step in table.steps if step.kind == "prompt")
        return Budget(
            volumes=volumes,
            waste=sum(volumes.values()) if wasted is None else wasted,
            refills=added,
            carry_over_worst=carried.worst,
            air_worst=table.air_worst,
            person=min((*by_hand, *asked), default=end),
            dilution=carried.dilution,
        )


def _exposes_to(act: Act, solution: str) -> bool:
    return isinstance(act.options, Expose) and act.options.to == solution


def _first_vessel(table: Timetable) -> str:
    return next(step.vessel for step in table.steps if step.legs)


def _liquid(recipe: Recipe, name: str) -> Liquid:
    made = recipe.solutions[name]
    return Liquid(
        name=name,
        species=made.species or name,
        concentration=made.concentration,
        pH=made.pH,
        charge=CHARGES[made.charge],
        role=made.role,
        keep=made.keep,
    )


def _limits(recipe: Recipe) -> Limits:
    given, usual = recipe.limits, Limits()
    low, high = given.temperature or (usual.temperature_low, usual.temperature_high)
    return Limits(given.air.soft, given.air.hard, low, high, given.carry_over, given.held)


def _quality(recipe: Recipe) -> Quality:
    growth = recipe.quality.growth
    return Quality(growth.target, growth.chart, growth.on_alarm) if growth else Quality()
