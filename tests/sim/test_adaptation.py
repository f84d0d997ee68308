"""Tests of light and darkness: M by intensity, dark adaptation by time, exact between changes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.adaptation import Adaptation
from sim.parameters import settled

REPEATABLE = settings(deadline=None, derandomize=True, database=None)
NS = 1_000_000_000
H = 3600 * NS


def film(**given_: float) -> Adaptation:
    return Adaptation(settled({"ambient": 0.0, **given_}))


@pytest.mark.parametrize(
    ("light", "share"), [(0.01, 0.003), (0.1, 0.026), (1.0, 0.21), (10.0, 0.73)]
)
def test_steady_light_holds_its_share_in_m(light: float, share: float) -> None:
    one = film(tau_M=600.0)
    one.expose(light, 0)
    assert one.shares(10 * H)[1] == pytest.approx(share, rel=0.03, abs=5e-4)


def test_m_goes_with_its_life_in_the_dark() -> None:
    one = film()
    one.expose(100.0, 0)
    one.expose(0.0, H)
    full = one.shares(H)[1]
    assert full > 0.6
    assert one.shares(H + 60 * NS)[1] == pytest.approx(full / 2.718281828, rel=1e-6)


def test_a_film_adapts_to_the_dark_by_halves() -> None:
    one = film()
    one.expose(1000.0, 0)
    one.expose(0.0, H)
    assert one.shares(H)[0] < 1e-3
    assert one.shares(2 * H)[0] == pytest.approx(0.5, abs=1e-3)
    assert one.colour(7 * H) == pytest.approx(1.0 - 0.12 * 63 / 64, abs=1e-3)


def test_a_minute_in_green_brings_the_colour_back() -> None:
    one = film()
    assert one.colour(0) == pytest.approx(0.88)
    one.expose(1000.0, 0)
    one.expose(0.0, 60 * NS)
    assert one.colour(60 * NS + 600 * NS) == pytest.approx(1.0, abs=0.02)


def test_the_dim_light_of_the_bench_keeps_a_film_light_adapted() -> None:
    one = Adaptation(settled({}))
    assert one.colour(0) == one.colour(100 * H) == pytest.approx(0.968, abs=0.002)


@REPEATABLE
@given(st.lists(st.floats(0.0, 1e4), min_size=1, max_size=6), st.floats(0.0, 1e3))
def test_a_time_may_be_cut_anywhere(parts: list[float], light: float) -> None:
    whole, cut = film(), film()
    for one in (whole, cut):
        one.expose(light, 0)
    at_ns = 0
    for part in parts:
        at_ns += int(part * NS)
        cut.load(cut.plain(0), 0)
        cut.expose(light + 1.0, at_ns)
        cut.expose(light, at_ns)
    assert cut.shares(at_ns) == pytest.approx(whole.shares(at_ns), rel=1e-9, abs=1e-12)
