"""Tests of the adsorption laws against hand figures, numeric integration and their own halves."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim import kinetics
from sim.parameters import settled

# The same examples at every run, and no stop-watch: machines are shared.
REPEATABLE = settings(deadline=None, derandomize=True, database=None)
VALUES = settled({})


def test_the_arrival_time_of_a_monolayer() -> None:
    # k_eff = 1 / (1/1e-7 + 20e-6/1.4e-12) = 4.1e-8 m/s; 5.3e-6 kg/m2 / (k c) = 129 s
    assert 1.0 / kinetics.arrival(VALUES) == pytest.approx(129.0, abs=1.0)


def test_a_thick_boundary_layer_limits_the_arrival() -> None:
    slow = kinetics.arrival(settled({"delta_flow": 200.0, "k_surf": 1e-6}))
    assert 1.0 / slow == pytest.approx((1e6 + 200e-6 / 1.4e-12) * 5.3e-6, rel=1e-9)


@pytest.mark.parametrize(("seconds", "cover"), [(60, 0.34), (600, 0.87), (6000, 0.95)])
def test_coverage_after_a_dwell(seconds: float, cover: float) -> None:
    covering = kinetics.arrival(VALUES) * seconds / 0.95
    assert 0.95 * (1.0 - kinetics.blocked(1.0, covering, 1.5)) == pytest.approx(cover, abs=0.01)


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0, 3.0])
def test_blocking_solves_its_equation(power: float) -> None:
    free, step = 1.0, 1e-4
    for _ in range(20_000):
        middle = free - 0.5 * step * free**power
        free -= step * middle**power
    assert kinetics.blocked(1.0, 2.0, power) == pytest.approx(free, rel=1e-6)


@REPEATABLE
@given(st.floats(1e-6, 1.0), st.floats(0.0, 100.0), st.floats(0.0, 100.0), st.floats(1.0, 3.0))
def test_blocking_may_be_cut_anywhere(free: float, one: float, two: float, power: float) -> None:
    whole = kinetics.blocked(free, one + two, power)
    halves = kinetics.blocked(kinetics.blocked(free, one, power), two, power)
    assert halves == pytest.approx(whole, rel=1e-4, abs=1e-11)
    assert 0.0 < whole <= max(free, 1e-12) * (1.0 + 1e-6)


def test_arrhenius_is_one_at_the_quoted_temperature() -> None:
    assert kinetics.hotness(20.0, 22.0) == 1.0
    ten_warmer = kinetics.hotness(20.0, 32.0)
    assert ten_warmer == pytest.approx(math.exp(20e3 / 8.314 * (1 / 295.15 - 1 / 305.15)), rel=1e-4)
    assert kinetics.hotness(0.0, 35.0) == 1.0


def test_bimodal_times_grow_with_dilution() -> None:
    assert kinetics.bimodal_times(10.0, 150.0, 1.0) == (10.0, 150.0)
    assert kinetics.bimodal_times(10.0, 150.0, 0.1) == pytest.approx((100.0, 240.0))
    fast, slow = kinetics.bimodal_times(10.0, 150.0, 1e-6)
    assert fast > 1e6 and slow > 1e6


@REPEATABLE
@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_sites_rise_with_the_reversed_share(low: float, high: float) -> None:
    low, high = sorted((low, high))
    assert 0.0 <= kinetics.sites(low) <= kinetics.sites(high) <= 1.0
    assert (kinetics.sites(0.0), kinetics.sites(1.0)) == (0.0, 1.0)


def test_orientation_switches_at_ph_7() -> None:
    assert kinetics.orientation(9.0, 7.0, 2.0) == pytest.approx(1.0, abs=1e-3)
    assert kinetics.orientation(6.0, 7.0, 2.0) == pytest.approx(-0.98, abs=0.01)
    assert kinetics.orientation(7.0, 7.0, 2.0) == 0.0
