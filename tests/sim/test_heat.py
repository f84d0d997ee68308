"""Tests of the bath temperature: first order, closed form, no memory but the last drive."""

import math

import pytest

from sim.heat import Heat, vapour
from sim.kinetics import damage_rate
from sim.parameters import settled

NS = 1_000_000_000


def test_the_baths_start_at_room_temperature() -> None:
    heat = Heat(settled({"T": 19.0}))
    assert heat.temperature(0) == heat.temperature(10**15) == 19.0


def test_the_thermostat_is_followed_to_first_order() -> None:
    heat = Heat(settled({"tau_heat": 400.0}))
    heat.drive(True, 30.0, 100 * NS)
    assert heat.temperature(500 * NS) == pytest.approx(30.0 - 8.0 * math.exp(-1.0))
    assert heat.temperature(10**14) == pytest.approx(30.0)


def test_off_the_baths_go_back_to_the_room() -> None:
    heat = Heat(settled({}))
    heat.drive(True, 30.0, 0)
    heat.drive(False, 30.0, 10_000 * NS)
    assert heat.temperature(15_400 * NS) == pytest.approx(22.0 + 8.0 * math.exp(-1.0), rel=1e-6)


def test_the_mean_is_the_integral() -> None:
    heat = Heat(settled({}))
    heat.drive(True, 35.0, 0)
    steps = 2000
    points = [heat.temperature((2 * k + 1) * 600 * NS // (2 * steps)) for k in range(steps)]
    assert heat.mean(0, 600 * NS) == pytest.approx(sum(points) / steps, rel=1e-6)
    assert heat.mean(5 * NS, 5 * NS) == heat.temperature(5 * NS)


def test_driving_again_alike_changes_nothing() -> None:
    heat = Heat(settled({}))
    heat.drive(True, 30.0, 0)
    before = heat.plain(0)
    assert not heat.changes(True, 30.0)
    heat.drive(True, 30.0, 77 * NS)
    assert heat.plain(0) == before


def test_the_state_moves_to_another_time_zero() -> None:
    heat = Heat(settled({}))
    heat.drive(True, 30.0, 10 * NS)
    other = Heat(settled({}), 10**18)
    other.load(heat.plain(0), 10**18)
    assert other.temperature(10**18 + 300 * NS) == heat.temperature(300 * NS)


def test_the_clocks_run_with_the_warmth() -> None:
    heat = Heat(settled({}))
    assert heat.wear(1000 * NS) == pytest.approx((1000.0, 1000.0, 0.0))
    heat.drive(True, 60.0, 1000 * NS)
    steps = 4000
    span = 3000 * NS
    vapours, harms = 0.0, 0.0
    for k in range(steps):
        warm = heat.temperature(1000 * NS + (2 * k + 1) * span // (2 * steps))
        vapours += vapour(warm) * 3000.0 / steps
        harms += damage_rate(warm, 172.0, 60.0, 45.0) * 3000.0 / steps
    wear = heat.wear(4000 * NS)
    assert wear.vapour == pytest.approx(1000.0 + vapours, rel=1e-4)
    assert wear.harm == pytest.approx(harms, rel=1e-3)
    assert wear.age > 4000.0


def test_a_clock_may_be_read_anywhere() -> None:
    heat, other = Heat(settled({})), Heat(settled({}))
    for one in (heat, other):
        one.drive(True, 70.0, 0)
    for second in range(50):
        other.wear(second * 7 * NS)
    for one in (heat, other):
        one.drive(False, 0.0, 500 * NS)
    assert heat.wear(9999 * NS) == other.wear(9999 * NS)


@pytest.mark.parametrize(("celsius", "life"), [(96.0, 60.0), (60.0, 2.6e4), (45.0, math.inf)])
def test_heat_unfolds_the_protein_faster_the_hotter(celsius: float, life: float) -> None:
    rate = damage_rate(celsius, 172.0, 60.0, 45.0)
    assert rate == pytest.approx(1.0 / life, rel=0.05)


def test_water_boils_and_gets_no_hotter() -> None:
    heat = Heat(settled({}))
    assert heat.boils_ns() is None
    heat.drive(True, 140.0, 0)
    at_ns = heat.boils_ns()
    assert at_ns is not None
    assert heat.temperature(at_ns - NS) < 100.0 == heat.temperature(at_ns + NS)
    assert heat.mean(0, 10**15) == 100.0
    heat.drive(True, 100.0, at_ns + NS)
    assert heat.boils_ns() is None


def test_a_stuck_heater_obeys_again_once_loose() -> None:
    heat = Heat(settled({}))
    heat.drive(True, 25.0, 0)
    heat.stick(60.0, 0)
    assert not heat.changes(True, 30.0)
    heat.drive(True, 30.0, 10 * NS)
    assert heat.temperature(10_000 * NS) == pytest.approx(60.0)
    heat.loosen(10_000 * NS)
    assert heat.temperature(30_000 * NS) == pytest.approx(30.0)
