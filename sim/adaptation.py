"""What light and darkness make of bacteriorhodopsin: how much of its colour at 570 nm is left.

Keeps two shares of the film's protein, dark-adapted and in the M state, and the light it is in.
Knows no film, no lamp and no bath: it is told the light and the time, and never steps.
"""

import math
from collections.abc import Mapping

_S_PER_NS = 1e-9


class Adaptation:
    """The protein's answer to light, first order, exact between changes of the light.

    Dark adaptation:  dx/dt = ln2/t_DA (1 - x) - I/dose_LA x,  x absorbs less by f_DA.
    M state:          dm/dt = k_hv I (1 - m) - m/tau_M,        m does not absorb at 570 nm.
    M lives for up to 30 min in films with PDAC (He et al.), the excitation rate follows from the
    absorbance with a quantum yield of 0.64; t_DA and dose_LA are guesses. Fresh layers join with
    the shares that the film has (a guess).
    """

    __slots__ = ("_dark", "_dose", "_fade", "_life", "_m", "_rate", "_since_ns", "_x", "light")

    def __init__(self, parameters: Mapping[str, float], start_ns: int = 0) -> None:
        """Start as the light that is always there leaves it."""
        self._fade = parameters["f_DA"]
        self._dark = math.log(2.0) / parameters["t_DA"]
        self._dose = parameters["dose_LA"]
        self._rate = parameters["k_hv"]
        self._life = parameters["tau_M"]
        self.light = parameters["ambient"]
        self._since_ns = start_ns
        self._x, self._m = self._settled(self.light)

    def expose(self, light: float, now_ns: int) -> None:
        """Be in so much light (uW/cm2 of green) from now on."""
        if light == self.light:
            return
        self._x, self._m = self.shares(now_ns)
        self._since_ns = now_ns
        self.light = light

    def shares(self, now_ns: int) -> tuple[float, float]:
        """Return which shares of the protein are dark-adapted and in the M state."""
        seconds = (now_ns - self._since_ns) * _S_PER_NS
        x, m = self._settled(self.light)
        adapting = self._dark + self.light / self._dose
        turning = 1.0 / self._life + self._rate * self.light
        return (
            x + (self._x - x) * math.exp(-adapting * seconds),
            m + (self._m - m) * math.exp(-turning * seconds),
        )

    def colour(self, now_ns: int) -> float:
        """Return the absorbance at 570 nm over that of the light-adapted film."""
        x, m = self.shares(now_ns)
        return (1.0 - self._fade * x) * (1.0 - m)

    def plain(self, start_ns: int) -> list[float]:
        """Return the state as JSON data, times counted from `start_ns`."""
        return [self._since_ns - start_ns, self._x, self._m, self.light]

    def load(self, plain: list[float], start_ns: int) -> None:
        """Take back what `plain` wrote."""
        since_ns, self._x, self._m, self.light = plain
        self._since_ns = int(since_ns) + start_ns

    def _settled(self, light: float) -> tuple[float, float]:
        """Return where the two shares end in a light that stays."""
        excited = self._rate * light * self._life
        return self._dark / (self._dark + light / self._dose), excited / (1.0 + excited)
