"""Plans for a closed cell: exchanges, liquids followed stroke by stroke, dwells, stocks, waste."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbl.plan.circuit import Circuit
from lbl.plan.document import document, from_document
from lbl.plan.equipment import Bath, Cell, Equipment
from lbl.plan.exchange import exchange, priming, refuge
from lbl.plan.planner import plan
from lbl.plan.recipe import Recipe
from lbl.plan.schedule import Legs, Pumping, Step

CELL = Cell(
    volume=0.3, residual=0.05, line=0.0, dead=0.0, feed=0.06, rate=12.0, source=1, inlet=2, waste=9,
    room=20.0, shares="rinse",
)  # fmt: skip
PDAC = Bath("polycation", "positive", 0.0, 10.0, position=2, returned=True)
BR = Bath("polyanion", "negative", 0.0, 10.0, position=3, returned=True)
RINSE = Bath("rinse", "rinse", 0.0, 700.0, position=4)
PEI = Bath("primer", "primer", 0.0, 5.0, position=1, returned=True)
HELD = {"polycation": "PDAC", "polyanion": "BR", "rinse": "buffer"}
NAMES = ["PDAC", "BR", "buffer"]
ROLES = frozenset({"pump", "valve", "photometer", "light", "thermostat"})


@pytest.fixture
def flow() -> Equipment:
    cell = replace(CELL, line=0.005, dead=0.002)
    reservoirs = tuple(replace(one, volume=20.0) if one.returned else one for one in (PDAC, BR))
    return Equipment(
        name="flow", arm=None, kind="flow", cell=cell, baths=(PEI, *reservoirs, RINSE), roles=ROLES,
        temperature=(22.0, 22.0),
    )  # fmt: skip


def circuit(cell: Cell) -> Circuit:
    return Circuit(cell, (PDAC, BR, RINSE), HELD, NAMES)


def pump(made: Circuit, legs: Legs) -> None:
    for leg in legs:
        assert isinstance(leg, Pumping)
        made.pump(leg)


def cycle(made: Circuit, cell: Cell, here: Bath | None, rinses: int) -> None:
    """One bilayer from a cell that holds `here`."""
    for film in (PDAC, BR):
        pump(made, exchange(cell, here, film).legs)
        here = film
        for _ in range(rinses):
            pump(made, exchange(cell, here, RINSE).legs)
            here = RINSE


def test_a_returned_reservoir_weakens_as_published() -> None:
    # 15 uL a cycle into 10 mL: c/c0 = 0.74 after 200 cycles; what goes back is 285 uL, of which
    # 5 % are rinse, which makes 0.752.
    made = circuit(CELL)
    pump(made, exchange(CELL, None, RINSE).legs)
    for _ in range(200):
        cycle(made, CELL, RINSE, 5)
    assert made.left("polyanion", "BR") == pytest.approx(0.74, rel=0.02)
    assert made.left("polycation", "PDAC") == pytest.approx(0.74, rel=0.02)
    assert made.volumes["polyanion"] == pytest.approx(10.0, abs=1e-6)


@pytest.mark.parametrize(("residual", "exchanges"), [(0.01, 3), (0.05, 5), (0.1, 6)])
def test_a_millionfold_takes_as_many_exchanges_as_published(
    residual: float, exchanges: int
) -> None:
    cell = replace(CELL, residual=residual)
    made = circuit(cell)
    pump(made, exchange(cell, None, PDAC).legs)
    here = PDAC
    for number in range(1, exchanges + 1):
        pump(made, exchange(cell, here, RINSE).legs)
        here = RINSE
        assert made.share([0]) == pytest.approx(residual**number, rel=1e-6)
    assert made.share([0]) <= 1e-6 * (1.0 + 1e-6)


PUMPINGS = st.lists(
    st.sampled_from(["pdac", "br", "rinse", "refuge", "prime"]), min_size=1, max_size=40
)


@given(PUMPINGS, st.floats(0.0, 0.02), st.floats(0.0, 0.01), st.floats(0.0, 0.3))
@settings(max_examples=60, deadline=None)
def test_what_leaves_one_place_arrives_at_another(
    acts: list[str], line: float, dead: float, residual: float
) -> None:
    cell = replace(CELL, line=line, dead=dead, residual=residual)
    made = circuit(cell)
    here: Bath | None = None
    spilled = 0.0
    for act in acts:
        before = total(made)
        if act == "prime":
            made.pump(priming(cell, RINSE))
        elif act == "refuge" and here is not None:
            pump(made, refuge(cell, RINSE).legs)
            here = RINSE
        else:
            there = {"pdac": PDAC, "br": BR}.get(act, RINSE)
            pump(made, exchange(cell, here, there).legs)
            here = there
        spilled += before - total(made)
        assert 0.0 <= made.share([0, 1]) <= 1.0 + 1e-9
        assert all(amount >= -1e-12 for amount in made.inside)
    assert spilled <= made.waste + 1e-9  # what is gone went to waste, and nothing was made


def total(made: Circuit) -> float:
    kept = sum(sum(stock) for stock in made.stocks.values())
    return kept + sum(made.inside) + sum(made._line) + sum(made._syringe)


def immersions(made: Any, kind: str) -> list[Step]:
    return [step for step in made.steps if step.kind == kind]


def test_the_flagship_runs_on_it_unchanged(flagship: Recipe, flow: Equipment) -> None:
    made = plan(flagship, flow)
    assert (made.bilayers, made.depositions) == (200, 400)
    assert {step.exchange[1] for step in immersions(made, "rinse")} == {5}
    assert len(immersions(made, "rinse")) == 5 * 401
    assert made.budget.carry_over_worst <= 1e-6
    assert made.budget.air_worst < 20.0
    assert sum(made.budget.volumes.values()) < 1000.0  # a payload of a litre
    assert made.budget.waste < made.budget.volumes["buffer"]
    assert from_document(document(made)) == made


def test_a_dwell_grows_as_its_solution_weakens(flagship: Recipe, flow: Equipment) -> None:
    made = plan(flagship, flow)
    dips = [step for step in immersions(made, "expose") if step.solution == "BR"]
    for step in (dips[0], dips[100], dips[-1]):
        strength = float(str(step.detail["c_over_c0"]))
        assert step.dwell_ns * 1e-9 * strength == pytest.approx(600.0, abs=0.01)
    lengths = [step.dwell_ns for step in dips]
    assert lengths == sorted(lengths) and lengths[-1] > 1.15 * lengths[0]
    assert lengths[-1] <= dips[-1].latest_ns


def test_a_reading_needs_no_other_vessel(flagship: Recipe, flow: Equipment) -> None:
    made = plan(flagship, flow)
    looks = [step for step in made.steps if step.kind in ("zero", "measure")]
    assert len(looks) == 400 and {step.vessel for step in looks} == {"rinse"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"rinse": {"volume": 300.0}}, "plan-volume"),
        ({"polyanion": {"volume": 1.2}}, "plan-dwell"),
        ({"rinse": {"purpose": "any"}}, "plan-no-bath"),
        ({"polyanion": {"purpose": "rinse"}}, "plan-no-bath"),
    ],
)
def test_what_does_not_suffice_is_refused(
    flagship: Recipe, flow: Equipment, with_baths: Any, refusals: Any, change: Any, code: str
) -> None:
    assert code in [one.code for one in refusals(flagship, with_baths(flow, **change))]


def test_waste_needs_room(flagship: Recipe, flow: Equipment, refusals: Any) -> None:
    assert flow.cell is not None
    bench = replace(flow, cell=replace(flow.cell, room=5.0, shares=""))
    (problem,) = refusals(flagship, bench)
    assert problem.code == "plan-waste"


def test_every_exchange_of_a_rinse_is_fresh_liquid(recipe_of: Any, flow: Equipment) -> None:
    phases = "expose: {to: A, for: 1 min}\nrinse: {with: water, for: 1 min, at_least: 2}"
    made = plan(recipe_of(phases + "\npark: {in: water}"), flow)
    rinses = immersions(made, "rinse")
    assert [step.exchange for step in rinses] == [(1, 2), (2, 2)]
    assert all(step.legs for step in rinses)
    assert made.steps[-1].kind == "park" and not made.steps[-1].legs


def test_a_prompt_says_when_a_person_is_needed(
    recipe_of: Any, flow: Equipment, dip: Equipment
) -> None:
    phases = (
        "expose: {to: A, for: 1 min}\nrinse: {with: water, for: 1 min}\n"
        "prompt: {say: change the bottle}\npark: {in: water}"
    )
    for bench in (flow, dip):
        made = plan(recipe_of(phases), bench)
        (asked,) = immersions(made, "prompt")
        assert made.budget.person == asked.offset_ns / 1e9
        assert asked.detail == {"say": "change the bottle"} and not asked.legs
