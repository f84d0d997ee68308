"""Tests of the liquids of a bench: filling, feed bottles, pumps, what counts as used."""

import pytest

from sim.cellar import Cellar
from sim.fluid import Solution, VesselSpec
from sim.parameters import settled

BR = Solution("BR", "BR", 1.0, 9.0, -1)
BUFFER = Solution("buffer", "buffer", 0.0, 9.0, 0)
EXACT = {"acc_pump": 0.0, "rep_pump": 0.0, "E_lid": 0.0}


def cellar(given: dict[str, float] = EXACT) -> Cellar:
    specs = [VesselSpec(name, 36.0 * k, 50.0, 20.0, True, 60.0) for k, name in enumerate("ab")]
    one = Cellar(specs, settled(given), given, 1)
    one.fill("a", BR, 50.0, 0)
    one.fill("b", BUFFER, 50.0, 0)
    return one


def test_a_pump_moves_stock_at_full_strength() -> None:
    one = cellar()
    one.bottle("a", 0)
    one.vessels["a"].amounts["BR"] = 40.0
    stroke = one.pump("a", 5.0, 0, 0)
    assert (stroke.went, stroke.short, stroke.over) == (5.0, 0.0, 0.0)
    assert one.vessels["a"].amounts["BR"] == pytest.approx(45.0)
    assert one.bottles["a"].volume == 95.0
    assert one.grams() == pytest.approx(60.0 + 95.0 * 0.9978)
    assert one.solutions(0)["BR"]["c_over_c0"] == pytest.approx(45.0 / 55.0)


def test_a_pump_runs_back_too() -> None:
    one = cellar()
    one.bottle("a", 0)
    assert one.pump("a", -5.0, 0, 0).went == -5.0
    assert (one.vessels["a"].volume, one.bottles["a"].volume) == (45.0, 105.0)


def test_a_pump_errs_as_asked() -> None:
    one = cellar({"acc_pump": 2.0, "rep_pump": 0.1})
    one.bottle("a", 0)
    went = [one.pump("a", 0.1, 0, k).went / 0.1 for k in range(100)]
    assert sum(went) / 100 == pytest.approx(1.02, abs=0.001)
    assert len(set(went)) > 90


def test_an_empty_bottle_gives_what_it_has_and_a_full_vessel_runs_over() -> None:
    one = cellar()
    one.bottle("a", 0)
    one.stock("a", 8.0, 0)
    first, second = one.pump("a", 12.0, 0, 0), one.pump("a", 3.0, 0, 1)
    assert (first.went, first.short) == (8.0, 4.0)
    assert (second.went, second.short) == (0.0, 3.0)
    one.stock("a", 10.0, 0)
    third = one.pump("a", 10.0, 0, 2)
    assert third.over == pytest.approx(8.0)
    assert one.solutions(0)["BR"]["used_ml"] == pytest.approx(8.0)


def test_what_is_replaced_counts_as_used() -> None:
    one = cellar()
    one.fill("b", BUFFER, 50.0, 0)
    assert one.solutions(0) == {
        "BR": {"used_ml": 0.0, "c_over_c0": 1.0},
        "buffer": {"used_ml": 50.0, "c_over_c0": 1.0},
    }


def test_the_truth_behind_a_label() -> None:
    one = cellar({"c_BR": 0.5, "pH_BR": 6.0})
    assert one.vessels["a"].concentration("BR", 0) == 0.5
    assert one.vessels["a"].solution == Solution("BR", "BR", 1.0, 6.0, -1)
    assert one.solutions(0)["BR"]["c_over_c0"] == 0.5


@pytest.mark.parametrize(
    ("name", "solution", "sentence"),
    [
        ("c", BR, "no vessel 'c'; the world has a, b"),
        ("a", Solution("x", "x", 1.0, 7.0, 2), "x: charge must be -1, 0 or 1, got 2"),
        ("a", Solution("y", "BR", 1.0, 7.0, 1), "BR cannot have two charges"),
    ],
)
def test_what_cannot_be_filled_is_refused(name: str, solution: Solution, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        cellar().fill(name, solution, 10.0, 0)


def test_a_bottle_needs_a_label() -> None:
    one = Cellar([VesselSpec("a", 0.0, 50.0, 20.0, True, 60.0)], settled({}), {}, 1)
    one.bottle("a", 0)
    with pytest.raises(ValueError, match="vessel a: fill it before its feed bottle"):
        one.stock("a", 10.0, 0)
    one.fill("a", BR, 50.0, 0)
    assert one.bottles["a"].amounts == {"BR": 100.0}


def test_names_must_differ() -> None:
    spec = VesselSpec("a", 0.0, 50.0, 20.0, True, 60.0)
    with pytest.raises(ValueError, match="same name"):
        Cellar([spec, spec], settled({}), {}, 1)


def test_another_bench_is_not_restored() -> None:
    one = cellar()
    other = Cellar([VesselSpec("z", 0.0, 50.0, 20.0, True, 60.0)], settled({}), {}, 1)
    with pytest.raises(ValueError, match="other vessels"):
        other.load(one.plain(0), 0)
