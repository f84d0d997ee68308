"""How the film grows: absorbance a bilayer, against a straight line and a target.

A two-sided CUSUM (Page, Biometrika 1954; Montgomery, Introduction to Statistical Quality Control,
chapter 9) with k = 0.5 and h = 7 raises the alarm: on independent values it falsely alarms in about
6 % of good films of 200 bilayers, where Shewhart's three sigma would in 42 %. The noise of the
photometer makes neighbouring increments move against each other, which would blind the chart to a
slow change; so it charts the innovations of the MA(1) model of such increments (Box and Jenkins),
and only what goes beyond `tolerance` of the target counts.

Constant work and memory for each bilayer. Pure. This file must never judge before it knows the
scatter, nor chart the first bilayers, which grow otherwise than the rest.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from lbl.watch.ladder import Verdict, answer

SKIP: Final = 5  # bilayers before the regime is linear
LEARN: Final = 20  # increments from which scatter (and target) are taken when not given
K: Final = 0.5  # reference value, sigma
H: Final = 7.0  # decision interval, sigma
STEP: Final = 6.0  # sigma of a single innovation that no scatter explains
MEMORY_MAX: Final = 0.85  # of the MA(1) model; learned from so few values it must stay humble
SIGMA_MIN: Final = 1e-6  # mOD; readings without any scatter would divide by nothing


@dataclass(frozen=True, slots=True)
class Chart:
    """What the growth is held against: mOD a bilayer and side.

    `target` 0 and `sigma` (scatter of one increment) 0 mean: learn it from the first LEARN
    increments after bilayer SKIP. `readout` is the noise of one reading, used with a given sigma.
    `tolerance` is the fraction of the target that is no fault. `on_alarm` is a response of the
    ladder, from the recipe.
    """

    target: float = 0.0
    sigma: float = 0.0
    readout: float = 0.0
    tolerance: float = 0.05
    on_alarm: str = "hold"


@dataclass(slots=True)
class Sums:
    """The running numbers of a chart; plain data, so that a journal can carry them."""

    bilayer: int = 0
    value: float = 0.0
    count: int = 0
    mean_x: float = 0.0
    mean_y: float = 0.0
    sxx: float = 0.0
    sxy: float = 0.0
    syy: float = 0.0
    learning: list[float] = field(default_factory=list)
    target: float = 0.0
    scatter: float = 0.0
    memory: float = 0.0
    innovation: float = 0.0
    high: float = 0.0
    low: float = 0.0
    alarms: int = 0


class Growth:
    """One film's growth chart. `add` each measured bilayer in rising order."""

    def __init__(self, chart: Chart, sums: Sums | None = None) -> None:
        self.chart = chart
        self.sums = Sums() if sums is None else sums
        if sums is None and chart.target > 0 and chart.sigma > 0:
            self.sums.target = chart.target
            self.sums.scatter, self.sums.memory = given(chart)

    @classmethod
    def restore(cls, chart: Chart, snapshot: Mapping[str, Any]) -> "Growth":
        """Go on with a chart from its `snapshot`. Raises ValueError when that is none."""
        if snapshot.keys() != {one.name for one in fields(Sums)}:
            raise ValueError("this is not the snapshot of a growth chart")
        return cls(chart, Sums(**{**snapshot, "learning": list(snapshot["learning"])}))

    def snapshot(self) -> dict[str, Any]:
        """The running numbers as plain data of bounded size."""
        return asdict(self.sums)

    def add(self, bilayer: int, absorbance: float) -> list[Verdict]:
        """Take the absorbance (mOD a side) after a bilayer; returns verdicts, mostly none.

        Bilayers may be left out. Raises ValueError for a bilayer that is not later than the last
        or a value that is no number.
        """
        sums = self.sums
        if bilayer <= sums.bilayer or not math.isfinite(absorbance):
            text = f"bilayer {bilayer} with {absorbance!r} mOD cannot follow bilayer {sums.bilayer}"
            raise ValueError(text)
        increment = (absorbance - sums.value) / (bilayer - sums.bilayer)
        charted = sums.bilayer >= SKIP
        sums.bilayer, sums.value = bilayer, absorbance
        if bilayer > SKIP:
            self._regress(bilayer, absorbance)
        if not charted:
            return []
        if sums.scatter > 0:
            return self._judge(bilayer, increment)
        self._learn(increment)
        return []

    @property
    def slope(self) -> float | None:
        """Least-squares slope after bilayer SKIP, mOD a bilayer and side."""
        sums = self.sums
        return sums.sxy / sums.sxx if sums.count > 1 else None

    @property
    def r2(self) -> float | None:
        """Coefficient of determination of that line."""
        sums = self.sums
        if sums.count < 3 or sums.syy <= 0:
            return None
        return sums.sxy * sums.sxy / (sums.sxx * sums.syy)

    @property
    def target(self) -> float | None:
        """Increment aimed at, given or learned; None while it is learned."""
        return self.chart.target or self.sums.target or None

    def _regress(self, x: float, y: float) -> None:
        """Welford's update of means and sums of products: no cancellation in long films."""
        sums = self.sums
        sums.count += 1
        dx, dy = x - sums.mean_x, y - sums.mean_y
        sums.mean_x += dx / sums.count
        sums.mean_y += dy / sums.count
        sums.sxx += dx * (x - sums.mean_x)
        sums.syy += dy * (y - sums.mean_y)
        sums.sxy += dx * (y - sums.mean_y)

    def _learn(self, increment: float) -> None:
        sums, chart = self.sums, self.chart
        sums.learning.append(increment)
        if len(sums.learning) < LEARN:
            return
        mean = math.fsum(sums.learning) / LEARN
        sums.target = chart.target or mean
        known = chart.sigma > 0
        sums.scatter, sums.memory = given(chart) if known else learned(sums.learning)
        sums.learning = []

    def _judge(self, bilayer: int, increment: float) -> list[Verdict]:
        sums, target = self.sums, self.sums.target
        sums.innovation = increment - target + sums.memory * sums.innovation
        z = sums.innovation / sums.scatter
        if abs(z) > STEP:
            text = f"at bilayer {bilayer} the film changed by {increment:.2f} mOD a bilayer"
            return [self._alarm("growth-step", f"{text}, {target:.2f} are due", increment)]
        # A lasting change d of the slope shows as d / (1 - memory) in the innovations.
        allowed = abs(target) * self.chart.tolerance / (1.0 - sums.memory) / sums.scatter
        sums.high = max(0.0, sums.high + z - K - allowed)
        sums.low = max(0.0, sums.low - z - K - allowed)
        if max(sums.high, sums.low) <= H:
            return []
        word = "faster" if sums.high > sums.low else "slower"
        text = f"the film grows {word} than {target:.2f} mOD a bilayer, seen at bilayer {bilayer}"
        return [self._alarm("growth-shift", text, increment)]

    def _alarm(self, code: str, reason: str, value: float) -> Verdict:
        """The chart begins anew after an alarm, so that a lasting fault alarms once in a while."""
        sums = self.sums
        sums.alarms += 1
        sums.high = sums.low = sums.innovation = 0.0
        response = answer(code, 1, {"growth-shift": self.chart.on_alarm})
        return Verdict(response, code, reason, value)


def learned(increments: Sequence[float]) -> tuple[float, float]:
    """Scatter of the innovations and memory of the MA(1) model, by the method of moments."""
    count = len(increments)
    mean = math.fsum(increments) / count
    rest = [one - mean for one in increments]
    variance = max(SIGMA_MIN**2, math.fsum(one * one for one in rest) / (count - 1))
    pairs = zip(rest, rest[1:], strict=False)
    lag = math.fsum(one * other for one, other in pairs) / (count - 1) / variance
    memory = min(MEMORY_MAX, _memory(min(0.0, lag)))
    return math.sqrt(variance / (1.0 + memory * memory)), memory


def given(chart: Chart) -> tuple[float, float]:
    """The same from a given scatter of one increment and noise of one reading."""
    variance = max(SIGMA_MIN, chart.sigma) ** 2
    memory = min(MEMORY_MAX, _memory(-(chart.readout**2) / variance))
    return math.sqrt(variance / (1.0 + memory * memory)), memory


def _memory(lag: float) -> float:
    """The theta of an MA(1) process whose lag-one correlation is -theta / (1 + theta**2)."""
    if lag == 0.0:
        return 0.0
    lag = max(lag, -0.4999)  # beyond -1/2 no such process exists
    return (-1.0 + math.sqrt(1.0 - 4.0 * lag * lag)) / (2.0 * lag)
