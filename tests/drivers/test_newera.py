"""NE-1000: the manual's bytes and numbers, alarms never hidden, starts never repeated."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import InstrumentError
from drivers.framing import safe_packet
from drivers.newera import NewEra
from drivers.newera_packet import (
    encode,
    number,
    parse,
    rate_words,
    value,
    version,
    volumes,
)


def says(text: str) -> bytes:
    return b"\x02" + text.encode() + b"\x03"


def pump(port: Any) -> NewEra:
    return NewEra(port, "feed", diameter=14.43)


START = [
    (b"0\r", says("00S")),
    (b"0VOL0.500\r", says("00S")),
    (b"0RAT1.000MM\r", says("00S")),
    (b"0DIRINF\r", says("00S")),
    (b"0VOL\r", says("00S0.500ML")),
    (b"0RAT\r", says("00S1.000MM")),
    (b"0DIR\r", says("00SINF")),
]


def test_the_manuals_prompts() -> None:
    assert parse(b"00SNE1000V3.923").data == b"NE1000V3.923"
    assert parse(b"07I").state == "I"
    assert (parse(b"00A?R").state, parse(b"00A?R").alarm) == ("A", "R")
    assert volumes(b"I0.500W0.000ML") == (0.5, 0.0)
    assert volumes(b"I500.0W12.50UL") == (0.5, 0.0125)
    assert value(b"14.43") == (14.43, "")
    assert version(b"NE1000V3.923") == ("NE-1000", "3.923")
    assert encode(0, "DIA14.43") == b"0DIA14.43\r"


@given(st.binary(max_size=40))
def test_garbage_is_refused_by_every_parser(data: bytes) -> None:
    for read in (volumes, value, version):
        try:
            read(data)
        except InstrumentError as error:
            assert error.kind == "garbled"
        else:
            assert data.isascii() and any(48 <= byte < 58 for byte in data)
    try:
        answer = parse(data)
    except InstrumentError:
        return
    assert data[:2] == b"%02d" % answer.address


@pytest.mark.parametrize("data", [b"I.W.ML", b"I0.500W0.00", b"I0.5W00000.0ML", b"", b"I1W1ML"])
def test_volumes_that_are_none(data: bytes) -> None:
    with pytest.raises(InstrumentError):
        volumes(data)


@given(st.floats(0.0005, 9999.0))
def test_numbers_have_four_digits_three_after_the_point(wanted: float) -> None:
    try:
        text = number(wanted)
    except InstrumentError:
        assert wanted < 0.05  # too small for three places within 1 %
        return
    assert len(text.replace(".", "")) <= 4
    assert len(text.partition(".")[2]) <= 3
    assert float(text) == pytest.approx(wanted, rel=0.01)


@pytest.mark.parametrize(
    ("wanted", "text"),
    [(14.43, "14.43"), (1.0, "1.000"), (500.0, "500.0"), (9.9996, "10.00"), (9999.4, "9999")],
)
def test_numbers_as_the_manual_writes_them(wanted: float, text: str) -> None:
    assert number(wanted) == text


@pytest.mark.parametrize("wanted", [0.0001, 12345.0, -1.0, float("nan"), float("inf")])
def test_numbers_the_pump_cannot_hold(wanted: float) -> None:
    with pytest.raises(InstrumentError, match="cannot be said"):
        number(wanted)


def test_rates_use_the_unit_that_keeps_figures() -> None:
    assert rate_words(1.0) == "RAT1.000MM"
    assert rate_words(0.05) == "RAT50.00UM"
    assert rate_words(0.0002) == "RAT12.00UH"


def test_prepare_leaves_safe_mode_clears_the_reset_alarm_and_sets_everything(script: Any) -> None:
    port = script.port(
        [
            (safe_packet(b"0SAF0"), says("00A?R")),
            (safe_packet(b"0SAF0"), says("00S")),
            (b"0\r", says("00S")),
            (b"0STP\r", says("00S?NA")),
            (b"0DIA14.43\r", says("00S")),
            (b"0DIA\r", says("00S14.43")),
            *((b"0" + words + b"\r", says("00S")) for words in (b"PHN2", b"FUNSTP", b"PHN1")),
            *((b"0" + words + b"\r", says("00S")) for words in (b"FUNRAT", b"VOLML")),
            *((b"0" + words + b"\r", says("00S")) for words in (b"CLDINF", b"CLDWDR")),
        ]
    )
    pump(port).prepare()


def test_prepare_notes_an_alarm_that_was_pending(script: Any) -> None:
    port = script.port([(safe_packet(b"0SAF0"), b"")])
    # silence: in step again by VER, and there the alarm is met
    script.then((b"0VER\r", says("00A?S")))
    script.then((b"0\r", says("00S")), (b"0STP\r", says("00S")), (b"0DIA14.43\r", says("00S?OOR")))
    with pytest.raises(InstrumentError, match="out of range"):
        pump(port).prepare()
    assert port.notes == ["feed: alarm S was pending"]


def test_start_reads_everything_back_and_runs_once(script: Any) -> None:
    port = script.port([*START, (b"0RUN\r", says("00I"))])
    pump(port).start("INF", 0.5, 1.0)


def test_a_lost_answer_to_run_is_not_sent_again(script: Any) -> None:
    port = script.port([*START, (b"0RUN\r", b"")])
    with pytest.raises(InstrumentError) as caught:
        pump(port).start("INF", 0.5, 1.0)
    assert caught.value.kind == "no answer"
    assert script.sent.count(b"0RUN\r") == 1


def test_a_volume_that_was_not_kept_is_not_pumped(script: Any) -> None:
    pairs = list(START)
    pairs[4] = (b"0VOL\r", says("00S5.500ML"))
    port = script.port(pairs[:5])
    with pytest.raises(InstrumentError, match="VOL is 5.5 ML after it was set to 0.5"):
        pump(port).start("INF", 0.5, 1.0)


@pytest.mark.parametrize(
    ("direction", "volume", "rate", "words"),
    [
        ("REV", 0.5, 1.0, "direction"),
        ("INF", 0.0, 1.0, "for ever"),
        ("INF", 0.0001, 1.0, "cannot be said"),
        ("INF", 0.5, 8.4, "outside"),
        ("INF", 0.5, 1e-5, "outside"),
        ("INF", -0.5, 1.0, "cannot be said"),
        ("INF", float("nan"), 1.0, "cannot be said"),
        ("INF", 0.5, float("nan"), "outside"),
    ],
)
def test_limits_come_before_the_wire(
    script: Any, direction: str, volume: float, rate: float, words: str
) -> None:
    with pytest.raises(InstrumentError, match=words) as caught:
        pump(script.port()).start(direction, volume, rate)
    assert caught.value.kind == "limit"
    assert script.sent == []


def test_no_second_dose_while_one_runs(script: Any) -> None:
    port = script.port([(b"0\r", says("00I"))])
    with pytest.raises(InstrumentError, match="not stopped"):
        pump(port).start("INF", 0.5, 1.0)


def test_an_alarm_is_raised_once_and_reported_once(script: Any) -> None:
    port = script.port([(b"0\r", says("00A?S"))])
    feed = pump(port)
    with pytest.raises(InstrumentError, match="alarm S: the motor stalled"):
        feed.running()
    script.then((b"0\r", says("00S")), (b"0\r", says("00A?R")), (b"0\r", says("00S")))
    assert feed.running() is False
    script.then((b"0DIS\r", says("00SI0.250W0.000ML")))
    sensed = feed.sense()
    assert (sensed.alarm, sensed.state, sensed.infused) == ("R", "S", 0.25)


def test_an_alarm_that_identify_met_is_not_lost(script: Any) -> None:
    port = script.port([(b"0VER\r", says("00A?R")), (b"0VER\r", says("00SNE1000V3.923"))])
    feed = pump(port)
    feed.connect()
    script.then((b"0DIS\r", says("00SI0.000W0.000ML")))
    with pytest.raises(InstrumentError, match="alarm R"):
        feed.totals()


def test_alarms_without_end_are_an_error(script: Any) -> None:
    port = script.port([(b"0VER\r", says("00A?E"))] * 3)
    with pytest.raises(InstrumentError, match="alarms keep coming: E"):
        pump(port).identify()


def test_stop_reaches_stopped_from_running(script: Any) -> None:
    port = script.port([(b"0STP\r", says("00P")), (b"0STP\r", says("00S"))])
    pump(port).stop()
    script.then(*[(b"0STP\r", says("00I"))] * 4)
    with pytest.raises(InstrumentError, match="does not stop"):
        pump(port).stop()


def test_safe_spoils_a_cut_command_and_stops(script: Any) -> None:
    feed = pump(script.port())
    assert feed.safe_bytes() == (b"\x04XX\r", b"0STP\r", b"0STP\r", b"0STP\r")
    script.then((b"\x04XX\r", says("00I?")), (b"0STP\r", says("00P")), (b"0STP\r", says("00S")))
    script.then((b"0STP\r", says("00S?NA")), (b"0STP\r", says("00S?NA")))
    feed.safe()


def test_answers_in_safe_framing_are_understood(script: Any) -> None:
    port = script.port([(b"0DIS\r", safe_packet(b"00SI0.500W0.000ML"))])
    assert pump(port).totals() == (0.5, 0.0)


def test_another_pumps_answer_is_not_ours(script: Any) -> None:
    port = script.port([(b"0\r", says("01I")), (b"0VER\r", says("00SNE1000V3.923"))])
    script.then((b"0\r", says("00S")))
    assert pump(port).running() is False


@pytest.mark.parametrize(("address", "diameter"), [(100, 14.43), (-1, 14.43), (0, 0.0), (0, 51.0)])
def test_a_pump_that_cannot_be(script: Any, address: int, diameter: float) -> None:
    with pytest.raises(InstrumentError, match="make no NE-1000"):
        NewEra(script.port(), "feed", address, diameter=diameter)
