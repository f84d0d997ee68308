"""Limits of a run and verdicts on what is measured against them.

Each judgement is a list of verdicts (see ladder); an empty list means that all is well. A value
outside a band counts only when it stays there for several samples, and a sensor that says nothing
new is judged as well. Pure: no I/O, no clock, times are handed in. This file must never drop a
sample silently: what is no number counts as no sample, and no samples become `sensor-stale`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from lbl.watch.ladder import Verdict, answer

PERSISTENCE: Final = 3  # samples in a row outside a band before it counts
STALE: Final = 120.0  # s without a new value; slow sensors are read every 30 s
SECOND: Final = 1_000_000_000
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Band:
    """Where a sensor's value may be. `code` is the ladder's code for leaving it.

    `harm_low` and `harm_high` bound what is outright harmful (`harm_code`).
    """

    low: float
    high: float
    unit: str = ""
    code: str = "band"
    harm_low: float = -math.inf
    harm_high: float = math.inf
    harm_code: str = "temperature-damage"
    persistence: int = PERSISTENCE
    stale: float = STALE


def temperature(low: float, high: float) -> Band:
    """The band of a bath in degC; freezing and denaturing (from 45 degC) are outright harmful."""
    return Band(low, high, "degC", "temperature-band", harm_low=1.0, harm_high=45.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one run: seconds, degC, fractions. `bands` by the name of the sensor.

    A film of 1.5 um of water dries in about 54 s at 0.1 kg/(m2 h), which `air_hard` stays below.
    `overrides` maps codes of the ladder to other responses.
    """

    air_soft: float = 20.0
    air_hard: float = 45.0
    bands: Mapping[str, Band] = field(default_factory=dict)
    dose_tolerance: float = 0.05  # fraction of the volume asked for
    dose_floor: float = 0.05  # mL; below this pumps and balances cannot tell
    overrides: Mapping[str, str] = field(default_factory=dict)


def judge_air(limits: Limits, seconds: float) -> list[Verdict]:
    """Judge one stay in air: above soft a deviation, above hard a hold."""
    if seconds > limits.air_hard:
        code, limit = "air-hard", limits.air_hard
    elif seconds > limits.air_soft:
        code, limit = "air-soft", limits.air_soft
    else:
        return []
    reason = f"the substrate was in air for {seconds:.1f} s, the limit is {limit:g} s"
    return [_verdict(limits, code, reason, seconds)]


def judge_dwell(limits: Limits, seconds: float, at_least: float, at_most: float) -> list[Verdict]:
    """Judge a dwell against its window, with the relative tolerance of 1e-9 of comparisons."""
    if seconds < at_least and not math.isclose(seconds, at_least, rel_tol=1e-9):
        reason = f"the dwell lasted {seconds:.1f} s, the recipe asks for at least {at_least:g} s"
        return [_verdict(limits, "dwell-short", reason, seconds)]
    if seconds > at_most and not math.isclose(seconds, at_most, rel_tol=1e-9):
        reason = f"the dwell lasted {seconds:.1f} s, the recipe allows at most {at_most:g} s"
        return [_verdict(limits, "dwell-long", reason, seconds)]
    return []


def judge_held(limit: float) -> Verdict:
    """A hold that goes on beyond what the film may stay in its rinse (s)."""
    reason = f"held for more than {limit:g} s; the film changes in its rinse"
    return Verdict(answer("held-long"), "held-long", reason, limit)


def judge_position(
    limits: Limits, axis: str, *, referenced: bool, position: float, target: float, within: float
) -> list[Verdict]:
    """Judge an axis before a dip; position, target and tolerance in its own unit."""
    if not referenced or not math.isfinite(position):
        reason = f"{axis} does not know its position, and a dip is due"
        return [_verdict(limits, "position-unknown", reason, None)]
    if abs(position - target) > within:
        reason = f"{axis} is at {position:g}, not at {target:g} within {within:g}"
        return [_verdict(limits, "position-wrong", reason, position)]
    return []


def judge_dose(limits: Limits, solution: str, asked: float, moved: float) -> list[Verdict]:
    """Judge a dose by what counter, balance or level say has moved; mL."""
    allowed = max(limits.dose_floor, abs(asked) * limits.dose_tolerance)
    if math.isfinite(moved) and abs(moved - asked) <= allowed:
        return []
    reason = f"{moved:.3f} mL of {solution} moved, {asked:.3f} mL were asked for"
    return [_verdict(limits, "dose-mismatch", reason, moved)]


class Judge:
    """Judges the samples of one run's sensors. Keeps three numbers for each sensor."""

    def __init__(self, limits: Limits, now_ns: int) -> None:
        """`now_ns` is when watching begins: a sensor that never speaks is stale from there."""
        self._limits = limits
        self._out: dict[str, int] = dict.fromkeys(limits.bands, 0)
        self._harm: dict[str, int] = dict.fromkeys(limits.bands, 0)
        self._last_ns: dict[str, int] = dict.fromkeys(limits.bands, now_ns)
        self._told: set[str] = set()

    def sample(self, name: str, value: float, now_ns: int) -> list[Verdict]:
        """Judge one value of a sensor; a sensor without a band passes.

        A verdict comes at each `persistence`-th sample in a row outside the band.
        """
        band = self._limits.bands.get(name)
        if band is None or not math.isfinite(value):
            return []
        self._last_ns[name] = now_ns
        self._told.discard(name)
        harmful = not band.harm_low <= value <= band.harm_high
        outside = harmful or not band.low <= value <= band.high
        if _persists(self._harm, name, harmful, band.persistence):
            reason = f"{name} is {value:g} {band.unit}, which does harm"
            return [_verdict(self._limits, band.harm_code, reason, value)]
        if _persists(self._out, name, outside, band.persistence):
            span = f"{band.low:g}..{band.high:g} {band.unit}"
            reason = f"{name} is {value:g} {band.unit}, outside {span} {band.persistence} times"
            return [_verdict(self._limits, band.code, reason, value)]
        return []

    def stale(self, now_ns: int) -> list[Verdict]:
        """Judge the silence: one verdict for each sensor, again only after it has spoken."""
        verdicts: list[Verdict] = []
        for name, band in self._limits.bands.items():
            silent = (now_ns - self._last_ns[name]) / SECOND
            if silent > band.stale and name not in self._told:
                self._told.add(name)
                reason = f"{name} gave no value for {silent:.0f} s (at most {band.stale:g} s)"
                verdicts.append(_verdict(self._limits, "sensor-stale", reason, silent))
        return verdicts

    def next_stale_ns(self) -> int | None:
        """When the first sensor will be stale if nothing comes; None without sensors."""
        times = [
            self._last_ns[name] + int(band.stale * SECOND) + 1
            for name, band in self._limits.bands.items()
            if name not in self._told
        ]
        return min(times, default=None)


def _persists(counts: dict[str, int], name: str, outside: bool, persistence: int) -> bool:
    counts[name] = counts[name] + 1 if outside else 0
    return outside and counts[name] % persistence == 0


def _verdict(limits: Limits, code: str, reason: str, value: float | None) -> Verdict:
    return Verdict(answer(code, 1, limits.overrides), code, reason, value)
