"""The JULABO model: silent OUT commands, the status that tells of rejections, the drive."""

import pytest

from sim.julabo import Julabo
from sim.port import Spec


class Bath:
    """The far side of the thermostat link."""

    def __init__(self) -> None:
        self.degrees = 22.0
        self.told: list[tuple[bool, float, int]] = []

    def temperature(self, now_ns: int) -> float:
        return self.degrees

    def drive(self, on: bool, setpoint: float, now_ns: int) -> None:
        self.told.append((on, setpoint, now_ns))


def ask(device: Julabo, text: str, now_ns: int = 0) -> str:
    replies = device.receive(text.encode() + b"\r", now_ns)
    return b"".join(data for _, data in replies).decode()


def circulator(bath: Bath | None = None, **options: float) -> Julabo:
    return Julabo(Spec("bath", "julabo", "x", options=options), bath)


def test_queries() -> None:
    bath = Bath()
    bath.degrees = 22.066
    device = circulator(bath)
    assert ask(device, "version") == "JULABO MAGIO MS-1000F VERSION 1.1.2\r\n"
    assert ask(device, "IN_PV_00") == "22.07\r\n"
    assert ask(device, "in_sp_00\n") == "22.00\r\n"
    assert ask(device, "in_mode_05") == "0\r\n"
    assert ask(device, "in_pv_02") == "---.--\r\n"
    assert device.receive(b"\x11in_\x13mode_05\r", 0)[0][1] == b"0\r\n"
    assert ask(device, "") == ""
    for name in ("in_pv_01", "in_pv_03", "in_pv_04", "in_sp_01", "in_sp_03", "in_sp_04",
                 "in_sp_07", "in_mode_01", "in_mode_02", "in_mode_04", "in_par_06"):  # fmt: skip
        float(ask(device, name))
    assert ask(device, "status") == "02 REMOTE STOP\r\n"


def test_out_commands_answer_nothing_and_drive_the_bath() -> None:
    bath = Bath()
    device = circulator(bath)
    assert ask(device, "out_sp_00 30.00", 1) == ""
    assert ask(device, "OUT_MODE_05 1", 2) == ""
    assert bath.told == [(False, 30.0, 1), (True, 30.0, 2)]
    assert ask(device, "status") == "03 REMOTE START\r\n"
    assert ask(device, "in_sp_00") == "30.00\r\n"
    assert ask(device, "in_pv_01") == "100.0\r\n"
    ask(device, "out_mode_05 0", 3)
    assert bath.told[-1] == (False, 30.0, 3)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("out_sp_00 500", "-11"), ("out_sp_00 -90", "-10"), ("out_sp_00 120", "-13"),
        ("out_sp_00", "-08"), ("out_sp_00 hot", "-08"), ("out_sp_99 1", "-08"),
        ("out_mode_05 2", "-11"), ("out_mode_05 0.5", "-08"), ("in_pv_99", "-08"),
        ("nonsense", "-08"), ("in_pv_00 1", "-08"), ("out_sp_00 " + 80 * "1", "-08"),
    ],
)  # fmt: skip
def test_a_rejection_shows_in_the_next_status_only(text: str, code: str) -> None:
    bath = Bath()
    device = circulator(bath)
    assert ask(device, text) == ""
    assert ask(device, "status").startswith(code + " ")
    assert ask(device, "status") == "02 REMOTE STOP\r\n"
    assert bath.told == []


def test_a_good_command_takes_an_old_rejection_back() -> None:
    device = circulator()
    ask(device, "out_sp_00 500")
    ask(device, "out_sp_00 25")
    assert ask(device, "status") == "02 REMOTE STOP\r\n"


def test_without_remote_nothing_can_be_set() -> None:
    device = circulator(remote=0)
    assert ask(device, "status") == "00 MANUAL STOP\r\n"
    ask(device, "out_mode_05 1")
    assert ask(device, "status").startswith("-09 ")
    assert ask(device, "in_mode_05") == "0\r\n"


def test_the_warnings_limit_every_setpoint_and_the_source_chooses_one() -> None:
    bath = Bath()
    device = circulator(bath)
    for text in ("out_sp_03 40", "out_sp_01 35", "out_mode_01 1"):
        ask(device, text)
    assert bath.told[-1] == (False, 35.0, 0)
    ask(device, "out_sp_00 41")
    assert ask(device, "status").startswith("-13 ")


def test_a_low_level_stops_it_until_power_on() -> None:
    bath = Bath()
    device = circulator(bath)
    ask(device, "out_sp_00 30")
    ask(device, "out_mode_05 1")
    assert device.fail(9, 0.0)
    assert bath.told[-1] == (False, 30.0, 9)
    assert ask(device, "status") == ask(device, "status") == "-01 LOW LEVEL ALARM\r\n"
    ask(device, "out_mode_05 1")
    assert ask(device, "status").startswith("-09 ")
    device.power_cycle(10)
    assert ask(device, "status") == "02 REMOTE STOP\r\n"
    assert ask(device, "in_sp_00") == "30.00\r\n"


def test_an_answer_takes_its_characters_at_4800_baud() -> None:
    ((due, reply),) = circulator().receive(b"version\r", 0)
    assert due > len(reply) * 2_083_333
