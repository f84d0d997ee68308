"""NE-1000 in safe mode: every command a packet, the pump's own dead-man armed and understood."""

from typing import Any

import pytest

from drivers.errors import InstrumentError
from drivers.framing import safe_packet
from drivers.newera import NewEra

Pair = tuple[bytes, bytes]


def asks(words: str, answer: str) -> Pair:
    """Command and answer, both packed."""
    return safe_packet(b"0" + words.encode()), safe_packet(b"00" + answer.encode())


def plain(text: str) -> bytes:
    return b"\x02" + text.encode() + b"\x03"


VER = asks("VER", "SNE1000V3.923")
REST: list[Pair] = [
    asks("", "S"),
    asks("STP", "S?NA"),
    asks("DIA14.43", "S"),
    asks("DIA", "S14.43"),
    *(asks(words, "S") for words in ("PHN2", "FUNSTP", "PHN1", "FUNRAT", "VOLML")),
    *(asks(words, "S") for words in ("CLDINF", "CLDWDR")),
]
START: list[Pair] = [
    asks("VOL0.500", "S"),
    asks("RAT1.000MM", "S"),
    asks("DIRINF", "S"),
    asks("VOL", "S0.500ML"),
    asks("RAT", "S1.000MM"),
    asks("DIR", "SINF"),
    asks("RUN", "I"),
]


def pump(port: Any, seconds: int = 5) -> NewEra:
    return NewEra(port, "feed", diameter=14.43, safe_mode_s=seconds)


def prepared(script: Any) -> NewEra:
    feed = pump(script.port([asks("SAF5", "S"), asks("SAF", "S5"), *REST]))
    feed.prepare()
    return feed


def test_the_manuals_packets() -> None:
    assert safe_packet(b"SAF0") == bytes.fromhex("0208") + b"SAF0" + bytes.fromhex("554303")
    assert safe_packet(b"0SAF5")[-3:] == bytes.fromhex("090803")
    assert safe_packet(b"SAF50")[-3:] == bytes.fromhex("80f603")


def test_prepare_enters_safe_mode_and_reads_it_back(script: Any) -> None:
    prepared(script)


def test_an_alarm_in_place_of_the_switch_is_kept_and_the_switch_repeated(script: Any) -> None:
    port = script.port([(asks("SAF5", "")[0], plain("00A?R")), asks("SAF5", "S")])
    script.then(asks("SAF", "S5"), *REST)
    pump(port).prepare()
    assert port.notes == ["feed: alarm R was pending"]


def test_a_pump_that_stays_in_basic_mode_is_not_trusted(script: Any) -> None:
    port = script.port([asks("SAF5", "S"), asks("SAF", "S0")])
    with pytest.raises(InstrumentError, match="SAF is 0 after it was set to 5"):
        pump(port).prepare()


def test_connect_finds_a_pump_in_the_other_mode(script: Any) -> None:
    silent, answer = (VER[0], b""), (b"0VER\r", plain("00SNE1000V3.923"))
    port = script.port([silent, silent, answer, answer])  # VER proves the step, then it asks
    feed = pump(port)
    feed.connect()
    script.then((b"0\r", plain("00S")))
    assert feed.running() is False  # in its own language until it is prepared
    other = NewEra(port, "feed", diameter=14.43)
    script.then((b"0VER\r", b""), (b"0VER\r", b""), VER, VER, asks("", "S"))
    other.connect()
    assert other.running() is False


def test_a_dose_in_packets(script: Any) -> None:
    feed = prepared(script)
    script.then(asks("", "S"), asks("", "S"), *START)
    feed.start("INF", 0.5, 1.0)
    script.then(asks("", "I"), asks("DIS", "II0.100W0.000ML"))
    assert feed.running()
    assert feed.totals() == (0.1, 0.0)


def test_the_dead_man_between_doses_stopped_nothing(script: Any) -> None:
    feed = prepared(script)
    script.then(asks("", "A?T"), asks("", "S"), asks("", "S"), *START)
    feed.start("INF", 0.5, 1.0)


def test_the_dead_man_in_a_dose_is_an_alarm(script: Any) -> None:
    feed = prepared(script)
    script.then(asks("", "S"), asks("", "S"), *START)
    feed.start("INF", 0.5, 1.0)
    script.then(asks("", "A?T"))
    with pytest.raises(InstrumentError, match="alarm T: no message came"):
        feed.running()


def test_another_alarm_between_doses_is_told(script: Any) -> None:
    feed = prepared(script)
    script.then(asks("", "A?S"), asks("", "S"), asks("", "S"))
    with pytest.raises(InstrumentError, match="alarm S"):
        feed.start("INF", 0.5, 1.0)


def test_a_pushed_alarm_in_front_of_an_answer_puts_nothing_out_of_step(script: Any) -> None:
    feed = prepared(script)
    script.library.portion = 8
    pushed = safe_packet(b"00A?S")
    script.then((asks("DIS", "")[0], pushed + pushed))
    with pytest.raises(InstrumentError, match="alarm S"):
        feed.totals()
    script.then(asks("DIS", "SI0.500W0.000ML"))
    assert feed.totals() == (0.5, 0.0)


def test_a_damaged_packet_is_no_answer(script: Any) -> None:
    feed = prepared(script)
    question, answer = asks("DIS", "SI0.500W0.000ML")
    script.then((question, answer.replace(b"0.500", b"9.500")), VER, (question, answer))
    assert feed.totals() == (0.5, 0.0)


def test_safe_bytes_are_packets_and_one_plain_stop(script: Any) -> None:
    stop = safe_packet(b"0STP")
    feed = pump(script.port())
    assert feed.safe_bytes() == (b"\x04XX\r", stop, stop, stop, stop, b"0STP\r")


@pytest.mark.parametrize("seconds", [-1, 256])
def test_a_time_that_cannot_be(script: Any, seconds: int) -> None:
    with pytest.raises(InstrumentError, match="safe mode of"):
        pump(script.port(), seconds)
