"""Tests of bubbles: how big, how fast, how soon gone."""

import math
import statistics

import pytest

from sim.bubbles import clearance_s, diameter, rise_speed


@pytest.mark.parametrize(("millimetres", "speed"), [(0.05, 1.4), (0.1, 5.7)])
def test_a_small_bubble_rises_as_stokes_says(millimetres: float, speed: float) -> None:
    assert rise_speed(millimetres, 1.0) == pytest.approx(speed, rel=0.02)
    assert rise_speed(millimetres, 0.1) == pytest.approx(0.1 * speed, rel=0.02)


def test_a_big_bubble_is_held_back() -> None:
    assert rise_speed(1.0, 1.0) == pytest.approx(70.0, rel=0.01)
    assert rise_speed(4.0, 1.0) == pytest.approx(2.0 * rise_speed(1.0, 1.0))
    speeds = [rise_speed(0.01 * k, 1.0) for k in range(1, 300)]
    assert speeds == sorted(speeds)


def test_a_bubble_leaves_at_one_g_and_stays_without() -> None:
    assert clearance_s(0.1, 10.0, 1.0) == pytest.approx(1.8, rel=0.05)
    assert clearance_s(0.1, 10.0, 1e-6) > 10 * 86_400
    assert clearance_s(0.1, 10.0, 0.0) == math.inf
    assert rise_speed(0.1, 0.0) == rise_speed(0.0, 1.0) == 0.0


def test_sizes_are_log_normal_and_repeatable() -> None:
    sizes = [diameter(7, count) for count in range(2000)]
    assert statistics.median(sizes) == pytest.approx(0.3, rel=0.05)
    logs = [math.log(size) for size in sizes]
    assert statistics.stdev(logs) == pytest.approx(0.6, rel=0.05)
    assert sizes[:5] == [diameter(7, count) for count in range(5)]
    assert sizes[:5] != [diameter(8, count) for count in range(5)]
