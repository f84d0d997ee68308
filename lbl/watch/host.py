"""What the computer itself may do to a film: its calendar jumps, its disk fills up.

Pure verdicts on values that somebody else reads. The calendar is judged and noted, and nothing
that lasts is ever reckoned from it.
"""

from typing import Final

from lbl.watch.ladder import Verdict, answer

LEAST_DAY: Final = "2026-01-01"  # no calendar is right that shows an earlier day
LEAST_S: Final = 1_767_225_600.0  # the same in seconds of the calendar (Unix time)
STEP_S: Final = 2.0  # more than any clock is slewed between two looks
LOW_BYTES: Final = 20_000_000  # a film of 200 bilayers writes about as much
TOLD_MAX: Final = 20  # a clock that jumps all the time is noted so often and no oftener


class Calendar:
    """Holds the calendar against a clock that nobody sets. `quality` is good, unset or stepped."""

    def __init__(self, least_s: float = LEAST_S, step_s: float = STEP_S) -> None:
        self._least_s = least_s
        self._step_s = step_s
        self._ahead_s: float | None = None
        self._told = 0
        self.quality = "good"

    def look(self, calendar_s: float, steady_s: float) -> list[Verdict]:
        """Judge one reading of both clocks, in seconds; a jump or an unset calendar is a note."""
        ahead_s, before_s = calendar_s - steady_s, self._ahead_s
        self._ahead_s = ahead_s
        if before_s is not None and abs(ahead_s - before_s) > self._step_s:
            self.quality = "stepped" if calendar_s >= self._least_s else "unset"
            sentence = f"the calendar was set by {ahead_s - before_s:+.1f} s while the run went on"
            return self._tell(sentence, ahead_s - before_s)
        if before_s is None and calendar_s < self._least_s:
            self.quality = "unset"
            sentence = "the calendar is not set: its times are of no use, what is measured is right"
            return self._tell(sentence, calendar_s)
        return []

    def _tell(self, sentence: str, value: float) -> list[Verdict]:
        self._told += 1
        if self._told > TOLD_MAX:
            return []
        if self._told == TOLD_MAX:
            sentence += "; later jumps are not noted any more"
        return [Verdict(answer("clock-step"), "clock-step", sentence, value)]


class Room:
    """Watches the free disk: one note when it falls below `low` bytes, the next after it rose."""

    def __init__(self, low: int = LOW_BYTES) -> None:
        self._low = low
        self._noted = False

    def look(self, free: int) -> list[Verdict]:
        """Judge the free bytes."""
        if free >= 2 * self._low:  # twice, so that a disk at the edge is not noted all the time
            self._noted = False
        if free >= self._low or self._noted:
            return []
        self._noted = True
        sentence = f"{free / 1e6:.1f} MB are left on the disk"
        return [Verdict(answer("disk-low"), "disk-low", sentence, float(free))]
