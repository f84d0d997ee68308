"""The Huber model: a good command is answered with the value after it, a bad one by nothing."""

import pytest

from sim.huber import Huber
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


def ask(device: Huber, text: str, now_ns: int = 0) -> str:
    replies = device.receive(text.encode("latin-1") + b"\r\n", now_ns)
    return b"".join(data for _, data in replies).decode()


def thermostat(bath: Bath | None = None, serial: str = "", **options: float) -> Huber:
    return Huber(Spec("bath", "huber", "x", serial=serial, options=options), bath)


def test_values_are_hundredths_in_twos_complement() -> None:
    bath = Bath()
    device = thermostat(bath)
    assert ask(device, "{M01****") == "{S010898\r\n"
    bath.degrees = -23.15
    assert ask(device, "{M01****") == "{S01F6F5\r\n"
    assert ask(device, "{M00****") == "{S0007D0\r\n"
    assert ask(device, "{M30****") == "{S30F060\r\n"
    assert ask(device, "{M31****") == "{S314E20\r\n"


def test_a_sensor_that_is_not_there_and_a_variable_that_is_not_here() -> None:
    assert ask(thermostat(), "{M07****") == "{S07C504\r\n"
    assert ask(thermostat(), "{MEE****") == "{SEE7FFF\r\n"
    assert ask(thermostat(), "{MEE0001") == "{SEE7FFF\r\n"


def test_the_serial_number_is_two_words() -> None:
    device = thermostat(serial="178301")
    assert ask(device, "{M1C****") + ask(device, "{M1B****") == "{S1C0002\r\n{S1BB87D\r\n"


def test_a_setpoint_and_control_drive_the_bath() -> None:
    bath = Bath()
    device = thermostat(bath)
    assert ask(device, "{M00FC18", 1) == "{S00FC18\r\n"
    assert ask(device, "{M140001", 2) == "{S140001\r\n"
    assert bath.told == [(False, -10.0, 1), (True, -10.0, 2)]
    assert ask(device, "{M140000", 3) == "{S140000\r\n"
    assert bath.told[-1] == (False, -10.0, 3)


def test_what_is_not_allowed_changes_nothing_and_the_answer_shows_it() -> None:
    bath = Bath()
    device = thermostat(bath, low=0.0, high=50.0)
    assert ask(device, "{M001770") == "{S0007D0\r\n"  # 60 degC
    assert ask(device, "{M140002") == "{S140000\r\n"
    assert ask(device, "{M010000") == "{S010898\r\n"
    assert bath.told == []


def test_the_status_tells_control_pump_error_and_a_restart() -> None:
    device = thermostat()
    assert int(ask(device, "{M0A****")[4:8], 16) & 0x4113 == 0
    ask(device, "{M160001")
    assert int(ask(device, "{M0A****")[4:8], 16) & 0x4113 == 0x4012
    ask(device, "{M140001")
    assert int(ask(device, "{M0A****")[4:8], 16) & 0x4113 == 0x4011
    assert ask(device, "{M16****") == "{S160000\r\n"
    assert int(ask(device, "{M26****")[4:8], 16) > 0


def test_an_error_stops_it_until_power_on_and_a_sent_setpoint_is_not_kept() -> None:
    bath = Bath()
    device = thermostat(bath)
    ask(device, "{M000BB8")
    ask(device, "{M140001")
    assert device.fail(9, 0.0)
    assert bath.told[-1] == (False, 30.0, 9)
    assert int(ask(device, "{M0A****")[4:8], 16) & 0x0101 == 0x0100
    assert int(ask(device, "{M05****")[4:8], 16) > 0x8000
    assert ask(device, "{M140001") == "{S140000\r\n"
    device.power_cycle(10)
    assert ask(device, "{M05****") == "{S050000\r\n"
    assert ask(device, "{M00****") == "{S0007D0\r\n"


@pytest.mark.parametrize(
    "text",
    ["", "M01****", "{S01****", "{M01***", "{M01*****", "{M01**00", "{M0G****", "{M0107 0",
     "{m01****", "{M01+123", "{M140001x", "{M\u00b2\u00b2****", "x" * 200],
)  # fmt: skip
def test_a_broken_form_is_not_answered(text: str) -> None:
    device = thermostat()
    assert ask(device, text) == ""
    assert ask(device, "{M14****") == "{S140000\r\n"


def test_an_answer_takes_its_characters_at_9600_baud() -> None:
    ((due, reply),) = thermostat().receive(b"{M01****\r\n", 0)
    assert due > len(reply) * 1_041_666
