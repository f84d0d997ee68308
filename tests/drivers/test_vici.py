"""VICI valve: both dialects, a turn believed only when CP says so, a cut GO never completed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import InstrumentError
from drivers.vici import FRAMING, Vici, _version, position, positions


def at(port: int) -> tuple[bytes, bytes]:
    return b"CP\r", b"CP%02d\r" % port


def valve(port: Any, address: str = "") -> Vici:
    return Vici(port, "selector", address)


@pytest.mark.parametrize(
    ("line", "port"),
    [
        (b"CP04", 4),
        (b"CP10", 10),
        (b"Position is  = 4", 4),
        (b'Position is = "7"', 7),
        (b"3CP04", 4),
        (b"/3CP04", 4),
    ],
)
def test_positions_in_both_dialects(line: bytes, port: int) -> None:
    assert position(line) == port


@pytest.mark.parametrize(
    ("line", "count"), [(b"NP10", 10), (b"NP = 6", 6), (b"Number of positions = 8", 8)]
)
def test_numbers_of_positions(line: bytes, count: int) -> None:
    assert positions(line) == count


@pytest.mark.parametrize("line", [b"CPA", b"CP", b"CP100", b"NP10", b"GO04", b"CP = Bad command"])
def test_what_is_no_position(line: bytes) -> None:
    with pytest.raises(InstrumentError) as caught:
        position(line)
    assert caught.value.kind == "garbled"


@given(st.binary(max_size=60))
def test_garbage_is_never_a_position(data: bytes) -> None:
    for read in (position, positions, _version):
        try:
            got = read(data)
        except InstrumentError as error:
            assert error.kind == "garbled"
        else:
            assert data.isascii() and got
    try:
        message, rest = FRAMING.take(data)
    except InstrumentError:
        return
    assert len(rest) <= len(data) and (message is None or message in data)


def test_go_waits_for_the_turn_and_looks(script: Any) -> None:
    port = script.port([at(1), (b"GO04\r", b""), at(4)])
    valve(port).go(4)
    assert script.core.now_ns() > 900_000_000  # three positions at 0.2 s, and the start


def test_go_the_short_way_is_waited_for_shortly(script: Any) -> None:
    port = script.port([at(1), (b"GO10\r", b""), at(10)])
    valve(port).go(10)
    assert script.core.now_ns() < 700_000_000


def test_go_to_where_it_is_sends_nothing(script: Any) -> None:
    valve(script.port([at(4)])).go(4)


def test_an_echo_of_the_action_is_not_an_answer(script: Any) -> None:
    port = script.port([at(1), (b"GO02\r", b""), (b"CP\r", b"GO02\rCP02\r")])
    valve(port).go(2)
    assert port.retries == 0


def test_a_stuck_valve_is_a_fault(script: Any) -> None:
    port = script.port([at(1), (b"GO02\r", b""), *[at(1)] * 25])
    with pytest.raises(InstrumentError, match="stands at 1 instead of 2") as caught:
        valve(port).go(2)
    assert caught.value.kind == "fault"


@pytest.mark.parametrize("port", [0, 11, -1])
def test_ports_are_checked_before_the_wire(script: Any, port: int) -> None:
    with pytest.raises(InstrumentError, match="not one of") as caught:
        valve(script.port()).go(port)
    assert (caught.value.kind, script.sent) == ("limit", [])


def test_an_address_goes_in_front(script: Any) -> None:
    port = script.port([(b"3CP\r", b"3CP05\r"), (b"/3CP\r", b"/3CP05\r")])
    assert valve(port, "3").position() == 5
    assert valve(port, "/3").position() == 5


def test_prepare_compares_the_number_of_ports(script: Any) -> None:
    port = script.port([(b"NP\r", b"NP10\r"), at(3), (b"NP\r", b"NP06\r")])
    valve(port).prepare()
    with pytest.raises(InstrumentError, match="set to 6 positions"):
        valve(port).prepare()


def test_identify_and_a_position_that_there_is_not(script: Any) -> None:
    port = script.port([(b"VR\r", b"EUHA-CE R1.5\rJan 12 2015\r"), (b"CP\r", b"CP12\r")])
    identity = valve(port).identify()
    assert (identity.maker, identity.firmware) == ("VICI Valco", "EUHA-CE R1.5")
    with pytest.raises(InstrumentError, match="position 12 of 10"):
        valve(port).position()


def test_safe_turns_nothing_and_spoils_a_cut_go(script: Any) -> None:
    selector = valve(script.port([(b"x\r", b"x = Bad command\r"), at(4)]))
    assert selector.safe_bytes() == (b"x\r",)
    selector.safe()


@pytest.mark.parametrize(("address", "count"), [("33", 10), ("a", 10), ("", 1), ("", 97)])
def test_a_valve_that_cannot_be(script: Any, address: str, count: int) -> None:
    with pytest.raises(InstrumentError, match="make no valve"):
        Vici(script.port(), "selector", address, positions=count)
