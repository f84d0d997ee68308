"""Hours of lease at scaled time: the dead-man must never park a controller that is there.

A loop like the engine's renews the lease at each wake, arms a command now and then, and sleeps to
its next instant, on a real clock that runs 60 times as fast; for half of the time a Python thread
is busy beside it. A second thread that only ticks tells a stall of the machine, which may end in a
park, from one that ought not. At the end the loop stops renewing: then it must be parked.
"""

import os
import random
import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Final

from lbl._core import Core

SPEED: Final = 60.0
HOURS: Final = 20.0  # of scaled time, at scale 1: twenty minutes
SECOND: Final = 1_000_000_000
LEASE_AIR_NS: Final = 5 * SECOND
LEASE_WET_NS: Final = 60 * SECOND
AIR_EVERY: Final = 4  # one wake in so many happens in a transfer
WAKE_NS: Final = (SECOND // 4, 15 * SECOND)
GRACE_NS: Final = int(0.5 * SECOND * SPEED)  # half a real second
BUSY_NS: Final = 600 * SECOND
TICK_S: Final = 0.002
SAFE: Final = b"STOP"


@dataclass
class Ticker:
    """Notes for how long the machine, or the interpreter, let nobody run."""

    ended: threading.Event = field(default_factory=threading.Event)
    last: float = field(default_factory=time.monotonic)
    longest: float = 0.0

    def tick(self) -> None:
        while not self.ended.wait(TICK_S):
            now = time.monotonic()
            self.longest = max(self.longest, now - self.last)
            self.last = now

    def take(self) -> float:
        """The longest gap since the last call, the present one included, in s."""
        longest, self.longest = max(self.longest, time.monotonic() - self.last), 0.0
        return longest


@dataclass
class Count:
    """What a soak has seen."""

    wakes: int = 0
    commands: int = 0
    stalls: int = 0  # parks while nobody could run
    false_parks: int = 0
    closest: float = 1.0  # of a lease: what was left at renewal


def spin(ended: threading.Event, core: Core) -> None:
    """Wants the interpreter every other ten minutes."""
    while not ended.is_set():
        if core.now_ns() // BUSY_NS % 2:
            ended.wait(0.05)


def beat(core: Core, channel: int, until_ns: int, chance: random.Random, ticker: Ticker) -> Count:
    """Renew, arm, wait, until the end."""
    count = Count()
    while core.now_ns() < until_ns:
        patience_ns = LEASE_WET_NS if chance.randrange(AIR_EVERY) else LEASE_AIR_NS
        target_ns = core.now_ns() + chance.randrange(*WAKE_NS)
        lease_ns = target_ns + patience_ns
        core.lease(lease_ns)
        if chance.randrange(2):
            core.confirm(core.arm(channel, b"x", target_ns, target_ns + GRACE_NS))
            count.commands += 1
        while core.verdict is None and not core.wait_until_ns(target_ns):
            pass
        count.wakes += 1
        count.closest = min(count.closest, (lease_ns - core.now_ns()) / patience_ns)
        if core.verdict is not None:
            judge(core, count, patience_ns, ticker)
        ticker.take()
        core.records()
    return count


def judge(core: Core, count: Count, patience_ns: int, ticker: Ticker) -> None:
    """Was it the machine? What passed, lease or window, needs a gap as long as most of it."""
    verdict = core.verdict or ("", "", 0)
    allowed_s = (patience_ns if verdict[0] == "lease" else GRACE_NS) / SPEED / SECOND
    gap_s = ticker.take()
    stalled = gap_s > allowed_s / 2
    count.stalls += stalled
    count.false_parks += not stalled
    print(f"  {verdict} at {core.now_ns() / SECOND:.0f} s: nobody ran for {gap_s:.3f} s")
    while core.parking:
        core.wait_until_ns(core.now_ns() + SECOND)
    core.clear()


def parks_when_it_should(core: Core, theirs: socket.socket) -> bool:
    """The control: a loop that stops renewing is parked."""
    theirs.setblocking(False)
    try:
        while theirs.recv(1 << 16):
            pass
    except BlockingIOError:
        theirs.settimeout(10.0)
    core.lease(core.now_ns() + SECOND)
    time.sleep(2.0 / SPEED)
    return theirs.recv(16) == SAFE and core.verdict == ("lease", "", 0)


def soak(hours: float, seed: int) -> int:
    """Run for so many scaled hours; 0 when nothing was found."""
    ticker = Ticker()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        core = Core(virtual=False, speed=SPEED)
        channel = core.add_fd("line", ours.fileno())
        core.safe_programme([(0, channel, SAFE)])
        threads = [
            threading.Thread(target=ticker.tick),
            threading.Thread(target=spin, args=(ticker.ended, core)),
            threading.Thread(target=swallow, args=(ticker.ended, theirs)),
        ]
        for thread in threads:
            thread.start()
        try:
            until_ns = int(hours * 3600 * SECOND)
            count = beat(core, channel, until_ns, random.Random(seed), ticker)
        finally:
            ticker.ended.set()
            for thread in threads:
                thread.join()
        works = parks_when_it_should(core, theirs)
    print(
        f"{hours:g} h at {SPEED:g} x, seed {seed}: {count.wakes} leases, {count.commands} commands,"
        f" {count.false_parks} false parks, {count.stalls} stalls of the machine; at least"
        f" {100 * count.closest:.0f} % of a lease was left; parks when it should: {works}"
    )
    return int(count.false_parks > 0 or not works)


def swallow(ended: threading.Event, theirs: socket.socket) -> None:
    """The instrument reads what it gets."""
    theirs.settimeout(0.05)
    while not ended.is_set():
        try:
            theirs.recv(1 << 16)
        except TimeoutError:
            continue


def main() -> int:
    """`soak.py [HOURS [SEED]]`; without them LBL_TORTURE scales twenty hours."""
    scale = float(os.environ.get("LBL_TORTURE", "1"))
    words = [*sys.argv[1:], *("", "")][:2]
    hours = float(words[0]) if words[0] else HOURS * scale
    return soak(hours, int(words[1] or "1"))


if __name__ == "__main__":
    sys.exit(main())
