"""Tests of a stroke's closed form: where, when and how fast agree with each other."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.plunger import Stroke

REPEATABLE = settings(deadline=None, derandomize=True, database=None)
STROKES = st.builds(
    Stroke,
    st.integers(0, 10**15),
    st.floats(0.0, 6000.0),
    st.floats(0.0, 6000.0),
    st.floats(50.0, 1000.0),
    st.floats(50.0, 6000.0),
    st.floats(50.0, 2700.0),
    st.floats(2500.0, 50_000.0),
)


@REPEATABLE
@given(STROKES, st.floats(0.0, 1.0))
def test_a_place_is_passed_when_it_is_reached(stroke: Stroke, share: float) -> None:
    place = stroke.origin + share * (stroke.target - stroke.origin)
    at_ns = stroke.when(place)
    assert stroke.start_ns <= at_ns <= stroke.end_ns
    # a nanosecond at 6000 pulses/s
    assert stroke.at(at_ns) == pytest.approx(place, abs=1e-3)


@REPEATABLE
@given(STROKES, st.floats(0.01, 0.99))
def test_speed_is_the_slope_of_the_way(stroke: Stroke, share: float) -> None:
    half_ns = 500_000
    at_ns = stroke.start_ns + round(share * (stroke.end_ns - stroke.start_ns))
    if not stroke.start_ns + half_ns < at_ns < stroke.end_ns - half_ns:
        return
    way = stroke.at(at_ns + half_ns) - stroke.at(at_ns - half_ns)
    assert stroke.speed(at_ns) == pytest.approx(way / 1e-3, abs=30.0)


def test_a_stroke_stands_before_and_after() -> None:
    stroke = Stroke(1000, 0.0, 600.0, 900.0, 1200.0, 900.0, 35_000.0)
    assert stroke.speed(999) == stroke.speed(stroke.end_ns) == 0.0
    assert stroke.speed(1000) == 900.0
    assert stroke.when(0.0) == 1000
    assert stroke.when(700.0) == stroke.end_ns
