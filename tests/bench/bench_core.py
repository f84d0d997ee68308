"""How late the pacer is beside a plain C loop on this machine, in this minute; drift; abort.

Both wake at random phases (a fixed period aliases with the kernel's tick) and take turns deadline
by deadline, so that both see the same neighbours. Prints a table of ratios; it must never be
asserted on: absolute times are not stable on shared machines.
"""

import contextlib
import os
import random
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lbl._core import Core, control

ROUNDS: Final = 12
BATCH: Final = 100  # deadlines of each
GAP_NS: Final = (250_000, 2_250_000)
LEAD_NS: Final = 2_000_000
GRACE_NS: Final = 1_000_000_000
CYCLES: Final = 1_000_000
ABORTS: Final = 300
HOG: Final = "while True: pass"

Latenesses = tuple[NDArray[np.int64], NDArray[np.int64]]


def phases(start_ns: int) -> NDArray[np.int64]:
    """Rising deadlines at random distances, for both."""
    gaps = [random.randrange(*GAP_NS) for _ in range(2 * BATCH)]
    return np.cumsum(np.array([start_ns + LEAD_NS, *gaps[1:]], dtype=np.int64))


def batch(core: Core, channel: int, fifo: int) -> Latenesses:
    """Lateness of armed, confirmed entries, and of the control loop at the deadlines between."""
    deadlines = phases(core.now_ns())
    for deadline_ns in deadlines[::2].tolist():
        core.confirm(core.arm(channel, b"x", deadline_ns, deadline_ns + GRACE_NS))
    controlled = control(deadlines[1::2], fifo=fifo) - deadlines[1::2]
    core.wait_until_ns(core.now_ns() + LEAD_NS)
    rows = core.records()
    return rows["actual_ns"] - rows["deadline_ns"], controlled


def measure(fifo: int) -> Latenesses:
    """Lateness of the pacer and of the control loop with the same policy."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        core = Core(virtual=False)
        channel = core.add_fd("bench", ours.fileno())
        core.realtime(fifo=fifo)
        batches = []
        for _ in range(ROUNDS):
            batches.append(batch(core, channel, fifo))
            theirs.recv(BATCH)
        return np.concatenate([b[0] for b in batches]), np.concatenate([b[1] for b in batches])


@contextlib.contextmanager
def idle() -> Iterator[None]:
    """Nothing else of ours runs."""
    yield


@contextlib.contextmanager
def busy_thread() -> Iterator[None]:
    """A Python thread that always wants the GIL."""
    ended = threading.Event()

    def spin() -> None:
        while not ended.is_set():
            pass

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextlib.contextmanager
def busy_cpus() -> Iterator[None]:
    """Two processes for each CPU that always want to run."""
    hogs = [subprocess.Popen([sys.executable, "-c", HOG]) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def drift_ns() -> int:
    """Worst distance from plan over a million virtual cycles."""
    core = Core(virtual=True)
    channel = core.add_call("bench", bytes)
    worst = 0
    for cycle in range(1, CYCLES + 1):
        at_ns = cycle * 33_333_333
        core.confirm(core.arm(channel, b"x", at_ns, at_ns))
        core.wait_until_ns(at_ns)
        if cycle % 4096 == 0 or cycle == CYCLES:
            rows = core.records()
            worst = max(worst, int(np.abs(rows["actual_ns"] - rows["deadline_ns"]).max()))
    return worst


def aborts_ns() -> NDArray[np.int64]:
    """From park() to the safe bytes at the peer."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        core = Core(virtual=False)
        core.safe_programme([(0, core.add_fd("bench", ours.fileno()), b"STP")])
        took = np.empty(ABORTS, dtype=np.int64)
        for i in range(ABORTS):
            core.wait_until_ns(core.now_ns() + random.randrange(*GAP_NS) // 4)
            began_ns = core.now_ns()
            core.park()
            select.select([theirs], [], [], 1.0)
            took[i] = core.now_ns() - began_ns
            theirs.recv(16)
            while core.parking:
                pass
            core.clear()
        return took


def row(name: str, paced: NDArray[np.int64], controlled: NDArray[np.int64]) -> str:
    """One line of the table, in us; the limit is 1.5 x the p99 of C + 20 us, so below 1 is well."""
    ours, theirs = (np.percentile(late, [50, 99]) / 1e3 for late in (paced, controlled))
    allowed = 1.5 * theirs[1] + 20.0
    return (
        f"{name:<24} {ours[0]:>9.1f} {ours[1]:>9.1f} {theirs[0]:>9.1f} {theirs[1]:>9.1f} "
        f"{ours[1] / allowed:>8.2f}"
    )


def main() -> None:
    """Print the table."""
    loads = {"idle": idle, "busy Python thread": busy_thread, "2 x CPU load": busy_cpus}
    granted = Core(virtual=False).realtime(fifo=10)["fifo"]
    print(f"{'lateness, us':<24} {'p50':>9} {'p99':>9} {'C p50':>9} {'C p99':>9} {'of limit':>8}")
    for fifo in (0, 10) if granted else (0,):
        for name, load in loads.items():
            with load():
                print(row(name + (", FIFO" if fifo else ""), *measure(fifo)), flush=True)
    abort = np.percentile(aborts_ns(), [50, 99]) / 1e3
    print(f"{'abort to safe bytes, us':<24} {abort[0]:>9.1f} {abort[1]:>9.1f}")
    print(f"{'drift, 10^6 cycles, ns':<24} {drift_ns():>9}")


if __name__ == "__main__":
    main()
