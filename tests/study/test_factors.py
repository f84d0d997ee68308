"""What a study varies: words become levels, names decide, and everything else is refused."""

import pytest

from lbl.errors import BadInput
from lbl.study.factors import Factor, cells, factor, product

RECIPE = {"bilayers": 5, "dwell": "2 min", "how": "gently", "T": "22 degC"}

LEVELS = {
    "dwell=1min,2min": ("1min", "2min"),
    "dwell = 60s , 2 min": ("60s", "2 min"),
    "bilayers=1..5:5": ("1", "2", "3", "4", "5"),
    "dwell=1..3 min:3": ("1 min", "2 min", "3 min"),
    "dwell=60s..3min:3": ("1 min", "2 min", "3 min"),
    "c_BR=0.1..1:2": ("0.1", "1"),
    "c_BR=0.1..1mg/mL:2": ("0.1 mg/mL", "1 mg/mL"),
    "k_surf=1e-8..1e-6:3:log": ("1e-08", "1e-07", "1e-06"),
    "gravity=0,1": ("0", "1"),
    "how=gently,firmly": ("gently", "firmly"),
}


@pytest.mark.parametrize("text", LEVELS)
def test_lists_and_ranges_become_levels(text: str) -> None:
    assert factor(text, RECIPE, "--vary").levels == LEVELS[text]


REFUSED = {
    "dwell": "study-values",
    "=1,2": "study-values",
    "dwell=": "study-values",
    "dwell=1min,,2min": "study-values",
    "dwell=1min,1min": "study-values",
    "dwell=1min,3": "study-values",
    "dwell=1min..2min": "study-values",
    "dwell=2min..1min:3": "study-values",
    "dwell=1mg/mL..2min:3": "study-values",
    "bilayers=1..5:1": "study-values",
    "bilayers=1..5:99999": "study-values",
    "bilayers=..5:3": "study-values",
    "bilayers=1e999..2:3": "study-values",
    "c_BR=0..1:3:log": "study-values",
    "c_BR=-1..1:3": "world-parameter",
    "gravity=0,99": "world-parameter",
    "gravity=1 mL": "world-parameter",
    "dwel=1min": "study-name",
    "T=20,22": "study-name",
}


@pytest.mark.parametrize("text", REFUSED)
def test_other_words_are_refused_by_name(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        factor(text, RECIPE, "--vary")
    (problem,) = refused.value.problems
    assert problem.code == REFUSED[text]
    assert problem.place == "--vary"


def test_the_name_says_whose_parameter_it_is_and_in_which_unit() -> None:
    assert factor("gravity=0,1", RECIPE, "").world
    assert factor("c_BR=1,2", RECIPE, "") == Factor("c_BR", True, ("1", "2"), "c_BR", "mg/mL")
    dwell = factor("dwell=1min,90s", RECIPE, "")
    assert (dwell.world, dwell.column, dwell.unit) == (False, "dwell_s", "s")
    assert [dwell.cell(level) for level in dwell.levels] == [60.0, 90.0]


def test_recipe_parameters_become_columns_in_base_units() -> None:
    given = {"n": 5, "dwell": "2 min", "c": "500 ug/mL", "share": 0.5, "set": "7", "word": "slow"}
    assert cells(given) == {
        "n": 5,
        "dwell_s": 120.0,
        "c_mg_per_ml": 0.5,
        "share": 0.5,
        "set": 7,
        "word": "slow",
    }


def test_a_parameter_takes_no_column_of_the_table_away() -> None:
    assert cells({"state": "wet", "seed": 3}) == {"set_state": "wet", "set_seed": 3}


def test_the_last_factor_changes_fastest() -> None:
    factors = [factor("dwell=1min,2min", RECIPE, ""), factor("gravity=0,1", RECIPE, "")]
    assert product(factors) == [("1min", "0"), ("1min", "1"), ("2min", "0"), ("2min", "1")]
    assert product([]) == [()]
