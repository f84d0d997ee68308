"""The world that the simulated instruments of a dip bench share: vessels, substrate, light, heat.

Advances in closed form from event to event and never through steps; looking at it changes
nothing. It knows nothing of bytes, plans or real time: whoever has the clock says what time
it is, in integer nanoseconds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sim import ledger
from sim.arm import BOTTOM, LIQUID, RIM, Arm, Crossing, Geometry
from sim.cellar import Cellar
from sim.fluid import PROTEIN, Solution, VesselSpec
from sim.heat import Heat
from sim.links import AxisLink, HeatLink, LightLink, Link, MassLink, PowerLink, PumpLink
from sim.motion import Motion
from sim.optics import Optics, apparent
from sim.parameters import settled
from sim.substrate import Substrate

__all__ = ["Geometry", "Motion", "Solution", "VesselSpec", "World"]

_VERSION = 1
_NS_PER_S = 1e9
_NEVER_NS = 1 << 62
_PUMP = "pump:"


class World:
    """Everything that exists apart from the instruments.

    Time zero is `start_ns` (the clock's start); ledger times are seconds since then. The same
    vessels, parameters, seed and calls give the same bytes. `ledger` is only appended to.
    """

    def __init__(
        self,
        vessels: Sequence[VesselSpec],
        geometry: Geometry,
        parameters: Mapping[str, float] = {},
        *,
        seed: int = 0,
        area: float = 2.0,
        sides: int = 2,
        readout: str | None = None,
        start_ns: int = 0,
    ) -> None:
        """Build a world at rest: vessels empty, arm up, light off, thermostat off.

        `area` is the coated area of all `sides` in cm2, `readout` the vessel that the
        photometer looks through. Raises ValueError for an unknown parameter or vessel.
        """
        self.parameters = settled(parameters)
        self._cellar = Cellar(vessels, self.parameters, parameters, seed)
        self._readout = None if readout is None else self._cellar.vessel(readout)
        self._seed = seed
        self._sides = sides
        self._start_ns = self.now_ns = start_ns
        self._heat = Heat(self.parameters, start_ns)
        self._optics = Optics(self.parameters, seed, start_ns)
        self._arm = Arm({spec.name: spec.at for spec in vessels}, geometry, start_ns)
        area = self.parameters["A_sub"] if "A_sub" in parameters else area
        self._substrate = Substrate(self.parameters, self._heat, self._cellar, area=area, seed=seed)
        self._over: str | None = None
        self._entered_ns = start_ns
        self._due_ns = _NEVER_NS
        self._warned: set[tuple[str, str]] = set()
        self._older_rows = 0
        self.ledger: list[ledger.Row] = []

    def fill(self, vessel: str, solution: Solution, volume: float) -> None:
        """Fill a vessel to the mark with `volume` mL; what was in it is thrown away, as used.

        Parameters c_BR, c_PDAC and pH_BR, where given, are the truth behind the label.
        Raises ValueError for an unknown vessel, too much volume, or a charge not -1, 0, 1.
        """
        bath = self._cellar.vessel(vessel)
        wet = self._substrate.inside is bath
        if wet:
            self._substrate.settle(self.now_ns)
        self._cellar.fill(vessel, solution, volume, self.now_ns)
        if wet:
            self._substrate.look(self.now_ns)
        self._warned = {mark for mark in self._warned if mark[1] != vessel}

    def stock(self, vessel: str, volume: float) -> None:
        """Put a fresh feed bottle of `volume` mL under the pump of a vessel already filled."""
        self._cellar.stock(vessel, volume, self.now_ns)

    def link(self, text: str) -> Link:
        """Return the socket that a bench file names; ValueError says which there are.

        "arm.z" and "arm.x": AxisLink; "pump:<vessel>": PumpLink; "photodiode": PowerLink;
        "light": LightLink; "thermostat": HeatLink; "balance": MassLink.
        """
        if text.startswith(_PUMP):
            name = text.removeprefix(_PUMP)
            self._cellar.bottle(name, self.now_ns)
            return PumpLink(lambda ml, now_ns: self._transfer(name, ml, now_ns))
        links: dict[str, Link] = {
            "arm.z": AxisLink(self._lifted),
            "arm.x": AxisLink(self._turned),
            "photodiode": PowerLink(self._watts),
            "light": LightLink(self._lit),
            "thermostat": HeatLink(self._temperature, self._driven),
            "balance": MassLink(self._grams),
        }
        if text not in links:
            known = ", ".join([*links, _PUMP + "<vessel>"])
            raise ValueError(f"the world has no link {text!r}; it has {known}")
        return links[text]

    def advance(self, now_ns: int) -> None:
        """Bring the world to a time; an earlier time than the last changes nothing."""
        if now_ns >= self._due_ns:
            self._fire(now_ns)
        if now_ns > self.now_ns:
            self.now_ns = now_ns

    def next_ns(self) -> int | None:
        """Return when something will next happen by itself, None if nothing will."""
        return None if self._due_ns == _NEVER_NS else self._due_ns

    def standing(self) -> ledger.Row | None:
        """Return the row of the immersion that still lasts (`end_s` None), None in air.

        The ledger gets it, with its end, when the substrate comes out.
        """
        vessel = self._substrate.inside
        if vessel is None:
            return None
        begun = self._seconds(self._entered_ns)
        return ledger.exposure(vessel.label(), vessel.spec.name, begun, None)

    def truth(self) -> dict[str, Any]:
        """Return what is true now and what no instrument tells.

        film: thickness_nm, a570_per_side, lateral_cv, qcm_hz (dry), coverage_per_dip.
        solutions: by name, used_ml = mL that left for good (carried off wet, run over, thrown
        away on refilling) plus the mL whose solute adsorbed; stock counts when it leaves the
        bath, not the bottle; evaporated water does not count. c_over_c0 = concentration of
        the named solute over the label, mean by volume over its vessels, 1 for a rinse.
        vessels: mL and mg/mL of every species. quality: A700/A570, orientation. A bath's solute
        is as of the last change around the substrate; the film is as of now.
        """
        film = self._substrate.report(self.now_ns)
        quality = {name: film.pop(name) for name in ("a700_to_a570", "orientation")}
        return {
            "film": film,
            "quality": quality,
            "solutions": self._cellar.solutions(self.now_ns),
            "vessels": self._cellar.contents(self.now_ns),
        }

    def snapshot(self) -> dict[str, Any]:
        """Return the whole dynamic state as JSON data; of the ledger only its length.

        Times are counted from the world's start, so a world with another `start_ns` can go on.
        """
        start_ns = self._start_ns
        return {
            "v": _VERSION,
            "seed": self._seed,
            "now": self.now_ns - start_ns,
            "arm": self._arm.plain(start_ns),
            "over": self._over,
            "entered": self._entered_ns - start_ns,
            "heat": self._heat.plain(start_ns),
            "amps": self._optics.amps,
            "liquids": self._cellar.plain(start_ns),
            "substrate": self._substrate.plain(start_ns),
            "warned": sorted(list(mark) for mark in self._warned),
            "ledger": self._older_rows + len(self.ledger),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to a snapshot; later ledger rows are dropped.

        Raises ValueError for a snapshot of another version, seed or set of vessels.
        """
        if state["v"] != _VERSION or state["seed"] != self._seed:
            raise ValueError("this snapshot is of a world of another version or seed")
        start_ns = self._start_ns
        self._cellar.load(state["liquids"], start_ns)
        self.now_ns = int(state["now"]) + start_ns
        self._arm.load(state["arm"], start_ns)
        self._over = state["over"]
        self._entered_ns = int(state["entered"]) + start_ns
        self._heat.load(state["heat"], start_ns)
        self._optics.load(state["amps"])
        self._substrate.load(state["substrate"], start_ns)
        self._warned = {(kind, vessel) for kind, vessel in state["warned"]}
        del self.ledger[max(int(state["ledger"]) - self._older_rows, 0) :]
        self._older_rows = int(state["ledger"]) - len(self.ledger)
        self._schedule()

    # --- events ---

    def _fire(self, now_ns: int) -> None:
        """Let the crossings happen that are due; their list is finite and only shrinks here."""
        pending = self._arm.pending
        while pending and pending[0].at_ns <= now_ns:
            crossing = pending.pop(0)
            self.now_ns = max(self.now_ns, crossing.at_ns)
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
            self._emerge(crossing.at_ns)

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
        if vessel is None or vessel.solution is None or vessel.volume_at(now_ns) <= 0.0:
            return
        carried = self._substrate.carried
        bare = self._arm.bare(vessel.fall(now_ns))
        dried = self._substrate.enter(vessel, bare, now_ns)
        self._entered_ns = now_ns
        if carried is not None:
            begun, ended = self._seconds(carried.left_ns), self._seconds(now_ns)
            self.ledger.append(ledger.air(carried.vessel, vessel.spec.name, begun, ended, dried))

    def _emerge(self, now_ns: int) -> None:
        """End the immersion, and write its row."""
        vessel = self._substrate.inside
        if vessel is None:
            return
        self._substrate.leave(abs(self._arm.z.velocity_at(now_ns)), now_ns)
        begun, ended = self._seconds(self._entered_ns), self._seconds(now_ns)
        self.ledger.append(ledger.exposure(vessel.label(), vessel.spec.name, begun, ended))

    def _collide(self, cause: str, now_ns: int) -> None:
        """Write that something was hit."""
        z, x = self._arm.z.at(now_ns), self._arm.x.at(now_ns)
        self.ledger.append(ledger.collision(cause, self._seconds(now_ns), z, x))

    def _schedule(self) -> None:
        """Note when the next crossing is due."""
        pending = self._arm.pending
        self._due_ns = pending[0].at_ns if pending else _NEVER_NS

    # --- what the links do ---

    def _lifted(self, motion: Motion) -> None:
        """Take over a move of the lift."""
        self.advance(motion.start_ns)
        self._arm.z = motion
        self._foresee()

    def _turned(self, motion: Motion) -> None:
        """Take over a move of the carousel; to turn it with the substrate down is a collision."""
        self.advance(motion.start_ns)
        if motion.target != motion.origin and self._arm.below[RIM]:
            self._collide("sideways", self.now_ns)
        self._arm.x = motion
        self._foresee()

    def _foresee(self) -> None:
        """Work out the crossings ahead anew."""
        now_ns = self.now_ns
        vessels = self._cellar.vessels
        self._arm.foresee(now_ns, self._over, lambda name: vessels[name].fall(now_ns))
        self._schedule()

    def _transfer(self, name: str, asked: float, now_ns: int) -> float:
        """Pump mL from bottle to vessel or back; return what truly went, signed."""
        self.advance(now_ns)
        wet = self._substrate.inside is self._cellar.vessels[name]
        if wet:
            self._substrate.settle(self.now_ns)
        stroke = self._cellar.pump(name, asked, self.now_ns, self.now_ns - self._start_ns)
        if wet:
            self._substrate.look(self.now_ns)
        if stroke.short > 0.0:
            self._warn("empty", name, stroke.short)
        if stroke.over > 0.0:
            self._warn("overflow", name, stroke.over)
        return stroke.went

    def _warn(self, kind: str, vessel: str, millilitres: float) -> None:
        """Write a liquid row, once until the vessel is filled again."""
        if (kind, vessel) not in self._warned:
            self._warned.add((kind, vessel))
            at_s = self._seconds(self.now_ns)
            self.ledger.append(ledger.liquid(kind, vessel, at_s, millilitres))

    def _watts(self, now_ns: int) -> float:
        """Return the photodiode's power through the readout vessel and what hangs in it."""
        self.advance(now_ns)
        absorbance = 0.0
        vessel = self._readout
        if vessel is not None:
            absorbance = self._optics.liquid(vessel.concentration(PROTEIN, self.now_ns))
            if self._substrate.inside is vessel:
                coats = self._sides * self._substrate.absorbance(self.now_ns)
                absorbance += apparent(coats, self.parameters["f_A"], self.parameters["f_o"])
        return self._optics.watts(absorbance, self.now_ns)

    def _lit(self, amps: float, now_ns: int) -> None:
        """Drive the LED."""
        self.advance(now_ns)
        self._optics.current(amps)

    def _temperature(self, now_ns: int) -> float:
        """Return the temperature of the baths."""
        self.advance(now_ns)
        return self._heat.temperature(self.now_ns)

    def _driven(self, on: bool, setpoint: float, now_ns: int) -> None:
        """Drive the thermostat; the film's rates change from now on."""
        self.advance(now_ns)
        if self._heat.changes(on, setpoint):
            self._substrate.settle(self.now_ns)
            self._heat.drive(on, setpoint, self.now_ns)

    def _grams(self, now_ns: int) -> float:
        """Return the mass of all feed bottles, glass included."""
        self.advance(now_ns)
        return self._cellar.grams()

    def _seconds(self, now_ns: int) -> float:
        """Return simulated seconds since the world's start."""
        return (now_ns - self._start_ns) / _NS_PER_S
