"""Plans: the flagship's figures, the order of baths, the number of exchanges."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lbl.errors import Problem
from lbl.plan.equipment import Equipment
from lbl.plan.loader import read_recipe
from lbl.plan.planner import plan
from lbl.plan.recipe import Recipe
from lbl.plan.schedule import Plan

FLAGSHIP_TEXT = (Path(__file__).parents[2] / "recipes" / "bacteriorhodopsin-200.yaml").read_text(
    encoding="utf-8"
)
WithBaths = Callable[..., Equipment]
RecipeOf = Callable[..., Recipe]
Refusals = Callable[[Recipe, Equipment], tuple[Problem, ...]]
HOUR = 3600.0


def kinds(made: Plan) -> list[str]:
    return [f"{step.kind} {step.vessel}".strip() for step in made.steps]


FILM = """
expose: {to: A, for: 2 min}
rinse: {with: water, for: 1 min, at_least: 3}
expose: {to: B, for: 2 min}
rinse: {with: water, for: 1 min, at_least: 3}
park: {in: water}
"""


def test_the_flagship_is_400_depositions_in_93_hours(flagship: Recipe, dip: Equipment) -> None:
    made = plan(flagship, dip)
    assert (made.bilayers, made.depositions) == (200, 400)
    assert made.duration_ns / 1e9 / HOUR == pytest.approx(93.0, rel=0.02)
    summary = made.as_json()
    assert {
        "bilayers", "depositions", "duration_s", "steps", "volumes_ml", "waste_ml",
        "carry_over_worst", "air_s_worst", "plan_hash", "refills", "person_needed_s", "c_over_c0",
    } <= set(summary)  # fmt: skip
    assert summary["steps"] == len(made.steps)
    assert summary["volumes_ml"] == {"PEI": 60.0, "PDAC": 100.0, "buffer": 1200.0, "BR": 60.0}
    assert made.budget.carry_over_worst < 1e-6
    assert made.budget.air_worst < 20.0
    assert len(made.hash) == 64


def test_the_flagship_visits_the_baths_in_order(flagship: Recipe, dip: Equipment) -> None:
    made = plan(flagship, dip)
    assert made.assignments == {
        "primer": "PEI", "polycation": "PDAC", "polyanion": "BR",
        **dict.fromkeys(("P1", "P2", "P3", "N1", "N2", "N3"), "buffer"),
    }  # fmt: skip
    assert kinds(made)[:14] == [
        "expose primer", "rinse P1", "rinse P2", "rinse P3",
        "expose polycation", "rinse P1", "rinse P2", "rinse P3",
        "expose polyanion", "rinse N1", "rinse N2", "zero N3", "rinse N3", "measure N3",
    ]  # fmt: skip
    assert (made.steps[-1].kind, made.steps[-1].vessel, made.steps[-1].legs) == ("park", "N3", ())
    assert (made.up, made.start) == (0.0, 0.0)
    first = made.steps[0]
    assert [(leg.axis, leg.target) for leg in first.legs] == [("z", 24.0)]
    assert (first.deposition, first.bilayer) == (0, 0)


def test_a_bilayer_carries_its_ordinals(flagship: Recipe, dip: Equipment) -> None:
    made = plan(flagship, dip)
    third = [step for step in made.steps if step.bilayer == 3]
    assert [step.deposition for step in third] == [5, 5, 5, 5, 6, 6, 6, 6, 6, 6]
    assert [step.completes for step in third if step.kind == "rinse"] == [0, 0, 5, 0, 0, 6]
    assert [step.exchange for step in third if step.kind == "rinse"] == [(1, 3), (2, 3), (3, 3)] * 2
    looks = [step for step in third if step.kind in ("zero", "measure")]
    assert all(step.detail == {"wavelength_nm": 570.0} for step in looks)
    by_kind = {step.kind: step.cls for step in made.steps}
    assert by_kind == {
        "expose": "extendable", "rinse": "repeatable", "zero": "repeatable",
        "measure": "repeatable", "park": "repeatable",
    }  # fmt: skip


def test_windows_are_those_of_the_recipe(flagship: Recipe, dip: Equipment) -> None:
    made = plan(flagship, dip)
    step = next(step for step in made.steps if step.solution == "BR")
    assert (step.earliest_ns, step.dwell_ns, step.latest_ns) == (
        60 * 10**9,
        600 * 10**9,
        1200 * 10**9,
    )
    rinse = next(step for step in made.steps if step.kind == "rinse")
    assert (rinse.earliest_ns, rinse.dwell_ns) == (54 * 10**9, 60 * 10**9)


def test_planning_the_flagship_is_quick(flagship: Recipe, dip: Equipment) -> None:
    # Against planning ten bilayers: the cost is in proportion, and nothing is quadratic.
    small = flagship.model_copy(update={"procedure": list(flagship.procedure)})
    small.procedure[2] = small.procedure[2].model_copy(update={"repeat": 10})

    def best(recipe: Recipe) -> float:
        times = []
        for _ in range(3):
            began = time.perf_counter()
            plan(recipe, dip)
            times.append(time.perf_counter() - began)
        return min(times)

    assert best(flagship) < 60 * best(small)


# Exchanges


def exchanges(made: Plan, side: str) -> set[int]:
    return {s.exchange[1] for s in made.steps if s.kind == "rinse" and s.vessel.startswith(side)}


def test_rinses_are_added_until_the_carry_over_is_met(flagship: Recipe, dip: Equipment) -> None:
    recipe = read_recipe(FLAGSHIP_TEXT.replace("at_least: 3}", "at_least: 1}"))
    made = plan(recipe, dip)
    assert exchanges(made, "P") == exchanges(made, "N") == {3}
    assert plan(flagship, dip).budget.carry_over_worst == made.budget.carry_over_worst


def test_only_the_side_that_needs_it_rinses_more(dip: Equipment, with_baths: WithBaths) -> None:
    huge = {"volume": 1e9}
    bench = with_baths(dip, N1=huge, N2=huge, N3=huge)
    made = plan(read_recipe(FLAGSHIP_TEXT.replace("at_least: 3}", "at_least: 1}")), bench)
    assert (exchanges(made, "P"), exchanges(made, "N")) == ({3}, {1})


def test_at_most_bounds_the_exchanges(refusals: Refusals, dip: Equipment) -> None:
    recipe = read_recipe(FLAGSHIP_TEXT.replace("at_least: 3}", "at_most: 2}"))
    found = refusals(recipe, dip)
    assert [problem.code for problem in found] == ["plan-carry-over"] * 2
