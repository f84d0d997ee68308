"""Waiting: how waits end, and what virtual time costs and keeps."""

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from lbl._core import RECORDS, Core

FAR_NS = 3_600_000_000_000

pytestmark = pytest.mark.timeout(60)


def test_now_is_the_monotonic_clock() -> None:
    core = Core(virtual=False)
    assert time.monotonic_ns() <= core.now_ns() <= time.monotonic_ns()
    assert Core(virtual=True, start_ns=5).now_ns() == 5


def test_reached_and_past(core: Core) -> None:
    now_ns = core.now_ns()
    assert core.wait_until_ns(now_ns)
    assert core.wait_until_ns(now_ns + 1_000_000)
    assert core.now_ns() >= now_ns + 1_000_000
    assert core.wait_until_ns(now_ns)
    assert core.now_ns() >= now_ns + 1_000_000


def test_a_wake_before_the_wait_is_kept_and_used_once(core: Core) -> None:
    now_ns = core.now_ns()
    core.wake()
    core.wake()
    assert core.wait_until_ns(now_ns + FAR_NS) is False
    assert core.now_ns() < now_ns + FAR_NS
    assert core.wait_until_ns(core.now_ns() + 1_000_000) is True


@pytest.mark.parametrize("options", [{"virtual": False}, {"virtual": True, "speed": 1.0}])
def test_a_wake_ends_a_wait(options: dict[str, Any]) -> None:
    core = Core(**options)
    timer = threading.Timer(0.02, core.wake)
    timer.start()
    began_ns = core.now_ns()
    assert core.wait_until_ns(began_ns + FAR_NS) is False
    assert began_ns <= core.now_ns() < began_ns + FAR_NS
    timer.join()


@pytest.mark.parametrize("options", [{"virtual": False}, {"virtual": True, "speed": 1.0}])
def test_interrupt_ends_a_wait(options: dict[str, Any]) -> None:
    core = Core(**options)
    timer = threading.Timer(0.02, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        core.wait_until_ns(core.now_ns() + FAR_NS)
    timer.join()


def test_a_quiet_signal_ends_a_wait_too() -> None:
    core = Core(virtual=False)
    seen: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        assert core.wait_until_ns(core.now_ns() + FAR_NS) is False
    finally:
        signal.signal(signal.SIGALRM, before)
    assert seen == [signal.SIGALRM]


def test_a_verdict_ends_a_wait(core: Core, wire: Any) -> None:
    channel = core.add_fd("pump", wire.ours)
    now_ns = core.now_ns()
    entry = core.arm(channel, b"a", now_ns + 1_000_000, now_ns + 2_000_000)
    assert core.wait_until_ns(now_ns + FAR_NS) is False
    assert core.verdict == ("unconfirmed", "pump", entry)


def test_reached_means_that_all_due_has_been_fired(core: Core, wire: Any) -> None:
    channel = core.add_fd("pump", wire.ours)
    for _ in range(200):
        deadline_ns = core.now_ns() + 200_000
        entry = core.arm(channel, b"a", deadline_ns, deadline_ns + 5_000_000_000)
        core.confirm(entry)
        assert core.wait_until_ns(deadline_ns)
        assert core.entry(entry)[0] == "fired"


def test_an_entry_armed_during_a_wait_fires_in_it(wire: Any) -> None:
    core = Core(virtual=False)
    channel = core.add_fd("pump", wire.ours)
    entries: list[int] = []

    def arm() -> None:
        now_ns = core.now_ns()
        entries.append(core.arm(channel, b"a", now_ns, now_ns + FAR_NS))
        core.confirm(entries[0])
        wire.read(1)
        core.wake()

    timer = threading.Timer(0.02, arm)
    timer.start()
    assert core.wait_until_ns(core.now_ns() + FAR_NS) is False
    timer.join()
    assert core.entry(entries[0])[0] == "fired"


def test_an_entry_armed_during_a_scaled_wait_fires_in_it() -> None:
    core = Core(virtual=True, speed=1.0)
    sent: list[bytes] = []

    def write(data: bytes) -> None:
        sent.append(data)
        core.wake()

    channel = core.add_call("pump", write)

    def arm() -> None:
        now_ns = core.now_ns()
        core.confirm(core.arm(channel, b"a", now_ns + 1_000_000, now_ns + FAR_NS))

    timer = threading.Timer(0.02, arm)
    timer.start()
    assert core.wait_until_ns(core.now_ns() + FAR_NS) is False
    timer.join()
    assert sent == [b"a"]


def test_one_waiter_on_a_virtual_clock() -> None:
    core = Core(virtual=True, speed=1.0)
    trouble: list[Exception] = []

    def wait_too() -> None:
        try:
            core.wait_until_ns(FAR_NS)
        except RuntimeError as error:
            trouble.append(error)
        core.wake()

    timer = threading.Timer(0.02, wait_too)
    timer.start()
    assert core.wait_until_ns(FAR_NS) is False
    timer.join()
    assert len(trouble) == 1


def test_scaled_time_keeps_to_its_speed() -> None:
    core = Core(virtual=True, speed=50.0)
    began = time.monotonic()
    for second in range(1, 11):
        assert core.wait_until_ns(second * 200_000_000)
        assert core.now_ns() == second * 200_000_000
    assert time.monotonic() - began >= 2.0 / 50.0


@pytest.mark.parametrize("speed", [0.001, 0.3, 1.0, 60.0, 1e6])
def test_a_scaled_real_clock_runs_by_itself(speed: float) -> None:
    before = time.monotonic_ns()
    core = Core(virtual=False, speed=speed, start_ns=7_000_000_000)
    assert not core.virtual and core.now_ns() >= 7_000_000_000
    time.sleep(0.01)
    gone_ns = core.now_ns() - 7_000_000_000
    assert 9_900_000 * speed <= gone_ns <= (time.monotonic_ns() - before) * speed + 1
    for step in range(50):
        deadline_ns = core.now_ns() + int(20_000 * speed) * (step % 5)
        assert core.wait_until_ns(deadline_ns)
        assert core.now_ns() >= deadline_ns


def test_a_scaled_real_clock_far_ahead_and_behind() -> None:
    for speed in (0.001, 1e9):
        core = Core(virtual=False, speed=speed, start_ns=1 << 62)
        core.wake()
        assert core.wait_until_ns((1 << 63) - 1) is False
        assert core.wait_until_ns(0) is True
        assert core.now_ns() >= 1 << 62


@pytest.mark.parametrize("speed", [0.5, 60.0, 1_000.0])
def test_entries_and_leases_keep_scaled_time(speed: float, wire: Any) -> None:
    core = Core(virtual=False, speed=speed)
    channel = core.add_fd("pump", wire.ours)
    core.safe_programme([(0, channel, b"!"), (int(2e6 * speed), channel, b"?")])
    now_ns = core.now_ns()
    at_ns = now_ns + int(5e6 * speed)
    entry = core.arm(channel, b"a", at_ns, at_ns + FAR_NS)
    core.confirm(entry)
    core.lease(at_ns + int(5e6 * speed))
    assert core.wait_until_ns(now_ns + FAR_NS) is False
    assert core.verdict == ("lease", "", 0)
    state, fired_ns = core.entry(entry)
    assert state == "fired" and fired_ns >= at_ns
    while core.parking:
        core.wait_until_ns(core.now_ns() + int(1e6 * speed))
    assert wire.read(3) == b"a!?"
    rows = core.records()
    assert (rows["actual_ns"] >= rows["deadline_ns"]).all()
    assert rows["deadline_ns"][-1] - rows["deadline_ns"][-2] == int(2e6 * speed)


def test_a_wake_ends_a_scaled_real_wait() -> None:
    core = Core(virtual=False, speed=60.0)
    timer = threading.Timer(0.02, core.wake)
    timer.start()
    assert core.wait_until_ns(core.now_ns() + 60 * FAR_NS) is False
    timer.join()


def test_no_drift_over_a_million_cycles() -> None:
    core = Core(virtual=True)
    channel = core.add_call("pump", bytes)  # as cheap as a callable gets
    period_ns = 33_333_333
    arm, confirm, wait = core.arm, core.confirm, core.wait_until_ns
    worst = rows = 0
    for cycle in range(1, 1_000_001):
        at_ns = cycle * period_ns
        confirm(arm(channel, b"x", at_ns, at_ns + 1))
        wait(at_ns)
        if cycle % RECORDS == 0 or cycle == 1_000_000:
            records = core.records()
            worst = max(worst, int(abs(records["actual_ns"] - records["deadline_ns"]).max()))
            rows += len(records)
    assert (worst, rows, core.records_lost) == (0, 1_000_000, 0)
    assert core.now_ns() == 1_000_000 * period_ns


def test_a_full_ring_counts_what_it_lost() -> None:
    core = Core(virtual=True)
    channel = core.add_call("pump", bytes)
    for cycle in range(1, RECORDS + 11):
        core.confirm(core.arm(channel, b"x", cycle, cycle))
        core.wait_until_ns(cycle)
    assert core.records_lost == 10
    assert len(core.records()) == RECORDS
    assert len(core.records()) == 0


def test_the_thread_ends_with_its_core(until: Callable[..., None]) -> None:
    def threads() -> int:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("Threads:"))

    before = threads()
    core = Core(virtual=False)
    assert threads() == before + 1
    del core
    until(lambda: threads() == before, "the pacer's thread to end")


def test_realtime_tells_what_is_in_force_and_never_raises() -> None:
    core = Core(virtual=False)
    force = core.realtime(fifo=1, cpu=1_000_000)
    assert set(force) == {"fifo", "lock_memory", "cpu", "timer_slack_ns", "refused"}
    assert force["fifo"] == 1 or "fifo" in force["refused"]
    assert force["cpu"] == -1 and "cpu" in force["refused"]
    assert force["lock_memory"] is False and "lock_memory" not in force["refused"]
    assert core.realtime()["fifo"] == 0
    assert "virtual" in Core(virtual=True).realtime(fifo=1)["refused"]


def test_memory_is_locked_where_granted(run_python: Callable[..., Any]) -> None:
    code = (
        "from lbl._core import Core; force = Core(virtual=False).realtime(lock_memory=True)\n"
        "locked = [line for line in open('/proc/self/status') if line.startswith('VmLck')][0]\n"
        "print(force['lock_memory'] == (int(locked.split()[1]) > 0), force['refused'])"
    )
    text, _ = run_python(code).communicate(timeout=30)
    assert text.startswith("True"), text
