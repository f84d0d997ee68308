"""The photometer's light: from LED current to the power that falls on the photodiode.

Knows no film and no bath, only how much they absorb. Noise is drawn by time, so that asking
does not change the answer.
"""

import math
from collections.abc import Mapping

from sim import chance

QUOTED_AT = 22.0  # degC at which the LED gives led_W
_H_PER_NS = 1.0 / 3.6e12
_OD_PER_MOD = 1e-3
# Bacteriorhodopsin, light-adapted, at 568 nm: Rehorek and Heyn, Biochemistry 18, 4977 (1979).
_EPSILON = 63_000.0  # 1/(M cm)
_DALTON = 26_800.0
# Share of protein in purple membrane by mass, the rest being lipid.
_PROTEIN_SHARE = 0.75
# W at the photodiode per uW/cm2 of room light: 0.7 cm2, of which a hood lets a tenth through (a
# guess).
_HOODED = 0.7e-7


class Optics:
    """LED, light path and photodiode.

    Beer and Lambert:  P = P0 10^-A  with P0 = led_W * current, so A = -log10(P / P0) gives
    back the absorbance, plus the photometer's own noise sig_A and upward drift drift_A.
    """

    __slots__ = (
        "_amps",
        "_dark",
        "_drift",
        "_gain",
        "_noise",
        "_path",
        "_probe",
        "_seed",
        "_start_ns",
        "_warmth",
        "room",
    )

    def __init__(self, parameters: Mapping[str, float], seed: int, start_ns: int = 0) -> None:
        """Start dark."""
        self._amps = 0.0
        self._seed = seed
        self._start_ns = start_ns
        self._dark = parameters["dark_W"]
        self._drift = parameters["drift_A"] * _OD_PER_MOD
        self._gain = parameters["led_W"]
        self._noise = parameters["sig_A"] * _OD_PER_MOD
        self._path = parameters["path"]
        self._probe = parameters["probe"]
        self._warmth = parameters["led_T"] / 100.0
        self.room = 0.0  # room light beside what is always there, uW/cm2

    @property
    def amps(self) -> float:
        """The current through the LED, in A."""
        return self._amps

    def current(self, amps: float) -> None:
        """Set the LED current; a negative one lights nothing."""
        self._amps = max(amps, 0.0)

    def light(self, film_in_beam: bool) -> float:
        """Return the light on the film in uW/cm2, beside what is always there."""
        return self.room + (self._probe * self._amps if film_in_beam else 0.0)

    def watts(self, absorbance: float, now_ns: int, warmer: float = 0.0) -> float:
        """Return the reading in W behind an absorbance; the dark reading when the LED is off.

        The LED gives led_T less per K that it is `warmer` than 22 degC (with a reference diode;
        without one it would be ten times that). Of room light the photodiode sees what comes
        past its hood.
        """
        since_ns = now_ns - self._start_ns
        noise = chance.normal(self._seed, chance.PHOTODIODE, since_ns)
        dark = self._dark + self.room * _HOODED
        if self._amps == 0.0:
            return dark * (1.0 + 0.1 * noise)
        seen = absorbance + self._noise * noise + self._drift * since_ns * _H_PER_NS
        lamp = self._gain * self._amps * (1.0 - self._warmth * warmer)
        return max(lamp, 0.0) * math.pow(10.0, -seen) + dark

    def liquid(self, concentration: float) -> float:
        """Return the absorbance of a bath with so many mg/mL of purple membrane at 570 nm.

        1 mg/mL of membrane holds 0.75 mg/mL of protein, 28 uM; Beer and Lambert over `path`.
        """
        return _EPSILON * concentration * _PROTEIN_SHARE / _DALTON * self._path

    def plain(self) -> list[float]:
        """Return current and room light as JSON data."""
        return [self._amps, self.room]

    def load(self, amps: float, room: float) -> None:
        """Take back the current and the room light from a snapshot."""
        self._amps, self.room = amps, room


def apparent(absorbance: float, area_factor: float, open_share: float) -> float:
    """Return what a photometer sees of a coating of `absorbance` on a flat or woven substrate.

    Light through the open area saturates the reading:
    A = -log10(f_o + (1 - f_o) 10^(-f_A A))  (Beer and Lambert on each part of the area).
    """
    if open_share <= 0.0:
        return area_factor * absorbance
    return -math.log10(open_share + (1.0 - open_share) * 10.0 ** (-area_factor * absorbance))
