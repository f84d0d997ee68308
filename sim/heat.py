"""The temperature of the baths: first order toward the thermostat, or toward the room.

One temperature for the whole deck (the thermostat's liquid circulates under all baths).
Never steps: every value follows in closed form from the last change of the drive.
"""

import math
from collections.abc import Mapping

_S_PER_NS = 1e-9


class Heat:
    """Bath temperature in degC after  dT/dt = (goal - T) / tau  (Newton's law of cooling).

    `tau` is tau_heat while the thermostat drives and tau_room while it does not (both
    guesses); heater and cooler are taken as strong enough for the linear law.
    """

    __slots__ = ("_goal", "_room", "_since_ns", "_start", "_tau", "_tau_heat", "_tau_room")

    def __init__(self, parameters: Mapping[str, float], start_ns: int = 0) -> None:
        """Start at room temperature with the thermostat off."""
        self._room = parameters["T"]
        self._tau_heat = parameters["tau_heat"]
        self._tau_room = parameters["tau_room"]
        self._since_ns = start_ns
        self._start = self._room
        self._goal = self._room
        self._tau = self._tau_room

    def temperature(self, now_ns: int) -> float:
        """Return the temperature of the baths in degC."""
        gap = self._start - self._goal
        if gap == 0.0:
            return self._goal
        return self._goal + gap * math.exp((self._since_ns - now_ns) * _S_PER_NS / self._tau)

    def mean(self, from_ns: int, to_ns: int) -> float:
        """Return the mean temperature between two times without a change of drive, in degC.

        The integral of the exponential:  goal + (T(from) - T(to)) * tau / (to - from).
        """
        first = self.temperature(from_ns)
        if to_ns <= from_ns or first == self._goal:
            return first
        fall = first - self.temperature(to_ns)
        return self._goal + fall * self._tau / ((to_ns - from_ns) * _S_PER_NS)

    def drive(self, on: bool, setpoint: float, now_ns: int) -> None:
        """Drive toward `setpoint` (degC) from now on, or leave the baths to the room."""
        if not self.changes(on, setpoint):
            return
        self._start = self.temperature(now_ns)
        self._since_ns = now_ns
        self._goal, self._tau = self._drive(on, setpoint)

    def changes(self, on: bool, setpoint: float) -> bool:
        """Return whether such a drive differs from the one in force."""
        return self._drive(on, setpoint) != (self._goal, self._tau)

    def _drive(self, on: bool, setpoint: float) -> tuple[float, float]:
        """Return goal and time constant of a drive."""
        return (setpoint, self._tau_heat) if on else (self._room, self._tau_room)

    def plain(self, start_ns: int) -> list[float]:
        """Return the state as JSON data, times counted from `start_ns`."""
        return [self._since_ns - start_ns, self._start, self._goal, self._tau]

    def load(self, plain: list[float], start_ns: int) -> None:
        """Take back what `plain` wrote."""
        since_ns, self._start, self._goal, self._tau = plain
        self._since_ns = int(since_ns) + start_ns
