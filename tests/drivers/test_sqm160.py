"""SQM-160: recorded packets, a checksum no damage passes, values that a crystal can have."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import InstrumentError
from drivers.sqm160 import SQM160, _identity
from drivers.sqm160_packet import Packet, answer, checksum, encode, number

FRAMING = Packet()
# recorded by pymeasure's authors on an instrument
VERSION = (b"!#@O7", b"!0AMON Ver 4.13Uw")
SENSORS = (b"!#JO8", b"!%A6v\x86")
FREQUENCY = (b"!$P1Z\x91", b"!/A5875830.230:X")
RATE = (b"!%L1?\x85{", b"!*A 0.00 [d")


def says(text: bytes) -> bytes:
    body = bytes([len(text) + 35]) + text
    return b"!" + body + checksum(body)


def monitor(port: Any, **options: Any) -> SQM160:
    return SQM160(port, "crystal", **options)


@pytest.mark.parametrize(
    ("command", "packet"),
    [
        ("@", "21 23 40 4f 37"),
        ("J", "21 23 4a 4f 38"),
        ("L1?", "21 25 4c 31 3f 85 7b"),
        ("N1", "21 24 4e 31 5d 51"),
        ("P1", "21 24 50 31 5a 91"),
        ("W", "21 23 57 8f 35"),
    ],
)
def test_questions(command: str, packet: str) -> None:
    assert encode(command) == bytes.fromhex(packet)


def test_the_manuals_own_examples() -> None:
    assert checksum(b"#@") == b"O7"
    assert checksum(b"$C?") == b"g/"


@pytest.mark.parametrize(
    ("packet", "message"),
    [
        ("21334153514d3136302056657220342e3039419d", b"ASQM160 Ver 4.09"),
        ("2124413597", b"A"),
        ("212443342c", b"C"),
    ],
)
def test_answers(packet: str, message: bytes) -> None:
    assert FRAMING.take(bytes.fromhex(packet)) == (message, b"")


def test_a_session_as_recorded(script: Any) -> None:
    crystal = monitor(script.port([VERSION, FREQUENCY, RATE]))
    identity = crystal.identify()
    assert (identity.maker, identity.model, identity.firmware) == ("INFICON", "SQM-160", "4.13")
    assert crystal.frequency(1) == 5875830.23
    assert crystal.rate(1) == 0.0


def test_units_are_nanometres(script: Any) -> None:
    port = script.port([(encode("N2"), says(b"A 123.4 ")), (encode("L2?"), says(b"A-1.50 "))])
    crystal = monitor(port)
    assert crystal.thickness(2) == pytest.approx(12.34)
    assert crystal.rate(2) == pytest.approx(-0.15)


def test_sense_reads_all_four(script: Any) -> None:
    port = script.port([(encode("N1"), says(b"A1.0")), RATE, FREQUENCY])
    script.then((encode("R1"), says(b"A 87 ")))
    sensed = monitor(port).sense()
    assert (sensed.thickness_nm, sensed.life) == (pytest.approx(0.1), 87.0)


def test_prepare_notes_a_reset_and_sets_nothing(script: Any) -> None:
    port = script.port([SENSORS, (encode("Y"), says(b"A1")), FREQUENCY])
    monitor(port).prepare()
    assert port.notes == ["crystal: it was reset since it was last asked"]


def test_a_sensor_it_does_not_have(script: Any) -> None:
    port = script.port([(encode("J"), says(b"A2"))])
    with pytest.raises(InstrumentError, match="sensor 3 is not one of its 2"):
        monitor(port, sensor=3).prepare()
    for n in (0, 7):
        with pytest.raises(InstrumentError, match="not one of 1..6") as caught:
            monitor(port).thickness(n)
        assert caught.value.kind == "limit"
        with pytest.raises(InstrumentError, match="not one of 1..6"):
            monitor(port, sensor=n)


def test_no_crystal_no_frequency(script: Any) -> None:
    port = script.port([(encode("P1"), says(b"A 0.000 ")), (encode("R1"), says(b"A 120 "))])
    with pytest.raises(InstrumentError, match="no crystal"):
        monitor(port).frequency(1)
    with pytest.raises(InstrumentError, match="life of 120"):
        monitor(port).life(1)


@pytest.mark.parametrize(("status", "words"), [(b"C", "unknown command"), (b"D", "out of range")])
def test_refusals_in_words(script: Any, status: bytes, words: str) -> None:
    port = script.port([(encode("N1"), says(status))])
    with pytest.raises(InstrumentError, match=words) as caught:
        monitor(port).thickness(1)
    assert caught.value.kind == "refused"


def test_a_damaged_answer_is_asked_again_in_step(script: Any) -> None:
    port = script.port([(FREQUENCY[0], b"!/A5875831.230:X"), VERSION, FREQUENCY])
    assert monitor(port).frequency(1) == 5875830.23
    assert port.retries == 1


def test_safe_is_a_look(script: Any) -> None:
    crystal = monitor(script.port([VERSION]))
    assert crystal.safe_bytes() == ()
    crystal.safe()


@given(st.binary(max_size=60))
def test_garbage_is_never_a_value(data: bytes) -> None:
    for read in (number, answer, _identity):
        try:
            got = read(data)
        except InstrumentError as error:
            assert error.kind in ("garbled", "refused")
        else:
            assert data[:1] in (b"A", b"B") and got is not None


@given(st.binary(max_size=40), st.binary(min_size=1, max_size=30), st.integers(1, 80))
def test_packets_are_found_in_noise_however_they_arrive(
    noise: bytes, text: bytes, size: int
) -> None:
    noise = noise.replace(b"!", b"")
    data, rest, found = noise + says(b"A" + text) + says(b"A2"), b"", []
    for start in range(0, len(data), size):
        rest += data[start : start + size]
        while True:
            message, rest = FRAMING.take(rest)
            if message is None:
                break
            found.append(message)
    assert found == [b"A" + text, b"A2"]


@given(st.integers(0, 15), st.integers(1, 255))
def test_one_changed_byte_is_never_believed(place: int, change: int) -> None:
    packet = bytearray(FREQUENCY[1])
    packet[place] ^= change
    assert FRAMING.take(bytes(packet))[0] is None
