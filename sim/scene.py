"""What every simulated bench has: liquids, heat, light, one substrate, and the exposure ledger.

It holds them and says what time it is in seconds. How the substrate meets its liquids is the
stage's affair: `sim.dip` or `sim.flow`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from sim import ledger
from sim.adaptation import Adaptation
from sim.cellar import Cellar
from sim.fluid import VesselSpec
from sim.heat import Heat
from sim.links import Link
from sim.optics import Optics
from sim.parameters import settled
from sim.substrate import Substrate

if TYPE_CHECKING:
    from sim.mishaps import Mishap

NEVER_NS = 1 << 63
_NS_PER_S = 1e9


class Scene:
    """The common parts. Time zero is `start_ns`; `given` are the parameters set on purpose.

    `due_ns` is when something next happens apart from the stage (NEVER_NS: nothing); `catch_up`
    lets it and the stage's own events happen in order.
    """

    def __init__(
        self,
        vessels: Sequence[VesselSpec],
        given: Mapping[str, float],
        *,
        seed: int,
        area: float,
        sides: int,
        start_ns: int,
    ) -> None:
        """Put everything at rest: vessels empty, light off, thermostat off.

        `area` is the coated area of all `sides` in cm2. Raises ValueError for an unknown
        parameter.
        """
        self.given = dict(given)
        self.parameters = settled(given)
        self.seed = seed
        self.sides = sides
        self.start_ns = self.now_ns = start_ns
        self.due_ns = NEVER_NS
        self.catch_up: Callable[[int], None] = _idle
        self.heat = Heat(self.parameters, start_ns)
        self.cellar = Cellar(vessels, self.parameters, given, seed, self.heat.wear, start_ns)
        self.adaptation = Adaptation(self.parameters, start_ns)
        self.optics = Optics(self.parameters, seed, start_ns)
        self.area = self.parameters["A_sub"] if "A_sub" in given else area
        self.substrate = Substrate(
            self.parameters, self.heat, self.cellar, area=self.area, seed=seed
        )
        self.warned: set[tuple[str, str]] = set()
        self.older_rows = 0
        self.ledger: list[ledger.Row] = []

    def seconds(self, now_ns: int) -> float:
        """Return simulated seconds since the world's start."""
        return (now_ns - self.start_ns) / _NS_PER_S

    def advance(self, now_ns: int, due_ns: int) -> int:
        """Bring the world to a time, with what is due on the stage at `due_ns`.

        Returns the world's time, which never runs backward.
        """
        if now_ns >= due_ns or now_ns >= self.due_ns:
            self.catch_up(now_ns)
        if now_ns > self.now_ns:
            self.now_ns = now_ns
        return self.now_ns

    def shine(self, in_beam: bool) -> None:
        """Tell the film the light it is in from now on; the LED's counts in its beam."""
        light = self.parameters["ambient"] + self.optics.light(in_beam)
        self.adaptation.expose(light, self.now_ns)

    def coats(self, now_ns: int) -> float:
        """Return the absorbance at 570 nm of all sides of the film as light and warmth left it."""
        colour = self.adaptation.colour(now_ns)
        return self.sides * self.substrate.absorbance(now_ns) * colour

    def warn(self, kind: str, vessel: str, millilitres: float) -> None:
        """Write a liquid row, once until the vessel is filled again."""
        if (kind, vessel) not in self.warned:
            self.warned.add((kind, vessel))
            at_s = self.seconds(self.now_ns)
            self.ledger.append(ledger.liquid(kind, vessel, at_s, millilitres))


class Stage(Protocol):
    """How the substrate meets its liquids.

    `due_ns` is when something next happens by itself (NEVER_NS: nothing), `links` are the
    sockets by name, `places` those of a mishap that are no vessel.
    """

    due_ns: int
    links: dict[str, Link]
    places: frozenset[str]

    def refuse(self, mishap: "Mishap") -> None:
        """Raise ValueError for a mishap that such a bench cannot have."""

    def strike(self, mishap: "Mishap", begins: bool) -> bool:
        """Do a mishap, or end it, as far as it is the stage's; return whether that was all."""

    def in_beam(self) -> bool:
        """Return whether the film is in the light of the LED."""

    def fire(self, now_ns: int) -> None:
        """Let happen what is due by `now_ns`, and note what is due next."""

    def link(self, text: str) -> Link | None:
        """Return a socket that has no fixed name, None if there is none of this name."""

    def fills(self, vessel: str) -> None:
        """Take note that a vessel is about to be filled."""

    def absorbance(self, now_ns: int) -> float:
        """Return the absorbance at 570 nm in the photodiode's light path."""

    def standing(self) -> ledger.Row | None:
        """Return the row of the exposure that lasts, None out of the liquid."""

    def plain(self) -> dict[str, Any]:
        """Return the stage's own state as JSON data."""

    def load(self, plain: Mapping[str, Any]) -> None:
        """Take back what `plain` wrote, after liquids and before the substrate."""


def _idle(now_ns: int) -> None:
    """Do nothing: a scene without a world has no events."""
