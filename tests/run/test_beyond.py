"""Recipes that are no films of membrane, on either bench; temperatures that follow, or do not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lbl.journal.samples import read_samples
from lbl.shipped import find

Grow = Callable[..., Any]


def warmth(path: Path) -> list[float]:
    """The temperatures that the run sampled, oldest first."""
    return [value for _, value in read_samples(path, "temperature")]


@pytest.mark.parametrize("bench", ["dip", "flow"])
@pytest.mark.parametrize(
    ("recipe", "last"), [("lysozyme-ramp", 18.0), ("culture-medium", 36.0), ("quarter-wave", 22.0)]
)
def test_it_runs_to_its_end(grow: Grow, recipe: str, last: float, bench: str) -> None:
    film = grow(recipe, sets={}, speed=0.0, bench=bench)
    assert film.states[-1] == "Complete", film.result.reason
    assert not film.kinds("deviation")
    assert warmth(film.result.folder)[-1] == pytest.approx(last, abs=0.2)


def test_a_fall_of_temperature_is_even(grow: Grow) -> None:
    film = grow("lysozyme-ramp", sets={"fall": "24 h"}, speed=0.0)
    found = warmth(film.result.folder)
    steps = [after - before for before, after in zip(found, found[1:], strict=False)]
    assert min(steps) > -0.1, "nowhere faster than a tenth of a kelvin in half a minute"


def test_liquids_that_do_not_follow_hold_the_run(grow: Grow, tmp_path: Path) -> None:
    text = Path(find("culture-medium", "recipes", "recipe")).read_text(encoding="utf-8")
    recipe = tmp_path / "hasty.yaml"
    recipe.write_text(text.replace("over: 2 h", "over: 5 min"), encoding="utf-8")
    film = grow(str(recipe), sets={}, speed=0.0, place="runs")
    assert film.states[-1] == "Held"
    assert "36 were due" in film.result.reason
