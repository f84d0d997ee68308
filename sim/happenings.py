"""What happens to a world by itself, apart from its stage: mishaps begin and end, baths boil.

Keeps the schedule and writes the ledger's rows; what a mishap does to a vessel, to light or heat
is said here, what it does to arm or plumbing is the stage's affair.
"""

from collections.abc import Mapping
from typing import Any

from sim import ledger
from sim.cellar import BOTTLE
from sim.mishaps import Fate, Mishap
from sim.scene import NEVER_NS, Scene, Stage

_NS_PER_S = 1e9


class Happenings:
    """The schedule of a world; `scene.due_ns` always says when the next thing happens."""

    def __init__(self, scene: Scene, stage: Stage) -> None:
        """Nothing is to happen yet."""
        self._scene = scene
        self._stage = stage
        self._fate = Fate()
        self._boils_ns = NEVER_NS

    def befall(self, mishap: Mishap) -> None:
        """Let a mishap happen at its instant, or soon if that is over.

        Raises ValueError for a kind that this bench cannot have, or a vessel that is not there.
        """
        self._stage.refuse(mishap)
        name = mishap.place
        if mishap.kind == "empty":
            name = name.removesuffix(BOTTLE)
        if name and name not in self._stage.places:
            self._scene.cellar.vessel(name)
        self._fate.add(mishap)
        self._schedule()

    def fire(self) -> None:
        """Let the next thing happen, at its time."""
        scene = self._scene
        scene.now_ns = max(scene.now_ns, scene.due_ns)
        if self._fate.due_ns <= scene.due_ns:
            begins, mishap = self._fate.take()
            if begins:
                self._note(mishap)
            self._strike(mishap, begins)
        else:
            self._boils_ns = NEVER_NS
            scene.ledger.append(ledger.boiling(scene.seconds(scene.now_ns)))
        self._schedule()

    def heated(self) -> None:
        """Note when the baths will boil as they are driven now."""
        boils_ns = self._scene.heat.boils_ns()
        self._boils_ns = NEVER_NS if boils_ns is None else max(boils_ns, self._scene.now_ns)
        self._schedule()

    def plain(self) -> dict[str, Any]:
        """Return the state as JSON data, times counted from the start."""
        start_ns, boils_ns = self._scene.start_ns, self._boils_ns
        boils = None if boils_ns == NEVER_NS else boils_ns - start_ns
        return {"fate": self._fate.plain(start_ns), "boils": boils}

    def load(self, plain: Mapping[str, Any]) -> None:
        """Take back what `plain` wrote."""
        start_ns, boils = self._scene.start_ns, plain["boils"]
        self._fate.load(plain["fate"], start_ns)
        self._boils_ns = NEVER_NS if boils is None else int(boils) + start_ns
        self._schedule()

    def _schedule(self) -> None:
        """Note when the next thing happens."""
        self._scene.due_ns = min(self._fate.due_ns, self._boils_ns)

    def _note(self, mishap: Mishap) -> None:
        """Write that a mishap begins."""
        scene = self._scene
        lasts_s = None if mishap.lasts_ns is None else mishap.lasts_ns / _NS_PER_S
        at_s, argument = scene.seconds(scene.now_ns), mishap.argument or 0.0
        row = ledger.mishap(mishap.kind, mishap.place, at_s, argument, lasts_s)
        scene.ledger.append(row)

    def _strike(self, mishap: Mishap, begins: bool) -> None:
        """Do a mishap, or end it; the film is settled before its surroundings change."""
        scene = self._scene
        now_ns = scene.now_ns
        if scene.substrate.inside is not None:
            scene.substrate.settle(now_ns)
        if self._stage.strike(mishap, begins):
            return
        self._happen(mishap, begins, now_ns)
        if scene.substrate.inside is not None:
            scene.substrate.look(now_ns)
        self.heated()
        scene.shine(self._stage.in_beam())

    def _happen(self, mishap: Mishap, begins: bool, now_ns: int) -> None:
        """Change liquids, light or heat."""
        scene, argument = self._scene, mishap.argument or 0.0
        if mishap.kind in ("leak", "ageing"):
            vessel = scene.cellar.vessel(mishap.place)
            vessel.settle(now_ns)
            if mishap.kind == "leak":
                vessel.leak = argument if begins else 0.0
            else:
                vessel.haste = argument if begins else 1.0
        elif mishap.kind == "empty":
            scene.cellar.drain(mishap.place, now_ns)
        elif mishap.kind == "room-light":
            scene.optics.room = argument if begins else 0.0
        elif mishap.kind == "heater-stuck" and begins:
            scene.heat.stick(argument, now_ns)
        elif mishap.kind == "heater-stuck":
            scene.heat.loosen(now_ns)
