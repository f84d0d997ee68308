"""Tests of what befalls the world: data that are checked, instants that are kept, effects."""

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from sim.mishaps import KINDS, Mishap
from sim.world import FlowGeometry, FlowWorld, Reservoir

NS = 1_000_000_000
H = 3600 * NS
RigOf = Callable[..., Any]


def rows(bench: Any, kind: str = "mishap") -> list[Any]:
    bench.world.advance(bench.now_ns)
    return [row for row in bench.world.ledger if row["kind"] == kind]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"kind": "leek"}, "did you mean 'leak'"),
        ({"kind": "leak"}, "needs a place"),
        ({"kind": "power", "place": "P1"}, "has no place"),
        ({"kind": "leak", "place": "P1", "at_ns": -1}, "begins at 0 or later"),
        ({"kind": "leak", "place": "P1", "lasts_ns": 0}, "lasts a time"),
        ({"kind": "empty", "place": "P1", "lasts_ns": 5}, "happens at once"),
        ({"kind": "power", "argument": 1.0}, "has no argument"),
        ({"kind": "leak", "place": "P1", "argument": 1e9}, "outside 0.001..10000 mL/h"),
        ({"kind": "room-light", "argument": math.nan}, "outside"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Mishap(**given)


@pytest.mark.parametrize(
    ("mishap", "sentence"),
    [
        (Mishap("bubble"), "the dip bench has none"),
        (Mishap("blocked"), "the dip bench has none"),
        (Mishap("leak", place="sink"), "no vessel 'sink'"),
        (Mishap("empty", place="sink bottle"), "no vessel 'sink'"),
    ],
)
def test_what_a_dip_bench_cannot_have_is_refused(rig: RigOf, mishap: Mishap, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        rig().world.befall(mishap)


@pytest.mark.parametrize("kind", KINDS)
def test_a_mishap_survives_its_plain_form(kind: str) -> None:
    place = "P1" if KINDS[kind].place else ""
    one = Mishap(kind, 5 * NS, place, None, NS if KINDS[kind].lasting else None)
    assert Mishap.of(json.loads(json.dumps(one.plain(2 * NS))), 2 * NS) == one


def test_it_happens_at_its_instant_and_is_written_once(rig: RigOf) -> None:
    bench = rig()
    bench.world.befall(Mishap("leak", 2 * H, "P1", 2.0, H))
    assert bench.world.next_ns() == 2 * H
    bench.wait(5 * 3600.0)
    assert rows(bench) == [
        {
            "kind": "mishap",
            "what": "leak",
            "place": "P1",
            "at_s": 7200.0,
            "argument": 2.0,
            "lasts_s": 3600.0,
        }
    ]
    assert bench.world.next_ns() is None


def test_a_leak_takes_liquid_and_what_is_in_it(rig: RigOf) -> None:
    bench = rig({"E_lid": 0.0, "f_agg": 0.0, "k_agg": 0.0})
    bench.world.befall(Mishap("leak", H, "polyanion", 4.0, 10 * H))
    bench.wait(24 * 3600.0)
    bath = bench.world.truth()["vessels"]["polyanion"]
    assert bath["volume_ml"] == pytest.approx(160.0)
    assert bath["mg_per_ml"]["BR"] == pytest.approx(1.0)
    assert bench.world.truth()["solutions"]["BR"]["used_ml"] == pytest.approx(40.0)


def test_a_leak_beside_evaporation_keeps_the_account(rig: RigOf) -> None:
    # the leak takes solute, the air water: small steps of both, summed by hand
    bench = rig({"f_agg": 0.0, "k_agg": 0.0}, bath=20.0, lidded=False)
    bench.world.befall(Mishap("leak", 0, "polyanion", 1.0))
    bench.wait(10 * 3600.0)
    volume, mass = 20.0, 20.0
    for _ in range(100_000):
        mass -= mass / volume * 1e-4
        volume -= 1e-4 * (1.0 + 0.28)
    bath = bench.world.truth()["vessels"]["polyanion"]
    assert bath["volume_ml"] == pytest.approx(volume, rel=1e-6)
    assert bath["mg_per_ml"]["BR"] == pytest.approx(mass / volume, rel=1e-4)
    bench.wait(100 * 3600.0)
    bath = bench.world.truth()["vessels"]["polyanion"]
    assert (bath["volume_ml"], bath["mg_per_ml"]["BR"]) == (0.0, 0.0)
    used = bench.world.truth()["solutions"]["BR"]["used_ml"]
    assert used == pytest.approx(20.0 / 1.28, rel=1e-6)


def test_an_empty_bath_leaves_the_film_in_air(rig: RigOf) -> None:
    bench = rig()
    bench.prime()
    bench.dip("polyanion", 100.0)
    began = bench.now_ns
    bench.world.befall(Mishap("empty", began + 10 * NS, "polyanion"))
    bench.wait(300.0)
    assert bench.world.standing() is None
    row = rows(bench, "exposure")[-1]
    assert row["end_s"] == pytest.approx((began + 10 * NS) / NS)
    bench.dip("N1", 10.0)
    assert rows(bench, "air")[-1]["dried"]
    assert bench.world.truth()["vessels"]["polyanion"]["volume_ml"] == 0.0
    bench.dip("polyanion", 10.0)
    assert bench.world.standing() is None


def test_an_empty_bottle_gives_nothing(rig: RigOf) -> None:
    bench = rig()
    pump = bench.world.link("pump:polyanion")
    bench.world.befall(Mishap("empty", 10 * NS, "polyanion bottle"))
    assert pump.transfer(1.0, 5 * NS) > 0.9
    assert pump.transfer(1.0, 11 * NS) == 0.0
    assert rows(bench, "empty")[0]["vessel"] == "polyanion"


def test_a_solution_that_ages_fast_adsorbs_less(rig: RigOf) -> None:
    grown = []
    for haste in (None, 1000.0):
        bench = rig({"sig_layer": 0.0})
        if haste is not None:
            bench.world.befall(Mishap("ageing", 0, "polyanion", haste, 24 * H))
        bench.wait(30 * 3600.0)
        bench.bilayer()
        grown.append(bench.film()["coverage_per_dip"])
        bath = bench.world.truth()["vessels"]["polyanion"]
        hours = bench.now_ns / H + (0.0 if haste is None else 24.0 * 999.0)
        assert bath["age_h"] == pytest.approx(hours)
        assert bath["active_share"] == pytest.approx(math.exp(-0.01 * hours / 24.0))
    assert grown[1] < 0.1 * grown[0]


def test_room_light_blinds_the_photodiode_and_bleaches_the_film(rig: RigOf) -> None:
    bench = rig({"sig_A": 0.0, "drift_A": 0.0})
    bench.bilayer()
    diode = bench.world.link("photodiode")
    dark = diode.watts(bench.now_ns)
    bench.world.befall(Mishap("room-light", bench.now_ns + 60 * NS, "", 100.0, 600 * NS))
    bench.wait(300.0)
    assert diode.watts(bench.now_ns) > 100.0 * dark
    assert bench.world.truth()["quality"]["m_state"] > 0.5
    bench.wait(1000.0)
    assert diode.watts(bench.now_ns) < 2.0 * dark
    assert bench.world.truth()["quality"]["m_state"] < 0.02
    assert bench.world.truth()["quality"]["dark_adapted"] < 0.2


def test_a_stuck_heater_unfolds_the_protein_for_good(rig: RigOf) -> None:
    bench = rig({"sig_layer": 0.0})
    bench.prime()
    for _ in range(3):
        bench.bilayer()
    sound = bench.film()
    thermostat = bench.world.link("thermostat")
    thermostat.drive(True, 22.0, bench.now_ns)
    bench.world.befall(Mishap("heater-stuck", bench.now_ns, "", 70.0, H))
    bench.wait(1800.0)
    thermostat.drive(True, 22.0, bench.now_ns)
    assert thermostat.temperature(bench.now_ns) > 65.0
    bench.wait(20_000.0)
    assert thermostat.temperature(bench.now_ns) == pytest.approx(22.0)
    hot = bench.film()
    assert hot["a570_per_side"] < 0.7 * sound["a570_per_side"]
    assert hot["active_share"] < 0.7
    assert hot["photovoltage_mV"] < 0.75 * sound["photovoltage_mV"]
    assert hot["mass_ng_cm2"] == pytest.approx(sound["mass_ng_cm2"], rel=0.05)
    assert bench.world.truth()["vessels"]["polyanion"]["active_share"] < 0.7


def test_a_bath_that_boils_is_a_row_and_dries_up(rig: RigOf) -> None:
    bench = rig(bath=20.0, rinse=20.0)
    bench.world.befall(Mishap("heater-stuck", H, "", 120.0))
    bench.wait(200 * 3600.0)
    (row,) = rows(bench, "boiling")
    assert 3600.0 < row["at_s"] < 3600.0 + 2000.0
    assert bench.world.truth()["vessels"]["P1"]["volume_ml"] == 0.0
    assert bench.world.truth()["vessels"]["P1"]["temperature_c"] == 100.0
    bench.dip("P1", 10.0)
    assert bench.world.standing() is None
    assert [row["vessel"] for row in rows(bench, "empty")] == ["P1"]


def test_a_world_with_mishaps_can_go_back(rig: RigOf) -> None:
    ends = []
    for again in (False, True):
        bench = rig()
        for mishap in (
            Mishap("leak", 100 * NS, "polyanion", 50.0, H),
            Mishap("heater-stuck", 1500 * NS, "", 130.0, 600 * NS),
            Mishap("room-light", 1000 * NS, "", 50.0, 4000 * NS),
        ):
            bench.world.befall(mishap)
        bench.prime()
        if again:
            saved = json.loads(json.dumps(bench.world.snapshot()))
            where = bench.now_ns, bench.height, bench.angle
            bench.bilayer()
            bench.world.restore(saved)
            bench.now_ns, bench.height, bench.angle = where
        bench.bilayer()
        bench.world.advance(bench.now_ns)
        ends.append(json.dumps([bench.world.snapshot(), bench.world.truth()], sort_keys=True))
    assert ends[0] == ends[1]


def test_what_befalls_a_flow_bench() -> None:
    world = FlowWorld([Reservoir("BR", 1, 10.0), Reservoir("buffer", 2, 50.0)], FlowGeometry())
    for mishap in (
        Mishap("bubble", 1 * NS, "", 2.0),
        Mishap("blocked", 2 * NS, "", 0.5, NS),
        Mishap("leak", 3 * NS, "line", 60.0, NS),
        Mishap("empty", 4 * NS, "buffer"),
    ):
        world.befall(mishap)
    with pytest.raises(ValueError, match="'line' is no vessel"):
        world.befall(Mishap("empty", 0, "line"))
    sensors = world.link("sensors")
    assert sensors.signal(102, 0) > 0.0  # a dry cell
    world.advance(5 * NS)
    assert [row["what"] for row in world.ledger] == ["bubble", "blocked", "leak", "empty"]
    assert world.truth()["vessels"]["buffer"]["volume_ml"] == 0.0
