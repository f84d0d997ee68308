"""The procedure as a flat list of acts: repetitions unrolled, bilayers and depositions counted.

Must never know a bench.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lbl.marked import Route
from lbl.plan.recipe import Options, Park, Phase, Recipe

MAX_ACTS: Final = 250_000  # 20,000 bilayers and some; a plan is held in memory as a whole


@dataclass(frozen=True, slots=True)
class Act:
    """One phase at its turn: where it is written, in which bilayer, which deposition it makes.

    `bilayer` is 0 outside `as: bilayer`, `deposition` is 0 for everything but a counted expose.
    """

    route: Route
    options: Options
    bilayer: int = 0
    deposition: int = 0


def count(procedure: Sequence[Phase]) -> int:
    """Return how many acts the procedure unrolls to at most (`every` not considered)."""
    return sum(
        phase.repeat * count(phase.steps)
        if phase.repeat is not None and phase.steps is not None
        else 1
        for phase in procedure
    )


def unroll(recipe: Recipe) -> list[Act]:
    """Return the acts of a recipe in order; the recipe has passed `order.problems`."""
    primers = frozenset(name for name, made in recipe.solutions.items() if made.role == "primer")
    return list(Unrolling(primers).acts(recipe.procedure))


class Unrolling:
    """The counters while a procedure is unrolled: bilayers and depositions begun so far."""

    def __init__(self, primers: frozenset[str]) -> None:
        """Start from zero; exposes to a solution in `primers` are never counted."""
        self.bilayers = 0
        self.depositions = 0
        self._primers = primers

    def acts(
        self,
        phases: Sequence[Phase],
        route: Route = ("procedure",),
        turn: int = 1,
        bilayer: int = 0,
    ) -> Iterator[Act]:
        """Yield the acts of `phases` in their `turn`-th repetition."""
        for number, phase in enumerate(phases):
            here = (*route, number)
            if phase.steps is not None and phase.repeat is not None:
                yield from self._repeated(phase, phase.steps, phase.repeat, here, bilayer)
                continue
            options = phase.options
            if options is None or (not isinstance(options, Park) and turn % options.every):
                continue
            yield self._act(phase, options, here, bilayer)

    def _repeated(
        self, phase: Phase, steps: Sequence[Phase], times: int, route: Route, bilayer: int
    ) -> Iterator[Act]:
        for turn in range(1, times + 1):
            if phase.counts == "bilayer":
                self.bilayers += 1
                bilayer = self.bilayers
            yield from self.acts(steps, (*route, "steps"), turn, bilayer)

    def _act(self, phase: Phase, options: Options, route: Route, bilayer: int) -> Act:
        deposition = 0
        if phase.expose is not None and bilayer and phase.expose.to not in self._primers:
            self.depositions += 1
            deposition = self.depositions
        return Act((*route, phase.name), options, bilayer, deposition)
