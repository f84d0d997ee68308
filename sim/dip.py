"""The stage of a dip bench: an arm carries the substrate from bath to bath.

Knows when the substrate passes a rim or a surface, feeds baths from bottles, and writes the
ledger's rows. Advances from crossing to crossing and never in steps.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sim import ledger
from sim.arm import BOTTOM, LIQUID, RIM, Arm, Crossing, Geometry
from sim.fluid import PROTEIN, VesselSpec
from sim.links import AxisLink, Link, MassLink, PumpLink, StirLink
from sim.mishaps import Mishap
from sim.motion import Motion
from sim.optics import apparent
from sim.scene import NEVER_NS, Scene

_PUMP = "pump:"
_STIRRER = "stirrer"
_SLOWEST = 0.0  # mm/s: a level that sinks away leaves least on the film


class Dip:
    """Arm and baths on a scene. `readout` names the bath that the photometer looks through."""

    def __init__(
        self,
        scene: Scene,
        vessels: Sequence[VesselSpec],
        geometry: Geometry,
        readout: str | None,
    ) -> None:
        """Start with the arm up; ValueError for an unknown vessel or an impossible geometry."""
        self._scene = scene
        self._cellar = scene.cellar
        self._substrate = scene.substrate
        self._readout = None if readout is None else scene.cellar.vessel(readout)
        self._arm = Arm({spec.name: spec.at for spec in vessels}, geometry, scene.start_ns)
        self._over: str | None = None
        self._entered_ns = scene.start_ns
        self.due_ns = NEVER_NS
        self.places: frozenset[str] = frozenset()
        self.links: dict[str, Link] = {
            "arm.z": AxisLink(self._lifted),
            "arm.x": AxisLink(self._turned),
            "balance": MassLink(self._grams),
        }

    def link(self, text: str) -> Link | None:
        """Return the socket "pump:<vessel>", None for another name; ValueError without vessel.

        "stirrer" puts bars into all baths, which stand until they are told to turn; without it the
        baths are stirred by somebody else, as the parameter `stir` says.
        """
        if text == _STIRRER:
            self._substrate.stir(0.0, self._scene.now_ns)
            return StirLink(self._warmth, _nothing, self._stir)
        if not text.startswith(_PUMP):
            return None
        name = text.removeprefix(_PUMP)
        self._cellar.bottle(name, self._scene.now_ns)
        return PumpLink(lambda ml, now_ns: self._transfer(name, ml, now_ns))

    def fills(self, vessel: str) -> None:
        """Nothing to note: a bath is filled where it stands."""

    def standing(self) -> ledger.Row | None:
        """Return the row of the immersion that lasts (see Stage)."""
        vessel = self._substrate.inside
        if vessel is None:
            return None
        begun = self._scene.seconds(self._entered_ns)
        return ledger.exposure(vessel.label(), vessel.spec.name, begun, None)

    def absorbance(self, now_ns: int) -> float:
        """Return the absorbance of the readout bath and of what hangs in it."""
        vessel = self._readout
        if vessel is None:
            return 0.0
        scene = self._scene
        absorbance = scene.optics.liquid(vessel.concentration(PROTEIN, now_ns))
        if self._substrate.inside is vessel:
            coats = scene.coats(now_ns)
            absorbance += apparent(coats, scene.parameters["f_A"], scene.parameters["f_o"])
        return absorbance

    def refuse(self, mishap: Mishap) -> None:
        """Refuse what needs a cell and a line (see Stage)."""
        if mishap.kind in ("bubble", "blocked"):
            raise ValueError(f"mishap '{mishap.kind}': the dip bench has none")

    def strike(self, mishap: Mishap, begins: bool) -> bool:
        """Leave the film in air when the bath around it runs empty (see Stage)."""
        inside = self._substrate.inside
        if mishap.kind == "empty" and inside is not None and inside.spec.name == mishap.place:
            self._emerge(self._scene.now_ns, _SLOWEST)
        return False

    def in_beam(self) -> bool:
        """Return whether the film hangs in the readout bath."""
        inside = self._substrate.inside
        return inside is not None and inside is self._readout

    def plain(self) -> dict[str, Any]:
        """Return the state as JSON data, times counted from the start."""
        start_ns = self._scene.start_ns
        return {
            "arm": self._arm.plain(start_ns),
            "over": self._over,
            "entered": self._entered_ns - start_ns,
        }

    def load(self, plain: Mapping[str, Any]) -> None:
        """Take back what `plain` wrote."""
        start_ns = self._scene.start_ns
        self._arm.load(plain["arm"], start_ns)
        self._over = plain["over"]
        self._entered_ns = int(plain["entered"]) + start_ns
        self._schedule()

    # --- events ---

    def fire(self, now_ns: int) -> None:
        """Let the crossings happen that are due; their list is finite and only shrinks here."""
        pending = self._arm.pending
        scene = self._scene
        while pending and pending[0].at_ns <= now_ns:
            crossing = pending.pop(0)
            scene.now_ns = max(scene.now_ns, crossing.at_ns)
            self._arm.below[crossing.place] = crossing.down
            self._cross(crossing)
        self._schedule()

    def _cross(self, crossing: Crossing) -> None:
        """Do what passing a rim, a surface or a bottom means."""
        if crossing.place == RIM:
            self._over = self._rim(crossing) if crossing.down else None
        elif crossing.place == BOTTOM and crossing.down:
            self._collide("bottom", crossing.at_ns)
        elif crossing.place == LIQUID and crossing.down:
            self._submerge(crossing.at_ns)
        elif crossing.place == LIQUID:
            self._emerge(crossing.at_ns, abs(self._arm.z.velocity_at(crossing.at_ns)))

    def _rim(self, crossing: Crossing) -> str | None:
        """Return the vessel gone into; a carousel that moves or misses is a collision."""
        station = self._arm.station(crossing.at_ns)
        if self._arm.turning(crossing.at_ns):
            self._collide("turning", crossing.at_ns)
        elif station is None:
            self._collide("off station", crossing.at_ns)
        else:
            return station
        return None

    def _submerge(self, now_ns: int) -> None:
        """Begin an immersion, if there is a vessel with liquid in it."""
        vessel = self._cellar.vessels.get(self._over or "")
        if vessel is None or vessel.solution is None:
            return
        if vessel.volume_at(now_ns) <= 0.0:
            self._scene.warn("empty", vessel.spec.name, 0.0)
            return
        carried = self._substrate.carried
        bare = self._arm.bare(vessel.fall(now_ns))
        dried = self._substrate.enter(vessel, bare, now_ns)
        self._entered_ns = now_ns
        self._scene.shine(self.in_beam())
        if carried is not None:
            begun, ended = self._scene.seconds(carried.left_ns), self._scene.seconds(now_ns)
            row = ledger.air(carried.vessel, vessel.spec.name, begun, ended, dried)
            self._scene.ledger.append(row)

    def _emerge(self, now_ns: int, speed: float) -> None:
        """End the immersion at so many mm/s, and write its row."""
        vessel = self._substrate.inside
        if vessel is None:
            return
        self._substrate.leave(speed, now_ns)
        self._scene.shine(False)
        begun, ended = self._scene.seconds(self._entered_ns), self._scene.seconds(now_ns)
        row = ledger.exposure(vessel.label(), vessel.spec.name, begun, ended)
        self._scene.ledger.append(row)

    def _collide(self, cause: str, now_ns: int) -> None:
        """Write that something was hit."""
        z, x = self._arm.z.at(now_ns), self._arm.x.at(now_ns)
        self._scene.ledger.append(ledger.collision(cause, self._scene.seconds(now_ns), z, x))

    def _schedule(self) -> None:
        """Note when the next crossing is due."""
        pending = self._arm.pending
        self.due_ns = pending[0].at_ns if pending else NEVER_NS

    # --- what the links do ---

    def _lifted(self, motion: Motion) -> None:
        """Take over a move of the lift."""
        self._scene.advance(motion.start_ns, self.due_ns)
        self._arm.z = motion
        self._foresee()

    def _turned(self, motion: Motion) -> None:
        """Take over a move of the carousel; to turn it with the substrate down is a collision."""
        now_ns = self._scene.advance(motion.start_ns, self.due_ns)
        if motion.target != motion.origin and self._arm.below[RIM]:
            self._collide("sideways", now_ns)
        self._arm.x = motion
        self._foresee()

    def _foresee(self) -> None:
        """Work out the crossings ahead anew."""
        now_ns = self._scene.now_ns
        vessels = self._cellar.vessels
        self._arm.foresee(now_ns, self._over, lambda name: vessels[name].fall(now_ns))
        self._schedule()

    def _transfer(self, name: str, asked: float, now_ns: int) -> float:
        """Pump mL from bottle to vessel or back; return what truly went, signed."""
        scene = self._scene
        now_ns = self._scene.advance(now_ns, self.due_ns)
        wet = self._substrate.inside is self._cellar.vessels[name]
        if wet:
            self._substrate.settle(now_ns)
        stroke = self._cellar.pump(name, asked, now_ns, now_ns - scene.start_ns)
        if wet:
            self._substrate.look(now_ns)
        if stroke.short > 0.0:
            scene.warn("empty", name, stroke.short)
        if stroke.over > 0.0:
            scene.warn("overflow", name, stroke.over)
        return stroke.went

    def _stir(self, rpm: float, now_ns: int) -> None:
        """Turn the bars; the film's rates change from now on."""
        self._substrate.stir(rpm, self._scene.advance(now_ns, self.due_ns))

    def _warmth(self, now_ns: int) -> float:
        """Return the temperature of the liquids."""
        return self._scene.heat.temperature(self._scene.advance(now_ns, self.due_ns))

    def _grams(self, now_ns: int) -> float:
        """Return the mass of all feed bottles, glass included."""
        self._scene.advance(now_ns, self.due_ns)
        return self._cellar.grams()


def _nothing(on: bool, setpoint: float, now_ns: int) -> None:
    """Heat nothing."""
