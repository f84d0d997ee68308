"""The Lake Shore 336 model: joined messages, silent errors, the loop and its ramp."""

import pytest

from sim.lakeshore336 import Lakeshore336
from sim.port import Spec

NS = 1_000_000_000
MINUTE = 60 * NS


class Bath:
    """The far side of the thermostat link."""

    def __init__(self) -> None:
        self.degrees = 21.9734
        self.told: list[tuple[bool, float, int]] = []

    def temperature(self, now_ns: int) -> float:
        return self.degrees

    def drive(self, on: bool, setpoint: float, now_ns: int) -> None:
        self.told.append((on, setpoint, now_ns))


def controller(link: Bath | None = None) -> Lakeshore336:
    device = Lakeshore336(Spec("t", "lakeshore336", "x"), link)
    ask(device, "*CLS")
    return device


def ask(device: Lakeshore336, text: str, now_ns: int = 0) -> str:
    return b"".join(data for _, data in device.receive(text.encode() + b"\n", now_ns)).decode()


def test_what_the_makers_package_sends() -> None:
    device = Lakeshore336(Spec("t", "lakeshore336", "x"), None)
    assert ask(device, "") == ""  # it opens with a lone newline
    assert ask(device, "*IDN?") == "LSCI,MODEL336,LSA21YG/#######,2.9\r\n"
    assert ask(device, "KRDG? A;*ESR?") == "+295.1500;128\r\n"
    assert ask(device, "KRDG? A;*ESR?") == "+295.1500;000\r\n"
    assert ask(device, "SETP 1,298.15;*ESR?") == "000\r\n"
    assert ask(device, "RANGE 1,0;RANGE 2,0;RANGE 3,0;RANGE 4,0;*ESR?") == "000\r\n"
    assert ask(device, "KRDG? A;:KRDG? B;*OPC?") == "+295.1500;+295.1500;1\r\n"
    assert ask(device, "KRDG? 0;*ESR?").count("+295.1500") == 4


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("KRDG? A", "+295.1234"), ("krdg?a", "+295.1234"), ("CRDG? A", "+21.9734"),
        ("KRDG? B", "+295.1500"), ("SRDG? A", "+108.4598"), ("RDGST? A", "000"),
        ("SETP? 1", "+295.1500"), ("RANGE? 1", "0"), ("HTR? 1", "+000.0"), ("RAMPST? 1", "0"),
        ("RAMP? 1", "0,+000.0"), ("PID? 1", "+050.0,+020.0,+000.0"), ("OUTMODE? 1", "1,1,0"),
        ("HTRSET? 1", "1,2,+0.000,1"), ("INNAME? A", "Input A        "), ("MODE?", "1"),
        ("HTRST? 1", "0"), ("TEMP?", "+295.1500"), ("*TST?", "0"), ("*STB?", "000"),
        ("SETP 1, 300.5;SETP? 1", "+300.5000"), ("PID 2,10,5,1;PID? 2", "+010.0,+005.0,+001.0"),
        ('INNAME A,"bath";INNAME? A', "bath           "), ("*ESE 48;*ESE?", "048"),
        ("MOUT 1,12.5;MOUT? 1", "+012.5000"), ("MODE 2;MODE?", "2"),
    ],
)  # fmt: skip
def test_answers(text: str, answer: str) -> None:
    assert ask(controller(Bath()), text) == answer + "\r\n"


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("nix", "032"), ("NIX?", "032"), ("KRDG? E", "016"), ("KRDG?", "032"), ("SETP 1", "032"),
        ("SETP 1,2000", "016"), ("SETP 5,300", "016"), ("RANGE 1,4", "016"), ("RANGE 3,2", "016"),
        ("RANGE 1,1.5", "016"), ("SETP 1,hot", "032"), ("SETP 1,nan", "016"), ("PID 1,1", "032"),
        ("*ESE 300", "016"), ("SETP? 1,2", "032"), ("A" * 300, "032"), ("RDGST? 0", "016"),
    ],
)  # fmt: skip
def test_a_bad_command_is_silent_and_shows_in_the_event_register(text: str, event: str) -> None:
    device = controller()
    assert ask(device, text) == ""
    assert ask(device, "*ESR?") == event + "\r\n"
    assert ask(device, "*ESR?") == "000\r\n"


def test_output_1_controls_the_bath() -> None:
    bath = Bath()
    device = controller(bath)
    ask(device, "SETP 1,303.15", 1)
    assert bath.told == []
    ask(device, "RANGE 1,2", 2)
    assert bath.told[0][0] and bath.told[0][1] == pytest.approx(30.0) and len(bath.told) == 1
    assert ask(device, "HTR? 1", 3) == "+100.0\r\n"
    bath.degrees = 29.0
    assert ask(device, "HTR? 1", 3) == "+050.0\r\n"
    ask(device, "RANGE 1,0", 4)
    assert bath.told[-1] == (False, 0.0, 4)
    ask(device, "OUTMODE 1,3,1,0;RANGE 1,3", 5)  # open loop
    assert len(bath.told) == 2


def test_a_ramp_moves_the_setpoint_in_force() -> None:
    bath = Bath()
    device = controller(bath)
    ask(device, "RANGE 1,3;RAMP 1,1,2.0;SETP 1,305.15")
    assert ask(device, "RAMPST? 1") == "1\r\n"
    device.settle(2 * MINUTE)
    assert bath.told[-1][1] == pytest.approx(26.0) and bath.told[-1][2] == 2 * MINUTE
    ask(device, "SETP 1,295.15", 3 * MINUTE)
    device.settle(4 * MINUTE)
    assert bath.told[-1][1] == pytest.approx(26.0)
    assert ask(device, "RAMPST? 1", 60 * MINUTE) == "0\r\n"
    assert bath.told[-1][1] == pytest.approx(22.0)
    assert ask(device, "SETP? 1", 60 * MINUTE) == "+295.1500\r\n"


def test_a_lost_sensor_lets_the_bath_go() -> None:
    bath = Bath()
    device = controller(bath)
    ask(device, "RANGE 1,3;SETP 1,300")
    device.fail(NS, 0.0)
    assert bath.told[-1] == (False, 0.0, NS)
    assert ask(device, "RDGST? A;KRDG? A;RDGST? B", NS) == "001;+0.0000;000\r\n"


def test_power_off_turns_the_heater_off_and_keeps_the_setpoint() -> None:
    bath = Bath()
    device = controller(bath)
    ask(device, "RANGE 1,3;SETP 1,300")
    device.power_cycle(NS)
    assert bath.told[-1][0] is False
    assert ask(device, "RANGE? 1;SETP? 1;*ESR?", NS) == "0;+300.0000;128\r\n"
    ask(device, "OUTMODE 1,1,1,1;RANGE 1,1;*RST;RANGE? 1", NS)
    assert ask(device, "SETP? 1", NS) == "+295.1500\r\n"
    ask(device, "OUTMODE 1,1,1,1;RANGE 1,1", NS)
    device.power_cycle(2 * NS)
    assert ask(device, "RANGE? 1", 2 * NS) == "1\r\n"
    ask(device, "ALLOFF", 2 * NS)
    assert ask(device, "RANGE? 1", 2 * NS) == "0\r\n"
