"""Channels on a VISA library's viWrite: a C stand-in that writes to a descriptor, compiled here."""

import ctypes
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from lbl._core import REASONS, Core, Guardian

MS: Final = 1_000_000
FAR_NS: Final = 3_600_000 * MS
SOURCE: Final = Path(__file__).with_name("viwrite.c")

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def pointer(tmp_path_factory: pytest.TempPathFactory) -> int:
    """The address of the stand-in's viWrite; its library stays loaded."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    library = tmp_path_factory.mktemp("visa") / "libviwrite.so"
    flags = ["-std=gnu11", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, str(SOURCE), "-o", str(library)], check=True, timeout=60)
    return ctypes.cast(ctypes.CDLL(str(library)).viWrite, ctypes.c_void_p).value or 0


def fire(core: Core, channel: int, data: bytes, replies: int = 0) -> int:
    now_ns = core.now_ns()
    entry = core.arm(channel, data, now_ns + MS, now_ns + FAR_NS, replies=replies)
    core.confirm(entry)
    return entry


def test_what_fires_is_written(pointer: int, wire: Any, until: Callable[..., None]) -> None:
    core = Core(virtual=False)
    meter = core.add_viwrite("meter", pointer, wire.ours)
    entries = [fire(core, meter, b"%d;" % number, replies=1) for number in range(30)]
    assert wire.read(2 * 10 + 3 * 20) == b"".join(b"%d;" % number for number in range(30))
    # The helper may have written the last one before the core's own thread has marked it.
    until(lambda: {core.entry(entry)[0] for entry in entries} == {"fired"}, "all to be marked")
    until(lambda: core.acquire(meter, 0) == 30, "the wire to be free again")
    core.collected(meter, 30)
    core.release(meter)
    core.remove(meter)
    assert core.verdict is None


@pytest.mark.parametrize("text", [b"refuse", b"half"])
def test_what_is_not_delivered_is_a_failure(
    pointer: int, wire: Any, text: bytes, until: Callable[..., None]
) -> None:
    core = Core(virtual=False)
    meter = core.add_viwrite("meter", pointer, wire.ours)
    entry = fire(core, meter, text)
    later = core.arm(meter, b"never", core.now_ns() + FAR_NS, core.now_ns() + 2 * FAR_NS)
    until(lambda: core.verdict is not None, "the refusal to be judged")
    assert core.verdict == ("failed", "meter", entry)
    assert isinstance(core.failure, OSError) and "meter" in str(core.failure)
    assert core.entry(later)[0] == "dropped"
    core.clear()
    assert core.verdict is None


def stuffed(wire: Any) -> int:
    """Write until the wire takes no more; then a blocking write waits."""
    os.set_blocking(wire.ours, False)
    total = 0
    try:
        while True:
            total += os.write(wire.ours, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(wire.ours, True)
        return total


def test_a_write_that_takes_long_delays_nobody_else(
    pointer: int, two_wires: Any, until: Callable[..., None]
) -> None:
    with two_wires() as (slow, fast):
        core = Core(virtual=False)
        meter, pump = (
            core.add_viwrite("meter", pointer, slow.ours), core.add_fd("pump", fast.ours),
        )  # fmt: skip
        size = stuffed(slow)
        first = fire(core, meter, b"first")
        until(lambda: core.entry(first)[0] == "fired", "the bytes to be handed over")
        assert core.acquire(meter, 0) == -1  # owned until viWrite returns
        second = fire(core, meter, b"second")
        fire(core, pump, b"at once")
        assert fast.read(7) == b"at once"
        assert core.entry(second)[0] == "confirmed"
        with pytest.raises(RuntimeError, match="armed entries"):
            core.remove(meter)
        assert slow.read(size + 11)[-11:] == b"firstsecond"
        until(lambda: core.acquire(meter, 0) == 0, "the wire to be free again")


def test_an_entry_behind_a_hung_write_is_busy(
    pointer: int, wire: Any, until: Callable[..., None]
) -> None:
    core = Core(virtual=False)
    meter = core.add_viwrite("meter", pointer, wire.ours)
    size = stuffed(wire)
    first = fire(core, meter, b"first")
    until(lambda: core.entry(first)[0] == "fired", "the first to be under way")
    now_ns = core.now_ns()
    entry = core.arm(meter, b"second", now_ns, now_ns + 300 * MS)
    core.confirm(entry)
    until(lambda: core.verdict is not None, "the window to pass")
    assert core.verdict == ("busy", "meter", entry)
    with pytest.raises(OSError, match="being written to"):
        core.remove(meter)
    wire.read(size + 5)
    until(lambda: core.acquire(meter, 0) == 0, "the wire to be free again")
    core.remove(meter)


def test_a_core_ends_although_a_write_does_not(pointer: int, wire: Any) -> None:
    core = Core(virtual=False)
    stuffed(wire)
    fire(core, core.add_viwrite("meter", pointer, wire.ours), b"first")
    core.wait_until_ns(core.now_ns() + 5 * MS)
    del core  # what viWrite may still touch stays
    wire.waiting()


def test_the_safe_programme_goes_there_too(pointer: int, wire: Any) -> None:
    core = Core(virtual=False)
    meter = core.add_viwrite("meter", pointer, wire.ours)
    core.safe_programme([(0, meter, b"*CLS"), (2 * MS, meter, b"OFF")])
    assert core.acquire(meter, 0) == 0
    core.park()
    assert wire.read(7) == b"*CLSOFF"
    core.release(meter)
    while core.parking:
        core.wait_until_ns(core.now_ns() + MS)
    assert [REASONS[row["reason"]] for row in core.records()] == ["safe", "safe"]


def test_the_guardian_cannot_reach_it(pointer: int, wire: Any, two_wires: Any) -> None:
    with two_wires() as (line, _):
        core = Core(virtual=False)
        meter = core.add_viwrite("meter", pointer, wire.ours)
        pump = core.add_fd("pump", line.ours)
        assert not core.guardable(meter) and core.guardable(pump)
        core.safe_programme([(0, meter, b"OFF"), (0, pump, b"STP")])
        guardian = Guardian(core)
        guardian.start()
        core.remove(meter)
        guardian.release()
        with pytest.raises(ValueError, match="not open"):
            core.guardable(meter)
    virtual = Core(virtual=True)
    assert not virtual.guardable(virtual.add_call("pump", bytes))


def test_bad_pointers(pointer: int) -> None:
    with pytest.raises(ValueError, match="'meter'.*add_call"):
        Core(virtual=True).add_viwrite("meter", pointer, 1)
    with pytest.raises(ValueError, match="'meter'.*null"):
        Core(virtual=False).add_viwrite("meter", 0, 1)


def test_its_threads_end_with_it(pointer: int, wire: Any, until: Callable[..., None]) -> None:
    before = len(os.listdir("/proc/self/task"))
    core = Core(virtual=False)
    meter = core.add_viwrite("meter", pointer, wire.ours)
    core.add_viwrite("other", pointer, wire.ours)
    assert len(os.listdir("/proc/self/task")) == before + 3
    core.remove(meter)
    assert len(os.listdir("/proc/self/task")) == before + 2
    del core
    until(lambda: len(os.listdir("/proc/self/task")) == before, "the threads to end")
    assert threading.active_count() >= 1
