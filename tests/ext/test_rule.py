"""The one firing rule, case by case, in virtual time; test_same.py shows that real time agrees."""

import errno
from collections.abc import Callable
from typing import Any

import pytest

from lbl._core import DATA_MAX, ENTRIES, REASONS, Core

NEVER = 10_000


@pytest.fixture
def sent() -> list[tuple[int, bytes]]:
    return []


@pytest.fixture
def bench(sent: list[tuple[int, bytes]]) -> tuple[Core, int]:
    core = Core(virtual=True)
    return core, core.add_call("pump", lambda data: sent.append((core.now_ns(), data)))


# confirm at, own from-to, when it fires (or None), why not. The window is always 100 to 200.
TABLE = [
    pytest.param(0, None, 100, None, id="ready"),
    pytest.param(100, None, 100, None, id="confirmed at the deadline"),
    pytest.param(150, None, 150, None, id="confirmed in the window"),
    pytest.param(200, None, 200, None, id="confirmed at the last instant"),
    pytest.param(201, None, None, "unconfirmed", id="confirmed too late"),
    pytest.param(NEVER, None, None, "unconfirmed", id="never confirmed"),
    pytest.param(0, (50, 99), 100, None, id="wire free in time"),
    pytest.param(0, (50, 120), 120, None, id="wire free in the window"),
    pytest.param(0, (50, 200), 200, None, id="wire free at the last instant"),
    pytest.param(0, (50, NEVER), None, "busy", id="wire never free"),
    pytest.param(150, (50, 180), 180, None, id="confirmed, then free"),
    pytest.param(180, (50, 150), 180, None, id="free, then confirmed"),
    pytest.param(NEVER, (50, NEVER), None, "unconfirmed", id="neither"),
    pytest.param(190, (50, NEVER), None, "busy", id="confirmed late, never free"),
]


@pytest.mark.parametrize(("confirm", "owned", "fires", "reason"), TABLE)
def test_rule(
    confirm: int,
    owned: tuple[int, int] | None,
    fires: int | None,
    reason: str | None,
    bench: tuple[Core, int],
    sent: list[tuple[int, bytes]],
) -> None:
    core, pump = bench
    entry = core.arm(pump, b"RUN\r", 100, 200, tag=7)
    acts: list[tuple[int, Callable[[], object]]] = [(confirm, lambda: core.confirm(entry))]
    if owned is not None:
        acts += [(owned[0], lambda: core.acquire(pump, 0)), (owned[1], lambda: core.release(pump))]
    for at, act in sorted(acts, key=lambda item: item[0]):
        if at < NEVER:
            while not core.wait_until_ns(at):
                pass
            act()
    while not core.wait_until_ns(300):
        pass
    assert sent == ([(fires, b"RUN\r")] if fires is not None else [])
    assert core.verdict == (None if reason is None else (reason, "pump", entry))
    assert core.entry(entry) == (("fired", fires) if fires is not None else ("missed", 0))
    [row] = core.records()
    assert (row["entry"], row["tag"], row["channel"]) == (entry, 7, pump)
    assert (row["deadline_ns"], row["latest_ns"]) == (100, 200)
    assert row["actual_ns"] == (fires if fires is not None else 201)
    assert REASONS[row["reason"]] == (reason or "fired")


@pytest.mark.fault("A17")
def test_verdict_drops_everything_and_refuses_until_cleared(bench: tuple[Core, int]) -> None:
    core, pump = bench
    missed = core.arm(pump, b"a", 10, 20)
    dropped = core.arm(pump, b"b", 30, 40)
    core.confirm(dropped)
    assert core.wait_until_ns(50) is False  # woken by the verdict
    assert core.now_ns() == 21
    assert core.wait_until_ns(50) is True
    assert core.held
    assert core.entry(missed) == ("missed", 0)
    assert core.entry(dropped) == ("dropped", 0)
    core.confirm(dropped)
    assert core.entry(dropped) == ("dropped", 0)
    with pytest.raises(RuntimeError, match=r"'pump'.*unconfirmed.*clear"):
        core.arm(pump, b"c", 60, 70)
    core.clear()
    assert core.verdict is None and not core.held
    entry = core.arm(pump, b"c", 60, 70)
    core.confirm(entry)
    assert core.wait_until_ns(60)
    assert core.entry(entry) == ("fired", 60)


def test_hold_drops_without_a_verdict(bench: tuple[Core, int], sent: list[object]) -> None:
    core, pump = bench
    entry = core.arm(pump, b"a", 10, 20)
    core.confirm(entry)
    core.hold()
    assert core.wait_until_ns(100)
    assert core.held and core.verdict is None and sent == []
    assert core.entry(entry) == ("dropped", 0)


def test_order_of_firing_is_deadline_then_arming(
    bench: tuple[Core, int], sent: list[object]
) -> None:
    core, pump = bench
    for deadline, data in ((30, b"d"), (10, b"a"), (20, b"b"), (20, b"c")):
        core.confirm(core.arm(pump, data, deadline, 90))
    assert core.wait_until_ns(90)
    assert sent == [(10, b"a"), (20, b"b"), (20, b"c"), (30, b"d")]


def test_a_miss_comes_before_what_was_due_after_it(
    bench: tuple[Core, int], sent: list[object]
) -> None:
    core, pump = bench
    core.arm(pump, b"never confirmed", 10, 19)
    for deadline, data in ((19, b"before"), (20, b"at the same instant")):
        core.confirm(core.arm(pump, data, deadline, 90))
    core.wait_until_ns(90)
    assert sent == [(19, b"before")]


def test_deadline_in_the_past(bench: tuple[Core, int], sent: list[object]) -> None:
    core, pump = bench
    core.wait_until_ns(100)
    entry = core.arm(pump, b"a", 50, 150)
    core.confirm(entry)
    assert sent == [(100, b"a")]
    entry = core.arm(pump, b"b", 50, 99)
    assert core.verdict == ("late", "pump", entry)


def test_confirmation_belongs_to_the_entry(bench: tuple[Core, int], sent: list[object]) -> None:
    core, pump = bench
    core.confirm(core.arm(pump, b"a", 10, 20))
    second = core.arm(pump, b"b", 30, 40)
    core.wait_until_ns(100)
    assert sent == [(10, b"a")]
    assert core.verdict == ("unconfirmed", "pump", second)


def test_full_table_names_the_channel_and_hurts_nobody(
    bench: tuple[Core, int], sent: list[object]
) -> None:
    core, pump = bench
    for at in range(ENTRIES):
        core.confirm(core.arm(pump, b"a", 100 + at, 5000))
    with pytest.raises(OverflowError, match=r"'pump'.*256"):
        core.arm(pump, b"one too many", 100, 200)
    assert core.wait_until_ns(5000)
    assert len(sent) == ENTRIES and core.verdict is None
    core.confirm(core.arm(pump, b"again", 6000, 6000))
    assert core.wait_until_ns(6000)


def test_a_finished_entry_is_known_for_a_while(bench: tuple[Core, int]) -> None:
    core, pump = bench
    first = core.arm(pump, b"a", 10, 20)
    core.confirm(first)
    core.wait_until_ns(10)
    for _ in range(ENTRIES - 1):
        core.arm(pump, b"b", 100, 200)
    assert core.entry(first) == ("fired", 10)
    core.hold()
    core.clear()
    core.arm(pump, b"c", 100, 200)
    with pytest.raises(KeyError, match=str(first)):
        core.entry(first)
    with pytest.raises(KeyError):
        core.confirm(first)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((99, b"a", 1, 2), "channel 99 is not open"),
        ((-1, b"a", 1, 2), "channel -1 is not open"),
        ((0, b"", 1, 2), "'pump': 0 bytes"),
        ((0, b"a" * (DATA_MAX + 1), 1, 2), "'pump': 257 bytes"),
        ((0, b"a", 2, 1), "'pump': window 2 to 1"),
        ((0, b"a", 1, 2**62 + 1), "'pump': window"),
        ((0, b"a", 1, 2, -1), "'pump': -1 replies"),
    ],
)
def test_bad_orders(
    arguments: tuple[int, bytes, int, int], message: str, bench: tuple[Core, int]
) -> None:
    with pytest.raises(ValueError, match=message):
        bench[0].arm(*arguments)


def test_a_failing_write_holds_and_keeps_its_exception() -> None:
    core = Core(virtual=True)
    boom = OSError(errno.EIO, "line cut")

    def write(data: bytes) -> None:
        raise boom

    valve = core.add_call("valve", write)
    entry = core.arm(valve, b"a", 10, 20)
    core.confirm(entry)
    core.wait_until_ns(30)
    assert core.verdict == ("failed", "valve", entry)
    assert core.failure is boom
    core.clear()
    assert core.failure is None


def test_a_full_wire_is_tried_again_until_the_window_ends() -> None:
    core = Core(virtual=True)
    full = True
    tries: list[int] = []

    def write(data: bytes) -> None:
        tries.append(core.now_ns())
        if full:
            raise BlockingIOError

    balance = core.add_call("balance", write)
    entry = core.arm(balance, b"SI\r\n", 1_000_000, 4_500_000)
    core.confirm(entry)
    while not core.wait_until_ns(10_000_000):
        pass
    assert tries == [1_000_000, 2_000_000, 3_000_000, 4_000_000]
    assert core.verdict == ("choked", "balance", entry)
    core.clear()
    entry = core.arm(balance, b"SI\r\n", 11_000_000, 20_000_000)
    core.confirm(entry)
    core.wait_until_ns(13_500_000)
    full = False
    core.wait_until_ns(20_000_000)
    assert core.entry(entry) == ("fired", 14_000_000)


def test_interrupt_in_a_write_comes_out_of_the_wait() -> None:
    core = Core(virtual=True)

    def write(data: bytes) -> None:
        raise KeyboardInterrupt

    core.confirm(core.arm(core.add_call("x", write), b"a", 10, 20))
    with pytest.raises(KeyboardInterrupt):
        core.wait_until_ns(30)
    assert core.held


def test_a_write_may_arm_and_confirm_but_not_wait(sent: list[object]) -> None:
    core = Core(virtual=True)
    trouble: list[Exception] = []

    def write(data: bytes) -> None:
        sent.append((core.now_ns(), data))
        if data == b"a":
            core.confirm(core.arm(channel, b"b", 10, 20))
            core.confirm(core.arm(channel, b"c", 15, 20))
        try:
            core.wait_until_ns(99)
        except RuntimeError as error:
            trouble.append(error)

    channel = core.add_call("x", write)
    core.confirm(core.arm(channel, b"a", 10, 20))
    core.wait_until_ns(30)
    assert sent == [(10, b"a"), (10, b"b"), (15, b"c")]
    assert len(trouble) == 3


def test_python_channels_are_for_virtual_time_only() -> None:
    with pytest.raises(ValueError, match="'x'.*add_fd"):
        Core(virtual=False).add_call("x", lambda data: None)


def test_descriptors_work_in_virtual_time_too(wire: Any) -> None:
    core = Core(virtual=True)
    channel = core.add_fd("x", wire.ours)
    core.confirm(core.arm(channel, b"hello", 10, 20))
    core.wait_until_ns(10)
    assert wire.waiting() == b"hello"


def test_bad_clocks() -> None:
    for options in ({"virtual": False, "speed": 1e-4}, {"virtual": True, "speed": -1.0}):
        with pytest.raises(ValueError, match="speed"):
            Core(**options)
    with pytest.raises(ValueError, match="start_ns"):
        Core(virtual=True, start_ns=-1)
