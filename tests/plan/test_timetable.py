"""What is put inside a dwell: references, readings, top-ups; and what prolongs it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lbl.errors import BadInput, Problem
from lbl.plan.equipment import Dosing, Equipment
from lbl.plan.loader import read_recipe
from lbl.plan.planner import plan
from lbl.plan.recipe import Recipe
from lbl.plan.schedule import Plan, Step

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


def test_the_reference_is_read_while_the_film_is_in_the_bath_before(
    recipe_of: RecipeOf, dip: Equipment
) -> None:
    made = plan(recipe_of(FILM.replace("park", "measure: {absorbance: 570 nm}\npark")), dip)
    zero, measure = (next(s for s in made.steps if s.kind == k) for k in ("zero", "measure"))
    before, inside = made.steps[zero.index - 1], made.steps[measure.index - 1]
    assert (before.vessel, inside.vessel, zero.vessel, measure.vessel) == ("N2", "N3", "N3", "N3")
    for look, stop in ((zero, before), (measure, inside)):
        assert stop.offset_ns + stop.transfer_ns < look.offset_ns
        assert look.end_ns + 3 * 10**9 == stop.end_ns


def test_two_measurements_in_one_rinse_share_a_reference(
    recipe_of: RecipeOf, dip: Equipment
) -> None:
    two = "measure: {absorbance: 570 nm}\nmeasure: {absorbance: 550 nm}\npark"
    made = plan(recipe_of(FILM.replace("park", two)), dip)
    assert [s.kind for s in made.steps if s.kind in ("zero", "measure")] == ["zero"] + [
        "measure"
    ] * 2


def test_a_short_rinse_is_lengthened_for_the_photometer(
    recipe_of: RecipeOf, dip: Equipment
) -> None:
    text = FILM.replace("for: 1 min", "for: 2 s").replace(
        "park", "measure: {absorbance: 570 nm}\npark"
    )
    made = plan(recipe_of(text), dip)
    assert [s.dwell_ns / 1e9 for s in made.steps if s.kind == "rinse"] == [2, 2, 2, 2, 7, 7]


def test_a_wait_prolongs_the_stay_and_a_measurement_comes_before_it(
    recipe_of: RecipeOf, dip: Equipment
) -> None:
    phases = "measure: {absorbance: 570 nm}\nwait: {for: 5 min, at_most: 1 h}\npark"
    made = plan(recipe_of(FILM.replace("park", phases)), dip)
    wait = next(step for step in made.steps if step.kind == "wait")
    assert (wait.vessel, wait.legs, wait.dwell_ns, wait.cls) == (
        "N3",
        (),
        300 * 10**9,
        "extendable",
    )
    assert (wait.earliest_ns, wait.latest_ns) == (270 * 10**9, 3600 * 10**9)
    assert made.steps[-1].offset_ns == wait.end_ns


def test_every_and_nested_repetitions(recipe_of: RecipeOf, dip: Equipment) -> None:
    phases = """
repeat: 2
    steps:
      - repeat: 3
        as: bilayer
        steps:
          - expose: {to: A, for: 1 min}
          - rinse: {with: water, for: 1 min, at_least: 3}
          - expose: {to: B, for: 1 min}
          - rinse: {with: water, for: 1 min, at_least: 3}
          - measure: {absorbance: 570 nm, every: 3}
      - wait: {for: 1 min, every: 2}
park: {in: water}"""
    made = plan(recipe_of(phases), dip)
    assert (made.bilayers, made.depositions) == (6, 12)
    assert [step.bilayer for step in made.steps if step.kind == "measure"] == [3, 6]
    assert [step.kind for step in made.steps].count("wait") == 1


def test_rinse_only_recipes_wash_on_the_negative_side(recipe_of: RecipeOf, dip: Equipment) -> None:
    made = plan(recipe_of("rinse: {with: water, for: 1 min, at_least: 2}\npark: {in: water}"), dip)
    assert kinds(made) == ["rinse N2", "rinse N3", "park N3"]
    assert (made.bilayers, made.depositions, made.budget.carry_over_worst) == (0, 0, 0.0)


def test_park_is_the_last_rinse_of_the_own_side(recipe_of: RecipeOf, dip: Equipment) -> None:
    made = plan(recipe_of("expose: {to: A, for: 1 min}\npark: {in: water}"), dip)
    assert kinds(made) == ["expose polycation", "park P3"]
    assert made.steps[-1].latest_ns == 12 * 3600 * 10**9


def test_a_fixed_dwell_is_of_class_once(recipe_of: RecipeOf, dip: Equipment) -> None:
    fixed = "expose: {to: A, for: 1 min, at_least: 1 min, at_most: 1 min}\npark: {in: water}"
    assert plan(recipe_of(fixed), dip).steps[0].cls == "once"


# Top-ups


def doses(made: Plan) -> list[Step]:
    return [step for step in made.steps if step.kind == "dose"]


def test_top_ups_come_when_enough_is_lost_and_the_film_is_elsewhere(
    flagship: Recipe, dip: Equipment
) -> None:
    bench = replace(dip, drag_out=0.05)
    recipe = read_recipe(FLAGSHIP_TEXT.replace("carry_over: 1e-6", "carry_over: 1"))
    made = plan(recipe, bench)
    found = doses(made)
    assert len(found) == 10  # 200 dips of 0.05 mL, and 0.3 mL of evaporation
    assert [step.detail["total"] for step in found] == [float(n) for n in range(1, 11)]
    assert all(
        (s.vessel, s.solution, s.cls, s.on_resume) == ("polyanion", "BR", "once", "hold")
        for s in found
    )
    for step in found:
        stop = next(s for s in reversed(made.steps[: step.index]) if s.kind in ("expose", "rinse"))
        assert stop.vessel != "polyanion"
        assert stop.offset_ns + stop.transfer_ns < step.offset_ns
        assert step.end_ns + 3 * 10**9 <= stop.end_ns
    assert made.budget.volumes["BR"] == 70.0
    assert [refill.by for refill in made.budget.refills] == ["pump"] * 10


def test_a_bottle_that_is_too_small_is_refused(refusals: Refusals, dip: Equipment) -> None:
    recipe = read_recipe(FLAGSHIP_TEXT.replace("carry_over: 1e-6", "carry_over: 1"))
    bench = replace(dip, drag_out=0.05, dosing=Dosing("polyanion", 1.0, 5.0, 1.0))
    (found,) = refusals(recipe, bench)
    assert found.code == "plan-volume"
    assert "needs 10 mL of top-up, and the feed bottle holds 5 mL" in found.sentence


def test_a_bath_that_would_overflow_is_refused(
    refusals: Refusals, dip: Equipment, with_baths: WithBaths
) -> None:
    recipe = read_recipe(FLAGSHIP_TEXT.replace("carry_over: 1e-6", "carry_over: 1"))
    bench = with_baths(replace(dip, drag_out=0.05), polyanion={"capacity": 65.0})
    (found,) = refusals(recipe, bench)
    assert found.code == "plan-volume"
    assert "would hold 69.7 mL, and 65 mL fit" in found.sentence


def test_a_pump_too_slow_for_every_dwell_is_refused(refusals: Refusals, dip: Equipment) -> None:
    recipe = read_recipe(FLAGSHIP_TEXT.replace("carry_over: 1e-6", "carry_over: 1"))
    bench = replace(dip, drag_out=0.05, dosing=Dosing("polyanion", 0.05, 50.0, 1.0))
    (found,) = refusals(recipe, bench)
    assert found.code == "plan-dwell"
    assert "no stop outside polyanion" in found.sentence


def test_open_baths_call_a_person(dip: Equipment, with_baths: WithBaths) -> None:
    recipe = read_recipe(FLAGSHIP_TEXT)
    bench = with_baths(dip, polycation={"lidded": False})
    made = plan(recipe, bench)
    by_hand = [refill for refill in made.budget.refills if refill.by == "person"]
    # 10 cm2 open at 0.1 kg/m2/h lose 0.1 mL an hour; a tenth of 100 mL is gone after 100 h.
    assert by_hand == []
    assert made.budget.person == made.duration_ns / 1e9
    hotter = plan(recipe, replace(bench, evaporation=0.3))
    (first, second) = hotter.budget.refills
    assert (first.vessel, first.solution, first.volume) == ("polycation", "PDAC", 10.0)
    assert first.at == pytest.approx(100 / 3 * HOUR)
    assert second.at == pytest.approx(200 / 3 * HOUR)
    assert hotter.budget.person == first.at
    assert hotter.budget.volumes["PDAC"] == 120.0


def test_every_refusal_is_bad_input(recipe_of: RecipeOf, dip: Equipment) -> None:
    with pytest.raises(BadInput) as raised:
        plan(recipe_of(FILM), replace(dip, baths=()))
    assert raised.value.exit_code == 2
