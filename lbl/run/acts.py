"""The acts inside a dwell: zero and read the photometer, top up a bath.

Each is a generator of instants to wait for, with its intent recorded before and its outcome after.
None of them may delay the next transfer: each is bounded by the instant it is given.
"""

import math
from collections.abc import Generator
from typing import Any, Final, Protocol, TypeVar

from lbl.bench.bench import Bench, Optics
from lbl.bench.roles import Photometer, Thermostat
from lbl.plan.schedule import Step
from lbl.run.clock import RunClock
from lbl.run.trouble import Trouble

# A generator of instants to wait for, whose result is what the act found out.
T = TypeVar("T")
Waits = Generator[int, None, T]

SECOND: Final = 1_000_000_000
MOD: Final = 1000.0
BEAT_S: Final = 5.0  # between questions to a pump that delivers
POLL_S: Final = 0.5
WEIGH_S: Final = 8.0  # a bottle that has not settled by then is not weighed
OVERRUN_S: Final = 5.0  # a pump that runs this much longer than its dose is stopped
SETPOINT_S: Final = 60.0  # between two setpoints of a ramp
SETTLE_S: Final = 1800.0  # that liquids may need to catch up with the setpoint
NEAR_K: Final = 1.0
LEAST_REFERENCE: Final = 1e-7  # W; a lamp that gives less through an empty bath is dark
LEAST_POWER: Final = 1e-9  # W; below it the meter reads its own noise


class Recorder(Protocol):
    """Writes one journal record."""

    def __call__(
        self, kind: str, step: Step | None = None, *, attempt: int = 0, **payload: Any
    ) -> None:
        """Append it; durable when this returns, if the run is."""


class Photometry:
    """Absorbance of the film: a zero through a bath without it or beside it, then the film."""

    def __init__(self, optics: Optics, clock: RunClock, record: Recorder) -> None:
        self._optics = optics
        self._clock = clock
        self._record = record
        meters = list(optics.meters.values())
        self._film, self._reference = meters[0], meters[-1]
        self.dark_w = 0.0
        self.zero_w = 0.0

    def read(self, meter: Photometer) -> Waits[float]:
        """One pulse of light; the generator's result is the power on a meter in W."""
        optics = self._optics
        began = self._clock.now_ns()
        optics.light.on(optics.current)
        try:
            yield began + int(optics.settle * SECOND)
            return meter.power()
        finally:
            optics.light.off()

    def dark(self) -> None:
        """The meter's reading with the light off."""
        self.dark_w = self._film.power()
        self._record("measurement", None, quantity="dark", value=self.dark_w, unit="W")

    def zero(self, step: Step) -> Waits[None]:
        """Reference power, through the bath while the substrate is elsewhere or beside the film."""
        power = yield from self.read(self._reference)
        if power - self.dark_w < LEAST_REFERENCE:
            raise Trouble("reading-suspect", f"no light through {step.vessel}: {power:g} W")
        self.zero_w = power
        self._record("measurement", step, quantity="reference", value=power, unit="W")

    def measure(self, step: Step) -> Waits[float]:
        """Absorbance of the film in mOD, both coated sides; Trouble when it cannot be had."""
        power = yield from self.read(self._film)
        through = power - self.dark_w
        if self.zero_w <= self.dark_w or through < LEAST_POWER:
            sentence = f"no absorbance: {power:g} W against a reference of {self.zero_w:g} W"
            raise Trouble("reading-suspect", sentence)
        absorbance = -math.log10(through / (self.zero_w - self.dark_w)) * MOD
        return absorbance


def dose(
    step: Step, bench: Bench, clock: RunClock, record: Recorder, limit_ns: int
) -> Waits[tuple[float, float]]:
    """Top up a bath: the pump counts, the balance checks; over by `limit_ns`.

    The generator's result is (asked, moved) in mL, moved by the witness that disagrees most.
    """
    dosing = bench.dosing
    if dosing is None:
        raise Trouble("dose-mismatch", "a dose is due and the bench has no pump for it")
    pump, balance = dosing.pump, dosing.balance
    volume = float(str(step.detail["volume"]))
    before, _ = pump.totals()
    grams = balance.stable_grams(WEIGH_S)
    record(
        "dose-intent",
        step,
        solution=step.solution,
        vessel=step.vessel,
        volume_ml=volume,
        total_ml=before,
    )
    began = clock.now_ns()
    pump.start("INF", volume, dosing.rate)
    due_ns = began + int((volume / dosing.rate * 60.0 + POLL_S) * SECOND)
    end_ns = min(due_ns + int(OVERRUN_S * SECOND), limit_ns)
    while clock.now_ns() < min(due_ns, end_ns):  # asked all along: it may have its own dead-man
        yield min(clock.now_ns() + int(BEAT_S * SECOND), due_ns, end_ns)
        if not pump.running():
            break
    while pump.running():
        if clock.now_ns() >= end_ns:
            pump.stop()
            break
        yield min(clock.now_ns() + int(POLL_S * SECOND), end_ns)
    after, _ = pump.totals()
    weighed = grams - balance.stable_grams(WEIGH_S)
    counted = after - before
    record(
        "dose-outcome",
        step,
        solution=step.solution,
        vessel=step.vessel,
        volume_ml=counted,
        total_ml=after,
        source=f"counter; the balance says {weighed:.3f} g",
    )
    return volume, max((counted, weighed), key=lambda moved: abs(moved - volume))


def temper(thermostat: Thermostat, goal: float, clock: RunClock, end_ns: int) -> Waits[None]:
    """Move the setpoint evenly to `goal` (degC), and let the liquids follow until `end_ns`.

    The last SETTLE_S, at most half the time, are for them to catch up. Raises Trouble when they
    are not within NEAR_K of the goal at the end.
    """
    begin_ns, begin = clock.now_ns(), thermostat.temperature()
    lasts_ns = max(end_ns - begin_ns, 1)
    ramp_ns = max(lasts_ns - int(SETTLE_S * SECOND), lasts_ns // 2, 1)
    while True:
        now = clock.now_ns()
        share = min((now - begin_ns) / ramp_ns, 1.0)
        thermostat.start(round(begin + (goal - begin) * share, 2))
        if share >= 1.0:
            break
        yield min(now + int(SETPOINT_S * SECOND), begin_ns + ramp_ns)
    yield end_ns
    at = thermostat.temperature()
    if abs(at - goal) > NEAR_K:
        raise Trouble("temperature-band", f"the liquids are at {at:.1f} degC, {goal:g} were due")
