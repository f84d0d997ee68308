"""One timed command at a time: armed in the core, confirmed, and seen to have fired.

The core sends it by itself at its deadline, however late this process is. Must never decide what is
sent, nor what follows from it.
"""

from collections.abc import Callable
from typing import Final

from lbl.run.acts import Waits
from lbl.run.clock import RunClock
from lbl.run.trouble import Trouble

GRACE_NS: Final = 250_000_000  # real; latest - deadline, well above what a busy host is late
OPEN: Final = frozenset({"armed", "confirmed"})
LOOK_NS: Final = 5_000_000
POLL_NS: Final = 50_000_000
PARKING_LOOKS: Final = 600  # half a minute: longer than any safe programme
NOTHING: Final = -1


class Trigger:
    """Fires what whoever uses it arms; `what` is said when it does not."""

    def __init__(self, clock: RunClock) -> None:
        self._clock = clock
        self._core = clock.core
        self._armed = NOTHING

    def fire(self, arm: Callable[[int, int], int], deadline: int, what: str) -> Waits[int]:
        """Let `arm(deadline, latest)` arm a command, and wait for it; the instant it was sent.

        Raises Trouble when it was not sent in [deadline, latest].
        """
        if self._core.held:  # the dead-man has parked, or another command was not sent in time
            raise Trouble.of_block(self._core.verdict, what)
        latest = deadline + int(GRACE_NS * self._clock.rate)
        self._armed = arm(deadline, latest)
        self._core.confirm(self._armed)
        yield deadline
        state, fired = self._core.entry(self._armed)
        while state in OPEN and self._clock.now_ns() <= latest:  # armed late: the pacer is at it
            yield self._clock.now_ns() + LOOK_NS
            state, fired = self._core.entry(self._armed)
        self._armed = NOTHING
        if state != "fired":
            raise Trouble.of_block(self._core.verdict, what)
        return fired

    def drop(self) -> Waits[bool]:
        """Disarm everything; whether what was armed had fired an instant before.

        A safe programme that is being sent is let to its end first.
        """
        self._core.hold()
        for _ in range(PARKING_LOOKS):
            if not self._core.parking:
                break
            yield self._clock.now_ns() + POLL_NS
        fired = self._armed != NOTHING and self._core.entry(self._armed)[0] == "fired"
        self._armed = NOTHING
        self._core.clear()
        return fired
