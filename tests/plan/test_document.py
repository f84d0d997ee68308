"""A plan as a document: exact both ways, one hash for one content, and no repairs."""

import json
from dataclasses import replace
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from lbl.errors import BadInput
from lbl.plan.document import document, from_document, hashed
from lbl.plan.equipment import Equipment
from lbl.plan.loader import read_recipe
from lbl.plan.planner import plan
from lbl.plan.recipe import Recipe


def canonical(data: Any) -> bytes:
    return rfc8785.dumps(data)


def test_a_document_gives_back_the_same_plan(flagship: Recipe, dip: Equipment) -> None:
    made = plan(flagship, dip)
    text = canonical(document(made))
    again = from_document(json.loads(text))
    assert again == made
    assert canonical(document(again)) == text
    assert hashed(again).hash == made.hash
    assert from_document(json.loads(json.dumps(document(made)))) == made


def test_the_same_inputs_give_the_same_bytes(demo_text: str, dip: Equipment) -> None:
    first, second = (canonical(document(plan(read_recipe(demo_text), dip))) for _ in range(2))
    assert first == second


def test_another_input_gives_another_hash(demo: Recipe, demo_text: str, dip: Equipment) -> None:
    made = plan(demo, dip).hash
    others = {
        plan(read_recipe(demo_text, {"dwell": "121 s"}), dip).hash,
        plan(demo, replace(dip, arm=replace(dip.arm, settle=0.2))).hash,
        plan(demo, replace(dip, drag_out=0.004)).hash,
        plan(read_recipe(demo_text.replace("version: 1.0.0", "version: 1.0.1")), dip).hash,
    }
    assert len({made, *others}) == 5


def test_a_step_says_only_what_is_something(demo: Recipe, dip: Equipment) -> None:
    data = json.loads(canonical(document(plan(demo, dip))))
    first, zero = data["steps"][0], next(row for row in data["steps"] if row["kind"] == "zero")
    assert first == {
        "kind": "expose", "cls": "extendable", "vessel": "primer", "solution": "PEI",
        "offset_us": 0, "duration_us": 301970000, "dwell_us": 300000000,
        "earliest_us": 270000000, "latest_us": 3600000000, "transfer": 0, "on_resume": "auto",
    }  # fmt: skip
    assert "transfer" not in zero
    assert zero["detail"] == {"wavelength_nm": 570}
    assert data["transfers"][0] == [
        {"axis": "z", "target": 24, "speed": 16, "duration_us": 1970000}
    ]


@pytest.mark.parametrize("key", ["steps", "budget", "plan_hash", "plan_format", "solutions", "up"])
def test_a_document_that_lacks_something_is_refused(demo: Recipe, dip: Equipment, key: str) -> None:
    data = document(plan(demo, dip))
    del data[key]
    with pytest.raises(BadInput, match="plan-damaged"):
        from_document(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.data())
def test_a_changed_document_is_refused(demo: Recipe, dip: Equipment, data: st.DataObject) -> None:
    whole = json.loads(json.dumps(document(plan(demo, dip))))
    at = whole
    for _ in range(data.draw(st.integers(1, 4))):
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if isinstance(at[key], (dict, list)) and data.draw(st.booleans()):
            at = at[key]
            continue
        before = at[key]
        at[key] = data.draw(JSON)
        if at[key] == before:
            return
        break
    else:
        return
    if isinstance(at, (dict, list)) and whole == json.loads(json.dumps(document(plan(demo, dip)))):
        return
    with pytest.raises(BadInput, match="plan-damaged"):
        from_document(whole)


def test_times_finer_than_a_microsecond_are_refused(demo: Recipe, dip: Equipment) -> None:
    made = plan(demo, dip)
    odd = replace(made.steps[0], offset_ns=1)
    with pytest.raises(ValueError, match="whole number of microseconds"):
        document(replace(made, steps=(odd, *made.steps[1:])))
