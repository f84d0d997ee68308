"""A syringe in a programmable pump: what the plunger has moved at any nanosecond.

The mechanical half of the New Era model, without its text. Liquid moves through the link
`transfer(ml, now_ns)` when somebody looks (`settle`); a dose takes volume / rate, without ramp.
Must never parse a command, and never knows what the tubing leads to.
"""

import math
from collections.abc import Mapping
from typing import Any, Final, Protocol

PHASES: Final = 41
FASTEST: Final = 5.1005 / 60.0  # cm/s of the plunger (NE-1000 manual, section 12.5)
SLOWEST: Final = 0.004205 / 3600.0  # cm/s
SMALL_BORE: Final = 14.0  # mm: at or below, volumes are in UL
SLACK: Final = 1e-4  # relative: the manual prints its rate limits with four digits
CRUMB: Final = 1e-9  # mL: what rounding leaves of a volume is not worth a nanosecond
NS: Final = 1_000_000_000
RATE_UNITS: Final[Mapping[str, float]] = {  # mL/s
    "UM": 1e-3 / 60.0, "MM": 1.0 / 60.0, "UH": 1e-3 / 3600.0, "MH": 1.0 / 3600.0,
}  # fmt: skip
VOLUME_UNITS: Final[Mapping[str, float]] = {"UL": 1e-3, "ML": 1.0}  # mL
PUMPING: Final = "IWX"


class PumpLink(Protocol):
    """What a pump does to the world."""

    def transfer(self, ml: float, now_ns: int, /) -> object:
        """Push `ml` out of the syringe (below 0: draw in)."""


class OutOfRange(Exception):
    """A rate that the plunger cannot go at with this bore."""


class Phase:
    """One phase of the pumping program, as non-volatile memory holds it.

    `rate` is in `units`, `volume` in the pump's volume units (0 = continuous).
    """

    __slots__ = ("function", "rate", "units", "volume", "direction")

    def __init__(self, function: str = "STP", rate: float = 1.0, units: str = "MM",
                 volume: float = 0.0, direction: str = "INF") -> None:  # fmt: skip
        self.function = function
        self.rate = rate
        self.units = units
        self.volume = volume
        self.direction = direction

    def plain(self) -> list[object]:
        """Return the phase as JSON data."""
        return [self.function, self.rate, self.units, self.volume, self.direction]


class Syringe:
    """Program, bore, plunger and dispensed volumes (mL).

    `state` is the status character S I W P X; `alarm` the letter of a pending alarm or "";
    `pushed` says that it needs no telling unasked.
    """

    def __init__(self, diameter: float, link: PumpLink | None) -> None:
        self._link = link
        self.diameter = diameter
        self.volume_units = "UL" if diameter <= SMALL_BORE else "ML"
        self.phases = {1: Phase("RAT")}  # those that were ever set; the others are STP
        self.phase = 1
        self.wake()

    def wake(self) -> None:
        """Take the power-on state; what non-volatile memory holds is left alone."""
        self.state = "S"
        self.alarm = "R"
        self.pushed = True
        self.infused = 0.0
        self.withdrawn = 0.0
        self.rate = 0.0  # mL/s while pumping
        self._left = 0.0  # mL that this phase still has to move; inf = continuous
        self.since_ns = 0  # until when the world knows of the pumping
        self._blocked_in = math.inf  # mL until the plunger stalls

    def forget_program(self) -> None:
        """Go back to one continuous phase."""
        self.phases, self.phase = {1: Phase("RAT")}, 1

    @property
    def pumping(self) -> bool:
        """Whether the plunger moves."""
        return self.state in PUMPING

    def current(self) -> Phase:
        """Return the present phase, to read."""
        return self.phases.get(self.phase) or Phase()

    def stored(self) -> Phase:
        """Return the present phase, to change."""
        return self.phases.setdefault(self.phase, Phase())

    def bore(self, diameter: float) -> None:
        """Take another syringe: sets the volume units and zeroes the dispensed volumes."""
        self.diameter = diameter
        self.volume_units = "UL" if diameter <= SMALL_BORE else "ML"
        self.infused = self.withdrawn = 0.0

    def require_rate(self, rate: float) -> None:
        """Raise OutOfRange unless the plunger can deliver `rate` (mL/s)."""
        speed = rate / self._area()
        if not SLOWEST * (1.0 - SLACK) <= speed <= FASTEST * (1.0 + SLACK):
            raise OutOfRange

    def begin(self, now_ns: int) -> None:
        """Start the present phase; raises OutOfRange."""
        phase = self.current()
        if phase.function == "STP":
            # The program is over: settings go to its first phase again, which RUN starts.
            self.state, self.phase = "S", 1
            return
        rate = phase.rate * RATE_UNITS[phase.units]
        self.require_rate(rate)
        volume = phase.volume * VOLUME_UNITS[self.volume_units]
        self.rate = rate
        self._left = volume if volume > 0.0 else math.inf
        self.point(now_ns)

    def point(self, now_ns: int) -> None:
        """Pump on in the phase's direction."""
        self.state = "I" if self.current().direction == "INF" else "W"
        self.since_ns = now_ns

    def purge(self, now_ns: int) -> None:
        """Pump at top speed until stopped."""
        self.state, self._left = "X", math.inf
        self.rate = self._area() * FASTEST
        self.since_ns = now_ns

    def trip(self, alarm: str) -> None:
        """Stop with an alarm."""
        self.state = "S"
        self.alarm = alarm
        self.pushed = False
        self._blocked_in = math.inf

    def block(self, share: float) -> None:
        """Let the plunger stall after `share` of the volume left (continuous: of 1 mL)."""
        self._blocked_in = max(share, 0.0) * min(self._left, 1.0)

    def stall_ns(self) -> int | None:
        """Return when the plunger will stall, or None."""
        if self.state not in PUMPING or self._blocked_in == math.inf:
            return None
        return self.since_ns + math.ceil(self._blocked_in / self.rate * NS)

    def settle(self, now_ns: int) -> None:
        """Move the liquid of the time since the last look."""
        for _ in range(PHASES):
            if self.state not in PUMPING or now_ns <= self.since_ns:
                return
            wanted = self.rate * (now_ns - self.since_ns) / NS
            moved = min(wanted, self._left, self._blocked_in)
            if moved < wanted:  # the phase, or the plunger, came to its end on the way
                self.since_ns += math.ceil(moved / self.rate * NS)
            else:
                self.since_ns = now_ns
            self._move(moved, now_ns)
            if self._blocked_in <= CRUMB:
                self.trip("S")
            elif self._left <= CRUMB:
                self._next_phase()

    def _move(self, ml: float, now_ns: int) -> None:
        self._left -= ml
        self._blocked_in -= ml
        inward = self.current().direction == "INF"
        if inward:
            self.infused += ml
        else:
            self.withdrawn += ml
        if self._link is not None and ml:
            self._link.transfer(ml if inward else -ml, now_ns)

    def _next_phase(self) -> None:
        if self.phase >= PHASES:
            self.state, self.phase = "S", 1
            return
        self.phase += 1
        try:
            self.begin(self.since_ns)
        except OutOfRange:
            self.trip("E")

    def _area(self) -> float:
        return math.pi / 4.0 * (self.diameter / 10.0) ** 2  # cm2

    def plain(self) -> dict[str, object]:
        """Return the whole dynamic state as JSON data."""
        return {
            "alarm": self.alarm,
            "blocked_in": None if self._blocked_in == math.inf else self._blocked_in,
            "diameter": self.diameter,
            "infused": self.infused,
            "left": None if self._left == math.inf else self._left,
            "phase": self.phase,
            "phases": {str(key): phase.plain() for key, phase in self.phases.items()},
            "pushed": self.pushed,
            "rate": self.rate,
            "since_ns": self.since_ns,
            "state": self.state,
            "volume_units": self.volume_units,
            "withdrawn": self.withdrawn,
        }

    def take(self, state: Mapping[str, Any]) -> None:
        """Take a state that `plain` gave."""
        self.alarm = state["alarm"]
        self._blocked_in = math.inf if state["blocked_in"] is None else state["blocked_in"]
        self.diameter = state["diameter"]
        self.infused = state["infused"]
        self._left = math.inf if state["left"] is None else state["left"]
        self.phase = state["phase"]
        self.phases = {int(key): Phase(*plain) for key, plain in state["phases"].items()}
        self.pushed = state["pushed"]
        self.rate = state["rate"]
        self.since_ns = state["since_ns"]
        self.state = state["state"]
        self.volume_units = state["volume_units"]
        self.withdrawn = state["withdrawn"]
