"""Real time for simulated instruments that strangers talk to, optionally faster.

The only file of the simulator that reads a clock. The controller brings its own clock; this one
serves `ResourceManager("dip.yaml@lbl")` and the TCP and pty servers.
"""

import threading
import time
from typing import Final, Protocol

SLICE_NS: Final = 20_000_000  # real time after which a waiting caller looks again
NS: Final = 1_000_000_000


class Clock(Protocol):
    """What the simulator needs of a clock, virtual or real; integer nanoseconds."""

    def now_ns(self) -> int:
        """Return the simulated time."""

    def wait_until_ns(self, deadline_ns: int, /) -> bool:
        """Wait; True: reached, False: woken early (look again and wait again)."""

    def wake(self) -> None:
        """Let whoever waits return early."""


class RealClock:
    """Monotonic time from 0 at its making, running at `speed`; raises ValueError unless > 0."""

    def __init__(self, speed: float = 1.0) -> None:
        if not speed > 0.0:
            raise ValueError(f"a clock runs at a speed above 0, got {speed}")
        self.speed = speed
        self._start_ns = time.monotonic_ns()
        self._woken = threading.Event()

    def now_ns(self) -> int:
        """Return the simulated time."""
        return int((time.monotonic_ns() - self._start_ns) * self.speed)

    def real_s(self, deadline_ns: int) -> float:
        """Return how many real seconds are left until `deadline_ns`, at least 0."""
        return max(0.0, (deadline_ns - self.now_ns()) / self.speed / NS)

    def wait_until_ns(self, deadline_ns: int) -> bool:
        """Wait for at most one slice, so that a wake between look and wait costs no more."""
        left_s = self.real_s(deadline_ns)
        if left_s > 0.0 and self._woken.wait(min(left_s, SLICE_NS / NS)):
            self._woken.clear()
        return self.now_ns() >= deadline_ns

    def wake(self) -> None:
        """Let whoever waits return early."""
        self._woken.set()
