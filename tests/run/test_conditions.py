"""Conditions that only the growing film can answer, judged by the world's ledger."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lbl.errors import BadInput
from tests.run.test_resume import begin, cut_at, resume

Grow = Callable[..., Any]

RECIPE = """\
lbl: 1
name: ends
version: 1.0.0
parameters: {most: 6, enough: 1.5, waits: 1.0}
substrate: {area: 2 cm^2}
solutions:
  PDAC: {concentration: 1 mg/mL, pH: 9, charge: positive}
  BR: {concentration: 1 mg/mL, pH: 9, charge: negative, keep: dark}
  buffer: {pH: 9, role: rinse}
procedure:
  - repeat: $most
    as: bilayer
    while: absorbance_mOD < enough
    steps:
      - expose: {to: PDAC, for: 60 s, at_least: 50 s}
      - rinse: {with: buffer, for: 30 s, at_least: 3}
      - expose: {to: BR, for: 60 s, at_least: 50 s}
      - rinse: {with: buffer, for: 30 s, at_least: 3}
      - measure: {absorbance: 570 nm}
        when: bilayer % 2 == 0
      - wait: {for: 5 min}
        when: absorbance_mOD > waits
  - park: {in: buffer}
"""
WAITED_S = 300.0


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    path = tmp_path / "ends.yaml"
    path.write_text(RECIPE, encoding="utf-8")
    return str(path)


def made(exposures: list[dict[str, Any]]) -> list[str]:
    """The film solutions in turn; an exposure that a hold has broken counts once."""
    names = [row["solution"] for row in exposures if row["solution"] in ("PDAC", "BR")]
    return [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]


def test_a_film_ends_when_it_is_thick_enough(grow: Grow, recipe: str) -> None:
    film = grow(recipe, sets={}, speed=0.0)
    assert film.states[-1] == "Complete"
    readings = [e.payload["value"] / 2 for e in film.kinds("measurement")
                if e.payload["quantity"] == "absorbance"]  # fmt: skip
    assert readings[-1] >= 1.5 > readings[-2], "it went on until the reading, and no further"
    bilayers = 2 * len(readings)
    assert 2 <= bilayers < 6
    assert film.result.bilayers == bilayers
    assert made(film.exposures) == ["PDAC", "BR"] * bilayers
    assert not film.kinds("deviation")


def test_it_ends_at_the_most_if_nothing_else_ends_it(grow: Grow, recipe: str) -> None:
    film = grow(recipe, sets={"enough": "99.5"}, speed=0.0)
    assert film.result.bilayers == 6


def test_a_wait_that_is_left_out_takes_no_time(grow: Grow, recipe: str) -> None:
    film = grow(recipe, sets={"enough": "99.5"}, speed=0.0)
    asked = [e.payload for e in film.kinds("condition") if "waits" in e.payload["text"]]
    assert asked[0]["values"] == {"absorbance_mOD": None, "waits": 1.0} and asked[0]["holds"]
    rinses = [row for row in film.exposures if row["vessel"] == "N3"]
    for number, row in enumerate(rinses[:-1]):
        stay = row["end_s"] - row["start_s"]
        assert stay == pytest.approx(30.0 + WAITED_S * asked[number]["holds"], abs=20.0)
    shifts = [e.payload["shift_s"] for e in film.kinds("rebase") if "condition" in
              e.payload["reason"]]  # fmt: skip
    assert shifts == [-WAITED_S] * sum(not one["holds"] for one in asked)


def test_it_ends_on_a_flow_bench_too(grow: Grow, recipe: str) -> None:
    film = grow(recipe, sets={"enough": "0.4"}, speed=0.0, bench="flow")
    assert film.states[-1] == "Complete"
    assert film.result.bilayers == 2


@pytest.mark.parametrize(
    ("enough", "record"),  # a film that ends after two of three bilayers, and one that does not
    [
        *(("-9.5", record) for record in range(58, 108, 5)),
        *(("99.5", n) for n in range(58, 132, 5)),
    ],
)
def test_killed_around_a_condition_it_is_the_same_film(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    grow: Grow,
    recipe: str,
    record: int,
    enough: str,
) -> None:
    sets = {"enough": enough, "most": "3", "waits": "-99.5"}  # no answer hangs on noise
    whole = grow(recipe, sets=sets, speed=0.0, place="whole", seed=0)
    with monkeypatch.context() as patch:
        cut_at(patch, record)
        path = begin(tmp_path / "cut", sets, recipe)
    again = resume(path)
    assert again.state == "Complete", again.reason
    assert made(again.exposures) == made(whole.exposures)
    last = again.exposures[-1]["end_s"]
    assert last == pytest.approx(whole.exposures[-1]["end_s"], abs=90.0), "nothing was waited twice"


def test_a_hold_in_a_wait_leaves_the_rest_of_it(grow: Grow, recipe: str) -> None:
    sets = {"most": "1"}
    plain = grow(recipe, sets=sets, speed=0.0, place="plain")
    (wait,) = [e for e in plain.kinds("step-intent") if e.payload["act"] == "wait"]
    began = wait.mono_ns / 1e9
    film = grow(recipe, sets=sets, at=[(began + 200.0, "hold"), (began + 210.0, "unhold")])
    assert film.states.count("Held") == 1
    ended = [e.mono_ns / 1e9 for e in (plain.events[-1], film.events[-1])]
    assert ended[1] - ended[0] == pytest.approx(0.0, abs=20.0), "not the whole wait again"


def test_a_condition_without_answer_holds_the_run(grow: Grow, tmp_path: Path) -> None:
    # At check it is asked as if there were one deviation.
    text = RECIPE.replace("absorbance_mOD > waits", "1 / (deviations - 1) < 9")
    path = tmp_path / "zero.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match="divides by zero"):
        grow(str(path), sets={}, speed=0.0, place="runs")
    path.write_text(text.replace("deviations - 1", "deviations"), encoding="utf-8")
    film = grow(str(path), sets={}, speed=0.0, place="runs")
    assert film.states[-1] == "Held"
    assert "divides by zero" in film.result.reason
    assert all(a["end_s"] <= b["start_s"] for a, b in pairwise(film.exposures))
