"""Every driver through PyVISA on the simulated instruments, in virtual time.

The models were written from the manuals and not from the drivers: where the two meet, both are
probably right.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from drivers.bus import Bus
from drivers.dc2200 import DC2200
from drivers.errors import InstrumentError
from drivers.julabo import Julabo
from drivers.mettler import Mettler
from drivers.newera import NewEra
from drivers.pm100d import PM100D
from drivers.zaber import Zaber
from drivers.zaber_ascii import FRAMING
from lbl._core import Core
from sim.assembly import Assembly
from sim.port import Spec
from sim.visa import SimLibrary
from sim.world import Geometry, Solution, VesselSpec, World

NS = 1_000_000_000
ARM = "ASRL/dev/lbl/arm::INSTR"
STEP = 0.49609375e-3
TURN = 0.00046875
SPECS = (
    Spec("lift", "zaber", ARM, 1, link="arm.z", options={"microstep": STEP, "high": 60.0}),
    Spec(
        "turn",
        "zaber",
        ARM,
        2,
        link="arm.x",
        options={"microstep": TURN, "high": 359.9, "accel": 120.0, "speed": 40.0},
    ),
    Spec("feed", "newera", "ASRL/dev/lbl/feed::INSTR", 0, link="pump:bath"),
    Spec("diode", "pm100d", "USB0::0x1313::0x8078::P0012345::INSTR", link="photodiode"),
    Spec("led", "dc2200", "USB0::0x1313::0x80C8::M00960538::INSTR", link="light"),
    Spec("heat", "julabo", "ASRL/dev/lbl/heat::INSTR", link="thermostat"),
    Spec("balance", "mettler", "ASRL/dev/lbl/balance::INSTR", link="balance"),
)


class Bench:
    """All instruments of SPECS with their drivers, on one virtual clock."""

    def __init__(self, library: type[SimLibrary] = SimLibrary) -> None:
        self.core = Core(virtual=True)
        self.world = World(
            [VesselSpec("bath", 0.0, 60.0, 6.0, True, 200.0)],
            Geometry(22.0, 26.0, 1.0, 2.0),
            readout="bath",
        )
        self.world.fill("bath", Solution("BR", "BR", 1.0, 9.0, -1), 60.0)
        self.assembly = Assembly(SPECS, self.world)
        self.library = library.over(self.assembly, self.core)
        self.bus = Bus(self.core, self.library)
        resource = {spec.name: spec.resource for spec in SPECS}

        def port(name: str, cls: Any) -> Any:
            return self.bus.port(resource[name], link=cls.LINK, purpose="test")

        self.lift = Zaber(
            port("lift", Zaber), "lift", 1, microstep=STEP, low=0.0, high=60.0, accel=50.0
        )
        self.turn = Zaber(
            port("turn", Zaber), "turn", 2, microstep=TURN, low=0.0, high=359.9, accel=120.0
        )
        self.feed = NewEra(port("feed", NewEra), "feed", diameter=26.7)
        self.diode = PM100D(port("diode", PM100D), "diode")
        self.led = DC2200(port("led", DC2200), "led", limit=1.0)
        self.heat = Julabo(port("heat", Julabo), "heat")
        self.balance = Mettler(port("balance", Mettler), "balance")
        self.all: dict[str, Any] = {
            "lift": self.lift,
            "turn": self.turn,
            "feed": self.feed,
            "diode": self.diode,
            "led": self.led,
            "heat": self.heat,
            "balance": self.balance,
        }

    def prepare(self) -> None:
        for axis in (self.lift, self.turn):
            axis.prepare()
        self.feed.prepare()
        self.diode.prepare(570.0, 100)
        self.led.prepare()
        self.heat.prepare()
        self.balance.prepare()

    def wait(self, seconds: float) -> None:
        deadline = self.core.now_ns() + int(seconds * NS)
        while not self.core.wait_until_ns(deadline):
            pass


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.bus.close()


names = pytest.mark.parametrize("name", [spec.name for spec in SPECS])


@names
def test_connect_identify_safe_close(bench: Bench, name: str) -> None:
    made = bench.all[name]
    made.connect()
    identity = made.identify()
    assert identity.maker and identity.model
    before = bench.core.now_ns()
    made.safe()
    made.safe()
    assert bench.core.now_ns() - before < 2 * made.SAFE_S * NS
    made.close()
    assert made.port.retries == 0


def test_prepare_everything_twice(bench: Bench) -> None:
    bench.prepare()
    start = bench.core.now_ns()
    bench.prepare()
    assert bench.core.now_ns() - start < 5 * NS  # nothing homed again
    assert all(made.port.retries == 0 for made in bench.all.values())
    for axis in (bench.lift, bench.turn):
        sensed = axis.sense()
        assert (sensed.referenced, sensed.moving, sensed.warning) == (True, False, "")


def test_nothing_moves_before_the_reference(bench: Bench) -> None:
    assert not bench.lift.sense().referenced
    with pytest.raises(InstrumentError, match="not referenced"):
        bench.lift.move(10.0)
    bench.lift.prepare()
    bench.lift.set_speed(2.0)
    bench.lift.move(10.0)
    assert bench.lift.position() == pytest.approx(10.0, abs=STEP)
    bench.assembly.power_cycle(bench.core.now_ns())
    assert not bench.lift.sense().referenced
    with pytest.raises(InstrumentError, match="not referenced"):
        bench.lift.move(10.0)


def test_a_transfer_armed_ahead_on_a_chained_port(bench: Bench) -> None:
    bench.prepare()
    now = bench.core.now_ns()
    bench.lift.set_speed(16.0)
    bench.turn.set_speed(40.0)
    legs = [(bench.lift, 24.0, now + 2 * NS), (bench.turn, 36.0, now + 5 * NS)]
    for axis, target, deadline in legs:
        bench.core.confirm(axis.arm_move(target, deadline, deadline + NS // 20))
    bench.wait(4)
    assert not bench.lift.moving()
    bench.wait(1.5)
    assert bench.turn.moving()
    bench.wait(3)
    assert not bench.turn.moving()
    assert bench.lift.position() == pytest.approx(24.0, abs=STEP)
    assert bench.turn.position() == pytest.approx(36.0, abs=TURN)
    records = bench.core.records()
    assert list(records["actual_ns"] - records["deadline_ns"]) == [0, 0]


def test_an_armed_move_that_the_device_refuses(bench: Bench) -> None:
    bench.lift.prepare()
    port = bench.lift.port
    port.query(b"/1 1 00 set limit.max 100\n", FRAMING, 0.5, who="x")
    now = bench.core.now_ns()
    bench.core.confirm(bench.lift.arm_move(24.0, now + NS, now + 2 * NS))
    bench.wait(2)
    with pytest.raises(InstrumentError, match="BADDATA"):
        bench.lift.moving()
    assert not bench.lift.moving()


def test_safe_stops_a_moving_axis(bench: Bench) -> None:
    bench.lift.prepare()
    bench.lift.set_speed(2.0)
    now = bench.core.now_ns()
    bench.core.confirm(bench.lift.arm_move(24.0, now + NS, now + 2 * NS))
    bench.wait(3)
    assert bench.lift.moving()
    bench.lift.safe()
    assert not bench.lift.moving()
    assert 1.0 < bench.lift.position() < 10.0


def test_a_dose_is_what_was_said_and_the_bottle_got_lighter(bench: Bench) -> None:
    bench.feed.prepare()
    bench.balance.prepare()
    before = bench.balance.stable_grams(30.0)
    bench.feed.start("INF", 1.0, 1.0)
    assert bench.feed.running()
    bench.wait(61)
    assert not bench.feed.running()
    infused, withdrawn = bench.feed.totals()
    assert infused == pytest.approx(1.0, abs=0.002)
    assert withdrawn == 0.0
    assert before - bench.balance.stable_grams(30.0) == pytest.approx(1.0, abs=0.02)
    with pytest.raises(InstrumentError, match="outside"):
        bench.feed.start("INF", 1.0, 50.0)


def test_stop_in_the_middle_of_a_dose(bench: Bench) -> None:
    bench.feed.prepare()
    bench.feed.start("INF", 1.0, 1.0)
    bench.wait(30)
    bench.feed.stop()
    infused, _ = bench.feed.totals()
    assert 0.4 < infused < 0.6
    bench.wait(30)
    assert bench.feed.totals() == (infused, 0.0)
    bench.feed.stop()


def test_a_pump_that_lost_power_says_so_once(bench: Bench) -> None:
    bench.feed.prepare()
    bench.assembly.power_cycle(bench.core.now_ns())
    with pytest.raises(InstrumentError, match="alarm R"):
        bench.feed.running()
    assert bench.feed.sense().alarm == ""
    bench.feed.prepare()


def test_light_on_the_diode(bench: Bench) -> None:
    bench.prepare()
    dark = bench.diode.power()
    bench.led.on(0.02)
    assert bench.led.sense().on
    bright = bench.diode.power()
    bench.led.off()
    assert bright > 10 * abs(dark)
    assert abs(bench.diode.power()) < bright / 10
    with pytest.raises(InstrumentError, match="outside"):
        bench.led.on(1.5)


def test_the_bath_warms(bench: Bench) -> None:
    bench.heat.prepare()
    start = bench.heat.temperature()
    bench.heat.start(30.0)
    assert bench.heat.setpoint() == 30.0
    assert bench.heat.status().running
    bench.wait(1800)
    assert bench.heat.temperature() > start + 2
    bench.heat.stop()
    assert not bench.heat.status().running


class Recording(SimLibrary):
    """Keeps what is written, by resource."""

    log: list[tuple[str, bytes]]

    def write(self, session: Any, data: bytes) -> Any:
        self.log.append((self._held(session).wire.port.resource, data))
        return super().write(session, data)


@pytest.fixture(scope="module")
def spoken() -> dict[str, set[bytes]]:
    """Every command that a session of preparing and acting sends, by resource."""
    bench = Bench(Recording)
    library = bench.library
    assert isinstance(library, Recording)
    library.log = []
    bench.prepare()
    bench.lift.set_speed(2.0)
    bench.lift.move(5.0)
    bench.feed.start("INF", 0.5, 1.0)
    bench.led.on(0.02)
    bench.heat.start(30.0)
    bench.bus.close()
    said: dict[str, set[bytes]] = {spec.resource: set() for spec in SPECS}
    for resource, data in library.log:
        said[resource].add(data)
    said[ARM] |= {bench.lift.move_bytes(24.0), bench.turn.move_bytes(36.0)}
    return said


@pytest.mark.parametrize("name", ["lift", "feed", "led", "heat"])
def test_every_prefix_of_every_command_then_the_safe_bytes_is_safe(
    spoken: dict[str, set[bytes]], name: str
) -> None:
    """The controller dies in the middle of any write; the dead-man's bytes follow."""
    resource = next(spec.resource for spec in SPECS if spec.name == name)
    bench = Bench()
    bench.prepare()
    _start(bench, name)
    device, made = bench.assembly.devices[name], bench.all[name]
    running = device.snapshot()
    commands = sorted(spoken[resource])
    assert len(commands) > 4
    for command in commands:
        for cut in range(len(command) + 1):
            device.restore(running)
            place_then = bench.lift.position()
            for data in (command[:cut], *made.safe_bytes()):
                bench.assembly.ports[resource].write(data, bench.core.now_ns())
                bench.wait(made.SAFE_GAP_S)
            bench.assembly.ports[resource].discard()
            bench.wait(2.0)
            _assert_safe(bench, name, command[:cut])
            assert abs(bench.lift.position() - place_then) < 0.1, command[:cut]
    bench.bus.close()


def _start(bench: Bench, name: str) -> None:
    """Make the instrument do what safe must end."""
    if name == "lift":
        bench.lift.set_speed(0.01)
        now = bench.core.now_ns()
        bench.core.confirm(bench.lift.arm_move(24.0, now + NS, now + 2 * NS))
        bench.wait(2)
        assert bench.lift.moving()
    elif name == "feed":
        bench.feed.start("INF", 5.0, 0.1)
    elif name == "led":
        bench.led.on(0.02)
    else:
        bench.heat.start(30.0)


def _assert_safe(bench: Bench, name: str, cut: bytes) -> None:
    if name == "lift":
        assert not bench.lift.moving(), cut
    elif name == "feed":
        sensed = bench.feed.sense()
        assert sensed.state in ("S", "P"), cut
    elif name == "led":
        assert not bench.led.sense().on, cut
    else:
        assert not bench.heat.status().running, cut
