"""Cavro: absolute targets only, read back; both protocols; a repetition moves nothing twice."""

from functools import reduce
from operator import xor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cavro import Cavro, _firmware, _whole, parse
from drivers.cavro_oem import frame
from drivers.errors import InstrumentError

Pair = tuple[bytes, bytes]


def says(status: bytes, data: bytes = b"") -> bytes:
    return b"/0" + status + data + b"\x03\r\n"


def asks(words: bytes, status: bytes = b"`", data: bytes = b"") -> Pair:
    return b"/1" + words + b"\r", says(status, data)


READY = asks(b"Q")
BUSY = asks(b"Q", b"@")
FIRMWARE = asks(b"&", data=b"P/N 730361-C")
INIT = [asks(b"Z0,1,9R", b"@"), BUSY, READY, asks(b"?", data=b"0")]
SETTINGS = [asks(b"N0L14v600V600c600R", b"@"), READY, asks(b"?2", data=b"600")]


def plunger(place: int) -> Pair:
    return asks(b"?", data=b"%d" % place)


def syringe(port: Any, **options: Any) -> Cavro:
    return Cavro(port, "pump", **{"syringe": 1.0, **options})


def prepared(script: Any, **options: Any) -> Cavro:
    pump = syringe(script.port([READY, *INIT, *SETTINGS]), **options)
    pump.prepare()
    return pump


def test_answers_of_the_manual() -> None:
    assert parse(b"/0@\x03").ready is False
    assert (parse(b"/0`\x03").ready, parse(b"/0`3000\x03").data) == (True, b"3000")
    assert (parse(b"0`3000").error, parse(b"0g").error, parse(b"0O").error) == (0, 7, 15)


@given(st.binary(max_size=40))
def test_garbage_is_never_an_answer(data: bytes) -> None:
    try:
        answer = parse(data)
    except InstrumentError as error:
        assert error.kind == "garbled"
        return
    assert answer.data in data
    for read in (_whole, _firmware):
        try:
            assert str(read(answer)) in data.decode() or answer.data.isdigit()
        except InstrumentError as error:
            assert error.kind == "garbled"


@pytest.mark.parametrize("data", [b"/0P\x03", b"/0\x03", b"/1`\x03", b"`3000", b"/0`3\x80\x03"])
def test_answers_that_are_none(data: bytes) -> None:
    with pytest.raises(InstrumentError):
        parse(data)


def test_prepare_initialises_once(script: Any) -> None:
    pump = prepared(script)
    script.then(READY, *SETTINGS)
    pump.prepare()


def test_a_slow_pump_and_a_speed_that_was_not_kept(script: Any) -> None:
    port = script.port(
        [READY, *INIT, asks(b"N0L14v50V20c50R", b"@"), READY, asks(b"?2", data=b"9")]
    )
    with pytest.raises(InstrumentError, match="top speed is 9 after 20"):
        syringe(port, rate=0.2).prepare()


@pytest.mark.parametrize(("volume", "force"), [(0.5, b"1"), (0.25, b"1"), (0.1, b"2")])
def test_small_syringes_are_initialised_gently(script: Any, volume: float, force: bytes) -> None:
    port = script.port([asks(b"Z%s,2,3R" % force, b"@"), READY, plunger(0)])
    syringe(port, syringe=volume, inlet=2, waste=3).initialise()


def test_aspirate_and_dispense_are_absolute_and_read_back(script: Any) -> None:
    pump = prepared(script)
    script.then(plunger(0), asks(b"I3A1500R", b"@"), BUSY, READY, plunger(1500))
    script.then(asks(b"?6", data=b"3"))
    pump.aspirate(0.5, 3)
    script.then(plunger(1500), asks(b"I5A900R", b"@"), READY, plunger(900))
    script.then(asks(b"?6", data=b"5"), plunger(900))
    pump.dispense(0.2, 5)
    assert pump.position() == pytest.approx(0.3)


def test_the_wait_is_the_strokes_own(script: Any) -> None:
    pump = prepared(script, rate=6.0)  # 600 half steps a second
    before = script.core.now_ns()
    script.then(plunger(0), asks(b"I1A3000R", b"@"), READY, plunger(3000), asks(b"?6", data=b"1"))
    pump.aspirate(1.0, 1)
    assert 10e9 < script.core.now_ns() - before < 10.5e9


def test_a_move_that_never_ends_is_bounded(script: Any) -> None:
    pump = prepared(script)
    script.then(plunger(0), asks(b"I1A30R", b"@"), *[BUSY] * 41)
    with pytest.raises(InstrumentError, match="still moving") as caught:
        pump.aspirate(0.01, 1)
    assert caught.value.kind == "busy"
    script.library.script.clear()


@pytest.mark.parametrize(("place", "valve"), [(1499, b"3"), (1500, b"4")])
def test_a_place_that_was_not_reached_is_a_fault(script: Any, place: int, valve: bytes) -> None:
    pump = prepared(script)
    script.then(plunger(0), asks(b"I3A1500R", b"@"), READY, plunger(place))
    script.then(asks(b"?6", data=valve))
    with pytest.raises(InstrumentError, match="instead of 1500, port 3"):
        pump.aspirate(0.5, 3)
    with pytest.raises(InstrumentError, match="not initialised"):
        pump.aspirate(0.5, 3)


@pytest.mark.parametrize(("status", "words"), [(b"i", "plunger overload"), (b"j", "valve")])
def test_an_overload_must_be_initialised_away(script: Any, status: bytes, words: str) -> None:
    pump = prepared(script)
    script.then(plunger(0), asks(b"I3A1500R", b"@"), asks(b"Q", status))
    with pytest.raises(InstrumentError, match=words) as caught:
        pump.aspirate(0.5, 3)
    assert caught.value.kind == "fault"
    script.then(asks(b"Q", status), *INIT, *SETTINGS)
    pump.prepare()


def test_a_pump_that_lost_power_refuses_and_is_known(script: Any) -> None:
    pump = prepared(script)
    script.then(plunger(0), asks(b"I3A1500R", b"g"))
    with pytest.raises(InstrumentError, match=r"not initialised \(7\)") as caught:
        pump.aspirate(0.5, 3)
    assert caught.value.kind == "refused"


@pytest.mark.parametrize(
    ("volume", "port", "words"),
    [
        (0.0, 1, "cannot be said"),
        (-0.1, 1, "cannot be said"),
        (0.0005, 1, "cannot be said"),  # one and a half steps
        (float("nan"), 1, "cannot be said"),
        (float("inf"), 1, "cannot be said"),
        (1.1, 1, "more than the syringe"),
        (0.5, 0, "not one of"),
        (0.5, 10, "not one of"),
    ],
)
def test_limits_come_before_the_wire(script: Any, volume: float, port: int, words: str) -> None:
    pump = syringe(script.port())
    for move in (pump.aspirate, pump.dispense):
        with pytest.raises(InstrumentError, match=words) as caught:
            move(volume, port)
        assert caught.value.kind == "limit"
    assert script.sent == []


def test_what_does_not_fit_is_not_moved(script: Any) -> None:
    pump = prepared(script)
    script.then(plunger(1500), plunger(1500))
    with pytest.raises(InstrumentError, match="0.6 mL with 0.5 mL in a syringe of 1 mL"):
        pump.aspirate(0.6, 1)
    with pytest.raises(InstrumentError, match="it cannot"):
        pump.dispense(0.6, 1)


def test_nothing_moves_before_it_is_initialised(script: Any) -> None:
    with pytest.raises(InstrumentError, match="prepare it first"):
        syringe(script.port()).aspirate(0.5, 1)
    assert script.sent == []


def test_a_lost_answer_is_asked_again_and_busy_means_heard(script: Any) -> None:
    pump = prepared(script)
    script.then(plunger(0), (b"/1I3A1500R\r", b""), asks(b"I3A1500R", b"O"), READY, plunger(1500))
    script.then(asks(b"?6", data=b"3"))
    pump.aspirate(0.5, 3)


def test_busy_with_something_else_is_refused(script: Any) -> None:
    pump = prepared(script)
    script.then(plunger(0), asks(b"I3A1500R", b"O"))
    with pytest.raises(InstrumentError, match="busy with another") as caught:
        pump.aspirate(0.5, 3)
    assert caught.value.kind == "busy"


def test_a_report_after_silence_proves_the_step(script: Any) -> None:
    port = script.port([(b"/1?\r", b""), (b"/1&\r", says(b"`", b"250") + FIRMWARE[1])])
    script.then(plunger(1500))
    assert syringe(port).position() == 0.5


def test_sense_identify_and_stop(script: Any) -> None:
    pump = syringe(script.port([FIRMWARE, BUSY, plunger(300), asks(b"?6", data=b"2")]))
    assert pump.identify().firmware == "P/N 730361-C"
    sensed = pump.sense()
    assert (sensed.volume, sensed.valve, sensed.busy) == (pytest.approx(0.1), 2, True)
    script.then(asks(b"TR", b"@"), BUSY, READY)
    pump.stop()


def test_safe_on_a_standing_pump_keeps_its_place(script: Any) -> None:
    pump = prepared(script)
    programme = [asks(b"TR")] * 3
    assert pump.safe_bytes() == (b"x\r", *(sent for sent, _ in programme))
    script.then(READY, (b"x\r", b""), *programme, READY)
    pump.safe()
    script.then(READY, *SETTINGS)
    pump.prepare()


def test_safe_on_a_moving_pump_loses_it(script: Any) -> None:
    pump = prepared(script)
    script.then(BUSY, (b"x\r", b""), *[asks(b"TR")] * 3, BUSY, READY)
    pump.safe()
    with pytest.raises(InstrumentError, match="prepare it first"):
        pump.dispense(0.1, 1)


# --- OEM ---------------------------------------------------------------------------------------


def tells(number: int, words: str, text: bytes, *, repeat: bool = False) -> Pair:
    body = b"\x020" + text + b"\x03"
    return frame(b"1", number, words, repeat=repeat), body + bytes([reduce(xor, body)])


def test_oem_numbers_go_round_and_a_repetition_is_marked(script: Any) -> None:
    port = script.port([tells(1, "Q", b"`"), tells(2, "Q", b"@"), tells(3, "?", b"`3000")])
    pump = syringe(port, protocol="OEM")
    assert (pump.busy(), pump.busy(), pump.position()) == (False, True, 1.0)
    script.then((frame(b"1", 4, "TR"), b""), tells(4, "TR", b"@", repeat=True), tells(5, "Q", b"`"))
    pump.stop()
    script.then(tells(6, "Q", b"`"), tells(1, "Q", b"`"))
    assert (pump.busy(), pump.busy()) == (False, False)


def test_oem_damage_is_asked_again_in_step(script: Any) -> None:
    question, _ = tells(1, "?", b"")
    port = script.port([(question, bytes.fromhex("0230603330303103" + "52"))])
    script.then(tells(7, "&", b"`P/N 730361-C"), tells(1, "?", b"`3000"))
    assert syringe(port, protocol="OEM").position() == 1.0
    assert port.retries == 1


def test_oem_safe_bytes(script: Any) -> None:
    stop = frame(b"1", 7, "TR")
    pump = syringe(script.port(), protocol="OEM")
    assert pump.safe_bytes() == (b"\x03\x00", stop, stop, stop)


@pytest.mark.parametrize(
    "options",
    [
        {"address": 0},
        {"address": 16},
        {"syringe": 0.0},
        {"syringe": float("nan")},
        {"ports": 1},
        {"steps": 4000},
        {"protocol": "CAN"},
        {"waste": 10},
        {"inlet": 0},
        {"rate": 0.04},
        {"rate": 100.0},
        {"rate": float("nan")},
    ],
)
def test_a_pump_that_cannot_be(script: Any, options: dict[str, Any]) -> None:
    with pytest.raises(InstrumentError) as caught:
        syringe(script.port(), **options)
    assert caught.value.kind == "limit"
