"""Lake Shore 336: readings with their status, heat only when unit, loop and setpoint are proved."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import InstrumentError
from drivers.lakeshore336 import LakeShore336, _fields, _kelvin, _whole, reading, unit_of_input

IDN = (b"*IDN?\n", b"LSCI,MODEL336,LSA21YG/#######,2.9\r\n")
QUIET = (b"*ESR?\n", b"000\r\n")
OFF = (b"RANGE 1,0\n", b"")
IS_OFF = (b"RANGE? 1\n", b"0\r\n")
IS_ON = (b"RANGE? 1\n", b"1\r\n")
LOOP = [(b"OUTMODE? 1\n", b"1,1,0\r\n"), (b"INTYPE? A;*ESR?\n", b"2,1,0,1,1;000\r\n")]
SET = [QUIET, (b"SETP 1,303.150\n", b""), QUIET]
KEPT = (b"SETP? 1\n", b"+303.150\r\n")
ON = [QUIET, (b"RANGE 1,1\n", b""), QUIET]
WARM = (b"CRDG? A;RDGST? A\n", b"+022.410;000\r\n")


def bath(port: Any, **options: Any) -> LakeShore336:
    return LakeShore336(port, "bath", **options)


def test_identify(script: Any) -> None:
    identity = bath(script.port([IDN])).identify()
    assert (identity.maker, identity.model, identity.firmware) == ("LSCI", "MODEL336", "2.9")


def test_temperature_of_any_input(script: Any) -> None:
    port = script.port([WARM, (b"CRDG? C;RDGST? C\n", b"-005.2;000\r\n")])
    assert bath(port).temperature() == 22.41
    assert bath(port).temperature("C") == -5.2
    with pytest.raises(InstrumentError, match="not one of ABCD") as caught:
        bath(port).temperature("E")
    assert caught.value.kind == "limit"


@pytest.mark.parametrize(
    ("line", "words"),
    [(b"+000.00;001", "invalid"), (b"+022.41;128", "over range"), (b"+1.0;080", "zero and|under")],
)
def test_a_reading_marked_invalid_is_a_fault(line: bytes, words: str) -> None:
    with pytest.raises(InstrumentError, match=words) as caught:
        reading(line)
    assert caught.value.kind == "fault"


@pytest.mark.parametrize("line", [b"+22.41", b"+22.41;", b"+600.0;000", b"22,41;000", b"1e2;000"])
def test_readings_that_are_none(line: bytes) -> None:
    with pytest.raises(InstrumentError) as caught:
        reading(line)
    assert caught.value.kind == "garbled"


def test_start_proves_everything_first(script: Any) -> None:
    bath(script.port([*LOOP, *SET, KEPT, *ON, IS_ON])).start(30.0)


def test_messages_are_50_ms_apart(script: Any) -> None:
    controller = bath(script.port([WARM] * 4))
    for _ in range(4):
        controller.temperature()
    assert script.core.now_ns() > 150_000_000


@pytest.mark.parametrize(
    ("mode", "unit", "words"),
    [
        (b"0,1,0\r\n", b"", "has mode"),
        (b"1,2,0\r\n", b"", "has mode"),
        (b"1,1,0\r\n", b"2,1,0,1,2;000\r\n", "not set to kelvin"),
    ],
)
def test_no_heat_without_a_proved_loop(script: Any, mode: bytes, unit: bytes, words: str) -> None:
    script.then((b"OUTMODE? 1\n", mode))
    if unit:
        script.then((b"INTYPE? A;*ESR?\n", unit))
    with pytest.raises(InstrumentError, match=words):
        bath(script.port()).start(30.0)
    assert not any(sent.startswith((b"SETP ", b"RANGE 1,1")) for sent in script.sent)


def test_a_controller_that_cannot_tell_its_unit_is_noted(script: Any) -> None:
    port = script.port([LOOP[0], (b"INTYPE? A;*ESR?\n", b"032\r\n"), *SET, KEPT, *ON, IS_ON])
    bath(port).start(30.0)
    assert port.notes == ["bath: it does not tell its unit, which is taken as kelvin"]


@pytest.mark.parametrize("line", [b"000", b"016", b";032", b"2,1,0,1;000", b"2,1,0,1,1", b"2;1;0"])
def test_set_ups_that_are_none(line: bytes) -> None:
    with pytest.raises(InstrumentError) as caught:
        unit_of_input(line)
    assert caught.value.kind == "garbled"


def test_a_setpoint_that_was_not_kept_is_not_heated_to(script: Any) -> None:
    port = script.port([*LOOP, *SET, (b"SETP? 1\n", b"+353.150\r\n")])
    with pytest.raises(InstrumentError, match="setpoint is 80"):
        bath(port).start(30.0)


def test_a_refusal_is_in_the_event_register(script: Any) -> None:
    port = script.port([*LOOP, QUIET, SET[1], (b"*ESR?\n", b"016\r\n")])
    with pytest.raises(InstrumentError, match="refused") as caught:
        bath(port).start(30.0)
    assert (caught.value.kind, caught.value.command) == ("refused", "SETP 1,303.150")


@pytest.mark.parametrize("setpoint", [1.0, 81.0, 303.15, float("nan")])
def test_setpoints_are_checked_before_the_wire(script: Any, setpoint: float) -> None:
    with pytest.raises(InstrumentError, match="outside"):
        bath(script.port()).start(setpoint)
    assert script.sent == []


def test_prepare_ends_with_the_heater_off(script: Any) -> None:
    bath(script.port([QUIET, OFF, IS_OFF, *LOOP, WARM])).prepare()


def test_safe_is_seen_to_be_off(script: Any) -> None:
    programme = [(b"x\n", b""), OFF, OFF, OFF]
    controller = bath(script.port([*programme, IS_OFF]))
    assert controller.safe_bytes() == (b"x\n", b"RANGE 1,0\n", b"RANGE 1,0\n")
    controller.safe()
    script.then(*programme, IS_ON)
    with pytest.raises(InstrumentError, match="still on"):
        controller.safe()


@pytest.mark.parametrize(
    "options", [{"channel": "E"}, {"channel": ""}, {"output": 3}, {"heater": 0}, {"heater": 4}]
)
def test_a_loop_that_cannot_be(script: Any, options: dict[str, Any]) -> None:
    with pytest.raises(InstrumentError) as caught:
        bath(script.port(), **options)
    assert caught.value.kind == "limit"


@given(st.binary(max_size=40))
def test_garbage_is_never_a_value(line: bytes) -> None:
    for read in (reading, _kelvin, _whole, _fields):
        try:
            got = read(line)
        except InstrumentError as error:
            assert error.kind in ("garbled", "fault")
        else:
            assert line[:1] in b"+-0123456789" and repr(got)
