"""What the loop does between acts: read slow sensors, keep the series, have them judged.

A sensor that does not answer gives no value, and silence is judged too. Must never act on a
verdict: it hands it on.
"""

from collections.abc import Callable
from typing import Final

from lbl.bench.bench import Bench, InstrumentError
from lbl.run.clock import RunClock
from lbl.watch.ladder import Verdict
from lbl.watch.limits import Judge, Limits

SECOND: Final = 1_000_000_000
NEVER_NS: Final = 2**62
TEMPERATURE: Final = "temperature"


class Tending:
    """Reads the bath temperature every so often, in the run's own time."""

    def __init__(
        self,
        bench: Bench,
        clock: RunClock,
        limits: Limits,
        keep: Callable[[str, int, float, str], None],
    ) -> None:
        self._bench = bench
        self._clock = clock
        self._keep = keep
        self._judge = Judge(limits, clock.now_ns())
        section = bench.file.temperature
        self._every_ns = int(section.every * SECOND) if section else NEVER_NS
        self.next_ns = clock.now_ns() if section else NEVER_NS
        self.temperature: float | None = None

    def tend(self) -> list[Verdict]:
        """Take what is due; verdicts on values and on silence."""
        now = self._clock.now_ns()
        if now < self.next_ns or self._bench.thermostat is None:
            return []
        missed = (now - self.next_ns) // self._every_ns
        self.next_ns += (missed + 1) * self._every_ns
        try:
            self.temperature = value = self._bench.thermostat.temperature()
        except InstrumentError:
            self.temperature = None
            return self._judge.stale(now)
        self._keep(TEMPERATURE, now, value, "degC")
        return self._judge.sample(TEMPERATURE, value, now)
