"""DC2200: never above the bench file's current, and dark after every error."""

from typing import Any

import pytest

from drivers.dc2200 import DC2200
from drivers.errors import InstrumentError

OFF = (b"OUTPUT1:STATE OFF\n", b"")
NO_ERROR = (b"SYST:ERR?\n", b'+0,"No error"\n')
DARK = (b"OUTPUT1:STATE?\n", b"0\n")
SAFE = [(b"\n", b""), OFF, OFF, DARK]
PREPARE = [
    OFF,
    (b"*CLS\n", b""),
    (b"SOURCE1:MODE CC\n", b""),
    (b"SOURCE1:CCURENT:CURRENT 0.0000\n", b""),
    OFF,
    NO_ERROR,
]


def led(port: Any) -> DC2200:
    return DC2200(port, "led", limit=1.0)


def test_prepare_ends_dark(script: Any) -> None:
    port = script.port([*PREPARE, (b"SOURCE1:CURRENT:LIMIT?\n", b"1.000000E+00\n"), *SAFE])
    led(port).prepare()


def test_a_device_limit_below_ours_is_refused(script: Any) -> None:
    port = script.port([*PREPARE, (b"SOURCE1:CURRENT:LIMIT?\n", b"0.35\n")])
    with pytest.raises(InstrumentError, match="limited to 0.35 A"):
        led(port).prepare()


def test_on_reads_back(script: Any) -> None:
    port = script.port([(b"SOURCE1:CCURENT:CURRENT 0.0200\n", b""), (b"OUTPUT1:STATE ON\n", b"")])
    script.then(NO_ERROR, (b"OUTPUT1:STATE?\n", b"1\n"))
    script.then((b"SOURCE1:CCURENT:CURRENT?\n", b"2.000000E-02\n"))
    led(port).on(0.02)


@pytest.mark.parametrize("amps", [0.0, -0.1, 1.01, float("nan"), float("inf")])
def test_currents_are_checked_before_the_wire(script: Any, amps: float) -> None:
    with pytest.raises(InstrumentError, match="outside"):
        led(script.port()).on(amps)
    assert script.sent == []


def test_an_error_in_switching_on_ends_dark(script: Any) -> None:
    port = script.port([(b"SOURCE1:CCURENT:CURRENT 0.0200\n", b""), (b"OUTPUT1:STATE ON\n", b"")])
    script.then((b"SYST:ERR?\n", b'-222,"Data out of range"\n'), NO_ERROR, OFF)
    with pytest.raises(InstrumentError, match="-222"):
        led(port).on(0.02)


def test_a_lamp_that_stays_dark_is_noticed(script: Any) -> None:
    port = script.port([(b"SOURCE1:CCURENT:CURRENT 0.0200\n", b""), (b"OUTPUT1:STATE ON\n", b"")])
    script.then(NO_ERROR, DARK, (b"SOURCE1:CCURENT:CURRENT?\n", b"0.02\n"), OFF)
    with pytest.raises(InstrumentError, match="after 0.02 A was set"):
        led(port).on(0.02)


def test_safe_is_seen_to_be_dark(script: Any) -> None:
    lamp = led(script.port([*SAFE, *SAFE]))
    lamp.safe()
    lamp.off()
    script.then(*SAFE[:3], (b"OUTPUT1:STATE?\n", b"1\n"))
    with pytest.raises(InstrumentError, match="still on"):
        lamp.safe()


@pytest.mark.parametrize("limit", [0.0, -1.0, 11.0, float("nan")])
def test_a_limit_that_cannot_be(script: Any, limit: float) -> None:
    with pytest.raises(InstrumentError, match="no limit"):
        DC2200(script.port(), "led", limit=limit)
