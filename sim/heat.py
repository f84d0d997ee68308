"""The temperature of the baths: first order toward the thermostat, or toward the room.

One temperature for the whole deck (the thermostat's liquid circulates under all baths), and the
clocks that run with it. Never steps: every value follows in closed form from the last change of
the drive.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from sim.kinetics import damage_rate, hotness

_S_PER_NS = 1e-9
_BOILING = 100.0
_STEADY_K = 1e-9
# Nodes and weights of Gauss and Legendre on 0..1 (five points; any table of quadratures).
_NODES = (
    (0.046910077030668, 0.118463442528095),
    (0.230765344947158, 0.239314335249683),
    (0.5, 0.284444444444444),
    (0.769234655052842, 0.239314335249683),
    (0.953089922969332, 0.118463442528095),
)


class Wear(NamedTuple):
    """What warmth has done since the start: seconds at 22 degC that would have done as much.

    `vapour` of evaporation, `age` of ageing; `harm` is the exponent of the heat's damage to BR.
    """

    vapour: float
    age: float
    harm: float


class Heat:
    """Bath temperature in degC after  dT/dt = (goal - T) / tau  (Newton's law of cooling).

    `tau` is tau_heat while the thermostat drives and tau_room while it does not (both
    guesses); heater and cooler are taken as strong enough for the linear law. Water boils at
    100 degC and gets no hotter.
    """

    __slots__ = (
        "_age",
        "_asked",
        "_damage",
        "_goal",
        "_room",
        "_since_ns",
        "_start",
        "_steady",
        "_stuck",
        "_tau",
        "_tau_heat",
        "_tau_room",
        "_wear",
    )

    def __init__(self, parameters: Mapping[str, float], start_ns: int = 0) -> None:
        """Start at room temperature with the thermostat off."""
        self._room = parameters["T"]
        self._tau_heat = parameters["tau_heat"]
        self._tau_room = parameters["tau_room"]
        self._age = parameters["Ea_age"]
        self._damage = (parameters["Ea_dmg"], parameters["t_dmg"], parameters["T_dmg"])
        self._since_ns = start_ns
        self._start = self._room
        self._goal = self._room
        self._tau = self._tau_room
        self._asked = (False, self._room)
        self._stuck: float | None = None
        self._wear = Wear(0.0, 0.0, 0.0)
        self._steady = self._rates(self._goal)

    def temperature(self, now_ns: int) -> float:
        """Return the temperature of the baths in degC."""
        gap = self._start - self._goal
        if gap == 0.0:
            return self._goal
        late = math.exp((self._since_ns - now_ns) * _S_PER_NS / self._tau)
        return min(self._goal + gap * late, _BOILING)

    def mean(self, from_ns: int, to_ns: int) -> float:
        """Return the mean temperature between two times without a change of drive, in degC.

        The integral of the exponential:  goal + (T(from) - T(to)) * tau / (to - from).
        """
        first = self.temperature(from_ns)
        if to_ns <= from_ns or first == self._goal:
            return first
        fall = first - self.temperature(to_ns)
        mean = self._goal + fall * self._tau / ((to_ns - from_ns) * _S_PER_NS)
        return min(mean, _BOILING)

    def wear(self, now_ns: int) -> Wear:
        """Return how far the three clocks that run with the temperature have come.

        With u = exp(-t / tau) the temperature is goal + gap u, so a clock of rate f has gone
        f(goal) t + tau * integral of (f(T) - f(goal)) / u du, a smooth function of u.
        """
        seconds = (now_ns - self._since_ns) * _S_PER_NS
        if seconds <= 0.0:
            return self._wear
        was, steady = self._wear, self._steady
        gap = self._start - self._goal
        gone = [one * seconds for one in steady]
        if abs(gap) > _STEADY_K:
            least = math.exp(-seconds / self._tau)
            span = 1.0 - least
            for place, weight in _NODES:
                share = least + span * place
                rates = self._rates(self._goal + gap * share)
                for k, rate in enumerate(rates):
                    gone[k] += self._tau * span * weight * (rate - steady[k]) / share
        return Wear(was.vapour + gone[0], was.age + gone[1], was.harm + gone[2])

    def harm(self, from_ns: int, to_ns: int) -> float:
        """Return the exponent of heat's damage between two times without a change of drive."""
        # Between changes the temperature runs one way, so the ends say whether it was ever hot.
        hottest = max(self.temperature(from_ns), self.temperature(to_ns))
        if hottest <= self._damage[2]:
            return 0.0
        return self.wear(to_ns).harm - self.wear(from_ns).harm

    def drive(self, on: bool, setpoint: float, now_ns: int) -> None:
        """Drive toward `setpoint` (degC) from now on, or leave the baths to the room."""
        self._asked = (on, setpoint)
        if self._stuck is None:
            self._follow(on, setpoint, now_ns)

    def changes(self, on: bool, setpoint: float) -> bool:
        """Return whether such a drive differs from the one in force."""
        return self._stuck is None and self._drive(on, setpoint) != (self._goal, self._tau)

    def stick(self, setpoint: float, now_ns: int) -> None:
        """Drive toward `setpoint` from now on, whatever is asked."""
        self._stuck = setpoint
        self._follow(True, setpoint, now_ns)

    def loosen(self, now_ns: int) -> None:
        """Do what is asked again."""
        self._stuck = None
        self._follow(*self._asked, now_ns)

    def boils_ns(self) -> int | None:
        """Return when the baths will begin to boil as they are driven; None if they will not."""
        if self._goal <= _BOILING or self._start >= _BOILING:
            return None
        late = math.log((self._goal - self._start) / (self._goal - _BOILING))
        return self._since_ns + math.ceil(self._tau * late / _S_PER_NS)

    def plain(self, start_ns: int) -> list[Any]:
        """Return the state as JSON data, times counted from `start_ns`."""
        asked, stuck, wear = [*self._asked], self._stuck, [*self._wear]
        since_ns = self._since_ns - start_ns
        return [since_ns, self._start, self._goal, self._tau, asked, stuck, wear]

    def load(self, plain: list[Any], start_ns: int) -> None:
        """Take back what `plain` wrote."""
        since_ns, self._start, self._goal, self._tau, asked, self._stuck, wear = plain
        self._since_ns = int(since_ns) + start_ns
        self._asked = (bool(asked[0]), asked[1])
        self._wear = Wear(*wear)
        self._steady = self._rates(self._goal)

    def _follow(self, on: bool, setpoint: float, now_ns: int) -> None:
        """Begin a new exponential, if the drive is another."""
        goal, tau = self._drive(on, setpoint)
        if (goal, tau) == (self._goal, self._tau):
            return
        self._wear = self.wear(now_ns)
        self._start = self.temperature(now_ns)
        self._since_ns = now_ns
        self._goal, self._tau = goal, tau
        self._steady = self._rates(goal)

    def _drive(self, on: bool, setpoint: float) -> tuple[float, float]:
        """Return goal and time constant of a drive."""
        return (setpoint, self._tau_heat) if on else (self._room, self._tau_room)

    def _rates(self, temperature: float) -> tuple[float, float, float]:
        """Return how fast the three clocks run at a temperature in degC."""
        celsius = min(temperature, _BOILING)
        harm = damage_rate(celsius, *self._damage) if celsius > self._damage[2] else 0.0
        return vapour(celsius), hotness(self._age, celsius), harm


def vapour(temperature: float) -> float:
    """Return the factor on evaporation at a temperature in degC, 1 at 22 degC.

    The vapour pressure of water by Magnus (Alduchov and Eskridge, J. Appl. Meteorol. 35, 601,
    1996): p = exp(17.625 T / (243.04 + T)). Above a boiling bath the true rate is the heater's.
    """
    return _pressure(temperature) / _AT_22


def _pressure(temperature: float) -> float:
    """Return the vapour pressure of water over that at 0 degC."""
    return math.exp(17.625 * temperature / (243.04 + temperature))


_AT_22 = _pressure(22.0)
