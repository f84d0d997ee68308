"""Tests of the light: power follows from absorbance, noise and drift have the stated size."""

import math
import statistics

import pytest

from sim.optics import Optics, apparent
from sim.parameters import settled

QUIET = {"sig_A": 0.0, "drift_A": 0.0, "dark_W": 0.0}
H_NS = 3_600_000_000_000


def test_power_follows_from_the_current_and_the_absorbance() -> None:
    optics = Optics(settled(QUIET), 1)
    optics.current(0.02)
    empty = optics.watts(0.0, 0)
    assert empty == pytest.approx(0.02 * 1e-3)
    assert -math.log10(optics.watts(0.43, 0) / empty) == pytest.approx(0.43)


def test_it_is_dark_when_the_led_is_off() -> None:
    optics = Optics(settled({}), 1)
    assert 0.0 < optics.watts(0.0, 5) < 1e-9
    optics.current(-1.0)
    assert optics.watts(0.0, 5) < 1e-9
    optics.current(0.02)
    assert optics.watts(0.0, 5) > 1e-6


def test_the_noise_is_that_of_one_reading() -> None:
    optics = Optics(settled({"drift_A": 0.0}), 3)
    optics.current(0.02)
    clear = 0.02 * 1e-3
    readings = [-1e3 * math.log10(optics.watts(0.0, k * 10**9) / clear) for k in range(2000)]
    assert statistics.pstdev(readings) == pytest.approx(0.2, rel=0.05)
    assert abs(statistics.fmean(readings)) < 0.02


def test_asking_twice_gives_the_same_reading() -> None:
    optics = Optics(settled({}), 3)
    optics.current(0.02)
    assert optics.watts(0.1, 12345) == optics.watts(0.1, 12345)


def test_the_drift_is_upward_and_linear() -> None:
    optics = Optics(settled({**QUIET, "drift_A": 0.5}), 3, start_ns=7)
    optics.current(1.0)
    rise = math.log10(optics.watts(0.0, 7) / optics.watts(0.0, 7 + 10 * H_NS))
    assert rise == pytest.approx(5e-3)


def test_a_bath_of_protein_is_purple() -> None:
    # 0.75 mg/mL of protein is 28 uM; times 63,000 /(M cm) and 1 cm
    assert Optics(settled({}), 1).liquid(1.0) == pytest.approx(1.76, abs=0.01)
    assert Optics(settled({"path": 0.5}), 1).liquid(1.0) == pytest.approx(0.88, abs=0.01)


def test_a_mesh_saturates_the_reading() -> None:
    assert apparent(0.5, 1.0, 0.0) == 0.5
    assert apparent(0.5, 1.0, 0.3) == pytest.approx(0.283, abs=0.001)
    assert apparent(0.1, 3.0, 0.0) == pytest.approx(0.3)
