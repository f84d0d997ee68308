"""The engine on the simulated bench: states, holds at any instant, stop, abort, the same bytes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lbl.shipped import find

Grow = Callable[..., Any]

MORNING = ["Clearing", "Stopped", "Resetting", "Idle", "Starting", "Execute"]


def test_a_film_goes_through_the_states_and_counts_each_deposition_once(
    grow: Grow, judge: Callable[..., None]
) -> None:
    film = grow(speed=0.0)
    assert film.states == [*MORNING, "Completing", "Complete"]
    assert film.result.exit_code == 0
    assert [e.payload["deposition"] for e in film.kinds("deposition-done")] == [1, 2, 3, 4]
    judge(film, 4, 60.0)


def test_the_same_seed_gives_the_same_bytes(grow: Grow, tmp_path: Path) -> None:
    for place, seed in (("a", 1), ("b", 1), ("c", 2)):
        grow(speed=0.0, place=place, seed=seed)
    for name in ("journal.jsonl", "ledger.jsonl", "plan.json", "record.json", "world.json"):
        first, again, other = ((tmp_path / at / "film" / name).read_bytes() for at in "abc")
        assert first == again, name
        assert (first != other) == (name not in ("plan.json", "ledger.jsonl")), name


INSTANTS = [40 + 7.3 * step for step in range(140)]


@pytest.mark.parametrize("second", INSTANTS[::7])
def test_a_hold_at_any_instant_ends_wet_and_the_film_is_whole_after_it(
    grow: Grow, judge: Callable[..., None], second: float
) -> None:
    film = grow(at=[(second, "hold"), (second + 2000, "unhold")])
    assert film.states[-2:] == ["Completing", "Complete"], film.result.reason
    assert "Held" in film.states
    judge(film, 4, 60.0)
    held = [row for row in film.exposures if row["end_s"] - row["start_s"] > 1000]
    assert [row["solution"] for row in held] == ["buffer"] or second < 60


def test_held_in_virtual_time_leaves_with_the_run_resumable(grow: Grow) -> None:
    film = grow(at=[(400, "hold")], speed=0.0)
    assert film.states[-1] == "Held"
    assert film.result.exit_code == 3


@pytest.mark.parametrize("second", [5, 100, 300, 317, 700])
def test_stop_ends_wet_and_is_final(grow: Grow, second: float) -> None:
    film = grow(at=[(second, "stop")])
    assert film.states[-2:] == ["Stopping", "Stopped"]
    assert film.result.exit_code == 3
    assert film.result.depositions < 4


@pytest.mark.parametrize("second", [100, 303, 309, 317, 700])
def test_abort_is_at_once_and_leaves_the_substrate_in_a_bath(grow: Grow, second: float) -> None:
    film = grow(at=[(second, "abort")])
    assert film.states[-2:] == ["Aborting", "Aborted"]
    assert film.result.exit_code == 4
    assert not [row for row in film.ledger if row["kind"] == "collision"]
    assert film.kinds("safe-outcome")[-1].payload["result"] == "safe"


def test_a_command_the_state_does_not_take_is_refused_in_the_journal(grow: Grow) -> None:
    film = grow(at=[(100, "unhold"), (101, "fly")])
    assert film.states[-1] == "Complete"
    effects = [event.payload["effect"] for event in film.kinds("command-effect")]
    assert len(effects) == 2
    assert all("refused" in effect for effect in effects)


def test_a_stop_while_holding_waits_for_no_second_wish(grow: Grow) -> None:
    film = grow(at=[(400, "hold"), (420, "stop")])
    assert film.states[-1] == "Stopped"


def test_two_holds_of_one_film(grow: Grow, judge: Callable[..., None]) -> None:
    at = [(400, "hold"), (3000, "unhold"), (3070, "hold"), (6000, "unhold")]
    film = grow(at=at)
    assert film.states.count("Held") == 2
    judge(film, 4, 60.0)


def test_intent_comes_before_and_outcome_after_every_act(grow: Grow) -> None:
    film = grow(speed=0.0)
    open_steps: set[int] = set()
    for event in film.events:
        if event.kind == "step-intent":
            open_steps.add(event.step)
        if event.kind in ("step-outcome", "transfer-outcome"):
            assert event.step in open_steps


def test_an_override_stands_in_the_record_of_the_film(grow: Grow, tmp_path: Path) -> None:
    text = Path(find("demo", "recipes", "recipe")).read_text(encoding="utf-8")
    said = "overrides: [{rule: rule-ph-turns, by: Ada Example, reason: both ways are wanted}]\n"
    recipe = tmp_path / "turned.yaml"
    recipe.write_text(text.replace("pH: 9.0", "pH: 7.2") + said, encoding="utf-8")
    film = grow(str(recipe), speed=0.0, place="runs")
    (row,) = [event.payload for event in film.kinds("deviation")]
    assert row["code"] == "override"
    assert row["sentence"] == "rule-ph-turns overridden by Ada Example: both ways are wanted"
    assert film.result.deviations == 1


@pytest.mark.parametrize("bench", ["dip", "flow"])
def test_a_prompt_holds_the_run_until_a_person_has_been(
    grow: Grow, tmp_path: Path, bench: str
) -> None:
    text = Path(find("demo", "recipes", "recipe")).read_text(encoding="utf-8")
    looks = "      - measure: {absorbance: 570 nm}\n"
    assert looks in text
    recipe = tmp_path / "asks.yaml"
    recipe.write_text(text.replace(looks, looks + "      - prompt: {say: look at it, every: 2}\n"))
    waits = (3000, 6000)
    film = grow(str(recipe), sets={"bilayers": "3"}, bench=bench, place="runs",
                at=[(second, "unhold") for second in waits])  # fmt: skip
    assert film.states.count("Held") == 1 and film.states[-1] == "Complete"
    (asked,) = film.kinds("verdict")
    assert (asked.payload["code"], asked.payload["reason"]) == ("prompt", "look at it")
    held = [row for row in film.exposures if row["end_s"] - row["start_s"] > 200]
    assert "buffer" in {row["solution"] for row in held}
    assert [e.payload["deposition"] for e in film.kinds("deposition-done")] == [1, 2, 3, 4, 5, 6]
