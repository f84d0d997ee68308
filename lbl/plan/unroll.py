"""The procedure as a flat list of acts: repetitions unrolled, bilayers and depositions counted.

What counts and parameters decide is decided here; what a reading decides stays with its act. Must
never know a bench.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lbl.marked import Route
from lbl.plan.condition import Unjudged, parsed
from lbl.plan.recipe import Options, Park, Phase, Recipe
from lbl.plan.schedule import Ask

MAX_ACTS: Final = 250_000  # 20,000 bilayers and some; a plan is held in memory as a whole
MAX_ASKED: Final = 10_000  # conditions of one recipe, each time that one is asked

Parameters = Mapping[str, str | int | float]


@dataclass(frozen=True, slots=True)
class Act:
    """One phase at its turn: where it is written, in which bilayer, which deposition it makes.

    `bilayer` is 0 outside `as: bilayer`, `deposition` is 0 for everything but a counted expose.
    `ask` is what a reading must say for it to happen. An act that begins a round of a repetition
    which may end early has its number in `round_of`, and `ask` is what keeps the repetition
    going; `after` are the repetitions that ended just before this act.
    """

    route: Route
    options: Options
    bilayer: int = 0
    deposition: int = 0
    ask: Ask | None = None
    round_of: int = 0
    after: tuple[int, ...] = ()


class Undecided(Exception):
    """A condition that has no answer, at its place in the recipe."""

    def __init__(self, route: Route, why: Unjudged) -> None:
        """Keep both."""
        super().__init__(str(why))
        self.route, self.remedy = route, why.remedy


def count(procedure: Sequence[Phase]) -> tuple[int, int]:
    """Return how many acts the procedure unrolls to at most, and how often conditions are asked."""
    acts = asked = 0
    for phase in procedure:
        inner, questions = count(phase.steps) if phase.steps is not None else (1, 0)
        times = phase.repeat or 1
        acts += times * inner
        asked += times * (questions + (phase.lasts is not None)) + (phase.when is not None)
    return acts, asked


def unroll(recipe: Recipe) -> list[Act]:
    """Return the acts of a recipe in order; the recipe has passed `order.findings`."""
    primers = frozenset(name for name, made in recipe.solutions.items() if made.role == "primer")
    return list(Unrolling(primers, recipe.parameters).acts(recipe.procedure))


class Unrolling:
    """The counters while a procedure is unrolled: bilayers and depositions begun so far."""

    def __init__(self, primers: frozenset[str], parameters: Parameters) -> None:
        """Start from zero; exposes to a solution in `primers` are never counted."""
        self.bilayers = 0
        self.depositions = 0
        self._primers = primers
        self._parameters = parameters
        self._loops = 0
        self._left: list[int] = []

    def acts(
        self,
        phases: Sequence[Phase],
        route: Route = ("procedure",),
        turn: int = 1,
        bilayer: int = 0,
    ) -> Iterator[Act]:
        """Yield the acts of `phases` in their `turn`-th repetition; raises Undecided."""
        for number, phase in enumerate(phases):
            here = (*route, number)
            if phase.when is not None and not self._holds(
                phase.when, (*here, "when"), turn, bilayer
            ):
                continue
            if phase.steps is not None:
                if phase.repeat is None:
                    yield from self.acts(phase.steps, (*here, "steps"), turn, bilayer)
                else:
                    yield from self._repeated(phase, phase.steps, phase.repeat, here, bilayer)
                continue
            options = phase.options
            if options is None or (not isinstance(options, Park) and turn % options.every):
                continue
            yield self._act(phase, options, here, turn, bilayer)

    def _repeated(
        self, phase: Phase, steps: Sequence[Phase], times: int, route: Route, bilayer: int
    ) -> Iterator[Act]:
        lasts = phase.lasts or ""
        loop = 0
        if lasts and parsed(lasts).read:
            self._loops += 1
            loop = self._loops
        for turn in range(1, times + 1):
            if phase.counts == "bilayer":
                bilayer = self.bilayers + 1
            if lasts and turn > 1 and not self._holds(lasts, (*route, "while"), turn, bilayer):
                break
            if phase.counts == "bilayer":
                self.bilayers += 1
            acts = self.acts(steps, (*route, "steps"), turn, bilayer)
            if loop and turn > 1:
                yield from _begun(acts, self._ask(lasts, turn, bilayer), loop)
            else:
                yield from acts
        if loop:
            self._left.append(loop)

    def _ask(self, text: str, turn: int, bilayer: int) -> Ask:
        return Ask(text, bilayer, self.depositions, turn)

    def _holds(self, text: str, route: Route, turn: int, bilayer: int) -> bool:
        """The answer that counts and parameters give; true where a reading will give it."""
        try:
            return parsed(text).holds(self._ask(text, turn, bilayer).values(self._parameters))
        except Unjudged as why:
            raise Undecided(route, why) from None

    def _act(self, phase: Phase, options: Options, route: Route, turn: int, bilayer: int) -> Act:
        deposition = 0
        if phase.expose is not None and bilayer and phase.expose.to not in self._primers:
            self.depositions += 1
            deposition = self.depositions
        read = phase.when is not None and parsed(phase.when).read
        ask = self._ask(phase.when or "", turn, bilayer) if read else None
        after, self._left = tuple(self._left), []
        return Act((*route, phase.name), options, bilayer, deposition, ask, 0, after)


def _begun(acts: Iterator[Act], ask: Ask, loop: int) -> Iterator[Act]:
    """The acts of a round; its first asks whether there shall be one."""
    first = next(acts, None)
    if first is not None:
        if first.ask is not None:
            why = "the first phase of a round that may not come has a condition of its own"
            raise Undecided(first.route, Unjudged(why, "let another phase begin the round"))
        yield replace(first, ask=ask, round_of=loop)
        yield from acts
