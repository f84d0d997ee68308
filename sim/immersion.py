"""The film in a flow cell: when it is under liquid, under which, and what the ledger says of it.

It is told when the liquid rises over the film or sinks below it; moves no liquid itself.
"""

from collections.abc import Mapping
from typing import Any

from sim import ledger
from sim.circuit import Circuit
from sim.scene import Scene
from sim.trapped import Trapped


class Immersion:
    """`reservoir` is where most of the liquid around the film came from, or came from last.

    `mixed_ns` is when the mixture that the cell now holds becomes the film's; None: it is.
    """

    def __init__(self, scene: Scene, circuit: Circuit, trapped: Trapped) -> None:
        """Start in gas."""
        self._scene = scene
        self._substrate = scene.substrate
        self._circuit = circuit
        self._trapped = trapped
        self._entered_ns = scene.start_ns
        self.mixed_ns: int | None = None
        self.reservoir = ""

    @property
    def wet(self) -> bool:
        """Whether the film is under liquid."""
        return self._substrate.inside is not None

    def standing(self) -> ledger.Row | None:
        """Return the row of the exposure that lasts, None in gas."""
        return self._row(None) if self.wet else None

    def flood(self, at_ns: int) -> None:
        """Let the liquid rise over the film."""
        scene, left = self._scene, self.reservoir
        self._relabel()
        carried = self._substrate.carried
        dried = self._substrate.flood(self._circuit.cell, at_ns)
        self._cover(at_ns)
        self._entered_ns = at_ns
        if carried is not None:
            begun, ended = scene.seconds(carried.left_ns), scene.seconds(at_ns)
            scene.ledger.append(ledger.air(left, self.reservoir, begun, ended, dried))

    def drain(self, speed: float, at_ns: int) -> None:
        """Let the liquid sink below the film at mm/s, and write the exposure's row."""
        self._substrate.drain(speed, self._circuit.residual, at_ns)
        self.mixed_ns = None
        self._scene.ledger.append(self._row(at_ns))

    def stir(self, at_ns: int) -> None:
        """Note that the cell's mixture changes until then; the film feels it from then on."""
        self.mixed_ns = at_ns if self.wet else None

    def mix(self, at_ns: int) -> None:
        """Let the film meet what the cell now holds; another liquid is another exposure."""
        self.mixed_ns = None
        if not self.wet:
            return
        if self._circuit.main() != self.reservoir:
            self._scene.ledger.append(self._row(at_ns))
            self._entered_ns = at_ns
            self._relabel()
        self._substrate.settle(at_ns)

    def touch(self, at_ns: int) -> None:
        """Let a bubble that has come into the full cell sit down on the film."""
        if self.wet:
            self._substrate.settle(at_ns)
            self._cover(at_ns)

    def _cover(self, at_ns: int) -> None:
        """Keep what a bubble sits on out of a liquid that adsorbs."""
        covered, label = self._trapped.covers(at_ns), self._circuit.cell.solution
        if covered > 0.0 and label is not None and label.charge != 0:
            self._substrate.mask(covered)

    def _relabel(self) -> None:
        """Name the cell's liquid after the reservoir that most of it came from."""
        self.reservoir = self._circuit.main()
        vessel = self._scene.cellar.vessels.get(self.reservoir)
        self._circuit.cell.solution = None if vessel is None else vessel.solution

    def _row(self, end_ns: int | None) -> ledger.Row:
        """Return the row of the exposure."""
        scene = self._scene
        end_s = None if end_ns is None else scene.seconds(end_ns)
        begun = scene.seconds(self._entered_ns)
        return ledger.exposure(self._circuit.cell.label(), self.reservoir, begun, end_s)

    def plain(self, start_ns: int) -> dict[str, Any]:
        """Return the state as JSON data, times counted from `start_ns`."""
        mixed_ns = self.mixed_ns
        return {
            "entered": self._entered_ns - start_ns,
            "mixed": None if mixed_ns is None else mixed_ns - start_ns,
            "reservoir": self.reservoir,
        }

    def load(self, plain: Mapping[str, Any], start_ns: int) -> None:
        """Take back what `plain` wrote."""
        mixed = plain["mixed"]
        self._entered_ns = int(plain["entered"]) + start_ns
        self.mixed_ns = None if mixed is None else int(mixed) + start_ns
        self.reservoir = plain["reservoir"]
