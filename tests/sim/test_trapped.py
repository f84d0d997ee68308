"""Tests of the bubble in a flow cell: how long it stays, what it covers, what it costs in light."""

import math

import pytest

from sim.parameters import settled
from sim.trapped import Trapped, ball

NS = 1_000_000_000


def trapped(**parameters: float) -> Trapped:
    return Trapped(settled(parameters), 1, 10.0, 2.0)


def test_a_free_bubble_of_a_tenth_of_a_millimetre_leaves_in_two_seconds() -> None:
    bubble = trapped(p_pin=0.0)
    bubble.appear(1, 5 * NS, 0.1)
    assert bubble.leaves_ns == pytest.approx(6.76 * NS, rel=0.01)  # 10 mm at 5.7 mm/s
    bubble = trapped(p_pin=0.0, gravity=0.0)
    bubble.appear(1, 5 * NS, 0.1)
    assert bubble.leaves_ns is None


def test_one_that_sticks_stays_at_any_gravity() -> None:
    bubble = trapped(p_pin=1.0, gravity=2.0)
    bubble.appear(1, 0, None)
    assert bubble.size > 0.0
    assert bubble.leaves_ns is None
    bubble.clear()
    assert (bubble.size, bubble.covers(0), bubble.spike()) == (0.0, 0.0, 0.0)


def test_two_bubbles_are_one_of_their_volume_and_stick_together() -> None:
    bubble = trapped(p_pin=0.0)
    bubble.appear(1, 0, 1.0, stuck=True)
    bubble.appear(2, 0, 1.0)
    assert bubble.size == pytest.approx(2.0 ** (1.0 / 3.0))
    assert bubble.leaves_ns is None


def test_it_covers_its_footprint_unless_it_is_on_its_way() -> None:
    bubble = trapped(p_pin=0.0)
    bubble.appear(1, 0, 2.0)
    assert bubble.covers(0) == 0.0
    bubble.appear(2, 0, 2.0, stuck=True)
    size = 2.0 * 2.0 ** (1.0 / 3.0)
    assert bubble.covers(0) == pytest.approx(math.pi / 4.0 * size**2 / 200.0)


def test_the_light_it_costs_lies_in_its_range() -> None:
    spikes = []
    for count in range(200):
        bubble = trapped()
        bubble.appear(count, 0, 1.0)
        spikes.append(bubble.spike())
    assert 0.010 <= min(spikes) < 0.012
    assert 0.4 < max(spikes) <= 0.5


def test_a_ball_has_its_volume() -> None:
    assert ball(math.pi / 6.0 * 1e-3) == pytest.approx(1.0)
