"""Channels: who owns the wire, what is uncollected, and wires that are full, closed or reused."""

import os
import select
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from lbl._core import CHANNELS, Core

MS: Final = 1_000_000
EXCHANGES: Final = int(os.environ.get("LBL_EXCHANGES", "1500"))  # of each of the two threads

pytestmark = pytest.mark.timeout(60 + EXCHANGES // 100)


def test_acquire_refuses_when_a_deadline_is_near(core: Core, wire: Any) -> None:
    pump = core.add_fd("pump", wire.ours)
    deadline_ns = core.now_ns() + 3_600_000 * MS
    assert core.next_deadline_ns(pump) == -1
    core.arm(pump, b"later", deadline_ns + MS, deadline_ns + 9 * MS)
    core.arm(pump, b"a", deadline_ns, deadline_ns + 9 * MS)
    assert core.next_deadline_ns(pump) == deadline_ns
    assert core.acquire(pump, 7_200_000 * MS) == -1
    assert core.acquire(pump, 60 * MS) == 0
    assert core.acquire(pump, 0) == -1  # owned
    core.release(pump)
    with pytest.raises(RuntimeError, match="'pump' is not owned"):
        core.release(pump)
    core.hold()
    assert core.acquire(pump, 7_200_000 * MS) == 0


def test_replies_of_fired_commands_are_counted(
    core: Core, any_wire: Any, reach: Callable[[Core, int], None]
) -> None:
    pump = core.add_fd("pump", any_wire.ours)
    now_ns = core.now_ns()
    for replies in (1, 2):
        core.confirm(core.arm(pump, b"a", now_ns + MS, now_ns + 9_000 * MS, replies=replies))
    reach(core, now_ns + MS)
    assert any_wire.read(2) == b"aa"
    assert core.acquire(pump, 0) == 3
    core.collected(pump, 2)
    core.release(pump)
    assert core.acquire(pump, 0) == 1
    with pytest.raises(ValueError, match="'pump' is not owed 2"):
        core.collected(pump, 2)


def test_other_channels_go_on_while_one_is_owned(core: Core, two_wires: Any) -> None:
    with two_wires() as wires:
        pump, arm = (core.add_fd(name, w.ours) for name, w in zip("pa", wires, strict=True))
        assert core.acquire(pump, 0) == 0
        now_ns = core.now_ns()
        blocked = core.arm(pump, b"p", now_ns, now_ns + 60_000 * MS)
        free = core.arm(arm, b"a", now_ns, now_ns + 60_000 * MS)
        core.confirm(blocked)
        core.confirm(free)
        core.wait_until_ns(now_ns + MS)
        assert wires[1].read(1) == b"a"
        assert core.entry(blocked)[0] == "confirmed"
        core.release(pump)
        assert wires[0].read(1) == b"p"


@dataclass
class Instrument:
    """Answers line by line: Q<n> with A<n>, C<n> with R<n>."""

    wire: Any
    ended: threading.Event = field(default_factory=threading.Event)
    text: bytes = b""

    def serve(self) -> None:
        while not self.ended.is_set():
            self.text += self.wire.read(1, 0.02) + self.wire.waiting()
            *lines, self.text = self.text.split(b"\n")
            for line in lines:
                answer = (b"A" if line[:1] == b"Q" else b"R") + line[1:] + b"\n"
                os.write(self.wire.theirs, answer)


@dataclass
class Bus:
    """Two threads that ask, on a wire on which armed commands fire; counts mixed answers."""

    core: Core
    wire: Any
    channel: int
    owns: bool
    lock: threading.Lock = field(default_factory=threading.Lock)
    count: Counter[str] = field(default_factory=Counter)
    text: bytes = b""

    def line(self) -> bytes:
        while b"\n" not in self.text:
            if not select.select([self.wire.ours], [], [], 2.0)[0]:
                return b"nothing"
            self.text += os.read(self.wire.ours, 4096)
        first, self.text = self.text.split(b"\n", 1)
        return first

    def exchange(self, number: int) -> None:
        replies = self.core.acquire(self.channel, 0) if self.owns else 0
        while replies < 0:
            self.core.wait_until_ns(self.core.now_ns() + MS // 20)
            replies = self.core.acquire(self.channel, 0)
        for _ in range(replies):
            self.count["collected"] += 1
            self.count["mixed"] += not self.line().startswith(b"R")
        self.core.collected(self.channel, replies)
        os.write(self.wire.ours, b"Q%d\n" % number)
        self.count["mixed"] += self.line() != b"A%d" % number
        if self.owns:
            self.core.release(self.channel)

    def ask(self, first: int) -> None:
        for number in range(first, first + EXCHANGES):
            if self.count["mixed"]:
                return
            if self.owns:
                self.exchange(number)
            else:
                with self.lock:  # even one at a time, the pacer cuts in
                    self.exchange(number)


def hammer(wire: Any, *, owns: bool) -> Counter[str]:
    core = Core(virtual=False)
    instrument = Instrument(wire)
    bus = Bus(core, wire, core.add_fd("pump", wire.ours), owns)
    threads = [threading.Thread(target=bus.ask, args=(n * 10 * EXCHANGES,)) for n in range(2)]
    server = threading.Thread(target=instrument.serve)
    for thread in (server, *threads):
        thread.start()
    fired = 0
    while any(thread.is_alive() for thread in threads):
        at_ns = core.now_ns() + MS
        core.confirm(core.arm(bus.channel, b"C%d\n" % fired, at_ns, at_ns + 60_000 * MS, replies=1))
        core.wait_until_ns(at_ns + MS // 2)
        fired += 1
    for thread in threads:
        thread.join()
    core.hold()
    instrument.ended.set()
    server.join()
    assert core.verdict is None
    return bus.count


def test_an_owned_wire_never_mixes(any_wire: Any) -> None:
    count = hammer(any_wire, owns=True)
    assert count["mixed"] == 0
    assert count["collected"] > 20


def test_a_wire_without_an_owner_does(wire: Any) -> None:
    assert hammer(wire, owns=False)["mixed"] > 0


def fill(wire: Any) -> int:
    """Write until the wire takes no more; a pty takes more when the kernel comes to it."""
    os.set_blocking(wire.ours, False)
    total = refused = 0
    while refused < 100:
        try:
            total += os.write(wire.ours, b"x" * 256)
            refused = 0
        except BlockingIOError:
            refused += 1
            threading.Event().wait(0.003)
    return total


@pytest.mark.fault("A10")
def test_a_peer_that_stops_reading(any_wire: Any, two_wires: Any) -> None:
    with two_wires() as wires:
        core = Core(virtual=False)
        deaf, other = core.add_fd("deaf", any_wire.ours), core.add_fd("other", wires[0].ours)
        fill(any_wire)
        now_ns = core.now_ns()
        entry = core.arm(deaf, b"a" * 200, now_ns, now_ns + 30 * MS)
        core.confirm(entry)
        core.confirm(core.arm(other, b"b", now_ns, now_ns + 9_000 * MS))
        assert wires[0].read(1) == b"b"
        while core.verdict is None:
            core.wait_until_ns(now_ns + 60_000 * MS)
        assert core.verdict == ("choked", "deaf", entry)
        assert core.failure is None


def test_a_peer_that_starts_reading_again(wire: Any, until: Callable[..., None]) -> None:
    core = Core(virtual=False)
    slow = core.add_fd("slow", wire.ours)
    size = fill(wire)
    now_ns = core.now_ns()
    entry = core.arm(slow, b"at last", now_ns, now_ns + 60_000 * MS)
    core.confirm(entry)
    core.wait_until_ns(now_ns + 5 * MS)
    assert core.entry(entry)[0] == "confirmed"
    assert wire.read(size + 7)[-7:] == b"at last"
    until(lambda: core.entry(entry)[0] == "fired", "the entry to be called fired")


@pytest.mark.parametrize("reused", [False, True])
def test_a_closed_descriptor_is_a_failure(
    core: Core, wire: Any, two_wires: Any, reused: bool
) -> None:
    with two_wires() as (another, _):
        copy = os.dup(wire.ours)
        gone = core.add_fd("gone", copy)
        os.close(copy)
        if reused:  # the number now leads to another instrument
            os.dup2(another.ours, copy)
        expect_failure(core, gone)
        assert another.waiting() == b""
        if reused:
            os.close(copy)


def expect_failure(core: Core, gone: int) -> None:
    now_ns = core.now_ns()
    entry = core.arm(gone, b"a", now_ns, now_ns + 9_000 * MS)
    core.confirm(entry)
    while core.verdict is None:
        core.wait_until_ns(now_ns + 60_000 * MS)
    assert core.verdict == ("failed", "gone", entry)
    assert isinstance(core.failure, OSError) and "gone" in str(core.failure)


def test_a_peer_that_went_away_is_a_failure(core: Core, two_wires: Any) -> None:
    with two_wires() as wires:
        os.dup2(os.open(os.devnull, os.O_RDWR), wires[0].theirs)
        gone = core.add_fd("gone", wires[0].ours)
        now_ns = core.now_ns()
        core.confirm(core.arm(gone, b"a", now_ns, now_ns + 9_000 * MS))
        while core.verdict is None:
            core.wait_until_ns(now_ns + 60_000 * MS)
        assert core.verdict[0] == "failed"


def test_bad_descriptors() -> None:
    core = Core(virtual=False)
    with pytest.raises(OSError, match="'x', descriptor 999"):
        core.add_fd("x", 999)
    reader, writer = os.pipe()
    with pytest.raises(OSError, match="'x'"):
        core.add_fd("x", reader)
    for number in range(CHANNELS):
        core.add_fd(f"pipe {number}", writer)
    with pytest.raises(OSError, match="No space"):
        core.add_fd("one too many", writer)
    os.close(reader)
    os.close(writer)


def test_remove(core: Core, wire: Any) -> None:
    pump = core.add_fd("pump", wire.ours)
    now_ns = core.now_ns()
    core.arm(pump, b"a", now_ns + 60_000 * MS, now_ns + 61_000 * MS)
    with pytest.raises(RuntimeError, match="'pump' has armed entries"):
        core.remove(pump)
    core.hold()
    core.clear()
    core.acquire(pump, 0)
    core.remove(pump)  # by its owner
    for act in (core.remove, core.release, core.next_deadline_ns):
        with pytest.raises(ValueError, match=f"channel {pump} is not open"):
            act(pump)
    assert core.add_fd("arm", wire.ours) != pump


def test_a_removed_channel_leaves_the_safe_programme(core: Core, two_wires: Any) -> None:
    with two_wires() as wires:
        pump, arm = (core.add_fd(name, w.ours) for name, w in zip("pa", wires, strict=True))
        core.safe_programme([(0, pump, b"p"), (0, arm, b"a")])
        core.remove(pump)
        core.park()
        assert wires[1].read(1) == b"a"
        assert wires[0].waiting() == b""
