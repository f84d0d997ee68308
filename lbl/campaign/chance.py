"""Numbers that look like chance and are the same for the same seed, on every machine.

Splitmix64 (Steele, Lea and Flood, OOPSLA 2014). Must never be used where an attacker matters.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

T = TypeVar("T")
_MASK: Final = (1 << 64) - 1
_STEP: Final = 0x9E3779B97F4A7C15


class Chance:
    """A sequence of draws from one seed."""

    def __init__(self, seed: int) -> None:
        # Neighbouring seeds must not give the same draws one place apart.
        self._state = _mixed(seed * _STEP + 1)

    def below(self, bound: int) -> int:
        """A whole number in [0, bound)."""
        return self._next() % bound

    def share(self) -> float:
        """A number in [0, 1)."""
        return (self._next() >> 11) / (1 << 53)

    def happens(self, share: float) -> bool:
        """True in this share of the draws."""
        return self.share() < share

    def one_of(self, things: Sequence[T]) -> T:
        """One of several."""
        return things[self.below(len(things))]

    def between(self, low: float, high: float) -> float:
        """A number from low to high, each decade as likely as the next; both above 0."""
        return float(low * (high / low) ** self.share())

    def _next(self) -> int:
        self._state = (self._state + _STEP) & _MASK
        return _mixed(self._state)


def _mixed(word: int) -> int:
    word &= _MASK
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _MASK
    return word ^ (word >> 31)
