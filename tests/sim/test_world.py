"""Tests of the shared world: links, ledger, collisions, and that looking changes nothing."""

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.mishaps import Mishap
from sim.motion import Motion
from sim.parameters import PARAMETERS

# The same examples at every run, and no stop-watch: machines are shared.
REPEATABLE = settings(deadline=None, derandomize=True, database=None)
NS = 1_000_000_000
RigOf = Callable[..., Any]
VESSELS = ("primer", "polycation", "P1", "P3", "polyanion", "N1", "N3", "spare")
ACTS = st.one_of(
    st.tuples(st.just("dip"), st.sampled_from(VESSELS), st.floats(0.0, 900.0)),
    st.tuples(st.just("turn"), st.floats(0.0, 350.0)),
    st.tuples(st.just("pump"), st.floats(-5.0, 60.0)),
    st.tuples(st.just("heat"), st.booleans(), st.floats(5.0, 40.0)),
    st.tuples(st.just("light"), st.floats(0.0, 1.0)),
    st.tuples(st.just("fill"), st.sampled_from(["P1", "N3"])),
    st.tuples(st.just("wait"), st.floats(0.0, 5000.0)),
    st.tuples(
        st.just("befall"),
        st.sampled_from(
            [
                ("leak", "polyanion", 500.0),
                ("leak", "N3", 900.0),
                ("ageing", "polyanion", 300.0),
                ("empty", "polyanion", None),
                ("empty", "polyanion bottle", None),
                ("room-light", "", 50.0),
                ("heater-stuck", "", 110.0),
                ("power", "", None),
            ]
        ),
        st.floats(0.0, 2000.0),
        st.floats(0.5, 2000.0),
    ),
)


def act(bench: Any, what: tuple[Any, ...]) -> None:
    """Do one thing to a bench."""
    name, *args = what
    if name == "dip":
        bench.dip(*args)
    elif name == "turn":
        bench.turn(*args)
    elif name == "pump":
        bench.world.link("pump:polyanion").transfer(*args, bench.now_ns)
    elif name == "heat":
        bench.world.link("thermostat").drive(*args, bench.now_ns)
    elif name == "light":
        bench.world.link("light").current(*args, bench.now_ns)
    elif name == "fill":
        bench.world.advance(bench.now_ns)
        bench.world.fill(args[0], bench.buffer, 100.0)
    elif name == "befall":
        (kind, place, argument), wait, lasts = args
        at_ns = bench.now_ns + int(wait * NS)
        lasts_ns = None if kind == "empty" else int(lasts * NS)
        bench.world.befall(Mishap(kind, at_ns, place, argument, lasts_ns))
    else:
        bench.wait(*args)


def look(bench: Any) -> None:
    """Ask everything that can be asked."""
    world = bench.world
    world.advance(bench.now_ns)
    world.truth()
    world.standing()
    world.snapshot()
    for text, verb in (("photodiode", "watts"), ("balance", "grams")):
        getattr(world.link(text), verb)(bench.now_ns)
    world.link("thermostat").temperature(bench.now_ns)


def outcome(bench: Any) -> str:
    """Return all that can be known of a bench, as text."""
    bench.world.advance(bench.now_ns)
    reading = bench.world.link("photodiode").watts(bench.now_ns)
    state, truth = bench.world.snapshot(), bench.world.truth()
    return json.dumps([state, truth, reading, bench.world.ledger], sort_keys=True)


@REPEATABLE
@given(st.lists(ACTS, max_size=8), st.integers(0, 3))
def test_the_same_seed_gives_the_same_bytes_whoever_looks(
    rig: RigOf, acts: list[tuple[Any, ...]], seed: int
) -> None:
    one, other = rig(seed=seed), rig(seed=seed)
    one.world.link("pump:polyanion")
    other.world.link("pump:polyanion")
    for what in acts:
        act(one, what)
        act(other, what)
        look(other)
    assert outcome(one) == outcome(other)


@REPEATABLE
@given(st.lists(ACTS, max_size=6), st.lists(ACTS, max_size=6), st.integers(0, 5 * 10**18))
def test_a_restored_world_goes_on_bit_for_bit(
    rig: RigOf, before: list[tuple[Any, ...]], after: list[tuple[Any, ...]], start_ns: int
) -> None:
    one, other = rig(seed=3), rig(seed=3, start_ns=start_ns)
    one.world.link("pump:polyanion")
    for what in before:
        act(one, what)
    saved = json.dumps(one.world.snapshot(), sort_keys=True)
    other.world.ledger.extend(one.world.ledger)
    other.world.restore(json.loads(saved))
    other.now_ns, other.height, other.angle = one.now_ns + start_ns, one.height, one.angle
    for what in after:
        act(one, what)
        act(other, what)
    other.world.link("photodiode")
    ours, theirs = json.loads(outcome(one)), json.loads(outcome(other))
    assert ours == theirs


@REPEATABLE
@given(st.lists(ACTS, max_size=5), st.lists(ACTS, min_size=1, max_size=5))
def test_a_world_can_go_back(
    rig: RigOf, before: list[tuple[Any, ...]], after: list[tuple[Any, ...]]
) -> None:
    bench = rig(seed=3)
    for what in before:
        act(bench, what)
    known, where = outcome(bench), (bench.now_ns, bench.height, bench.angle)
    saved = bench.world.snapshot()
    for what in after:
        act(bench, what)
    bench.world.restore(saved)
    bench.now_ns, bench.height, bench.angle = where
    assert outcome(bench) == known


def test_a_fresh_ledger_keeps_counting(rig: RigOf) -> None:
    bench, later = rig(), rig()
    bench.bilayer()
    bench.film()
    saved = bench.world.snapshot()
    later.world.restore(saved)
    assert (saved["ledger"], later.world.ledger) == (len(bench.world.ledger), [])
    assert later.world.snapshot()["ledger"] == saved["ledger"]


def test_another_seed_gives_another_film(rig: RigOf) -> None:
    films = []
    for seed in (1, 2):
        bench = rig(seed=seed)
        bench.bilayer()
        films.append(bench.film()["thickness_nm"])
    assert films[0] != films[1]


def test_a_snapshot_of_another_seed_is_refused(rig: RigOf) -> None:
    with pytest.raises(ValueError, match="another version or seed"):
        rig(seed=1).world.restore(rig(seed=2).world.snapshot())


def test_time_never_runs_backward(rig: RigOf) -> None:
    bench = rig()
    bench.dip("P1", 100.0)
    bench.world.advance(bench.now_ns)
    before = bench.world.snapshot()
    bench.world.advance(5)
    assert bench.world.snapshot() == before


def test_the_next_event_is_foretold(rig: RigOf) -> None:
    world = rig().world
    assert world.next_ns() is None
    move = Motion(0, 0.0, 24.0, 16.0, 50.0)
    world.link("arm.z").moved(move)
    assert world.next_ns() == move.when(2.0)
    world.advance(world.next_ns())
    assert world.next_ns() == move.when(22.0)
    world.advance(move.end_ns)
    assert world.next_ns() is None


def test_an_immersion_begins_and_ends_at_the_surface(rig: RigOf) -> None:
    bench = rig(start_ns=50 * NS)
    bench.dip("P1", 100.0)
    standing = bench.world.standing()
    assert (standing["vessel"], standing["end_s"]) == ("P1", None)
    bench.dip("P2", 10.0)
    bench.world.advance(bench.now_ns)
    row = bench.world.ledger[0]
    assert row["start_s"] == standing["start_s"]
    assert {key: row[key] for key in ("kind", "substrate", "solution", "vessel")} == {
        "kind": "exposure",
        "substrate": 1,
        "solution": "buffer",
        "vessel": "P1",
    }
    # 22 mm at up to 16 mm/s and 50 mm/s2, after the turn; then 100 s, and 2 mm up at 2 mm/s
    assert 1.0 < row["start_s"] < 5.0
    assert row["end_s"] - row["start_s"] == pytest.approx(101.2, abs=0.3)


def collisions(bench: Any) -> list[str]:
    bench.film()
    return [row["cause"] for row in bench.world.ledger if row["kind"] == "collision"]


def test_turning_while_down_is_a_collision(rig: RigOf) -> None:
    bench = rig()
    bench.dip("P1", 10.0)
    bench.turn(10.0)
    assert collisions(bench) == ["sideways"]


def test_going_down_beside_a_vessel_is_a_collision_and_no_exposure(rig: RigOf) -> None:
    bench = rig()
    bench.turn(18.0)
    bench.lift(24.0, 16.0)
    bench.wait(100.0)
    bench.lift(0.0, 2.0)
    assert collisions(bench) == ["off station"]
    assert len(bench.world.ledger) == 1


def test_going_down_while_turning_is_a_collision(rig: RigOf) -> None:
    bench = rig()
    bench.world.link("arm.x").moved(Motion(0, 0.0, 324.0, 40.0, 120.0))
    bench.lift(24.0, 16.0)
    assert collisions(bench) == ["turning"]


def test_going_too_deep_is_a_collision(rig: RigOf) -> None:
    bench = rig()
    bench.lift(30.0, 16.0)
    assert collisions(bench) == ["bottom"]


def test_the_photometer_sees_both_sides_in_its_own_bath_only(rig: RigOf) -> None:
    # without light the film would adapt to the dark, under the lamp it would make M
    bench = rig({"sig_A": 0.0, "drift_A": 0.0, "f_DA": 0.0, "ambient": 0.0, "probe": 0.0})
    for _ in range(5):
        bench.bilayer()
    world = bench.world
    world.link("light").current(0.02, bench.now_ns)
    diode = world.link("photodiode")
    film = diode.watts(bench.now_ns)
    expected = 2.0 * bench.film()["a570_per_side"]
    bench.dip("N2", 10.0)
    empty = diode.watts(bench.now_ns)
    assert -math.log10(film / empty) == pytest.approx(expected, abs=1e-4)
    world.link("light").current(0.0, bench.now_ns)
    assert diode.watts(bench.now_ns) < 1e-9


def test_the_readout_bath_s_own_protein_absorbs(rig: RigOf) -> None:
    bench = rig({"sig_A": 0.0, "drift_A": 0.0})
    bench.world.link("light").current(0.02, 0)
    clear = bench.world.link("photodiode").watts(0)
    for _ in range(200):
        bench.dip("polyanion", 1.0)
        bench.dip("N3", 1.0)
    bench.dip("spare", 1.0)
    fouled = bench.world.link("photodiode").watts(bench.now_ns)
    # 200 times 3 uL of 1 mg/mL into 200 mL is 3 ug/mL: 5 mOD
    assert -math.log10(fouled / clear) == pytest.approx(5.2e-3, rel=0.05)


def test_the_thermostat_heats_what_the_film_sees(rig: RigOf) -> None:
    bench = rig()
    heat = bench.world.link("thermostat")
    assert heat.temperature(0) == 22.0
    heat.drive(True, 30.0, 0)
    assert heat.temperature(10_000 * NS) == pytest.approx(30.0, abs=0.01)


def test_the_balance_loses_what_the_pump_moves(rig: RigOf) -> None:
    bench = rig({"acc_pump": 1.0, "rep_pump": 0.0})
    pump, balance = bench.world.link("pump:polyanion"), bench.world.link("balance")
    full = balance.grams(0)
    assert full == pytest.approx(60.0 + 100.0 * 0.9978)
    assert pump.transfer(10.0, 0) == pytest.approx(10.1)
    assert full - balance.grams(0) == pytest.approx(10.1 * 0.9978)
    bench.world.stock("polyanion", 5.0)
    for second in range(10):
        pump.transfer(1.0, second * NS)
    kinds = [row["kind"] for row in bench.world.ledger]
    assert kinds == ["empty"]
    assert balance.grams(10 * NS) == pytest.approx(60.0)


def test_a_bath_that_runs_over_says_so_once(rig: RigOf) -> None:
    bench = rig(bath=20.0, rinse=20.0)
    pump = bench.world.link("pump:polyanion")
    for second in range(5):
        pump.transfer(10.0, second * NS)
    rows = [row for row in bench.world.ledger if row["kind"] == "overflow"]
    assert len(rows) == 1
    assert rows[0]["vessel"] == "polyanion"
    assert bench.world.truth()["vessels"]["polyanion"]["volume_ml"] == pytest.approx(40.0)


def test_an_open_bath_sinks_until_it_is_missed(rig: RigOf) -> None:
    # 0.01 mL/cm2 and h: the level sinks 0.1 mm an hour, out of a height of 20 mm.
    films = []
    for hours in (0.0, 120.0, 300.0):
        bench = rig(lidded=False)
        bench.wait(hours * 3600.0)
        bench.bilayer()
        films.append(bench.film())
    assert films[0]["thickness_nm"] > 1.2 * films[1]["thickness_nm"] > 0.0
    assert films[0]["lateral_cv"] < 0.5 * films[1]["lateral_cv"]
    assert films[2]["thickness_nm"] == 0.0
    assert bench.world.standing() is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("arm.y", "no link 'arm.y'; it has arm.z, arm.x"), ("pump:sink", "no vessel 'sink'")],
)
def test_an_unknown_link_is_refused(rig: RigOf, text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        rig().world.link(text)


def test_an_unknown_parameter_is_refused(rig: RigOf) -> None:
    with pytest.raises(ValueError, match="did you mean 'theta_j'"):
        rig({"theta_k": 1.0})


def test_polyelectrolytes_alone_grow_too(rig: RigOf) -> None:
    bench = rig(pss=True)
    bench.prime()
    for _ in range(5):
        bench.bilayer(120.0)
    film = bench.film()
    assert film["a570_per_side"] == 0.0
    assert film["thickness_nm"] == pytest.approx(5.0, rel=0.2)
    assert film["coverage_per_dip"] > 0.7


# Where the table's other parameters would hide: little gravity, half a buffer, half a stir.
ODD = {"gravity": 0.01, "buffered": 0.5, "stir": 0.5, "facing": 0.5, "k_ex": 1e-4}
# What only a cell has, and what recipes say.
ELSEWHERE = {
    "N", "n_rinse", "V_cell", "r_res", "p_bub", "p_bub_degassed", "p_valve", "V_line", "V_dead",
    "V_feed", "degassed", "p_pin", "p_clear", "R_tube", "C_tube", "sig_p",
}  # fmt: skip


def lived(rig: RigOf, parameters: dict[str, float]) -> str:
    """Return all that can be known of a bench on which everything happened once, as text."""
    bench = rig(parameters)
    world = bench.world
    balance, crystal, film = (world.link(name) for name in ("balance", "crystal", "film"))
    world.link("pump:polyanion").transfer(1.0, 0)
    bench.prime()
    bench.bilayer()
    bench.dip("N3", 10.0, air=2000.0)
    bench.bilayer(60.0)
    thermostat = world.link("thermostat")
    thermostat.drive(True, 90.0, bench.now_ns)
    bench.wait(600.0)
    bench.bilayer(60.0)
    thermostat.drive(False, 22.0, bench.now_ns)
    world.link("light").current(0.02, bench.now_ns)
    bench.wait(60.0)
    seen = [crystal.frequency(bench.now_ns), film.circuit(bench.now_ns)]
    seen += [balance.grams(bench.now_ns), world.link("photodiode").watts(bench.now_ns)]
    world.link("light").current(0.0, bench.now_ns)
    seen.append(world.link("photodiode").watts(bench.now_ns))
    return outcome(bench) + json.dumps(seen, allow_nan=False)


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_a_parameter_acts_as_the_table_says_and_breaks_nothing(rig: RigOf, name: str) -> None:
    usual = lived(rig, ODD)
    known = PARAMETERS[name]
    ends = [lived(rig, {**ODD, name: value}) for value in (known.low, known.high)]
    if name in ELSEWHERE:
        assert ends == [usual, usual]
    else:
        assert known.acts
        assert ends[0] != ends[1]
