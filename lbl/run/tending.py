"""What the loop does between acts: read slow sensors, keep the series, have them judged.

A sensor that does not answer gives no value, and silence is judged too. Must never act on a
verdict: it hands it on.
"""

from collections.abc import Callable
from typing import Final

from lbl.bench.bench import Bench, InstrumentError, Sense
from lbl.run.clock import RunClock
from lbl.watch.ladder import Verdict
from lbl.watch.limits import Judge, Limits

SECOND: Final = 1_000_000_000
NEVER_NS: Final = 2**62
TEMPERATURE: Final = "temperature"


class Tending:
    """Reads each slow sensor of the bench every so often, in the run's own time."""

    def __init__(
        self,
        bench: Bench,
        clock: RunClock,
        limits: Limits,
        keep: Callable[[str, int, float, str], None],
    ) -> None:
        self._clock = clock
        self._keep = keep
        self._judge = Judge(limits, clock.now_ns())
        self._senses = bench.senses
        self._due_ns = [clock.now_ns() for _ in bench.senses]
        self.next_ns = min(self._due_ns, default=NEVER_NS)
        self.temperature: float | None = None

    def tend(self) -> list[Verdict]:
        """Take what is due; verdicts on values and on silence."""
        now = self._clock.now_ns()
        if now < self.next_ns:
            return []
        verdicts: list[Verdict] = []
        for number, sense in enumerate(self._senses):
            if now < self._due_ns[number]:
                continue
            every_ns = int(sense.every * SECOND)
            missed = (now - self._due_ns[number]) // every_ns
            self._due_ns[number] += (missed + 1) * every_ns
            verdicts += self._take(sense, now)
        self.next_ns = min(self._due_ns)
        return verdicts

    def _take(self, sense: Sense, now: int) -> list[Verdict]:
        try:
            value: float | None = sense.read()
        except InstrumentError:
            value = None
        if sense.name == TEMPERATURE:
            self.temperature = value
        if value is None:
            return self._judge.stale(now)
        self._keep(sense.name, now, value, sense.unit)
        return self._judge.sample(sense.name, value, now)
