"""Reference figures of bacteriorhodopsin films that the world must give without tuning.

He et al., Langmuir 14, 1674 (1998), for growth and thickness; Decher, Multilayer Thin Films,
ch. 1, for rinsing; the others are worked out by hand from the parameters' defaults.
"""

from collections.abc import Callable
from typing import Any

import pytest

RigOf = Callable[..., Any]


@pytest.fixture(scope="module")
def flagship(rig: RigOf) -> Any:
    """Return a bench after 200 bilayers of 600 s dips and three rinses of 60 s a side."""
    bench = rig(seed=42)
    bench.prime()
    for _ in range(200):
        bench.bilayer()
    return bench


def test_two_hundred_bilayers_are_a_micrometre(flagship: Any) -> None:
    film = flagship.film()
    assert film["thickness_nm"] == pytest.approx(1000.0, rel=0.10)
    assert film["a570_per_side"] == pytest.approx(0.21, rel=0.10)
    assert film["coverage_per_dip"] == pytest.approx(0.89, rel=0.02)
    assert film["qcm_hz"] == pytest.approx(-5900.0, rel=0.15)
    assert film["lateral_cv"] < 0.05
    assert set(film) == {
        "thickness_nm",
        "a570_per_side",
        "lateral_cv",
        "qcm_hz",
        "coverage_per_dip",
        "mass_ng_cm2",
        "a280",
        "a700",
        "photovoltage_mV",
        "active_share",
    }


def test_they_take_93_hours(flagship: Any) -> None:
    hours = flagship.now_ns / 3.6e12
    assert hours == pytest.approx(93.3, rel=0.01)


def test_every_deposition_is_in_the_ledger(flagship: Any) -> None:
    rows = [row for row in flagship.world.ledger if row["kind"] == "exposure"]
    dips = [row["solution"] for row in rows if row["solution"] != "buffer"]
    assert dips == ["PEI", *["PDAC", "BR"] * 200]
    assert len(rows) == 1 + 3 + 200 * 8 - 1
    assert not [row for row in flagship.world.ledger if row["kind"] == "collision"]
    ends = [row["end_s"] for row in rows]
    starts = [row["start_s"] for row in rows]
    assert all(end < start for end, start in zip(ends, starts[1:], strict=False))
    deposits = [row["end_s"] - row["start_s"] for row in rows if row["solution"] == "BR"]
    assert deposits == pytest.approx([600.0] * 200, rel=0.01)


def test_rinsing_dilutes_a_millionfold(flagship: Any) -> None:
    vessels = flagship.world.truth()["vessels"]
    assert vessels["polyanion"]["mg_per_ml"]["PDAC"] < 1e-6
    assert vessels["P3"]["mg_per_ml"]["PDAC"] < 1e-6
    # What the bath loses is what settles out of it in four days: 200 mL, 71 mm deep.
    strength = flagship.world.truth()["solutions"]["BR"]["c_over_c0"]
    settled_out = vessels["polyanion"]["sediment_mg"] / 200.0
    assert 0.05 < settled_out < 0.09
    assert strength + settled_out == pytest.approx(1.0, abs=0.02)


def test_growth_is_linear_and_evens_out(rig: RigOf) -> None:
    bench = rig(seed=7)
    bench.prime()
    seen = []
    for _ in range(50):
        bench.bilayer()
        film = bench.film()
        seen.append((film["a570_per_side"] * 1e3, film["lateral_cv"]))
    steps = [after[0] - before[0] for before, after in zip(seen, seen[1:], strict=False)]
    assert sum(steps) / len(steps) == pytest.approx(1.07, rel=0.05)
    spread = (sum((s - 1.07) ** 2 for s in steps) / len(steps)) ** 0.5 / 1.07
    assert 0.01 < spread < 0.06
    assert seen[0][1] > 1.4 * seen[3][1] > 2.0 * seen[-1][1]


def test_coverage_grows_with_the_dwell(rig: RigOf) -> None:
    found = []
    for dwell in (60.0, 600.0, 6000.0):
        bench = rig({"sig_layer": 0.0})
        bench.prime()
        for _ in range(5):
            bench.bilayer(anion_dwell=dwell)
        found.append(bench.film()["coverage_per_dip"])
    assert found == pytest.approx([0.34, 0.89, 1.13], rel=0.05)
    assert found == sorted(found)


@pytest.mark.parametrize(("refresh", "least", "most"), [(25, 3e-7, 4e-7), (0, 1.4e-4, 1.8e-4)])
def test_small_rinse_baths_load_up(rig: RigOf, refresh: int, least: float, most: float) -> None:
    # 3 x 20 mL, 10 uL a dip: refreshed every 25 cycles 3.6e-7, never 1.6e-4 of the solution.
    bench = rig({"sig_layer": 0.0, "v_clamp": 9.54, "E_lid": 0.0}, rinse=20.0)
    worst = 0.0
    for cycle in range(1, 201):
        bench.expose("polycation", 10.0, bench.p_side)
        bench.dip("spare", 1.0)
        bench.film()
        worst = max(worst, bench.world.truth()["vessels"]["P3"]["mg_per_ml"]["PDAC"])
        if refresh and cycle % refresh == 0:
            for name in bench.p_side:
                bench.world.fill(name, bench.buffer, 20.0)
    assert least < worst < most


def test_an_acid_bath_turns_the_film_round(rig: RigOf) -> None:
    films = []
    for acidity in (6.0, 9.0):
        bench = rig({"pH_BR": acidity, "sig_layer": 0.0})
        bench.bilayer()
        films.append(bench.film())
    acid, basic = films
    assert acid.pop("photovoltage_mV") < -0.5 < 0.5 < basic.pop("photovoltage_mV")
    assert acid == basic
