"""The flow bench through its models: raw bytes in, and the ledger as the judge."""

import json
from typing import Any

import pytest

from tests.sim.flow_desk import COOLER, DAQ, DIODE, EXACT, LED, LINE, PUMP, FlowDesk, flow_world


def desk(parameters: dict[str, float] | None = None, *, start: bool = True) -> FlowDesk:
    bench = FlowDesk(flow_world({**EXACT, **(parameters or {})}))
    if start:
        bench.start()
    return bench


def volts(bench: FlowDesk, channel: int) -> float:
    return float(bench.ask(DAQ, b"MEAS:VOLT:DC? (@%d)\n" % channel))


def test_a_bilayer_by_hand_is_what_the_ledger_says() -> None:
    bench = desk()
    bench.exchange(4)
    for position in (2, 3):
        bench.exchange(position)
        bench.wait(600.0)
        bench.exchange(4, position)
        for _ in range(5):
            bench.wait(60.0)
            bench.exchange(4)
        bench.wait(60.0)
    rows: list[dict[str, Any]] = bench.world.ledger
    told = [
        (row["solution"], round(row["end_s"] - row["start_s"], -1))
        for row in rows
        if row["kind"] == "exposure"
    ]
    rinses = [("buffer", 60.0)] * 6
    # the last rinse still lasts
    assert told == [("buffer", 0.0), ("PDAC", 600.0), *rinses, ("BR", 600.0), *rinses[:-1]]
    airs = [row["end_s"] - row["start_s"] for row in rows if row["kind"] == "air"]
    assert max(airs) < 20.0
    assert {row["kind"] for row in rows} == {"exposure", "air"}
    film = bench.world.truth()["film"]
    assert film["coverage_per_dip"] == pytest.approx(0.89, rel=0.1)


def test_the_sensors_tell_what_the_cell_holds() -> None:
    bench = desk({"sig_p": 0.0})
    assert volts(bench, 102) == 5.0  # the cell is dry
    assert volts(bench, 103) == 0.0
    bench.exchange(4)
    assert (volts(bench, 101), volts(bench, 102)) == (pytest.approx(0.5), 0.0)
    assert volts(bench, 103) == pytest.approx(0.05, abs=1e-4)
    assert float(bench.ask(DAQ, b"MEAS:TEMP? (@105)\n")) == pytest.approx(22.0, abs=0.01)
    bench.exchange(3)
    assert volts(bench, 103) > 0.09
    frame = bench.ask(LINE, b"A\r").split()
    assert [float(word) for word in frame[1:4]] == pytest.approx([101.32, 22.0, 0.0], abs=0.02)
    assert frame[3] == b"+0000.0"


def test_the_meter_sees_the_stroke_while_it_lasts() -> None:
    bench = desk({"sig_p": 0.0})
    bench.turn(4)
    bench.pump("I1A855")
    bench.ask(PUMP, b"/1I2A0R\r")
    bench.wait(0.25 + 0.7)  # one port further, and half of the stroke
    frame = bench.ask(LINE, b"A\r").split()
    assert float(frame[3]) == pytest.approx(12.0, abs=0.2)
    assert float(frame[1]) == pytest.approx(101.325 + 0.4 * 12.0, abs=0.1)
    assert volts(bench, 101) == pytest.approx(0.5 + 0.04 * 4.8, abs=0.01)


def test_the_photometer_sees_the_film_in_the_cell() -> None:
    dark = {"f_DA": 0.0, "ambient": 0.0, "probe": 0.0}  # no dark adaptation, no M
    bench = desk({"sig_A": 0.0, "drift_A": 0.0, **dark})
    bench.tell(LED, b"SOUR1:CCUR:CURR 0.02\n")
    bench.tell(LED, b"OUTP1:STAT ON\n")
    for _ in range(4):  # priming left a trace of protein
        bench.exchange(4)
    clear = float(bench.ask(DIODE, b"MEAS:POW?\n"))
    for position in (2, 3):
        bench.exchange(position)
        bench.wait(600.0)
        for _ in range(6):
            bench.exchange(4)
    coated = float(bench.ask(DIODE, b"MEAS:POW?\n"))
    seen = 2.0 * bench.world.truth()["film"]["a570_per_side"]
    assert clear / coated == pytest.approx(10.0**seen, rel=5e-5)


def test_the_thermostat_cools_the_cell() -> None:
    bench = desk(start=False)
    bench.tell(COOLER, b"SETP 1,300.15;RANGE 1,3\n")
    bench.wait(4000.0)
    assert float(bench.ask(COOLER, b"KRDG? A\n")) == pytest.approx(300.15, abs=0.1)


def test_a_selector_that_sticks_tells_where_it_is() -> None:
    bench = desk(start=False)
    bench.world.parameters["p_valve"] = 1.0  # far beyond what anybody may ask for
    assert bench.turn(4) == 1
    assert desk(start=False).turn(4) == 4


def test_a_blocked_line_stalls_the_pump() -> None:
    bench = desk()
    bench.world.flow.block(1.0)
    bench.turn(4)
    assert bench.pump("I1A3000I2A0") == 9  # plunger overload
    assert volts(bench, 101) == 5.0  # beyond the sensor's range
    assert bench.pump("A10") == 7  # and not initialised any more


def test_a_bench_goes_on_from_the_middle_of_a_stroke() -> None:
    one = desk({"p_bub_degassed": 0.2})
    one.exchange(2)
    one.ask(PUMP, b"/1I2A855I9A0I1A855I2A0R\r")
    one.wait(0.9)
    saved = json.dumps(one.assembly.snapshot(), sort_keys=True)
    other = desk({"p_bub_degassed": 0.2}, start=False)
    other.now_ns = one.now_ns
    other.world.ledger.extend(one.world.ledger)
    other.assembly.restore(json.loads(saved))
    for bench in (one, other):
        bench.wait(100.0)
        bench.exchange(4)
        bench.wait(1.0)
    states = [
        json.dumps([bench.assembly.snapshot(), bench.world.truth(), bench.world.ledger],
                   sort_keys=True)
        for bench in (one, other)
    ]  # fmt: skip
    assert states[0] == states[1]


def test_how_often_somebody_polls_changes_no_row() -> None:
    ledgers = []
    for poll_s in (0.05, 3.0):
        bench = desk()
        bench.turn(4)
        for _ in range(3):
            begun_ns = bench.now_ns
            assert bench.pump("I2A855I9A0I1A855I2A0", poll_s) == 0
            bench.wait(60.0 - (bench.now_ns - begun_ns) / 1e9)
        bench.wait(1.0)
        ledgers.append([row["end_s"] - row["start_s"] for row in bench.world.ledger])
    assert len(ledgers[0]) == 4
    assert ledgers[1] == pytest.approx(ledgers[0], abs=1e-3)


def test_a_power_cut_in_the_middle_of_a_stroke_leaves_liquid_where_it_is() -> None:
    bench = desk()
    bench.exchange(4)
    bench.ask(PUMP, b"/1I2A855R\r")
    bench.wait(0.7)
    bench.assembly.power_cycle(bench.now_ns)
    left = bench.world.truth()["vessels"]["cell"]["volume_ml"]
    assert 0.12 < left < 0.28
    bench.wait(100.0)
    assert bench.world.truth()["vessels"]["cell"]["volume_ml"] == pytest.approx(left, abs=1e-5)
    assert bench.pump("Z") == 0  # what was in the syringe goes to the waste
    assert bench.world.truth()["vessels"]["cell"]["volume_ml"] == pytest.approx(left, abs=1e-5)
