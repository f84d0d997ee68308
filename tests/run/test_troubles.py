"""What goes wrong on the bench: the answer of the ladder, the film wet, the reason in words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lbl.errors import BadInput
from lbl.shipped import find
from sim.faults import Fault

Grow = Callable[..., Any]
SECOND = 1_000_000_000
FOR_EVER = 1_000_000
# The kinds of fault that a single question asked again gets over.
PASSING = ("delay", "drop", "truncate", "corrupt", "duplicate", "unsolicited")
INSTRUMENTS = ("lift", "carousel", "feed", "photodiode", "led", "bath", "balance")


def safe(film: Any) -> None:
    """Nothing collided, and the run ended in a state that people can go on from."""
    assert not [row for row in film.ledger if row["kind"] == "collision"]
    assert film.states[-1] in ("Complete", "Held", "Aborted")


@pytest.mark.parametrize("kind", PASSING)
@pytest.mark.parametrize("instrument", INSTRUMENTS)
@pytest.mark.fault("A10")
def test_one_spoilt_answer_never_spoils_a_film(
    grow: Grow, judge: Callable[..., None], instrument: str, kind: str
) -> None:
    fault = Fault(kind, at_ns=600 * SECOND, argument=0.2 if kind == "delay" else None)
    film = grow(faults={instrument: fault}, speed=0.0)
    safe(film)
    if film.states[-1] == "Complete":
        judge(film, 4, 60.0)
    else:  # a fired command whose answer is lost cannot be asked again: the run says so
        assert instrument in ("lift", "carousel"), film.result.reason
        assert instrument in film.result.reason


@pytest.mark.parametrize("instrument", ["lift", "carousel"])
@pytest.mark.parametrize("second", [600, 607, 611, 620])
@pytest.mark.fault("A10")
def test_an_axis_that_falls_silent_is_a_hold_or_an_abort(
    grow: Grow, instrument: str, second: int
) -> None:
    film = grow(
        faults={instrument: Fault("drop", at_ns=second * SECOND, count=FOR_EVER)}, speed=0.0
    )
    assert film.states[-1] == "Aborted"
    assert instrument in film.result.reason
    safe(film)


@pytest.mark.parametrize("second", [600, 607, 612])
@pytest.mark.fault("A6")
def test_a_stalled_axis_never_dips(grow: Grow, second: int) -> None:
    film = grow(faults={"carousel": Fault("stall", at_ns=second * SECOND)}, speed=0.0)
    safe(film)
    assert film.states[-1] in ("Held", "Aborted")


@pytest.mark.fault("A8")
def test_a_silent_thermostat_holds(grow: Grow) -> None:
    film = grow(faults={"bath": Fault("drop", at_ns=600 * SECOND, count=FOR_EVER)}, speed=0.0)
    assert film.states[-1] == "Held"
    assert "temperature gave no value" in film.result.reason
    safe(film)


def test_a_film_is_not_begun_in_a_warm_bath(grow: Grow, judge: Callable[..., None]) -> None:
    film = grow(world={"T": "35"}, speed=0.0)
    assert film.states[-1] == "Complete"
    judge(film, 4, 60.0)
    assert film.exposures[0]["start_s"] > 150


def test_a_bath_that_never_cools_is_given_up(grow: Grow) -> None:
    film = grow(world={"T": "35", "tau_heat": "7200"}, sets={}, recipe="rinse-and-park", speed=0.0)
    assert film.states[-1] in ("Complete", "Held")
    assert film.states[-1] == "Complete" or "baths stay" in film.result.reason


@pytest.mark.fault("A13")
def test_heat_that_is_lost_in_mid_film_holds_wet(grow: Grow) -> None:
    """The circulator loses power for a second: it comes back stopped, in a warm room."""
    gone = Fault("vanish", at_ns=600 * SECOND, argument=1.0)
    film = grow(
        sets={"bilayers": "40"},
        world={"T": "35", "tau_room": "100"},
        speed=0.0,
        faults={"bath": gone},
    )
    assert film.states[-1] == "Held"
    assert "temperature" in film.result.reason


@pytest.mark.fault("A8")
def test_a_dark_lamp_is_told(grow: Grow) -> None:
    film = grow(world={"led_W": "1e-6", "dark_W": "1e-6"}, speed=0.0)
    assert film.states[-1] == "Complete"
    codes = {event.payload["code"] for event in film.kinds("deviation")}
    assert codes == {"reading-suspect"}


def test_growth_that_strays_is_held(grow: Grow) -> None:
    """A bath that holds a tenth of what its label says grows a thinner film."""
    film = grow(
        "bacteriorhodopsin-200",
        sets={"bilayers": "60"},
        world={"c_BR": "0.1"},
        speed=0.0,
    )
    assert film.states[-1] == "Held"
    assert "bilayer" in film.result.reason
    assert film.result.bilayers < 60


def test_faults_come_from_the_bench_file_too(grow: Grow, tmp_path: Path) -> None:
    dip = Path(find("dip", "sim", "bench")).read_text(encoding="utf-8")
    fault = "simulated: {faults: [{instrument: bath, kind: drop, at: 10 min, count: 1000}]}"
    bench = tmp_path / "ill.yaml"
    bench.write_text(dip.replace("simulated: {}", fault), encoding="utf-8")
    film = grow(bench=str(bench), speed=0.0)
    assert film.states[-1] == "Held"
    assert "temperature gave no value" in film.result.reason


@pytest.mark.parametrize("wrong", ["instrument: bathe, kind: drop", "instrument: bath, kind: rust"])
def test_a_fault_that_cannot_be_is_refused(grow: Grow, tmp_path: Path, wrong: str) -> None:
    dip = Path(find("dip", "sim", "bench")).read_text(encoding="utf-8")
    bench = tmp_path / "ill.yaml"
    bench.write_text(dip.replace("simulated: {}", f"simulated: {{faults: [{{{wrong}}}]}}"))
    with pytest.raises(BadInput, match="bench-fault"):
        grow(bench=str(bench))


@pytest.mark.parametrize("count", [1, 4, 40])
def test_a_slow_photometer_makes_a_film_later_not_worse(
    grow: Grow, judge: Callable[..., None], count: int
) -> None:
    """Answers that come after the next lift was due: the plan moves on with the film."""
    fault = Fault("delay", at_ns=300 * SECOND, count=count, argument=3.0)
    film = grow(faults={"photodiode": fault}, speed=0.0)
    assert film.states[-1] == "Complete", film.result.reason
    judge(film, 4, 60.0)
