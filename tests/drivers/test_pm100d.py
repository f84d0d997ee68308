"""PM100D: SCPI as the manual has it, and an over-range answer that never becomes a power."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import scpi
from drivers.errors import InstrumentError
from drivers.pm100d import PM100D

IDN = (b"*IDN?\n", b"THORLABS,PM100D,P0012345,2.8.0\n")
SENSOR = (b"SYST:SENS:IDN?\n", b'"S120C","16060232","2-JUN-2021",1,2,33\n')
RANGE = [(b"SENS:CORR:WAV? MIN\n", b"400\n"), (b"SENS:CORR:WAV? MAX\n", b"1.100000E+03\n")]
SET = [
    (b"SENS:POW:UNIT W\n", b""),
    (b"SENS:POW:RANG:AUTO 1\n", b""),
    (b"SENS:CORR:WAV 570.0\n", b""),
    (b"SENS:AVER:COUN 300\n", b""),
]
NO_ERROR = (b"SYST:ERR?\n", b'0,"No error"\n')


def test_identify(script: Any) -> None:
    identity = PM100D(script.port([IDN]), "diode").identify()
    assert (identity.maker, identity.model) == ("THORLABS", "PM100D")
    assert (identity.serial, identity.firmware) == ("P0012345", "2.8.0")


def test_prepare_then_power_with_a_time_out_from_the_averages(script: Any) -> None:
    diode = PM100D(script.port([(b"*CLS\n", b""), SENSOR, *RANGE, *SET, NO_ERROR]), "diode")
    script.then((b"SENS:CORR:WAV?\n", b"570\n"), (b"SENS:AVER:COUN?\n", b"300\n"))
    diode.prepare(570.0, 300)
    script.library.answer_ns = 1_800_000_000  # 300 averages of 3 ms, and a slow range change
    script.then((b"MEAS:POW?\n", b"1.387234E-03\n"))
    assert diode.power() == 1.387234e-3


@pytest.mark.parametrize("answer", [b"9.9E37\n", b"9.910000E+37\n", b"-9.9e37\n"])
def test_over_range_is_a_fault(script: Any, answer: bytes) -> None:
    diode = PM100D(script.port([(b"MEAS:POW?\n", answer)]), "diode")
    with pytest.raises(InstrumentError, match="over range") as caught:
        diode.power()
    assert caught.value.kind == "fault"


@pytest.mark.parametrize("answer", [b"nan\n", b"inf\n", b"1.3 W\n", b"1e\n", b"1_0\n", b"0x1\n"])
def test_what_is_no_number_is_asked_again_and_then_refused(script: Any, answer: bytes) -> None:
    diode = PM100D(script.port([(b"MEAS:POW?\n", answer), IDN, (b"MEAS:POW?\n", answer)]), "diode")
    with pytest.raises(InstrumentError, match="not a number"):
        diode.power()


@pytest.mark.parametrize(
    "answer", [b'"no sensor","","",0,0,0\n', b'"S302C","1","2",2,1,1\n', b"what\n"]
)
def test_a_sensor_that_cannot_do_it(script: Any, answer: bytes) -> None:
    port = script.port([(b"*CLS\n", b""), (b"SYST:SENS:IDN?\n", answer)])
    with pytest.raises(InstrumentError, match="cannot measure"):
        PM100D(port, "diode").prepare(570.0, 300)


def test_limits_come_before_the_wire(script: Any) -> None:
    diode = PM100D(script.port(), "diode")
    for averages in (0, 3001):
        with pytest.raises(InstrumentError, match="averages"):
            diode.prepare(570.0, averages)
    assert script.sent == []
    script.then((b"*CLS\n", b""), SENSOR, *RANGE)
    with pytest.raises(InstrumentError, match="1200 nm is outside"):
        diode.prepare(1200.0, 300)


def test_an_error_of_the_meter_is_raised_with_its_words(script: Any) -> None:
    port = script.port([(b"*CLS\n", b""), SENSOR, *RANGE, *SET])
    script.then((b"SYST:ERR?\n", b'-113,"Undefined header"\n'), NO_ERROR)
    with pytest.raises(InstrumentError, match="error -113: Undefined header") as caught:
        PM100D(port, "diode").prepare(570.0, 300)
    assert caught.value.kind == "refused"


def test_a_setting_that_was_not_kept(script: Any) -> None:
    port = script.port([(b"*CLS\n", b""), SENSOR, *RANGE, *SET, NO_ERROR])
    script.then((b"SENS:CORR:WAV?\n", b"635\n"))
    with pytest.raises(InstrumentError, match="says 635, 570 was set"):
        PM100D(port, "diode").prepare(570.0, 300)


def test_safe_is_a_look(script: Any) -> None:
    diode = PM100D(script.port([IDN]), "diode")
    assert diode.safe_bytes() == ()
    diode.safe()


@given(st.binary(max_size=40))
def test_garbage_is_never_a_value(data: bytes) -> None:
    for read in (scpi.number, scpi.switch, scpi.error_entry, scpi.measured):
        try:
            got = read(data)
        except InstrumentError as error:
            assert error.kind in ("garbled", "fault")
        else:
            assert data.isascii() and repr(got)
    try:
        scpi.identity(data)
    except InstrumentError:
        assert data.count(b",") != 3


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_as_instruments_write_them(value: float) -> None:
    assert scpi.number(f"{value:.6E}".encode()) == float(f"{value:.6E}")


def test_an_error_queue_without_end_is_left_alone() -> None:
    assert scpi.first_error(lambda: (-350, "Queue overflow")) == (-350, "Queue overflow")
