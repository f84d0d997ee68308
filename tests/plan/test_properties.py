"""What every plan keeps, and that whatever is thrown at the wing is a plan or a sentence."""

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from lbl.errors import CODES, BadInput
from lbl.plan.document import document
from lbl.plan.equipment import Bath, Dosing, Equipment
from lbl.plan.loader import read_recipe
from lbl.plan.planner import plan
from lbl.plan.schedule import Plan, Step
from lbl.plan.timetable import GUARD_NS

IMMERSIONS = ("expose", "rinse", "wait", "park")
SECONDS = st.integers(1, 1500).map(lambda s: f"{s} s")
HEAD: dict[str, Any] = {
    "lbl": 1,
    "name": "any",
    "version": "1.0.0",
    "parameters": {"n": 3, "dwell": "2 min"},
    "substrate": {"area": "2 cm^2"},
    "solutions": {
        "PEI": {"concentration": "1 mg/mL", "pH": 9, "charge": "positive", "role": "primer"},
        "PDAC": {"concentration": "1 mg/mL", "pH": 9, "charge": "positive"},
        "BR": {"concentration": "1 mg/mL", "pH": 9, "charge": "negative"},
        "buffer": {"pH": 9, "role": "rinse"},
        "water": {"pH": 7, "role": "rinse"},
    },
}


@st.composite
def exposes(draw: st.DrawFn, to: st.SearchStrategy[str]) -> dict[str, Any]:
    return {"expose": {"to": draw(to), "for": draw(SECONDS | st.just("$dwell"))}}


@st.composite
def rinses(draw: st.DrawFn, liquid: str = "buffer") -> dict[str, Any]:
    return {"rinse": {"with": liquid, "for": draw(SECONDS), "at_least": draw(st.integers(1, 3))}}


@st.composite
def bilayers(draw: st.DrawFn) -> list[dict[str, Any]]:
    phases = [
        draw(exposes(st.just("PDAC"))), draw(rinses()),
        draw(exposes(st.just("BR"))), draw(rinses()),
    ]  # fmt: skip
    if draw(st.booleans()):
        phases.append({"measure": {"absorbance": "570 nm", "every": draw(st.integers(1, 2))}})
    if draw(st.booleans()):
        phases.append({"wait": {"for": draw(SECONDS)}})
    if draw(st.booleans()):
        phases.insert(2, {"repeat": 2, "steps": [draw(exposes(st.just("PDAC"))), draw(rinses())]})
    return phases


@st.composite
def good_recipes(draw: st.DrawFn) -> dict[str, Any]:
    """Recipes that the language takes; the bench may still refuse them."""
    procedure: list[dict[str, Any]] = []
    if draw(st.booleans()):
        procedure += [draw(exposes(st.just("PEI"))), draw(rinses())]
    block = {
        "repeat": draw(st.integers(1, 4) | st.just("$n")), "as": "bilayer",
        "steps": draw(bilayers()),
    }  # fmt: skip
    nested = {"repeat": 2, "steps": [block, {"wait": {"for": "1 min"}}]}
    procedure += [draw(st.sampled_from([block, nested])), {"park": {"in": "buffer"}}]
    return {**deepcopy(HEAD), "procedure": procedure}


@st.composite
def benches(draw: st.DrawFn, base: Equipment) -> Equipment:
    """The dip bench with other volumes, drag-out and pump."""
    volume = draw(st.sampled_from([50.0, 200.0, 1000.0]))
    baths = tuple(
        replace(bath, volume=volume, area=draw(st.sampled_from([0.0, 20.0]))) for bath in base.baths
    )
    dosing = draw(
        st.none()
        | st.builds(Dosing, st.just("polyanion"), st.just(2.0), st.just(9.0), st.just(0.02))
    )
    drag_out = draw(st.sampled_from([0.001, 0.003, 0.03]))
    return replace(base, baths=baths, dosing=dosing, drag_out=drag_out)


def tried(text: str, equipment: Equipment) -> Plan | None:
    try:
        return plan(read_recipe(text), equipment)
    except BadInput as error:
        assert error.problems
        for problem in error.problems:
            assert problem.code in CODES
            assert "\n" not in str(problem)
            assert len(str(problem)) < 500
        return None


def stays(made: Plan) -> list[Step]:
    return [step for step in made.steps if step.kind in IMMERSIONS]


def check_time(made: Plan) -> None:
    assert [step.index for step in made.steps] == list(range(len(made.steps)))
    offsets = [step.offset_ns for step in made.steps]
    assert offsets == sorted(offsets)
    line = stays(made)
    for before, after in zip(line, line[1:], strict=False):
        assert before.end_ns == after.offset_ns
    assert line[-1].end_ns == made.duration_ns
    for step in line:
        assert step.duration_ns == step.transfer_ns + step.dwell_ns
        assert step.earliest_ns <= step.dwell_ns <= step.latest_ns


def check_motion(made: Plan, equipment: Equipment) -> None:
    up, at = equipment.arm.up, {bath.name: bath.at for bath in equipment.baths}
    z, x = made.up, made.start
    for step in made.steps:
        for leg in step.legs:
            assert leg.axis == "z" or z == up, "sideways while down"
            z, x = (leg.target, x) if leg.axis == "z" else (z, leg.target)
        if step.kind in IMMERSIONS and step.vessel:
            assert (z, x) == (equipment.arm.down, at[step.vessel])
    assert z == equipment.arm.down
    assert made.steps[-1].kind == "park"


def check_depositions(made: Plan) -> None:
    exposed = [s.deposition for s in made.steps if s.kind == "expose" and s.deposition]
    assert exposed == list(range(1, made.depositions + 1))
    done = [step.completes for step in made.steps if step.completes]
    assert done == exposed
    for step in made.steps:
        if step.completes:
            assert step.kind == "rinse"
            assert step.deposition == step.completes
    for step in made.steps:
        if step.deposition and step.kind == "expose":
            assert step.bilayer


def check_inside(made: Plan) -> None:
    stop: Step | None = None
    end = 0
    for step in made.steps:
        if step.kind in IMMERSIONS:
            stop, end = step, step.offset_ns + step.transfer_ns
            continue
        assert stop is not None
        assert step.offset_ns > stop.offset_ns + stop.transfer_ns
        assert step.offset_ns >= end
        end = step.end_ns
        assert end + GUARD_NS <= stop.end_ns
        if step.kind == "measure":
            assert stop.vessel == step.vessel
        else:
            assert stop.vessel != step.vessel


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_every_plan_keeps_the_rules(dip: Equipment, data: st.DataObject) -> None:
    text = json.dumps(data.draw(good_recipes()))
    equipment = data.draw(benches(dip))
    made = tried(text, equipment)
    event("planned" if made else "refused")
    if made is None:
        return
    check_time(made)
    check_motion(made, equipment)
    check_depositions(made)
    check_inside(made)
    assert made.budget.carry_over_worst <= made.limits.carry_over * (1 + 1e-9)
    assert made.budget.air_worst <= made.limits.air_soft * (1 + 1e-9)
    again = tried(text, equipment)
    assert again is not None
    assert (again.hash, document(again)) == (made.hash, document(made))


VALUES = (
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.floats(allow_nan=False)
    | st.sampled_from(["10 min", "1 s", "$n", "$dwell", "$x", "PDAC", "BR", "buffer", "water",
                       "PEI", "bilayer", "redo", "010", "1:30", "570 nm", "{0}", "é\u2028", ""])
    | st.lists(st.integers(0, 3), max_size=2)
    | st.dictionaries(st.sampled_from(["to", "for", "in", "with"]), st.just("1 s"), max_size=2)
)  # fmt: skip
KEYS = st.sampled_from(
    ["to", "for", "with", "in", "at_least", "at_most", "every", "on_resume", "repeat", "steps",
     "as", "expose", "rinse", "measure", "wait", "park", "absorbance", "prime", "solutions"]
)  # fmt: skip


def mutate(draw: st.DrawFn, whole: Any) -> None:
    """Change one place of a structure: replace, remove, rename, double or move."""
    at = whole
    for _ in range(draw(st.integers(0, 6))):
        below = [
            v
            for v in (at.values() if isinstance(at, dict) else at)
            if isinstance(v, (dict, list)) and v
        ]
        if not below:
            break
        at = draw(st.sampled_from(below))
    keys: list[Any] = list(at) if isinstance(at, dict) else list(range(len(at)))
    if not keys:
        return
    key, how = draw(st.sampled_from(keys)), draw(st.integers(0, 4))
    if how == 0:
        at[key] = draw(VALUES)
    elif how == 1:
        del at[key]
    elif how == 2 and isinstance(at, dict):
        at[draw(KEYS)] = at.pop(key)
    elif how == 3 and isinstance(at, dict):
        at[draw(KEYS)] = draw(VALUES)
    elif isinstance(at, list):
        at.insert(draw(st.integers(0, len(at))), deepcopy(at[draw(st.sampled_from(keys))]))


@st.composite
def mutated_recipes(draw: st.DrawFn) -> dict[str, Any]:
    whole = draw(good_recipes())
    for _ in range(draw(st.integers(1, 4))):
        mutate(draw, whole)
    return whole


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_a_mutated_recipe_gives_problems_or_a_sound_plan(
    dip: Equipment, data: st.DataObject
) -> None:
    made = tried(json.dumps(data.draw(mutated_recipes())), dip)
    event("planned" if made else "refused")
    if made is not None:
        check_time(made)
        check_motion(made, dip)
        check_depositions(made)


PURPOSES = st.sampled_from(["primer", "positive", "negative", "rinse", "any"])
BATHS = st.lists(
    st.builds(
        Bath, st.sampled_from("abcdefgh"), PURPOSES, st.integers(0, 9).map(lambda n: 36.0 * n),
        st.sampled_from([0.0, 50.0, 200.0]), st.sampled_from(["", "positive", "negative"]),
        holds=st.sampled_from(["", "", "", "PDAC", "BR", "buffer"]),
    ),
    max_size=8, unique_by=lambda bath: bath.name,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(BATHS, good_recipes())
def test_any_set_of_baths_gives_a_sound_plan_or_a_refusal(
    dip: Equipment, baths: list[Bath], recipe: dict[str, Any]
) -> None:
    equipment = replace(dip, baths=tuple(baths), readout=baths[-1].name if baths else "")
    made = tried(json.dumps(recipe), equipment)
    event("planned" if made else "refused")
    if made is not None:
        check_time(made)
        check_motion(made, equipment)
        sides: dict[str, set[int]] = {}
        charge = 0
        for step in stays(made):
            charge = made.solutions[step.solution].charge or charge if step.solution else charge
            if step.kind == "rinse":
                sides.setdefault(step.vessel, set()).add(charge)
        assert all(len(charges) == 1 for charges in sides.values()), "a rinse serves both sides"
