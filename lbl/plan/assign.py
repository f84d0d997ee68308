"""Which bath or reservoir holds which solution, and which rinse baths serve which side.

Pure. Must never let one rinse bath serve both sides: what a polycation leaves there would meet
the polyanion and precipitate. A reservoir is exempt: a cell is rinsed with fresh liquid.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lbl.errors import Problem
from lbl.marked import Route
from lbl.plan.equipment import Bath, Side
from lbl.plan.fields import MAX_EXCHANGES
from lbl.plan.recipe import Expose, Park, Recipe, Rinse
from lbl.plan.unroll import Act

FIRST_SIDE: Final[Side] = "negative"  # of a rinse before any expose: the safest place to park


@dataclass(frozen=True, slots=True)
class Need:
    """Rinse baths that one side wants filled with one solution: how many at least, and where."""

    side: Side
    solution: str
    baths: int
    route: Route


@dataclass(frozen=True, slots=True)
class Assignment:
    """Solution -> bath for what builds the film; (side, solution) -> rinse baths in order."""

    film: Mapping[str, Bath]
    rinses: Mapping[tuple[Side, str], tuple[Bath, ...]]

    def vessels(self) -> dict[str, str]:
        """Return which solution each used vessel holds."""
        held = {bath.name: solution for solution, bath in self.film.items()}
        for (_, solution), baths in self.rinses.items():
            held.update((bath.name, solution) for bath in baths)
        return held


def side_of(charge: str) -> Side:
    """Return the side that a solution of this charge belongs to."""
    return "positive" if charge == "positive" else "negative"


def assign(
    recipe: Recipe, acts: Sequence[Act], baths: Sequence[Bath], *, fresh: bool = False
) -> tuple[Assignment, list[Problem]]:
    """Return the assignment and what could not be assigned.

    `fresh`: each rinse takes new liquid from a reservoir, which then serves any number of rinses on
    both sides.
    """
    problems: list[Problem] = []
    film = _film(recipe, acts, baths, problems)
    taken = {bath.name for bath in film.values()}
    deal = _reservoirs if fresh else _rinses
    rinses = deal(recipe, _needs(recipe, acts), baths, taken, problems)
    used = [bath for group in (film.values(), *rinses.values()) for bath in group]
    problems += [
        Problem("plan-volume", f"bath {bath.name} holds no liquid", remedy="give it a volume")
        for bath in used
        if bath.volume <= 0.0
    ]
    return Assignment(film, rinses), problems


def _film(
    recipe: Recipe, acts: Sequence[Act], baths: Sequence[Bath], problems: list[Problem]
) -> dict[str, Bath]:
    exposed = {
        act.options.to: act.route for act in reversed(acts) if isinstance(act.options, Expose)
    }
    wanted = [name for name in recipe.solutions if name in exposed]
    found: dict[str, Bath] = {}
    taken: set[str] = set()
    # Pinned baths first, then those meant for the charge, then those for anything: otherwise a
    # solution could take the only bath that another may use.
    for fits in (_pinned, _meant, _spare):
        for name in wanted:
            free = (b for b in baths if b.name not in taken and fits(b, name, recipe))
            bath = next(free, None) if name not in found else None
            if bath is not None:
                found[name] = bath
                taken.add(bath.name)
    for name in wanted:
        if name not in found:
            made = recipe.solutions[name]
            purpose = "primer" if made.role == "primer" else made.charge
            sentence = f"the bench has no free bath for '{name}' ({purpose})"
            remedy = f"give the bench a bath for {purpose}, or one that 'holds: {name}'"
            place = recipe.place((*exposed[name], "to"))
            problems.append(Problem("plan-no-bath", sentence, place, remedy))
    return found


def _pinned(bath: Bath, name: str, recipe: Recipe) -> bool:
    return bath.holds == name


def _meant(bath: Bath, name: str, recipe: Recipe) -> bool:
    made = recipe.solutions[name]
    purpose = "primer" if made.role == "primer" else made.charge
    return not bath.holds and bath.purpose == purpose


def _spare(bath: Bath, name: str, recipe: Recipe) -> bool:
    return not bath.holds and bath.purpose == "any"


def _needs(recipe: Recipe, acts: Iterable[Act]) -> list[Need]:
    """One need per side and rinse solution, in the order of the recipe."""
    needs: dict[tuple[Side, str], Need] = {}
    side = FIRST_SIDE
    for act in acts:
        options = act.options
        if isinstance(options, Expose):
            side = side_of(recipe.solutions[options.to].charge)
        elif isinstance(options, (Rinse, Park)):
            wanted = options.at_least if isinstance(options, Rinse) else 1
            before = needs.get((side, options.solution))
            if before is None or before.baths < wanted:
                need = Need(side, options.solution, wanted, act.route)
                needs[side, options.solution] = need
    return list(needs.values())


def _rinses(
    recipe: Recipe,
    needs: Sequence[Need],
    baths: Sequence[Bath],
    taken: set[str],
    problems: list[Problem],
) -> dict[tuple[Side, str], tuple[Bath, ...]]:
    """Deal the rinse baths: to each need what it must have, then what is left, evenly."""
    dealt: dict[tuple[Side, str], list[Bath]] = {(n.side, n.solution): [] for n in needs}
    free = [bath for bath in baths if bath.name not in taken and _may_rinse(bath)]
    for rest in (False, True):
        for need in needs:
            mine = dealt[need.side, need.solution]
            for bath in [bath for bath in free if _serves(bath, need)]:
                alone = all(other is need or not _serves(bath, other) for other in needs)
                if len(mine) < need.baths or (rest and (alone or _turn(mine, dealt))):
                    mine.append(bath)
                    free.remove(bath)
    order = {bath.name: number for number, bath in enumerate(baths)}
    for need in needs:
        got = dealt[need.side, need.solution]
        got.sort(key=lambda bath: order[bath.name])
        if len(got) < need.baths:
            problems.append(_too_few(recipe, need, got, baths, dealt))
    return {key: tuple(got) for key, got in dealt.items()}


def _reservoirs(
    recipe: Recipe,
    needs: Sequence[Need],
    baths: Sequence[Bath],
    taken: set[str],
    problems: list[Problem],
) -> dict[tuple[Side, str], tuple[Bath, ...]]:
    """One reservoir for each rinse solution, as often as anybody may rinse."""
    held: dict[str, Bath] = {}
    free = [bath for bath in baths if bath.name not in taken and _may_rinse(bath)]
    for need in needs:
        fits = (bath for bath in free if bath.holds in ("", need.solution))
        bath = held.get(need.solution) or next(fits, None)
        if bath is None:
            problems.append(_too_few(recipe, replace(need, baths=1), (), baths, {}))
            continue
        held[need.solution] = bath
        free = [other for other in free if other is not bath]
    return {
        (need.side, need.solution): (held[need.solution],) * MAX_EXCHANGES
        for need in needs
        if need.solution in held
    }


def _turn(mine: Sequence[Bath], dealt: Mapping[tuple[Side, str], Sequence[Bath]]) -> bool:
    """Whether it is this need's turn: nobody has fewer baths."""
    return len(mine) <= min(len(other) for other in dealt.values())


def _may_rinse(bath: Bath) -> bool:
    return bath.purpose == "rinse" or (bath.purpose == "any" and bool(bath.holds))


def _serves(bath: Bath, need: Need) -> bool:
    return bath.side in ("", need.side) and bath.holds in ("", need.solution)


def _too_few(
    recipe: Recipe,
    need: Need,
    got: Sequence[Bath],
    baths: Sequence[Bath],
    dealt: Mapping[tuple[Side, str], Sequence[Bath]],
) -> Problem:
    place = recipe.place(need.route)
    other_side = [bath for (side, _), some in dealt.items() if side != need.side for bath in some]
    shared = [bath.name for bath in other_side if _serves(bath, need)]
    if shared and not got:
        sentence = (
            f"rinse bath {', '.join(shared)} would serve both sides, "
            "and polycation and polyanion would meet in it"
        )
        remedy = f"give the {need.side} side a rinse bath of its own"
        return Problem("plan-shared-rinse", sentence, place, remedy)
    sentence = (
        f"{need.baths} rinse baths with '{need.solution}' are needed on the {need.side} side, "
        f"and the bench has {len(got)}"
    )
    remedy = "lower at_least, or give the bench more rinse baths"
    return Problem("plan-no-bath", sentence, place, remedy)
