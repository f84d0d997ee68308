"""What a Cavro command string moves: plunger and valve, with their speeds and their times.

The mechanical half of the Cavro model, without its text. Source: Tecan Cavro XCalibur operating
manual 733085-B. Must never parse a command, and never knows what the tubing leads to.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from sim.plunger import Stroke

STEPS: Final = 3000  # increments of a full stroke; 6000 in an XLP
PULSES: Final = (2.0, 0.25)  # per increment, coarse and fine (N0, N1)
SLOPE: Final = 2500.0  # pulses/s2 per step of L
HOME_SPEED: Final = 500.0  # pulses/s while initialising
VALVE_NS: Final = 250_000_000  # from one port to the next (manual: below 250 ms)
SEAT_NS: Final = 500_000_000  # guess: the valve looks for its home position
PRESETS: Final = (
    6000, 5600, 5000, 4400, 3800, 3200, 2600, 2200, 2000, 1800, 1600, 1400, 1200, 1000, 800,
    600, 400, 200, 190, 180, 170, 160, 150, 140, 130, 120, 110, 100, 90, 80, 70, 60, 50, 40, 30,
    20, 18, 16, 14, 12, 10,
)  # fmt: skip
DEFAULTS: Final[Mapping[str, int]] = {
    "v": 900, "V": 1400, "c": 900, "L": 14, "K": 12, "k": 50, "N": 0, "J": 0, "U": 0,
}  # fmt: skip
_NS_PER_S: Final = 1e9


class SyringeLink(Protocol):
    """What the syringe does to the liquids at its valve."""

    def pump(self, port: str, ml: float, now_ns: int, /) -> object:
        """Push `ml` out through `port` (below 0: draw in); "1".."9", or i, o, b, e.

        Returns False when it takes more force than the pump has.
        """

    def begin(self, port: str, stroke: Stroke, ml: float, /) -> object:
        """Say that the plunger moves like this from now on; `ml` is the volume of a pulse.

        What it moves is told by `pump`, later. A stroke from a place to itself is a stop.
        """


class Works:
    """Plunger, valve and their settings.

    `ports` is 3 for the valve with input, output and bypass, more for a distribution valve;
    `volume` is the syringe's in mL, `steps` the increments of a full stroke. The plunger keeps
    its place without power, but is not used before it was initialised.
    """

    def __init__(
        self, ports: int, volume: float, link: SyringeLink | None, steps: int = STEPS
    ) -> None:
        self.ports = ports
        self.full = steps * PULSES[0]  # pulses of a full stroke
        self._ml = volume / self.full  # mL per pulse
        self._link = link
        self._place = 0.0  # pulses; what the liquid knows of
        self.stroke = Stroke(0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0)
        self.port = "1" if self.distributes else "i"
        self.stalled = False  # by what it pushes against
        self.counts = {"inits": 0, "strokes": 0, "turns": 0}
        self.wake()

    @property
    def distributes(self) -> bool:
        """Whether the valve has numbered ports."""
        return self.ports > 3

    def wake(self) -> None:
        """Take the power-on state."""
        self.values = dict(DEFAULTS)
        self.homed = False  # the plunger
        self.seated = False  # the valve
        self._up = True  # direction of the last stroke

    def increments(self, now_ns: int) -> int:
        """Return the plunger's position in increments of the resolution in force."""
        return round(self.stroke.at(now_ns) / self.pulses)

    @property
    def pulses(self) -> float:
        """Pulses of one increment."""
        return PULSES[self.values["N"]]

    def settle(self, now_ns: int) -> None:
        """Pump what the plunger has moved until `now_ns`; note if it is too much for it."""
        place = self.stroke.at(now_ns)
        if place != self._place:
            if self._link is not None:
                moved = (self._place - place) * self._ml
                self.stalled = self._link.pump(self.port, moved, now_ns) is False
            self._place = place

    def plunge(self, target: float, now_ns: int) -> int:
        """Begin a stroke to `target` (pulses); return when the next command may begin.

        Turning round from up to down takes up the backlash: K increments too far and back.
        """
        values, here = self.values, self.stroke.at(now_ns)
        down = target > here
        speeds = values["v"], values["V"], values["v"] if down else values["c"]
        self._begin(Stroke(now_ns, here, target, *speeds, SLOPE * values["L"]))
        self.counts["strokes"] += 1
        end_ns = self.stroke.end_ns
        if down and self._up:
            way = 2.0 * values["K"] * PULSES[0]
            end_ns += round(way / min(values["v"], values["V"]) * _NS_PER_S)
        if target != here:
            self._up = not down
        return end_ns

    def hasten(self, now_ns: int) -> int:
        """Go on with the stroke at the top speed set anew; return its end."""
        old = self.stroke
        top = float(self.values["V"])
        self.settle(now_ns)
        self._begin(
            Stroke(now_ns, old.at(now_ns), old.target, top, top, min(old.cutoff, top), old.slope)
        )
        return self.stroke.end_ns

    def halt(self, now_ns: int) -> None:
        """Let the plunger stand where it is."""
        here = self.stroke.at(now_ns)
        self.settle(now_ns)
        self._begin(Stroke(now_ns, here, here, 1.0, 1.0, 1.0, 1.0))

    def home(self, speed: float, now_ns: int) -> int:
        """Drive the plunger to its upper end, and off it by the dead volume; return the end."""
        here = self.stroke.at(now_ns)
        self._begin(Stroke(now_ns, here, 0.0, speed, speed, speed, SLOPE))
        self.counts["inits"] += 1
        self.homed, self._up = True, True
        dead = 2.0 * self.values["k"] * PULSES[0] / speed
        return self.stroke.end_ns + round(dead * _NS_PER_S)

    def _begin(self, stroke: Stroke) -> None:
        """Move like this from now on."""
        self.stroke = stroke
        if self._link is not None:
            self._link.begin(self.port, stroke, self._ml)

    def seat(self, port: str) -> int:
        """Let the valve find itself and stand at `port`; return how long that takes (ns)."""
        self.port, self.seated = port, True
        return SEAT_NS

    def turn(self, port: str, clockwise: bool) -> int:
        """Turn the valve; return how long that takes (ns), 0 if it stands there."""
        if port == self.port:
            return 0
        steps = 1
        if self.distributes:
            way = int(port) - int(self.port)
            steps = (way if clockwise else -way) % self.ports
        self.port = port
        self.counts["turns"] += 1
        return VALVE_NS * steps

    def plain(self) -> dict[str, object]:
        """Return the whole dynamic state as JSON data."""
        return {
            "counts": dict(self.counts),
            "homed": self.homed,
            "place": self._place,
            "port": self.port,
            "seated": self.seated,
            "stalled": self.stalled,
            "stroke": self.stroke.plain(),
            "up": self._up,
            "values": dict(self.values),
        }

    def take(self, state: Mapping[str, Any]) -> None:
        """Take a state that `plain` gave."""
        self.counts = dict(state["counts"])
        self.homed = state["homed"]
        self._place = float(state["place"])
        self.port = state["port"]
        self.seated = state["seated"]
        self.stalled = state["stalled"]
        self.stroke = Stroke.of(state["stroke"])
        self._up = state["up"]
        self.values = dict(state["values"])
