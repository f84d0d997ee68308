"""Transfers: textbook trapezoids, legs in order, time in air."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbl.plan.equipment import Arm, Bath, Equipment
from lbl.plan.transfer import MS, time_to, transfer, travel_time, whole_ms

POSITIVE = st.floats(min_value=0.01, max_value=500.0)


def stepped(distance: float, speed: float, accel: float, dt: float = 1e-5) -> float:
    """The same move, integrated: accelerate while it is still possible to stop in time."""
    at = velocity = now = 0.0
    while at < distance and now < 100.0:
        stopping = velocity * velocity / (2 * accel)
        if distance - at <= stopping:
            velocity = max(velocity - accel * dt, accel * dt)
        else:
            velocity = min(velocity + accel * dt, speed)
        at += velocity * dt
        now += dt
    return now


@pytest.mark.parametrize(
    ("distance", "speed", "accel"), [(24, 2, 50), (24, 16, 50), (36, 40, 120), (1, 40, 120)]
)  # fmt: skip
def test_a_move_takes_as_long_as_its_integral(distance: float, speed: float, accel: float) -> None:
    assert travel_time(distance, speed, accel) == pytest.approx(
        stepped(distance, speed, accel), rel=2e-3, abs=2e-3
    )


@given(POSITIVE, POSITIVE, POSITIVE, st.floats(min_value=0, max_value=1))
def test_the_time_to_a_part_grows_to_the_whole(
    distance: float, speed: float, accel: float, share: float
) -> None:
    whole = travel_time(distance, speed, accel)
    part = time_to(share * distance, distance, speed, accel)
    assert 0.0 <= part <= whole * (1 + 1e-9)
    assert time_to(distance, distance, speed, accel) == pytest.approx(whole)
    rest = time_to((1 - share) * distance, distance, speed, accel)
    assert part + rest == pytest.approx(whole, rel=1e-6)  # the trapezoid is symmetric


def test_nothing_to_travel_takes_no_time() -> None:
    assert travel_time(0.0, 2.0, 50.0) == 0.0
    assert time_to(0.0, 24.0, 2.0, 50.0) == 0.0


@pytest.mark.parametrize(("seconds", "ms"), [(0.0, 0), (0.001, 1), (0.0011, 2), (0.1 + 0.2, 300)])
def test_durations_are_whole_milliseconds_rounded_up(seconds: float, ms: int) -> None:
    assert whole_ms(seconds) == ms * MS


def bath(equipment: Equipment, name: str) -> Bath:
    return next(bath for bath in equipment.baths if bath.name == name)


def test_the_substrate_is_lifted_turned_and_lowered(dip: Equipment) -> None:
    way = transfer(dip.arm, bath(dip, "P1"), bath(dip, "P2"))
    assert [(leg.axis, leg.target, leg.speed) for leg in way.legs] == [
        ("z", 0.0, 2.0), ("x", 108.0, 40.0), ("z", 24.0, 16.0),
    ]  # fmt: skip
    assert way.duration_ns == sum(leg.duration_ns for leg in way.legs)
    assert way.duration_ns / 1e9 == pytest.approx(15.5, abs=0.1)
    assert way.legs[0].duration_ns == whole_ms(24 / 2 + 2 / 50 + 0.15)


def test_the_carousel_turns_back_rather_than_past_its_end(dip: Equipment) -> None:
    way = transfer(dip.arm, bath(dip, "N3"), bath(dip, "polycation"))
    assert way.legs[1].target == 36.0
    assert way.legs[1].duration_ns == whole_ms(252 / 40 + 40 / 120 + 0.15)


def test_legs_of_no_length_are_left_out(dip: Equipment) -> None:
    here = bath(dip, "P1")
    assert transfer(dip.arm, here, here).legs == ()
    first = transfer(dip.arm, None, here)
    assert [(leg.axis, leg.target) for leg in first.legs] == [("z", 24.0)]
    assert first.air == 0.0


def test_time_in_air_counts_until_the_substrate_is_wholly_covered(dip: Equipment) -> None:
    here, there = bath(dip, "P1"), bath(dip, "P2")
    way = transfer(dip.arm, here, there)
    deep = 24.0 - 22.0
    leaving = 2 / 50 / 2 + deep / 2
    entering = math.sqrt(2 * deep / 50)
    assert way.air == pytest.approx(way.duration_ns / 1e9 - leaving - entering - 0.15, abs=1e-3)
    blind = replace(dip.arm, surface=None)
    assert transfer(blind, here, there).air == way.duration_ns / 1e9


@given(
    st.builds(
        Arm, up=st.just(0.0), down=POSITIVE, withdraw=POSITIVE, lower=POSITIVE, turn=POSITIVE,
        z_accel=POSITIVE, x_accel=POSITIVE, settle=st.floats(min_value=0, max_value=2),
        surface=st.none() | st.floats(min_value=0, max_value=0.01),
    ),
    st.floats(min_value=0, max_value=360), st.floats(min_value=0, max_value=360),
)  # fmt: skip
def test_no_arm_ever_turns_while_down(arm: Arm, at: float, to: float) -> None:
    way = transfer(arm, Bath("a", "any", at, 10.0), Bath("b", "any", to, 10.0))
    z = arm.down
    for leg in way.legs:
        assert leg.axis == "z" or z == arm.up
        z = leg.target if leg.axis == "z" else z
        assert leg.duration_ns > 0
    assert z == arm.down
    assert 0.0 <= way.air <= way.duration_ns / 1e9
