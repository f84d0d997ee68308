"""Tests of the film: layers begin, block, overgrow, strip and show what was left out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.film import Film, Liquid
from sim.kinetics import Law
from sim.parameters import settled

# The same examples at every run, and no stop-watch: machines are shared.
REPEATABLE = settings(deadline=None, derandomize=True, database=None)
VALUES = settled({"sig_layer": 0.0})
LAW = Law.of(VALUES)
PDAC = Liquid("PDAC", 1, 1.0, 9.0, True)
BR = Liquid("BR", -1, 1.0, 9.0, True)
PSS = Liquid("PSS", -1, 1.0, 9.0, True)
RINSE = Liquid()


def expose(film: Film, liquid: Liquid, seconds: float = 600.0) -> float:
    """Dip and rinse; return what was stripped."""
    stripped = film.meet(liquid, LAW, 1)
    film.dips += liquid.species == "BR"
    film.grow(liquid, seconds, 1.0, LAW)
    film.meet(RINSE, LAW, 1)
    film.grow(RINSE, 180.0, 1.0, LAW)
    return stripped


def grown(*liquids: Liquid) -> Film:
    film = Film()
    for liquid in liquids:
        expose(film, liquid)
    return film


def test_bare_glass_takes_no_protein() -> None:
    assert grown(BR).patches(LAW) == 0.0


def test_one_bilayer_is_what_the_papers_say() -> None:
    film = grown(PDAC, BR)
    report = film.report(LAW, VALUES)
    assert film.patches(LAW) == pytest.approx(0.89, abs=0.01)
    assert report["thickness_nm"] == pytest.approx(5.5 * 0.9, rel=0.02)
    assert report["a570_per_side"] == pytest.approx(1.07e-3, rel=0.02)
    assert report["qcm_hz"] == pytest.approx(-30.0, rel=0.05)
    assert report["lateral_cv"] == pytest.approx(0.20)


def test_the_film_reverses_its_charge() -> None:
    assert grown().positive(LAW) == 0.0
    assert grown(PDAC).positive(LAW) > 0.99
    assert grown(PDAC, BR).positive(LAW) < 0.1
    assert grown(PDAC, BR, PDAC).positive(LAW) > 0.99


def test_a_missing_polycation_costs_a_layer() -> None:
    film, without = grown(PDAC, BR, PDAC, BR), grown(PDAC, BR, BR)
    assert film.patches(LAW) - without.patches(LAW) > 0.75


def test_a_missing_protein_costs_a_layer() -> None:
    film, without = grown(PDAC, BR, PDAC, BR), grown(PDAC, BR, PDAC, PDAC)
    assert film.patches(LAW) - without.patches(LAW) > 0.85


def test_the_same_dip_twice_is_nearly_benign() -> None:
    once, twice = grown(PDAC, BR), grown(PDAC, BR, BR)
    assert 0.02 < twice.patches(LAW) - once.patches(LAW) < 0.09
    assert grown(PDAC, PDAC).chain(LAW) == pytest.approx(grown(PDAC).chain(LAW), rel=0.01)


def test_a_doubled_bilayer_shows_whole() -> None:
    film, doubled = grown(PDAC, BR), grown(PDAC, BR, PDAC, BR)
    assert doubled.patches(LAW) == pytest.approx(2.0 * film.patches(LAW), rel=0.02)


def test_a_short_polycation_dip_leaves_fewer_sites() -> None:
    film, short = grown(PDAC, BR, PDAC, BR), grown(PDAC, BR)
    expose(short, PDAC, 10.0)
    expose(short, BR)
    loss = film.patches(LAW) - short.patches(LAW)
    assert 0.1 < loss < 0.5


def test_loose_patches_rinse_off_and_the_polycation_strips_half() -> None:
    film = grown(PDAC)
    film.meet(BR, LAW, 1)
    film.grow(BR, 600.0, 1.0, LAW)
    fresh = film.loose
    assert fresh == pytest.approx(0.095, rel=0.01)
    film.grow(RINSE, 60.0, 1.0, LAW)
    assert film.loose == pytest.approx(fresh / 2.718281828, rel=1e-6)
    left, before = film.loose, film.patches(LAW)
    assert film.meet(PDAC, LAW, 1) == pytest.approx(0.5 * left)
    assert film.patches(LAW) == pytest.approx(before - 0.5 * left)


@REPEATABLE
@given(st.lists(st.floats(0.0, 2000.0), min_size=1, max_size=6), st.sampled_from([PDAC, BR, PSS]))
def test_a_dip_may_be_cut_anywhere(parts: list[float], liquid: Liquid) -> None:
    whole, cut = grown(PDAC, BR, PDAC), grown(PDAC, BR, PDAC)
    whole.meet(liquid, LAW, 1)
    cut.meet(liquid, LAW, 1)
    whole.grow(liquid, sum(parts), 1.0, LAW)
    for part in parts:
        cut.grow(liquid, part, 1.0, LAW)
    assert cut.plain()[1:] == pytest.approx(whole.plain()[1:], rel=1e-9, abs=1e-9)


def test_drying_costs_the_next_layer_and_scatters_for_good() -> None:
    film, dried = grown(PDAC, BR, PDAC), grown(PDAC, BR, PDAC)
    dried.dry(LAW)
    expose(film, BR)
    expose(dried, BR)
    gain = film.bound(LAW)
    assert dried.bound(LAW) == pytest.approx(0.7 * gain, rel=0.01)
    for one in (film, dried):
        expose(one, PDAC)
        expose(one, BR)
    assert dried.bound(LAW) == pytest.approx(film.bound(LAW), rel=0.08)
    ours, theirs = dried.report(LAW, VALUES), film.report(LAW, VALUES)
    assert ours["a700_to_a570"] == pytest.approx(theirs["a700_to_a570"] + 0.05)
    assert ours["lateral_cv"] > theirs["lateral_cv"]


def test_a_dragged_complex_makes_the_film_uneven() -> None:
    film, fouled = grown(PDAC, BR), grown(PDAC, BR)
    fouled.foul(7.0)
    clean = film.report(LAW, VALUES)
    assert fouled.report(LAW, VALUES)["lateral_cv"] > 2.0 * clean["lateral_cv"]


def test_layers_scatter_as_asked() -> None:
    law = Law.of(settled({"sig_layer": 10.0}))
    scatters = []
    film = Film()
    for _ in range(200):
        for liquid in (PDAC, BR):
            film.meet(liquid, law, 3)
            scatters.append(film.scatter)
            film.grow(liquid, 600.0, 1.0, law)
    mean = sum(scatters) / len(scatters)
    spread = (sum((one - mean) ** 2 for one in scatters) / len(scatters)) ** 0.5
    assert mean == pytest.approx(1.0, abs=0.02)
    assert spread == pytest.approx(0.1, rel=0.1)


def test_two_polyelectrolytes_make_a_film_too() -> None:
    film = grown(*[PDAC, PSS] * 10)
    report = film.report(LAW, VALUES)
    assert report["a570_per_side"] == 0.0
    assert report["thickness_nm"] == pytest.approx(10.0, rel=0.05)
    assert report["coverage_per_dip"] == pytest.approx(1.0, abs=0.02)
    assert report["lateral_cv"] == pytest.approx(0.2 / 10**0.5, rel=0.02)


def test_traces_start_nothing() -> None:
    film = grown(PDAC, BR)
    before = film.plain()
    assert film.meet(Liquid("PDAC", 1, 1e-8, 9.0, False), LAW, 1) == 0.0
    assert film.plain() == before


def test_orientation_follows_the_ph_and_absorbance_does_not() -> None:
    low, high = Film(), grown(PDAC, BR)
    for liquid in (PDAC, Liquid("BR", -1, 1.0, 6.0, True)):
        expose(low, liquid)
    acid, basic = low.report(LAW, VALUES), high.report(LAW, VALUES)
    assert acid["orientation"] < -0.9 < 0.9 < basic["orientation"]
    assert acid["a570_per_side"] == basic["a570_per_side"]


def test_a_bare_substrate_reports_zeros() -> None:
    report = Film().report(LAW, VALUES)
    assert report.pop("a700_to_a570") == 0.02
    assert report.pop("active_share") == 1.0
    assert set(report.values()) == {0.0}


def test_a_copy_is_independent() -> None:
    film = grown(PDAC)
    twin = film.copy()
    expose(twin, BR)
    assert film.plain() != twin.plain()
    assert film.plain() == grown(PDAC).plain()


def test_a_bubble_keeps_its_footprint_free_of_the_rest_of_the_layer() -> None:
    film, masked = grown(PDAC), grown(PDAC)
    for one in (film, masked):
        one.meet(BR, LAW, 1)
        one.grow(BR, 100.0, 1.0, LAW)
    before = masked.patches(LAW)
    masked.mask(0.25, LAW)
    assert masked.patches(LAW) == pytest.approx(before)
    for one in (film, masked):
        one.grow(BR, 500.0, 1.0, LAW)
    open_gain = film.bound(LAW) - before + film.loose
    assert masked.patches(LAW) < film.patches(LAW) - 0.2 * (film.bound(LAW) - before)
    assert masked.patches(LAW) > before + 0.7 * open_gain
    ours, theirs = masked.report(LAW, VALUES), film.report(LAW, VALUES)
    assert ours["lateral_cv"] > theirs["lateral_cv"]
    whole = grown(PDAC)
    whole.meet(BR, LAW, 1)
    whole.mask(1.0, LAW)
    whole.grow(BR, 600.0, 1.0, LAW)
    assert whole.bound(LAW) == 0.0


def test_a_masked_polycation_leaves_fewer_sites() -> None:
    film, masked = Film(), Film()
    for one in (film, masked):
        one.meet(PDAC, LAW, 1)
    masked.mask(0.5, LAW)
    for one in (film, masked):
        one.grow(PDAC, 600.0, 1.0, LAW)
        expose(one, BR)
    assert 0.4 * film.patches(LAW) < masked.patches(LAW) < 0.9 * film.patches(LAW)


def test_heat_takes_colour_and_voltage_and_leaves_the_mass() -> None:
    film, cooked = grown(PDAC, BR, PDAC, BR), grown(PDAC, BR, PDAC, BR)
    cooked.grow(RINSE, 100.0, 1.0, LAW, harm=0.5)
    film.grow(RINSE, 100.0, 1.0, LAW)
    ours, theirs = cooked.report(LAW, VALUES), film.report(LAW, VALUES)
    left = pytest.approx(2.718281828**-0.5, rel=1e-6)
    assert ours["active_share"] == left
    assert ours["a570_per_side"] / theirs["a570_per_side"] == left
    assert ours["photovoltage_mV"] / theirs["photovoltage_mV"] == left
    assert (ours["mass_ng_cm2"], ours["a280"]) == (theirs["mass_ng_cm2"], theirs["a280"])
    # a fresh layer is sound, the spoilt ones stay spoilt
    for one in (PDAC, BR):
        expose(cooked, one)
    assert ours["active_share"] < cooked.report(LAW, VALUES)["active_share"] < 0.9


def test_aggregates_scatter_and_lean_the_film() -> None:
    clotted = Liquid("BR", -1, 0.9, 9.0, True, 0.1)
    film, lumpy = grown(PDAC, BR), grown(PDAC, clotted)
    clean, rough = film.report(LAW, VALUES), lumpy.report(LAW, VALUES)
    share = lumpy.landed / lumpy.patches(LAW)
    assert share == pytest.approx(7.0e-9 * 0.1 * 600.0 / 530e-8 / lumpy.patches(LAW), rel=0.01)
    assert rough["a700_to_a570"] - clean["a700_to_a570"] == pytest.approx(0.02 * 100.0 * share)
    assert rough["lateral_cv"] == pytest.approx(
        (clean["lateral_cv"] ** 2 + (LAW.tilt * share) ** 2) ** 0.5
    )
    assert rough["coverage_per_dip"] < clean["coverage_per_dip"]
