"""The DC2200 model: the instrument's own spelling, modes, the limit, and light only when on."""

import pytest

from sim.dc2200 import DC2200
from sim.port import Spec


class Diode:
    """The far side of the light link."""

    def __init__(self) -> None:
        self.amps = 0.0
        self.told: list[tuple[float, int]] = []

    def current(self, amps: float, now_ns: int) -> None:
        self.amps = amps
        self.told.append((amps, now_ns))


def ask(device: DC2200, text: str, now_ns: int = 0) -> str:
    replies = device.receive(text.encode() + b"\n", now_ns)
    return b"".join(data for _, data in replies).decode().rstrip("\n")


def driver(led: Diode | None = None) -> DC2200:
    return DC2200(Spec("led", "dc2200", "x", options={"limit": 1.0}), led)


def error(device: DC2200) -> str:
    return ask(device, "SYST:ERR?")


def test_the_sequence_of_the_makers_example() -> None:
    led = Diode()
    device = driver(led)
    assert ask(device, "*IDN?").startswith("Thorlabs,DC2200,M00960538,1.")
    for text in ("OUTPUT1:STATE OFF", "SOURCE1:MODE CC", "SOURCE1:CCURENT:CURRENT 0.02"):
        ask(device, text)
    assert led.told == []
    ask(device, "OUTPUT1:STATE ON", 7)
    assert led.told == [(0.02, 7)]
    assert ask(device, "OUTPUT1:STATE?") == "1"
    assert float(ask(device, "SENSE3:CURRENT:DATA?")) == 0.02
    assert float(ask(device, "SOURCE1:CURRENT:LIMIT?")) == 1.0
    ask(device, "OUTPUT1:STATE OFF\r", 9)
    assert led.told[-1] == (0.0, 9)
    assert error(device) == '+0,"No error"'


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SOURCE1:CCURRENT:CURRENT 0.1", "-113"), ("OUTPUT1:STATE ON ", "-224"),
        ("OUTP MAYBE", "-224"), ("SOUR:MODE DISCO", "-224"), ("SOUR:MODE 9", "-224"),
        ("SOUR:CCUR:CURR 1.01", "-222"), ("SOUR:CBR:BRIG 101", "-222"),
        ("SOUR:CCUR:CURR -0.1", "-222"), ("SOUR:CCUR:CURR", "-109"), ("OUTP:TERM 3", "-224"),
    ],
)  # fmt: skip
def test_what_it_refuses(text: str, code: str) -> None:
    led = Diode()
    device = driver(led)
    ask(device, text)
    assert error(device).startswith(code)
    assert led.told == []


@pytest.mark.parametrize(
    ("texts", "amps"),
    [
        (["SOUR:MODE CC", "SOUR:CCUR:CURR 0.3"], 0.3),
        (["SOUR:MODE 1", "SOUR:CCUR:CURR 0.3"], 0.3),
        (["SOUR:MODE CB", "SOUR:CBR:BRIG 40"], 0.4),
        (["SOUR:MODE PWM", "SOUR:PWM:CURR 0.8", "SOUR:PWM:DCYC 25"], 0.2),
        (["SOUR:MODE PULS", "SOUR:PULS:BRIG:LEV:AMPL 50", "SOUR:PULS:ONT 1", "SOUR:PULS:OFFT 4"],
         0.1),
        (["SOUR:MODE TTL", "SOUR:TTL:CURR 0.5"], 0.0),
    ],
)  # fmt: skip
def test_modes_by_their_mean_current(texts: list[str], amps: float) -> None:
    led = Diode()
    device = driver(led)
    for text in [*texts, "OUTP ON"]:
        ask(device, text)
    assert error(device).startswith("+0")
    assert led.amps == pytest.approx(amps)


def test_a_terminal_is_not_changed_while_on() -> None:
    device = driver()
    ask(device, "OUTP:TERM 2")
    assert ask(device, "OUTP:TERM?;:SOUR:MODE?") == "2;CC"
    ask(device, "OUTP ON")
    ask(device, "OUTP:TERM 1")
    assert error(device).startswith("-221")


def test_reset_power_and_a_broken_led_put_the_light_out() -> None:
    for cut in ("*RST", "power", "fail"):
        led = Diode()
        device = driver(led)
        ask(device, "SOUR:CCUR:CURR 0.3;:OUTP ON")
        assert led.amps == 0.3
        if cut == "power":
            device.power_cycle(5)
        elif cut == "fail":
            assert device.fail(5, 0.0)
        else:
            ask(device, cut)
        assert led.amps == 0.0
        assert ask(device, "OUTP?") == "0"
        if cut == "fail":
            assert ask(device, "STAT:QUES:COND?") == "1"
            ask(device, "OUTP ON")
            assert led.amps == 0.0 and error(device).startswith("-240")
