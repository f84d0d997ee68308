"""The world that the simulated instruments of a dip bench share: vessels, substrate, light, heat.

Advances in closed form from event to event and never through steps; looking at it changes
nothing. It knows nothing of bytes, plans or real time: whoever has the clock says what time
it is, in integer nanoseconds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sim import crystal, ledger
from sim.adaptation import Adaptation
from sim.arm import BOTTOM, LIQUID, RIM, Arm, Crossing, Geometry
from sim.cellar import Cellar
from sim.fluid import PROTEIN, Solution, VesselSpec
from sim.heat import Heat
from sim.links import (
    AxisLink,
    CrystalLink,
    FilmLink,
    HeatLink,
    LightLink,
    Link,
    MassLink,
    PowerLink,
    PumpLink,
)
from sim.mishaps import KINDS, NEVER_NS, Fate, Mishap, refuse, strike
from sim.motion import Motion
from sim.optics import Optics, apparent
from sim.parameters import settled
from sim.substrate import Substrate

__all__ = ["Geometry", "Motion", "Solution", "VesselSpec", "World"]

_VERSION = 2
_NS_PER_S = 1e9
_PUMP = "pump:"
# What can befall a dip bench.
_MISHAPS = frozenset(KINDS) - {"bubble", "blocked"}
_OHM = 1e8  # of a film between electrodes (a guess)
_HALF_LIGHT = 20.0  # uW/cm2 that give half of the photovoltage (a guess)
_QUOTED_AT = 22.0  # degC
_SLOWEST = 0.0  # mm/s: a level that sinks away from the film leaves least on it


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
        self._heat = Heat(self.parameters, start_ns)
        self._cellar = Cellar(vessels, self.parameters, parameters, seed, self._heat.wear, start_ns)
        self._readout = None if readout is None else self._cellar.vessel(readout)
        self._seed = seed
        self._sides = sides
        self._start_ns = self.now_ns = start_ns
        self._optics = Optics(self.parameters, seed, start_ns)
        self._adaptation = Adaptation(self.parameters, start_ns)
        self._fate = Fate()
        self._arm = Arm({spec.name: spec.at for spec in vessels}, geometry, start_ns)
        area = self.parameters["A_sub"] if "A_sub" in parameters else area
        self._substrate = Substrate(self.parameters, self._heat, self._cellar, area=area, seed=seed)
        self._over: str | None = None
        self._entered_ns = start_ns
        self._due_ns = self._boils_ns = NEVER_NS
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

    def befall(self, mishap: Mishap) -> None:
        """Let a mishap happen at its instant, or now if that is over.

        Raises ValueError for a kind that a dip bench does not know, a vessel that there is not.
        """
        refuse(mishap, self._cellar, _MISHAPS)
        self._fate.add(mishap)
        self._schedule()

    def link(self, text: str) -> Link:
        """Return the socket that a bench file names; ValueError says which there are.

        "arm.z" and "arm.x": AxisLink; "pump:<vessel>": PumpLink; "photodiode": PowerLink;
        "light": LightLink; "thermostat": HeatLink; "balance": MassLink; "crystal": CrystalLink of
        a microbalance beside the film; "film": FilmLink of electrodes on it.
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
            "crystal": CrystalLink(self._hertz, self._damping),
            "film": FilmLink(self._circuit),
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
        return None if self._due_ns == NEVER_NS else self._due_ns

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

        film: thickness_nm, a570_per_side (light-adapted), lateral_cv, qcm_hz (dry),
        coverage_per_dip, mass_ng_cm2, a280, a700, photovoltage_mV, active_share.
        solutions: by name, used_ml = mL that left for good (carried off wet, run over, thrown
        away on refilling) plus the mL whose solute adsorbed; stock counts when it leaves the
        bath, not the bottle; evaporated water does not count. c_over_c0 = concentration of
        the named solute over the label, mean by volume over its vessels, 1 for a rinse.
        vessels: mL, mg/mL of every species, pH, age, temperature_c, active_share, aggregates.
        quality: A700/A570, orientation, dark_adapted and m_state shares. A bath's solute is as of
        the last change around the substrate; the film is as of now.
        """
        film = self._substrate.report(self.now_ns)
        quality = {name: film.pop(name) for name in ("a700_to_a570", "orientation")}
        quality["dark_adapted"], quality["m_state"] = self._adaptation.shares(self.now_ns)
        vessels = self._cellar.contents(self.now_ns)
        for vessel in vessels.values():
            vessel["temperature_c"] = self._heat.temperature(self.now_ns)
        return {
            "film": film,
            "quality": quality,
            "solutions": self._cellar.solutions(self.now_ns),
            "vessels": vessels,
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
            "boils": None if self._boils_ns == NEVER_NS else self._boils_ns - start_ns,
            "amps": self._optics.amps,
            "room": self._optics.room,
            "adaptation": self._adaptation.plain(start_ns),
            "fate": self._fate.plain(start_ns),
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
        self._optics.load(state["amps"], state["room"])
        self._adaptation.load(state["adaptation"], start_ns)
        self._fate.load(state["fate"], start_ns)
        self._boils_ns = state["boils"] + start_ns if state["boils"] is not None else NEVER_NS
        self._substrate.load(state["substrate"], start_ns)
        self._warned = {(kind, vessel) for kind, vessel in state["warned"]}
        del self.ledger[max(int(state["ledger"]) - self._older_rows, 0) :]
        self._older_rows = int(state["ledger"]) - len(self.ledger)
        self._schedule()

    # --- events ---

    def _fire(self, now_ns: int) -> None:
        """Let happen what is due, in order of time; the list is finite and shrinks."""
        while self._due_ns <= now_ns:
            self.now_ns = max(self.now_ns, self._due_ns)
            if self._fate.due_ns <= self._due_ns:
                self._befell(*self._fate.take())
            elif self._boils_ns <= self._due_ns:
                self._boils_ns = NEVER_NS
                self.ledger.append(ledger.boiling(self._seconds(self.now_ns)))
            else:
                crossing = self._arm.pending.pop(0)
                self._arm.below[crossing.place] = crossing.down
                self._cross(crossing)
            self._schedule()

    def _befell(self, begins: bool, mishap: Mishap) -> None:
        """Let a mishap begin or end, and write its beginning down."""
        now_ns = self.now_ns
        inside = self._substrate.inside
        if begins:
            lasts_s = None if mishap.lasts_ns is None else mishap.lasts_ns / _NS_PER_S
            at_s, argument = self._seconds(now_ns), mishap.argument or 0.0
            row = ledger.mishap(mishap.kind, mishap.place, at_s, argument, lasts_s)
            self.ledger.append(row)
        if inside is not None:
            self._substrate.settle(now_ns)
            if mishap.kind == "empty" and mishap.place == inside.spec.name:
                self._emerge(now_ns, _SLOWEST)
        strike(mishap, begins, self._cellar, self._heat, self._optics, now_ns)
        self._heated()
        self._shine()

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
        if vessel is None or vessel.solution is None or vessel.volume_at(now_ns) <= 0.0:
            return
        carried = self._substrate.carried
        bare = self._arm.bare(vessel.fall(now_ns))
        dried = self._substrate.enter(vessel, bare, now_ns)
        self._entered_ns = now_ns
        self._shine()
        if carried is not None:
            begun, ended = self._seconds(carried.left_ns), self._seconds(now_ns)
            self.ledger.append(ledger.air(carried.vessel, vessel.spec.name, begun, ended, dried))

    def _emerge(self, now_ns: int, speed: float) -> None:
        """End the immersion at so many mm/s, and write its row."""
        vessel = self._substrate.inside
        if vessel is None:
            return
        self._substrate.leave(speed, now_ns)
        self._shine()
        begun, ended = self._seconds(self._entered_ns), self._seconds(now_ns)
        self.ledger.append(ledger.exposure(vessel.label(), vessel.spec.name, begun, ended))

    def _collide(self, cause: str, now_ns: int) -> None:
        """Write that something was hit."""
        z, x = self._arm.z.at(now_ns), self._arm.x.at(now_ns)
        self.ledger.append(ledger.collision(cause, self._seconds(now_ns), z, x))

    def _schedule(self) -> None:
        """Note when something next happens by itself."""
        pending = self._arm.pending
        crosses_ns = pending[0].at_ns if pending else NEVER_NS
        self._due_ns = min(crosses_ns, self._fate.due_ns, self._boils_ns)

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
                coats *= self._adaptation.colour(self.now_ns)
                absorbance += apparent(coats, self.parameters["f_A"], self.parameters["f_o"])
        warmer = self._heat.temperature(self.now_ns) - _QUOTED_AT
        return self._optics.watts(absorbance, self.now_ns, warmer)

    def _lit(self, amps: float, now_ns: int) -> None:
        """Drive the LED."""
        self.advance(now_ns)
        self._optics.current(amps)
        self._shine()

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
            self._heated()
            self._schedule()
        else:
            self._heat.drive(on, setpoint, self.now_ns)

    def _heated(self) -> None:
        """Note when the baths will boil as they are driven now."""
        boils_ns = self._heat.boils_ns()
        self._boils_ns = NEVER_NS if boils_ns is None else max(boils_ns, self.now_ns)

    def _shine(self) -> None:
        """Tell the film the light it is in from now on."""
        inside = self._substrate.inside
        seen = inside is not None and inside is self._readout
        light = self.parameters["ambient"] + self._optics.light(seen)
        self._adaptation.expose(light, self.now_ns)

    def _hertz(self, now_ns: int) -> float:
        """Return the frequency of a crystal beside the film."""
        self.advance(now_ns)
        return crystal.frequency(
            self.parameters,
            self._substrate.report(self.now_ns)["mass_ng_cm2"],
            self._substrate.inside is not None,
            self._heat.temperature(self.now_ns),
            self._seed,
            self.now_ns - self._start_ns,
        )

    def _damping(self, now_ns: int) -> float:
        """Return the resistance of that crystal."""
        self.advance(now_ns)
        return crystal.resistance(self._substrate.inside is not None)

    def _circuit(self, now_ns: int) -> tuple[float, float]:
        """Return the photovoltage (V) of the film in the LED's light, and its resistance (ohm)."""
        self.advance(now_ns)
        inside = self._substrate.inside
        light = self._optics.light(inside is not None and inside is self._readout)
        share = light / (light + _HALF_LIGHT)
        return self._substrate.voltage(self.now_ns) * share * 1e-3, _OHM

    def _grams(self, now_ns: int) -> float:
        """Return the mass of all feed bottles, glass included."""
        self.advance(now_ns)
        return self._cellar.grams()

    def _seconds(self, now_ns: int) -> float:
        """Return simulated seconds since the world's start."""
        return (now_ns - self._start_ns) / _NS_PER_S
