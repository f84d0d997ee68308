"""What a plan takes: how it is reckoned, on plans small enough to be followed by hand."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from lbl import app as door
from lbl.errors import BadInput
from lbl.plan.account import Account, account
from lbl.plan.equipment import Equipment
from lbl.plan.schedule import Plan
from lbl.plan.span import clearing, quantile, span


def bound(bench: str = "dip", **sets: str) -> tuple[Plan, Equipment]:
    made = door._bind("demo", bench, sets)
    return made.plan, made.equipment


def one(made: Account, name: str) -> tuple[float, ...]:
    return next(vessel.foreign for vessel in made.liquids.vessels if vessel.name == name)


@pytest.mark.parametrize("bench", ["dip", "flow"])
def test_the_same_plan_gives_the_same_bytes(bench: str) -> None:
    plan, equipment = bound(bench)
    first, again = (json.dumps(account(plan, equipment).as_json()) for _ in range(2))
    assert first == again
    assert plan == bound(bench)[0]  # nobody has changed it


@pytest.mark.parametrize("bench", ["dip", "flow"])
def test_a_longer_film_begins_as_a_shorter_one(bench: str) -> None:
    short, long = (account(*bound(bench, bilayers=count)) for count in ("3", "6"))
    assert short.liquids.bilayers[:2] == long.liquids.bilayers[:2]
    assert short.liquids.carry_over == long.liquids.carry_over[:3]
    for vessel in short.liquids.vessels:
        # the last bilayer ends with the park, which is one dip more
        assert vessel.foreign[:2] == pytest.approx(one(long, vessel.name)[:2])


def test_a_first_rinse_gets_a_drop_a_dip() -> None:
    plan, equipment = bound()
    made = account(plan, replace(equipment, evaporation=0.0, evaporation_lidded=0.0))
    share = equipment.drag_out / 200.0
    # the positive side also rinses the primer, and what it gets goes on with the film
    assert one(made, "N1")[0] == pytest.approx(share, rel=1e-3)
    assert one(made, "P1")[0] == pytest.approx(2 * share, rel=1e-3)
    ends = {vessel.name: vessel.ends for vessel in made.liquids.vessels}
    assert ends["primer"] == pytest.approx(60.0 - equipment.drag_out)
    # what comes out of one bath goes into the next; the film stays in the last
    assert sum(ends.values()) == pytest.approx(1420.0)
    assert ends["N3"] == pytest.approx(200.0 + equipment.drag_out, abs=1e-9)


def test_a_top_up_is_in_the_vessel() -> None:
    plan, equipment = bound(bilayers="60", dwell="20 min")
    added = sum(refill.volume for refill in plan.budget.refills)
    assert added > 0.0
    made = account(plan, replace(equipment, evaporation=0.0, evaporation_lidded=0.0))
    ends = next(vessel.ends for vessel in made.liquids.vessels if vessel.name == "polyanion")
    assert ends == pytest.approx(60.0 + added, abs=1e-3)


def test_light_falls_on_the_film_when_it_is_in_the_light() -> None:
    dip, flow = (account(*bound(bench)) for bench in ("dip", "flow"))
    # the reference of a dip bench is taken without the film
    assert flow.lit == pytest.approx(2 * dip.lit)
    assert dip.dose == pytest.approx(dip.lit * 20e-3)
    plan, equipment = bound()
    unknown = account(plan, replace(equipment, irradiance=0.0))
    assert unknown.dose is None
    assert unknown.as_json()["light"] == {"seconds": dip.lit, "dose": "unknown", "unit": "mJ/cm2"}


def test_a_person_comes_in_the_end_at_least() -> None:
    plan, equipment = bound()
    visits = account(plan, equipment).visits
    assert [(visit.at, visit.why) for visit in visits] == [
        (plan.duration_ns / 1e9, "the film is done")
    ]
    open_baths = tuple(replace(bath, lidded=False, area=2e3) for bath in equipment.baths)
    dried = replace(equipment, baths=open_baths, dosing=None)
    dry = door.make_plan(
        door.read_recipe(door.find("demo", "recipes", "recipe"), {}),
        dried,
    )
    visits = account(dry, dried).visits
    assert len(visits) > 1
    assert list(visits) == sorted(visits, key=lambda visit: visit.at)
    assert visits[0].at == dry.budget.person


def test_the_spread_is_bubbles() -> None:
    plan, equipment = bound("flow")
    none, many = (span(plan, equipment, fills) for fills in (0, 20_000))
    assert none.p50 == none.p95 == none.opening + none.planned
    assert many.bubbles == pytest.approx(40.0)
    assert equipment.cell is not None
    assert many.p50 - none.p50 == pytest.approx(40 * clearing(equipment.cell))
    assert many.p95 > many.p50
    plan, equipment = bound("dip")
    assert span(plan, equipment, 0).p50 == span(plan, equipment, 0).p95


@pytest.mark.parametrize(
    # tables of the Poisson distribution
    ("mean", "share", "count"),
    [(0.0, 0.95, 0), (0.1, 0.5, 0), (0.1, 0.95, 1), (1.0, 0.5, 1), (1.0, 0.95, 3), (10.0, 0.95, 15),
     (99.9, 0.95, 117), (100.1, 0.95, 117)],
)  # fmt: skip
def test_quantiles_of_a_count(mean: float, share: float, count: int) -> None:
    assert quantile(mean, share) == count


@pytest.mark.parametrize("text", ["2026-01-31 09:00", "2026-01-31T09:00+01:00"])
def test_the_finish_is_on_the_wall_clock(text: str) -> None:
    made = door.foresee("demo", "dip", {}, text)
    told = made.as_json()
    assert str(told["start"]).startswith("2026-01-31T09:00:00")
    assert str(told["finish_p50"]).startswith("2026-01-31T09:53:09")
    assert made.at(0.0) > made.start


def test_the_calendar_has_an_end() -> None:
    made = door.foresee("demo", "dip", {}, "9999-12-31 23:59")
    assert str(made.as_json()["finish_p50"]) == "9999-12-31T23:59:59"


def test_now_is_the_start_unless_told() -> None:
    assert door.begin("").tzinfo is not None
    with pytest.raises(BadInput, match="start-time"):
        door.begin("tomorrow")


def test_the_manual_names_every_figure_as_it_is() -> None:
    told = door.foresee("demo", "flow", {}, "2026-01-31 09:00").as_json()
    page = (Path(__file__).parents[2] / "docs" / "plan-a-film.md").read_text("utf-8")
    rows = re.findall(r"^\| (`[^|]+`) \|", page, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert len(named) > 12
    assert set(named) <= told.keys()
