"""Zaber: the manual's bytes, answers believed only when they are ours, moves only in bounds."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import InstrumentError
from drivers.zaber import Zaber
from drivers.zaber_ascii import (
    accel_data,
    encode,
    flags,
    integer,
    lrc,
    parse,
    speed_data,
)

STEP = 0.49609375e-3


def axis(port: Any, name: str = "lift", address: int = 1) -> Zaber:
    return Zaber(port, name, address, microstep=STEP, low=0.0, high=60.0, accel=50.0)


def referenced(script: Any, port: Any, address: int = 1) -> Zaber:
    """An axis that has just been sensed as referenced at 0; three exchanges."""
    made = axis(port, address=address)
    place = f"{address:02d} 1"
    script.then(
        (encode(address, 1, "", 1), f"@{place} 01 OK IDLE -- 0\r\n".encode()),
        (encode(address, 1, "warnings", 2), f"@{place} 02 OK IDLE -- 00\r\n".encode()),
        (encode(address, 1, "get pos", 3), f"@{place} 03 OK IDLE -- 0\r\n".encode()),
    )
    assert made.sense().referenced
    return made


@pytest.mark.parametrize(
    ("text", "sum_"),
    [
        ("1 1 move abs 10000", "40"),
        ("1 1 home", "B5"),
        ("1 0 get pos", "AD"),
        ("01 0 OK IDLE -- 0", "8D"),
        ("01 1 OK BUSY -- 0", "67"),
        ("01 1 RJ IDLE -- BADDATA", "D9"),
        ("1 1 11 move abs 2000", "ED"),
    ],
)
def test_checksums_of_the_manual(text: str, sum_: str) -> None:
    assert lrc(text.encode()) == sum_.encode()


def test_command_lines_as_a_second_client_sends_them() -> None:
    # captured from zaber-motion 10.2
    assert encode(1, 1, "home", 5) == b"/1 1 05 home:30\n"
    assert encode(1, 1, "move abs 2000", 11) == b"/1 1 11 move abs 2000:ED\n"
    assert encode(1, 1, "stop", 12) == b"/1 1 12 stop:15\n"


def test_units() -> None:
    assert speed_data(2.0, STEP) == 6605
    assert accel_data(50.0, STEP) == 17


def test_parse_an_answer_with_and_without_number_and_checksum() -> None:
    reply = parse(b"@01 1 07 OK BUSY WR -1000")
    assert (reply.address, reply.axis, reply.ident) == (1, 1, 7)
    assert (reply.accepted, reply.busy, reply.flag, integer(reply)) == (True, True, "WR", -1000)
    assert parse(b"@01 1 OK IDLE -- 1000:FB").checked
    with pytest.raises(InstrumentError, match="checksum"):
        parse(b"@01 1 OK IDLE -- 1001:FB")


@given(st.binary(max_size=80))
def test_garbage_is_never_an_answer(line: bytes) -> None:
    with pytest.raises(InstrumentError) as caught:
        parse(line)
    assert caught.value.kind == "garbled"


@given(at=st.integers(0, 30), byte=st.integers(0, 255))
def test_one_wrong_byte_is_noticed_when_there_is_a_checksum(at: int, byte: int) -> None:
    line = bytearray(b"@01 1 07 OK IDLE -- 48384:" + lrc(b"01 1 07 OK IDLE -- 48384"))
    assert parse(bytes(line)).data == "48384"
    at %= len(line)
    if byte == line[at]:
        return
    line[at] = byte
    try:
        reply = parse(bytes(line))
    except InstrumentError:
        return
    assert not reply.checked  # only a lost colon passes, and the driver then misses the checksum


@pytest.mark.parametrize(("data", "names"), [("00", ()), ("02 FS WR", ("FS", "WR"))])
def test_flags(data: str, names: tuple[str, ...]) -> None:
    assert flags(parse(f"@01 1 OK IDLE -- {data}".encode())) == names


def test_flags_that_are_no_list() -> None:
    with pytest.raises(InstrumentError):
        flags(parse(b"@01 1 OK IDLE -- 12345"))


def test_identify(script: Any) -> None:
    port = script.port(
        [
            (encode(1, 0, "get deviceid", 1), b"@01 0 01 OK IDLE -- 30342\r\n"),
            (encode(1, 0, "get system.serial", 2), b"@01 0 02 OK IDLE -- 98001\r\n"),
            (encode(1, 0, "get version", 3), b"@01 0 03 OK IDLE -- 7.32\r\n"),
        ]
    )
    identity = axis(port).identify()
    assert (identity.model, identity.serial, identity.firmware) == ("device 30342", "98001", "7.32")


def test_prepare_homes_an_unreferenced_axis_and_wants_checksums(
    script: Any, zaber_line: Callable[[str], bytes]
) -> None:
    def answer(ident: int, rest: str, axis_: int = 1) -> bytes:
        return zaber_line(f"@01 {axis_} {ident:02d} OK {rest}") + b"\r\n"

    port = script.port(
        [
            (encode(1, 0, "set comm.checksum 1", 1), answer(1, "IDLE WR 0", 0)),
            (encode(1, 1, "", 2), answer(2, "IDLE WR 0")),
            (encode(1, 1, "warnings clear", 3), answer(3, "IDLE WR 01 WR")),
            (encode(1, 1, "warnings", 4), answer(4, "IDLE WR 01 WR")),
            (encode(1, 1, "get limit.min", 5), answer(5, "IDLE WR 0")),
            (encode(1, 1, "get limit.max", 6), answer(6, "IDLE WR 120945")),
            (encode(1, 1, "set accel 17", 7), answer(7, "IDLE WR 0")),
            (encode(1, 1, "get accel", 8), answer(8, "IDLE WR 17")),
            (encode(1, 1, "home", 9), answer(9, "BUSY WR 0")),
            (encode(1, 1, "", 10), answer(10, "BUSY -- 0")),
            (encode(1, 1, "", 11), answer(11, "IDLE -- 0")),
            (encode(1, 1, "warnings", 12), answer(12, "IDLE -- 00")),
            (encode(1, 1, "get pos", 13), b"@01 1 13 OK IDLE -- 0\r\n"),
            (encode(1, 1, "get pos", 13), answer(13, "IDLE -- 2")),
        ]
    )
    lift = axis(port)
    lift.prepare()
    assert lift.position() == 2 * STEP  # the answer without a checksum was asked for again
    assert port.retries == 1


def test_prepare_refuses_a_travel_the_device_does_not_have(script: Any) -> None:
    port = script.port(
        [
            (encode(1, 0, "set comm.checksum 1", 1), b"@01 0 01 RJ IDLE -- BADCOMMAND\r\n"),
            (encode(1, 1, "warnings clear", 2), b"@01 1 02 OK IDLE -- 00\r\n"),
            (encode(1, 1, "warnings", 3), b"@01 1 03 OK IDLE -- 00\r\n"),
            (encode(1, 1, "get limit.min", 4), b"@01 1 04 OK IDLE -- 0\r\n"),
            (encode(1, 1, "get limit.max", 5), b"@01 1 05 OK IDLE -- 80630\r\n"),
        ]
    )
    with pytest.raises(InstrumentError, match=re.escape("travel is 0..40")):
        axis(port).prepare()
    assert port.notes == ["lift: answers have no checksum"]


def test_no_move_without_a_reference_and_none_outside_the_travel(script: Any) -> None:
    lift = axis(script.port())
    with pytest.raises(InstrumentError, match="not referenced"):
        lift.arm_move(10.0, 0, 1)
    for target in (-0.01, 60.01, float("nan"), float("inf")):
        with pytest.raises(InstrumentError, match="outside the travel"):
            lift.move_bytes(target)
    for speed in (0.0, -1.0, float("nan"), 1e-9):
        with pytest.raises(InstrumentError, match="no speed"):
            lift.set_speed(speed)
    assert script.sent == []


def test_set_speed_is_sent_once(script: Any) -> None:
    lift = referenced(script, script.port())
    script.then(
        (encode(1, 1, "set maxspeed 6605", 4), b"@01 1 04 OK IDLE -- 0\r\n"),
        (encode(1, 1, "get maxspeed", 5), b"@01 1 05 OK IDLE -- 6605\r\n"),
    )
    lift.set_speed(2.0)
    lift.set_speed(2.0)


def test_an_armed_move_is_checked_by_the_next_exchange(script: Any) -> None:
    port = script.port()
    lift = referenced(script, port)
    now = script.core.now_ns()
    entry = lift.arm_move(24.0, now + 1_000_000_000, now + 1_100_000_000, tag=7)
    script.core.confirm(entry)
    script.then(
        (b"/1 1 move abs 48378:" + lrc(b"1 1 move abs 48378") + b"\n", b"@01 1 OK BUSY -- 0\r\n"),
        (encode(1, 1, "", 4), b"!01 1 IDLE --\r\n@01 1 04 OK IDLE -- 0\r\n"),
    )
    script.core.wait_until_ns(now + 2_000_000_000)
    assert lift.moving() is False


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (b"@01 1 RJ IDLE -- BADDATA\r\n", "refused", "out of range"),
        (b"@01 1 OK IDLE FS 0\r\n", "fault", "stalled"),
        (b"@02 1 OK BUSY -- 0\r\n", "garbled", "not the answer"),
    ],
)
def test_a_bad_answer_to_an_armed_move_is_raised_before_anything_is_asked(
    script: Any, answer: bytes, kind: str, words: str
) -> None:
    port = script.port()
    lift = referenced(script, port)
    now = script.core.now_ns()
    script.core.confirm(lift.arm_move(24.0, now + 1_000, now + 1_000_000))
    script.then((lift.move_bytes(24.0), answer))
    script.core.wait_until_ns(now + 2_000_000)
    with pytest.raises(InstrumentError, match=words) as caught:
        lift.moving()
    assert caught.value.kind == kind
    assert caught.value.instrument == "lift"
    assert "move abs 48378" in caught.value.command


def test_a_fault_flag_or_a_refusal_is_raised_and_not_asked_again(script: Any) -> None:
    port = script.port()
    lift = referenced(script, port)
    script.then((encode(1, 1, "", 4), b"@01 1 04 OK IDLE FS 0\r\n"))
    with pytest.raises(InstrumentError, match="fault FS: stalled"):
        lift.moving()
    script.then((encode(1, 1, "", 5), b"@01 1 05 RJ IDLE -- AGAIN\r\n"))
    with pytest.raises(InstrumentError, match="AGAIN"):
        lift.moving()


def test_a_lost_reference_stops_armed_moves(script: Any) -> None:
    port = script.port()
    lift = referenced(script, port)
    script.then((encode(1, 1, "", 4), b"@01 1 04 OK IDLE WR 0\r\n"))
    lift.moving()
    with pytest.raises(InstrumentError, match="not referenced"):
        lift.arm_move(1.0, 0, 1)


def test_a_late_answer_is_never_taken_for_the_next(script: Any) -> None:
    port = script.port()
    lift = referenced(script, port)
    script.then(
        (encode(1, 1, "get pos", 4), b""),  # no answer in time
        (encode(1, 1, "get pos", 4), b"@01 1 03 OK IDLE -- 999\r\n"),  # an older one comes
    )
    with pytest.raises(InstrumentError) as caught:
        lift.position()
    assert caught.value.kind == "garbled"
    script.then((encode(1, 1, "get pos", 5), b"@01 1 05 OK IDLE -- 5\r\n"))
    assert lift.position() == 5 * STEP


def test_two_axes_on_one_port(script: Any) -> None:
    port = script.port()
    lift = referenced(script, port)
    turn = referenced(script, port, address=2)
    now = script.core.now_ns()
    for made, deadline in ((turn, now + 2_000_000), (lift, now + 1_000_000)):
        script.core.confirm(made.arm_move(10.0, deadline, deadline + 1_000_000))
    script.then(
        (lift.move_bytes(10.0), b"@01 1 OK BUSY -- 0\r\n"),
        (turn.move_bytes(10.0), b"@02 1 OK BUSY -- 0\r\n"),
        (encode(2, 1, "get pos", 4), b"@02 1 04 OK BUSY -- 100\r\n"),
    )
    script.core.wait_until_ns(now + 5_000_000)
    assert turn.position() == 100 * STEP  # answers were collected in firing order


def test_move_waits_by_the_clock_and_verifies(script: Any) -> None:
    port = script.port()
    lift = referenced(script, port)
    script.then(
        (encode(1, 1, "get maxspeed", 4), b"@01 1 04 OK IDLE -- 33026\r\n"),
        (encode(1, 1, "get pos", 5), b"@01 1 05 OK IDLE -- 0\r\n"),
        (encode(1, 1, "move abs 20157", 6), b"@01 1 06 OK BUSY -- 0\r\n"),
        (encode(1, 1, "", 7), b"@01 1 07 OK BUSY -- 0\r\n"),
        (encode(1, 1, "", 8), b"@01 1 08 OK IDLE -- 0\r\n"),
        (encode(1, 1, "get pos", 9), b"@01 1 09 OK IDLE -- 20157\r\n"),
    )
    start = script.core.now_ns()
    lift.move(10.0)
    assert 1.1e9 < script.core.now_ns() - start < 1.3e9  # 10 mm at 10 mm/s and 50 mm/s2


def test_safe_stops_and_verifies(script: Any) -> None:
    port = script.port()
    lift = axis(port)
    stop = b"/1 1 stop:" + lrc(b"1 1 stop") + b"\n"
    assert lift.safe_bytes() == (b"x\n", stop, stop)
    for _ in range(2):  # idempotent
        number = len(script.sent)
        script.then(
            (b"x\n", b""),
            (stop, b"@01 1 OK BUSY -- 0\r\n"),
            (stop, b"@01 1 OK BUSY -- 0\r\n"),
            (encode(1, 1, "", 1 if number == 0 else 3), b""),
        )
        script.library.script[-1] = (
            script.library.script[-1][0],
            b"@01 1 0%d OK BUSY FS 0\r\n" % (1 if number == 0 else 3),
        )
        last = 2 if number == 0 else 4
        script.then((encode(1, 1, "", last), b"@01 1 0%d OK IDLE FS 0\r\n" % last))
        lift.safe()


def test_safe_is_bounded(script: Any) -> None:
    port = script.port()
    lift = axis(port)
    script.then(*((command, b"") for command in lift.safe_bytes()))
    for number in range(1, 120):
        ident = number % 100
        script.then((encode(1, 1, "", ident), b"@01 1 %02d OK BUSY -- 0\r\n" % ident))
    with pytest.raises(InstrumentError, match="still moving") as caught:
        lift.safe()
    assert caught.value.kind == "busy"
    assert script.core.now_ns() < (Zaber.SAFE_S + 1) * 1e9
    script.library.script.clear()


@pytest.mark.parametrize("bad", [{"microstep": 0.0}, {"low": 60.0}, {"accel": -1.0}])
def test_an_axis_that_cannot_be(script: Any, bad: dict[str, float]) -> None:
    good: dict[str, Any] = {"microstep": STEP, "low": 0.0, "high": 60.0, "accel": 50.0}
    with pytest.raises(InstrumentError, match="make no axis"):
        Zaber(script.port(), "lift", **{**good, **bad})
