"""The stage of a flow bench: the film sits in a closed cell, and the liquids come to it.

Turns strokes of the syringe pump into floods and drainings of the cell, exposures of the film
and rows of the ledger. Advances from event to event and never in steps. No stroke is refused:
what goes wrong shows in the ledger and at the sensors.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sim import chance, ledger
from sim.circuit import Circuit
from sim.fluid import PROTEIN
from sim.gauges import Gauges
from sim.immersion import Immersion
from sim.links import Link, PowerLink, SyringeLink, ValveLink
from sim.mishaps import Mishap
from sim.optics import QUOTED_AT, Optics, apparent
from sim.plumbing import SPECK
from sim.plunger import Stroke
from sim.reservoirs import FlowGeometry, Reservoir
from sim.scene import NEVER_NS, Scene
from sim.trapped import Trapped, ball

_S_PER_MIN = 60.0
# The film is under liquid while the cell is fuller than this.
_HALF = 0.5
# A stroke of this share of the cell's volume drains, fills or flushes it.
_FLUSHING = 1.0 / 3.0
# mL/s of a pump that does not say how its plunger moves.
_PACE = 0.2
# What the pump can push against: 100 psi (a guess for a syringe of 1 mL).
_FORCE_KPA = 690.0
# Another seed for the photodiode beside the film: its noise is its own.
_BESIDE = 0x5EED
# The place of a leak between pump and cell.
_LINE = "line"
_MIN_PER_H = 60.0


class Flow:
    """Circuit and film on a scene.

    Links: "syringe": SyringeLink; "selector": ValveLink; "line": LineLink, the meter between
    pump and cell; "sensors": SignalLink; "reference": PowerLink, the photodiode beside the film.
    """

    def __init__(
        self, scene: Scene, reservoirs: Sequence[Reservoir], geometry: FlowGeometry
    ) -> None:
        """Start dry, the selector at 1; the geometry's sizes give way to given parameters."""
        parameters = scene.parameters
        self._scene = scene
        self._geometry = geometry = geometry.truly(scene.given)
        self.circuit = Circuit(scene.cellar, parameters, reservoirs, geometry, scene.warn)
        self.trapped = Trapped(parameters, scene.seed, geometry.height, scene.area)
        self._beside = Optics(parameters, scene.seed ^ _BESIDE, scene.start_ns)
        self._true = 1.0 + parameters["acc_pump"] / 100.0
        airy = parameters["degassed"] < 0.5
        self._airy = parameters["p_bub" if airy else "p_bub_degassed"]
        self._stroke: Stroke | None = None
        self._pulse = 0.0  # mL of a pulse
        self._port = 0  # that is pumped through, or was last
        self._pushing = False
        self._strokes = 0
        self._moved = 0.0  # mL of this stroke so far
        self._turns = 0  # of the selector
        self._leak = 0.0  # mL/min
        self._film = Immersion(scene, self.circuit, self.trapped)
        self._gauges = Gauges(scene, self.circuit, self.trapped, geometry, self._moving)
        self.due_ns = NEVER_NS
        self.places = frozenset((_LINE,))
        self.links: dict[str, Link] = {
            "syringe": SyringeLink(self._pump, self._begin),
            "selector": ValveLink(self._select),
            "reference": PowerLink(self._reference),
            **self._gauges.links,
        }

    def link(self, text: str) -> Link | None:
        """Return None: every socket has a fixed name."""
        return None

    def fills(self, vessel: str) -> None:
        """Empty the waste with the container that a full one is exchanged for."""
        self.circuit.swap(vessel)

    def standing(self) -> ledger.Row | None:
        """Return the row of the exposure that lasts (see Stage)."""
        return self._film.standing()

    def absorbance(self, now_ns: int) -> float:
        """Return the absorbance of liquid, film and bubble in the cell."""
        scene = self._scene
        coats = scene.coats(now_ns)
        film = apparent(coats, scene.parameters["f_A"], scene.parameters["f_o"])
        return self._clear(now_ns) + film + self.trapped.spike()

    # --- mishaps ---

    def refuse(self, mishap: Mishap) -> None:
        """Refuse a bottle that is not there (see Stage)."""
        if mishap.kind != "leak" and mishap.place == _LINE:
            raise ValueError(f"mishap '{mishap.kind}': '{_LINE}' is no vessel")

    def strike(self, mishap: Mishap, begins: bool) -> bool:
        """Do what befalls cell and line (see Stage)."""
        argument = mishap.argument or 0.0
        if mishap.kind == "bubble":
            self.bubble(argument)
        elif mishap.kind == "blocked":
            self.block(argument if begins else 0.0)
        elif mishap.kind == "leak" and mishap.place == _LINE:
            self.leak(argument / _MIN_PER_H if begins else 0.0)
        else:
            return False
        return True

    def in_beam(self) -> bool:
        """Return True: the LED shines through the cell."""
        return True

    def bubble(self, diameter_mm: float | None = None) -> None:
        """Let a bubble of this diameter, or of one drawn, stick in the cell."""
        now_ns = self._scene.now_ns
        self.trapped.appear(self._strokes, now_ns, diameter_mm, True)
        self._film.touch(now_ns)
        self._schedule()

    def block(self, share: float) -> None:
        """Shut a share of the line between pump and cell, 0..1; 0 opens it again.

        Raises ValueError for another share.
        """
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"a line is blocked by a share of 0..1, got {share:g}")
        self.circuit.blocked = share
        if share < 1.0 and self.circuit.held.volume > SPECK:
            now_ns = self._scene.now_ns
            self.circuit.release()
            full = self.circuit.cell.volume > self._geometry.volume * _HALF
            if full and not self._film.wet:
                self._film.flood(now_ns)
            self._stir(now_ns)

    def leak(self, ml_per_min: float) -> None:
        """Let liquid leak out between pump and cell at this rate while the pump pushes.

        Acts from the next stroke on. Raises ValueError below 0.
        """
        if not ml_per_min >= 0.0:
            raise ValueError(f"a leak is 0 mL/min or more, got {ml_per_min:g}")
        self._leak = ml_per_min

    def empty(self, reservoir: str) -> None:
        """Let a reservoir run dry at once; its liquid is gone. ValueError for an unknown one."""
        self._scene.cellar.drain(reservoir, self._scene.now_ns)

    # --- state ---

    def plain(self) -> dict[str, Any]:
        """Return the state as JSON data, times counted from the start."""
        start_ns = self._scene.start_ns
        stroke = None
        if self._stroke is not None:
            stroke = self._stroke.plain()
            stroke[0] = self._stroke.start_ns - start_ns
        return {
            "circuit": self.circuit.plain(),
            "trapped": self.trapped.plain(start_ns),
            "stroke": stroke,
            "pulse": self._pulse,
            "port": self._port,
            "pushing": self._pushing,
            "strokes": self._strokes,
            "moved": self._moved,
            "turns": self._turns,
            "leak": self._leak,
            "film": self._film.plain(start_ns),
        }

    def load(self, plain: Mapping[str, Any]) -> None:
        """Take back what `plain` wrote."""
        start_ns = self._scene.start_ns
        self.circuit.load(plain["circuit"])
        self.trapped.load(plain["trapped"], start_ns)
        stroke = plain["stroke"]
        self._stroke = None
        if stroke is not None:
            self._stroke = Stroke.of([int(stroke[0]) + start_ns, *stroke[1:]])
        self._pulse = float(plain["pulse"])
        self._port = plain["port"]
        self._pushing = plain["pushing"]
        self._strokes = plain["strokes"]
        self._moved = float(plain["moved"])
        self._turns = plain["turns"]
        self._leak = float(plain["leak"])
        self._film.load(plain["film"], start_ns)
        self._schedule()

    # --- events ---

    def fire(self, now_ns: int) -> None:
        """Let the film meet a mixture that has come to rest, and a bubble leave."""
        mixed_ns = self._film.mixed_ns
        if mixed_ns is not None and mixed_ns < now_ns:
            self._film.mix(mixed_ns)
        leaves_ns = self.trapped.leaves_ns
        if leaves_ns is not None and leaves_ns <= now_ns:
            self.trapped.clear()
        self._schedule()

    def _schedule(self) -> None:
        """Note what is due next."""
        mixed_ns, leaves_ns = self._film.mixed_ns, self.trapped.leaves_ns
        self.due_ns = NEVER_NS if mixed_ns is None else mixed_ns + 1
        if leaves_ns is not None and leaves_ns < self.due_ns:
            self.due_ns = leaves_ns

    # --- the pump ---

    def _begin(self, port: str, stroke: Stroke, ml: float) -> None:
        """Note how the plunger moves from now on; `ml` is the volume of a pulse."""
        self._scene.advance(stroke.start_ns, self.due_ns)
        if self._film.mixed_ns is not None:
            self._film.mix(stroke.start_ns)
        self._stroke, self._pulse = stroke, ml
        if stroke.target != stroke.origin:
            number = _number(port)
            # Once a stroke: in the middle of it, looking would change what is worked out.
            self.circuit.settle(number, stroke.start_ns)
            self._start(number, stroke.target < stroke.origin)
        self._schedule()

    def _start(self, port: int, pushing: bool) -> None:
        """Begin to count a stroke."""
        self._port, self._pushing = port, pushing
        self._strokes += 1
        self._moved = 0.0
        leaking = self._leak / (self._pace() * _S_PER_MIN)
        self.circuit.leaking = min(leaking, 1.0)

    def _pump(self, port: str, ml: float, now_ns: int) -> bool:
        """Move what the plunger has moved until now; return whether it could."""
        if ml == 0.0:
            return True
        number, pushing = _number(port), ml > 0.0
        if (number, pushing) != (self._port, self._pushing):
            if self._film.mixed_ns is not None:
                self._film.mix(self._film.mixed_ns)
            self._start(number, pushing)
        amount = abs(ml) * self._true
        if self._stroke is None:
            self.circuit.settle(number, now_ns)
        if number == self._geometry.inlet:
            self._through(amount, now_ns)
        elif pushing:
            self.circuit.push(number, amount, self._strokes)
        else:
            self.circuit.draw(number, amount, self._strokes)
        self._scene.advance(now_ns, self.due_ns)
        return not pushing or self._gauges.head(number, 0.0) < _FORCE_KPA

    def _through(self, amount: float, now_ns: int) -> None:
        """Move mL into or out of the cell; the film is flooded or drained on the way."""
        circuit, pushing = self.circuit, self._pushing
        wet = self._film.wet
        first = amount
        if pushing != wet:
            half = self._geometry.volume * _HALF
            first = max(circuit.until(half, pushing), 0.0)
        if first < amount:
            self._shift(first, now_ns)
            at_ns = self._moment(amount - first, now_ns)
            if pushing:
                self._film.flood(at_ns)
            else:
                self._film.drain(self._sinking(), at_ns)
            self._shift(amount - first, now_ns)
        else:
            self._shift(amount, now_ns)
        before, self._moved = self._moved, self._moved + amount
        flushing = self._geometry.volume * _FLUSHING
        if before < flushing <= self._moved:
            self._flush(self._moment(self._moved - flushing, now_ns))
        self._stir(now_ns if self._stroke is None else max(now_ns, self._stroke.end_ns))

    def _shift(self, amount: float, now_ns: int) -> None:
        """Move mL; gas that comes into a full cell is a bubble there."""
        circuit, inlet = self.circuit, self._geometry.inlet
        if not self._pushing:
            circuit.draw(inlet, amount, self._strokes)
            return
        gas = circuit.push(inlet, amount, self._strokes)
        if gas > SPECK and circuit.cell.volume > self._geometry.volume * _HALF:
            self.trapped.appear(self._strokes, now_ns, ball(gas))

    def _moment(self, left: float, now_ns: int) -> int:
        """Return when the plunger had mL still to go of what it has moved until now."""
        stroke = self._stroke
        if stroke is None or self._pulse <= 0.0:
            return now_ns
        way = left / self._true / self._pulse
        here = stroke.at(now_ns)
        return min(stroke.when(here + way if self._pushing else here - way), now_ns)

    def _sinking(self) -> float:
        """Return the mm/s at which the level in the cell moves."""
        return self._geometry.height * self._pace() / self._geometry.volume

    def _stir(self, until_ns: int) -> None:
        """Note that the cell's mixture changes until then."""
        self._film.stir(until_ns)
        self._schedule()

    def _pace(self) -> float:
        """Return the mL/s of the stroke at its top speed."""
        stroke = self._stroke
        return _PACE if stroke is None else stroke.top * self._pulse * self._true

    def _flush(self, at_ns: int) -> None:
        """Wash a bubble out, or bring one in."""
        seed, count = self._scene.seed, self._strokes
        clearing = self._scene.parameters["p_clear"]
        if self.trapped.size > 0.0 and chance.uniform(seed, chance.CLEARING, count) < clearing:
            self.trapped.clear()
        if self._pushing and chance.uniform(seed, chance.BUBBLE, count) < self._airy:
            self.trapped.appear(count, at_ns, None)

    # --- the other links ---

    def _select(self, position: int, now_ns: int) -> int | None:
        """Turn the selector, unless it sticks; return where it truly is, None if it turned."""
        self._scene.advance(now_ns, self.due_ns)
        self._turns += 1
        sticking = self._scene.parameters["p_valve"]
        if chance.uniform(self._scene.seed, chance.VALVE, self._turns) < sticking:
            return self.circuit.position
        self.circuit.position = position
        return None

    def _clear(self, now_ns: int) -> float:
        """Return the absorbance of the liquid alone; a drained cell holds none."""
        cell = self.circuit.cell
        if cell.volume <= self._geometry.volume * _HALF:
            return 0.0
        return self._scene.optics.liquid(cell.concentration(PROTEIN, now_ns))

    def _reference(self, now_ns: int) -> float:
        """Return the power that falls on the photodiode beside the film."""
        now_ns = self._scene.advance(now_ns, self.due_ns)
        scene = self._scene
        self._beside.load(scene.optics.amps, scene.optics.room)
        warmer = scene.heat.temperature(now_ns) - QUOTED_AT
        return self._beside.watts(self._clear(now_ns), now_ns, warmer)

    def _moving(self, now_ns: int) -> tuple[int, float]:
        """Return the pump's port and the mL/min out of it (below 0: in) at this instant."""
        self._scene.advance(now_ns, self.due_ns)
        stroke = self._stroke
        if stroke is None:
            return self._port, 0.0
        flow = 0.0 - stroke.speed(now_ns) * self._pulse * self._true * _S_PER_MIN
        return self._port, flow


def _number(port: str) -> int:
    """Return the number of a port; 0 for one of a three-way valve, which leads nowhere."""
    return int(port) if port.isdecimal() else 0
