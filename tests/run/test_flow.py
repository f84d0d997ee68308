"""Films in a closed cell: grown, held, stopped, killed and resumed, judged by the ledger."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lbl import app as door
from lbl.run import launch as launching
from sim.faults import Fault
from tests.run.test_resume import Cut, cut_at, resume

Grow = Callable[..., Any]

RINSES = 5
SETS = {"bilayers": "2", "dwell": "60 s"}


def judge(film: Any, depositions: int, dwell: float = 60.0) -> None:
    """The world's word: so many depositions, each once, each its dose, each rinsed five times."""
    assert not [row for row in film.ledger if row["kind"] in ("collision", "overflow", "empty")]
    airs = [row for row in film.ledger if row["kind"] == "air"]
    assert all(row["end_s"] - row["start_s"] < 45.0 and not row["dried"] for row in airs)
    done: list[list[Any]] = []  # [solution, seconds, rinses since]
    for row in film.exposures:
        solution, seconds = row["solution"], row["end_s"] - row["start_s"]
        if solution not in ("PDAC", "BR"):
            if done:
                done[-1][2] += 1
        elif done and done[-1][0] == solution:
            done[-1][1] += seconds
            done[-1][2] = 0
        else:
            done.append([solution, seconds, 0])
    assert [name for name, _, _ in done] == ["PDAC", "BR"] * (depositions // 2)
    for name, seconds, rinses in done:
        # Longer by what the solution has lost; the strokes of an exchange take some seconds more.
        assert dwell - 1.0 < seconds < 1.1 * dwell + 20.0, (name, seconds)
        # The last rinse of the film is where it is parked: no row of the ledger ends there.
        assert rinses >= RINSES - (name is done[-1][0]), (name, rinses)


def grown(grow: Grow, **given: Any) -> Any:
    return grow(bench="flow", **given)


def test_a_film_grows_in_a_cell(grow: Grow) -> None:
    film = grown(grow, speed=0.0)
    assert film.states[-2:] == ["Completing", "Complete"], film.result.reason
    assert [e.payload["deposition"] for e in film.kinds("deposition-done")] == [1, 2, 3, 4]
    judge(film, 4)
    assert not film.kinds("deviation")


def test_the_same_seed_gives_the_same_bytes(grow: Grow, tmp_path: Path) -> None:
    for place, seed in (("a", 1), ("b", 1), ("c", 2)):
        grown(grow, speed=0.0, place=place, seed=seed)
    for name in ("journal.jsonl", "ledger.jsonl", "plan.json", "record.json", "world.json"):
        first, again, other = ((tmp_path / at / "film" / name).read_bytes() for at in "abc")
        assert first == again, name
        assert (first != other) == (name not in ("plan.json", "ledger.jsonl")), name


INSTANTS = [30 + 13.7 * step for step in range(108)]


@pytest.mark.parametrize("second", INSTANTS[::6])
def test_a_hold_at_any_instant_ends_in_rinse_and_the_film_is_whole_after_it(
    grow: Grow, second: float
) -> None:
    film = grown(grow, at=[(second, "hold"), (second + 2500, "unhold")])
    assert film.states[-2:] == ["Completing", "Complete"], film.result.reason
    assert "Held" in film.states
    judge(film, 4)
    held = [row for row in film.exposures if row["end_s"] - row["start_s"] > 1300]
    assert [row["solution"] for row in held] == ["buffer"] or second < 60


@pytest.mark.parametrize("second", [5, 100, 640, 702, 1000])
def test_stop_ends_in_rinse_and_is_final(grow: Grow, second: float) -> None:
    film = grown(grow, at=[(second, "stop")])
    assert film.states[-2:] == ["Stopping", "Stopped"]
    assert film.result.exit_code == 3
    assert film.result.depositions < 4


@pytest.mark.parametrize("second", [100, 641, 644, 646, 648, 702, 1000])
def test_abort_leaves_a_wet_film(grow: Grow, second: float) -> None:
    film = grown(grow, at=[(second, "abort")])
    assert film.states[-2:] == ["Aborting", "Aborted"]
    assert film.result.exit_code == 4
    assert film.kinds("safe-outcome")[-1].payload["result"] == "safe"
    assert not [row for row in film.ledger if row["kind"] == "air" and row["dried"]]


@pytest.mark.parametrize("record", [*range(24, 130)][::5])
@pytest.mark.fault("A1")
def test_killed_at_a_record_nothing_is_lost_or_doubled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record: int
) -> None:
    with monkeypatch.context() as patch:
        cut_at(patch, record)
        prepared = door.prepare(door.Order("demo", "flow", sets=SETS, runs=tmp_path))
        with pytest.raises(Cut):
            launching.launch(prepared.launch, lambda news: None, run="film")
    again = resume(tmp_path / "film")
    assert again.state == "Complete", again.reason
    judge(again, 4)


SECOND = 1_000_000_000
FOR_EVER = 1_000_000
# The kinds of fault that a single question asked again gets over.
PASSING = ("delay", "drop", "truncate", "corrupt", "duplicate", "unsolicited")
INSTRUMENTS = (
    "syringe", "selector", "line", "sensors", "photodiode", "reference", "led", "crystal", "cooler",
)  # fmt: skip


def wet(film: Any) -> bool:
    """Whether no air row says that the film dried."""
    return not [row for row in film.ledger if row["kind"] == "air" and row["dried"]]


@pytest.mark.parametrize("kind", PASSING)
@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_one_spoilt_answer_never_spoils_a_film(grow: Grow, instrument: str, kind: str) -> None:
    fault = Fault(kind, at_ns=640 * SECOND, argument=0.2 if kind == "delay" else None)
    film = grown(grow, faults={instrument: fault}, speed=0.0)
    assert wet(film)
    if film.states[-1] == "Complete":
        judge(film, 4)
    else:  # a fired command whose answer is lost cannot be asked again: the run says so
        assert instrument == "syringe" and instrument in film.result.reason, film.result.reason
        assert film.states[-1] in ("Held", "Aborted")


@pytest.mark.parametrize("instrument", ["syringe", "selector"])
@pytest.mark.parametrize("second", [640, 645, 648, 652, 700])
@pytest.mark.fault("A10")
def test_one_that_falls_silent_ends_the_run_in_words(
    grow: Grow, instrument: str, second: int
) -> None:
    fault = Fault("drop", at_ns=second * SECOND, count=FOR_EVER)
    film = grown(grow, faults={instrument: fault}, speed=0.0)
    assert film.states[-1] in ("Held", "Aborted")
    assert instrument in film.result.reason


@pytest.mark.parametrize("second", [646, 649, 700])
@pytest.mark.fault("A6")
def test_a_plunger_that_stalls_is_a_hold_with_the_cell_full(grow: Grow, second: int) -> None:
    fault = Fault("stall", at_ns=second * SECOND, argument=0.5)
    film = grown(grow, faults={"syringe": fault}, speed=0.0)
    assert film.states[-1] in ("Held", "Aborted"), film.result.reason
    assert "syringe" in film.result.reason or "pump" in film.result.reason


@pytest.mark.fault("A6")
def test_a_selector_that_sticks_once_is_told_again(grow: Grow) -> None:
    # Of a thousand turns one sticks; with this seed it is the thirty-first.
    film = grown(grow, world={"p_valve": "1e-3"}, sets={"bilayers": "8"}, seed=10, speed=0.0)
    stuck = [e for e in film.kinds("deviation") if e.payload["code"] == "position-wrong"]
    assert film.states[-1] == "Complete" and stuck
    assert "selector" in stuck[0].payload["sentence"]
