"""IKA plate: values bear their channel, what is written is read back, the heater stays off."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import InstrumentError
from drivers.ika import Ika, _name, number

NAME = (b"IN_NAME \r\n", b"C-MAG HS7 \r\n")
SET = (b"OUT_SP_4 300 \r\n", b"")
KEPT = (b"IN_SP_4 \r\n", b"300.0 4 \r\n")
GO = (b"START_4 \r\n", b"")
HALT = [(b"STOP_4 \r\n", b""), (b"STOP_1 \r\n", b"")]
WARM = (b"IN_PV_1 \r\n", b"25.3 1 \r\n")


def turns(rpm: bytes) -> tuple[bytes, bytes]:
    return b"IN_PV_4 \r\n", rpm + b" 4 \r\n"


STILL = turns(b"0.0")


def plate(port: Any, **options: Any) -> Ika:
    return Ika(port, "stirrer", **options)


def test_identify_and_read(script: Any) -> None:
    stirrer = plate(script.port([NAME, WARM, STILL]))
    assert stirrer.identify().model == "C-MAG HS7"
    sensed = stirrer.sense()
    assert (sensed.temperature, sensed.rpm) == (25.3, 0.0)


def test_the_plates_own_temperature(script: Any) -> None:
    port = script.port([(b"IN_PV_2 \r\n", b"31.0 2\r\n")])
    assert plate(port, probe=False).temperature() == 31.0


def test_stir_waits_until_it_turns(script: Any) -> None:
    port = script.port([SET, KEPT, GO, STILL, turns(b"150.0"), turns(b"295.0")])
    plate(port).stir(300)
    assert script.core.now_ns() > 700_000_000


def test_a_speed_that_was_not_kept_is_not_started(script: Any) -> None:
    port = script.port([SET, (b"IN_SP_4 \r\n", b"1200.0 4 \r\n")])
    with pytest.raises(InstrumentError, match="speed is 1200"):
        plate(port).stir(300)


def test_a_bar_that_does_not_turn_is_stopped(script: Any) -> None:
    port = script.port([SET, KEPT, GO, *[STILL] * 24, HALT[0]])
    with pytest.raises(InstrumentError, match="does not reach 300 rpm"):
        plate(port).stir(300)


@pytest.mark.parametrize("rpm", [0.0, 0.4, -5.0, 601.0, float("nan"), float("inf")])
def test_speeds_are_checked_before_the_wire(script: Any, rpm: float) -> None:
    with pytest.raises(InstrumentError, match="outside") as caught:
        plate(script.port()).stir(rpm)
    assert (caught.value.kind, script.sent) == ("limit", [])


def test_prepare_and_stop_end_at_rest(script: Any) -> None:
    plate(script.port([*HALT, turns(b"120.0"), STILL, WARM])).prepare()
    assert not any(b"START_1" in sent or b"OUT_SP_1" in sent for sent in script.sent)


def test_safe_stops_both(script: Any) -> None:
    programme = [(b"x \r\n", b""), *HALT, HALT[0]]
    stirrer = plate(script.port([*programme, turns(b"90.0"), STILL]))
    assert stirrer.safe_bytes() == tuple(sent for sent, _ in programme)
    stirrer.safe()
    script.then(*programme, *[turns(b"300.0")] * 24)
    with pytest.raises(InstrumentError, match="does not stop"):
        stirrer.safe()


def test_no_probe_no_temperature(script: Any) -> None:
    port = script.port([(b"IN_PV_1 \r\n", b"-250.0 1 \r\n")])
    with pytest.raises(InstrumentError, match="look at the probe"):
        plate(port).temperature()


def test_a_late_value_of_another_channel_is_not_taken(script: Any) -> None:
    port = script.port([(WARM[0], b"300.0 4 \r\n"), NAME, WARM])
    assert plate(port).temperature() == 25.3
    assert port.retries == 1


@pytest.mark.parametrize("limit", [0.0, 3001.0, float("nan")])
def test_a_plate_that_cannot_be(script: Any, limit: float) -> None:
    with pytest.raises(InstrumentError, match="no limit"):
        plate(script.port(), rpm_max=limit)


@given(st.binary(max_size=40))
def test_garbage_is_never_a_value(line: bytes) -> None:
    for read in (lambda data: number(data, 4), _name):
        try:
            got = read(line)
        except InstrumentError as error:
            assert error.kind == "garbled"
        else:
            assert line.isascii() and repr(got)


@pytest.mark.parametrize("line", [b"25.3", b"25.3 1", b"nan 4", b"25,3 4", b"1e3 4", b"25.3 4 4"])
def test_values_that_are_none(line: bytes) -> None:
    with pytest.raises(InstrumentError):
        number(line, 4)
