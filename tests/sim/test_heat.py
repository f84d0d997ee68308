"""Tests of the bath temperature: first order, closed form, no memory but the last drive."""

import math

import pytest

from sim.heat import Heat
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
