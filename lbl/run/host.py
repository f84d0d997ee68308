"""Looks after the computer that carries a run: its calendar, its disk, the parts of the program.

Reads, and hands verdicts on. Must never act on one, and never be asked how long something lasted.
"""

from pathlib import Path
from typing import Final

from lbl.journal.room import free_bytes
from lbl.run.clock import Guardian, RunClock, calendar_s, steady_s
from lbl.watch.host import Calendar, Room
from lbl.watch.ladder import Verdict

EVERY_S: Final = 10.0
ANSWER_NS: Final = 100_000_000  # the timing thread wakes within milliseconds on a busy machine


class Host:
    """The computer under one run. A run in virtual time is not carried long enough to ask."""

    def __init__(self, clock: RunClock, folder: Path) -> None:
        self._clock = clock
        self._folder = folder
        self._calendar = Calendar()
        self._room = Room()
        self._due_s = 0.0
        self.guardian: Guardian | None = None
        self.unwell: tuple[str, ...] = ()

    def look(self) -> list[Verdict]:
        """Verdicts on calendar and disk, when it is time to look again; renews `unwell`.

        `unwell` are the parts that do not answer. Virtual time has neither of them.
        """
        if self._clock.virtual or steady_s() < self._due_s:
            return []
        now_s = steady_s()
        self._due_s = now_s + EVERY_S
        well = {
            "timing": self._clock.core.answers(ANSWER_NS),
            "guardian": self.guardian is None or self.guardian.alive,
        }
        self.unwell = tuple(name for name, answers in well.items() if not answers)
        verdicts = self._calendar.look(calendar_s(), now_s)
        free = free_bytes(self._folder)
        return verdicts if free is None else [*verdicts, *self._room.look(free)]
