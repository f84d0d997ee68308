"""What a hold, stop or abort is said to cost, against what it then does cost in the world."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lbl.journal.events import fold, initial
from lbl.journal.folder import RunFolder
from lbl.run.cost import costs
from lbl.run.relaunch import frozen_plan
from lbl.shipped import find

Grow = Callable[..., Any]
SECONDS = {"h": 3600.0, "min": 60.0, "s": 1.0}
# A film of one bilayer: in the primer, in each solution and each rinse, and on the way.
INSTANTS = (60.0, 150.0, 220.0, 300.0, 345.0, 400.0, 470.0, 500.0, 560.0)


def seconds(text: str) -> float:
    """ "3 min 20 s" in seconds."""
    return sum(float(n) * SECONDS[unit] for n, unit in re.findall(r"([\d.]+) (h|min|s)\b", text))


def said(film: Any, at: float) -> dict[str, str]:
    """What somebody would have read at that time."""
    state = initial()
    for event in film.events:
        if event.mono_ns > at * 1e9:
            break
        state = fold(state, event)
    folder = RunFolder.open(film.result.folder)
    try:
        return costs(frozen_plan(folder)[0], state, int(at * 1e9))
    finally:
        folder.close()


@pytest.mark.parametrize("bench", ["dip", "flow"])
@pytest.mark.parametrize("at", INSTANTS)
def test_a_hold_ends_where_and_when_it_was_said(grow: Grow, at: float, bench: str) -> None:
    sets = {"bilayers": "1", "dwell": "60 s"}
    film = grow("demo", sets=sets, at=[(at, "hold"), (at + 900.0, "stop")], bench=bench)
    told = said(film, at - 1.0)["hold"]
    held = next(e for e in film.kinds("state") if e.payload["to"] == "Held").mono_ns / 1e9
    if told.startswith("the transfer"):
        assert any(row["kind"] == "air" and row["start_s"] < at < row["end_s"] + 2.0
                   for row in film.ledger) or bench == "flow"  # fmt: skip
        return
    if told.startswith("stays"):
        assert held - at < 5.0
        return
    match = re.match(r"out of (\S+) into (\S+), ([^;]+);", told)
    assert match is not None, told
    landed = [e for e in film.kinds("transfer-outcome") if at <= e.mono_ns / 1e9 <= held]
    assert landed[-1].payload["vessel"] == match[2]
    assert held - at == pytest.approx(seconds(match[3]), rel=0.05, abs=8.0)


def test_a_stop_has_the_depositions_that_were_said(grow: Grow) -> None:
    film = grow("demo", at=[(700.0, "stop")])
    told = said(film, 699.0)["stop"]
    match = re.search(r"with (\d+) of 4", told)
    assert match is not None, told
    assert film.result.depositions == int(match[1])


def test_an_abort_leaves_it_where_it_was_said(grow: Grow) -> None:
    film = grow("demo", at=[(430.0, "abort")])
    match = re.match(r"stays in (\S+)", said(film, 429.0)["abort"])
    assert match is not None
    (last,) = film.exposures[-1:]
    assert film.states[-1] == "Aborted"
    assert last["vessel"] == match[1] or last["end_s"] < 430.0


def test_nothing_is_left_to_cost_when_it_is_over(grow: Grow) -> None:
    film = grow("demo")
    assert said(film, 1e6) == {}
    assert "nothing has been exposed" in said(film, 3.0)["hold"]


def test_a_hold_that_lasts_too_long_is_a_deviation_once(grow: Grow, tmp_path: Path) -> None:
    text = find("demo", "recipes", "recipe").read_text(encoding="utf-8")
    recipe = tmp_path / "short.yaml"
    recipe.write_text(text.replace("limits:\n", "limits:\n  held: 10 min\n"), encoding="utf-8")
    film = grow(str(recipe), at=[(200.0, "hold"), (4000.0, "unhold")], place="runs")
    assert film.states[-1] == "Complete"
    codes = [e.payload["code"] for e in film.kinds("deviation")]
    assert codes.count("held-long") == 1
    film = grow(str(recipe), at=[(200.0, "hold"), (600.0, "unhold")], place="again")
    assert "held-long" not in [e.payload["code"] for e in film.kinds("deviation")]
