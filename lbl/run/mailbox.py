"""Where wishes from outside arrive: the run folder's inbox, signals, the abort latch.

Keeps only the strongest wish (abort, stop, hold, unhold). The abort latch is set by a signal
handler alone: it needs neither disk nor journal and never waits behind anything. This file must
never act on a bench.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from lbl.journal.inbox import Command

NUDGE: Final = signal.SIGUSR1  # "look into the inbox"
ABORT: Final = signal.SIGUSR2  # "abort, now"
PRECEDENCE: Final = ("abort", "stop", "hold", "unhold")
NONE: Final[list[Command]] = []
LEAVE: Final = 2  # this many interrupts leave the process once the run is held


class Mailbox:
    """The wishes that wait. Bounded: one for each verb; a later one of a verb replaces it.

    It listens to signals from its making, before anybody can know this process: a wish that comes
    while the run is still put together waits for it.
    """

    def __init__(self) -> None:
        self._take: Callable[[], list[Command]] = list
        self._abort_now: Callable[[], None] = lambda: None
        self._every = 1
        self._looks = 0
        self._nudged = True
        self._waiting: dict[str, Command] = {}
        self._fresh: list[Command] = []
        self._aborted = False
        self._interrupts = 0
        self._wake: Callable[[], None] = lambda: None

    @property
    def leaving(self) -> bool:
        """Somebody wants the process gone as soon as the run is held."""
        return self._interrupts >= LEAVE

    @property
    def pending(self) -> tuple[str, ...]:
        """Verbs that wait to take effect."""
        return tuple(verb for verb in PRECEDENCE if verb in self._waiting)

    def wish(self, verb: str, by: str, reason: str) -> None:
        """A wish from this process: a signal, or the watch."""
        self._fresh.append(Command(verb, by, reason, ""))

    def collect(self) -> list[Command]:
        """New wishes, for the journal; the strongest are kept until they are done."""
        self._looks += 1
        if not self._fresh and not self._nudged and self._looks % self._every:
            return NONE
        self._nudged = False
        fresh, self._fresh = self._fresh, []
        fresh += self._take()
        for command in fresh:
            # The later of two opposite wishes is what is wanted.
            self._waiting.pop({"unhold": "hold", "hold": "unhold"}.get(command.verb, ""), None)
            self._waiting[command.verb] = command
        return fresh

    def strongest(self) -> Command | None:
        """The wish that outranks the others, the abort latch first."""
        if self._aborted:
            return self._waiting.get("abort") or Command("abort", "signal", "abort signal", "")
        if not self._waiting:
            return None
        return next((self._waiting[verb] for verb in self._waiting_in_order()), None)

    def _waiting_in_order(self) -> tuple[str, ...]:
        unknown = tuple(verb for verb in self._waiting if verb not in PRECEDENCE)
        return (*unknown, *self.pending)

    def done(self, command: Command) -> None:
        """The wish took effect, or was refused."""
        self._waiting.pop(command.verb, None)
        if command.verb == "abort":
            self._aborted = False

    def attend(
        self,
        take: Callable[[], list[Command]],
        abort_now: Callable[[], None],
        wake: Callable[[], None],
        every: int,
    ) -> None:
        """Serve a run that is now put together.

        `take` gives the inbox's new commands and is called at each nudge and each `every`-th look;
        `abort_now` is called inside the signal handler, before anything else: it must be safe
        there. `wake` ends the wait of whoever waits.
        """
        self._take, self._abort_now, self._wake, self._every = take, abort_now, wake, every
        if self._aborted:
            abort_now()

    def drain(self) -> list[Command]:
        """What came too late: everything that is in the inbox now."""
        self._nudged = True
        return self.collect()

    def listen(self) -> None:
        """Take the signals of this process (main thread only)."""
        signal.signal(signal.SIGINT, self._interrupt)
        signal.signal(signal.SIGTERM, self._terminate)
        signal.signal(signal.SIGHUP, self._nudge)  # a lost terminal does not end a film
        signal.signal(NUDGE, self._nudge)
        signal.signal(ABORT, self._abort)

    def deaf(self) -> None:
        """Give the signals back; what still arrives is ignored, not deadly."""
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for number in (signal.SIGHUP, NUDGE, ABORT):
            signal.signal(number, signal.SIG_IGN)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._interrupts += 1
        self.wish("hold", "terminal", "Ctrl-C")
        self._wake()

    def _terminate(self, number: int, frame: FrameType | None) -> None:
        self._interrupts = LEAVE
        self.wish("hold", "terminal", "SIGTERM")
        self._wake()

    def _nudge(self, number: int, frame: FrameType | None) -> None:
        self._nudged = True
        self._wake()

    def _abort(self, number: int, frame: FrameType | None) -> None:
        self._aborted = True
        self._abort_now()
        self._wake()


@contextmanager
def listening() -> Iterator[Mailbox]:
    """A mailbox that has the process's signals from before anybody can know its pid to the end."""
    mailbox = Mailbox()
    mailbox.listen()
    try:
        yield mailbox
    finally:
        mailbox.deaf()


def ignore_interrupts() -> None:
    """Ctrl-C is for the process that leads; a worker ends when that one says so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
