"""Conditions: what may be asked, where, and what a plan makes of the answer."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as some

from lbl.errors import BadInput, Problem
from lbl.plan.condition import MAX_TEXT, Unjudged, condition
from lbl.plan.document import document, from_document
from lbl.plan.equipment import Equipment
from lbl.plan.loader import read_recipe
from lbl.plan.planner import plan
from lbl.plan.recipe import Recipe

RecipeOf = Callable[..., Recipe]
Refusals = Callable[[Recipe, Equipment], tuple[Problem, ...]]
BILAYER = """\
    steps:
      - expose: {to: A, for: 2 min}
      - rinse: {with: water, for: 1 min, at_least: 3}
      - expose: {to: B, for: 2 min}
      - rinse: {with: water, for: 1 min, at_least: 3}
"""
PARKED = "park: {in: water}"


def film(repeat: str, more: str = "", after: str = PARKED) -> str:
    """A film whose repetition has one more key, and its rounds one more phase."""
    return f"{repeat}\n    as: bilayer\n{BILAYER}{more}{after}"


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("bilayer % 10 == 0", [10, 20]),
        ("bilayer > 3 && !(bilayer >= 6) || bilayer == n", [2, 4, 5]),
        ("bilayer * 2 - n == 4 ? true : false", [3]),
    ],
)
def test_answers(text: str, holds: list[int]) -> None:
    asked = condition(text, {"n": 2})
    found = [
        number
        for number in range(1, 21)
        if asked.holds({"bilayer": number, "deposition": 0, "repetition": 1, "n": 2})
    ]
    assert found == holds


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("size('a') > 1", "no number"),
        ("[1].exists(x, x > 0)", "more than comparisons"),
        ("dyn(3) > 2", "more than comparisons"),
        ("n.real > 1", "more than comparisons"),
        ("bilayer in [1, 2]", "more than comparisons"),
        ("{1: 2}[1] > 1", "more than comparisons"),
        ("1u < 2u", "no number"),
        ("null == null", "no number"),
        ("bilayer %", "cannot be read"),
        ("bilayer", "neither true nor false"),
        ("bilayer > 1.5", "mixes"),
        ("1 / (n - n) > 1", "divides by zero"),
        ("99999999999999999999 > bilayer", "too large"),
        ("repitition > 1", "neither a parameter nor a count"),
        ("dwell > 1", "no plain number"),
        ("deposition > 1", "also what the run counts"),
        ("(" * 20 + "1" + ")" * 20 + " > 0", "too deeply"),
        ("-" * 20 + "1 > 0", "too deeply"),
        ("true || " * 40 + "true", "1 to 160 characters"),
        ("  ", "1 to 160 characters"),
    ],
)
def test_what_cannot_be_asked(text: str, why: str) -> None:
    with pytest.raises(Unjudged, match=why):
        condition(text, {"n": 2, "dwell": "10 min", "deposition": 1})


def test_a_name_that_is_nearly_right_is_told() -> None:
    with pytest.raises(Unjudged) as raised:
        condition("bilayr > 1", {})
    assert raised.value.remedy == "did you mean 'bilayer'?"


@given(some.text(alphabet="bilayern0159.()!&|=<>+-*/%?: 'x[]{}", max_size=MAX_TEXT + 5))
def test_any_text_is_asked_or_refused(text: str) -> None:
    try:
        asked = condition(text, {"n": 2})
    except Unjudged as why:
        assert str(why)
        return
    try:
        assert asked.holds({"n": 2, "bilayer": 3, "deposition": 1, "repetition": 1}) in (
            True,
            False,
        )
    except Unjudged as why:
        assert "divides by zero" in str(why) or "too large" in str(why)


def test_a_reading_that_nobody_has_taken_says_yes() -> None:
    asked = condition("absorbance_mOD > 100.0", {})
    assert asked.read
    assert asked.holds({})
    assert not asked.holds({"absorbance_mOD": 3.0})


def test_counts_decide_in_the_plan(recipe_of: RecipeOf, dip: Equipment) -> None:
    rinse = "      - rinse: {with: water, for: 9 min}\n        when: bilayer % 3 == 0\n"
    made = plan(recipe_of(film("repeat: 6", rinse)), dip)
    long = [step.bilayer for step in made.steps if step.dwell_ns == 540_000_000_000]
    assert long == [3, 6]
    assert not any(step.ask for step in made.steps)


def test_a_parameter_switches_a_block_off(dip: Equipment, demo_text: str) -> None:
    text = demo_text.replace("parameters:\n", "parameters:\n  aged: 0\n", 1)
    repeat = "  - repeat: $bilayers\n"
    assert text.count(repeat) == 1
    text = text.replace(repeat, repeat + "    when: aged == 0\n")
    assert plan(read_recipe(text), dip).depositions == 10
    assert plan(read_recipe(text, {"aged": "1"}), dip).depositions == 0


def test_while_ends_a_repetition_by_its_counts(recipe_of: RecipeOf, dip: Equipment) -> None:
    made = plan(recipe_of(film("repeat: 9\n    while: bilayer <= 4")), dip)
    assert (made.bilayers, made.depositions) == (4, 8)


def test_what_a_reading_decides_is_in_the_plan(recipe_of: RecipeOf, dip: Equipment) -> None:
    wait = "      - wait: {for: 9 min}\n        when: temperature_degC > 25.0\n"
    recipe = recipe_of(film("repeat: 3\n    while: absorbance_mOD < 2.0", wait))
    made = plan(recipe, dip)
    asks = {step.index: step.ask for step in made.steps if step.ask is not None}
    assert made.depositions == 6
    for index, ask in asks.items():
        target = made.steps[ask.otherwise]
        if ask.text.startswith("absorbance"):
            assert (made.steps[index].kind, target.kind) == ("expose", "park")
            assert ask.bilayer == ask.repetition == made.steps[index].bilayer
        else:
            assert made.steps[index].kind == "wait"
            assert target.offset_ns == made.steps[index].end_ns
    assert sorted(ask.repetition for ask in asks.values()) == [1, 2, 2, 3, 3]
    assert from_document(document(made)) == made


def place_of(found: BadInput) -> tuple[str, str]:
    (problem,) = found.problems
    return problem.code, problem.place


@pytest.mark.parametrize(
    ("procedure", "code", "place"),
    [
        (
            film("repeat: 3", "      - rinse: {with: water, for: 1 min}\n"
                 "        when: deviations > 1\n"),
            "recipe-condition", "recipe:18:15",
        ),
        (film("repeat: 3\n    when: temperature_degC > 1.0"), "recipe-condition", "recipe:11:11"),
        (film("repeat: 3", after=f"{PARKED}\n    when: 1 > 2"), "recipe-condition", "recipe:18:11"),
        (film("repeat: 3\n    while: bilayer > 1 / (bilayer - 3)"), "recipe-condition",
         "recipe:11:12"),
        (film("repeat: 3", after=f"{PARKED}\n    while: 1 > 2"), "recipe-phase-shape",
         "recipe:17:5"),
        ("wait: {for: 1 s}\n    when: n > 1\npark: {in: water}", "recipe-condition",
         "recipe:11:11"),
        (
            film("repeat: 3\n    while: absorbance_mOD < 2.0",
                 after="measure: {absorbance: 570 nm}\n" + PARKED),
            "recipe-order", "recipe:18:5",
        ),
        (
            film("repeat: 3\n    while: absorbance_mOD < 2.0", after=film("repeat: 2")),
            "recipe-order", "recipe:21:9",
        ),
        (film("repeat: 20000\n    while: bilayer > 0"), "recipe-too-long", "recipe:10:3"),
    ],
)  # fmt: skip
def test_refused_at_its_place(recipe_of: RecipeOf, procedure: str, code: str, place: str) -> None:
    with pytest.raises(BadInput) as raised:
        recipe_of(procedure)
    first = raised.value.problems[0]
    assert (first.code, first.place) == (code, place), raised.value


def test_a_round_that_ends_elsewhere_is_refused(
    recipe_of: RecipeOf, dip: Equipment, refusals: Refusals
) -> None:
    """The substrate would be in another bath than the next transfer begins in."""
    inner = (
        "repeat: 2\n    as: bilayer\n    steps:\n"
        "      - expose: {to: A, for: 2 min}\n"
        "      - rinse: {with: water, for: 1 min, at_least: 3}\n"
        "      - repeat: 3\n"
        "        while: absorbance_mOD < 2.0\n"
        "        steps:\n"
        "          - expose: {to: A, for: 2 min}\n"
        "          - rinse: {with: water, for: 1 min, at_least: 3}\n"
        f"{PARKED}"
    )
    with pytest.raises(BadInput) as raised:
        recipe_of(inner)
    assert {problem.code for problem in raised.value.problems} == {"recipe-order"}
    turned = film(
        "repeat: 3\n    while: absorbance_mOD < 2.0",
        "      - expose: {to: A, for: 2 min}\n"
        "      - rinse: {with: water, for: 1 min, at_least: 3}\n"
        "        when: bilayer % 2 == 0\n",
    )
    with pytest.raises(BadInput):
        recipe_of(turned)
    uneven = film(
        "repeat: 3\n    while: absorbance_mOD < 2.0",
        "      - include: more.yaml\n"
        "        when: bilayer % 2 == 0\n"
        "        steps:\n"
        "          - expose: {to: A, for: 2 min}\n"
        "          - rinse: {with: water, for: 1 min, at_least: 3}\n",
    )
    (found, *_) = refusals(recipe_of(uneven), dip)
    assert found.code == "plan-rounds"
