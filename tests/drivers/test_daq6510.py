"""DAQ6510: a scan's readings bear their channels, an overflow is no voltage."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.daq6510 import DAQ6510, readings
from drivers.errors import InstrumentError

IDN = (b"*IDN?\n", b"KEITHLEY INSTRUMENTS,MODEL DAQ6510,0400000,1.7.12b\n")
NO_ERROR = (b"SYST:ERR?\n", b'0,"No error;0,0,0"\n')
CLEAR = (b'TRAC:CLE "defbuffer1"\n', b"")
INIT = (b"INIT\n", b"")
DATA = b'TRAC:DATA? 1,2,"defbuffer1",READ,CHAN\n'
ANSWER = (DATA, b"1.250000E+00,101,-4.900000E-01,103\n")


def set_up(where: bytes) -> list[tuple[bytes, bytes]]:
    return [
        (b':SENS:FUNC "VOLT",(@' + where + b")\n", b""),
        (b":SENS:VOLT:RANG 10,(@" + where + b")\n", b""),
        (b":SENS:VOLT:NPLC 1.0000,(@" + where + b")\n", b""),
        (b"ROUT:SCAN:CRE (@" + where + b")\n", b""),
        (b"ROUT:SCAN:COUN:SCAN 1\n", b""),
        NO_ERROR,
    ]


def counted(count: bytes) -> tuple[bytes, bytes]:
    return b'TRAC:ACT? "defbuffer1"\n', count + b"\n"


LONG = {"nplc": 15.0}
AT_ONCE = (CLEAR[0][:-1] + b";:INIT;*WAI;:" + DATA, ANSWER[1])


def slow(pairs: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(sent.replace(b"1.0000", b"15.0000"), answer) for sent, answer in pairs]


def inputs(port: Any, **options: Any) -> DAQ6510:
    return DAQ6510(port, "inputs", **{"channels": (101, 103), **options})


def test_prepare_then_one_scan_per_question(script: Any) -> None:
    port = script.port([(b"*RST\n", b""), (b"*CLS\n", b""), *set_up(b"101,103"), AT_ONCE])
    daq = inputs(port)
    daq.prepare()
    assert daq.sense() == {101: 1.25, 103: -0.49}
    script.then(AT_ONCE)
    assert daq.volts((101, 103)) == {101: 1.25, 103: -0.49}


def test_a_long_scan_is_polled(script: Any) -> None:
    port = script.port([(b"*RST\n", b""), (b"*CLS\n", b""), *slow(set_up(b"101,103"))])
    daq = inputs(port, **LONG)
    daq.prepare()
    script.then(CLEAR, INIT, counted(b"1"), counted(b"2"), ANSWER)
    assert daq.sense() == {101: 1.25, 103: -0.49}
    script.then(CLEAR, INIT, counted(b"2"), ANSWER)
    assert daq.volts((101, 103)) == {101: 1.25, 103: -0.49}


def test_other_channels_are_set_up_first(script: Any) -> None:
    port = script.port([*set_up(b"101,103"), AT_ONCE])
    daq = inputs(port, channels=(101,))
    assert daq.volts([101, 103]) == {101: 1.25, 103: -0.49}


def test_an_overflow_is_a_fault(script: Any) -> None:
    port = script.port(slow([*set_up(b"101,103"), CLEAR, INIT, counted(b"2")]))
    script.then((DATA, b"9.900000E+37,101,1.0,103\n"))
    with pytest.raises(InstrumentError, match="over range") as caught:
        inputs(port, **LONG).sense()
    assert caught.value.kind == "fault"


def test_an_instrument_that_lost_its_list_is_set_up_again(script: Any) -> None:
    port = script.port(slow([*set_up(b"101,103"), CLEAR, INIT, counted(b"2")]))
    script.then((DATA, b"0.0,0\n"), IDN, (DATA, b"0.0,0\n"))
    daq = inputs(port, **LONG)
    with pytest.raises(InstrumentError, match="2 readings with their channels"):
        daq.sense()
    *settings, no_error = slow(set_up(b"101,103"))
    script.then(*settings, IDN, no_error, CLEAR, INIT, counted(b"2"), ANSWER)
    assert daq.sense() == {101: 1.25, 103: -0.49}


def test_a_scan_that_never_ends(script: Any) -> None:
    port = script.port(slow([*set_up(b"101,103"), CLEAR, INIT, *[counted(b"0")] * 77]))
    script.then((b"SYST:ERR?\n", b'-222,"Data out of range"\n'), NO_ERROR)
    with pytest.raises(InstrumentError, match="-222"):
        inputs(port, **LONG).sense()


def test_an_error_while_setting_up(script: Any) -> None:
    port = script.port(set_up(b"101,103")[:-1])
    script.then((b"SYST:ERR?\n", b'1115,"Parameter error; bad channel"\n'), NO_ERROR)
    with pytest.raises(InstrumentError, match="bad channel") as caught:
        inputs(port).sense()
    assert caught.value.kind == "refused"


def test_identify_and_safe(script: Any) -> None:
    daq = inputs(script.port([IDN, IDN]))
    assert daq.identify().model == "MODEL DAQ6510"
    daq.safe()
    assert daq.safe_bytes() == ()


@pytest.mark.parametrize(
    "channels",
    [(), (0,), (100,), (141,), (301,), (101, 101), (*range(101, 141), *range(201, 242)), (-101,)],
)
def test_channels_are_checked_before_the_wire(script: Any, channels: tuple[int, ...]) -> None:
    daq = inputs(script.port())
    with pytest.raises(InstrumentError, match="no channels") as caught:
        daq.volts(channels)
    assert (caught.value.kind, script.sent) == ("limit", [])


@pytest.mark.parametrize("options", [{"nplc": 0.0}, {"nplc": 16.0}, {"span": 5.0}])
def test_settings_that_cannot_be(script: Any, options: dict[str, float]) -> None:
    with pytest.raises(InstrumentError, match="cannot be set"):
        inputs(script.port(), **options)


@pytest.mark.parametrize(
    "line",
    [b"1.0,101", b"1.0,103,2.0,101", b"1.0,101,2.0,101", b"1.0,101,x,103", b"1.0,101.5,2.0,103"],
)
def test_other_lists_are_garbage(line: bytes) -> None:
    with pytest.raises(InstrumentError) as caught:
        readings(line, (101, 103))
    assert caught.value.kind == "garbled"


@given(st.binary(max_size=60))
def test_garbage_is_never_a_reading(line: bytes) -> None:
    try:
        found = readings(line, (101,))
    except InstrumentError as error:
        assert error.kind in ("garbled", "fault")
    else:
        assert set(found) == {101} and b"101" in line


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=20))
def test_readings_as_written(values: list[float]) -> None:
    channels = tuple(range(101, 101 + len(values)))
    pairs = (f"{value:.6E},{where}" for value, where in zip(values, channels, strict=True))
    found = readings(",".join(pairs).encode(), channels)
    assert list(found.values()) == pytest.approx(values, rel=1e-5, abs=1e-99)
