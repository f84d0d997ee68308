"""Tests of the liquids of a bench: filling, feed bottles, pumps, what counts as used."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def test_a_label_s_ph_drifts_toward_that_of_air() -> None:
    hour = 3_600_000_000_000
    drifts = {}
    for name, lidded, held in (
        ("open", False, 0.0),
        ("buffered", False, 1.0),
        ("lidded", True, 0.0),
    ):
        given = {"buffered": held}
        one = Cellar([VesselSpec("a", 0.0, 50.0, 20.0, lidded, 60.0)], settled(given), given, 1)
        one.fill("a", BR, 50.0, 0)
        drifts[name] = [one.vessels["a"].acidity(k * hour) - 9.0 for k in (0, 1, 1000)]
    assert drifts["open"] == pytest.approx([0.0, -0.1, -3.4], rel=0.02)
    assert drifts["buffered"] == pytest.approx([0.0, -0.01, -3.22], rel=0.02)
    assert drifts["lidded"][1] == pytest.approx(-0.005, rel=0.02)


def test_what_ages_loses_its_fitness_and_a_top_up_makes_younger() -> None:
    day = 86_400_000_000_000
    one = cellar({"acc_pump": 0.0, "rep_pump": 0.0, "E_lid": 0.0, "k_agg": 0.0, "f_agg": 0.0})
    bath = one.vessels["a"]
    assert bath.active("BR", 5 * day) == pytest.approx(0.95, abs=0.005)
    assert bath.active("PDAC", 30 * day) == pytest.approx(0.95, abs=0.005)
    one.bottle("a", 5 * day)
    one.stock("a", 100.0, 5 * day)
    one.pump("a", 10.0, 5 * day, 0)
    assert bath.age_h(5 * day) == pytest.approx(5 * 24.0 * 50.0 / 60.0)
    one.fill("a", BR, 50.0, 6 * day)
    assert bath.age_h(6 * day) == 0.0


def test_the_true_size_of_the_baths_may_be_another() -> None:
    one = cellar({**EXACT, "V_bath": 10.0, "V_rinse": 25.0})
    assert (one.vessels["a"].volume, one.vessels["b"].volume) == (10.0, 25.0)
    assert one.vessels["a"].fall(0) == 0.0
    one.vessels["a"].take(1.0)
    # the shape stays: a tenth of the liquid is a tenth of the depth, 25 mm
    assert one.vessels["a"].fall(0) == pytest.approx(2.5)
    one.fill("a", BR, 50.0, 0)
    assert one.vessels["a"].volume == 10.0


@settings(deadline=None, derandomize=True, database=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["wait", "leak", "take", "add"]), st.floats(0.0, 30.0)),
        max_size=10,
    )
)
def test_no_membrane_is_lost_or_made(acts: list[tuple[str, float]]) -> None:
    """In the bath, on its bottom, run out by the leak and taken: together always the same."""
    given_ = {"f_agg": 0.1, "k_agg": 0.05, "d_agg": 10.0}
    one = Cellar([VesselSpec("a", 0.0, 50.0, 20.0, False, 1e4)], settled(given_), given_, 1)
    one.fill("a", BR, 50.0, 0)
    bath, now_ns, gone = one.vessels["a"], 0, 0.0
    for what, number in acts:
        if what == "wait":
            now_ns += int(number * 3.6e12)
            kept, before = bath.volume, bath.amounts["BR"] + bath.sediment
            bath.settle(now_ns)
            lost = before - bath.amounts["BR"] - bath.sediment
            if bath.leak == 0.0:
                assert lost == pytest.approx(0.0, abs=1e-9)
            assert bath.volume <= kept
            gone += lost
        elif what == "leak":
            bath.leak = number
        elif what == "take":
            gone += bath.take(number)["BR"]
        else:
            bath.add(number, {})
        assert bath.amounts["BR"] + bath.sediment + gone == pytest.approx(50.0, rel=1e-9)
        assert 0.0 <= bath.lumped <= 1.0
