"""Wires, chains and the whole bench as plain data, on stand-ins and on the real world."""

import json
from typing import Any

import pytest

from sim.assembly import Assembly
from sim.faults import Fault
from sim.mishaps import Mishap
from sim.port import PENDING_MAX, Port, Spec
from sim.world import Geometry, Solution, VesselSpec, World

NS = 1_000_000_000
ARM = "ASRL/dev/lbl/arm::INSTR"
SPECS = (
    Spec("lift", "zaber", ARM, 1, link="arm.z", options={"high": 60.0}),
    Spec("carousel", "zaber", ARM, 2, link="arm.x",
         options={"microstep": 0.00046875, "high": 359.9, "accel": 120.0, "speed": 40.0}),
    Spec("feed", "newera", "ASRL/dev/lbl/feed::INSTR", 0, link="pump:polyanion",
         options={"diameter": 26.7}),
    Spec("photodiode", "pm100d", "USB0::0x1313::0x8078::P0012345::INSTR", link="photodiode"),
    Spec("led", "dc2200", "USB0::0x1313::0x80C8::M00960538::INSTR", link="light"),
    Spec("bath", "julabo", "ASRL/dev/lbl/bath::INSTR", link="thermostat"),
    Spec("balance", "mettler", "ASRL/dev/lbl/balance::INSTR", link="balance"),
)  # fmt: skip


def world() -> World:
    names = ("polycation", "P3", "polyanion", "N3")
    made = World(
        [VesselSpec(name, 36.0 * place, 100.0, 10.0, True, 120.0)
         for place, name in enumerate(names)],
        Geometry(surface=22.0, bottom=26.0, tolerance=1.0, clear=2.0),
        readout="N3",
    )  # fmt: skip
    made.fill("polycation", Solution("PDAC", "PDAC", 1.0, 9.0, 1), 100.0)
    made.fill("polyanion", Solution("BR", "BR", 1.0, 9.0, -1), 80.0)
    for name in ("P3", "N3"):
        made.fill(name, Solution("buffer", "buffer", 0.0, 9.0, 0), 100.0)
    return made


class Desk:
    """An assembly on a real world, and a clock that only this test moves."""

    def __init__(self) -> None:
        self.assembly = Assembly(SPECS, world())
        self.now_ns = 0
        self._ports = {spec.name: self.assembly.ports[spec.resource] for spec in SPECS}

    def ask(self, name: str, text: str) -> str:
        port = self._ports[name]
        port.write(text.encode(), self.now_ns)
        due = port.next_ns()
        assert due is not None
        self.now_ns = max(self.now_ns, due)
        return port.read(self.now_ns).decode().rstrip("\r\n")

    def tell(self, name: str, text: str) -> None:
        self._ports[name].write(text.encode(), self.now_ns)

    def wait(self, seconds: float) -> None:
        self.now_ns += round(seconds * NS)

    def move(self, name: str, command: str) -> None:
        address = 1 if name == "lift" else 2
        assert " OK " in self.ask(name, f"/{address} 1 {command}\n")
        self.wait(60.0)
        assert " OK IDLE -- " in self.ask(name, f"/{address} 1\n")


def test_a_dip_told_over_the_wires_is_an_exposure_in_the_ledger() -> None:
    desk = Desk()
    for axis in ("lift", "carousel"):
        desk.move(axis, "home")
    desk.move("carousel", f"move abs {round(72.0 / 0.00046875)}")
    desk.move("lift", f"move abs {round(24.0 / 0.49609375e-3)}")
    desk.wait(600.0)
    desk.move("lift", "move abs 0")
    desk.assembly.settle(desk.now_ns)
    (row,) = [row for row in desk.assembly.world.ledger if row["kind"] == "exposure"]
    assert row["solution"] == "BR" and row["vessel"] == "polyanion"
    assert float(str(row["end_s"])) - float(str(row["start_s"])) > 600.0


def test_what_the_pump_moves_the_balance_weighs() -> None:
    desk = Desk()
    assert desk.ask("feed", "\r").strip("\x02\x03") == "00A?R"
    before = float(desk.ask("balance", "SI\r\n").split()[2])
    for text in ("RAT6.000MM\r", "VOL2.000\r", "DIRINF\r", "RUN\r"):
        assert "?" not in desk.ask("feed", text)
    desk.wait(10.0)
    desk.ask("balance", "SI\r\n")  # nobody asked the pump: its liquid moves all the same
    desk.wait(1.0)
    halfway = desk.ask("balance", "SI\r\n").split()
    assert halfway[1] == "D" and before - float(halfway[2]) == pytest.approx(1.1, rel=0.1)
    desk.wait(60.0)
    assert desk.ask("feed", "DIS\r").strip("\x02\x03") == "00SI2.000W0.000ML"
    desk.ask("balance", "SI\r\n")
    desk.wait(10.0)
    after = desk.ask("balance", "SI\r\n").split()
    assert after[1] == "S" and before - float(after[2]) == pytest.approx(2.0, rel=0.05)


def test_light_on_is_light_seen() -> None:
    desk = Desk()
    dark = float(desk.ask("photodiode", "MEAS:POW?\n"))
    desk.tell("led", "SOUR:CCUR:CURR 0.02;:OUTP ON\n")
    assert float(desk.ask("photodiode", "MEAS:POW?\n")) > 100.0 * dark
    desk.assembly.power_cycle(desk.now_ns)
    assert float(desk.ask("photodiode", "MEAS:POW?\n")) < 10.0 * dark


def test_heat_follows_the_circulator() -> None:
    desk = Desk()
    start = float(desk.ask("bath", "in_pv_00\r"))
    desk.tell("bath", "out_sp_00 28.0\r")
    desk.tell("bath", "out_mode_05 1\r")
    desk.wait(7200.0)
    assert start < 27.0 < float(desk.ask("bath", "in_pv_00\r")) < 29.0


def test_a_snapshot_of_the_whole_bench_goes_on_elsewhere() -> None:
    first, second = Desk(), Desk()
    first.assembly.inject("bath", Fault("drop", after=2))
    first.ask("feed", "\r")
    first.ask("feed", "VOL0\r")
    first.ask("feed", "RUN\r")
    first.ask("lift", "/1 1 home\n")
    first.ask("carousel", "/2 1 home\n")
    first.wait(30.0)
    first.ask("lift", "/1 1 move abs 40000\n")
    first.tell("led", "SOUR:CCUR:CURR 0.02;:OUTP ON\n")
    state = first.assembly.snapshot()
    plain = json.loads(json.dumps(state))
    second.assembly.restore(plain)
    second.now_ns = first.now_ns
    assert second.assembly.snapshot() == state
    questions = [("lift", "/1 1 get pos\n"), ("feed", "DIS\r"), ("balance", "SI\r\n"),
                 ("photodiode", "READ?\n"), ("bath", "in_pv_00\r"), ("lift", "/2 1\n")]  # fmt: skip
    for _ in range(2):
        assert [first.ask(*each) for each in questions] == [second.ask(*each) for each in questions]
        first.wait(1.0)
        second.wait(1.0)
    assert second.assembly.snapshot() == first.assembly.snapshot()


def test_a_power_cut_stops_everything() -> None:
    desk = Desk()
    desk.ask("feed", "\r")
    desk.ask("feed", "VOL0\r")
    desk.ask("feed", "RUN\r")
    desk.ask("lift", "/1 1 home\n")
    desk.ask("lift", "/1 1 move abs 40000\n")
    desk.assembly.inject("led", Fault("vanish", argument=1e6))
    desk.tell("led", "OUTP?\n")
    desk.wait(0.1)
    desk.assembly.power_cycle(desk.now_ns)
    assert desk.assembly.ports[ARM].read(desk.now_ns) == b""
    desk.wait(60.0)
    assert desk.ask("lift", "/1 1\n") == "@01 1 OK IDLE WR 0"
    assert desk.ask("feed", "\r").strip("\x02\x03") == "00A?R"
    assert desk.ask("led", "OUTP?\n") == "0"


def test_faults_are_injected_by_name() -> None:
    desk = Desk()
    desk.assembly.inject("carousel", Fault("drop"))
    desk.tell("lift", "/0\n")
    assert desk.assembly.ports[ARM].read(NS) == b"@01 0 OK IDLE WR 0\r\n"
    with pytest.raises(KeyError, match="nobody"):
        desk.assembly.inject("nobody", Fault("drop"))


def test_a_bench_that_cannot_be_built_is_refused() -> None:
    one = SPECS[0]
    with pytest.raises(ValueError, match="two simulated instruments"):
        Assembly([one, one], world())
    with pytest.raises(ValueError, match="no model 'warp'"):
        Assembly([Spec("w", "warp", "x")], world())
    with pytest.raises(ValueError, match="no link"):
        Assembly([Spec("w", "zaber", "x", link="arm.q")], world())
    with pytest.raises(ValueError, match="at most"):
        Assembly([one] * 300, world())
    state: dict[str, Any] = Assembly([one], world()).snapshot()
    with pytest.raises(ValueError, match="the state is of lift"):
        Assembly(SPECS, world()).restore(state)


class Echo:
    """A device that answers each byte after as many ns as the byte says."""

    def receive(self, data: bytes, now_ns: int) -> list[tuple[int, bytes]]:
        return [(now_ns + byte, bytes([byte])) for byte in data]

    def poll(self, now_ns: int) -> list[tuple[int, bytes]]:
        return []

    def next_ns(self) -> int | None:
        return None

    def power_cycle(self, now_ns: int) -> None: ...

    def fail(self, now_ns: int, argument: float) -> bool:
        return False

    def snapshot(self) -> dict[str, object]:
        return {}

    def restore(self, state: object) -> None: ...


def test_a_port_gives_answers_in_the_order_of_their_arrival() -> None:
    port = Port("x", [Echo()])
    port.write(bytes([30, 10, 20, 10]), 0)
    assert port.next_ns() == 10
    assert port.take(9) == b"" and port.waiting(10) == 2
    assert port.take(10) == b"\x0a"
    assert port.read(25) == b"\x0a\x14"
    port.latency_ns = 100
    port.write(b"\x01", 25)
    assert port.read(125) == b"\x1e" and port.read(126) == b"\x01"
    port.write(bytes(2 * PENDING_MAX), 200)
    assert port.waiting(400) == PENDING_MAX
    port.discard()
    assert port.next_ns() is None


def pumping(mishap: Mishap | None) -> Desk:
    """A pump that was told to deliver 1 mL/min and is then left alone for ten minutes."""
    desk = Desk()
    if mishap is not None:
        desk.assembly.befall(mishap)
    desk.ask("feed", "\r")
    desk.ask("feed", "RAT1MM\r")
    desk.ask("feed", "VOL0\r")
    desk.ask("feed", "RUN\r")
    desk.wait(600.0)
    desk.assembly.settle(desk.now_ns)
    return desk


def delivered(desk: Desk) -> float:
    vessels: Any = desk.assembly.world
    return float(vessels.truth()["vessels"]["polyanion"]["volume_ml"]) - 80.0


def test_a_power_cut_strikes_at_its_own_instant() -> None:
    assert delivered(pumping(None)) == pytest.approx(10.0, rel=0.02)
    desk = pumping(Mishap("power", 60 * NS))
    assert delivered(desk) == pytest.approx(1.0, rel=0.02)
    rows = [row for row in desk.assembly.world.ledger if row["kind"] == "mishap"]
    assert [(row["what"], row["at_s"]) for row in rows] == [("power", 60.0)]
    assert desk.ask("feed", "\r").strip("\x02\x03") == "00A?R"


def test_a_power_cut_loses_the_answer_that_is_on_its_way() -> None:
    desk = Desk()
    desk.assembly.befall(Mishap("power", 10 * NS))
    desk.now_ns = 10 * NS - 1000
    desk.tell("balance", "S\r\n")
    port = desk.assembly.ports["ASRL/dev/lbl/balance::INSTR"]
    assert port.next_ns() == 10 * NS
    desk.wait(60.0)
    assert b"S S" not in port.read(desk.now_ns)


def test_nothing_answers_while_the_power_is_off() -> None:
    desk = pumping(Mishap("power", 60 * NS, lasts_ns=1200 * NS))
    saved = desk.assembly.snapshot()
    desk.tell("led", "*IDN?\n")
    desk.wait(1.0)
    assert desk.assembly.ports["USB0::0x1313::0x80C8::M00960538::INSTR"].read(desk.now_ns) == b""
    desk.wait(700.0)
    assert "DC2200" in desk.ask("led", "*IDN?\n")
    other = Desk()
    other.now_ns = desk.now_ns
    other.assembly.restore(json.loads(json.dumps(saved)))
    assert "DC2200" in other.ask("led", "*IDN?\n")


def test_a_cut_to_come_is_in_the_snapshot() -> None:
    desk = Desk()
    desk.assembly.befall(Mishap("power", 60 * NS))
    saved = json.loads(json.dumps(desk.assembly.snapshot()))
    other = Desk()
    other.assembly.restore(saved)
    other.ask("led", "OUTP ON;OUTP?\n")
    other.wait(100.0)
    assert other.ask("led", "OUTP?\n") == "0"
    assert [row["kind"] for row in other.assembly.world.ledger] == ["mishap"]


def test_a_mishap_that_cannot_be_reaches_no_instrument() -> None:
    desk = Desk()
    with pytest.raises(ValueError, match="the dip bench has none"):
        desk.assembly.befall(Mishap("bubble"))
    assert desk.assembly.snapshot()["mains"] is None
