"""Tests of the crystal: a film makes it slower, a liquid much slower, and warmth less so."""

from collections.abc import Callable
from typing import Any

import pytest

from sim.crystal import frequency, resistance
from sim.parameters import settled

QUIET = settled({"sig_QCM": 0.0, "drift_QCM": 0.0})


def test_a_monolayer_takes_thirty_hertz_dry_and_more_wet() -> None:
    bare = frequency(QUIET, 0.0, False, 22.0, 1, 0)
    assert bare == 5e6
    assert frequency(QUIET, 530.0, False, 22.0, 1, 0) - bare == pytest.approx(-30.0, abs=0.1)
    soaked = frequency(QUIET, 530.0, True, 22.0, 1, 0) - frequency(QUIET, 0.0, True, 22.0, 1, 0)
    assert soaked == pytest.approx(-42.0, abs=0.1)


def test_water_loads_and_damps_it() -> None:
    assert frequency(QUIET, 0.0, True, 22.0, 1, 0) - 5e6 == pytest.approx(-700.0, abs=20.0)
    warm = frequency(QUIET, 0.0, True, 23.0, 1, 0) - frequency(QUIET, 0.0, True, 22.0, 1, 0)
    assert warm == pytest.approx(8.0)
    assert resistance(True) > 300.0 > resistance(False)


def test_it_drifts_and_is_noisy() -> None:
    values = settled({})
    readings = [frequency(values, 0.0, False, 22.0, 1, k * 10**9) - 5e6 for k in range(400)]
    mean = sum(readings) / 400
    spread = (sum((one - mean) ** 2 for one in readings) / 400) ** 0.5
    assert spread == pytest.approx(0.3, rel=0.15)
    late = frequency(settled({"sig_QCM": 0.0}), 0.0, False, 22.0, 1, 36 * 10**12) - 5e6
    assert late == pytest.approx(20.0)


def test_the_world_has_a_crystal_and_electrodes(rig: Callable[..., Any]) -> None:
    bench = rig({"sig_QCM": 0.0, "drift_QCM": 0.0, "sig_layer": 0.0})
    crystal, film = bench.world.link("crystal"), bench.world.link("film")
    assert crystal.frequency(0) == 5e6
    bench.prime()
    bare = crystal.frequency(bench.now_ns)
    bench.bilayer()
    # the PDAC goes on the primer, which is positive already, and adds little
    assert crystal.frequency(bench.now_ns) - bare == pytest.approx(-1.4 * 27.0, rel=0.05)
    assert crystal.resistance(bench.now_ns) > 300.0
    assert film.circuit(bench.now_ns)[0] == 0.0
    bench.world.link("light").current(0.02, bench.now_ns)
    volts, ohms = film.circuit(bench.now_ns)
    assert 1e-4 < volts < 1e-3
    assert ohms > 1e6
    bench.world.link("light").current(1.0, bench.now_ns)
    assert film.circuit(bench.now_ns)[0] > volts
