"""Pictures of plans: every vessel on its axis, on both kinds of bench, with bilayers or without."""

import sys
from pathlib import Path

import pytest

from lbl import app as door
from lbl import picture_plan

START = "2026-01-31 09:00"


@pytest.mark.parametrize(
    ("recipe", "bench"), [("demo", "dip"), ("demo", "flow"), ("rinse-and-park", "dip")]
)
def test_every_vessel_has_its_row(tmp_path: Path, recipe: str, bench: str) -> None:
    made = door.foresee(recipe, bench, {}, START)
    path = tmp_path / "plan.svg"
    assert picture_plan.gantt(made, path) == f"picture: {path}"
    text = path.read_text("utf-8")
    for vessel in made.plan.assignments:
        assert text.count(f"<!-- {vessel} -->") >= 2  # in detail and in the overview
    assert f"<!-- the whole run, beginning {START} -->" in text
    assert ("<!-- bilayer 2" in text) == (made.plan.bilayers > 1)
    assert ("<!-- reading -->" in text) == (made.plan.bilayers > 0)


def test_refills_and_people_are_shown(tmp_path: Path) -> None:
    made = door.foresee("demo", "dip", {"bilayers": "60", "dwell": "20 min"}, START)
    picture_plan.gantt(made, tmp_path / "plan.svg")
    text = (tmp_path / "plan.svg").read_text("utf-8")
    assert "<!-- refill by pump -->" in text
    assert "<!-- a person is needed -->" in text


def test_no_picture_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = door.foresee("demo", "dip", {}, START)
    assert "no picture" in picture_plan.gantt(made, tmp_path / "nowhere" / "plan.png")
    assert "no picture" in picture_plan.gantt(made, tmp_path / "plan.poem")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert "pip install" in picture_plan.gantt(made, tmp_path / "plan.png")
