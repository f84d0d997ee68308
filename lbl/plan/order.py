"""What the order of phases forbids, whatever the bench: depositions without rinse, no park, ...

Pure. Must never judge what depends on baths or volumes; that is the planner's.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lbl.marked import Route
from lbl.plan.recipe import Expose, Measure, Park, Phase, Prime, Refill, Rinse, Staying
from lbl.plan.unroll import MAX_ACTS, Act, Unrolling, count


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem and where in the recipe it lies; the loader knows the line."""

    route: Route
    code: str
    sentence: str
    remedy: str = ""


_NO_PARK: Final = Finding(
    ("procedure",),
    "recipe-order",
    "the procedure does not end with a park",
    "end it with 'park: {in: buffer}', or the film would dry",
)


def findings(procedure: Sequence[Phase], primers: frozenset[str]) -> list[Finding]:
    """Return what is wrong with the order of the phases, each place once."""
    total = count(procedure)
    if total > MAX_ACTS:
        sentence = f"this unrolls to {total} steps; a plan holds {MAX_ACTS}"
        return [Finding(("procedure",), "recipe-too-long", sentence, "repeat less often")]
    found: dict[tuple[Route, str], Finding] = {}
    acts = list(Unrolling(primers).acts(procedure))
    turns = (*_in_turn(acts), *_primed(acts), *_nowhere(acts))
    for finding in (*_nested(procedure, ("procedure",)), *turns):
        found.setdefault((finding.route, finding.sentence), finding)
    return list(found.values())


def _nested(
    phases: Sequence[Phase], route: Route, repeated: bool = False, bilayer: bool = False
) -> Iterator[Finding]:
    """What is wrong with where a phase stands in the nesting."""
    for number, phase in enumerate(phases):
        here = (*route, number)
        counted = phase.counts == "bilayer"
        if counted and bilayer:
            yield _order((*here, "as"), "a bilayer stands inside a bilayer", "remove one 'as'")
        if counted and not any(_exposes(phase.steps or ())):
            yield _order(here, "this bilayer exposes the substrate to nothing", "remove 'as'")
        if phase.park is not None and repeated:
            yield _order(here, "a park stands inside a repetition", "move it to the end")
        options = phase.options
        if not isinstance(options, (Park, type(None))) and options.every > 1 and not repeated:
            sentence = "'every' counts repetitions, and this phase is not repeated"
            yield _order((*here, phase.name, "every"), sentence, "remove it")
        yield from _nested(phase.steps or (), (*here, "steps"), True, bilayer or counted)


def _exposes(phases: Iterable[Phase]) -> Iterator[bool]:
    for phase in phases:
        yield phase.expose is not None
        yield from _exposes(phase.steps or ())


def _in_turn(acts: Iterable[Act]) -> Iterator[Finding]:
    """What is wrong with what comes after what."""
    owed: Act | None = None  # a deposition that waits for its rinse
    wet_in, parked = "", False
    for act in acts:
        if parked:
            yield _order(act.route[:-1], "a phase follows the park", "make park the last")
            return
        options = act.options
        if isinstance(options, (Expose, Park)) and owed is not None:
            yield _unrinsed(owed)
        if isinstance(options, Measure) and wet_in != "rinse":
            sentence = "a measurement looks at a film in its rinse, and no rinse comes before"
            yield _order(act.route[:-1], sentence, "put it after a rinse")
        if isinstance(options, Staying) and wet_in == "expose":
            sentence = f"a {act.route[-1]} after an expose would lengthen it"
            yield _order(act.route[:-1], sentence, "rinse first, or write a longer 'for'")
        if isinstance(options, Expose):
            wet_in, owed = "expose", act if act.deposition else None
        elif isinstance(options, Rinse):
            wet_in, owed = "rinse", None
        parked = isinstance(options, Park)
    if not parked:
        yield _NO_PARK
        if owed is not None:
            yield _unrinsed(owed)


def _primed(acts: Iterable[Act]) -> Iterator[Finding]:
    """Primes whose solution, which then stands in the line, would get where it is not wanted."""
    primed: Act | None = None
    for act in acts:
        options = act.options
        if isinstance(options, Prime):
            primed = act
        if not isinstance(options, Expose | Rinse | Park) or primed is None:
            continue
        prime, primed = primed, None
        wanted = prime.options.solution if isinstance(prime.options, Prime) else ""
        if not isinstance(options, Expose) or options.to != wanted:
            sentence = f"the line is full of {wanted} then, and something else would be next in it"
            yield _order(prime.route[:-1], sentence, f"put it right before the expose to {wanted}")


def _nowhere(acts: Sequence[Act]) -> Iterator[Finding]:
    """Refills and primes of what no bath holds, since the film is never exposed to it."""
    held = {act.options.to for act in acts if isinstance(act.options, Expose)}
    for act in acts:
        options = act.options
        if isinstance(options, Refill | Prime):
            name = options.of if isinstance(options, Refill) else options.solution
            if name not in held:
                sentence = f"no bath holds '{name}': the film is exposed to it nowhere"
                yield _order(act.route[:-1], sentence, "remove it, or add an expose")


def _unrinsed(act: Act) -> Finding:
    sentence = "this expose is not followed by a rinse, and a deposition is done only when rinsed"
    return _order(act.route[:-1], sentence, "put a rinse after it")


def _order(route: Route, sentence: str, remedy: str) -> Finding:
    return Finding(route, "recipe-order", sentence, remedy)
