"""Tests of the suspension: what sinks, what clots, where it lands, and what gravity has to do."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.kinetics import Law, reached
from sim.parameters import settled
from sim.suspension import Suspension, convective, falling, sinking, tilted

REPEATABLE = settings(deadline=None, derandomize=True, database=None)
HOUR = 3600.0


def of(**given_: float) -> Suspension:
    return Suspension.of(settled(given_))


def test_a_single_patch_sinks_two_micrometres_an_hour() -> None:
    speed = sinking(settled({}), 1.0)
    assert speed == pytest.approx(0.61e-9, rel=0.02)
    # facing up it collects 7 % of a monolayer from 1 mg/mL in ten minutes
    assert speed * 600.0 / 530e-8 == pytest.approx(0.07, rel=0.05)


@pytest.mark.parametrize(("micrometres", "per_hour"), [(1.0, 0.18), (2.0, 0.74), (5.0, 4.6)])
def test_an_aggregate_falls_millimetres_an_hour(micrometres: float, per_hour: float) -> None:
    values = settled({"d_agg": micrometres})
    assert falling(values, 1.0) * 3.6e6 == pytest.approx(per_hour, rel=0.05)
    assert falling(values, 0.5) == pytest.approx(0.5 * falling(values, 1.0))
    assert falling(values, 0.0) == 0.0


def test_a_bath_loses_its_aggregates_in_hours_and_keeps_them_without_gravity() -> None:
    still = {"k_agg": 0.0, "d_agg": 10.0}
    share, afloat = of(**still).stood(0.1, 20.0 * HOUR, 50.0)
    assert share < 0.001
    assert afloat == pytest.approx(0.9, abs=0.001)
    assert of(**still, gravity=0.0).stood(0.1, 20.0 * HOUR, 50.0) == pytest.approx((0.1, 1.0))
    assert of(**still).stood(0.1, 20.0 * HOUR, 0.0) == pytest.approx((0.1, 1.0))


def test_patches_clot_with_age() -> None:
    share, afloat = of(gravity=0.0).stood(0.02, 94.0 * HOUR, 100.0)
    assert share == pytest.approx(1.0 - 0.98 * math.exp(-0.094), rel=1e-6)
    assert afloat == pytest.approx(1.0)


@REPEATABLE
@given(st.floats(0.0, 1.0), st.floats(0.0, 1e6), st.floats(0.0, 1e6), st.floats(1.0, 200.0))
def test_a_time_may_be_cut_anywhere(
    share: float, first: float, second: float, depth: float
) -> None:
    one = of(k_agg=0.05)
    whole, left = one.stood(share, first + second, depth)
    early, kept = one.stood(share, first, depth)
    late, more = one.stood(early, second, depth)
    assert kept * more == pytest.approx(left, rel=1e-7, abs=1e-9)
    assert late * kept * more == pytest.approx(whole * left, rel=1e-6, abs=1e-9)


def test_what_settles_leaves_more_below_than_above() -> None:
    assert of(gravity=0.0).tilt == of(facing=1.0).tilt == 0.0
    assert of(gravity=1.0).tilt > of(gravity=0.3).tilt > 0.0
    # against the profile itself, summed over the height
    half = 0.5 * 5e-7 * 0.02 / 5e-9
    points = [math.exp(-2.0 * half * (k + 0.5) / 2000) for k in range(2000)]
    mean = sum(points) / 2000
    spread = math.sqrt(sum((one - mean) ** 2 for one in points) / 2000) / mean
    assert tilted(5e-7, 5e-9) == pytest.approx(spread, rel=1e-4)


@pytest.mark.parametrize(
    ("gravity", "micrometres"), [(1.0, 77), (0.38, 99), (0.16, 122), (1e-3, 435)]
)
def test_convection_holds_the_boundary_layer(gravity: float, micrometres: float) -> None:
    layer = convective(settled({"gravity": gravity}), 1.0)
    assert layer * 1e6 == pytest.approx(micrometres, rel=0.02)
    assert convective(settled({"gravity": 0.0}), 1.0) == math.inf


def test_a_still_bath_brings_less_and_less() -> None:
    stirred = Law.of(settled({"k_surf": 1e-6}))
    still = Law.of(settled({"k_surf": 1e-6, "stir": 0.0, "gravity": 0.0}))
    # an early film takes all that comes by diffusion: G = 2 c sqrt(D t / pi), less the surface step
    ten = reached(still, 1.0, 0.0, 600.0) * 530e-8
    assert ten == pytest.approx(2.0 * math.sqrt(1.4e-12 * 600.0 / math.pi), rel=0.2)
    assert ten < reached(stirred, 1.0, 0.0, 600.0) * 530e-8
    parts = reached(still, 1.0, 0.0, 100.0) + reached(still, 1.0, 100.0, 600.0)
    assert parts * 530e-8 == pytest.approx(ten)
    flowing = Law.of(settled({"k_surf": 1e-6, "stir": 0.0}))
    late = reached(flowing, 1.0, 5000.0, 6000.0)
    assert late == pytest.approx(1000.0 / (1e6 + 77.1e-6 / 1.4e-12) / 530e-8, rel=1e-3)
