"""What protects the film: rules of the chemistry, as data; some refuse a recipe, some warn.

Each rule has a code, a sentence, where it comes from, and looks at a recipe alone or at its plan.
A named person may override a rule in the recipe, with a reason; nobody else can. Pure. Must never
judge what the language or the bench already refuses.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from lbl import units
from lbl.errors import Problem
from lbl.marked import Route, suggest
from lbl.plan.fields import not_above
from lbl.plan.recipe import Expose, Recipe, Rinse, Solution
from lbl.plan.schedule import Plan
from lbl.plan.unroll import Act

PROTEIN: Final = frozenset({"br", "bacteriorhodopsin", "purple membrane"})
DWELL_S: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {"positive": (60.0, 1200.0), "negative": (120.0, 1200.0)}
)
RINSE_S: Final = 20.0
TURNS_AT: Final = 7.0  # pH at which membrane turns round
TURNS_WITHIN: Final = 0.5
PH_BAND: Final = (8.7, 9.3)
PH_STEP: Final = 0.5
RUN_DEGC: Final = (15.0, 30.0)
HARM_DEGC: Final = (4.0, 40.0)
CONCENTRATION: Final = (0.1, 10.0)  # mg/mL
# How long a solution keeps at 22 degC, s; guesses of laboratories.
KEEPS_S: Final[Mapping[str, float]] = MappingProxyType(
    {"protein": 5 * 86_400.0, "polyion": 30 * 86_400.0, "rinse": 7 * 86_400.0}
)

Finding = tuple[Route, str]
"""Where in the recipe, and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: whether it `refuses`, what it protects, its source, and what finds it broken."""

    refuses: bool
    meaning: str
    source: str
    cure: str
    finds: Callable[[Recipe, Sequence[Act]], Iterator[Finding]]


def is_protein(name: str, solution: Solution) -> bool:
    """Whether a solution is one of purple membrane."""
    return (solution.species or name).lower() in PROTEIN


def _proteins(recipe: Recipe) -> Iterator[tuple[str, Solution]]:
    for name, solution in recipe.solutions.items():
        if is_protein(name, solution):
            yield name, solution


def _turning(recipe: Recipe, acts: Sequence[Act]) -> Iterator[Finding]:
    for name, solution in _proteins(recipe):
        if abs(solution.pH - TURNS_AT) < TURNS_WITHIN:
            told = f"'{name}' has pH {solution.pH:g}: membrane adsorbs either way up near pH 7"
            yield ("solutions", name, "pH"), told


def _off_band(recipe: Recipe, acts: Sequence[Act]) -> Iterator[Finding]:
    low, high = PH_BAND
    for name, solution in _proteins(recipe):
        within = not_above(low, solution.pH) and not_above(solution.pH, high)
        if not within and abs(solution.pH - TURNS_AT) >= TURNS_WITHIN:
            told = f"'{name}' has pH {solution.pH:g}; films are known from pH {low:g} to {high:g}"
            yield ("solutions", name, "pH"), told


def _rinsed_otherwise(recipe: Recipe, acts: Sequence[Act]) -> Iterator[Finding]:
    last: Solution | None = None
    for act in acts:
        if isinstance(act.options, Expose):
            last = recipe.solutions[act.options.to]
        elif isinstance(act.options, Rinse) and last is not None:
            rinse = recipe.solutions[act.options.solution]
            if not not_above(abs(rinse.pH - last.pH), PH_STEP):
                told = f"it rinses at pH {rinse.pH:g} what adsorbed at pH {last.pH:g}"
                yield (*act.route, "with"), told


def _dwells(recipe: Recipe, acts: Sequence[Act]) -> Iterator[Finding]:
    for act in acts:
        if not isinstance(act.options, Expose) or not act.deposition:
            continue
        solution = recipe.solutions[act.options.to]
        low, high = DWELL_S[solution.charge]
        dwell = act.options.dwell
        if not (not_above(low, dwell) and not_above(dwell, high)):
            span = f"{units.duration(low)} to {units.duration(high)}"
            told = f"{units.duration(dwell)} in '{act.options.to}'; {span} are usual"
            yield (*act.route, "for"), told


def _short_rinses(recipe: Recipe, acts: Sequence[Act]) -> Iterator[Finding]:
    for act in acts:
        if isinstance(act.options, Rinse) and not not_above(RINSE_S, act.options.dwell):
            told = f"a rinse of {units.duration(act.options.dwell)} leaves loose material behind"
            yield (*act.route, "for"), told


def _heat(recipe: Recipe, acts: Sequence[Act]) -> Iterator[Finding]:
    wanted = recipe.limits.temperature
    if wanted is not None and not _inside(wanted, HARM_DEGC) and any(_proteins(recipe)):
        told = f"{wanted[0]:g}..{wanted[1]:g} degC are allowed, where membrane is harmed"
        yield ("limits", "temperature"), told


def _warmth(recipe: Recipe, acts: Sequence[Act]) -> Iterator[Finding]:
    wanted = recipe.limits.temperature
    if wanted is None or not any(_proteins(recipe)):
        return
    if _inside(wanted, HARM_DEGC) and not _inside(wanted, RUN_DEGC):
        told = f"{wanted[0]:g}..{wanted[1]:g} degC are allowed; films are grown at 15 to 30 degC"
        yield ("limits", "temperature"), told


def _in_light(recipe: Recipe, acts: Sequence[Act]) -> Iterator[Finding]:
    for name, solution in _proteins(recipe):
        if solution.keep != "dark":
            yield ("solutions", name), f"'{name}' is not to be kept dark, and light bleaches it"


def _strength(recipe: Recipe, acts: Sequence[Act]) -> Iterator[Finding]:
    low, high = CONCENTRATION
    for name, solution in recipe.solutions.items():
        given = solution.concentration
        if solution.role == "film" and not (not_above(low, given) and not_above(given, high)):
            told = f"'{name}' has {given:g} mg/mL; {low:g} to {high:g} mg/mL are usual"
            yield ("solutions", name, "concentration"), told


RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "rule-ph-turns": Rule(
            True,
            "Membrane is offered at a pH near 7, where it adsorbs either way up.",
            "photovoltage of PDAC/BR films changes sign at pH 7 (He et al.)",
            "keep 0.5 away from pH 7",
            _turning,
        ),
        "rule-heat": Rule(
            True,
            "The limits allow temperatures that harm membrane.",
            "transition at 52 degC (Nikiforov et al., Nanotechnology 2011), with a margin",
            "stay within 4..40 degC",
            _heat,
        ),
        "rule-ph-band": Rule(
            False,
            "Membrane is offered outside the pH at which films are known to grow.",
            "working band of 9.0 +- 0.3; the band is a guess",
            "use pH 9, or say who decided otherwise",
            _off_band,
        ),
        "rule-ph-rinse": Rule(
            False,
            "A rinse has another pH than what it rinses.",
            "rinse at a pH that keeps the polyions charged (Lvov et al., standard procedure)",
            "use a rinse of the same pH",
            _rinsed_otherwise,
        ),
        "rule-dwell": Rule(
            False,
            "A deposition is shorter or longer than usual.",
            "10 min is the standard dip (Lvov et al.); the limits are guesses",
            "set at_least and at_most to what you know",
            _dwells,
        ),
        "rule-rinse-short": Rule(
            False,
            "A rinse is shorter than loose material takes to leave.",
            "1 min is the standard rinse (Lvov et al.); the limit is a guess",
            "rinse for a minute",
            _short_rinses,
        ),
        "rule-warmth": Rule(
            False,
            "The limits allow temperatures at which films are not usually grown.",
            "22 +- 1 degC is usual; the limits are guesses",
            "narrow limits.temperature",
            _warmth,
        ),
        "rule-light": Rule(
            False,
            "Membrane is not marked as kept dark.",
            "green light makes the M state, and with heat it denatures (Etoh et al. 1997)",
            "add 'keep: dark'",
            _in_light,
        ),
        "rule-concentration": Rule(
            False,
            "A solution is weaker or stronger than usual.",
            "0.1 to 1 mg/mL is standard (Lvov et al.); up to 10 is known",
            "check the number",
            _strength,
        ),
    }
)
AGED: Final = "rule-age"  # looks at the plan: how long it takes


@dataclass(frozen=True, slots=True)
class Judged:
    """What the rules say: problems that refuse, warnings, and overrides that were used."""

    refused: tuple[Problem, ...]
    warned: tuple[Problem, ...]
    overridden: tuple[str, ...]


def judge(recipe: Recipe, acts: Sequence[Act]) -> Judged:
    """Hold the rules against a recipe; each place once, overrides taken out."""
    refused: list[Problem] = list(_unknown(recipe))
    warned: list[Problem] = []
    used: list[str] = []
    overrides = {one.rule: one for one in recipe.overrides}
    for code, rule in RULES.items():
        found = dict.fromkeys(rule.finds(recipe, acts))
        if found and code in overrides:
            one = overrides[code]
            used.append(f"{code} overridden by {one.by}: {one.reason}")
            continue
        problems = [
            Problem(code, told, recipe.place(route), f"{rule.cure} ({rule.source})")
            for route, told in found
        ]
        (refused if rule.refuses else warned).extend(problems)
    return Judged(tuple(refused), tuple(warned), tuple(used))


def ageing(recipe: Recipe, plan: Plan) -> tuple[Problem, ...]:
    """Warn of solutions that are older at the end of the film than they keep."""
    if any(one.rule == AGED for one in recipe.overrides):
        return ()
    lasts = plan.duration_ns / 1e9
    found = []
    for name in dict.fromkeys(plan.assignments.values()):
        solution = recipe.solutions[name]
        kind = "rinse" if solution.role == "rinse" else "polyion"
        keeps = KEEPS_S["protein" if is_protein(name, solution) else kind]
        if not not_above(lasts, keeps):
            sentence = (
                f"the film takes {units.duration(lasts)}, and '{name}' keeps about "
                f"{units.duration(keeps)} at 22 degC"
            )
            place = recipe.place(("solutions", name))
            found.append(Problem(AGED, sentence, place, "plan a fresh one, or a cooler bench"))
    return tuple(found)


def _unknown(recipe: Recipe) -> Iterator[Problem]:
    """Overrides of rules that there are not."""
    known = [*RULES, AGED]
    for number, one in enumerate(recipe.overrides):
        if one.rule not in known:
            place = recipe.place(("overrides", number, "rule"))
            remedy = suggest(one.rule, known) or f"rules: {', '.join(known)}"
            yield Problem("recipe-override", f"there is no rule '{one.rule}'", place, remedy)


def _inside(span: tuple[float, float], limits: tuple[float, float]) -> bool:
    return not_above(limits[0], span[0]) and not_above(span[1], limits[1])
