"""What a plan means for time, liquids and film, as named figures that can be compared.

The growth that is expected is a guess, from the closed form of blocking adsorption: coverage
theta (1 - (1 + (n - 1) k C t) ** (-1 / (n - 1))) in a stirred bath at 22 degC, which reaches 0.9 of
a monolayer in 10 min at 1 mg/mL (time control after He et al., Langmuir 1998). It knows no
overgrowth, temperature or pH. Pure. Must never give a number that it does not have.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from lbl.figure import Figure
from lbl.plan.account import Account
from lbl.plan.rules import PROTEIN
from lbl.plan.schedule import Plan, Step

THETA: Final = 0.95  # coverage where adsorption ends, monolayers
TAU_S: Final = 129.0  # 1 / k at 1 mg/mL
ORDER: Final = 1.5  # n, sites that one patch blocks
MONOLAYER_MOD: Final = 1.2  # at 570 nm, one side
MONOLAYER_NM: Final = 5.5
BYTES_A_MB: Final = 1e6
Figures = dict[str, Figure]


def consequences(plan: Plan) -> Figures:
    """The figures of a plan by name, in the order in which they are told."""
    budget = plan.budget
    made: Figures = {
        "duration": Figure(plan.duration_ns / 1e9, "s"),
        "bilayers": Figure(plan.bilayers),
        "depositions": Figure(plan.depositions),
        "person needed after": Figure(budget.person, "s"),
        "prompts": Figure(sum(step.kind == "prompt" for step in plan.steps)),
        "warnings": Figure(len(plan.warnings)),
    }
    made.update(_exposures(plan))
    rinses = [step for step in plan.steps if step.kind == "rinse"]
    made["rinsing, in all"] = Figure(_dwell(rinses), "s")
    made["exchanges of a rinse, fewest"] = Figure(plan.exchanges[0])
    made["exchanges of a rinse, most"] = Figure(plan.exchanges[1])
    for name, volume in budget.volumes.items():
        made[f"{name} to prepare"] = Figure(volume, "mL")
    for name, left in budget.dilution.items():
        made[f"{name} c/c0 at the end"] = Figure(left)
    made["waste"] = Figure(budget.waste, "mL")
    for by in ("pump", "person"):
        added = [refill for refill in budget.refills if refill.by == by]
        made[f"refills by {by}"] = Figure(len(added))
    made["carry-over, worst"] = Figure(budget.carry_over_worst)
    made["air, longest"] = Figure(budget.air_worst, "s")
    made["transfers, in all"] = Figure(sum(step.transfer_ns for step in plan.steps) / 1e9, "s")
    return {**made, **_growth(plan)}


def on_bench(account: Account) -> Figures:
    """The figures that a plan has on its bench beside its own."""
    dark = "the bench does not say how bright its light is"
    return {
        "duration, half of all runs": Figure(account.span.p50, "s"),
        "duration, 95 of 100 runs": Figure(account.span.p95, "s"),
        "air, longest for the film": Figure(account.air, "s"),
        "light on the film": Figure(account.lit, "s"),
        "light dose": Figure(account.dose, "mJ/cm2", dark if account.dose is None else ""),
        "visits of a person": Figure(len(account.visits)),
        "age of the liquids at the end": Figure(account.age, "h"),
        "run folder": Figure(account.folder / BYTES_A_MB, "MB"),
    }


def _exposures(plan: Plan) -> Iterator[tuple[str, Figure]]:
    """Of each solution that builds the film: how often, how long each time, how long in all."""
    by_name: dict[str, list[Step]] = {}
    for step in plan.steps:
        if step.kind == "expose":
            by_name.setdefault(step.solution, []).append(step)
    for name, steps in by_name.items():
        dwells = [step.dwell_ns / 1e9 for step in steps]
        yield f"exposures to {name}", Figure(len(steps))
        yield f"exposure to {name}, shortest", Figure(min(dwells), "s")
        yield f"exposure to {name}, longest", Figure(max(dwells), "s")
        yield f"exposure to {name}, in all", Figure(sum(dwells), "s")


def _dwell(steps: list[Step]) -> float:
    return sum(step.dwell_ns for step in steps) / 1e9


def _growth(plan: Plan) -> Figures:
    aim = plan.quality.target
    aimed = (
        Figure(1000.0 * aim, "mOD")
        if aim > 0
        else Figure(None, "mOD", "the recipe has no quality.growth.target")
    )
    coverage = _coverage(plan)
    if isinstance(coverage, str):
        gone = Figure(None, "mOD", coverage)
        return {
            "growth aimed at, a bilayer and side": aimed,
            "growth expected, a bilayer and side": gone,
            "absorbance expected, a side": gone,
            "thickness expected": Figure(None, "nm", coverage),
        }
    each = coverage / plan.bilayers
    return {
        "growth aimed at, a bilayer and side": aimed,
        "growth expected, a bilayer and side": Figure(MONOLAYER_MOD * each, "mOD"),
        "absorbance expected, a side": Figure(MONOLAYER_MOD * coverage, "mOD"),
        "thickness expected": Figure(MONOLAYER_NM * coverage, "nm"),
    }


def _coverage(plan: Plan) -> float | str:
    """Monolayers of purple membrane that are expected; a sentence when nothing is known."""
    counted = [step for step in plan.steps if step.kind == "expose" and step.deposition]
    if not counted:
        return "the recipe has no deposition"
    known = [step for step in counted if _known(plan.solutions[step.solution].species)]
    if not known:
        species = sorted({plan.solutions[step.solution].species for step in counted})
        return f"no law of growth is known here for {', '.join(species)}"
    end = max(1, plan.duration_ns)
    return sum(
        adsorbed(
            step.dwell_ns / 1e9,
            plan.solutions[step.solution].concentration
            * _strength(step, plan.budget.dilution, step.offset_ns / end),
        )
        for step in known
    )


def _known(species: str) -> bool:
    return species.lower() in PROTEIN


def _strength(step: Step, dilution: Mapping[str, float], share: float) -> float:
    """c/c0 at an exposure: what the plan says of it, else evenly down to that of the end."""
    told = step.detail.get("c_over_c0")
    if told is not None:
        return float(str(told))
    return 1.0 + share * (dilution.get(step.solution, 1.0) - 1.0)


def adsorbed(seconds: float, concentration: float) -> float:
    """Monolayers after a dwell (s) in purple membrane (mg/mL) on a fresh PDAC layer."""
    reach = (ORDER - 1.0) * concentration * seconds / TAU_S
    return THETA * (1.0 - float((1.0 + reach) ** (-1.0 / (ORDER - 1.0))))
