"""Two recipes or two runs in consequences: every figure with a number or with a reason."""

import json
from pathlib import Path

import pytest

from lbl import app, screen_compare
from lbl.comparison import Comparison, Question, compare
from lbl.errors import BadInput
from lbl.figure import Figure
from lbl.plan.consequences import adsorbed

SETS = {"bilayers": "2"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compared") / "runs"
    for name, sets in (("short", {}), ("long", {"dwell": "4 min", "bilayers": "8"})):
        order = app.Order("demo", sets={**SETS, **sets}, runs=folder, heed=False)
        app.prepare(order).run(lambda news: None, name)
    app.prepare(app.Order("rinse-and-park", runs=folder, heed=False)).run(lambda n: None, "rinsed")
    return folder


def row(made: Comparison, name: str) -> tuple[float | None, float | None]:
    found = next(row for row in made.rows if row.name == name)
    return found.a.value, found.b.value


def test_a_figure_has_a_value_or_a_reason() -> None:
    for value, why in ((None, ""), (1.0, "why")):
        with pytest.raises(ValueError, match="never both, never neither"):
            Figure(value, "s", why)


def test_the_figures_of_recipes_are_those_of_their_plans() -> None:
    made = compare(Question("demo", "demo", sets=SETS, against={"dwell": "4 min"}))
    one, _ = app.look("demo", "dip", SETS)
    two, _ = app.look("demo", "dip", {**SETS, "dwell": "4 min"})
    assert row(made, "duration") == (one.duration_ns / 1e9, two.duration_ns / 1e9)
    assert row(made, "exposure to BR, in all") == (240.0, 480.0)
    assert row(made, "BR to prepare") == (one.budget.volumes["BR"], two.budget.volumes["BR"])
    assert row(made, "carry-over, worst")[0] == one.budget.carry_over_worst
    assert row(made, "air, longest")[0] == one.budget.air_worst
    foreseen = app.foresee("demo", "dip", SETS).account
    assert row(made, "duration, 95 of 100 runs")[0] == foreseen.span.p95
    assert row(made, "light dose")[0] == foreseen.dose
    assert made.changes == (("parameters.dwell", "2 min", "4 min"),)
    assert not made.same


def test_a_recipe_and_itself_do_not_differ() -> None:
    made = compare(Question("demo", "demo"))
    assert made.same
    assert made.as_json()["changes"] == []


def test_a_warning_of_one_side_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    made = compare(Question("demo", "demo", sets=SETS, against={"dwell": "1 min"}))
    assert row(made, "warnings")[0] == 0
    assert made.b.warnings
    screen_compare.compared(made)
    assert f"B alone: {made.b.warnings[0]}" in capsys.readouterr().out
    assert made.as_json()["b"]["warnings"] == list(made.b.warnings)


def test_the_bench_is_a_difference() -> None:
    made = compare(Question("demo", "demo", bench_b="flow", sets=SETS))
    assert ("bench", "dip", "flow") in made.changes
    waste = row(made, "waste")
    assert waste[0] is not None
    assert waste[1] is not None
    assert waste[1] < waste[0]


def test_what_only_one_side_has_is_said_with_its_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = compare(Question("demo", "pdac-pss"))
    missing = [one for one in made.rows if one.a.value is None or one.b.value is None]
    assert {"exposures to BR", "exposures to PSS"} <= {one.name for one in missing}
    assert all(one.difference is None for one in missing)
    expected = next(one for one in made.rows if one.name == "thickness expected")
    assert expected.a.value is not None
    assert "no law of growth is known" in expected.b.why
    screen_compare.compared(made)
    told = capsys.readouterr().out
    assert all(one.name in told.replace("\n", " ") for one in missing if one.a.why or one.b.why)
    assert "unknown" not in told
    for figure in made.as_json()["figures"].values():
        assert (figure["a"] is None) == ("why_a" in figure)
        assert (figure["b"] is None) == ("why_b" in figure)
    json.dumps(made.as_json(), allow_nan=False)


def test_the_figures_of_runs_are_those_of_their_records(runs: Path) -> None:
    made = compare(Question("short", "long", runs=runs))
    records = [json.loads((runs / name / "record.json").read_text()) for name in ("short", "long")]
    totals = [record["totals"] for record in records]
    assert row(made, "duration") == tuple(one["duration_s"] for one in totals)
    assert row(made, "air, longest") == tuple(one["air_worst_s"] for one in totals)
    assert row(made, "thickness (world)")[1] == records[1]["film"]["thickness_nm"]
    assert row(made, "growth measured, a bilayer and side")[0] is None
    assert {at for at, _, _ in made.changes} == {"parameters.bilayers", "parameters.dwell"}


def test_a_run_without_a_deposition_has_reasons_instead(runs: Path) -> None:
    made = compare(Question("short", "rinsed", runs=runs))
    assert row(made, "exposures to BR")[1] is None
    assert all(one.b.why for one in made.rows if one.b.value is None)
    assert row(made, "absorbance measured last, all sides")[1] is None


@pytest.mark.parametrize(("name", "tolerance"), [("short", 0.2), ("long", 0.1)])
def test_the_growth_expected_is_near_that_of_the_world(
    runs: Path, name: str, tolerance: float
) -> None:
    made = compare(Question(name, name, runs=runs))
    expected, _ = row(made, "growth expected, a bilayer and side, planned")
    grown, _ = row(made, "absorbance at 570 nm, a side (world)")
    bilayers, _ = row(made, "bilayers")
    assert expected is not None
    assert grown is not None
    assert bilayers is not None
    assert expected == pytest.approx(grown / bilayers, rel=tolerance)


@pytest.mark.parametrize(("dwell", "coverage"), [(60.0, 0.34), (600.0, 0.87)])
def test_the_law_of_growth_at_two_dwells(dwell: float, coverage: float) -> None:
    assert adsorbed(dwell, 1.0) == pytest.approx(coverage, rel=0.05)


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        (Question("demo", "short"), "diff-kinds", "'demo' is a recipe and 'short' is a run"),
        (Question("short", "long", sets=SETS), "diff-kinds", "nothing can be set"),
        (Question("short", "long", bench_b="flow"), "diff-kinds", "--bench-b"),
        (Question("demi", "demo"), "diff-unknown", "did you mean 'demo'"),
        (Question("demo", "demo", against={"dwel": "1 s"}), "recipe-unknown-parameter", "dwell"),
        (Question("demo", "demo", bench_b="dop"), "bench-unknown", "dop"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    runs: Path, asked: Question, code: str, said: str
) -> None:
    fields = (asked.a, asked.b, asked.bench, asked.bench_b, asked.sets, asked.against, runs)
    with pytest.raises(BadInput) as caught:
        compare(Question(*fields))
    assert caught.value.problems[0].code == code
    assert said in str(caught.value)
