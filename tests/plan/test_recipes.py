"""The recipes that ship: right, planned on the dip bench, named like their files, explained."""

import re
from pathlib import Path

import pytest

import recipes
from lbl.plan import recipe as language
from lbl.plan.condition import COUNTS, READINGS
from lbl.plan.equipment import Equipment
from lbl.plan.loader import read_recipe
from lbl.plan.planner import plan

FOLDER = Path(recipes.__file__).parent
SHIPPED = sorted(FOLDER.glob("*.yaml"))


def test_the_package_is_ours() -> None:
    assert recipes.OWNER == "lbl"
    assert recipes.__doc__
    assert [path.stem for path in SHIPPED] == [
        "bacteriorhodopsin-200", "culture-medium", "demo", "lysozyme-ramp", "pdac-pss",
        "quarter-wave", "rinse-and-park",
    ]  # fmt: skip


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_recipe_is_named_like_its_file_and_can_be_planned(
    path: Path, dip: Equipment
) -> None:
    made = read_recipe(path)
    assert made.name == path.stem
    assert made.description
    assert plan(made, dip).duration_ns > 0


@pytest.mark.parametrize(
    ("name", "bilayers", "depositions"),
    [
        ("demo", 5, 10),
        ("pdac-pss", 10, 20),
        ("rinse-and-park", 0, 0),
        ("quarter-wave", 12, 24),
        ("lysozyme-ramp", 0, 0),
        ("culture-medium", 0, 0),
    ],  # fmt: skip
)
def test_what_they_make(dip: Equipment, name: str, bilayers: int, depositions: int) -> None:
    made = plan(read_recipe(FOLDER / f"{name}.yaml"), dip)
    assert (made.bilayers, made.depositions) == (bilayers, depositions)


def test_a_shorter_dwell_can_be_set() -> None:
    assert read_recipe(FOLDER / "bacteriorhodopsin-200.yaml", {"dwell": "60s", "bilayers": "3"})


def test_the_page_names_every_phase_and_option() -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    words = set(re.findall(r"`([a-z_]+)", page))
    phases = (
        language.Expose, language.Rinse, language.Measure, language.Wait, language.Temperature,
        language.Stir, language.Refill, language.Prime, language.Prompt, language.Park,
    )  # fmt: skip
    rest = (
        language.Phase, language.Solution, language.Substrate, language.Override, language.Recipe,
    )  # fmt: skip
    assert all(name in page for name in (*COUNTS, *READINGS))
    for model in (*phases, *rest):
        for name, info in model.model_fields.items():
            key = info.alias or name
            assert key in words or f"{key}" in page, f"{model.__name__}.{key}"
