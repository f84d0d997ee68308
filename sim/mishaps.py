"""What befalls the world itself, as data: leaks, empty vessels, light, heat, power; and when.

Holds what is still to come, in order of time; who does it is in happenings.py. Knows no
instrument and draws no chance. What goes wrong with an instrument or its wire is in faults.py.
"""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sim.scene import NEVER_NS

PENDING_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of mishap means, and what must be said of one.

    `unit`, `default`, `low` and `high` are of the argument ("" without one); `place` says whether
    it has a place, `lasting` whether it has an end.
    """

    meaning: str
    unit: str = ""
    default: float = 0.0
    low: float = 0.0
    high: float = 0.0
    place: bool = True
    lasting: bool = True


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "bubble": Kind("a bubble sticks in the cell", "mm", 2.0, 0.01, 20.0, False, False),
        "leak": Kind("a vessel, or the line to the cell, loses liquid", "mL/h", 2.0, 0.001, 1e4),
        "blocked": Kind("this share of the line to the cell is shut", "-", 1.0, 0.01, 1.0, False),
        "empty": Kind("a vessel or its feed bottle is empty", lasting=False),
        "ageing": Kind("a solution ages so many times as fast", "-", 10.0, 1.0, 1e4),
        "room-light": Kind("room light on film and photodiode", "uW/cm2", 100.0, 0.1, 1e5, False),
        "heater-stuck": Kind("the baths are driven to this", "degC", 60.0, -10.0, 150.0, False),
        "power": Kind("the bench loses power and gets it back", place=False),
    }
)


@dataclass(frozen=True, slots=True)
class Mishap:
    """One thing that befalls the world at `at_ns`, for `lasts_ns` (None: for good).

    `place` is a vessel, or "NAME bottle" for its feed bottle; `argument` is in the unit of KINDS,
    None takes the default. Raises ValueError for an unknown kind or what cannot be meant.
    """

    kind: str
    at_ns: int = 0
    place: str = ""
    argument: float | None = None
    lasts_ns: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        kind = KINDS.get(self.kind)
        if kind is None:
            near = difflib.get_close_matches(self.kind, KINDS, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise ValueError(f"no mishap '{self.kind}'{hint} There are {', '.join(KINDS)}")
        if self.at_ns < 0 or (self.lasts_ns is not None and self.lasts_ns <= 0):
            raise ValueError(f"mishap '{self.kind}': it begins at 0 or later and lasts a time")
        if bool(self.place) != kind.place:
            word = "needs a place" if kind.place else f"has no place, got '{self.place}'"
            raise ValueError(f"mishap '{self.kind}' {word}")
        if self.lasts_ns is not None and not kind.lasting:
            raise ValueError(f"mishap '{self.kind}' happens at once: leave out how long it lasts")
        self._check_argument(kind)

    def _check_argument(self, kind: Kind) -> None:
        """Set the default argument, or refuse one that cannot be."""
        if self.argument is None:
            object.__setattr__(self, "argument", kind.default)
        elif not kind.unit:
            raise ValueError(f"mishap '{self.kind}' has no argument, got {self.argument}")
        elif not (math.isfinite(self.argument) and kind.low <= self.argument <= kind.high):
            raise ValueError(
                f"mishap '{self.kind}': argument {self.argument:g} is outside "
                f"{kind.low:g}..{kind.high:g} {kind.unit}"
            )

    def plain(self, start_ns: int = 0) -> list[Any]:
        """Return the mishap as JSON data, its time counted from `start_ns`."""
        return [self.kind, self.at_ns - start_ns, self.place, self.argument, self.lasts_ns]

    @classmethod
    def of(cls, plain: list[Any], start_ns: int = 0) -> "Mishap":
        """Return the mishap that `plain` wrote."""
        kind, at_ns, place, argument, lasts_ns = plain
        has = KINDS[kind].unit
        return cls(kind, int(at_ns) + start_ns, place, argument if has else None, lasts_ns)


class Fate:
    """What is still to befall a world: beginnings and ends, the next one first."""

    __slots__ = ("_coming",)

    def __init__(self) -> None:
        self._coming: list[tuple[int, bool, Mishap]] = []  # when, whether it begins, what

    @property
    def due_ns(self) -> int:
        """When the next thing begins or ends; NEVER_NS when nothing will."""
        return self._coming[0][0] if self._coming else NEVER_NS

    def add(self, mishap: Mishap) -> None:
        """Let it happen; raises ValueError when too many are pending."""
        if len(self._coming) >= PENDING_MAX:
            raise ValueError(f"{PENDING_MAX} mishaps are pending already")
        self._insert((mishap.at_ns, True, mishap))

    def take(self) -> tuple[bool, Mishap]:
        """Take the next one out; one that begins and lasts comes back at its end."""
        at_ns, begins, mishap = self._coming.pop(0)
        if begins and mishap.lasts_ns is not None:
            self._insert((at_ns + mishap.lasts_ns, False, mishap))
        return begins, mishap

    def plain(self, start_ns: int) -> list[Any]:
        """Return the state as JSON data, times counted from `start_ns`."""
        return [[at - start_ns, begins, one.plain(start_ns)] for at, begins, one in self._coming]

    def load(self, plain: list[Any], start_ns: int) -> None:
        """Take back what `plain` wrote."""
        self._coming = [
            (int(at_ns) + start_ns, bool(begins), Mishap.of(one, start_ns))
            for at_ns, begins, one in plain
        ]

    def _insert(self, coming: tuple[int, bool, Mishap]) -> None:
        """Keep the order of time; what was said first comes first."""
        place = len(self._coming)
        while place > 0 and self._coming[place - 1][0] > coming[0]:
            place -= 1
        self._coming.insert(place, coming)
