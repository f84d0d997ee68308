"""A port: turns, answers of fired commands, drains, and never an answer to an older question."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import InstrumentError
from drivers.framing import Line
from drivers.port import QUIET_S, Port, Sync
from drivers.wire import silence
from lbl._core import Core

LINE = Line()
MS = 1_000_000


def keep(seen: list[bytes]) -> Any:
    def check(message: bytes) -> None:
        seen.append(message)

    return check


def test_a_query_returns_its_message_without_envelope(script: Any) -> None:
    port = script.port([(b"a?\n", b"1\r\n")])
    assert port.query(b"a?\n", LINE, 0.5, who="x") == b"1"


def test_a_message_that_comes_in_pieces(script: Any) -> None:
    script.library.portion = 1
    port = script.port([(b"a?\n", b"12.5\r\n"), (b"b?\n", b"7\n")])
    assert port.query(b"a?\n", LINE, 0.5, who="x") == b"12.5"
    assert port.query(b"b?\n", LINE, 0.5, who="x") == b"7"


def test_silence_takes_its_time_and_says_who_where_what(script: Any) -> None:
    port = script.port([(b"a?\n", b"")])
    with pytest.raises(InstrumentError) as caught:
        port.query(b"a?\n", LINE, 0.5, who="lamp")
    error = caught.value
    assert (error.kind, error.instrument, error.command) == ("no answer", "lamp", "a?")
    assert "lamp at ASRL/dev/script::INSTR: no answer within 0.5 s (sent 'a?')" in str(error)
    assert script.core.now_ns() == 500 * MS + QUIET_S * 1e9


def test_half_a_message_is_no_answer(script: Any) -> None:
    port = script.port([(b"a?\n", b"12.")])
    with pytest.raises(InstrumentError, match="only b'12.' came within 0.5 s"):
        port.query(b"a?\n", LINE, 0.5, who="x")


def test_what_came_unasked_is_thrown_away_before_the_next_question(script: Any) -> None:
    port = script.port([(b"a?\n", b"1\n1\n"), (b"b?\n", b"2\n"), (b"c?\n", b"3\n")])
    assert port.query(b"a?\n", LINE, 0.5, who="x") == b"1"  # the answer came twice
    assert port.query(b"b?\n", LINE, 0.5, who="x") == b"2"
    assert port.unasked == 2
    script.library.waiting = b"late\n"
    assert port.query(b"c?\n", LINE, 0.5, who="x") == b"3"
    assert port.unasked == 7


def test_after_silence_the_wire_is_proved_before_it_is_used(script: Any) -> None:
    sync = Sync(b"who?\n", lambda message: message == b"me")
    port = script.port([(b"a?\n", b"")])
    with pytest.raises(InstrumentError):
        port.query(b"a?\n", LINE, 0.5, who="x", sync=sync)
    # the lost answer comes now, in front of the proof
    script.then((b"who?\n", b"1\nme\n"), (b"b?\n", b"2\n"))
    assert port.query(b"b?\n", LINE, 0.5, who="x", sync=sync) == b"2"
    script.then((b"c?\n", b"3\n"))
    assert port.query(b"c?\n", LINE, 0.5, who="x", sync=sync) == b"3"


def test_out_of_step_for_good_is_an_error(script: Any) -> None:
    sync = Sync(b"who?\n", lambda message: False)
    port = script.port([(b"a?\n", b""), (b"who?\n", b"1\n" * 20)])
    for words in ("no answer", "out of step"):
        with pytest.raises(InstrumentError, match=words):
            port.query(b"b?\n" if words[0] == "o" else b"a?\n", LINE, 0.5, who="x", sync=sync)


def test_a_question_is_asked_twice_and_a_command_once(script: Any) -> None:
    port = script.port([(b"a?\n", b""), (b"a?\n", b"5\n")])
    assert port.ask(b"a?\n", LINE, 0.5, int, who="x") == 5
    assert port.retries == 1
    script.then((b"go\n", b""))
    with pytest.raises(InstrumentError):
        port.ask(b"go\n", LINE, 0.5, int, who="x", tries=1)


def test_a_refusal_is_not_asked_again(script: Any) -> None:
    def parse(message: bytes) -> int:
        raise InstrumentError("no", kind="refused")

    port = script.port([(b"a?\n", b"no\n")])
    with pytest.raises(InstrumentError, match="no"):
        port.ask(b"a?\n", LINE, 0.5, parse, who="x")


def test_fired_answers_are_read_in_firing_order_before_the_querys_own(script: Any) -> None:
    seen: list[bytes] = []
    port = script.port()
    for command, deadline in ((b"two\n", 20 * MS), (b"one\n", 10 * MS), (b"never\n", 30 * MS)):
        entry = port.arm(command, LINE, deadline, deadline + 100 * MS, check=keep(seen))
        if command != b"never\n":
            script.core.confirm(entry)
    script.then((b"one\n", b"first\n"), (b"two\n", b"second\n"), (b"q?\n", b"mine\n"))
    script.core.wait_until_ns(25 * MS)
    script.core.hold()
    script.core.clear()
    assert port.query(b"q?\n", LINE, 0.5, who="x") == b"mine"
    assert seen == [b"first", b"second"]
    port.collect(0.1)
    assert seen == [b"first", b"second"]


def test_collect_reads_them_without_a_query(script: Any) -> None:
    seen: list[bytes] = []
    port = script.port([(b"go\n", b"done\n")])
    script.core.confirm(port.arm(b"go\n", LINE, 10 * MS, 20 * MS, check=keep(seen)))
    script.core.wait_until_ns(15 * MS)
    port.collect(0.1)
    assert seen == [b"done"]


def test_a_fired_command_without_an_answer_is_named(script: Any) -> None:
    port = script.port([(b"go\n", b"")])
    entry = port.arm(b"go\n", LINE, 10 * MS, 20 * MS, check=keep([]), who="lift")
    script.core.confirm(entry)
    script.core.wait_until_ns(15 * MS)
    with pytest.raises(InstrumentError, match="no answer") as caught:
        port.query(b"q?\n", LINE, 0.5, who="x")
    assert (caught.value.instrument, caught.value.command) == ("lift", "go")
    script.then((b"q?\n", b"1\n"))
    assert port.query(b"q?\n", LINE, 0.5, who="x") == b"1"  # nothing is owed any more


def test_a_query_waits_until_a_near_deadline_has_passed(script: Any) -> None:
    seen: list[bytes] = []
    port = script.port()
    script.core.confirm(port.arm(b"go\n", LINE, 300 * MS, 400 * MS, check=keep(seen)))
    script.then((b"go\n", b"done\n"), (b"q?\n", b"1\n"))
    assert port.query(b"q?\n", LINE, 0.5, who="x") == b"1"
    records = script.core.records()
    assert list(records["actual_ns"]) == [300 * MS]
    assert seen == [b"done"]


def test_a_query_goes_first_when_there_is_room(script: Any) -> None:
    port = script.port()
    script.core.confirm(port.arm(b"go\n", LINE, 900 * MS, 950 * MS, check=keep([])))
    script.then((b"q?\n", b"1\n"), (b"go\n", b""))
    assert port.query(b"q?\n", LINE, 0.5, who="x") == b"1"
    assert script.core.now_ns() < 10 * MS
    script.core.wait_until_ns(1000 * MS)


def test_no_gap_for_ever_is_an_error(script: Any) -> None:
    port = script.port()
    for number in range(250):
        at = 300 * MS + number * 300 * MS
        script.core.confirm(port.arm(b"go\n", LINE, at, at + MS, check=keep([]), replies=0))
    script.then(*[(b"go\n", b"")] * 250)
    with pytest.raises(InstrumentError, match="no gap") as caught:
        port.query(b"q?\n", LINE, 0.5, who="x")
    assert caught.value.kind == "busy"
    script.library.script.clear()


def test_a_refused_fired_answer_is_not_mistaken_for_the_questions_own(script: Any) -> None:
    def check(message: bytes) -> None:
        raise InstrumentError("nonsense", kind="garbled")

    port = script.port([(b"go\n", b"?\n")])
    script.core.confirm(port.arm(b"go\n", LINE, 10 * MS, 20 * MS, check=check))
    script.core.wait_until_ns(15 * MS)
    with pytest.raises(InstrumentError, match="nonsense"):
        port.ask(b"q?\n", LINE, 0.5, int, who="x")


def test_answers_nobody_judges_are_thrown_away(script: Any) -> None:
    port = script.port([(b"go\n", b"done\n"), (b"q?\n", b"1\n")])
    script.core.confirm(script.core.arm(port.channel, b"go\n", 10 * MS, 20 * MS, 1))
    script.core.wait_until_ns(15 * MS)
    assert port.query(b"q?\n", LINE, 0.5, who="x") == b"1"


def test_a_babbler_is_not_read_for_ever(script: Any) -> None:
    port = script.port([(b"q?\n", b"!x\n" * 40_000)])
    with pytest.raises(InstrumentError) as caught:
        port.query(b"q?\n", Line(skip=b"!"), 5.0, who="x")
    assert caught.value.kind == "garbled"


def test_pause_is_not_shortened_by_a_wake(script: Any) -> None:
    port = script.port()
    script.core.wake()
    port.pause(0.5)
    assert script.core.now_ns() == 500 * MS


class FakeWire:
    """Holds bytes; what is written is answered by `answer`, in pieces of `portion`."""

    fd = -1

    def __init__(self, answer: Any, data: bytes = b"", portion: int = 100) -> None:
        self.answer = answer
        self.data = data
        self.portion = portion

    def write(self, data: bytes, timeout_s: float) -> None:
        self.data += self.answer(data)

    def read(self, end: int, timeout_s: float) -> bytes:
        data, self.data = self.data[: self.portion], self.data[self.portion :]
        if not data:
            raise silence(timeout_s)
        return data

    def purge(self) -> int:
        return 0

    def drain(self, end: int, quiet_s: float) -> int:
        count, self.data = len(self.data), b""
        return count

    def close(self) -> None: ...


def test_a_port_without_a_channel_queries_and_does_not_arm() -> None:
    port = Port("USB0::1::2::3::INSTR", FakeWire(lambda data: data), Core(virtual=True), -1)
    assert port.query(b"hello\n", LINE, 0.5, who="x") == b"hello"
    port.collect(0.1)
    port.drain()
    with pytest.raises(InstrumentError, match="cannot be reached by the pacer"):
        port.arm(b"go\n", LINE, 0, 1, check=keep([]))


def forty_two(message: bytes) -> int:
    if message[:1] != b"=" or not message[1:].isdigit():
        raise InstrumentError("no", kind="garbled")
    return int(message[1:])


@settings(max_examples=60, deadline=None)
@given(noise=st.binary(max_size=40).filter(lambda b: b"=" not in b), cut=st.integers(0, 3))
def test_garbage_in_front_never_becomes_the_answer(noise: bytes, cut: int) -> None:
    """A number that is returned was sent as the answer, whatever the wire held before."""
    wire = FakeWire(lambda data: b"=42\n"[cut:], noise, 3)
    port = Port("x", wire, Core(virtual=True), -1)
    try:
        assert port.ask(b"q?\n", LINE, 0.5, forty_two, who="x") == 42
    except InstrumentError as error:
        assert error.kind in ("garbled", "no answer")
