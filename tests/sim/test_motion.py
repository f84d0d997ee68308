"""Tests of the closed-form move: shape, limits, crossings, stops; never asserts wall time."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.motion import Motion

# The same examples at every run, and no stop-watch: machines are shared.
REPEATABLE = settings(deadline=None, derandomize=True, database=None)
NS = 1_000_000_000
PLACES = st.floats(-500.0, 500.0)
SPEEDS = st.floats(0.01, 200.0)
ACCELS = st.floats(0.1, 5000.0)


def test_a_long_move_is_a_trapezoid() -> None:
    move = Motion(0, 0.0, 24.0, 12.0, 120.0)
    # 0.1 s up (0.6 mm), 1.9 s at 12 mm/s (22.8 mm), 0.1 s down (0.6 mm)
    assert move.end_ns == pytest.approx(2.1 * NS, abs=2)
    assert move.at(NS // 10) == pytest.approx(0.6)
    assert move.at(NS) == pytest.approx(0.6 + 12.0 * 0.9)
    assert move.velocity_at(NS) == 12.0
    assert move.at(move.end_ns) == 24.0
    assert move.when(2.0) == pytest.approx(0.1 * NS + (2.0 - 0.6) / 12.0 * NS, abs=2)


def test_a_short_move_is_a_triangle() -> None:
    move = Motion(5 * NS, 10.0, 9.0, 100.0, 4.0)
    assert move.end_ns == pytest.approx(6 * NS, abs=2)
    assert move.at(5 * NS + NS // 2) == pytest.approx(9.5)
    assert move.velocity_at(5 * NS + NS // 2) == pytest.approx(-2.0)


def test_no_move_ends_at_once() -> None:
    move = Motion.still(3.0, 7)
    assert (move.end_ns, move.at(0), move.at(8), move.when(3.0)) == (7, 3.0, 3.0, 7)
    assert move.when(4.0) is None


@pytest.mark.parametrize(
    "bad",
    [
        (0.0, 1.0, 0.0, 1.0),
        (0.0, 1.0, 1.0, 0.0),
        (0.0, math.nan, 1.0, 1.0),
        (0.0, 1.0, math.inf, 1.0),
    ],
)
def test_impossible_moves_are_refused(bad: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="a move needs"):
        Motion(0, *bad)


def test_places_off_the_way_are_never_met() -> None:
    move = Motion(0, 0.0, 24.0, 12.0, 120.0)
    assert move.when(-1.0) is None
    assert move.when(24.1) is None
    assert move.when(0.0) == 0


@REPEATABLE
@given(PLACES, PLACES, SPEEDS, ACCELS, st.floats(0.0, 1.0))
def test_a_place_is_met_when_the_axis_is_there(
    origin: float, target: float, speed: float, accel: float, share: float
) -> None:
    move = Motion(123, origin, target, speed, accel)
    place = origin + share * (target - origin)
    met_ns = move.when(place)
    assert met_ns is not None
    assert move.start_ns <= met_ns <= move.end_ns
    assert move.at(met_ns) == pytest.approx(place, abs=1e-5)
    assert move.at(move.end_ns) == target


@REPEATABLE
@given(PLACES, PLACES, SPEEDS, ACCELS, st.floats(0.0, 1.0), ACCELS)
def test_a_stop_begins_where_the_axis_is(
    origin: float, target: float, speed: float, accel: float, share: float, decel: float
) -> None:
    move = Motion(0, origin, target, speed, accel)
    now_ns = int(share * move.end_ns)
    stop = move.stopped(now_ns, decel)
    assert stop.at(now_ns) == move.at(now_ns)
    assert stop.velocity_at(stop.end_ns) == 0.0
    seconds = abs(move.velocity_at(now_ns)) / decel
    assert stop.end_ns - now_ns == pytest.approx(seconds * NS, abs=10, rel=1e-6)


@REPEATABLE
@given(PLACES, PLACES, PLACES, SPEEDS, ACCELS, st.floats(0.0, 1.0))
def test_a_diversion_is_smooth_and_arrives(
    origin: float, target: float, other: float, speed: float, accel: float, share: float
) -> None:
    move = Motion(0, origin, target, speed, accel)
    now_ns = int(share * move.end_ns)
    new = move.diverted(now_ns, other, speed, accel)
    low, high = new.span()
    steps = [now_ns + (new.end_ns - now_ns) * k // 40 for k in range(41)]
    places = [new.at(ns) for ns in steps]
    assert places[0] == pytest.approx(move.at(now_ns), abs=1e-9)
    assert places[-1] == other
    assert all(low - 1e-6 <= place <= high + 1e-6 for place in places)
    fastest = max(speed, abs(move.velocity_at(now_ns))) * 1.001
    gap_s = (new.end_ns - now_ns) / 40 * 1e-9 + 2e-9
    for before, after in zip(places, places[1:], strict=False):
        assert abs(after - before) <= fastest * gap_s + 1e-6
    assert new.when(other) is not None


def test_a_turn_back_crosses_twice_and_the_first_counts() -> None:
    move = Motion(0, 0.0, 100.0, 10.0, 10.0).diverted(2 * NS, 0.0, 10.0, 10.0)
    assert list(move.span()) == pytest.approx([0.0, 20.0])
    met = move.when(17.0)
    assert met is not None
    assert move.at(met) == pytest.approx(17.0, abs=1e-6)
    assert move.velocity_at(met) > 0.0


def test_a_turn_back_falls_into_two_straight_legs() -> None:
    move = Motion(0, 0.0, 100.0, 10.0, 10.0).diverted(2 * NS, 0.0, 10.0, 10.0)
    out, back = move.legs()
    assert [out.origin, out.target, back.target] == pytest.approx([move.origin, 20.0, 0.0])
    assert back.end_ns == pytest.approx(move.end_ns, abs=1000)
    assert back.when(17.0) is not None
    assert Motion(0, 0.0, 1.0, 1.0, 1.0).legs() == (Motion(0, 0.0, 1.0, 1.0, 1.0),)


def test_a_move_survives_its_plain_form() -> None:
    move = Motion(0, 0.0, 24.0, 12.0, 120.0).stopped(NS, 50.0)
    assert Motion.of(move.plain()) == move
    assert Motion.of(move.plain()).end_ns == move.end_ns
