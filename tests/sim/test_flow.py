"""Tests of the flow bench's world: what strokes do to the cell, the film and the ledger."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.mishaps import Mishap
from sim.world import FlowGeometry, FlowWorld, Reservoir
from tests.sim.flow_desk import (
    EXACT,
    GEOMETRY,
    IDEAL,
    NS,
    RESERVOIRS,
    SOLUTIONS,
    SPECIES,
    FlowHand,
    flow_world,
    total,
)

REPEATABLE = settings(deadline=None, derandomize=True, database=None, max_examples=40)
ACTS = st.one_of(
    st.tuples(st.just("turn"), st.integers(1, 6)),
    st.tuples(st.just("move"), st.sampled_from([1, 2, 9]), st.sampled_from([1, 2, 9, 5]),
              st.floats(0.001, 1.0)),
    st.tuples(st.just("exchange"), st.integers(1, 4)),
    st.tuples(st.just("wait"), st.floats(0.0, 2000.0)),
    st.tuples(st.just("leak"), st.floats(0.0, 20.0)),
    st.tuples(st.just("block"), st.sampled_from([0.0, 0.5, 1.0])),
)  # fmt: skip


def act(hand: FlowHand, what: tuple[Any, ...]) -> None:
    name, *args = what
    if name in ("leak", "block"):
        getattr(hand.world.flow, name)(*args)
    else:
        getattr(hand, name)(*args)


def rows(world: FlowWorld, kind: str) -> list[dict[str, Any]]:
    return [dict(row) for row in world.ledger if row["kind"] == kind]


def cell(world: FlowWorld) -> dict[str, Any]:
    contents: dict[str, Any] = world.truth()["vessels"]["cell"]
    return contents


def primed(parameters: Mapping[str, float] = {}, geometry: FlowGeometry = GEOMETRY) -> FlowHand:
    hand = FlowHand(flow_world({**EXACT, **parameters}, geometry))
    hand.prime()
    return hand


# --- conservation ----------------------------------------------------------------------------


@REPEATABLE
@given(st.lists(ACTS, max_size=25))
def test_no_milligram_is_made_or_lost(acts: list[tuple[Any, ...]]) -> None:
    world = flow_world({"p_bub_degassed": 0.2})
    hand = FlowHand(world)
    before = sum(total(world, species) for species in SPECIES)
    for what in acts:
        act(hand, what)
    hand.wait(1.0)
    held = on_film(world)
    now = sum(total(world, species) for species in SPECIES)
    assert now + held == pytest.approx(before, rel=1e-9)


def on_film(world: FlowWorld) -> float:
    """The mg on the film, both sides: Sauerbrey's 17.7 ng/(cm2 Hz) on 2 cm2."""
    world.scene.substrate.settle(world.now_ns)
    return -world.truth()["film"]["qcm_hz"] * 17.7e-6 * 2.0


def test_what_the_film_holds_is_missing_elsewhere() -> None:
    world = flow_world(EXACT)
    hand = FlowHand(world)
    before = sum(total(world, species) for species in SPECIES)
    hand.prime()
    for _ in range(5):
        hand.bilayer()
    held = on_film(world)
    assert held > 4e-3
    now = sum(total(world, species) for species in SPECIES)
    assert before - now == pytest.approx(held, rel=1e-9)


# --- the residual ------------------------------------------------------------------------------


@pytest.mark.parametrize(("geometry", "least"), [(IDEAL, 3.0e-7), (GEOMETRY, 5.0e-7)])
def test_five_exchanges_leave_less_than_a_millionth(geometry: FlowGeometry, least: float) -> None:
    hand = primed({"A_sub": 0.1}, geometry)
    for position in (2, 2, 4, 4, 4, 4, 4):
        hand.exchange(position)
    left = cell(hand.world)["mg_per_ml"]["PDAC"]
    # residual 5 %: 0.05^5 = 3.1e-7; line and syringe bring some of the old liquid back
    assert least < left < 1e-6


def test_the_residual_is_the_benchs_unless_given() -> None:
    for given_, share in (({}, 0.05), ({"r_res": 0.2}, 0.2)):
        hand = primed({"A_sub": 0.1, **given_}, IDEAL)
        for position in (2, 2, 4):
            hand.exchange(position, ml=0.3 * (1.0 - share))
        assert cell(hand.world)["mg_per_ml"]["PDAC"] == pytest.approx(share, rel=0.01)


def test_a_given_cell_volume_wins() -> None:
    hand = primed({"V_cell": 0.6})
    hand.exchange(4)
    assert hand.world.standing() is None  # 0.285 mL do not half fill 0.6 mL
    hand.move(1, 2, 0.285)
    assert hand.world.standing() is not None


def test_what_goes_back_dilutes_its_reservoir() -> None:
    reservoirs = [replace(one, volume=10.0) for one in RESERVOIRS[:3]] + [RESERVOIRS[3]]
    world = FlowWorld(reservoirs, IDEAL, {**EXACT, "A_sub": 0.1})
    for one in reservoirs:
        world.fill(one.name, SOLUTIONS[one.name], one.volume)
    hand = FlowHand(world)
    hand.exchange(4)
    for _ in range(200):
        hand.exchange(3)
        for _ in range(2):
            hand.exchange(4, 3 if _ == 0 else None)
    strength = world.truth()["solutions"]["BR"]["c_over_c0"]
    # 5 % of 0.3 mL a cycle into 10 mL, for 200 cycles
    assert strength == pytest.approx(0.74, rel=0.03)


def test_line_content_comes_first_after_turning() -> None:
    hand = primed({"A_sub": 0.1})
    hand.turn(2)
    hand.move(1, 9, 0.2)
    hand.turn(4)
    hand.move(1, 9, 0.2)
    before = hand.world.truth()["vessels"]["waste"]["mg_per_ml"]["PDAC"]
    hand.turn(2)
    hand.stroke(1, -0.005)
    hand.stroke(9, 0.005)
    # the line held rinse
    assert hand.world.truth()["vessels"]["waste"]["mg_per_ml"]["PDAC"] < before


# --- the film --------------------------------------------------------------------------------


def test_a_bilayer_is_what_the_ledger_says() -> None:
    hand = primed()
    hand.exchange(4)
    hand.bilayer()
    exposures = rows(hand.world, "exposure")
    assert [row["vessel"] for row in exposures] == (
        ["rinse", "polycation"] + ["rinse"] * 6 + ["polyanion"] + ["rinse"] * 5
    )
    assert [row["solution"] for row in exposures[:2]] == ["buffer", "PDAC"]
    assert exposures[1]["end_s"] - exposures[1]["start_s"] == pytest.approx(603.0, abs=3.0)
    airs = rows(hand.world, "air")
    assert len(airs) == len(exposures)
    for row, one, other in zip(airs, exposures, exposures[1:], strict=False):
        assert (row["left"], row["entered"]) == (one["vessel"], other["vessel"])
        assert (row["start_s"], row["end_s"]) == (one["end_s"], other["start_s"])
        assert row["dried"] is False
        assert 1.0 < row["end_s"] - row["start_s"] < 10.0
    assert hand.world.standing() == {
        "kind": "exposure", "substrate": 1, "solution": "buffer", "vessel": "rinse",
        "start_s": airs[-1]["end_s"], "end_s": None,
    }  # fmt: skip


def test_a_film_grows_as_in_a_bath() -> None:
    hand = primed()
    for _ in range(10):
        hand.bilayer()
    film = hand.world.truth()["film"]
    assert film["coverage_per_dip"] == pytest.approx(0.89, rel=0.05)
    assert film["thickness_nm"] == pytest.approx(50.0, rel=0.1)


def test_a_half_full_cell_is_the_limit() -> None:
    hand = primed()
    hand.turn(4)
    hand.move(1, 2, 0.149)
    assert hand.world.standing() is None
    begun = hand.now_ns
    hand.move(1, 2, 0.1)
    standing = hand.world.standing()
    assert standing is not None
    # 1 uL into the second stroke: after drawing 0.1 mL, half a second and 5 ms
    start_s = standing["start_s"]
    assert isinstance(start_s, float)
    assert start_s - begun / NS == pytest.approx(1.008, abs=0.01)


def test_a_drained_cell_dries_in_the_end() -> None:
    outcome = []
    for hours in (0.5, 3.0):
        hand = primed()
        hand.exchange(4)
        hand.move(2, 9, 0.285)
        hand.wait(hours * 3600.0)
        hand.move(1, 2, 0.285)
        outcome.append(rows(hand.world, "air")[-1]["dried"])
    assert outcome == [False, True]


def test_a_partial_exchange_is_another_exposure_once_most_is_new() -> None:
    hand = primed()
    hand.exchange(4)
    for _ in range(3):
        hand.wait(10.0)
        hand.exchange(2, ml=0.12)
    hand.wait(10.0)
    exposures = [row["vessel"] for row in rows(hand.world, "exposure")]
    assert exposures == ["rinse"]
    assert hand.world.standing()["vessel"] == "polycation"  # type: ignore[index]
    assert rows(hand.world, "air") == []


def test_heat_acts_on_the_film_in_the_cell() -> None:
    films = []
    for setpoint in (10.0, 30.0):
        hand = primed()
        heat: Any = hand.world.link("thermostat")
        heat.drive(True, setpoint, hand.now_ns)
        hand.wait(4000.0)
        hand.bilayer(120.0)
        films.append(hand.world.truth()["film"]["thickness_nm"])
    assert films[0] < films[1]


# --- what runs dry and runs over ---------------------------------------------------------------


def test_unprimed_lines_bring_gas() -> None:
    hand = FlowHand(flow_world(EXACT))
    hand.exchange(4)
    # 60 uL of the feed, 5 uL of the line and 2 uL of the syringe were gas
    assert cell(hand.world)["volume_ml"] == pytest.approx(0.285 - 0.067, abs=1e-6)


def test_an_empty_reservoir_gives_gas_and_says_so_once() -> None:
    hand = primed()
    hand.world.flow.empty("polycation")
    for _ in range(3):
        hand.exchange(2)
    # what was left came out of the feed line, the rest was gas
    assert cell(hand.world)["volume_ml"] < 0.15
    assert [row["vessel"] for row in rows(hand.world, "empty")] == ["polycation"]
    assert hand.world.truth()["vessels"]["polycation"]["volume_ml"] == 0.0


def test_rinse_and_waste_share_their_room() -> None:
    hand = primed({}, replace(GEOMETRY, bladder=700.5))
    sensors: Any = hand.world.link("sensors")
    for _ in range(3):
        hand.turn(2)
        hand.move(1, 9, 0.9)
    assert [row["vessel"] for row in rows(hand.world, "overflow")] == ["waste"]
    # 1 uL/kPa
    contents = hand.world.truth()["vessels"]
    over = contents["rinse"]["volume_ml"] + contents["waste"]["volume_ml"] - 700.5
    hand.wait(1.0)
    reading = (sensors.signal(101, hand.now_ns) - 0.5) / 0.04
    assert reading == pytest.approx(min(over * 1000.0, 112.5), abs=1.0)
    hand.world.fill("rinse", SOLUTIONS["rinse"], 700.0)
    assert hand.world.truth()["vessels"]["waste"]["volume_ml"] == 0.0


def test_a_rinse_that_becomes_waste_takes_no_more_room() -> None:
    hand = primed()
    for _ in range(100):
        hand.exchange(4)
    assert rows(hand.world, "overflow") == []
    vessels = hand.world.truth()["vessels"]
    assert vessels["waste"]["volume_ml"] > 28.0
    assert vessels["waste"]["volume_ml"] + vessels["rinse"]["volume_ml"] < 702.0


def test_a_cell_that_is_too_full_runs_over() -> None:
    hand = primed()
    hand.exchange(4)
    hand.turn(4)
    hand.move(1, 2, 0.5)
    assert [row["vessel"] for row in rows(hand.world, "overflow")] == ["cell"]


# --- pressure, blocked and leaking lines -------------------------------------------------------


def mid_stroke(hand: FlowHand, port: int, ml: float) -> tuple[float, float, float]:
    """Gauge pressure (kPa), the meter's flow and pressure in the middle of a stroke."""
    links: Any = {name: hand.world.link(name) for name in ("sensors", "line")}
    found: list[tuple[float, float, float]] = []
    syringe = hand._syringe

    class Spy:
        begin = staticmethod(syringe.begin)

        @staticmethod
        def pump(port: str, ml: float, now_ns: int) -> bool:
            fine: bool = syringe.pump(port, ml, now_ns)
            gauge = (links["sensors"].signal(101, now_ns) - 0.5) / 0.04
            found.append((gauge, links["line"].flow(now_ns), links["line"].pressure(now_ns)))
            return fine

    hand._syringe, hand._look_ns = Spy, 200_000_000
    hand.stroke(port, ml)
    hand._syringe, hand._look_ns = syringe, 0
    return found[len(found) // 2]


def test_pressure_goes_with_flow() -> None:
    hand = primed({"sig_p": 0.0})
    hand.turn(4)
    hand.stroke(1, -0.285)
    gauge, flow, absolute = mid_stroke(hand, 2, 0.285)
    assert flow == pytest.approx(12.0, rel=0.01)
    assert gauge == pytest.approx(0.4 * 12.0, rel=0.01)
    assert absolute == pytest.approx(101.325 + 4.8, abs=0.1)
    hand.wait(1.0)
    line: Any = hand.world.link("line")
    assert (line.flow(hand.now_ns), line.pressure(hand.now_ns)) == (0.0, 101.325)
    gauge, flow, _ = mid_stroke(hand, 2, -0.2)
    assert (flow, gauge) == (pytest.approx(-12.0, rel=0.01), pytest.approx(-4.8, rel=0.01))
    _, flow, _ = mid_stroke(hand, 9, 0.2)
    assert flow == 0.0  # the meter is in the cell's line


def test_a_blocked_line_builds_up_pressure_until_the_pump_stalls() -> None:
    hand = primed({"sig_p": 0.0})
    hand.world.flow.block(1.0)
    hand.turn(4)
    hand.stroke(1, -0.9)
    assert hand.stroke(2, 0.05)
    sensors: Any = hand.world.link("sensors")
    assert sensors.signal(101, hand.now_ns) == pytest.approx(0.5 + 0.04 * 50.0)
    assert cell(hand.world)["volume_ml"] == 0.0
    assert not hand.stroke(2, 0.8)
    hand.world.flow.block(0.0)
    hand.wait(1.0)
    assert sensors.signal(101, hand.now_ns) == pytest.approx(0.5)
    assert hand.world.standing() is not None


def test_a_half_blocked_line_resists_more() -> None:
    hand = primed({"sig_p": 0.0})
    hand.world.flow.block(0.9)
    hand.turn(4)
    hand.stroke(1, -0.285)
    gauge, flow, _ = mid_stroke(hand, 2, 0.285)
    assert (gauge, flow) == (pytest.approx(48.0, rel=0.01), pytest.approx(12.0, rel=0.01))


def test_a_leak_never_reaches_the_cell() -> None:
    hand = primed()
    hand.world.flow.leak(3.0)
    hand.turn(4)
    hand.stroke(1, -0.285)
    _, flow, _ = mid_stroke(hand, 2, 0.285)
    assert flow == pytest.approx(9.0, rel=0.01)
    assert cell(hand.world)["volume_ml"] == pytest.approx(0.75 * 0.285, rel=1e-3)
    assert [row["vessel"] for row in rows(hand.world, "leak")] == ["cell"]
    with pytest.raises(ValueError, match="0 mL/min or more"):
        hand.world.flow.leak(-1.0)
    with pytest.raises(ValueError, match=r"share of 0\.\.1"):
        hand.world.flow.block(1.5)


# --- bubbles -----------------------------------------------------------------------------------


def gas_seen(hand: FlowHand) -> bool:
    sensors: Any = hand.world.link("sensors")
    return bool(sensors.signal(102, hand.now_ns) > 2.5)


@pytest.mark.parametrize(("gravity", "stays"), [(1.0, False), (0.0, True)])
def test_a_free_bubble_leaves_where_there_is_gravity(gravity: float, stays: bool) -> None:
    seen = 0
    for seed in range(40):
        given_ = {**EXACT, "p_bub_degassed": 0.2, "p_pin": 0.0, "gravity": gravity}
        hand = FlowHand(flow_world(given_, seed=seed))
        hand.prime()
        hand.exchange(4)
        hand.wait(60.0)
        seen += gas_seen(hand)
    assert seen > 3 if stays else seen == 0


def test_degassing_and_chance_decide_how_many_bubbles_there_are() -> None:
    counts = []
    for degassed in (0.0, 1.0):
        airy = {"p_bub": 0.2, "degassed": degassed, "p_clear": 1.0, "gravity": 0.0}
        hand = primed(airy)
        count = 0
        for _ in range(200):
            hand.exchange(4)
            count += gas_seen(hand)
        counts.append(count)
    assert counts[1] == 0
    assert 20 < counts[0] < 60


def test_a_bubble_that_sits_is_seen_and_keeps_the_film_dry() -> None:
    films = []
    for size in (0.0, 5.0):
        hand = primed({"p_clear": 0.0, "sig_A": 0.0, "drift_A": 0.0})
        hand.exchange(4)
        light: Any = hand.world.link("light")
        diode: Any = hand.world.link("photodiode")
        beside: Any = hand.world.link("reference")
        light.current(0.02, hand.now_ns)
        before = diode.watts(hand.now_ns), beside.watts(hand.now_ns)
        if size:
            hand.world.flow.bubble(size)
            assert gas_seen(hand)
            assert 0.30 < diode.watts(hand.now_ns) / before[0] < 0.98  # 10 to 500 mOD
            assert beside.watts(hand.now_ns) == pytest.approx(before[1], rel=1e-9)
        hand.bilayer()
        films.append(hand.world.truth()["film"])
    # 20 mm2 of 200 mm2, in either layer
    assert films[1]["thickness_nm"] < 0.95 * films[0]["thickness_nm"]
    assert films[1]["lateral_cv"] > films[0]["lateral_cv"]


def test_a_stroke_flushes_a_bubble() -> None:
    hand = primed({"p_clear": 1.0})
    hand.exchange(4)
    hand.world.flow.bubble()
    hand.stroke(2, -0.05)  # too little
    hand.stroke(2, 0.05)
    assert gas_seen(hand)
    hand.stroke(2, -0.15)
    hand.stroke(2, 0.15)
    assert not gas_seen(hand)


def test_gas_pushed_into_a_full_cell_is_a_bubble() -> None:
    hand = primed({"gravity": 0.0, "p_clear": 0.0})
    hand.exchange(4)
    assert not gas_seen(hand)
    hand.turn(7)  # nothing is connected there
    hand.move(1, 2, 0.02)
    hand.turn(4)
    hand.move(1, 9, 0.1)  # the line is full again
    assert gas_seen(hand)


# --- mishaps ------------------------------------------------------------------------------------


def test_what_befalls_a_flow_bench_happens_at_its_instant() -> None:
    hand = primed({"gravity": 0.0, "p_clear": 0.0})
    hand.exchange(4)
    at_ns = hand.now_ns + 10 * NS
    hand.world.befall(Mishap("bubble", at_ns, "", 2.0))
    hand.world.befall(Mishap("empty", at_ns + NS, "polyanion"))
    hand.world.befall(Mishap("leak", at_ns + NS, "line", 180.0, 60 * NS))
    hand.world.befall(Mishap("blocked", at_ns + 100 * NS, "", None, 60 * NS))
    assert not gas_seen(hand)
    hand.wait(12.0)
    assert gas_seen(hand)
    assert hand.world.truth()["vessels"]["polyanion"]["volume_ml"] == 0.0
    hand.turn(4)
    hand.stroke(1, -0.2)
    _, flow, _ = mid_stroke(hand, 2, 0.2)
    assert flow == pytest.approx(9.0, rel=0.01)  # 3 mL/min of 12 are lost
    hand.wait(110.0)
    hand.stroke(1, -0.2)
    _, flow, _ = mid_stroke(hand, 2, 0.2)
    assert flow == 0.0
    hand.wait(60.0)
    hand.stroke(1, -0.2)
    _, flow, _ = mid_stroke(hand, 2, 0.2)
    assert flow == pytest.approx(12.0, rel=0.01)
    kinds = [row["what"] for row in rows(hand.world, "mishap")]
    assert kinds == ["bubble", "empty", "leak", "blocked"]


@pytest.mark.parametrize(
    ("kind", "place", "sentence"),
    [
        ("leak", "tank", "no vessel 'tank'"),
        ("empty", "line", "'line' is no vessel"),
    ],
)
def test_a_mishap_nowhere_is_refused(kind: str, place: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        flow_world().befall(Mishap(kind, 0, place))


def test_a_leaking_bag_loses_its_liquid() -> None:
    hand = primed()
    hand.world.befall(Mishap("leak", hand.now_ns, "polyanion", 5.0))
    hand.wait(3600.0)
    volume = hand.world.truth()["vessels"]["polyanion"]["volume_ml"]
    assert volume == pytest.approx(20.0 - 0.6 - 5.0, abs=0.01)


def test_a_crystal_beside_the_film_feels_the_same_layers() -> None:
    hand = primed({"sig_QCM": 0.0, "drift_QCM": 0.0})
    hand.exchange(4)
    crystal: Any = hand.world.link("crystal")
    before = crystal.frequency(hand.now_ns)
    hand.bilayer()
    # 530 ng/cm2 of membrane and 50 ng/cm2 of polycation, and the water in them
    assert -60.0 < crystal.frequency(hand.now_ns) - before < -30.0


# --- selector ----------------------------------------------------------------------------------


def test_a_selector_that_sticks_stays_and_says_so() -> None:
    world = flow_world({"p_valve": 1e-3})
    selector: Any = world.link("selector")
    told = [selector.select(1 + turn % 2, turn) for turn in range(5000)]
    stuck = [(turn, where) for turn, where in enumerate(told) if where is not None]
    assert 1 <= len(stuck) <= 15
    assert all(where == 2 - turn % 2 for turn, where in stuck)  # where it was before


# --- same seed, same bytes; looking; snapshots -------------------------------------------------


def outcome(hand: FlowHand) -> str:
    hand.world.advance(hand.now_ns)
    diode: Any = hand.world.link("photodiode")
    found = [hand.world.snapshot(), hand.world.truth(), diode.watts(hand.now_ns)]
    return json.dumps([*found, hand.world.ledger], sort_keys=True)


@REPEATABLE
@given(st.lists(ACTS, max_size=10), st.lists(ACTS, max_size=6), st.integers(0, 5 * 10**18))
def test_a_restored_world_goes_on_bit_for_bit(
    before: list[tuple[Any, ...]], after: list[tuple[Any, ...]], start_ns: int
) -> None:
    one = FlowHand(flow_world({"p_bub_degassed": 0.2}, seed=3))
    for what in before:
        act(one, what)
    saved = json.dumps(one.world.snapshot(), sort_keys=True)
    world = flow_world({"p_bub_degassed": 0.2}, seed=3, start_ns=start_ns)
    world.ledger.extend(one.world.ledger)
    world.restore(json.loads(saved))
    other = FlowHand(world)
    other.now_ns, other.plunger = one.now_ns + start_ns, one.plunger
    for what in after:
        act(one, what)
        act(other, what)
    assert outcome(one) == outcome(other)


def numbers(value: Any) -> Any:
    """Every number in nested data, in order."""
    if isinstance(value, dict):
        return [found for name in sorted(value) for found in numbers(value[name])]
    if isinstance(value, list):
        return [found for one in value for found in numbers(one)]
    return [value] if isinstance(value, int | float) else []


def test_looking_on_the_way_changes_nothing_but_the_last_digit() -> None:
    results = []
    for look_s in (0.0, 0.037):
        hand = FlowHand(flow_world({"p_bub_degassed": 0.2}, seed=5), look_s)
        hand.prime()
        for _ in range(2):
            hand.bilayer()
        hand.wait(5.0)
        results.append(numbers([hand.world.truth(), hand.world.ledger]))
    assert len(results[0]) > 100
    assert results[1] == pytest.approx(results[0], rel=1e-6, abs=1e-9)


def test_another_seed_gives_another_film() -> None:
    films = []
    for seed in (1, 2):
        hand = FlowHand(flow_world(seed=seed))
        hand.prime()
        hand.bilayer()
        films.append(hand.world.truth()["film"]["thickness_nm"])
    assert films[0] != films[1]


# --- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reservoirs", "geometry", "sentence"),
    [
        ([Reservoir("a", 1, 1.0), Reservoir("b", 1, 1.0)], FlowGeometry(), "same position"),
        ([Reservoir("a", 1, 1.0), Reservoir("a", 2, 1.0)], FlowGeometry(), "same name"),
        ([Reservoir("cell", 1, 1.0)], FlowGeometry(), "can be called"),
        ([Reservoir("a", 1, 1.0)], FlowGeometry(bladder=1.0, shares="b"), "'b', which is not"),
        ([Reservoir("a", 1, 1.0)], FlowGeometry(inlet=9), "three ports"),
    ],
)
def test_what_cannot_be_is_refused(
    reservoirs: list[Reservoir], geometry: FlowGeometry, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        FlowWorld(reservoirs, geometry)


def test_an_unknown_link_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no link 'arm\.z'; it has syringe, selector"):
        flow_world().link("arm.z")
