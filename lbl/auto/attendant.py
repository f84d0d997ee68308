"""Attends while a film runs or waits: beats, feeds the watchdog, undoes holds that may be undone.

It is called by the loop that does the work and by nothing else, so that a loop which hangs starves
the watchdog. Must never run in a thread of its own, and never wait.
"""

from collections.abc import Callable
from typing import Final

from lbl.auto.beacon import Beacon, Status
from lbl.auto.notify import Notify
from lbl.errors import Fault, Problem
from lbl.run.clock import steady_s
from lbl.run.news import News

FEEDS: Final = 3.0  # times that a watchdog is fed before it would bite
KEEP_S: Final = 60.0  # between two savings of the hour meter
HELD: Final = "Held"


class Attendant:
    """Everything that has to happen every now and then, whatever the program is at."""

    def __init__(
        self,
        beacon: Beacon,
        notify: Notify,
        every_s: float,
        *,
        known: Callable[[Status], Status],
        keep: Callable[[], object],
        held: Callable[[str], str],
        say: Callable[[str], None],
    ) -> None:
        """`known` fills in what the program knows; `keep` saves the hour meter.

        `held` is told of a run that is held and answers why it stays so.
        """
        self._beacon = beacon
        self._notify = notify
        self._every_s = every_s
        self._known = known
        self._keep = keep
        self._held = held
        self._say = say
        self._told: tuple[str, str, str] = ("", "", "")
        self._beacon_s = 0.0
        self._fed_s = 0.0
        self._kept_s = steady_s()
        self._moved = -1.0

    def hear(self, news: News) -> None:
        """What a run tells from its own loop. Raises Fault `auto-unwell`: then the run parks."""
        if news.unwell:
            parts = " and ".join(news.unwell)
            sentence = f"a part of the program does not answer: {parts}"
            raise Fault(Problem("auto-unwell", sentence, news.run, "it is started anew"))
        if news.now == self._moved:  # the loop turns, and its clock does not: that is not health
            return
        self._moved = news.now
        reason = self._held(news.run) if news.state == HELD else ""
        self.beat(
            Status(
                mode="drive",
                state=news.state,
                run=news.run,
                step=news.phase,
                reason=reason,
                bilayers=(news.bilayer, news.bilayers),
                depositions=(news.deposition, news.depositions),
                deviations=news.deviations,
            )
        )

    def beat(self, status: Status) -> None:
        """Tell where things are, when it is time; something new is told at once."""
        now_s = steady_s()
        told = (status.mode, status.state, status.reason)
        fresh, self._told = told != self._told, told
        if fresh:
            line = ", ".join(one for one in (status.state, status.reason) if one)
            self._say(f"{status.mode}: {line}")
            self._notify.status(f"{status.mode} {status.run} {line}")
        if fresh or now_s - self._beacon_s >= self._every_s:
            self._beacon_s = now_s
            self._beacon.send(self._known(status))
        if self._notify.watchdog_s and now_s - self._fed_s >= self._notify.watchdog_s / FEEDS:
            self._fed_s = now_s
            self._notify.alive()
        if now_s - self._kept_s >= KEEP_S:
            self._kept_s = now_s
            self._keep()
