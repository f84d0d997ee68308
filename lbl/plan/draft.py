"""The text of a new recipe from a few answers: two solutions in turn, rinsed, and perhaps a primer.

The text is commented for the person who goes on writing. Must never invent a chemistry: what
matters is asked for, and what is not asked for is in the text to be read. Pure.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Final

from lbl import units
from lbl.errors import BadInput, Problem, short
from lbl.nodes import scalar
from lbl.plan.layout import canonical
from lbl.plan.recipe import MAX_REPEAT
from lbl.plan.rules import PROTEIN

NONE: Final = ("", "none", "-")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Answers:
    """What a new recipe is made from; every answer is text, as somebody types it.

    `primer` and `growth` may be "none". `absorbance` is the wavelength at which each bilayer is
    measured, or "none".
    """

    name: str
    positive: str = "PDAC"
    negative: str = "BR"
    primer: str = "PEI"
    rinse: str = "buffer"
    bilayers: str = "10"
    dwell: str = "10 min"
    rinse_time: str = "1 min"
    concentration: str = "1 mg/mL"
    ph: str = "9.0"
    area: str = "2 cm^2"
    absorbance: str = "570 nm"
    growth: str = "none"


# what is asked for, and in which words; the rest is for options only
QUESTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "positive": "Name of the positive solution (polycation)",
        "negative": "Name of the negative solution (polyanion or protein)",
        "primer": "Name of the primer, or none",
        "bilayers": "Number of bilayers",
        "dwell": "Time in each of the two solutions",
        "ph": "pH of the solutions",
        "area": "Coated area of all sides together",
        "absorbance": "Wavelength to measure after each bilayer, or none",
        "growth": "Growth aimed at, per bilayer and side, or none",
    }
)


def wrong(key: str, answer: str) -> str:
    """What is wrong with an answer, as a sentence; "" when it will do."""
    try:
        _CHECKS[key](answer.strip())
    except ValueError as error:
        return str(error)
    return ""


def drafted(answers: Answers) -> str:
    """The recipe's text; raises BadInput `new-answer` with every answer that will not do."""
    said = {one.name: getattr(answers, one.name).strip() for one in fields(answers)}
    problems = [
        Problem("new-answer", found, "NAME" if key == "name" else f"--{key.replace('_', '-')}")
        for key, answer in said.items()
        if (found := wrong(key, answer))
    ]
    names = [said[key] for key in ("positive", "negative", "primer", "rinse")]
    twice = {name for name in names if names.count(name) > 1}
    problems += [
        Problem("new-answer", f"two solutions are called '{short(name)}'") for name in sorted(twice)
    ]
    if problems:
        raise BadInput(*problems)
    return canonical(_text(said))


def _text(said: Mapping[str, str]) -> str:
    primed, measured = said["primer"] not in NONE, said["absorbance"] not in NONE
    made = f"concentration: {said['concentration']}, pH: {said['ph']}"
    solutions = [
        f"{said['primer']}: {{{made}, charge: positive, role: primer}}" if primed else "",
        *(
            f"{said[charge]}: {{{made}, charge: {charge}{_dark(said[charge])}}}"
            for charge in ("positive", "negative")
        ),
        f"{said['rinse']}: {{pH: {said['ph']}, role: rinse}}",
    ]
    rinse = f"- rinse: {{with: {said['rinse']}, for: $rinse, at_least: 3}}"
    prime = f"- expose: {{to: {said['primer']}, for: 20 min, at_least: 5 min, at_most: 60 min}}"
    steps = [
        f"- expose: {{to: {said['positive']}, for: $dwell}}",
        rinse,
        f"- expose: {{to: {said['negative']}, for: $dwell}}",
        rinse,
        f"- measure: {{absorbance: {said['absorbance']}}}" if measured else "",
    ]
    aim = f"quality:\n  growth: {{target: {said['growth']}}} # per bilayer and side"
    parts = [
        f"# What is wrong with it: lbl check {said['name']}.yaml",
        f"# What it takes:         lbl plan {said['name']}.yaml",
        f"lbl: 1\nname: {said['name']}\nversion: 1.0.0 # raise it when you change the recipe",
        "",
        "# Changed from run to run by --set dwell=15min",
        f"parameters:\n  bilayers: {said['bilayers']}\n  dwell: {said['dwell']}",
        f"  rinse: {said['rinse_time']} # in each exchange",
        "",
        f"substrate: {{area: {said['area']}}} # all coated sides together",
        "",
        "solutions:",
        *(f"  {line}" for line in solutions if line),
        "",
        "procedure:",
        *([f"  {prime}", f"  {rinse}"] if primed else []),
        "  - repeat: $bilayers",
        "    as: bilayer # each expose in here is one deposition",
        "    steps:",
        *(f"      {line}" for line in steps if line),
        f"  - park: {{in: {said['rinse']}}} # the film waits wet in the last rinse of its side",
        "",
        "limits:",
        "  air: {soft: 20 s, hard: 45 s} # planned above soft is refused, above hard is a hold",
        "  carry_over: 1e-6 # of one solution into the bath of its opposite",
        *(["", aim] if said["growth"] not in NONE else []),
    ]
    return "\n".join(parts) + "\n"


def _dark(name: str) -> str:
    """Light bleaches membrane: a rule warns of what is not kept dark."""
    return ", keep: dark" if name.lower() in PROTEIN else ""


def _name(answer: str) -> None:
    if not _NAME.fullmatch(answer):
        raise ValueError(f"'{short(answer)}' is no name: use letters, digits, - and _")


def _solution(answer: str) -> None:
    _name(answer)
    if not isinstance(scalar(answer), str):
        raise ValueError(f"'{short(answer)}' reads as a number or a word of YAML, not as a name")


def _maybe(check: Callable[[str], None]) -> Callable[[str], None]:
    def checked(answer: str) -> None:
        if answer not in NONE:
            check(answer)

    return checked


def _count(answer: str) -> None:
    value = scalar(answer)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_REPEAT:
        raise ValueError(f"'{short(answer)}' is no whole number from 1 to {MAX_REPEAT}")


def _acidity(answer: str) -> None:
    value = scalar(answer)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 14:
        raise ValueError(f"'{short(answer)}' is no pH: write a number from 0 to 14")


def _quantity(unit: str) -> Callable[[str], None]:
    def check(answer: str) -> None:
        if units.number(answer, unit) <= 0:
            raise ValueError(f"'{short(answer)}' is not more than 0")

    return check


_CHECKS: Final[Mapping[str, Callable[[str], None]]] = MappingProxyType(
    {
        "name": _solution,
        "positive": _solution,
        "negative": _solution,
        "primer": _maybe(_solution),
        "rinse": _solution,
        "bilayers": _count,
        "dwell": _quantity("s"),
        "rinse_time": _quantity("s"),
        "concentration": _quantity("mg/mL"),
        "ph": _acidity,
        "area": _quantity("cm^2"),
        "absorbance": _maybe(_quantity("nm")),
        "growth": _maybe(_quantity("OD")),
    }
)
