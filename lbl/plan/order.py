"""What the order of phases forbids, whatever the bench: depositions without rinse, no park, ...

Pure. Must never judge what depends on baths or volumes; that is the planner's.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lbl.marked import Route
from lbl.plan.recipe import Expose, Measure, Park, Phase, Prime, Refill, Rinse, Staying
from lbl.plan.unroll import MAX_ACTS, MAX_ASKED, Act, Parameters, Undecided, Unrolling, count


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


def findings(
    procedure: Sequence[Phase], primers: frozenset[str], parameters: Parameters
) -> list[Finding]:
    """Return what is wrong with the order of the phases, each place once."""
    total, asked = count(procedure)
    if total > MAX_ACTS:
        sentence = f"this unrolls to {total} steps; a plan holds {MAX_ACTS}"
        return [Finding(("procedure",), "recipe-too-long", sentence, "repeat less often")]
    if asked > MAX_ASKED:
        sentence = f"conditions are asked {asked} times; a plan asks {MAX_ASKED} at most"
        return [Finding(("procedure",), "recipe-too-long", sentence, "use 'every', or ask less")]
    found: dict[tuple[Route, str], Finding] = {}
    acts = Unrolling(primers, parameters).acts(procedure)
    for finding in (*_nested(procedure, ("procedure",)), *_decided(acts)):
        found.setdefault((finding.route, finding.sentence), finding)
    return list(found.values())


def _decided(unrolled: Iterable[Act]) -> Iterator[Finding]:
    """What is wrong with what comes after what, up to a condition that has no answer."""
    acts: list[Act] = []

    def kept() -> Iterator[Act]:
        for act in unrolled:
            acts.append(act)
            yield act

    try:
        yield from _in_turn(kept())
    except Undecided as error:
        yield Finding(error.route, "recipe-condition", str(error), error.remedy)
        return
    yield from _primed(acts)
    yield from _nowhere(acts)


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
        inside = repeated or phase.repeat is not None
        yield from _nested(phase.steps or (), (*here, "steps"), inside, bilayer or counted)


def _exposes(phases: Iterable[Phase]) -> Iterator[bool]:
    for phase in phases:
        yield phase.expose is not None
        yield from _exposes(phase.steps or ())


def _in_turn(acts: Iterable[Act]) -> Iterator[Finding]:
    """What is wrong with what comes after what."""
    owed: Act | None = None  # a deposition that waits for its rinse
    wet_in, parked = "", False
    ends = _Ends()
    for act in acts:
        yield from ends.judge(act)
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
    sure = True  # that what comes next in the plan comes next in the run
    for act in acts:
        options = act.options
        sure = sure and not act.round_of
        if isinstance(options, Prime):
            primed, sure = act, True
        if not isinstance(options, Expose | Rinse | Park) or primed is None:
            continue
        prime, primed = primed, None
        wanted = prime.options.solution if isinstance(prime.options, Prime) else ""
        if not isinstance(options, Expose) or options.to != wanted or not sure:
            sentence = f"the line is full of {wanted} then, and something else may be next in it"
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


class _Ends:
    """Repetitions that a reading may end early: what may not stand at their seams."""

    def __init__(self) -> None:
        self._counted = 0  # the newest deposition
        self._begun: dict[int, int] = {}  # repetition: what was counted when it could first end
        self._uncertain = False  # how many depositions there were, once one has ended

    def judge(self, act: Act) -> Iterator[Finding]:
        """What is wrong with an act where a repetition may end."""
        here = act.route[:-1]
        if act.round_of:
            self._begun.setdefault(act.round_of, self._counted)
        if isinstance(act.options, Measure) and act.round_of:
            sentence = "a round that may not come begins with a measurement"
            yield _order(here, sentence, "put it at the end of the round")
        if isinstance(act.options, Measure) and act.after:
            sentence = "a measurement follows a repetition that may end early"
            yield _order(here, sentence, "measure inside the repetition")
        for loop in act.after:
            self._uncertain |= self._counted > self._begun.get(loop, self._counted)
        if act.deposition and self._uncertain:
            sentence = "a deposition follows a repetition that may end early, and has no number"
            yield _order(here, sentence, "let that repetition be the last that is counted")
        self._counted = act.deposition or self._counted


def _unrinsed(act: Act) -> Finding:
    sentence = "this expose is not followed by a rinse, and a deposition is done only when rinsed"
    return _order(act.route[:-1], sentence, "put a rinse after it")


def _order(route: Route, sentence: str, remedy: str) -> Finding:
    return Finding(route, "recipe-order", sentence, remedy)
