"""A dip bench without instruments: moves the substrate in the world directly, for the tests."""

from collections.abc import Mapping, Sequence

import pytest

from sim.motion import Motion
from sim.world import Geometry, Solution, VesselSpec, World

NS = 1_000_000_000
NAMES = ("primer", "polycation", "P1", "P2", "P3", "polyanion", "N1", "N2", "N3", "spare")
P_SIDE = ("P1", "P2", "P3")
N_SIDE = ("N1", "N2", "N3")
DOWN = 24.0
GEOMETRY = Geometry(surface=22.0, bottom=26.0, tolerance=1.0, clear=2.0)

PEI = Solution("PEI", "PEI", 1.0, 9.0, 1)
PDAC = Solution("PDAC", "PDAC", 1.0, 9.0, 1)
BR = Solution("BR", "BR", 1.0, 9.0, -1)
PSS = Solution("PSS", "PSS", 1.0, 9.0, -1)
BUFFER = Solution("buffer", "buffer", 0.0, 9.0, 0)


class Rig:
    """A filled world and the hand that moves its arm; `now_ns` is the time of the hand."""

    p_side = P_SIDE
    n_side = N_SIDE
    buffer = BUFFER
    pdac = PDAC
    geometry = GEOMETRY

    def __init__(
        self,
        parameters: Mapping[str, float] = {},
        *,
        seed: int = 1,
        bath: float = 200.0,
        rinse: float = 200.0,
        pss: bool = False,
        lidded: bool = True,
        start_ns: int = 0,
    ) -> None:
        specs = [
            VesselSpec(name, 36.0 * k, bath, 28.0, lidded, 2.0 * max(bath, rinse))
            for k, name in enumerate(NAMES)
        ]
        self.world = World(specs, GEOMETRY, parameters, seed=seed, readout="N3", start_ns=start_ns)
        anion = PSS if pss else BR
        for name, solution in (("primer", PEI), ("polycation", PDAC), ("polyanion", anion)):
            self.world.fill(name, solution, bath)
        for name in (*P_SIDE, *N_SIDE):
            self.world.fill(name, BUFFER, rinse)
        self._z = self.world.link("arm.z")
        self._x = self.world.link("arm.x")
        self.now_ns = start_ns
        self.height = 0.0
        self.angle = 0.0

    def lift(self, to: float, speed: float) -> None:
        self.now_ns = self._move(self._z, self.height, to, speed, 50.0)
        self.height = to

    def turn(self, to: float) -> None:
        self.now_ns = self._move(self._x, self.angle, to, 40.0, 120.0)
        self.angle = to

    def _move(self, axis: object, origin: float, to: float, speed: float, accel: float) -> int:
        motion = Motion(self.now_ns, origin, to, speed, accel)
        axis.moved(motion)  # type: ignore[attr-defined]
        return motion.end_ns

    def wait(self, seconds: float) -> None:
        self.now_ns += int(seconds * NS)
        self.world.advance(self.now_ns)

    def dip(self, vessel: str, seconds: float, air: float = 0.0) -> None:
        """Bring the substrate into a vessel and stay; `air` seconds up before it goes down."""
        self.lift(0.0, 2.0)
        self.turn(36.0 * NAMES.index(vessel))
        if air:
            self.wait(air)
        self.lift(DOWN, 16.0)
        self.wait(seconds)

    def expose(
        self, vessel: str, seconds: float, rinses: Sequence[str], rinse: float = 60.0
    ) -> None:
        self.dip(vessel, seconds)
        for bath in rinses:
            self.dip(bath, rinse)

    def prime(self) -> None:
        self.expose("primer", 1200.0, P_SIDE)

    def bilayer(self, dwell: float = 600.0, anion_dwell: float | None = None) -> None:
        self.expose("polycation", dwell, P_SIDE)
        self.expose("polyanion", dwell if anion_dwell is None else anion_dwell, N_SIDE)

    def film(self) -> dict[str, float]:
        self.world.advance(self.now_ns)
        film: dict[str, float] = self.world.truth()["film"]
        return film


@pytest.fixture(scope="session")
def rig() -> type[Rig]:
    """Return the class, so that a test builds the bench it wants."""
    return Rig
