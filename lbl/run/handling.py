"""How substrate and liquids are brought together, whatever the bench: the contract of both ways.

The procedure speaks to this alone. This file must never know an instrument.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from lbl.plan.schedule import Legs, Step
from lbl.run.acts import Waits

LEAD_NS: Final = 2_000_000_000  # a transfer is armed this long before its deadline


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a transfer went: when its first leg fired, when the substrate was submerged."""

    lifted_ns: int
    immersed_ns: int
    planned_ns: int

    @property
    def air_s(self) -> float:
        """Time between leaving one liquid and being submerged in the next."""
        return (self.immersed_ns - self.lifted_ns) / 1e9


class Handling(Protocol):
    """The arm of a dip bench, or the pump of a flow bench.

    `in_air`: a transfer has begun and its substrate is not yet submerged. Vessels are names of
    baths, or of the reservoirs that the liquid in a cell came from; "" is in air.
    """

    in_air: bool

    def distrust(self) -> None:
        """An act went wrong: make the dead-man's programme fit what is still known."""

    def drop(self) -> Waits[None]:
        """Disarm everything; what fired an instant before has put the substrate in air."""

    def ready(self) -> Waits[None]:
        """What is done once, before the first transfer of a film."""

    def transfer(
        self, legs: Legs, start_ns: int, tag: int, lifted: Callable[[int], None]
    ) -> Waits[Arrival]:
        """Carry out `legs` from `start_ns`; calls `lifted` once the first has fired.

        Raises Trouble when one does not fire or does not end, InstrumentError from drivers.
        """

    def prime(self, vessel: str) -> Waits[None]:
        """Fill what leads from a vessel with its liquid; nothing of it reaches the film.

        Raises Trouble when that does not end, InstrumentError from drivers.
        """

    def legs(self, here: str, there: str) -> Legs:
        """The way from one vessel to another."""

    def watch(self, until_ns: int) -> Waits[int]:
        """Wait, and look after the film meanwhile; ns of its dwell that do not count."""

    def where(self, known: str) -> str:
        """Where the substrate is, as the bench says; `known` is what was journaled last.

        "" where that is no vessel; `in_air` then says whether it is dry or in some liquid.
        """

    def refuge(self, meant: str, expected: Collection[str]) -> tuple[str, Legs]:
        """The vessel to go to from air now, and the way: an expected one that is near, or `meant`.

        Raises Trouble when there is none.
        """

    def way_out(self, vessel: str, step: Step) -> Sequence[str]:
        """The rinses that lie between a vessel and the safest place of its side, in order."""
