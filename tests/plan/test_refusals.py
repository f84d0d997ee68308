"""Every refusal of the planner: its code, its sentence, its place."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lbl.errors import Problem
from lbl.plan.equipment import Equipment
from lbl.plan.planner import plan
from lbl.plan.recipe import Recipe

WithBaths = Callable[..., Equipment]
RecipeOf = Callable[..., Recipe]
Refusals = Callable[[Recipe, Equipment], tuple[Problem, ...]]


FILM = """
expose: {to: A, for: 2 min}
rinse: {with: water, for: 1 min, at_least: 3}
expose: {to: B, for: 2 min}
rinse: {with: water, for: 1 min, at_least: 3}
park: {in: water}
"""


def test_opposite_charges_without_a_rinse_are_refused(
    recipe_of: RecipeOf, refusals: Refusals, dip: Equipment
) -> None:
    recipe = recipe_of(
        "expose: {to: A, for: 1 min}\nexpose: {to: B, for: 1 min}\npark: {in: water}"
    )
    (found,) = refusals(recipe, dip)
    assert found.code == "plan-carry-over"
    assert "1 of an opposite solution reaches 'B'" in found.sentence
    assert "1e-06" in found.sentence
    assert found.place == "recipe:11:5"


def test_small_rinse_baths_are_refused(
    refusals: Refusals, flagship: Recipe, dip: Equipment, with_baths: WithBaths
) -> None:
    small = {name: {"volume": 5.0} for name in ("P1", "P2", "P3")}
    (found,) = refusals(flagship, with_baths(dip, **small))
    assert found.code == "plan-carry-over"
    assert "'BR'" in found.sentence


def test_a_looser_limit_lets_the_same_plan_through(recipe_of: RecipeOf, dip: Equipment) -> None:
    phases = "expose: {to: A, for: 1 min}\nexpose: {to: B, for: 1 min}\npark: {in: water}"
    assert plan(recipe_of(phases, "limits: {carry_over: 1}\n"), dip).budget.carry_over_worst == 1.0


def test_same_charges_may_follow_each_other(recipe_of: RecipeOf, dip: Equipment) -> None:
    made = plan(
        recipe_of("expose: {to: A, for: 1 min}\nexpose: {to: A, for: 1 min}\npark: {in: water}"),
        dip,
    )
    assert made.steps[1].legs == ()


def test_too_long_in_air_is_refused_once_per_way(
    refusals: Refusals, flagship: Recipe, dip: Equipment
) -> None:
    slow = replace(dip, arm=replace(dip.arm, withdraw=1.5))
    found = refusals(flagship, slow)
    assert {problem.code for problem in found} == {"plan-air-time"}
    assert len(found) == 1
    assert found[0].sentence.startswith("from N3 to polycation the film is 23.2 s in air")
    assert found[0].place.endswith(":34:15")


def test_air_time_exactly_at_the_limit_is_allowed(
    recipe_of: RecipeOf, refusals: Refusals, dip: Equipment
) -> None:
    worst = plan(recipe_of(FILM), dip).budget.air_worst
    near = f"limits: {{air: {{soft: {worst:.12f} s}}}}\n"
    assert plan(recipe_of(FILM, near), dip)
    below = f"limits: {{air: {{soft: {worst * (1 - 1e-6):.12f} s}}}}\n"
    assert refusals(recipe_of(FILM, below), dip)[0].code == "plan-air-time"


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [
        ({"polycation": None, "spare": None}, "no free bath for 'A' (positive)"),
        ({"polyanion": None, "spare": None}, "no free bath for 'B' (negative)"),
        ({"P3": None}, "3 rinse baths with 'water' are needed on the positive side"),
        ({"N1": None, "N2": None}, "needed on the negative side, and the bench has 1"),
    ],
)
def test_a_missing_bath_is_refused(
    recipe_of: RecipeOf,
    refusals: Refusals,
    dip: Equipment,
    with_baths: WithBaths,
    gone: dict[str, None],
    sentence: str,
) -> None:
    bench = replace(with_baths(dip, **gone), dosing=None)
    (found,) = refusals(recipe_of(FILM), bench)
    assert found.code == "plan-no-bath"
    assert sentence in found.sentence
    assert found.place.startswith("recipe:")


def test_a_bath_for_anything_stands_in(
    recipe_of: RecipeOf, dip: Equipment, with_baths: WithBaths
) -> None:
    made = plan(recipe_of(FILM), with_baths(dip, polycation=None))
    assert made.assignments["spare"] == "A"


def test_a_pinned_bath_is_taken_first(
    recipe_of: RecipeOf, dip: Equipment, with_baths: WithBaths
) -> None:
    made = plan(recipe_of(FILM), with_baths(dip, spare={"holds": "B"}, polyanion={"holds": "C"}))
    assert made.assignments["spare"] == "B"
    assert "polyanion" not in made.assignments


def test_one_rinse_bath_for_both_sides_is_refused(
    recipe_of: RecipeOf, refusals: Refusals, dip: Equipment, with_baths: WithBaths
) -> None:
    gone = dict.fromkeys(("P2", "P3", "N1", "N2", "N3"))
    bench = with_baths(dip, P1={"side": ""}, **gone)
    (found,) = refusals(recipe_of(FILM.replace("at_least: 3", "at_least: 1")), bench)
    assert found.code == "plan-shared-rinse"
    assert "P1 would serve both sides" in found.sentence


def test_rinse_baths_without_a_side_are_dealt_to_both(
    recipe_of: RecipeOf, dip: Equipment, with_baths: WithBaths
) -> None:
    free = {name: {"side": ""} for name in ("P1", "P2", "P3", "N1", "N2", "N3")}
    made = plan(recipe_of(FILM), with_baths(dip, **free))
    first, second = (
        {s.vessel for s in made.steps if s.kind == "rinse" and (s.index < 4) is early}
        for early in (True, False)
    )
    assert (len(first), len(second)) == (3, 3)
    assert not first & second


@pytest.mark.parametrize("role", ["photometer", "light"])
def test_a_measurement_needs_its_instruments(
    refusals: Refusals, flagship: Recipe, dip: Equipment, role: str
) -> None:
    (found,) = refusals(flagship, replace(dip, roles=dip.roles - {role}))
    assert found.code == "plan-no-role"
    assert f"needs a {role}" in found.sentence
    assert ":30:" in found.place


def test_dosing_needs_a_pump(refusals: Refusals, flagship: Recipe, dip: Equipment) -> None:
    (found,) = refusals(flagship, replace(dip, roles=dip.roles - {"pump"}))
    assert found.code == "plan-no-role"
    assert "polyanion without a pump" in found.sentence


@pytest.mark.parametrize(
    ("readout", "sentence"), [("", "does not say"), ("P3", "looks through P3")]
)
def test_a_light_path_elsewhere_is_refused(
    refusals: Refusals, flagship: Recipe, dip: Equipment, readout: str, sentence: str
) -> None:
    found = refusals(flagship, replace(dip, readout=readout))
    assert [problem.code for problem in found] == ["plan-readout"]
    assert sentence in found[0].sentence


def test_a_film_that_was_only_in_the_light_path_has_no_reference(
    recipe_of: RecipeOf, refusals: Refusals, dip: Equipment
) -> None:
    phases = "rinse: {with: water, for: 1 min}\nmeasure: {absorbance: 570 nm}\npark: {in: water}"
    (found,) = refusals(recipe_of(phases), dip)
    assert found.code == "plan-readout"
    assert "no reference" in found.sentence


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ("temperature: 4..10 degC", "holds 15..40 degC"),
        ("temperature: 50..60 degC", "asks for 50..60 degC"),
    ],
)
def test_temperatures_out_of_reach_are_refused(
    recipe_of: RecipeOf, refusals: Refusals, dip: Equipment, limit: str, sentence: str
) -> None:
    (found,) = refusals(recipe_of(FILM, f"limits: {{{limit}}}\n"), dip)
    assert found.code == "plan-temperature"
    assert sentence in found.sentence
    assert found.place == "recipe:15:23"


def test_temperature_limits_need_a_thermostat(
    recipe_of: RecipeOf, refusals: Refusals, dip: Equipment
) -> None:
    bench = replace(dip, roles=dip.roles - {"thermostat"})
    recipe = recipe_of(FILM, "limits: {temperature: 15..30 degC}\n")
    assert refusals(recipe, bench)[0].code == "plan-temperature"
    assert plan(recipe_of(FILM), bench)


def test_an_empty_bath_is_refused(
    recipe_of: RecipeOf, refusals: Refusals, dip: Equipment, with_baths: WithBaths
) -> None:
    (found,) = refusals(recipe_of(FILM), with_baths(dip, N2={"volume": 0.0}))
    assert (found.code, "N2" in found.sentence) == ("plan-volume", True)


def test_a_dwell_too_short_for_the_photometer_is_refused(
    recipe_of: RecipeOf, refusals: Refusals, dip: Equipment, with_baths: WithBaths
) -> None:
    # With one rinse bath the reference is read while the film is still in B.
    bench = with_baths(dip, N1=None, N2=None)
    text = FILM.replace("at_least: 3", "at_least: 1").replace(
        "to: B, for: 2 min", "to: B, for: 2 s"
    )
    recipe = recipe_of(
        text.replace("park", "measure: {absorbance: 570 nm}\npark"), "limits: {carry_over: 1}\n"
    )
    (found,) = refusals(recipe, bench)
    assert found.code == "plan-dwell"
    assert "expose must take 7 s for the photometer, and at most 4 s are allowed" in found.sentence
    assert found.place == "recipe:12:26"


def test_another_kind_of_bench_is_refused_with_all_else(
    refusals: Refusals, flagship: Recipe, dip: Equipment
) -> None:
    bench = replace(dip, kind="spray", roles=frozenset({"pump"}), temperature=(0.0, 5.0))
    codes = [problem.code for problem in refusals(flagship, bench)]
    assert codes == ["plan-bench-kind", "plan-temperature", "plan-no-role", "plan-no-role"]


def test_a_temperature_must_lie_inside_the_limits_and_need_a_thermostat(
    recipe_of: Any, dip: Equipment, refusals: Any
) -> None:
    phases = (
        "expose: {to: A, for: 1 min}\nrinse: {with: water, for: 1 min}\n"
        "temperature: {to: 40 degC, over: 1 h}\npark: {in: water}"
    )
    (problem,) = refusals(recipe_of(phases), dip)
    assert problem.code == "plan-temperature" and "40 degC are outside" in problem.sentence
    bare = replace(dip, roles=dip.roles - {"thermostat"})
    codes = [problem.code for problem in refusals(recipe_of(phases), bare)]
    assert codes == ["plan-no-role", "plan-temperature"]
