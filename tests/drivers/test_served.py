"""Drivers over real descriptors, every framing once: the simulated instruments served on TCP and
pty, answers cut in two, on the real clock. No time is asserted.
"""

import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest

from drivers import DRIVERS
from drivers.bus import Bus
from lbl._core import Core
from sim import MODELS
from sim.assembly import Assembly
from sim.port import Spec
from sim.serve import serve
from sim.world import Geometry, VesselSpec, World

SPECS = (
    Spec("lift", "zaber", "ASRL1::INSTR", 1, link="arm.z", options={"high": 60.0}),
    Spec("turn", "zaber", "ASRL1::INSTR", 2, link="arm.x", options={"high": 60.0}),
    Spec("feed", "newera", "ASRL2::INSTR", 0, link="pump:bath"),
    Spec("diode", "pm100d", "USB0::0x1313::0x8078::P0012345::INSTR", link="photodiode"),
    Spec("led", "dc2200", "USB0::0x1313::0x80C8::M00960538::INSTR", link="light"),
    Spec("heat", "julabo", "ASRL3::INSTR", link="thermostat"),
    Spec("balance", "mettler", "ASRL4::INSTR", link="balance"),
    Spec("packed", "cavro", "ASRL6::INSTR"),
    Spec("monitor", "sqm160", "ASRL9::INSTR"),
    Spec("inputs", "daq6510", "ASRL12::INSTR"),
    Spec("film", "keithley2450", "ASRL13::INSTR"),
)
SPECS = tuple(spec for spec in SPECS if spec.model in MODELS)
# a pty is slow to set up and shows no more than the first bench does, and one binary framing
ON_PTY = ("lift", "turn", "feed", "diode", "led", "heat", "balance", "packed")
AXIS = {"microstep": 0.49609375e-3, "low": 0.0, "high": 60.0, "accel": 50.0}
OPTIONS: dict[str, dict[str, Any]] = {
    "lift": {**AXIS, "address": 1},
    "turn": {**AXIS, "address": 2},
    "feed": {"diameter": 14.43},
    "led": {"limit": 1.0},
    "packed": {"syringe": 1.0, "protocol": "OEM"},
}


@pytest.mark.parametrize("transport", ["tcp", "pty"])
def test_prepare_act_and_safe(
    transport: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    world = World([VesselSpec("bath", 0.0, 60.0, 6.0, True, 200.0)], Geometry(22.0, 26.0, 1.0))
    specs = [spec for spec in SPECS if transport == "tcp" or spec.name in ON_PTY]
    ready, stop = threading.Event(), threading.Event()
    resources: dict[str, str] = {}

    def announce(line: dict[str, object]) -> None:
        if "ready" in line:
            ready.set()
        else:
            resources[str(line["name"])] = str(line["resource"])

    server = threading.Thread(
        target=serve,
        args=(Assembly(specs, world),),
        kwargs={
            "transport": transport,
            "announce": announce,
            "stop": stop.is_set,
            "speed": 200.0,
            "split": True,
        },
    )
    server.start()
    try:
        assert ready.wait(10)
        with Bus(Core(virtual=False)) as bus:
            _use(bus, specs, resources)
    finally:
        stop.set()
        server.join(10)


def _use(bus: Bus, specs: list[Spec], resources: dict[str, str]) -> None:
    made: dict[str, Any] = {}
    for spec in specs:
        cls: Any = DRIVERS[spec.model]
        port = bus.port(resources[spec.name], link=cls.LINK, purpose="test")
        assert port.fd >= 0
        made[spec.name] = cls(port, spec.name, **OPTIONS.get(spec.name, {}))
        made[spec.name].connect()
    assert made["lift"].port is made["turn"].port
    for name, one in made.items():
        one.prepare(*((570.0, 10) if name == "diode" else ()))
    made["lift"].move(5.0)
    lift, clock = made["lift"], made["lift"].port.clock
    now_ns = clock.now_ns()
    entry = lift.arm_move(6.0, now_ns + 1_000_000, now_ns + 2_000_000_000)
    clock.confirm(entry)
    for _ in range(10_000):
        if lift.position() > 5.9 and not lift.moving():
            break
    assert lift.position() > 5.9
    made["feed"].start("INF", 0.1, 5.0)
    made["led"].on(0.02)
    assert made["diode"].power() != 0
    made["heat"].start(25.0)
    assert made["balance"].stable_grams(20.0) > 0
    for one in made.values():
        one.safe()
    assert not made["led"].sense().on
    assert made["feed"].sense().state == "S"
