"""The Zaber model against the ASCII protocol: vectors, reject reasons, motion times, flags."""

from collections.abc import Callable
from typing import Any

import pytest

from sim.motion import Motion
from sim.port import Port, Spec
from sim.zaber import LATENCY_NS, Zaber, checksum, parse

NS = 1_000_000_000
STEP = 0.49609375e-3  # mm per microstep
FAR = 1000 * NS


class Stage:
    """The far side of the axis link: remembers the motions."""

    def __init__(self) -> None:
        self.motions: list[Motion] = []

    def moved(self, motion: Motion) -> None:
        self.motions.append(motion)


def stage(link: Stage | None = None, address: int = 1, **options: float) -> Zaber:
    return Zaber(Spec("z", "zaber", "x", address, options=options), link)


def ask(device: Zaber, text: str, now_ns: int = 0) -> str:
    return b"".join(data for _, data in device.receive(text.encode() + b"\n", now_ns)).decode()


def homed(link: Stage | None = None, **options: float) -> Zaber:
    device = Zaber(Spec("z", "zaber", "x", 1, options=options), link)
    ask(device, "/1 1 home", 0)
    return device


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 1 move abs 10000", "40"), ("1 1 home", "B5"), ("1 0 get pos", "AD"),
        ("01 0 OK IDLE -- 0", "8D"), ("01 1 OK BUSY -- 0", "67"),
        ("01 1 RJ IDLE -- BADDATA", "D9"), ("0 0 00 get deviceid", "43"), ("0 0 01", "FF"),
        ("1 1 05 home", "30"), ("1 1 11 move abs 2000", "ED"), ("1 1 12 stop", "15"),
        ("01 1 OK IDLE -- 1000", "FB"),
    ],
)  # fmt: skip
def test_checksums_of_the_manual_and_of_captures(text: str, expected: str) -> None:
    assert checksum(text) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"/", (0, 0, "", ())),
        (b"/home", (0, 0, "", ("home",))),
        (b"/1", (1, 0, "", ())),
        (b"/01 1 home", (1, 1, "", ("home",))),
        (b"/1 1 5 home", (1, 1, " 05", ("home",))),
        (b"/1 1 255 home", (1, 1, " 255", ("home",))),
        (b"/1 1 11 move abs 2000:ED", (1, 1, " 11", ("move", "abs", "2000"))),
        (b"noise/1 get pos", (1, 0, "", ("get", "pos"))),
        (b"/1 1 12 stop:16", None),
        (b"@01 0 OK IDLE -- 0", None),
    ],
)
def test_every_leading_number_may_be_missing(line: bytes, expected: Any) -> None:
    assert parse(line) == expected


def test_wire_forms_of_other_peoples_clients() -> None:
    device = stage()
    for line in (b"/0 0 00 get deviceid:43\n", b"/1 0 00 get deviceid\r\n", b"/get deviceid\r"):
        ((_, reply),) = device.receive(line, 0)
        assert reply.endswith(b"OK IDLE WR 30342\r\n")
    assert device.receive(b"/0 0 01:FF\n", 0)[0][1] == b"@01 0 01 OK IDLE WR 0\r\n"
    assert device.receive(b"/1 1\n\n\r\n", 0)[0][1] == b"@01 1 OK IDLE WR 0\r\n"
    assert device.receive(b"/0 0 01:FE\n", 0) == []


@pytest.mark.parametrize(
    "name",
    [
        "pos", "maxspeed", "accel", "limit.min", "limit.max", "resolution", "deviceid",
        "system.serial", "system.axiscount", "version", "version.build", "system.access",
        "comm.address", "comm.alert", "comm.checksum", "comm.packet.size.max",
        "comm.word.size.max", "comm.command.packets.max", "peripheralid", "peripheral.serial",
        "peripheral.hw.modified", "device.hw.modified", "get.settings.max",
        "motion.accelonly", "motion.decelonly",
    ],
)  # fmt: skip
def test_settings_that_clients_ask_for(name: str) -> None:
    assert " OK IDLE " in ask(stage(), f"/1 1 get {name}")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("/1 2 home", "BADAXIS"), ("/1 1 fly", "BADCOMMAND"), ("/1 get nothing", "BADCOMMAND"),
        ("/1 set nothing 1", "BADCOMMAND"), ("/1 set deviceid 1", "NOACCESS"),
        ("/1 set maxspeed 0", "BADDATA"), ("/1 set maxspeed fast", "BADDATA"),
        ("/1 1 move abs -1", "BADDATA"), ("/1 1 move abs 604725", "BADDATA"),
        ("/1 1 move abs", "BADCOMMAND"), ("/1 1 move abs 1e3", "BADDATA"),
        ("/1 1 system reset", "DEVICEONLY"), ("/1 renumber 100", "BADDATA"),
        ("/1 1 " + 90 * "x", "BADCOMMAND"), ("/1 tools parking fly", "BADCOMMAND"),
        ("/1 warnings all", "BADCOMMAND"), ("/1 driver", "BADCOMMAND"),
    ],
)  # fmt: skip
def test_reject_reasons(text: str, reason: str) -> None:
    axis = text.split()[1] if text.split()[1].isdecimal() else "0"
    assert ask(stage(), text) == f"@01 {axis} RJ IDLE WR {reason}\r\n"


def test_another_address_is_silent_and_a_chain_answers_zero_in_order() -> None:
    chain = Port("x", [stage(address=1), stage(address=2)])
    chain.write(b"/2 1 home\n", 0)
    assert chain.read(FAR) == b"@02 1 OK IDLE WR 0\r\n"
    chain.write(b"/0 get comm.address\n", FAR)
    assert chain.read(2 * FAR) == b"@01 0 OK IDLE WR 1\r\n@02 0 OK IDLE -- 2\r\n"


def test_a_reply_takes_its_time_and_checksums_are_an_option() -> None:
    device = stage()
    ((due, _),) = device.receive(b"/1 1\n", 5)
    assert due > 5 + LATENCY_NS
    text = "01 0 OK IDLE WR 0"
    assert ask(device, "/1 set comm.checksum 1") == f"@{text}:{checksum(text)}\r\n"


def test_power_on_is_unreferenced_and_home_ends_that() -> None:
    device = stage(at=10.0)
    assert ask(device, "/1 1 get pos") == "@01 1 OK IDLE WR 0\r\n"
    assert ask(device, "/1 warnings") == "@01 0 OK IDLE WR 01 WR\r\n"
    assert ask(device, "/1 1 home") == "@01 1 OK BUSY WR 0\r\n"
    assert ask(device, "/1 1", NS // 10) == "@01 1 OK BUSY WR 0\r\n"
    assert ask(device, "/1 1 get pos", FAR) == "@01 1 OK IDLE -- 0\r\n"
    assert ask(device, "/1 warnings", FAR) == "@01 0 OK IDLE -- 00\r\n"


def test_a_move_is_a_trapezoid_in_native_units() -> None:
    link = Stage()
    device = homed(link, microstep=STEP)
    ask(device, "/1 set accel 17")
    ask(device, "/1 set maxspeed 66052")
    ask(device, "/1 1 move abs 40000", NS)
    motion = link.motions[-1]
    speed = 66052 / 1.6384 * STEP
    accel = 17 * 10000 / 1.6384 * STEP
    way = 40000 * STEP
    assert motion.speed == pytest.approx(speed) and motion.accel == pytest.approx(accel)
    assert motion.target == pytest.approx(way)
    seconds = way / speed + speed / accel
    assert motion.end_ns - NS == pytest.approx(seconds * NS, abs=2)
    assert ask(device, "/1 1", motion.end_ns - 1).startswith("@01 1 OK BUSY")
    assert ask(device, "/1 1 get pos", motion.end_ns) == "@01 1 OK IDLE -- 40000\r\n"


def test_a_move_may_bring_its_own_speed_and_acceleration() -> None:
    link = Stage()
    device = homed(link, microstep=STEP)
    before = ask(device, "/1 get maxspeed")
    ask(device, "/1 1 move abs 20000 16384 100", NS)
    assert link.motions[-1].speed == pytest.approx(10000 * STEP)
    assert link.motions[-1].accel == pytest.approx(1e6 / 1.6384 * STEP)
    assert ask(device, "/1 get maxspeed", FAR) == before


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("move abs 20000", 20000), ("move rel 500", 10500), ("move rel -500", 9500),
        ("move max", 604724), ("move min", 0), ("move vel 9999", 604724),
        ("move vel -9999", 0), ("move vel 0", 10000), ("home", 0),
    ],
)  # fmt: skip
def test_kinds_of_movement(text: str, target: int) -> None:
    device = homed()
    ask(device, "/1 1 move abs 10000", NS)
    ask(device, f"/1 1 {text}", FAR)
    assert ask(device, "/1 1 get pos", 2 * FAR) == f"@01 1 OK IDLE -- {target}\r\n"


def test_stop_decelerates_and_estop_halts() -> None:
    places = []
    for command in ("stop", "estop"):
        link = Stage()
        device = homed(link)
        ask(device, "/1 1 move max", NS)
        assert "BUSY" in ask(device, f"/1 1 {command}", 3 * NS)
        assert "NI" in ask(device, "/1 1", 4 * NS)
        motion = link.motions[-1]
        assert motion.start_ns == 3 * NS < motion.end_ns < 4 * NS
        places.append(motion.target)
    assert places[1] < places[0]
    assert ask(device, "/1 1 stop", FAR) == "@01 1 OK IDLE NI 0\r\n"
    ask(device, "/1 warnings clear", FAR)
    assert ask(device, "/1 1", FAR) == "@01 1 OK IDLE -- 0\r\n"


def test_a_move_preempts_another_without_a_halt() -> None:
    link = Stage()
    device = homed(link)
    ask(device, "/1 1 move max", NS)
    ask(device, "/1 1 move abs 0", 3 * NS)
    first, second = link.motions[-2:]
    assert second.velocity == pytest.approx(first.velocity_at(3 * NS))
    assert "NI" in ask(device, "/1 1", FAR)
    ask(device, "/1 1 move abs 10", FAR)
    assert ask(device, "/1 1", 2 * FAR) == "@01 1 OK IDLE -- 0\r\n"


def test_home_interrupted_leaves_it_unreferenced() -> None:
    device = stage(at=20.0)
    ask(device, "/1 1 home", 0)
    ask(device, "/1 1 stop", NS // 2)
    assert "WR" in ask(device, "/1 1 warnings", FAR)


def test_an_unreferenced_move_runs_into_the_end_of_the_travel() -> None:
    device = stage(at=50.0, high=60.0, microstep=0.001)
    ask(device, "/1 1 move abs 30000", 0)
    assert ask(device, "/1 1 get pos", FAR) == "@01 1 OK IDLE FS 10000\r\n"
    assert ask(device, "/1 1 warnings", FAR) == "@01 1 OK IDLE FS 02 FS WR\r\n"


def test_a_stall_stops_on_the_way_and_raises_its_flag() -> None:
    device = homed()
    assert not device.fail(NS, 0.5)
    ask(device, "/1 1 move abs 20000", NS)
    assert device.fail(NS, 0.5)
    assert ask(device, "/1 1 get pos", FAR) == "@01 1 OK IDLE FS 10000\r\n"
    ask(device, "/1 1 move abs 20000", FAR)
    assert ask(device, "/1 1 get pos", 2 * FAR) == "@01 1 OK IDLE -- 20000\r\n"


def test_alerts_come_unasked_at_the_end_of_a_motion() -> None:
    device = homed()
    ask(device, "/1 set comm.alert 1", NS)
    ask(device, "/1 1 move abs 2000", NS)
    due = device.next_ns()
    assert due is not None and device.poll(due - 1) == []
    ((_, alert),) = device.poll(due)
    assert alert == b"!01 1 IDLE --\r\n"
    assert device.next_ns() is None and device.poll(due) == []
    ask(device, "/1 1 move abs 0", FAR)
    alert_and_reply = ask(device, "/1 1", 2 * FAR)
    assert alert_and_reply == "!01 1 IDLE --\r\n@01 1 OK IDLE -- 0\r\n"


def test_parking_and_a_disabled_driver_refuse_movement() -> None:
    device = homed()
    ask(device, "/1 1 tools parking park", NS)
    assert "PARKED" in ask(device, "/1 1 move abs 5", NS)
    assert ask(device, "/1 1 tools parking state", NS).endswith(" 1\r\n")
    device.power_cycle(2 * NS)
    ask(device, "/1 1 tools parking unpark", 3 * NS)
    assert ask(device, "/1 1", 3 * NS) == "@01 1 OK IDLE -- 0\r\n"
    ask(device, "/1 1 driver disable", 3 * NS)
    assert "RJ IDLE FO DRIVERDISABLED" in ask(device, "/1 1 home", 3 * NS)
    ask(device, "/1 1 driver enable", 3 * NS)
    assert "OK" in ask(device, "/1 1 home", 3 * NS)


@pytest.mark.parametrize("cut", ["power", "reset"])
def test_losing_power_stops_the_axis_and_forgets_the_position(cut: str) -> None:
    link = Stage()
    device = homed(link)
    ask(device, "/1 set maxspeed 70000", NS)
    ask(device, "/1 1 move max", NS)
    cuts: dict[str, Callable[[], object]] = {
        "power": lambda: device.power_cycle(4 * NS),
        "reset": lambda: ask(device, "/1 system reset", 4 * NS),
    }
    cuts[cut]()
    assert link.motions[-1].end_ns < 5 * NS
    assert ask(device, "/1 1 get pos", FAR) == "@01 1 OK IDLE WR 0\r\n"
    assert "70000" in ask(device, "/1 get maxspeed", FAR)


def test_renumber_and_set_pos() -> None:
    device = homed()
    assert ask(device, "/1 renumber 7", NS) == "@07 0 OK IDLE -- 0\r\n"
    assert ask(device, "/1", NS) == ""
    assert ask(device, "/renumber", NS) == "@01 0 OK IDLE -- 0\r\n"
    ask(device, "/1 1 set pos 4000", NS)
    assert ask(device, "/1 1 get pos", NS) == "@01 1 OK IDLE -- 4000\r\n"
    ask(device, "/1 1 move abs 9000", NS)
    assert "STATUSBUSY" in ask(device, "/1 1 set pos 0", NS)
