"""The world that the simulated instruments of a bench share, and what is true in it.

Advances in closed form from event to event and never through steps; looking at it changes
nothing. It knows nothing of bytes, plans or real time: whoever has the clock says what time
it is, in integer nanoseconds. How the substrate meets its liquids is the stage's affair.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sim import crystal, ledger
from sim.arm import Geometry
from sim.dip import Dip
from sim.flow import Flow
from sim.fluid import Solution, VesselSpec
from sim.happenings import Happenings
from sim.links import CrystalLink, FilmLink, HeatLink, LightLink, Link, PowerLink
from sim.mishaps import Mishap
from sim.motion import Motion
from sim.optics import QUOTED_AT
from sim.reservoirs import FlowGeometry, Reservoir, specs
from sim.scene import NEVER_NS, Scene, Stage

__all__ = [
    "FlowGeometry",
    "FlowWorld",
    "Geometry",
    "Motion",
    "Reservoir",
    "Solution",
    "VesselSpec",
    "World",
]

_VERSION = 4
_OHM = 1e8  # of a film between electrodes (a guess)
_HALF_LIGHT = 20.0  # uW/cm2 that give half of the photovoltage (a guess)


class World:
    """Everything that exists apart from the instruments; built like this, a dip bench.

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
        scene = Scene(vessels, parameters, seed=seed, area=area, sides=sides, start_ns=start_ns)
        self._stand(scene, Dip(scene, vessels, geometry, readout))

    def _stand(self, scene: Scene, stage: Stage) -> None:
        """Put the stage on the scene."""
        self.scene = scene
        self._stage = stage
        self.parameters = scene.parameters
        self.ledger = scene.ledger
        self._cellar = scene.cellar
        self._happenings = Happenings(scene, stage)
        scene.catch_up = self._catch_up
        self._links: dict[str, Link] = {
            **stage.links,
            "photodiode": PowerLink(self._watts),
            "light": LightLink(self._lit),
            "thermostat": HeatLink(self._temperature, self._driven),
            "crystal": CrystalLink(self._hertz, self._damping),
            "film": FilmLink(self._circuit),
        }

    @property
    def now_ns(self) -> int:
        """The time up to which the world is settled."""
        return self.scene.now_ns

    def fill(self, vessel: str, solution: Solution, volume: float) -> None:
        """Fill a vessel to the mark with `volume` mL; what was in it is thrown away, as used.

        Parameters c_BR, c_PDAC and pH_BR, where given, are the truth behind the label.
        Raises ValueError for an unknown vessel, too much volume, or a charge not -1, 0, 1.
        """
        scene = self.scene
        substrate = scene.substrate
        bath = self._cellar.vessel(vessel)
        wet = substrate.inside is bath
        if wet:
            substrate.settle(scene.now_ns)
        self._cellar.fill(vessel, solution, volume, scene.now_ns)
        if wet:
            substrate.look(scene.now_ns)
        self._stage.fills(vessel)
        scene.warned = {mark for mark in scene.warned if mark[1] != vessel}

    def pour(self, vessel: str, volume: float) -> None:
        """Add `volume` mL of fresh solution to a vessel, as its label says, over the rim and all.

        Raises ValueError for an unknown vessel or one that was never filled.
        """
        scene = self.scene
        wet = scene.substrate.inside is self._cellar.vessel(vessel)
        if wet:
            scene.substrate.settle(scene.now_ns)
        over = self._cellar.pour(vessel, volume, scene.now_ns)
        if wet:
            scene.substrate.look(scene.now_ns)
        scene.warned = {mark for mark in scene.warned if mark[1] != vessel}
        if over > 0.0:
            scene.warn("overflow", vessel, over)

    def stock(self, vessel: str, volume: float) -> None:
        """Put a fresh feed bottle of `volume` mL under the pump of a vessel already filled."""
        self._cellar.stock(vessel, volume, self.scene.now_ns)

    def befall(self, mishap: Mishap) -> None:
        """Let a mishap happen at its instant.

        Raises ValueError for one that this bench cannot have, or a vessel that is not there.
        """
        self._happenings.befall(mishap)

    def link(self, text: str) -> Link:
        """Return the socket that a bench file names; ValueError says which there are.

        Every bench: "photodiode": PowerLink; "light": LightLink; "thermostat": HeatLink;
        "crystal": CrystalLink of a microbalance beside the film; "film": FilmLink.
        A dip bench: "arm.z" and "arm.x": AxisLink; "pump:<vessel>": PumpLink; "balance":
        MassLink; "stirrer": StirLink. A flow bench: see Flow.
        """
        found = self._links.get(text) or self._stage.link(text)
        if found is None:
            known = ", ".join([*self._links, "pump:<vessel>"])
            raise ValueError(f"the world has no link {text!r}; it has {known}")
        return found

    def advance(self, now_ns: int) -> None:
        """Bring the world to a time; an earlier time than the last changes nothing."""
        self.scene.advance(now_ns, self._stage.due_ns)

    def next_ns(self) -> int | None:
        """Return when something will next happen by itself, None if nothing will."""
        due_ns = min(self._stage.due_ns, self.scene.due_ns)
        return None if due_ns == NEVER_NS else due_ns

    def _catch_up(self, now_ns: int) -> None:
        """Let happen what is due, in order of time."""
        scene, stage = self.scene, self._stage
        while scene.due_ns <= now_ns:
            if stage.due_ns < scene.due_ns:
                stage.fire(scene.due_ns - 1)
            else:
                self._happenings.fire()
        if stage.due_ns <= now_ns:
            stage.fire(now_ns)

    def standing(self) -> ledger.Row | None:
        """Return the row of the immersion that still lasts (`end_s` None), None in air.

        The ledger gets it, with its end, when the substrate comes out.
        """
        return self._stage.standing()

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
        now_ns = self.scene.now_ns
        film = self.scene.substrate.report(now_ns)
        quality = {name: film.pop(name) for name in ("a700_to_a570", "orientation")}
        quality["dark_adapted"], quality["m_state"] = self.scene.adaptation.shares(now_ns)
        vessels = self._cellar.contents(now_ns)
        for vessel in vessels.values():
            vessel["temperature_c"] = self.scene.heat.temperature(now_ns)
        return {
            "film": film,
            "quality": quality,
            "solutions": self._cellar.solutions(now_ns),
            "vessels": vessels,
        }

    def snapshot(self) -> dict[str, Any]:
        """Return the whole dynamic state as JSON data; of the ledger only its length.

        Times are counted from the world's start, so a world with another `start_ns` can go on.
        """
        scene = self.scene
        start_ns = scene.start_ns
        return {
            "v": _VERSION,
            "seed": scene.seed,
            "now": scene.now_ns - start_ns,
            "heat": scene.heat.plain(start_ns),
            "happenings": self._happenings.plain(),
            "light": scene.optics.plain(),
            "adaptation": scene.adaptation.plain(start_ns),
            "liquids": scene.cellar.plain(start_ns),
            "stage": self._stage.plain(),
            "substrate": scene.substrate.plain(start_ns),
            "warned": sorted(list(mark) for mark in scene.warned),
            "ledger": scene.older_rows + len(scene.ledger),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to a snapshot; later ledger rows are dropped.

        Raises ValueError for a snapshot of another version, seed or set of vessels.
        """
        scene = self.scene
        if state["v"] != _VERSION or state["seed"] != scene.seed:
            raise ValueError("this snapshot is of a world of another version or seed")
        start_ns = scene.start_ns
        scene.cellar.load(state["liquids"], start_ns)
        scene.now_ns = int(state["now"]) + start_ns
        scene.heat.load(state["heat"], start_ns)
        self._happenings.load(state["happenings"])
        scene.optics.load(*state["light"])
        scene.adaptation.load(state["adaptation"], start_ns)
        self._stage.load(state["stage"])
        scene.substrate.load(state["substrate"], start_ns)
        scene.warned = {(kind, vessel) for kind, vessel in state["warned"]}
        del scene.ledger[max(int(state["ledger"]) - scene.older_rows, 0) :]
        scene.older_rows = int(state["ledger"]) - len(scene.ledger)

    # --- what the links do ---

    def _watts(self, now_ns: int) -> float:
        """Return the power that falls on the photodiode."""
        self.advance(now_ns)
        now_ns = self.scene.now_ns
        warmer = self.scene.heat.temperature(now_ns) - QUOTED_AT
        return self.scene.optics.watts(self._stage.absorbance(now_ns), now_ns, warmer)

    def _lit(self, amps: float, now_ns: int) -> None:
        """Drive the LED."""
        self.advance(now_ns)
        self.scene.optics.current(amps)
        self.scene.shine(self._stage.in_beam())

    def _temperature(self, now_ns: int) -> float:
        """Return the temperature of the liquids."""
        self.advance(now_ns)
        return self.scene.heat.temperature(self.scene.now_ns)

    def _driven(self, on: bool, setpoint: float, now_ns: int) -> None:
        """Drive the thermostat; the film's rates change from now on."""
        self.advance(now_ns)
        scene = self.scene
        if scene.heat.changes(on, setpoint):
            scene.substrate.settle(scene.now_ns)
            scene.heat.drive(on, setpoint, scene.now_ns)
            self._happenings.heated()
        else:
            scene.heat.drive(on, setpoint, scene.now_ns)

    def _hertz(self, now_ns: int) -> float:
        """Return the frequency of a crystal beside the film."""
        self.advance(now_ns)
        scene = self.scene
        return crystal.frequency(
            scene.parameters,
            scene.substrate.report(scene.now_ns)["mass_ng_cm2"],
            scene.substrate.inside is not None,
            scene.heat.temperature(scene.now_ns),
            scene.seed,
            scene.now_ns - scene.start_ns,
        )

    def _damping(self, now_ns: int) -> float:
        """Return the resistance of that crystal."""
        self.advance(now_ns)
        return crystal.resistance(self.scene.substrate.inside is not None)

    def _circuit(self, now_ns: int) -> tuple[float, float]:
        """Return the photovoltage (V) of the film in the LED's light, and its resistance (ohm)."""
        self.advance(now_ns)
        scene = self.scene
        light = scene.optics.light(self._stage.in_beam())
        full = scene.substrate.report(scene.now_ns)["photovoltage_mV"] * 1e-3
        return full * light / (light + _HALF_LIGHT), _OHM


class FlowWorld(World):
    """The same world as a flow bench: a closed cell that a syringe pump fills and drains.

    `flow` is its stage, for whoever lets mishaps happen: bubble, block, leak, empty.
    """

    def __init__(
        self,
        reservoirs: Sequence[Reservoir],
        geometry: FlowGeometry,
        parameters: Mapping[str, float] = {},
        *,
        seed: int = 0,
        area: float = 2.0,
        sides: int = 2,
        start_ns: int = 0,
    ) -> None:
        """Build a world at rest: reservoirs empty, every line and the cell full of gas.

        Parameters V_cell, r_res, V_line, V_dead and V_feed, where given, win over `geometry`.
        Raises ValueError for an unknown parameter, two reservoirs of one name or position, a
        reserved name, or a bladder shared with a reservoir that is not there.
        """
        vessels = specs(reservoirs, geometry)
        scene = Scene(vessels, parameters, seed=seed, area=area, sides=sides, start_ns=start_ns)
        self.flow = Flow(scene, reservoirs, geometry)
        self._stand(scene, self.flow)
