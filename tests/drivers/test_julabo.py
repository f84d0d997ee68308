"""JULABO: OUT commands that never answer are believed only when the next status says so."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import InstrumentError
from drivers.julabo import Julabo, _degrees, _status, _version

STOPPED = (b"status\r", b"02 REMOTE STOP\r\n")
RUNS = (b"status\r", b"03 REMOTE START\r\n")
SET = (b"out_sp_00 22.50\r", b"")
GO = (b"out_mode_05 1\r", b"")
HALT = (b"out_mode_05 0\r", b"")


def bath(port: Any) -> Julabo:
    return Julabo(port, "bath")


def test_identify_and_read(script: Any) -> None:
    port = script.port([(b"version\r", b"JULABO MAGIO MS-1000F VERSION 1.1.2\r\n")])
    identity = bath(port).identify()
    assert (identity.maker, identity.model, identity.firmware) == (
        "JULABO",
        "MAGIO MS-1000F",
        "1.1.2",
    )
    script.then((b"in_pv_00\r", b"\x1122.07\x13\r\n"), (b"in_sp_00\r", b" 30.0\r\n"))
    assert bath(port).temperature() == 22.07
    assert bath(port).setpoint() == 30.0


def test_start_waits_after_each_out_and_verifies(script: Any) -> None:
    port = script.port([STOPPED, SET, STOPPED, (b"in_sp_00\r", b"22.50\r\n"), GO, RUNS])
    bath(port).start(22.5)
    assert script.core.now_ns() > 500_000_000  # 250 ms after each of two OUT commands


def test_a_refusal_shows_in_the_next_status(script: Any) -> None:
    port = script.port([STOPPED, SET, (b"status\r", b"-13 VALUE EXCEEDS LIMIT\r\n")])
    with pytest.raises(InstrumentError, match="warning limits") as caught:
        bath(port).start(22.5)
    assert (caught.value.kind, caught.value.command) == ("refused", "out_sp_00 22.50")


def test_an_old_refusal_is_not_blamed_on_the_next_command(script: Any) -> None:
    port = script.port([(b"status\r", b"-08 INVALID COMMAND\r\n"), STOPPED, SET, STOPPED])
    script.then((b"in_sp_00\r", b"22.50\r\n"), GO, RUNS)
    bath(port).start(22.5)


def test_remote_control_off(script: Any) -> None:
    port = script.port([STOPPED, SET, STOPPED, (b"in_sp_00\r", b"22.50\r\n"), GO])
    script.then((b"status\r", b"00 MANUAL STOP\r\n"))
    with pytest.raises(InstrumentError, match="does not start"):
        bath(port).start(22.5)


def test_a_setpoint_that_was_not_kept(script: Any) -> None:
    port = script.port([STOPPED, SET, STOPPED, (b"in_sp_00\r", b"2.50\r\n")])
    with pytest.raises(InstrumentError, match="setpoint is 2.5"):
        bath(port).start(22.5)


@pytest.mark.parametrize("setpoint", [1.0, 81.0, float("nan")])
def test_setpoints_are_checked_before_the_wire(script: Any, setpoint: float) -> None:
    with pytest.raises(InstrumentError, match="outside"):
        bath(script.port()).start(setpoint)
    assert script.sent == []


def test_an_alarm_is_a_fault(script: Any) -> None:
    port = script.port([(b"status\r", b"-01 LOW LEVEL ALARM\r\n")])
    with pytest.raises(InstrumentError, match="alarm -1: low liquid level"):
        bath(port).status()


def test_safe_works_with_an_alarm_standing(script: Any) -> None:
    alarm = (b"status\r", b"-01 LOW LEVEL ALARM\r\n")
    circulator = bath(script.port([(b"x\r", b""), HALT, alarm, HALT, alarm]))
    circulator.safe()
    assert circulator.safe_bytes() == (b"x\r", b"out_mode_05 0\r")


def test_safe_that_does_not_stop_is_an_error(script: Any) -> None:
    port = script.port([(b"x\r", b""), HALT, RUNS, HALT, RUNS])
    with pytest.raises(InstrumentError, match="does not stop"):
        bath(port).safe()


def test_prepare_reads_old_refusals_away(script: Any) -> None:
    port = script.port([(b"status\r", b"-08 INVALID COMMAND\r\n"), STOPPED])
    script.then((b"in_pv_00\r", b"22.07\r\n"))
    bath(port).prepare()


@given(st.binary(max_size=40))
def test_garbage_is_never_a_temperature_or_a_status(line: bytes) -> None:
    for read in (_degrees, _status, _version):
        try:
            got = read(line)
        except InstrumentError as error:
            assert error.kind == "garbled"
        else:
            assert line.strip()[:1].isdigit() or line[:1] in b"+- Jj" and got is not None


@pytest.mark.parametrize("line", [b"999.9", b"-273.2", b"22,5", b"22.5 C", b"1e3", b""])
def test_temperatures_that_cannot_be(line: bytes) -> None:
    with pytest.raises(InstrumentError):
        _degrees(line)
