"""Rules of the chemistry: what refuses, what warns, where, and who may set one aside."""

from pathlib import Path
from typing import Any

import pytest

from lbl.errors import CODES, Refused
from lbl.plan.document import document, from_document
from lbl.plan.equipment import Equipment
from lbl.plan.loader import read_recipe
from lbl.plan.planner import plan
from lbl.plan.rules import AGED, RULES

OVERRIDE = "overrides: [{{rule: {rule}, by: Ada Example, reason: it is wanted}}]\n"
# rule -> what of the demo becomes what, so that just this rule is broken
BREAKS = {
    "rule-ph-turns": [("pH: 9.0", "pH: 7.2")],
    "rule-heat": [("temperature: 15..30 degC", "temperature: 15..45 degC")],
    "rule-ph-band": [("pH: 9.0", "pH: 8.5")],
    "rule-ph-rinse": [("buffer: {species: 5 mM borate, pH: 9.0", "buffer: {pH: 8.2")],
    "rule-dwell": [("dwell: 2 min", "dwell: 90 s")],
    "rule-rinse-short": [("for: 30 s", "for: 10 s")],
    "rule-warmth": [("temperature: 15..30 degC", "temperature: 10..30 degC")],
    "rule-light": [(", keep: dark", "")],
    "rule-concentration": [("BR:     {species: purple membrane, concentration: 1 mg/mL",
                            "BR:     {species: purple membrane, concentration: 20 mg/mL")],
}  # fmt: skip


def broken(demo_text: str, rule: str) -> str:
    text = demo_text
    for old, new in BREAKS[rule]:
        assert old in text, old
        text = text.replace(old, new)
    return text


def judged(text: str, dip: Equipment) -> list[str]:
    """The codes of rules that speak, refusing or warning."""
    try:
        made = plan(read_recipe(text), dip)
    except Refused as refused:
        return [problem.code for problem in refused.problems]
    return [problem.code for problem in made.warnings]


def test_every_rule_has_its_case_its_code_and_its_source() -> None:
    assert set(BREAKS) == set(RULES)
    for code, rule in RULES.items():
        assert CODES[code] == rule.meaning
        assert rule.source and rule.cure
    assert AGED in CODES


def test_the_shipped_films_break_none(demo: Any, flagship: Any, dip: Equipment) -> None:
    assert plan(demo, dip).warnings == () == plan(flagship, dip).warnings


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_speaks_where_it_is_broken(demo_text: str, dip: Equipment, rule: str) -> None:
    text = broken(demo_text, rule)
    assert set(judged(text, dip)) == {rule}
    recipe = read_recipe(text)
    if RULES[rule].refuses:
        with pytest.raises(Refused) as caught:
            plan(recipe, dip)
        problems = caught.value.problems
    else:
        problems = plan(recipe, dip).warnings
    assert all(problem.place.count(":") >= 2 for problem in problems), "file:line:col"
    assert all(RULES[rule].source in problem.remedy for problem in problems)


@pytest.mark.parametrize("rule", RULES)
def test_a_named_person_may_set_it_aside(demo_text: str, dip: Equipment, rule: str) -> None:
    made = plan(read_recipe(broken(demo_text, rule) + OVERRIDE.format(rule=rule)), dip)
    assert made.warnings == ()
    assert made.overridden == (f"{rule} overridden by Ada Example: it is wanted",)
    assert from_document(document(made)) == made


def test_an_override_that_is_not_needed_changes_nothing(demo_text: str, dip: Equipment) -> None:
    plain = plan(read_recipe(demo_text), dip)
    spoken = plan(read_recipe(demo_text + OVERRIDE.format(rule="rule-heat")), dip)
    assert spoken.overridden == () and spoken.hash == plain.hash


def test_a_rule_that_there_is_not_is_refused(demo_text: str, dip: Equipment) -> None:
    with pytest.raises(Refused, match="did you mean 'rule-heat'") as caught:
        plan(read_recipe(demo_text + OVERRIDE.format(rule="rule-heet")), dip)
    assert [problem.code for problem in caught.value.problems] == ["recipe-override"]


def test_a_film_that_outlives_its_solution_is_warned_of(dip: Equipment) -> None:
    path = Path(__file__).parents[2] / "recipes" / "bacteriorhodopsin-200.yaml"
    (warning,) = plan(read_recipe(path, {"bilayers": "260"}), dip).warnings
    assert warning.code == AGED and "'BR' keeps about 120 h" in warning.sentence
