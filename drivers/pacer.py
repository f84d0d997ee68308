"""The run's clock and table of armed commands, as drivers and bus need them: two Protocols.

Whoever builds a bench hands in the real thing; this file must never import it.
"""

from collections.abc import Callable
from typing import Protocol


class Pacer(Protocol):
    """The run's clock and the table of armed commands, as a port needs them."""

    def now_ns(self) -> int:
        """Monotonic nanoseconds."""
        ...

    def wait_until_ns(self, deadline_ns: int) -> bool:
        """True: reached; False: woken early."""
        ...

    def arm(
        self,
        channel: int,
        data: bytes,
        deadline_ns: int,
        latest_ns: int,
        replies: int = 0,
        tag: int = 0,
    ) -> int:
        """Send later, once confirmed; an entry id."""
        ...

    def entry(self, entry: int) -> tuple[str, int]:
        """State (armed, confirmed, fired, missed, dropped) and when it fired."""
        ...

    def acquire(self, channel: int, hold_ns: int) -> int:
        """-1: an armed deadline is nearer than that; else answers of fired commands to read."""
        ...

    def collected(self, channel: int, replies: int) -> None:
        """So many of them were read."""
        ...

    def release(self, channel: int) -> None:
        """Give the wire back."""
        ...

    def next_deadline_ns(self, channel: int) -> int:
        """Earliest armed deadline, or -1."""
        ...


class BusPacer(Pacer, Protocol):
    """The pacer as the bus needs it: also a place to register channels."""

    @property
    def virtual(self) -> bool:
        """Whether time moves only by waiting."""
        ...

    def add_fd(self, name: str, fd: int) -> int:
        """A channel to a descriptor."""
        ...

    def add_call(self, name: str, write: Callable[[bytes], object]) -> int:
        """A channel to a Python callable; virtual clock only."""
        ...

    def remove(self, channel: int) -> None:
        """Forget a channel."""
        ...
