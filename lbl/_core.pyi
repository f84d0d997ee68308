"""The contract of the compiled timing core (ext/).

Plan in Python, execute dumbly: Python arms commands ahead of time, a C thread without the GIL fires
them at absolute monotonic deadlines, whatever Python is doing. The same rule runs inline on a
virtual clock. All times are nanoseconds.

The one firing rule: an armed entry fires at the first instant in [deadline, latest] at which it is
confirmed and its channel is free. Otherwise the core goes into hold: every armed entry is dropped,
`arm` is refused until `clear`, and `verdict` says why.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

ENTRIES: Final[int]
"""Entries armed at one time."""
CHANNELS: Final[int]
"""Channels open at one time."""
STEPS: Final[int]
"""Steps of a safe programme."""
DATA_MAX: Final[int]
"""Bytes of one command."""
RECORDS: Final[int]
"""Records kept until they are drained."""
REASONS: Final[tuple[str, ...]]
"""Names of the reason codes in `Core.records`; 0 is "fired"."""

@final
class Core:
    """One clock and its table of armed commands. It knows nothing of instruments.

    Any thread may call anything; on a virtual clock one thread waits. The real clock owns a thread,
    which ends with the object; in a forked child the object is dead weight.
    """

    def __new__(cls, *, virtual: bool, start_ns: int = 0, speed: float = 0.0) -> Self:
        """Start a real clock or a virtual one.

        The real clock is CLOCK_MONOTONIC; with `speed` n it starts at `start_ns` and runs n times
        as fast, for instruments that do so too: every time given to the core or told by it is then
        of that clock, and what the machine is late grows n times. Virtual time starts at `start_ns`
        and moves only in `wait_until_ns`. `speed` 0 moves it at once; n sleeps so that n virtual
        seconds pass in a real one, and lag of up to a second is made up for. Raises ValueError for
        a speed that is neither 0 nor from 0.001 to 1e9, OSError when the thread cannot start.
        """

    @property
    def virtual(self) -> bool:
        """True when time moves only in `wait_until_ns`."""

    def now_ns(self) -> int:
        """Nanoseconds of CLOCK_MONOTONIC, of that clock scaled, or of virtual time."""

    def wait_until_ns(self, deadline_ns: int) -> bool:
        """Wait; True once the deadline is reached, False when woken before it.

        Reached means that everything due by then has been fired or judged too (in real time the
        pacer gets at most 100 ms for that). Woken is by `wake`, by a new verdict, or by a signal,
        whose Python handler has run by then and may raise (KeyboardInterrupt); look again and wait
        again. A wake while nobody waits ends the next wait. In virtual time armed entries fire on
        the way, in order. Raises RuntimeError when a virtual clock has a waiter already, or inside
        a channel's `write`.
        """

    def wake(self) -> None:
        """End the current or next wait early; from any thread or Python signal handler."""

    def add_fd(self, name: str, fd: int) -> int:
        """Open a channel on a descriptor that stays the caller's; returns its id.

        Writes never block: a socket is written with MSG_DONTWAIT, anything else is set to
        O_NONBLOCK here. A descriptor that is closed, or whose number means another file by then, is
        not written to: that is a "failed". Call `remove` before closing it. Raises OSError for a
        bad or read-only descriptor, for more than CHANNELS, or when the guardian cannot take it.
        """

    def add_call(self, name: str, write: Callable[[bytes], object]) -> int:
        """Open a channel on a Python callable; virtual clock only, ValueError otherwise.

        It is called inside `wait_until_ns` or whatever else made an entry due. BlockingIOError
        means a full wire (tried again a millisecond later); any other Exception is a failed write:
        the core goes into hold and `failure` has it.
        """

    def add_viwrite(self, name: str, function_pointer: int, session: int) -> int:
        """Open a channel on a VISA library's viWrite (VPP-4.3.2) and an open ViSession; real clock.

        The bytes are handed to a thread of the channel's own, of ordinary policy: "fired" is when,
        and the wire stays owned until viWrite has returned. A negative status or a short count is
        then a "failed" verdict. The guardian cannot reach such a channel. Library and session must
        stay open until `remove`. Raises ValueError on a virtual clock or for a null pointer,
        OSError for more than CHANNELS or when no thread can start.
        """

    def guardable(self, channel: int) -> bool:
        """True when the guardian can park what is on this channel; ValueError if it is not open."""

    def remove(self, channel: int) -> None:
        """Close a channel; its steps leave the safe programme, the guardian closes its copy.

        Raises RuntimeError while entries are armed on it, OSError when a write does not end.
        """

    def arm(
        self,
        channel: int,
        data: bytes,
        deadline_ns: int,
        latest_ns: int,
        replies: int = 0,
        tag: int = 0,
    ) -> int:
        """Arm one command, unconfirmed; returns the entry's id (rising, never used twice).

        `replies` is how many answers the command will have, counted as uncollected once it has
        fired; `tag` comes back in `records`. A window that has passed is a "late" verdict, not an
        error. Raises RuntimeError in hold, OverflowError when ENTRIES are armed, ValueError for an
        unknown channel, an empty or too long command, or latest before deadline.
        """

    def confirm(self, entry: int) -> None:
        """Allow an entry to fire; without effect once it has fired, was dropped or is too late.

        Raises KeyError for an id that is unknown or long finished.
        """

    def entry(self, entry: int) -> tuple[str, int]:
        """State ("armed", "confirmed", "fired", "missed", "dropped") and when it fired, or 0.

        A finished entry is known until about ENTRIES more have been armed; then KeyError.
        """

    def acquire(self, channel: int, hold_ns: int) -> int:
        """Own the wire for an exchange of at most `hold_ns`; entries on it wait for `release`.

        Returns how many replies of fired commands nobody has read yet: they come first. Returns -1
        when an armed deadline, or a safe step being played, is nearer than `hold_ns`, or when the
        wire is owned. The safe programme does not ask for ownership.
        """

    def collected(self, channel: int, replies: int) -> None:
        """Note that so many uncollected replies were read (or given up); ValueError if not owed."""

    def release(self, channel: int) -> None:
        """Give the wire back; RuntimeError if it was not owned by `acquire`."""

    def next_deadline_ns(self, channel: int) -> int:
        """Earliest armed deadline on the channel, or -1."""

    def hold(self) -> None:
        """Drop all armed entries and refuse `arm`; once it returns nothing more fires."""

    def clear(self) -> None:
        """End the hold and forget the verdict; RuntimeError while the safe programme is sent."""

    @property
    def held(self) -> bool:
        """True from a hold, verdict or park until `clear`."""

    @property
    def parking(self) -> bool:
        """True while the safe programme is being sent."""

    @property
    def verdict(self) -> tuple[str, str, int] | None:
        """Why the core stopped by itself: (reason, channel name, entry); None after `clear`.

        "unconfirmed": not confirmed by `latest`. "busy": its wire was owned. "late": the pacer, or
        `arm`, came too late. "choked": the peer does not read. "failed": see `failure`. "lease":
        the dead-man; channel "" and entry 0. A lease replaces an earlier verdict, nothing else
        does.
        """

    @property
    def failure(self) -> BaseException | None:
        """The exception behind a "failed" verdict."""

    def lease(self, until_ns: int) -> None:
        """Promise to call again before `until_ns`, or the dead-man parks; 0 for no lease.

        A passed lease holds the core, gives the verdict "lease", sends the safe programme, and is
        gone.
        """

    def answers(self, within_ns: int) -> bool:
        """Whether the thread of the real clock steps when asked to, within `within_ns` real ns.

        A virtual clock has no thread and always answers.
        """

    def safe_programme(self, steps: Iterable[tuple[int, int, bytes]]) -> None:
        """Replace the safe programme: (delay after its start in ns, channel, bytes), at most STEPS.

        Sent in order of delay; a failed step is skipped and recorded, a full wire holds up only its
        own channel, for at most 0.2 s a step. Replacing it while it is sent changes the next one.
        Raises ValueError for an unknown channel or bad step, OSError if the guardian does not take
        it.
        """

    def park(self) -> None:
        """Hold, and send the safe programme now. Idempotent while it is sent."""

    def records(self) -> NDArray[np.void]:
        """Drain what happened: one row for each entry fired or missed, lease passed, safe step.

        Fields, all int64: entry, tag, channel, deadline_ns, latest_ns, actual_ns, reason (REASONS).
        """

    @property
    def records_lost(self) -> int:
        """Records that found RECORDS others undrained."""

    def realtime(
        self, *, fifo: int = 0, lock_memory: bool = False, cpu: int = -1
    ) -> dict[str, Any]:
        """Ask for SCHED_FIFO priority (0: SCHED_OTHER), mlockall, one CPU, and 1 ns timer slack.

        Returns what is in force: fifo, lock_memory, cpu, timer_slack_ns, and refused {what: why}.
        Never raises for a refusal.
        """

@final
class Guardian:
    """A second process, without Python, that parks the instruments when this one cannot.

    It notices a controller that is dead or stopped, kills it, sends the safe programme, writes a
    line to `note_fd`, and unlocks `lock_fd`. The core tells it of every channel and safe programme.
    SIGUSR1 sent to it does the same at once. It must be told to go with `release` before this
    process ends.
    """

    def __new__(cls, core: Core) -> Self:
        """Guard a core on the real clock; ValueError otherwise."""

    def start(self, *, lock_fd: int = -1, note_fd: int = -1) -> int:
        """Start the process and tell it what the core knows; returns its pid.

        `lock_fd` is a descriptor that holds the run's flock, `note_fd` a file to leave a line in.
        Raises RuntimeError if the core is guarded, OSError if it cannot start.
        """

    def release(self) -> None:
        """Orderly close: it ends and parks nothing. Idempotent; OSError if it had to be killed."""

    @property
    def pid(self) -> int:
        """Process id, 0 when none runs."""

    @property
    def alive(self) -> bool:
        """True while the process runs."""

def control(deadlines_ns: ArrayLike, *, fifo: int = 0, cpu: int = -1) -> NDArray[np.int64]:
    """Wake-up times of a plain C loop over rising deadlines, to measure the pacer against.

    The GIL is released. Raises OSError when the policy or CPU is refused.
    """
