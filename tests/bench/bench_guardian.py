"""How soon safe bytes are at the peer: controller killed, stopped, told to abort; small and big.

The witness is this process, which holds the instrument's end of the line. The instant of each blow
is random against the guardian's poll. Figures for a table; never asserted: machines are shared.
"""

import os
import random
import select
import signal
import socket
import statistics
import subprocess
import sys
import time
from typing import Final

TIMES: Final = 12
SMALL, BIG = 0, 2 << 30  # bytes that the controller holds
PATIENCE_S: Final = 20.0
SETTLE_S: Final = (0.05, 0.12)

CONTROLLER: Final = """
import signal, sys, threading
from lbl._core import Core, Guardian
fd, size, busy = (int(word) for word in sys.argv[1:])
memory = bytearray(size)
memory[::4096] = b"x" * len(memory[::4096])  # every page is really there
core = Core(virtual=False)
core.safe_programme([(0, core.add_fd("line", fd), b"STOP")])
guardian = Guardian(core)
pid = guardian.start()
signal.signal(signal.SIGUSR2, lambda number, frame: core.park())
def spin():
    while True:
        pass
if busy:
    threading.Thread(target=spin, daemon=True).start()
print(pid, flush=True)
while not core.parking:
    core.wait_until_ns(core.now_ns() + 10**12)
while True:
    core.wait_until_ns(core.now_ns() + 10**12)
"""


def once(blow: signal.Signals, size: int, *, busy: bool = False, guardian: bool = False) -> float:
    """Milliseconds from the blow to the safe bytes."""
    ours, theirs = socket.socketpair()
    with theirs:
        with ours:
            process = subprocess.Popen(
                [sys.executable, "-c", CONTROLLER, str(ours.fileno()), str(size), str(int(busy))],
                stdout=subprocess.PIPE,
                pass_fds=[ours.fileno()],
            )
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        time.sleep(random.uniform(*SETTLE_S))
        try:
            began = time.monotonic()
            os.kill(pid if guardian else process.pid, blow)
            if not select.select([theirs], [], [], PATIENCE_S)[0]:
                raise TimeoutError(f"no safe bytes {PATIENCE_S} s after {blow.name}")
            took = time.monotonic() - began
            if theirs.recv(16) != b"STOP":
                raise ValueError("other bytes came first")
        finally:
            process.kill()
            process.wait(PATIENCE_S)
            process.stdout.close()
            theirs.settimeout(PATIENCE_S)
            while theirs.recv(16):  # the guardian has gone too
                pass
    return 1e3 * took


def row(what: str, goal: str, blow: signal.Signals, size: int, **how: bool) -> str:
    """One line of the table."""
    took = sorted(once(blow, size, **how) for _ in range(TIMES))
    return f"{what:<46} {statistics.median(took):>9.2f} {took[-1]:>9.2f}  {goal}"


def main() -> None:
    """Print the table."""
    print(f"{'to safe bytes at the peer, ms':<46} {'p50':>9} {'max':>9}  to reach")
    for size, name in ((SMALL, "small"), (BIG, "2 GB")):
        print(row(f"SIGKILL, controller {name}", "<= 100 ms", signal.SIGKILL, size), flush=True)
        print(row(f"SIGSTOP, controller {name}", "<= 100 ms", signal.SIGSTOP, size), flush=True)
    abort = signal.SIGUSR2
    print(row("abort (signal, Python handler, park)", "<= 10 ms", abort, SMALL))
    print(row("abort, a Python thread busy", "", abort, SMALL, busy=True))
    print(row("abort through the guardian", "", signal.SIGUSR1, SMALL, guardian=True))


if __name__ == "__main__":
    main()
