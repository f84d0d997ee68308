"""Keithley 2450: only ever 0 A, the output off after every way out, its own limit no voltage."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import InstrumentError
from drivers.keithley2450 import Keithley2450, _words

OFF = (b":OUTP OFF\n", b"")
ON = (b":OUTP ON\n", b"")
IS_OFF = (b":OUTP?\n", b"0\n")
SAFE = [(b"\n", b""), OFF, OFF, IS_OFF]
NO_ERROR = (b"SYST:ERR?\n", b'0,"No error;0,0,0"\n')
HARMLESS = [
    (b":SOUR:FUNC?\n", b"CURR\n"),
    (b":SENS:FUNC?\n", b'"VOLT:DC"\n'),
    (b":SOUR:CURR:LEV?\n", b"0.000000E+00\n"),
    (b":SOUR:CURR:VLIM?\n", b"2.000000E+00\n"),
]
SETTINGS = [
    (b":SOUR:FUNC CURR\n", b""),
    (b":SOUR:CURR:LEV 0.0\n", b""),
    (b":SOUR:CURR:VLIM 2.000\n", b""),
    (b":SENS:FUNC 'VOLT'\n", b""),
    (b":SENS:VOLT:RANG:AUTO 1\n", b""),
    (b":SENS:VOLT:NPLC 1.000\n", b""),
]
PREPARE = [OFF, (b"*CLS\n", b""), (b"*LANG?\n", b"SCPI\n"), *SETTINGS, NO_ERROR]
READ = (b":READ?\n", b"1.387234E-03\n")
FREE = (b":SOUR:CURR:VLIM:TRIP?\n", b"0\n")


def film(port: Any, **options: Any) -> Keithley2450:
    return Keithley2450(port, "film", **options)


def test_prepare_reads_everything_back(script: Any) -> None:
    film(script.port([*PREPARE, *HARMLESS, *SAFE])).prepare()


def test_one_reading_with_the_output_on_only_for_it(script: Any) -> None:
    port = script.port([*HARMLESS, ON, READ, FREE, NO_ERROR, OFF, *SAFE])
    assert film(port).open_circuit_volts() == 1.387234e-3


@pytest.mark.parametrize(
    ("place", "answer", "words"),
    [
        (0, b"VOLT\n", "sources VOLT"),
        (1, b'"CURR:DC"\n', "reads CURR"),
        (2, b"1.000000E-03\n", "0.001 A"),
        (3, b"2.100000E+01\n", "21 V instead of 0 A and 2 V"),
    ],
)
def test_other_settings_never_switch_on(script: Any, place: int, answer: bytes, words: str) -> None:
    pairs = list(HARMLESS)
    pairs[place] = (pairs[place][0], answer)
    port = script.port(pairs[: 2 if place < 2 else 4])
    with pytest.raises(InstrumentError, match=words):
        film(port).open_circuit_volts()
    assert ON[0] not in script.sent


@pytest.mark.parametrize("answer", [b"9.9E37\n", b"9.910000E+37\n"])
def test_over_range_ends_off(script: Any, answer: bytes) -> None:
    port = script.port([*HARMLESS, ON, (READ[0], answer), OFF])
    with pytest.raises(InstrumentError, match="over range"):
        film(port).open_circuit_volts()


def test_silence_ends_off(script: Any) -> None:
    idn = (b"*IDN?\n", b"KEITHLEY INSTRUMENTS,MODEL 2450,04096331,1.6.7c\n")
    port = script.port([*HARMLESS, ON, (READ[0], b""), idn, (READ[0], b""), OFF])
    with pytest.raises(InstrumentError) as caught:
        film(port).open_circuit_volts()
    assert caught.value.kind == "no answer"


def test_an_error_after_the_reading_ends_off(script: Any) -> None:
    port = script.port([*HARMLESS, ON, READ, FREE])
    script.then((b"SYST:ERR?\n", b'-221,"Settings conflict;1;2026/01/01"\n'), NO_ERROR, OFF)
    with pytest.raises(InstrumentError, match="-221"):
        film(port).open_circuit_volts()


@pytest.mark.parametrize(
    ("reading", "tripped"), [(b"1.99999E+00\n", b"1\n"), (b"-2.0E+00\n", b"0\n")]
)
def test_the_limit_is_no_voltage_of_the_film(script: Any, reading: bytes, tripped: bytes) -> None:
    port = script.port([*HARMLESS, ON, (READ[0], reading), (FREE[0], tripped), NO_ERROR, OFF])
    script.then(*SAFE)
    with pytest.raises(InstrumentError, match="limit of 2 V"):
        film(port).open_circuit_volts()


def test_a_slow_reading_has_its_time(script: Any) -> None:
    port = script.port([*HARMLESS, ON, READ, FREE, NO_ERROR, OFF, *SAFE])
    script.library.answer_ns = 1_900_000_000  # within the usual time-out
    film(port, nplc=10.0).open_circuit_volts()
    assert film(port, nplc=10.0)._read_s > 3 * 5 * 10 / 50  # zeroing and ranging of 10 periods


def test_another_language_is_refused(script: Any) -> None:
    port = script.port([*PREPARE[:2], (b"*LANG?\n", b"TSP\n")])
    with pytest.raises(InstrumentError, match="does not speak SCPI"):
        film(port).prepare()


def test_safe_is_seen_to_be_off(script: Any) -> None:
    smu = film(script.port(SAFE))
    assert smu.safe_bytes() == (b"\n", b":OUTP OFF\n", b":OUTP OFF\n")
    smu.safe()
    script.then(*SAFE[:3], (b":OUTP?\n", b"1\n"))
    with pytest.raises(InstrumentError, match="still on"):
        smu.safe()


def test_sense_and_identify(script: Any) -> None:
    idn = (b"*IDN?\n", b"KEITHLEY INSTRUMENTS,MODEL 2450,04096331,1.6.7c\n")
    smu = film(script.port([idn, HARMLESS[3], IS_OFF]))
    assert smu.identify().serial == "04096331"
    assert (smu.sense().on, smu.port.retries) == (False, 0)


@pytest.mark.parametrize(
    "options", [{"limit": 0.0}, {"limit": 210.0}, {"nplc": 0.0}, {"nplc": 11.0}, {"settle": -1.0}]
)
def test_settings_that_cannot_be(script: Any, options: dict[str, float]) -> None:
    with pytest.raises(InstrumentError, match="cannot be") as caught:
        film(script.port(), **options)
    assert caught.value.kind == "limit"


@given(st.binary(max_size=40))
def test_garbage_is_never_a_name(line: bytes) -> None:
    try:
        name = _words(line)
    except InstrumentError as error:
        assert error.kind == "garbled"
    else:
        assert name.isupper() and name.encode() in line
