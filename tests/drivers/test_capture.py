"""A captured conversation is whole, and replayed it is the same conversation."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from drivers.bus import Bus
from drivers.errors import InstrumentError
from drivers.framing import Line
from drivers.julabo import Julabo
from drivers.link import Link
from drivers.replay import Differs, Replay
from drivers.zaber import Zaber
from lbl._core import Core
from sim.assembly import Assembly
from sim.faults import Fault
from sim.port import Spec
from sim.visa import SimLibrary
from sim.world import Geometry, VesselSpec, World

STEP = 0.001
ARM, HEAT = "ASRL/dev/lbl/arm::INSTR", "ASRL/dev/lbl/heat::INSTR"
SPECS = (
    Spec("axis", "zaber", ARM, 1, link="arm.z", options={"microstep": STEP, "high": 60.0}),
    Spec("heat", "julabo", HEAT, link="thermostat"),
)


def use(bus: Any, core: Any) -> list[float]:
    """A conversation with both, a fired move in it; what was read."""
    axis = Zaber(bus.port(ARM, link=Zaber.LINK), "axis", microstep=STEP, low=0, high=60, accel=50)
    heat = Julabo(bus.port(HEAT, link=Julabo.LINK), "heat")
    axis.prepare()
    axis.move(12.5)
    now_ns = core.now_ns()
    core.confirm(axis.arm_move(20.0, now_ns + 10**9, now_ns + 2 * 10**9))
    axis.port.pause(5.0)
    heat.prepare()
    heat.start(25.0)
    values = [axis.position(), heat.temperature(), heat.setpoint()]
    heat.safe()
    axis.safe()
    return values


def captured(fault: Fault | None = None) -> tuple[list[str], list[float], int]:
    core, lines = Core(virtual=True), list[str]()
    world = World([VesselSpec("bath", 0.0, 60.0, 6.0, True, 200.0)], Geometry(220.0, 260.0, 1.0))
    assembly = Assembly(SPECS, world, seed=3)
    if fault is not None:
        assembly.inject("axis", fault)
    with Bus(core, SimLibrary.over(assembly, core), capture=lines.append) as bus:
        return lines, use(bus, core), core.now_ns()


def test_every_line_is_json_with_the_four_fields() -> None:
    lines, values, _ = captured()
    rows = [json.loads(line) for line in lines]
    assert all(set(row) == {"t_ns", "resource", "dir", "hex"} for row in rows)
    assert {row["resource"] for row in rows} == {ARM, HEAT}
    assert [row["t_ns"] for row in rows] == sorted(row["t_ns"] for row in rows)
    sent = [bytes.fromhex(row["hex"]) for row in rows if row["dir"] == "out"]
    assert any(data.startswith(b"/1 1 move abs 20000") for data in sent)  # the pacer's own
    assert values[0] == pytest.approx(20.0)


@pytest.mark.parametrize("kind", [None, "drop", "delay", "truncate", "duplicate", "unsolicited"])
def test_a_replay_is_the_same_conversation_to_the_nanosecond(kind: str | None) -> None:
    fault = Fault(kind, after=9, argument=3.0 if kind == "delay" else None) if kind else None
    lines, values, end_ns = captured(fault)
    core = Core(virtual=True)
    replay = Replay(lines, core)
    assert use(replay, core) == values
    assert replay.left == []
    assert abs(core.now_ns() - end_ns) < 1_000_000
    replay.close()


def test_other_bytes_are_a_complaint_with_name_and_line() -> None:
    lines, _, _ = captured()
    core = Core(virtual=True)
    replay = Replay(lines, core, "film.jsonl")
    axis = Zaber(replay.port(ARM, link=Link()), "axis", microstep=STEP, low=0, high=60, accel=90)
    number = next(n for n, line in enumerate(lines, 1) if b"set accel".hex() in line)
    with pytest.raises(Differs, match=rf"film\.jsonl, line {number}: b'/1 1 \d\d set accel .*was"):
        axis.prepare()


def test_more_than_was_captured_is_a_complaint() -> None:
    row = {"t_ns": 5, "resource": "X", "dir": "out", "hex": b"a\n".hex()}
    core = Core(virtual=True)
    port = Replay([json.dumps(row)], core).port("x", link=Link())
    with pytest.raises(InstrumentError, match="no answer"):
        port.query(b"a\n", Line(), 0.5, who="w")
    assert core.now_ns() >= 500_000_000
    with pytest.raises(Differs, match="after the capture's end"):
        port.query(b"a\n", Line(), 0.5, who="w")


def test_a_resource_that_was_not_captured_is_named() -> None:
    with pytest.raises(Differs, match="nothing of Y was captured"):
        Replay([], Core(virtual=True)).port("Y", link=Link())


@pytest.mark.parametrize(
    "line",
    ["x", "[]", "{}", '{"t_ns": 1, "resource": "X", "dir": "up", "hex": ""}',
     '{"t_ns": 1, "resource": "X", "dir": "in", "hex": "0"}'],
)  # fmt: skip
def test_a_line_that_is_none_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="c, line 2"):
        Replay(["", line], Core(virtual=True), "c")


def test_a_bus_without_capture_has_nothing_in_the_way(script: Any) -> None:
    port = script.port()
    assert type(port._wire).__name__ == "VisaWire"


def test_on_a_descriptor_what_the_pacer_fired_is_told(served_zaber: Callable[[], str]) -> None:
    lines: list[str] = []
    core = Core(virtual=False)
    with Bus(core, capture=lines.append) as bus:
        port = bus.port(served_zaber(), link=Zaber.LINK)
        axis = Zaber(port, "axis", microstep=STEP, low=0, high=60, accel=50)
        axis.prepare()
        now_ns = core.now_ns()
        core.confirm(axis.arm_move(1.0, now_ns + 1_000_000, now_ns + 2_000_000_000))
        for _ in range(10_000):
            if axis.position() > 0.9:
                break
    sent = [bytes.fromhex(row["hex"]) for row in map(json.loads, lines) if row["dir"] == "out"]
    assert sum(data.startswith(b"/1 1 move abs 1000") for data in sent) == 1
