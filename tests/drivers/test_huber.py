"""Huber: PB commands; what the answer says is what holds, whatever was asked for.

Byte pairs as documents that cite Huber's Data Communication PB have them: -23.15 degC is F6F5, a
missing sensor C504, a closed variable 7FFF; setpoints from the tests of flowchem.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import InstrumentError
from drivers.huber import Huber, HuberSense, answer, degrees, order, question

STOPPED = (b"{M0A****\r\n", b"{S0A40A0\r\n")
RUNS = (b"{M0A****\r\n", b"{S0A40B1\r\n")
BROKEN = (b"{M0A****\r\n", b"{S0A41A0\r\n")
SET = (b"{M0008CA\r\n", b"{S0008CA\r\n")
GO = (b"{M140001\r\n", b"{S140001\r\n")
HALT = (b"{M140000\r\n", b"{S140000\r\n")
HALTED = (b"{M14****\r\n", b"{S140000\r\n")


def bath(port: Any) -> Huber:
    return Huber(port, "bath")


def test_commands_as_the_manual_writes_them() -> None:
    assert question(0x00) == b"{M00****\r\n"
    assert order(0x00, 2000) == b"{M0007D0\r\n"
    assert order(0x00, -2000) == b"{M00F830\r\n"
    assert order(0x14, 1) == b"{M140001\r\n"


@pytest.mark.parametrize(
    ("line", "value"),
    [(b"{S01F6F5", -23.15), (b"{S0109C4", 25.0), (b"{S01fc18", -10.0), (b"{S019C40", 400.0)],
)
def test_temperatures(line: bytes, value: float) -> None:
    assert degrees(answer(line, 0x01)) == value


def test_identify_and_sense(script: Any) -> None:
    port = script.port([(b"{M1B****\r\n", b"{S1BB87D\r\n"), (b"{M1C****\r\n", b"{S1C0002\r\n")])
    identity = bath(port).identify()
    assert (identity.maker, identity.serial) == ("Huber", "178301")
    script.then(RUNS, (b"{M01****\r\n", b"{S010898\r\n"), (b"{M00****\r\n", b"{S0008CA\r\n"))
    assert bath(port).sense() == HuberSense(22.0, 22.5, True)


def test_a_serial_number_that_is_not_told(script: Any) -> None:
    port = script.port([(b"{M1B****\r\n", b"{S1B7FFF\r\n"), (b"{M1C****\r\n", b"{S1C7FFF\r\n")])
    assert bath(port).identify().serial == ""


def test_start_is_confirmed_twice(script: Any) -> None:
    bath(script.port([STOPPED, SET, GO, RUNS])).start(22.5)


def test_a_setpoint_that_was_not_kept(script: Any) -> None:
    port = script.port([STOPPED, (SET[0], b"{S0007D0\r\n")])
    with pytest.raises(InstrumentError, match="the setpoint is 20, 22.5 was set") as caught:
        bath(port).start(22.5)
    assert caught.value.kind == "refused"


def test_it_does_not_start(script: Any) -> None:
    port = script.port([STOPPED, SET, (GO[0], HALT[1]), STOPPED])
    with pytest.raises(InstrumentError, match="does not start"):
        bath(port).start(22.5)


@pytest.mark.parametrize("setpoint", [1.0, 81.0, float("nan")])
def test_setpoints_are_checked_before_the_wire(script: Any, setpoint: float) -> None:
    with pytest.raises(InstrumentError, match="outside"):
        bath(script.port()).start(setpoint)
    assert script.sent == []


def test_an_error_is_a_fault_with_its_number(script: Any) -> None:
    port = script.port([BROKEN, (b"{M05****\r\n", b"{S05FFDF\r\n")])
    with pytest.raises(InstrumentError, match="error -33"):
        bath(port).prepare()


def test_safe_works_with_an_error_standing_and_reads_back(script: Any) -> None:
    port = script.port([(b"x\r\n", b""), HALT, HALT, HALTED])
    bath(port).safe()
    assert bath(port).safe_bytes() == (b"x\r\n", b"{M140000\r\n")


def test_safe_that_does_not_stop_is_an_error(script: Any) -> None:
    port = script.port([(b"x\r\n", b""), HALT, HALT, (HALTED[0], GO[1])])
    with pytest.raises(InstrumentError, match="does not stop"):
        bath(port).safe()


def test_a_late_answer_about_something_else_is_not_believed(script: Any) -> None:
    port = script.port([(b"{M01****\r\n", b"{S0008CA\r\n"), (b"{M1B****\r\n", b"{S1B0001\r\n")])
    script.then((b"{M01****\r\n", b"{S010898\r\n"))
    assert bath(port).temperature() == 22.0


@pytest.mark.parametrize("word", [0x7FFF, 0xC504])
def test_what_is_no_temperature(word: int) -> None:
    with pytest.raises(InstrumentError) as caught:
        degrees(word)
    assert caught.value.kind == "fault" and caught.value.cure


@given(st.binary(max_size=40))
def test_garbage_is_never_an_answer(line: bytes) -> None:
    with pytest.raises(InstrumentError) as caught:
        answer(line, 0x01)
    assert caught.value.kind == "garbled"
