"""QCM200: values as the maker's own client reads them, never out of range, offsets left alone."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import InstrumentError
from drivers.qcm200 import QCM200, _identity, _number, _whole

I = (b"I\r", b"QCM200_1.02_A_137\r")  # noqa: E741
F = (b"F?\r", b"5000123.45\r")
R = (b"R?\r", b"361.20\r")
FINE = (b"B?\r", b"3\r")


def crystal(port: Any, **options: Any) -> QCM200:
    return QCM200(port, "crystal", **options)


def test_connect_ends_a_cut_command_and_identifies(script: Any) -> None:
    qcm = crystal(script.port([(b"\r", b""), I, I]))
    qcm.connect()
    identity = qcm.identify()
    assert (identity.model, identity.serial, identity.firmware) == ("QCM200", "137", "1.02")


def test_sense_reads_both(script: Any) -> None:
    sensed = crystal(script.port([F, FINE, R, FINE])).sense()
    assert (sensed.frequency, sensed.resistance) == (5000123.45, 361.2)


@pytest.mark.parametrize(("status", "words"), [(b"4\r", "over range"), (b"8\r", "under range")])
def test_out_of_range_is_a_fault(script: Any, status: bytes, words: str) -> None:
    port = script.port([F, (b"B?\r", status), R, (b"B?\r", status)])
    for read in (crystal(port).frequency, crystal(port).resistance):
        with pytest.raises(InstrumentError, match=words) as caught:
            read()
        assert caught.value.kind == "fault"


def test_a_value_that_no_crystal_has(script: Any) -> None:
    port = script.port([(b"F?\r", b"0.00\r"), FINE, (b"R?\r", b"99999.0\r"), FINE])
    with pytest.raises(InstrumentError, match="no 5 MHz crystal"):
        crystal(port).frequency()
    with pytest.raises(InstrumentError, match="no crystal's"):
        crystal(port).resistance()


def test_prepare_sets_the_gate_and_waits_for_it(script: Any) -> None:
    port = script.port([(b"B?\r", b"16\r"), (b"P 2\r", b""), (b"P?\r", b"2\r"), F, FINE, R, FINE])
    crystal(port, gate=10.0).prepare()
    assert script.core.now_ns() > 10_000_000_000
    assert not any(sent in (b"G\r", b"S\r") for sent in script.sent)


def test_a_gate_that_was_not_kept(script: Any) -> None:
    port = script.port([FINE, (b"P 1\r", b""), (b"P?\r", b"0\r")])
    with pytest.raises(InstrumentError, match="gate is 0 after 1"):
        crystal(port).prepare()


def test_a_late_answer_is_not_the_next_ones(script: Any) -> None:
    port = script.port([(b"F?\r", b""), (b"I\r", F[1] + I[1]), F, FINE])
    assert crystal(port).frequency() == 5000123.45
    assert port.retries == 1


def test_safe_is_a_look(script: Any) -> None:
    qcm = crystal(script.port([I]))
    assert qcm.safe_bytes() == ()
    qcm.safe()


@pytest.mark.parametrize("gate", [0.0, 2.0, float("nan")])
def test_a_gate_that_cannot_be(script: Any, gate: float) -> None:
    with pytest.raises(InstrumentError, match="is none"):
        crystal(script.port(), gate=gate)


@given(st.binary(max_size=40))
def test_garbage_is_never_a_value(line: bytes) -> None:
    for read in (_number, _whole, _identity):
        try:
            got = read(line)
        except InstrumentError as error:
            assert error.kind == "garbled"
        else:
            assert line.strip()[:1] in b"+-Q0123456789" and repr(got)


@pytest.mark.parametrize("line", [b"nan", b"1e6", b"5000123,45", b"5 000", b"", b"QCM200_1_2"])
def test_numbers_that_are_none(line: bytes) -> None:
    with pytest.raises(InstrumentError):
        _number(line)
