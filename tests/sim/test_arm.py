"""Tests of where the substrate is: stations, crossings in order, turns back."""

import pytest

from sim.arm import BOTTOM, LIQUID, RIM, Arm, Geometry
from sim.motion import Motion

NS = 1_000_000_000
GEOMETRY = Geometry(surface=22.0, bottom=26.0, tolerance=1.0, clear=2.0)


def arm(geometry: Geometry = GEOMETRY) -> Arm:
    return Arm({"a": 0.0, "b": 36.0, "j": 324.0}, geometry, 0)


def ahead(one: Arm, fall: float = 0.0) -> list[tuple[str, bool]]:
    one.foresee(one.z.start_ns, None, lambda name: fall)
    return [(crossing.place, crossing.down) for crossing in one.pending]


@pytest.mark.parametrize(
    ("angle", "name"),
    [
        (0.0, "a"),
        (0.9, "a"),
        (-0.9, "a"),
        (1.1, None),
        (36.0, "b"),
        (-36.0, "j"),
        (684.5, "j"),
        (360.0, "a"),
    ],
)
def test_a_station_is_found_round_the_circle(angle: float, name: str | None) -> None:
    one = arm()
    one.x = Motion.still(angle)
    assert one.station(0) == name


def test_going_down_passes_the_rim_then_the_surface() -> None:
    one = arm()
    one.z = Motion(0, 0.0, 24.0, 16.0, 50.0)
    assert ahead(one) == [(RIM, True), (LIQUID, True)]
    times = [crossing.at_ns for crossing in one.pending]
    assert times[0] < times[1] < one.z.end_ns
    assert one.z.at(times[1]) == pytest.approx(22.0, abs=1e-6)


def test_a_level_that_sank_leaves_a_stripe_and_at_last_everything() -> None:
    one = arm()
    one.z = Motion(0, 0.0, 24.0, 16.0, 50.0)
    assert [one.bare(fall) for fall in (0.0, 2.0, 7.0, 99.0)] == [0.0, 0.0, 0.25, 1.0]
    assert ahead(one, 7.0) == ahead(one) == [(RIM, True), (LIQUID, True)]
    assert ahead(one, 21.0) == [(RIM, True), (LIQUID, True)]
    assert ahead(one, 22.5) == [(RIM, True)]


def test_too_deep_meets_the_bottom() -> None:
    one = arm()
    one.z = Motion(0, 0.0, 27.0, 16.0, 50.0)
    assert ahead(one) == [(RIM, True), (LIQUID, True), (BOTTOM, True)]


def test_coming_up_meets_them_in_reverse() -> None:
    one = arm()
    one.below = {RIM: True, LIQUID: True, BOTTOM: False}
    one.z = Motion(5, 24.0, 0.0, 2.0, 50.0)
    assert ahead(one) == [(LIQUID, False), (RIM, False)]


def test_a_turn_back_meets_a_place_twice() -> None:
    one = arm()
    down = Motion(0, 0.0, 24.0, 16.0, 50.0)
    at_ns = down.when(10.0)
    assert at_ns is not None
    one.z = down
    ahead(one)
    one.below[RIM] = True
    one.z = down.diverted(at_ns, 0.0, 16.0, 50.0)
    assert ahead(one) == [(RIM, False)]
    up = Motion(0, 24.0, 0.0, 16.0, 50.0)
    one.below = {RIM: True, LIQUID: True, BOTTOM: False}
    high_ns = up.when(20.0)
    assert high_ns is not None
    one.below[LIQUID] = False
    one.z = up.diverted(high_ns, 24.0, 16.0, 50.0)
    assert ahead(one) == [(LIQUID, True)]


def test_an_axis_that_is_found_elsewhere_has_crossed_now() -> None:
    one = arm()
    one.z = Motion.still(24.0, 9)
    assert ahead(one) == [(RIM, True), (LIQUID, True)]
    assert {crossing.at_ns for crossing in one.pending} == {9}


@pytest.mark.parametrize(
    "bad",
    [
        Geometry(0.0, 26.0, 1.0),
        Geometry(22.0, 20.0, 1.0),
        Geometry(22.0, 26.0, 1.0, 23.0),
        Geometry(22.0, 26.0, 1.0, 0.0),
    ],
)
def test_a_geometry_without_room_is_refused(bad: Geometry) -> None:
    with pytest.raises(ValueError, match="geometry needs 0 < clear <= surface < bottom"):
        arm(bad)


def test_the_state_survives_its_plain_form() -> None:
    one, other = arm(), arm()
    one.z = Motion(3, 0.0, 24.0, 16.0, 50.0)
    ahead(one)
    other.load(one.plain(0), 100)
    assert other.plain(100) == one.plain(0)
    assert other.z.start_ns == 103
