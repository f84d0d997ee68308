"""The instruments that the first bench does not have, each with its driver on its simulated model.

The models were written from the manuals and not from the drivers: where the two meet, both are
probably right. After a cut command and the dead-man's bytes nothing runs that should not.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from drivers import DRIVERS
from drivers.bus import Bus
from drivers.errors import InstrumentError
from lbl._core import Core
from sim import MODELS
from sim.assembly import Assembly
from sim.faults import Fault
from sim.port import Spec
from sim.visa import SimLibrary
from sim.world import Geometry, Solution, VesselSpec, World

NS = 1_000_000_000
WARM = 30.0


@dataclass(frozen=True)
class Case:
    """How one model is wired and what its driver is told."""

    driver: str
    resource: str = "ASRL1::INSTR"
    address: int = 1
    link: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    model: dict[str, float | str] = field(default_factory=dict)


CASES = {
    "cavro": Case("cavro", options={"syringe": 1.0}),
    "cavro oem": Case("cavro", options={"syringe": 1.0, "protocol": "OEM"}),
    "newera safe": Case(
        "newera", address=0, link="pump:bath", options={"diameter": 14.43, "safe_mode_s": 5}
    ),
    "vici": Case("vici"),
    "qcm200": Case("qcm200"),
    "sqm160": Case("sqm160"),
    "lakeshore336": Case("lakeshore336"),
    "alicat": Case("alicat"),
    "daq6510": Case(
        "daq6510",
        resource="TCPIP0::127.0.0.1::5025::SOCKET",
        options={"channels": (101, 102, 103)},
    ),
    "keithley2450": Case("keithley2450", resource="TCPIP0::127.0.0.1::5026::SOCKET"),
    "ika": Case("ika"),
    "huber": Case("huber", link="thermostat"),
}
FIRST_BENCH = {"zaber", "newera", "pm100d", "dc2200", "julabo", "mettler"}  # test_on_sim.py
CASES = {name: case for name, case in CASES.items() if case.driver in MODELS}


class Rig:
    """One instrument on a virtual clock; `log` is what was written."""

    def __init__(self, name: str) -> None:
        case = CASES[name]
        self.core = Core(virtual=True)
        world = World([VesselSpec("bath", 0.0, 60.0, 6.0, True, 200.0)], Geometry(22.0, 26.0, 1.0))
        world.fill("bath", Solution("BR", "BR", 1.0, 9.0, -1), 60.0)
        spec = Spec(
            "it", case.driver, case.resource, case.address, link=case.link, options=case.model
        )
        self.assembly = Assembly([spec], world, seed=7)
        self.library = Recording.over(self.assembly, self.core)
        self.library.log = self.log = set[bytes]()
        self.bus = Bus(self.core, self.library)
        cls = DRIVERS[case.driver]
        self.made: Any = cls(self.bus.port(case.resource, link=cls.LINK), "it", **case.options)
        self.wire = self.assembly.ports[case.resource]
        self.device: Any = self.assembly.devices["it"]

    def wait(self, seconds: float) -> None:
        deadline = self.core.now_ns() + int(seconds * NS)
        while not self.core.wait_until_ns(deadline):
            pass


class Recording(SimLibrary):
    """Keeps what is written."""

    log: set[bytes]

    def write(self, session: Any, data: bytes) -> Any:
        self.log.add(data)
        return super().write(session, data)


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    made = Rig(request.param)
    yield made
    made.bus.close()


def on(*names: str) -> Any:
    """The test with a rig of each of these that has a model."""
    return pytest.mark.parametrize("rig", [name for name in names if name in CASES], indirect=True)


@on(*CASES)
def test_verbs_twice_over(rig: Rig) -> None:
    made = rig.made
    made.connect()
    identity = made.identify()
    assert identity.maker
    made.prepare()
    made.sense()
    made.prepare()
    for _ in range(2):
        before = rig.core.now_ns()
        made.safe()
        assert rig.core.now_ns() - before < made.SAFE_S * NS
    made.close()
    assert made.port.retries == 0


@on("cavro", "cavro oem")
def test_a_syringe_draws_and_gives(rig: Rig) -> None:
    pump = rig.made
    with pytest.raises(InstrumentError, match="not initialised"):
        pump.aspirate(0.5, 3)
    pump.prepare()
    pump.aspirate(0.5, 3)
    assert (pump.position(), pump.valve(), pump.busy()) == (pytest.approx(0.5), 3, False)
    pump.dispense(0.2, 5)
    assert (pump.position(), pump.valve()) == (pytest.approx(0.3), 5)
    with pytest.raises(InstrumentError, match="it cannot"):
        pump.dispense(0.31, 5)
    pump.safe()
    pump.prepare()
    assert pump.position() == pytest.approx(0.3)  # nothing was initialised again
    rig.assembly.power_cycle(rig.core.now_ns())
    with pytest.raises(InstrumentError):
        pump.aspirate(0.5, 3)
    pump.prepare()
    pump.aspirate(0.5, 3)
    assert pump.port.retries == 0


@on("newera safe")
def test_the_pumps_own_dead_man(rig: Rig) -> None:
    feed = rig.made
    feed.connect()
    feed.prepare()
    rig.wait(20)
    feed.start("INF", 1.0, 1.0)  # a dead-man that went off between doses is no matter
    for _ in range(5):
        rig.wait(2.4)
        assert feed.running()
    rig.wait(30)
    with pytest.raises(InstrumentError, match="alarm T"):
        feed.running()
    infused, _ = feed.totals()
    assert 0.2 < infused < 0.35  # 12 s, and 5 s more, of 60
    other = DRIVERS["newera"](feed.port, "other", diameter=14.43)
    other.connect()  # finds it in safe mode
    other.prepare()
    rig.wait(20)
    assert other.sense().alarm == ""
    feed.connect()
    feed.prepare()


@on("vici")
def test_a_valve_goes_everywhere(rig: Rig) -> None:
    valve = rig.made
    valve.prepare()
    for port in (1, 2, 7, 10, 1, 1, 6):
        valve.go(port)
        assert valve.position() == port
    assert valve.port.retries == 0


@on("lakeshore336")
def test_a_loop_heats_and_stops(rig: Rig) -> None:
    bath = rig.made
    bath.prepare()
    before = bath.temperature()
    bath.start(WARM)
    assert bath.setpoint() == pytest.approx(WARM, abs=0.01)
    assert bath.heating()
    assert -20 < before < 60
    bath.stop()
    assert not bath.heating()


def test_every_driver_meets_its_model() -> None:
    assert {case.driver for case in CASES.values()} | FIRST_BENCH == set(DRIVERS)


@on("huber")
def test_a_thermostat_heats_and_stops(rig: Rig) -> None:
    bath = rig.made
    bath.prepare()
    before = bath.temperature()
    bath.start(WARM)
    assert bath.sense().running and bath.setpoint() == WARM
    rig.wait(3600.0)
    assert before + 1 < bath.temperature() == pytest.approx(WARM, abs=1.0)
    bath.stop()
    assert not bath.sense().running and bath.port.retries == 0


@on("ika")
def test_a_bar_turns_and_stops(rig: Rig) -> None:
    plate = rig.made
    plate.prepare()
    plate.stir(300)
    assert plate.rpm() == pytest.approx(300, abs=30)
    plate.stop()
    assert plate.rpm() < 10


@on("keithley2450")
def test_a_voltage_with_the_output_off_afterwards(rig: Rig) -> None:
    smu = rig.made
    with pytest.raises(InstrumentError, match="prepare it again"):
        smu.open_circuit_volts()
    smu.prepare()
    assert abs(smu.open_circuit_volts()) < 2.0
    assert not smu.sense().on


@on("daq6510")
def test_a_scan(rig: Rig) -> None:
    daq = rig.made
    daq.prepare()
    assert set(daq.sense()) == {101, 102, 103}
    assert set(daq.volts((104,))) == {104}
    with pytest.raises(InstrumentError, match="channel 105 is over range"):
        daq.volts((101, 105))  # a Pt100 is no voltage
    assert daq.port.retries == 0


@on("qcm200")
def test_a_crystal(rig: Rig) -> None:
    rig.made.prepare()
    assert rig.made.frequency() == pytest.approx(5e6, rel=0.02)
    assert rig.made.resistance() >= 0


@on("sqm160")
def test_four_values_of_a_crystal(rig: Rig) -> None:
    monitor = rig.made
    monitor.prepare()
    assert monitor.frequency(1) == pytest.approx(5.5e6, rel=0.2)
    assert 0 <= monitor.life(1) <= 100
    assert abs(monitor.thickness(1)) < 1000 and abs(monitor.rate(1)) < 100


@on("alicat")
def test_a_reading(rig: Rig) -> None:
    pressure, temperature, _, _ = rig.made.reading()
    assert 0 <= pressure < 1000 and 0 < temperature < 60


READ: dict[str, Callable[[Any], Any]] = {
    "cavro": lambda it: it.position(),
    "cavro oem": lambda it: it.position(),
    "newera safe": lambda it: it.totals()[0],
    "vici": lambda it: it.position(),
    "qcm200": lambda it: it.resistance(),
    "sqm160": lambda it: it.frequency(1),
    "lakeshore336": lambda it: it.temperature(),
    "alicat": lambda it: it.reading().temperature,
    "daq6510": lambda it: it.volts((101,))[101],
    "keithley2450": lambda it: it.sense().limit,
    "ika": lambda it: it.temperature(),
    "huber": lambda it: it.temperature(),
}
CHECKED = {"cavro oem", "newera safe", "sqm160"}  # protocols with a checksum


@pytest.mark.parametrize("kind", ["delay", "drop", "truncate", "duplicate", "corrupt"])
@pytest.mark.parametrize("name", CASES)
def test_one_spoiled_answer_does_no_lasting_harm(name: str, kind: str) -> None:
    rig = Rig(name)
    rig.made.prepare()
    truth = READ[name](rig.made)
    argument = 5.0 if kind == "delay" else None
    rig.assembly.inject("it", Fault(kind, at_ns=rig.core.now_ns(), argument=argument))
    seen = []
    for _ in range(6):
        try:
            seen.append(READ[name](rig.made))
        except InstrumentError as error:
            assert error.kind in ("no answer", "garbled", "refused", "fault")
    close = pytest.approx(truth, rel=0.05, abs=0.1)
    wrong = 1 if kind == "corrupt" and name not in CHECKED else 0
    assert len(seen) >= 5 and sum(value != close for value in seen) <= wrong
    assert seen[-1] == close
    rig.bus.close()


def _pump_starts(rig: Rig) -> None:
    rig.made.start("INF", 5.0, 0.1)


def _plunger_starts(rig: Rig) -> None:
    """A stroke of a minute that nobody waits for."""
    rig.made._order("A3000R")


START: dict[str, Callable[[Rig], None]] = {
    "cavro": _plunger_starts,
    "cavro oem": _plunger_starts,
    "newera safe": _pump_starts,
    "vici": lambda rig: rig.made.go(4),
    "lakeshore336": lambda rig: rig.made.start(WARM),
    "keithley2450": lambda rig: rig.made._tell(":OUTP ON"),
    "ika": lambda rig: rig.made.stir(300),
    "huber": lambda rig: rig.made.start(WARM),
}
SAFE: dict[str, Callable[[Rig], bool]] = {
    "cavro": lambda rig: not rig.made.busy(),
    "cavro oem": lambda rig: not rig.made.busy(),
    "newera safe": lambda rig: rig.made.sense().state in ("S", "P"),
    "lakeshore336": lambda rig: not rig.made.heating(),
    "keithley2450": lambda rig: not rig.made.sense().on,
    "ika": lambda rig: rig.made.rpm() < 10,
    "huber": lambda rig: not rig.made.sense().running,
}
REST_S = {"ika": 6.0}  # a bar comes to rest by itself
ACT: dict[str, Callable[[Any], None]] = {
    "cavro": lambda it: it.aspirate(0.5, 3),
    "cavro oem": lambda it: it.aspirate(0.5, 3),
    "newera safe": lambda it: it.start("INF", 0.5, 1.0),
    "vici": lambda it: it.go(10),
    "lakeshore336": lambda it: it.start(WARM),
    "keithley2450": lambda it: it.open_circuit_volts(),
    "ika": lambda it: it.stir(300),
    "huber": lambda it: it.start(WARM),
}


def _cut(name: str) -> list[bytes]:
    """Every beginning of every command that a session of preparing and acting sends."""
    rig = Rig(name)
    rig.made.prepare()
    ACT[name](rig.made)
    rig.bus.close()
    return sorted({data[:cut] for data in rig.log for cut in range(len(data) + 1)})


@pytest.mark.parametrize("name", [name for name in SAFE if name in CASES])
def test_every_prefix_of_every_command_then_the_safe_bytes_is_safe(name: str) -> None:
    """The controller dies in the middle of any write; the dead-man's bytes follow."""
    rig = Rig(name)
    rig.made.prepare()
    if name.startswith("cavro"):
        rig.made._order("V50v50c50R")
        rig.made._settle(0.0, 1.0)
    START[name](rig)
    assert not SAFE[name](rig)
    running = rig.device.snapshot()
    beginnings = _cut(name)
    assert len(beginnings) > 20
    for data in beginnings:
        rig.device.restore(running)
        for piece in (data, *rig.made.safe_bytes()):
            rig.wire.write(piece, rig.core.now_ns())
            rig.wait(rig.made.SAFE_GAP_S)
        rig.wait(REST_S.get(name, 2.0))  # less than the pump's own dead-man takes
        rig.wire.discard()
        assert SAFE[name](rig), data
    rig.bus.close()


@pytest.mark.parametrize("name", [name for name in ("vici",) if name in CASES])
def test_a_cut_command_turns_no_valve(name: str) -> None:
    """Only a whole GO turns it; a beginning with the dead-man's bytes behind it does not."""
    rig = Rig(name)
    rig.made.prepare()
    START[name](rig)
    resting = rig.device.snapshot()
    for data in _cut(name):
        rig.device.restore(resting)
        for piece in (data, *rig.made.safe_bytes()):
            rig.wire.write(piece, rig.core.now_ns())
        rig.wait(6.0)
        rig.wire.discard()
        wanted = 10 if data == b"GO10\r" else 4
        assert rig.made.position() == wanted, data
    rig.bus.close()
