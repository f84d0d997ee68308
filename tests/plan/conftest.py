"""The dip bench that ships, as the planner sees it, and how recipes are told here."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lbl.errors import CODES, Problem, Refused
from lbl.plan.equipment import Arm, Bath, Dosing, Equipment
from lbl.plan.loader import read_recipe
from lbl.plan.planner import plan
from lbl.plan.recipe import Recipe

EVERY_ROLE = frozenset({"axis", "pump", "photometer", "light", "thermostat", "stirrer", "balance"})
RECIPES = Path(__file__).parents[2] / "recipes"
# name, purpose, side, volume in mL; one station of 36 deg each
STATIONS = (
    ("primer", "primer", "", 60.0),
    ("polycation", "positive", "", 100.0),
    ("P1", "rinse", "positive", 200.0),
    ("P2", "rinse", "positive", 200.0),
    ("P3", "rinse", "positive", 200.0),
    ("polyanion", "negative", "", 60.0),
    ("N1", "rinse", "negative", 200.0),
    ("N2", "rinse", "negative", 200.0),
    ("N3", "rinse", "negative", 200.0),
    ("spare", "any", "", 60.0),
)

MIXED = """\
lbl: 1
name: mixed
version: 1.0.0
substrate: {area: 2 cm^2}
solutions:
  A: {concentration: 1 mg/mL, pH: 6, charge: positive}
  B: {concentration: 1 mg/mL, pH: 6, charge: negative}
  water: {pH: 6, role: rinse}
procedure:
PHASES
"""


def dip_bench() -> Equipment:
    return Equipment(
        name="dip",
        arm=Arm(
            up=0.0,
            down=24.0,
            withdraw=2.0,
            lower=16.0,
            turn=40.0,
            z_accel=50.0,
            x_accel=120.0,
            settle=0.15,
            surface=22.0,
        ),
        baths=tuple(
            Bath(name, purpose, 36.0 * n, volume, side, area=volume / 10.0)  # type: ignore[arg-type]
            for n, (name, purpose, side, volume) in enumerate(STATIONS)
        ),
        simulated=True,
        dosing=Dosing("polyanion", rate=1.0, stock=50.0, step=1.0),
        readout="N3",
        roles=EVERY_ROLE,
        drag_out=0.00296,
        stirrer=600.0,
    )


@pytest.fixture(scope="session")
def dip() -> Equipment:
    return dip_bench()


@pytest.fixture(scope="session")
def flagship() -> Recipe:
    return read_recipe(RECIPES / "bacteriorhodopsin-200.yaml")


@pytest.fixture(scope="session")
def demo_text() -> str:
    return (RECIPES / "demo.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def demo(demo_text: str) -> Recipe:
    return read_recipe(demo_text)


@pytest.fixture(scope="session")
def with_baths() -> Callable[..., Equipment]:
    """A bench whose named baths have other attributes; None takes a bath away."""

    def changed(equipment: Equipment, **baths: dict[str, object] | None) -> Equipment:
        made = []
        for bath in equipment.baths:
            change = baths.get(bath.name, {})
            if change is not None:
                made.append(replace(bath, **change))  # type: ignore[arg-type]
        return replace(equipment, baths=tuple(made))

    return changed


@pytest.fixture(scope="session")
def recipe_of() -> Callable[..., Recipe]:
    """A recipe of two polyions A and B from the lines of its procedure; `extra` is appended.

    A line that is indented belongs to the phase before it.
    """

    def made(phases: str, extra: str = "") -> Recipe:
        lines = "\n".join(
            line if line.startswith(" ") else f"  - {line}" for line in phases.strip().splitlines()
        )
        return read_recipe(MIXED.replace("PHASES", lines) + extra)

    return made


@pytest.fixture(scope="session")
def refusals() -> Callable[[Recipe, Equipment], tuple[Problem, ...]]:
    """The problems for which the planner refuses; the test fails if it does not."""

    def refused(recipe: Recipe, equipment: Equipment) -> tuple[Problem, ...]:
        with pytest.raises(Refused) as raised:
            plan(recipe, equipment)
        assert all(problem.code in CODES for problem in raised.value.problems)
        return raised.value.problems

    return refused
